//! The shopper's pages: saying no, a receipt, and what is counted. They need no script, and are written for a telephone.

pub(super) mod poster;
mod privacy;
pub(super) mod words;

use std::sync::LazyLock;

use askama::Template;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, Request, State as From};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;

use self::words::{Language, OptOutWords, ReceiptWords};
use super::pages::{Asset, source};
use super::{Served, State};
use crate::desk::{self, Strength};

/// The style of these pages.
pub(super) const STYLE: &str = "/assets/shopper.css";

static STYLE_SHEET: LazyLock<Asset> = LazyLock::new(|| {
    let text = concat!(source!("palette.css"), source!("shopper/shopper.css"));
    Asset::new(STYLE, "text/css; charset=utf-8", text.to_owned())
});

/// The routes of these pages and of their style.
pub(super) fn routes() -> Router<Served> {
    Router::new()
        .route("/opt-out", get(form).post(object))
        .route("/opt-out/receipt/{code}", get(receipt).post(withdraw))
        .route("/privacy/{venue}", get(privacy::page))
        .route(STYLE, get(async |headers: HeaderMap| STYLE_SHEET.answer(&headers)))
}

/// What every page has.
struct Page {
    language: &'static Language,
    /// Where it is, for the links to other languages.
    path: String,
}

#[derive(Template)]
#[template(path = "opt_out.html", config = ".askama.toml")]
struct OptOut<'a> {
    page: Page,
    w: &'a OptOutWords,
    wrong: Option<&'a str>,
    typed: &'a str,
}

#[derive(Template)]
#[template(path = "receipt.html", config = ".askama.toml")]
struct Receipt<'a> {
    page: Page,
    w: &'a ReceiptWords,
    /// Whether the mark is a long one; `None` when there is no objection.
    long: Option<bool>,
    code: &'a str,
    address: String,
    ledger: Option<String>,
}

#[derive(Template)]
#[template(path = "sorry.html", config = ".askama.toml")]
struct Sorry<'a> {
    page: Page,
    why: &'a str,
}

/// `?lang=fr`: the language that was chosen by hand.
#[derive(serde::Deserialize)]
struct Chosen {
    lang: Option<String>,
}

/// The form's one field.
#[derive(serde::Deserialize)]
struct Typed {
    device: String,
}

impl Page {
    fn of(chosen: &Chosen, headers: &HeaderMap, path: impl Into<String>) -> Self {
        let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self { language: words::choose(chosen.lang.as_deref(), asked), path: path.into() }
    }

    fn others(&self) -> impl Iterator<Item = &'static Language> {
        let here = &self.language.code;
        words::languages().iter().filter(move |language| language.code != *here)
    }
}

impl std::ops::Deref for Page {
    type Target = Language;
    fn deref(&self) -> &Language {
        self.language
    }
}

async fn form(Query(chosen): Query<Chosen>, headers: HeaderMap) -> Response {
    let page = Page::of(&chosen, &headers, "/opt-out");
    let w = &page.language.words.opt_out;
    html(StatusCode::OK, &OptOut { page, w, wrong: None, typed: "" })
}

async fn object(
    From(state): From<State>,
    Query(chosen): Query<Chosen>,
    headers: HeaderMap,
    typed: Result<Form<Typed>, FormRejection>,
) -> Response {
    let page = Page::of(&chosen, &headers, "/opt-out");
    let words = &page.language.words;
    let device = typed.map(|Form(typed)| typed.device).unwrap_or_default();
    match state.desk.object(&device).await {
        Ok(given) => {
            Redirect::to(&format!("/opt-out/receipt/{}?lang={}", given.code, page.code)).into_response()
        }
        Err(desk::Error::NotAnAddress(wrong)) => {
            let wrong = Some(words.error.of(wrong.as_str()));
            html(StatusCode::UNPROCESSABLE_ENTITY, &OptOut { page, w: &words.opt_out, wrong, typed: &device })
        }
        Err(error) => sorry(page, &error),
    }
}

async fn receipt(
    From(state): From<State>,
    Path(code): Path<String>,
    Query(chosen): Query<Chosen>,
    headers: HeaderMap,
) -> Response {
    let path = format!("/opt-out/receipt/{code}");
    let page = Page::of(&chosen, &headers, path.as_str());
    let standing = match state.desk.standing(&code).await {
        Ok(standing) => standing,
        Err(error) => return sorry(page, &error),
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let status = if standing.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let head = state.ledger.head();
    let shown = Receipt {
        w: &page.language.words.receipt,
        page,
        long: standing.map(|standing| standing.strength == Strength::Long),
        code: &code,
        address: format!("{host}{path}"),
        ledger: (head.number > 0).then(|| format!("{} · {}", head.number, head.hex())),
    };
    html(status, &shown)
}

async fn withdraw(
    From(state): From<State>,
    Path(code): Path<String>,
    Query(chosen): Query<Chosen>,
    headers: HeaderMap,
) -> Response {
    let page = Page::of(&chosen, &headers, "/opt-out");
    match state.desk.withdraw(&code).await {
        Ok(_) => Redirect::to(&format!("/opt-out/receipt/{code}?lang={}", page.code)).into_response(),
        Err(error) => sorry(page, &error),
    }
}

fn sorry(page: Page, error: &desk::Error) -> Response {
    tracing::error!(%error, "the desk could not do what was asked");
    let why = page.language.words.error.of("unavailable");
    html(StatusCode::SERVICE_UNAVAILABLE, &Sorry { page, why })
}

/// What a client is shown that asked too often.
pub(super) fn too_often(request: &Request, secs: u64) -> Response {
    let chosen = Query::try_from_uri(request.uri()).map_or(Chosen { lang: None }, |Query(chosen)| chosen);
    let page = Page::of(&chosen, request.headers(), "/opt-out");
    let why = page.language.words.error.too_often(secs);
    html(StatusCode::TOO_MANY_REQUESTS, &Sorry { page, why: &why })
}

fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests;
