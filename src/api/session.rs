//! Sessions: signing in and out, who one is, and one's own password.

use axum::Json;
use axum::extract;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::caller::{Caller, Who};
use super::cookie::SESSION;
use super::tries::Tries;
use super::way::Way;
use super::{Problem, State};
use crate::config::Venue;
use crate::office::{OwnPassword, Place, Role, Roles, Session};

/// What a body must be, for those whose body is not.
const BODY: &str = "send JSON like {\"name\":\"anna\",\"password\":\"…\"}";
const CHANGE: &str = "send JSON like {\"password\":\"the one you have\",\"new_password\":\"…\"}";
/// What is said whether there is no such name or another password.
pub(super) const WRONG: &str = "no account has this name and this password";

/// A name and its password.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    /// The account's name.
    name: String,
    /// Its password.
    password: String,
}

/// A new password, on the word of the old one.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordEdit {
    /// The password that one has.
    password: String,
    /// The one to have in its place.
    #[schema(min_length = 12, max_length = 256)]
    new_password: String,
}

/// A role in a place.
#[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    /// The id of a venue, or `*` for every venue.
    venue: String,
    /// The role.
    role: RoleWord,
}

/// What one may do: a viewer reads; an operator also enters head counts; an admin also makes accounts and API tokens.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RoleWord {
    /// Reads.
    Viewer,
    /// Also enters head counts and sees to sensors.
    Operator,
    /// Also makes accounts and API tokens.
    Admin,
}

/// As whom one asks.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Whoever is at this machine, where no account is needed yet; or at the demo.
    Anybody,
    /// The holder of an account.
    Account,
    /// A program with an API token.
    Token,
}

/// Who one is, and what one may do.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Myself {
    /// As whom.
    kind: Kind,
    /// The number of the account or of the token; null for anybody.
    #[schema(required = true)]
    id: Option<i64>,
    /// The account's name or the token's label; null for anybody.
    #[schema(required = true)]
    name: Option<String>,
    /// The roles as they were given.
    roles: Vec<Grant>,
    /// What comes of them in each configured venue where one may do anything.
    venues: Vec<Grant>,
}

/// Signs in: the answer sets the session's cookie. It is the same whether there is no such name or another password.
#[utoipa::path(
    post, operation_id = "sign_in",
    path = "/api/v1/session",
    request_body = Credentials,
    responses(
        (status = 201, description = "Signed in; the cookie is set", body = Myself),
        (status = 400, description = "The body does not read", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No account has this name and this password", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Asked for by a page of another origin", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is over 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many tries; Retry-After says when to come again", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn sign_in(
    extract::State(state): extract::State<State>,
    extract::State(tries): extract::State<Tries>,
    extract::Extension(way): extract::Extension<Way>,
    body: Result<Json<Credentials>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(Credentials { name, password }) =
        body.map_err(|rejection| Problem::of_body(&rejection, BODY))?;
    tries.ask(way.client, &name)?;
    let session = state.accounts.sign_in(&name, &password, state.clock.now()).await?;
    let session = session.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, WRONG))?;
    begun(StatusCode::CREATED, session, way, &state.venues)
}

/// Says that a session has begun, and has the browser keep its cookie.
fn begun(status: StatusCode, session: Session, way: Way, venues: &[Venue]) -> Result<Response, Problem> {
    let cookie = SESSION.keep(way.wire, &session.secret).ok_or_else(Problem::fault)?;
    let myself = Myself::of(session.account.into(), venues);
    Ok((status, [(header::SET_COOKIE, cookie)], Json(myself)).into_response())
}

/// Who one is, and what one may do.
#[utoipa::path(
    get, operation_id = "session",
    path = "/api/v1/session",
    responses(
        (status = 200, description = "Who one is", body = Myself),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn myself(
    extract::State(state): extract::State<State>,
    extract::Extension(caller): extract::Extension<Caller>,
) -> Json<Myself> {
    Json(Myself::of(caller, &state.venues))
}

/// Signs out: the session has ended, and the answer has the cookie forgotten.
#[utoipa::path(
    delete, operation_id = "sign_out",
    path = "/api/v1/session",
    responses(
        (status = 204, description = "Signed out"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Asked for by a page of another origin", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn sign_out(
    extract::State(state): extract::State<State>,
    extract::Extension(way): extract::Extension<Way>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(secret) = SESSION.of(&headers, way.wire) {
        state.accounts.sign_out(secret).await?;
    }
    let cookie = SESSION.forget(way.wire).ok_or_else(Problem::fault)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Changes one's own password. Every session of the account ends; the answer sets the cookie of a new one.
///
/// A try counts as one to sign in: whoever finds a page open does not guess the password faster than at the door.
#[utoipa::path(
    patch, operation_id = "change_own_password",
    path = "/api/v1/session",
    request_body = PasswordEdit,
    responses(
        (status = 200, description = "Changed; the cookie of a new session is set, and every other one has ended", body = Myself),
        (status = 400, description = "The body does not read, or the new password is not acceptable; the detail says what to do", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The old password is another one, whoever asks has none, or a page of another origin asks", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is over 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many tries; Retry-After says when to come again", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change_password(
    extract::State(state): extract::State<State>,
    extract::State(tries): extract::State<Tries>,
    extract::Extension(way): extract::Extension<Way>,
    extract::Extension(caller): extract::Extension<Caller>,
    body: Result<Json<PasswordEdit>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(PasswordEdit { password, new_password }) =
        body.map_err(|rejection| Problem::of_body(&rejection, CHANGE))?;
    let Who::Account { id, name } = caller.who else {
        return Err(Problem::forbidden(
            "only an account has a password; sign in with a name and its password",
        ));
    };
    tries.ask(way.client, &name)?;
    let change = OwnPassword { known: &password, wanted: &new_password };
    let session = state.accounts.change_own_password(id, change, state.clock.now()).await?;
    let session = session.ok_or_else(|| {
        Problem::forbidden("the password you have is another one, so nothing was changed; try again")
    })?;
    begun(StatusCode::OK, session, way, &state.venues)
}

impl Myself {
    fn of(caller: Caller, venues: &[Venue]) -> Self {
        let there = |venue: &Venue| {
            let role = caller.roles.at(&venue.id)?.into();
            Some(Grant { venue: venue.id.to_string(), role })
        };
        let venues = venues.iter().filter_map(there).collect();
        let roles = grants(&caller.roles);
        let (kind, id, name) = match caller.who {
            Who::Anybody => (Kind::Anybody, None, None),
            Who::Account { id, name } => (Kind::Account, Some(id), Some(name)),
            Who::Token { id, label } => (Kind::Token, Some(id), Some(label)),
        };
        Self { kind, id, name, roles, venues }
    }
}

/// Roles as the API says them.
pub(super) fn grants(roles: &Roles) -> Vec<Grant> {
    roles.iter().map(|(place, role)| Grant { venue: place.to_string(), role: role.into() }).collect()
}

/// Roles as the API is told them.
pub(super) fn roles(grants: &[Grant]) -> Result<Roles, Problem> {
    let read = |grant: &Grant| Some((Place::parse(&grant.venue)?, grant.role.into()));
    let read: Option<Vec<(Place, Role)>> = grants.iter().map(read).collect();
    read.and_then(Roles::of).ok_or_else(|| {
        Problem::bad_request("each role names a venue by its id, or * for every venue, and no venue twice")
    })
}

impl From<Role> for RoleWord {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Operator => Self::Operator,
            Role::Admin => Self::Admin,
        }
    }
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Viewer => Self::Viewer,
            RoleWord::Operator => Self::Operator,
            RoleWord::Admin => Self::Admin,
        }
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
