//! Keeps out what was not meant for this machine: on loopback the API needs no token, so a web page elsewhere must not
//! be able to use a browser here as its hand. With a token or an account any name of the machine will do, for a page that
//! got here by a false name has no cookie for it.

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Access, Problem};

/// Where a browser says a request comes from, next to its target.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a Host that is not this machine's, unless a token is asked for, and a change that another origin asks for.
pub(super) async fn meant_for_this_machine(
    State(access): State<Access>,
    request: Request,
    next: Next,
) -> Response {
    let fits = |authority: &str| match &access {
        Access::ThisMachine => is_loopback(authority),
        Access::Visitors(host) => {
            is_loopback(authority) || host.as_deref().is_some_and(|host| is_named(authority, host))
        }
        Access::Accounts(entrance) if entrance.is_this_machines() => is_loopback(authority),
        Access::Token(_) | Access::Accounts(_) => {
            authority.parse::<Authority>().is_ok() && !authority.contains('@')
        }
    };
    let host = only(request.headers(), header::HOST);
    let in_uri = request.uri().authority().is_none_or(|authority| fits(authority.as_str()));
    let Some(host) = host.filter(|host| in_uri && fits(host)) else {
        // A name that an attacker's DNS points at this machine arrives here with that name as its Host.
        return Problem::forbidden(match &access {
            Access::Visitors(_) => {
                "ask by the name that this server's public.url has; a proxy must hand it on as the Host"
            }
            Access::Accounts(entrance) if entrance.is_this_machines() => {
                "ask by a name of this machine itself: 127.0.0.1, [::1] or localhost"
            }
            Access::ThisMachine => "ask by a name of this machine itself: 127.0.0.1, [::1] or localhost",
            Access::Token(_) | Access::Accounts(_) => "ask with one Host header that names this server",
        })
        .into_response();
    };
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // A page that sends no referrer sends no origin either, but the word null; then the browser's own word counts, which
    // no page can write.
    let own_page = only(request.headers(), SEC_FETCH_SITE).is_some_and(|site| site == "same-origin");
    let elsewhere = request.headers().contains_key(header::ORIGIN)
        && !own_page
        && !only(request.headers(), header::ORIGIN).is_some_and(|origin| is_same(origin, host));
    if changes && elsewhere {
        return Problem::forbidden("a page of another origin may not change anything here; use this server's own pages, or a client that sends no Origin")
            .into_response();
    }
    next.run(request).await
}

/// The method if HTTP names it.
pub(super) fn named(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The one value of a header; none if it is missing, repeated or no text.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether host and port can only mean this machine.
fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    !authority.as_str().contains('@')
        && (host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()))
}

/// Whether host and port are those of a URL, whose port may be left to its scheme.
fn is_named(authority: &str, host: &str) -> bool {
    let bare = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.strip_suffix(":443").or_else(|| text.strip_suffix(":80")).map_or(text.clone(), str::to_owned)
    };
    bare(authority) == bare(host)
}

/// Whether an origin is the host that was asked.
fn is_same(origin: &str, host: &str) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use crate::api::stage::Stage;

    #[tokio::test]
    async fn a_host_that_is_not_this_machine_is_refused() {
        let stage = Stage::set().await;
        for (host, status) in [
            ("127.0.0.1:8080", 200),
            ("127.9.9.9", 200),
            ("localhost", 200),
            ("LOCALHOST:80", 200),
            ("[::1]:8080", 200),
            ("rebound.example:8080", 403),
            ("localhost.example", 403),
            ("127.0.0.1.example", 403),
            ("192.168.1.7:8080", 403),
            ("0.0.0.0:8080", 403),
            ("user@localhost", 403),
            ("", 403),
        ] {
            let answer = stage.ask("GET", "/healthz", &[("host", host)], "").await;
            assert_eq!(answer.status.as_u16(), status, "{host:?}");
            if status == 403 {
                answer.is_problem("127.0.0.1");
            }
        }
        let twice =
            stage.ask("GET", "/healthz", &[("host", "localhost"), ("host", "evil.example")], "").await;
        assert_eq!(twice.status, StatusCode::FORBIDDEN);
        let none = stage.ask("GET", "/healthz", &[], "").await;
        assert_eq!(none.status, StatusCode::FORBIDDEN);
        let absolute = stage.ask("GET", "http://evil.example/healthz", &[("host", "localhost")], "").await;
        assert_eq!(absolute.status, StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn another_origin_may_not_change_anything() {
        let stage = Stage::set().await;
        let path = "/api/v1/venues/mall/head-counts/7";
        for (origin, status) in [
            ("http://127.0.0.1:8080", 404),
            ("http://127.0.0.1:8081", 403),
            ("http://localhost:8080", 403),
            ("http://evil.example", 403),
            ("null", 403),
        ] {
            let headers = [("host", "127.0.0.1:8080"), ("origin", origin)];
            let answer = stage.ask("DELETE", path, &headers, "").await;
            assert_eq!(answer.status.as_u16(), status, "{origin}");
            answer.is_problem("");
            let posted = stage.ask("POST", "/api/v1/venues/mall/head-counts", &headers, "{}").await;
            assert_eq!(posted.status == StatusCode::FORBIDDEN, status == 403, "{origin}");
            // To look is harmless: without a header that allows it the page cannot read the answer.
            assert_eq!(stage.ask("GET", "/healthz", &headers, "").await.status, StatusCode::OK);
        }
        assert_eq!(stage.ask("DELETE", path, &[("host", "[::1]")], "").await.status, StatusCode::NOT_FOUND);
    }
}
