//! Accounts: who may sign in, for those who administer them.

use axum::Json;
use axum::extract;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::caller::Caller;
use super::session::{Grant, grants, roles};
use super::{Problem, State};
use crate::office::{Account, AccountChange, NewAccount};

/// What a body must be, for those whose body is not.
const BODY: &str =
    "send JSON like {\"name\":\"anna\",\"password\":\"…\",\"roles\":[{\"venue\":\"*\",\"role\":\"viewer\"}]}";
const CHANGE: &str =
    "send JSON like {\"roles\":[{\"venue\":\"*\",\"role\":\"viewer\"}]} or {\"password\":\"…\"}, or both";

/// An account to make.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountEntry {
    /// What its holder signs in with: letters, digits, '.', '-', '_' and '@'; capital letters are small ones.
    #[schema(max_length = 64)]
    name: String,
    /// The password, at least 12 characters.
    #[schema(min_length = 12, max_length = 256)]
    password: String,
    /// What its holder may do, and where.
    roles: Vec<Grant>,
}

/// What is to be different of an account; what is not named stays.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountEdit {
    /// A new password.
    #[schema(min_length = 12, max_length = 256)]
    password: Option<String>,
    /// All roles, in place of those it has.
    roles: Option<Vec<Grant>>,
}

/// An account.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct AccountItem {
    /// Its number.
    id: i64,
    /// What its holder signs in with.
    name: String,
    /// What its holder may do, and where.
    roles: Vec<Grant>,
    /// When it was made, RFC 3339.
    made_at: String,
}

/// Accounts.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct AccountList {
    /// By name.
    accounts: Vec<AccountItem>,
}

/// The accounts that the caller administers.
#[utoipa::path(
    get, operation_id = "accounts",
    path = "/api/v1/accounts",
    responses(
        (status = 200, description = "The accounts whose every role lies where the caller is an admin", body = AccountList),
        (status = 403, description = "The caller is no admin", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    extract::Extension(caller): extract::Extension<Caller>,
) -> Result<Json<AccountList>, Problem> {
    let accounts = state.accounts.list(&caller.roles).await?;
    Ok(Json(AccountList { accounts: accounts.into_iter().map(AccountItem::of).collect() }))
}

/// Makes an account. Nobody gives a role away in a place where they are no admin.
#[utoipa::path(
    post, operation_id = "add_account",
    path = "/api/v1/accounts",
    request_body = AccountEntry,
    responses(
        (status = 201, description = "The account", body = AccountItem),
        (status = 400, description = "Name, password or roles are not acceptable; the detail says what to do", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The caller is no admin there, or a page of another origin asks", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The name is another account's, or there are too many", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is over 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn add(
    extract::State(state): extract::State<State>,
    extract::Extension(caller): extract::Extension<Caller>,
    body: Result<Json<AccountEntry>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(AccountEntry { name, password, roles: wanted }) =
        body.map_err(|rejection| Problem::of_body(&rejection, BODY))?;
    let wanted = NewAccount { name: &name, password: &password, roles: &roles(&wanted)? };
    let account = state.accounts.add(&caller.roles, wanted, state.clock.now()).await?;
    let place = format!("/api/v1/accounts/{}", account.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(AccountItem::of(account))).into_response())
}

/// Changes the password or the roles of an account. Its sessions end at once.
#[utoipa::path(
    patch, operation_id = "change_account",
    path = "/api/v1/accounts/{id}",
    params(("id" = i64, Path, description = "The account's number")),
    request_body = AccountEdit,
    responses(
        (status = 200, description = "The account as it is now", body = AccountItem),
        (status = 400, description = "Password or roles are not acceptable; the detail says what to do", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The caller is no admin there, or a page of another origin asks", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such account among those that the caller administers", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is the last admin of every venue", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is over 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change(
    extract::State(state): extract::State<State>,
    extract::Extension(caller): extract::Extension<Caller>,
    extract::Path(id): extract::Path<i64>,
    body: Result<Json<AccountEdit>, JsonRejection>,
) -> Result<Json<AccountItem>, Problem> {
    let Json(edit) = body.map_err(|rejection| Problem::of_body(&rejection, CHANGE))?;
    if edit.password.is_none() && edit.roles.is_none() {
        return Err(Problem::bad_request(CHANGE));
    }
    let roles = edit.roles.as_deref().map(roles).transpose()?;
    let change = AccountChange { password: edit.password.as_deref(), roles: roles.as_ref() };
    let account = state.accounts.change(&caller.roles, id, change, state.clock.now()).await?;
    Ok(Json(AccountItem::of(account)))
}

/// Removes an account. Its sessions end at once.
#[utoipa::path(
    delete, operation_id = "remove_account",
    path = "/api/v1/accounts/{id}",
    params(("id" = i64, Path, description = "The account's number")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "That is no number", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The caller is no admin, or a page of another origin asks", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such account among those that the caller administers", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is the last admin of every venue", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn remove(
    extract::State(state): extract::State<State>,
    extract::Extension(caller): extract::Extension<Caller>,
    extract::Path(id): extract::Path<i64>,
) -> Result<StatusCode, Problem> {
    state.accounts.remove(&caller.roles, id, state.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl AccountItem {
    fn of(Account { id, name, roles, made_at }: Account) -> Self {
        Self { id, name, roles: grants(&roles), made_at: made_at.rfc3339() }
    }
}
