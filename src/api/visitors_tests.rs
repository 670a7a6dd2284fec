use axum::http::StatusCode;

use crate::api::stage::{Answer, Stage};

const HOST: (&str, &str) = ("host", "count.example");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// The door of an installation whose public address is the example's.
async fn door() -> Stage {
    Stage::set().await.at_the_public_address()
}

async fn asked(stage: &Stage, method: &str, path: &str) -> Answer {
    stage.ask(method, path, &[HOST, ("accept", "text/html")], "").await
}

#[tokio::test]
async fn a_telephone_reaches_what_it_needs_and_nothing_else() {
    let stage = door().await;
    for path in ["/opt-out", "/privacy/mall", "/assets/shopper.css", "/assets/icon.svg", "/healthz"] {
        assert_eq!(asked(&stage, "GET", path).await.status, StatusCode::OK, "{path}");
    }
    for path in [
        "/",
        "/venues/mall",
        "/assets/page.js",
        "/metrics",
        "/readyz",
        "/api/openapi.json",
        "/api/v1/venues",
        "/api/v1/venues/mall/live",
        "/api/v1/venues/mall/live/stream",
        "/api/v1/venues/mall/figures",
        "/api/v1/venues/mall/sensors",
        "/api/v1/venues/mall/head-counts",
    ] {
        assert_eq!(asked(&stage, "GET", path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_public_address_answers_to_its_own_name_only() {
    let stage = door().await;
    for (host, status) in [
        ("count.example", 200),
        ("COUNT.example:443", 200),
        ("localhost:8081", 200),
        ("count.example.evil.example", 403),
        ("count.example:8443", 403),
        ("evil.example", 403),
        ("user@count.example", 403),
    ] {
        let answer = stage.ask("GET", "/opt-out", &[("host", host)], "").await;
        assert_eq!(answer.status.as_u16(), status, "{host}");
    }
    let operators = Stage::set().await;
    assert_eq!(operators.ask("GET", "/opt-out", &[HOST], "").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_objection_from_a_telephone_through_a_proxy() {
    let stage = door().await;
    let address = stage.free_address();
    let body = format!("device={}", address.replace(':', "%3A"));
    let own = [HOST, FORM, ("origin", "https://count.example")];
    let given = stage.ask("POST", "/opt-out", &own, &body).await;
    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.text);
    assert!(!stage.passes(&address));
    let foreign = [HOST, FORM, ("origin", "https://evil.example")];
    let withdrawn = stage.ask("POST", given.header("location"), &foreign, "").await;
    assert_eq!(withdrawn.status, StatusCode::FORBIDDEN);
    assert!(!stage.passes(&address));
    stage.ask("POST", given.header("location"), &own, "").await;
    assert!(stage.passes(&address));
}

#[tokio::test]
async fn who_asks_too_often_is_told_to_wait_in_the_words_of_the_door() {
    let stage = door().await;
    let mut answer = asked(&stage, "GET", "/opt-out/receipt/none").await;
    let mut asks = 1;
    // More than the share, and less than the time of these asks could add to it.
    while answer.status != StatusCode::TOO_MANY_REQUESTS && asks < 60 {
        answer = asked(&stage, "GET", "/opt-out/receipt/none?lang=fr").await;
        asks += 1;
    }
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.text.contains("<html lang=\"fr\"") && answer.text.contains("role=\"alert\""));
    let secs: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=5).contains(&secs) && answer.text.contains(&secs.to_string()));
    assert_eq!(answer.header("cache-control"), "no-store");
    let program = stage.ask("POST", "/api/v1/opt-outs", &[HOST, JSON], "{\"device\":\"A4C138112233\"}").await;
    assert_eq!(program.status, StatusCode::TOO_MANY_REQUESTS);
    program.is_problem("ask again in");
    assert!(!program.header("retry-after").is_empty());
    // Reading asks nothing of the list.
    for path in ["/opt-out", "/privacy/mall", "/healthz"] {
        assert_eq!(asked(&stage, "GET", path).await.status, StatusCode::OK, "{path}");
    }
}
