//! Who asks, and whether they may: held against the table of rules before any handler is reached.

use axum::extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State as Extracted};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tokio::sync::watch;

use super::cookie::SESSION;
use super::rules::{self, Needs, Ruling, Standing};
use super::token::{self, Access, borne};
use super::way::Way;
use super::{Problem, State};
use crate::office::{Account, ApiToken, Error, Role, Roles};

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// As whom.
    pub(super) who: Who,
    /// With which rights.
    pub(super) roles: Roles,
}

/// Is told when somebody may do less than before: an answer that goes on for long ends then.
#[derive(Clone)]
pub(super) struct Still(pub(super) watch::Receiver<()>);

/// As whom somebody asks.
#[derive(Clone, Debug)]
pub(super) enum Who {
    /// Whoever is at this machine, where no account is needed, or whoever has the demo's link.
    Anybody,
    /// The holder of an account.
    Account { id: i64, name: String },
    /// A program with a token.
    Token { id: i64, label: String },
}

impl Caller {
    /// Whoever is let in without an account may what an operator may, and makes no accounts: the set-up link does.
    fn anybody() -> Self {
        Self { who: Who::Anybody, roles: Roles::everywhere(Role::Operator) }
    }
}

impl From<Account> for Caller {
    fn from(Account { id, name, roles, .. }: Account) -> Self {
        Self { who: Who::Account { id, name }, roles }
    }
}

impl From<ApiToken> for Caller {
    fn from(ApiToken { id, label, roles, .. }: ApiToken) -> Self {
        Self { who: Who::Token { id, label }, roles }
    }
}

/// Lets a request through that its caller may make, and says to the others what they lack.
pub(super) async fn allowed(
    Extracted((access, state)): Extracted<(Access, State)>,
    mut request: Request,
    next: Next,
) -> Response {
    // Taken before anybody is looked up, so that no change is missed in between.
    request.extensions_mut().insert(Still(state.accounts.ended()));
    let way = request.extensions().get::<Way>().copied();
    let caller = match who_asks(&access, &state, request.headers(), way).await {
        Ok(caller) => caller,
        Err(error) => return Problem::from(error).into_response(),
    };
    let route = request.extensions().get::<MatchedPath>().cloned();
    let ruling = route.as_ref().map(|route| rules::of(request.method(), route.as_str()));
    match (ruling, caller) {
        (Some(Ruling::Whoever(Needs::Nothing)), caller) => go_on(caller, request, next).await,
        (Some(Ruling::Otherwise(Needs::Nothing, allow)), _) => otherwise(allow),
        // Visitors' telephones find nothing else at their door, and nobody is to sign in there.
        (None, None) if matches!(access, Access::Visitors(_)) => next.run(request).await,
        (_, None) => unknown(&access, &request),
        // What matched nothing says nothing about anybody.
        (None, caller) => go_on(caller, request, next).await,
        (Some(Ruling::Nowhere), _) => {
            Problem::forbidden("nobody may ask for this: the program has no rule for it; please report it")
                .into_response()
        }
        (Some(Ruling::Otherwise(_, allow)), _) => otherwise(allow),
        (Some(Ruling::Whoever(needs)), Some(caller)) => held_against(needs, caller, request, next).await,
    }
}

/// The route takes other methods: these.
fn otherwise(allow: HeaderValue) -> Response {
    let mut response = Problem::of(StatusCode::METHOD_NOT_ALLOWED).into_response();
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

async fn held_against(needs: Needs, caller: Caller, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let venue = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
    let venue = venue.as_ref().and_then(|all| all.iter().find(|(name, _)| *name == "venue"));
    let standing = needs.standing(&caller, venue.map(|(_, value)| value));
    match standing {
        Standing::Fits => go_on(Some(caller), Request::from_parts(parts, body), next).await,
        Standing::Stranger => Problem::no_venue().into_response(),
        Standing::Below => Problem::forbidden(match caller.who {
            Who::Anybody => {
                "this needs an account: open the set-up link that the server printed when it started, or make one with `passant user add`"
            }
            Who::Account { .. } => "your account may not do this; ask an administrator for a higher role",
            Who::Token { .. } => "this API token may not do this; use one with a higher role",
        })
        .into_response(),
    }
}

async fn go_on(caller: Option<Caller>, mut request: Request, next: Next) -> Response {
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
}

/// Who a request says it is from, and is.
async fn who_asks(
    access: &Access,
    state: &State,
    headers: &HeaderMap,
    way: Option<Way>,
) -> Result<Option<Caller>, Error> {
    let entrance = match access {
        Access::ThisMachine => return Ok(Some(Caller::anybody())),
        Access::Visitors(_) => return Ok(None),
        Access::Token(token) => return Ok(token::has_shown(headers, token).then(Caller::anybody)),
        Access::Accounts(entrance) => entrance,
    };
    let (accounts, now) = (&state.accounts, state.clock.now());
    if let Some(said) = borne(headers).next() {
        return Ok(accounts.of_token(said).await?.map(Caller::from));
    }
    if let Some(secret) = way.and_then(|way| SESSION.of(headers, way.wire))
        && let Some(account) = accounts.of_session(secret, now).await?
    {
        return Ok(Some(account.into()));
    }
    Ok((entrance.is_this_machines() && !accounts.any()).then(Caller::anybody))
}

/// What is said to somebody who has not said who they are.
fn unknown(access: &Access, request: &Request) -> Response {
    if matches!(access, Access::Token(_)) {
        return token::link_or_refusal(access, request);
    }
    if is_a_page(request.method(), request.uri().path(), request.headers()) {
        return Redirect::to("/login").into_response();
    }
    let problem = Problem::new(
        StatusCode::UNAUTHORIZED,
        "sign in first: at /login, or with POST /api/v1/session; a program sends an API token as `Authorization: Bearer …`",
    );
    let mut response = problem.into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// Whether a browser asks for a page to look at.
fn is_a_page(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    *method == Method::GET && accepts.contains("text/html") && !path.starts_with("/api/")
}
