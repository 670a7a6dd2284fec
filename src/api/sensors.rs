//! Sensors: which are alive, and what was refused of them.

use std::collections::BTreeMap;

use axum::extract;
use axum::response::Response;

use super::live::nothing_yet;
use super::table::{Format, Table, answer, cell};
use super::{Problem, State};
use crate::config::Venue;
use crate::release::{Live, RateBand, SensorLive};

/// The health of a venue's sensors.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct SensorList {
    /// The venue.
    venue: String,
    /// The venue's clock, RFC 3339.
    at: String,
    /// Every configured sensor, in the order of the configuration.
    sensors: Vec<SensorHealth>,
}

/// A sensor's health.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct SensorHealth {
    /// The sensor.
    sensor: String,
    /// Its zone.
    zone: String,
    /// It sent something in the last 60 s.
    alive: bool,
    /// When it last sent anything, RFC 3339, floored to half a minute; null if never.
    #[schema(required = true)]
    last_heard: Option<String>,
    /// How much it hears, as a band.
    rate: RateBand,
    /// Its clock minus the server's, milliseconds; null if unknown.
    #[schema(required = true)]
    clock_error_ms: Option<i64>,
    /// Messages whose numbers were skipped.
    gaps: u64,
    /// Messages whose number had been seen.
    repeats: u64,
    /// Messages and sightings refused, by reason.
    #[schema(value_type = BTreeMap<String, u64>)]
    refused: BTreeMap<&'static str, u64>,
}

/// The health of every sensor.
#[utoipa::path(
    get, operation_id = "sensors",
    path = "/api/v1/venues/{venue}/sensors",
    params(("venue" = String, Path, description = "The venue's id")),
    responses(
        (status = 200, description = "The health of every sensor", content((SensorList = "application/json"), (String = "text/csv"))),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    format: Format,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let list = match state.newest(venue) {
        Some(live) => SensorList::new(venue, &live),
        None => SensorList::new(venue, &nothing_yet(venue, state.clock.now())),
    };
    Ok(answer(format, &list))
}

impl SensorList {
    fn new(venue: &Venue, live: &Live) -> Self {
        let health = |sensor: &SensorLive| SensorHealth {
            sensor: sensor.sensor.to_string(),
            zone: sensor.zone.to_string(),
            alive: sensor.alive,
            last_heard: sensor.last_heard.map(|at| venue.calendar.rfc3339(at)),
            rate: sensor.rate,
            clock_error_ms: sensor.clock_error_ms,
            gaps: sensor.gaps,
            repeats: sensor.repeats,
            refused: sensor.refused.iter().copied().collect(),
        };
        Self {
            venue: live.venue.to_string(),
            at: venue.calendar.rfc3339(live.at),
            sensors: live.sensors.iter().map(health).collect(),
        }
    }
}

impl Table for SensorList {
    const COLUMNS: &'static [&'static str] =
        &["sensor", "zone", "alive", "last_heard", "rate", "clock_error_ms", "gaps", "repeats", "refused"];

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |sensor: &SensorHealth| {
            let refused: Vec<String> =
                sensor.refused.iter().map(|(reason, count)| format!("{reason}={count}")).collect();
            vec![
                sensor.sensor.clone(),
                sensor.zone.clone(),
                sensor.alive.to_string(),
                cell(sensor.last_heard.as_ref()),
                rate(sensor.rate).to_owned(),
                cell(sensor.clock_error_ms),
                sensor.gaps.to_string(),
                sensor.repeats.to_string(),
                refused.join(";"),
            ]
        };
        self.sensors.iter().map(row).collect()
    }
}

fn rate(band: RateBand) -> &'static str {
    match band {
        RateBand::None => "none",
        RateBand::Normal => "normal",
        RateBand::High => "high",
        RateBand::VeryHigh => "very_high",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::stage::Stage;

    #[tokio::test]
    async fn sensors_say_how_they_are() {
        let stage = Stage::set().await;
        let before = stage.get("/api/v1/venues/mall/sensors").await.json();
        assert_eq!(
            (&before["sensors"][0]["alive"], &before["sensors"][1]["rate"]),
            (&json!(false), &json!("none"))
        );
        stage.show("2026-11-20T10:00:30+01:00", 125);
        let list = stage.get("/api/v1/venues/mall/sensors").await.json();
        let expected = json!({
            "sensor": "north-1", "zone": "entrance-north", "alive": true, "last_heard": "2026-11-20T10:00:30+01:00",
            "rate": "very_high", "clock_error_ms": -120, "gaps": 2, "repeats": 1,
            "refused": {"bad_json": 3, "time_behind": 4},
        });
        assert_eq!(list["sensors"][0], expected);
        let csv = stage.csv("/api/v1/venues/mall/sensors").await;
        let line = "north-1,entrance-north,true,2026-11-20T10:00:30+01:00,very_high,-120,2,1,bad_json=3;time_behind=4";
        assert_eq!(csv.lines().nth(1), Some(line));
    }
}
