//! What other machines ask: is it up, is it ready, what does it count.

use axum::Json;
use axum::extract;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::{Problem, State};

/// The content type of the text that prometheus-client writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How the process is.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    /// `up`, or `ready`.
    status: &'static str,
}

/// The process is up.
#[utoipa::path(get, operation_id = "healthz", path = "/healthz", responses((status = 200, description = "It is up", body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "up" })
}

/// The store answers and the broker is connected.
#[utoipa::path(
    get, operation_id = "readyz",
    path = "/readyz",
    responses(
        (status = 200, description = "It is ready", body = Health),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn readyz(extract::State(state): extract::State<State>) -> Result<Json<Health>, Problem> {
    // Asked every few seconds, so a failure is not logged here: whoever asks is told.
    let store = state.store.answers().await.is_ok();
    match (store, state.tally.broker_is_connected()) {
        (true, true) => Ok(Json(Health { status: "ready" })),
        (false, true) => Err(Problem::unavailable("not ready: the database does not answer")),
        (true, false) => Err(Problem::unavailable("not ready: the broker is not connected")),
        (false, false) => Err(Problem::unavailable(
            "not ready: the database does not answer and the broker is not connected",
        )),
    }
}

/// The program's counters, as OpenMetrics text.
#[utoipa::path(
    get, operation_id = "metrics",
    path = "/metrics",
    responses((status = 200, description = "The counters", body = String, content_type = "application/openmetrics-text"))
)]
pub(super) async fn metrics(extract::State(state): extract::State<State>) -> Response {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], state.tally.encode()).into_response()
}

#[cfg(test)]
mod tests {
    use crate::api::stage::Stage;

    #[tokio::test]
    async fn readiness_says_what_is_missing() {
        let stage = Stage::set().await;
        assert_eq!(stage.get("/healthz").await.status.as_u16(), 200);
        let waiting = stage.get("/readyz").await;
        assert_eq!(waiting.status.as_u16(), 503);
        waiting.is_problem("the broker is not connected");
        stage.tally.broker(true);
        assert_eq!(stage.get("/readyz").await.status.as_u16(), 200);
        stage.store.close().await;
        stage.get("/readyz").await.is_problem("not ready: the database does not answer");
        stage.tally.broker(false);
        stage.get("/readyz").await.is_problem("does not answer and the broker is not connected");
        assert_eq!(stage.get("/healthz").await.status.as_u16(), 200);
    }

    #[tokio::test]
    async fn counters_are_open_metrics() {
        let stage = Stage::set().await;
        stage.tally.message();
        let answer = stage.get("/metrics").await;
        assert!(answer.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
        assert!(
            answer.text.contains("passant_messages_total 1") && answer.text.ends_with("# EOF\n"),
            "{}",
            answer.text
        );
    }
}
