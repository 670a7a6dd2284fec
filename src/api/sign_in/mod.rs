//! The staff's own doors: signing in and out, and the page that makes the first account. Plain forms, without script, in
//! the look of the visitors' pages.

use askama::Template;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, Form, FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::caller::{Caller, Who};
use super::cookie::{FORM, SESSION};
use super::shopper::words::SignInWords;
use super::shopper::{Chosen, Page, html};
use super::tries::Tries;
use super::way::Way;
use super::{Problem, Served, State};
use crate::chance;
use crate::office::{Error, Session};

/// Random bytes of what a form must say again.
const FORM_BYTES: usize = 16;
/// Where one is once signed in.
const HOME: &str = "/";

/// The routes of these pages.
pub(super) fn routes() -> Router<Served> {
    Router::new()
        .route("/login", get(ask).post(sign_in))
        .route("/logout", post(sign_out))
        .route("/setup/{key}", get(ask_first).post(set_up))
}

#[derive(Template)]
#[template(path = "sign_in.html", config = ".askama.toml")]
struct SignIn<'a> {
    page: Page,
    w: &'a SignInWords,
    wrong: Option<&'a str>,
    name: &'a str,
    again: &'a str,
    known_as: Option<&'a str>,
    without: Without,
}

/// Whether one comes in without an account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Without {
    /// Everybody at this machine does.
    ComesIn,
    /// There is none yet: only the set-up link helps.
    NoneYet,
    /// Nobody does.
    Nobody,
}

#[derive(Template)]
#[template(path = "set_up.html", config = ".askama.toml")]
struct SetUp<'a> {
    page: Page,
    w: &'a SignInWords,
    /// The secret of the link, while it works.
    key: Option<&'a str>,
    wrong: Option<&'a str>,
    name: &'a str,
}

/// What the forms say.
#[derive(serde::Deserialize)]
struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

/// What every question to these pages has.
struct Asked {
    state: State,
    tries: Tries,
    way: Way,
    headers: HeaderMap,
    page: Page,
}

impl FromRequestParts<Served> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Problem> {
        let way = parts.extensions.get::<Way>().copied().ok_or_else(Problem::fault)?;
        // Whoever has signed out is shown the form to sign in.
        let path = if parts.uri.path() == "/logout" { "/login" } else { parts.uri.path() };
        Ok(Self {
            state: served.state.clone(),
            tries: served.tries.clone(),
            way,
            headers: parts.headers.clone(),
            page: Page::of(&Chosen::of(&parts.uri), &parts.headers, path),
        })
    }
}

impl Asked {
    fn words(&self) -> &'static SignInWords {
        &self.page.language.words.sign_in
    }
}

async fn ask(asked: Asked, caller: Option<Extension<Caller>>) -> Response {
    form(asked, StatusCode::OK, None, "", caller.map(|Extension(caller)| caller))
}

/// The form to sign in, or out.
fn form(
    asked: Asked,
    status: StatusCode,
    wrong: Option<&str>,
    name: &str,
    caller: Option<Caller>,
) -> Response {
    let Ok(word) = chance::word::<FORM_BYTES>() else { return Problem::fault().into_response() };
    // A form that is open in another window stays good: the browser keeps what it has.
    let again = FORM.of(&asked.headers, asked.way.wire).filter(|said| said.len() == word.len());
    let again = again.unwrap_or(&word);
    let without = match &caller {
        Some(Caller { who: Who::Anybody, .. }) => Without::ComesIn,
        _ if !asked.state.accounts.any() => Without::NoneYet,
        _ => Without::Nobody,
    };
    let known_as = match &caller {
        Some(Caller { who: Who::Account { name, .. }, .. }) => Some(name.as_str()),
        _ => None,
    };
    let cookie = FORM.keep(asked.way.wire, again);
    let (w, page) = (asked.words(), asked.page);
    let mut response = html(status, &SignIn { page, w, wrong, name, again, known_as, without });
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

async fn sign_in(asked: Asked, typed: Result<Form<Typed>, FormRejection>) -> Response {
    let w = asked.words();
    let Ok(Form(typed)) = typed else {
        return form(asked, StatusCode::UNPROCESSABLE_ENTITY, Some(&w.stale), "", None);
    };
    if !is_ours(&asked, &typed.again) {
        return form(asked, StatusCode::FORBIDDEN, Some(&w.stale), &typed.name, None);
    }
    if let Err(problem) = asked.tries.ask(asked.way.client, &typed.name) {
        return too_often(asked, &problem, &typed.name);
    }
    match asked.state.accounts.sign_in(&typed.name, &typed.password, asked.state.clock.now()).await {
        Ok(Some(session)) => enter(&asked, &session),
        Ok(None) => form(asked, StatusCode::UNAUTHORIZED, Some(&w.wrong), &typed.name, None),
        Err(error) => Problem::from(error).into_response(),
    }
}

async fn sign_out(asked: Asked, typed: Result<Form<Typed>, FormRejection>) -> Response {
    let w = asked.words();
    if !typed.is_ok_and(|Form(typed)| is_ours(&asked, &typed.again)) {
        return form(asked, StatusCode::FORBIDDEN, Some(&w.stale), "", None);
    }
    if let Some(secret) = SESSION.of(&asked.headers, asked.way.wire)
        && let Err(error) = asked.state.accounts.sign_out(secret).await
    {
        return Problem::from(error).into_response();
    }
    let to = format!("/login?lang={}", asked.page.code);
    sent_on(&to, SESSION.forget(asked.way.wire))
}

async fn ask_first(asked: Asked, Path(key): Path<String>) -> Response {
    let works = asked.state.accounts.set_up_fits(&key, asked.state.clock.now());
    first(asked.page, works.then_some(key.as_str()), None, "", StatusCode::OK)
}

async fn set_up(
    asked: Asked,
    Path(key): Path<String>,
    typed: Result<Form<Typed>, FormRejection>,
) -> Response {
    let w = asked.words();
    let Ok(Form(typed)) = typed else {
        return first(asked.page, Some(&key), Some(&w.stale), "", StatusCode::UNPROCESSABLE_ENTITY);
    };
    if let Err(problem) = asked.tries.ask(asked.way.client, &typed.name) {
        let wrong = w.too_often(problem.retry_after_secs().unwrap_or_default());
        return first(asked.page, Some(&key), Some(&wrong), &typed.name, StatusCode::TOO_MANY_REQUESTS);
    }
    let now = asked.state.clock.now();
    let made = asked.state.accounts.set_up_and_sign_in(&key, &typed.name, &typed.password, now).await;
    let wrong = match made {
        Ok(session) => return enter(&asked, &session),
        Err(Error::SetUpOver) => return first(asked.page, None, None, "", StatusCode::FORBIDDEN),
        Err(Error::Name) => &w.name_wrong,
        Err(Error::PasswordShort) => &w.password_short,
        Err(Error::PasswordLong) => &w.password_long,
        Err(Error::PasswordEasy) => &w.password_easy,
        Err(error) => return Problem::from(error).into_response(),
    };
    first(asked.page, Some(&key), Some(wrong), &typed.name, StatusCode::UNPROCESSABLE_ENTITY)
}

/// The page of the first account; without a key it says that the link is over.
fn first(page: Page, key: Option<&str>, wrong: Option<&str>, name: &str, status: StatusCode) -> Response {
    let w = &page.language.words.sign_in;
    let status = if key.is_none() { StatusCode::FORBIDDEN } else { status };
    html(status, &SetUp { page, w, key, wrong, name })
}

/// Whether a form was given to this browser by this server: a page elsewhere cannot read the cookie to say it again.
fn is_ours(asked: &Asked, again: &str) -> bool {
    // Hashes compare in constant time.
    FORM.of(&asked.headers, asked.way.wire).is_some_and(|kept| {
        !kept.is_empty() && blake3::hash(kept.as_bytes()) == blake3::hash(again.as_bytes())
    })
}

fn too_often(asked: Asked, problem: &Problem, name: &str) -> Response {
    let secs = problem.retry_after_secs().unwrap_or_default();
    let wrong = asked.words().too_often(secs);
    let mut response = form(asked, StatusCode::TOO_MANY_REQUESTS, Some(&wrong), name, None);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
    response
}

fn enter(asked: &Asked, session: &Session) -> Response {
    sent_on(HOME, SESSION.keep(asked.way.wire, &session.secret))
}

fn sent_on(to: &str, cookie: Option<HeaderValue>) -> Response {
    let Some(cookie) = cookie else { return Problem::fault().into_response() };
    let mut response = Redirect::to(to).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

#[cfg(test)]
mod tests;
