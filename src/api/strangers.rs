//! Strangers: sensors that publish for a venue and are not in its configuration.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract;

use super::{Problem, State};

/// Where the strangers of a venue can be asked for, as TOML: who hears them lies below, out of this room's reach.
#[derive(Clone)]
pub struct Strangers(Arc<dyn Fn(&str) -> String + Send + Sync>);

/// Who publishes for a venue and is not in its configuration.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct StrangerList {
    /// The venue.
    venue: String,
    /// Blocks to paste into the configuration under this venue, each with an empty zone; empty where there are none.
    toml: String,
}

impl Strangers {
    /// Strangers that are told for a venue's id.
    #[must_use]
    pub fn told_by(tell: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl Default for Strangers {
    /// Nobody listens, so there are none.
    fn default() -> Self {
        Self::told_by(|_| String::new())
    }
}

impl fmt::Debug for Strangers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Strangers")
    }
}

/// Sensors that publish for a venue and are not in its configuration, ready to paste into it.
#[utoipa::path(
    get, operation_id = "strangers",
    path = "/api/v1/venues/{venue}/strangers",
    params(("venue" = String, Path, description = "The venue's id")),
    responses(
        (status = 200, description = "Who publishes and is not configured", body = StrangerList),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
) -> Result<Json<StrangerList>, Problem> {
    let venue = state.venue(&venue)?;
    let toml = (state.strangers.0)(venue.id.as_str());
    Ok(Json(StrangerList { venue: venue.id.to_string(), toml }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::stage::Stage;

    #[tokio::test]
    async fn a_venue_is_told_its_own_strangers() {
        let stage = Stage::set().await;
        let answer = stage.get("/api/v1/venues/mall/strangers").await.json();
        assert_eq!(answer, json!({"venue": "mall", "toml": "# strangers of mall\n"}));
        stage.get("/api/v1/venues/nowhere/strangers").await.is_problem("no such venue");
    }
}
