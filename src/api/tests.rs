//! The API as a whole: its document, its manners, its errors.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tower::ServiceExt;

use super::stage::{Stage, read};
use super::*;
use crate::release::Metric;

const DOCUMENT: &str = include_str!("openapi.json");

#[tokio::test]
async fn the_openapi_document_is_the_one_beside_this_file() {
    let served = Stage::set().await.get("/api/openapi.json").await;
    let text = format!("{}\n", served.text.trim_end());
    if std::env::var_os("PASSANT_BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/openapi.json"), &text).unwrap();
        return;
    }
    assert_eq!(text, DOCUMENT, "PASSANT_BLESS=1 cargo test openapi rewrites src/api/openapi.json");
    let document = served.json();
    assert_eq!(document["openapi"], "3.1.0");
    let words = &document["components"]["schemas"]["Metric"];
    for metric in Metric::ALL {
        assert!(words.to_string().contains(&format!("\"{}\"", metric.as_str())), "{words}");
    }
}

#[tokio::test]
async fn every_documented_path_answers_as_documented() {
    let stage = Stage::set().await;
    let document: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
    let entry =
        r#"{"zone":"food-court","from":"2026-11-20T10:00:00Z","to":"2026-11-20T10:05:00Z","people":17}"#;
    let series = "?metric=occupancy&from=2026-11-20T09:00:00Z&to=2026-11-20T10:00:00Z&step=1h";
    let day = "?from=2026-11-20T03:00:00Z&to=2026-11-21T03:00:00Z&step=1d";
    let mut asked = std::collections::BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let uri = path.replace("{venue}", "mall").replace("{id}", "1").replace("{table}", "dim_zone");
        let uri = match path.rsplit('/').next().unwrap() {
            "figures" | "ranking" => uri + series,
            "flows" | "cross-visits" | "dwell" => uri + day,
            "total" | "mean" => uri + "?from=2026-11-20T03:00:00Z&to=2026-11-21T03:00:00Z",
            "typical" => uri + "?metric=occupancy&day=2026-11-20&step=1h",
            "door-counts" => uri + "?from=2026-11-20T03:00:00Z&to=2026-11-21T03:00:00Z",
            _ => uri,
        };
        for (method, operation) in operations.as_object().unwrap() {
            let headers = [("host", "localhost"), ("content-type", "application/json")];
            let response = stage.send(&method.to_uppercase(), &uri, &headers, entry).await;
            let status = response.status().as_u16();
            let documented = &operation["responses"][status.to_string()];
            assert!(documented.is_object(), "{method} {path} answers {status}");
            let content_type = response.headers().get("content-type").map_or("", |v| v.to_str().unwrap());
            let content_type = content_type.split(';').next().unwrap();
            assert!(
                status == 204 || documented["content"][content_type].is_object(),
                "{path}: {content_type}"
            );
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(response["description"].is_string(), "{method} {path} {status} has no description");
            }
            asked.insert(operation["operationId"].to_string());
        }
    }
    assert_eq!(asked.len(), 40, "every operation has a name of its own");
}

#[tokio::test]
async fn every_answer_has_its_manners() {
    let stage = Stage::set().await;
    for (path, status) in [("/api/v1/venues", 200), ("/api/v1/nothing", 404), ("/api/openapi.json", 200)] {
        let answer = stage.get(path).await;
        assert_eq!(answer.status.as_u16(), status);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", POLICY),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
    }
}

#[tokio::test]
async fn errors_of_every_kind_are_problems() {
    let stage = Stage::set().await;
    let nothing = stage.get("/api/v2/venues").await;
    assert_eq!(nothing.status.as_u16(), 404);
    nothing.is_problem("/api/openapi.json lists every path");
    let method = stage.post("/api/v1/venues", "{}").await;
    assert_eq!((method.status.as_u16(), method.header("allow")), (405, "GET,HEAD"));
    method.is_problem("Allow header");
    let odd = stage.ask("BREW", "/api/v1/venues", &[("host", "localhost")], "").await;
    assert_eq!(odd.status.as_u16(), 405);
    odd.is_problem("");
}

#[tokio::test]
async fn a_panic_and_a_late_answer_are_problems() {
    let faulty = axum::Router::new()
        .route("/panic", get(async || -> &'static str { panic!("canary") }))
        .route("/late", get(std::future::pending::<&'static str>))
        .layer(from_fn_with_state(Duration::ZERO, in_time))
        .layer(from_fn(problem::dress))
        .layer(CatchPanicLayer::custom(problem::panicked));
    for (path, status, words) in [("/panic", 500, "a fault of the server's"), ("/late", 503, "took too long")]
    {
        let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        let answer = read(faulty.clone().oneshot(request).await.unwrap()).await;
        assert_eq!(answer.status.as_u16(), status);
        answer.is_problem(words);
        assert!(!answer.text.contains("canary"));
    }
}

/// A log that a test can read.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_has_the_route_and_nothing_of_the_request() {
    let written = Written::default();
    let writer = written.clone();
    let log = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(log);
    ask_with_a_canary(&Stage::set().await).await;
    // Other tests run beside this one without a log, and where such a thread is the first to pass a line of the log,
    // tracing switches that line off for all. By now every line has been passed: switch them on and look again.
    tracing::callsite::rebuild_interest_cache();
    ask_with_a_canary(&Stage::set().await).await;
    drop(guard);
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/api/v1/venues/{venue}/live") && log.contains("the store did not answer"), "{log}");
    assert!(!log.to_lowercase().contains("a4c138112233"), "{log}");
}

async fn ask_with_a_canary(stage: &Stage) {
    stage.get("/api/v1/venues/a4c138112233/live?a4c138112233").await;
    stage.get("/a4c138112233").await;
    stage.ask("A4C138112233", "/healthz", &[("host", "localhost")], "").await;
    let body =
        r#"{"zone":"a4c138112233","from":"2026-11-20T10:00:00Z","to":"2026-11-20T10:05:00Z","people":1}"#;
    stage.post("/api/v1/venues/mall/head-counts", body).await;
    stage.store.close().await;
    stage.get("/api/v1/venues/mall/head-counts?device=a4c138112233").await;
}
