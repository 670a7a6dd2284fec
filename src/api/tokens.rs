//! API tokens: how programs come in, for those who administer them.

use axum::Json;
use axum::extract;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::caller::Caller;
use super::session::{Grant, grants, roles};
use super::{Problem, State};
use crate::office::{ApiToken, Known};

/// What a body must be, for those whose body is not.
const BODY: &str = "send JSON like {\"label\":\"Grafana\",\"roles\":[{\"venue\":\"*\",\"role\":\"viewer\"}]}";

/// An API token to make.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenEntry {
    /// What it is for.
    #[schema(max_length = 80)]
    label: String,
    /// What it may do, and where.
    roles: Vec<Grant>,
}

/// An API token, without its text.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct TokenItem {
    /// Its number.
    id: i64,
    /// What it is for.
    label: String,
    /// What it may do, and where.
    roles: Vec<Grant>,
    /// When it was made, RFC 3339.
    made_at: String,
}

/// An API token that was just made.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct TokenMade {
    /// What the program sends as `Authorization: Bearer …`. Nobody can ask for it again.
    token: String,
    /// The rest of it.
    #[serde(flatten)]
    item: TokenItem,
}

/// API tokens.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct TokenList {
    /// By number.
    tokens: Vec<TokenItem>,
}

/// The API tokens that the caller administers.
#[utoipa::path(
    get, operation_id = "tokens",
    path = "/api/v1/tokens",
    responses(
        (status = 200, description = "The API tokens whose every role lies where the caller is an admin", body = TokenList),
        (status = 403, description = "The caller is no admin", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    extract::Extension(caller): extract::Extension<Caller>,
) -> Result<Json<TokenList>, Problem> {
    let tokens = state.accounts.tokens(&caller.roles).await?;
    Ok(Json(TokenList { tokens: tokens.into_iter().map(TokenItem::of).collect() }))
}

/// Makes an API token, which this answer alone shows. Nobody gives a role away in a place where they are no admin.
#[utoipa::path(
    post, operation_id = "add_token",
    path = "/api/v1/tokens",
    request_body = TokenEntry,
    responses(
        (status = 201, description = "The API token, shown this once", body = TokenMade),
        (status = 400, description = "Label or roles are not acceptable; the detail says what to do", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The caller is no admin there, or a page of another origin asks", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There are too many", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is over 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn add(
    extract::State(state): extract::State<State>,
    extract::Extension(caller): extract::Extension<Caller>,
    body: Result<Json<TokenEntry>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(TokenEntry { label, roles: wanted }) =
        body.map_err(|rejection| Problem::of_body(&rejection, BODY))?;
    let made = state.accounts.add_token(&caller.roles, &label, &roles(&wanted)?, state.clock.now()).await?;
    let Known { secret, token } = made;
    let place = format!("/api/v1/tokens/{}", token.id);
    let made = TokenMade { token: secret.as_str().to_owned(), item: TokenItem::of(token) };
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(made)).into_response())
}

/// Revokes an API token: it is refused from now on.
#[utoipa::path(
    delete, operation_id = "remove_token",
    path = "/api/v1/tokens/{id}",
    params(("id" = i64, Path, description = "The token's number")),
    responses(
        (status = 204, description = "It is revoked"),
        (status = 400, description = "That is no number", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The caller is no admin, or a page of another origin asks", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such API token among those that the caller administers", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn remove(
    extract::State(state): extract::State<State>,
    extract::Extension(caller): extract::Extension<Caller>,
    extract::Path(id): extract::Path<i64>,
) -> Result<StatusCode, Problem> {
    state.accounts.remove_token(&caller.roles, id, state.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl TokenItem {
    fn of(ApiToken { id, label, roles, made_at }: ApiToken) -> Self {
        Self { id, label, roles: grants(&roles), made_at: made_at.rfc3339() }
    }
}
