//! Who may ask, by where the server listens; and the demo's one token, which it prints where it listens off loopback.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use zeroize::Zeroizing;

use super::way::Entrance;
use super::{Problem, cookie};
use crate::chance::{self, NoChance};

/// The cookie that the page's browser keeps the token in. It goes to this server only, and no script can read it.
const COOKIE: &str = "passant-token";
/// Random bytes of a token; nobody guesses that many.
const TOKEN_BYTES: usize = 16;

/// Who may ask.
#[derive(Clone)]
pub enum Access {
    /// Whoever runs on this machine; the server listens on loopback only.
    ThisMachine,
    /// Whoever visits, by the host of the public address or on this machine; nothing but visitors' pages is there.
    Visitors(Option<Arc<str>>),
    /// Whoever has the token, from anywhere.
    Token(Token),
    /// Whoever has an account or an API token; and at an entrance that only this machine reaches, everybody on it while
    /// there is no account.
    Accounts(Entrance),
}

/// A token's hash; the token itself is not kept. It has no `Debug`.
#[derive(Clone)]
pub struct Token(blake3::Hash);

impl Token {
    /// Makes a token, and its text for whoever is to have it.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn random() -> Result<(Self, Zeroizing<String>), NoChance> {
        let text = chance::word::<TOKEN_BYTES>()?;
        Ok((Self::of(&text), text))
    }

    fn of(text: &str) -> Self {
        Self(blake3::hash(text.as_bytes()))
    }

    /// Hashes compare in constant time, so an answer's delay tells nothing about the token.
    fn is(&self, said: &str) -> bool {
        blake3::hash(said.as_bytes()) == self.0
    }
}

/// Whether a request shows the token, as an API's client or as a browser does.
pub(super) fn has_shown(headers: &HeaderMap, token: &Token) -> bool {
    borne(headers).any(|said| token.is(said)) || cookie::values(headers, COOKIE).any(|said| token.is(said))
}

/// What a request bears as an API's client.
pub(super) fn borne(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let texts = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| value.to_str().ok());
    texts.filter_map(|text| text.strip_prefix("Bearer ")).map(str::trim)
}

/// Lets whoever follows the printed link in, and refuses anybody else.
pub(super) fn link_or_refusal(access: &Access, request: &Request) -> Response {
    let Access::Token(token) = access else { return refused() };
    in_link(request).filter(|said| token.is(said)).map_or_else(refused, enter)
}

/// The token in the link that the program printed: `/?token=…`.
fn in_link(request: &Request) -> Option<&str> {
    let is_link = *request.method() == Method::GET && request.uri().path() == "/";
    let said = request.uri().query()?.strip_prefix("token=")?;
    // Only what can be a header's value as it is: a token is letters and digits.
    (is_link && said.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(said)
}

/// Gives the browser the token to keep, and sends it on to where the address bar and the history do not show it.
fn enter(said: &str) -> Response {
    let cookie = format!("{COOKIE}={said}; HttpOnly; SameSite=Strict; Path=/");
    let Ok(cookie) = HeaderValue::from_str(&cookie) else { return refused() };
    let kept = [(header::SET_COOKIE, cookie), (header::LOCATION, HeaderValue::from_static("/"))];
    (StatusCode::SEE_OTHER, kept).into_response()
}

fn refused() -> Response {
    let problem = Problem::new(
        StatusCode::UNAUTHORIZED,
        "this needs the token that the program printed when it started: send it as `Authorization: Bearer …`, or \
         paste the printed link into the browser's address bar",
    );
    let mut response = problem.into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::{Access, Token};
    use crate::api::rules::{Needs, Ruling, of};
    use crate::api::stage::Stage;

    // A compile error here means that a token can be shown.
    assert_not_impl_any!(Token: std::fmt::Debug, std::fmt::Display);
    assert_not_impl_any!(Access: std::fmt::Debug);

    const HOST: (&str, &str) = ("host", "mall.example:8080");

    /// Every path that the program serves, but for its documents' own parameters.
    fn every_path() -> Vec<String> {
        let document: serde_json::Value =
            serde_json::from_str(include_str!("openapi.json")).expect("the snapshot is JSON");
        let described = document["paths"].as_object().expect("paths").keys().cloned();
        let pages = ["/", "/venues/mall", "/assets/page.js", "/api/openapi.json", "/nothing/is/here"];
        described.chain(pages.map(str::to_owned)).map(|path| path.replace("{venue}", "mall")).collect()
    }

    fn is_public(path: &str) -> bool {
        let route = path.replace("/privacy/mall", "/privacy/{venue}");
        let ruling = of(&axum::http::Method::GET, &route);
        matches!(ruling, Ruling::Whoever(Needs::Nothing) | Ruling::Otherwise(Needs::Nothing, _))
    }

    #[tokio::test]
    async fn without_the_token_only_what_is_public_is_answered() {
        let (token, text) = Token::random().unwrap();
        let stage = Stage::set_with(Access::Token(token)).await;
        let paths = every_path();
        assert!(paths.len() > 12);
        let bearer = format!("Bearer {}", *text);
        let cookie = format!("theme=dark; passant-token={}", *text);
        for path in &paths {
            for shown in [
                vec![HOST],
                vec![HOST, ("authorization", "Bearer 0123456789abcdef0123456789abcdef")],
                vec![HOST, ("authorization", text.as_str())],
                vec![HOST, ("cookie", "passant-token=; token=1")],
            ] {
                let answer = stage.ask("GET", path, &shown, "").await;
                assert_eq!(answer.status.as_u16() != 401, is_public(path), "{path}");
                if !is_public(path) {
                    answer.is_problem("Authorization: Bearer");
                    assert_eq!(answer.header("www-authenticate"), "Bearer");
                }
            }
            for shown in [("authorization", bearer.as_str()), ("cookie", cookie.as_str())] {
                let answer = stage.send("GET", path, &[HOST, shown], "").await;
                assert_ne!(answer.status().as_u16(), 401, "{path}");
            }
        }
        let page = stage.ask("GET", "/", &[HOST, ("cookie", &cookie)], "").await;
        assert_eq!(page.status.as_u16(), 200);
    }

    #[tokio::test]
    async fn the_link_becomes_a_cookie_and_leaves_the_address_bar() {
        let (token, text) = Token::random().unwrap();
        let stage = Stage::set_with(Access::Token(token)).await;
        let link = format!("/?token={}", *text);
        let entered = stage.ask("GET", &link, &[HOST], "").await;
        assert_eq!((entered.status.as_u16(), entered.header("location")), (303, "/"));
        assert_eq!(entered.header("cache-control"), "no-store");
        assert_eq!(entered.header("referrer-policy"), "no-referrer");
        let cookie = entered.header("set-cookie");
        for word in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
            assert!(cookie.contains(word), "{cookie}");
        }
        let kept = cookie.split(';').next().unwrap();
        let stream = "/api/v1/venues/mall/live/stream";
        assert_eq!(stage.send("GET", stream, &[HOST, ("cookie", kept)], "").await.status().as_u16(), 200);
        for wrong in ["/?token=", "/?token=%0d%0a", "/?x&token=1", "/healthy?token=1"] {
            let answer = stage.ask("GET", wrong, &[HOST], "").await;
            assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (401, ""), "{wrong}");
        }
        let elsewhere = format!("/api/v1/venues?token={}", *text);
        assert_eq!(stage.ask("GET", &elsewhere, &[HOST], "").await.status.as_u16(), 401);
        assert_eq!(stage.ask("POST", &link, &[HOST], "").await.status.as_u16(), 401);
    }

    #[tokio::test]
    async fn with_a_token_a_page_of_another_origin_still_changes_nothing() {
        let (token, text) = Token::random().unwrap();
        let stage = Stage::set_with(Access::Token(token)).await;
        let bearer = format!("Bearer {}", *text);
        let path = "/api/v1/venues/mall/head-counts/7";
        for (origin, status) in [
            (None, 404),
            (Some("http://mall.example:8080"), 404),
            (Some("http://mall.example"), 403),
            (Some("http://evil.example"), 403),
            (Some("null"), 403),
        ] {
            let mut headers = vec![HOST, ("authorization", bearer.as_str())];
            headers.extend(origin.map(|origin| ("origin", origin)));
            assert_eq!(stage.ask("DELETE", path, &headers, "").await.status.as_u16(), status, "{origin:?}");
        }
        // A request that names two hosts, or none, has no origin to compare with.
        let two = [HOST, ("host", "evil.example"), ("authorization", bearer.as_str())];
        assert_eq!(stage.ask("GET", "/", &two, "").await.status.as_u16(), 403);
        assert_eq!(stage.ask("GET", "/", &two[2..], "").await.status.as_u16(), 403);
    }
}
