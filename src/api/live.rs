//! Occupancy now, of the venue and of every zone.

use axum::extract;
use axum::response::Response;

use super::table::{Format, Table, answer, cell};
use super::{Problem, State};
use crate::clock::EpochMs;
use crate::config::{ClockKind, Venue};
use crate::release::{Flags, Live, RateBand, SensorLive, Shown};

/// The occupancy of a venue and its zones at the end of the newest half-minute.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct LiveAnswer {
    /// The venue.
    venue: String,
    /// The venue's clock, RFC 3339.
    at: String,
    /// When the venue day of that moment began, RFC 3339: where a curve of today starts.
    day_started_at: String,
    /// The whole venue, a multiple of 5.
    occupancy: Occupancy,
    /// Every zone, in the order of the configuration.
    zones: Vec<LiveZone>,
    /// What a reader must know: `incomplete`, `uncalibrated`, `rekeyed`, `replay`.
    flags: Vec<&'static str>,
    /// The version of the calibration; 0 is none.
    calibration: u32,
}

/// A zone now.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct LiveZone {
    /// The zone.
    zone: String,
    /// Its people.
    occupancy: Occupancy,
}

/// People now, as far as it may be said.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Occupancy {
    /// Whether there is a number.
    state: OccupancyState,
    /// People; null unless shown.
    #[schema(required = true)]
    value: Option<u32>,
    /// The lower end of the 80 % band; null unless shown.
    #[schema(required = true)]
    low: Option<u32>,
    /// The upper end of the 80 % band; null unless shown.
    #[schema(required = true)]
    high: Option<u32>,
}

/// Whether there is a number.
#[derive(Clone, Copy, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OccupancyState {
    /// A judged number.
    Shown,
    /// Fewer than k people, or nobody.
    UnderK,
    /// Hidden because the venue itself is.
    HeldBack,
    /// No sensor was alive: no data is not nobody.
    NoData,
}

/// Occupancy now.
#[utoipa::path(
    get, operation_id = "live",
    path = "/api/v1/venues/{venue}/live",
    params(("venue" = String, Path, description = "The venue's id")),
    responses(
        (status = 200, description = "Occupancy now", content((LiveAnswer = "application/json"), (String = "text/csv"))),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn now(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    format: Format,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let live = match state.newest(venue) {
        Some(live) => LiveAnswer::new(venue, &live),
        None => LiveAnswer::new(venue, &nothing_yet(venue, state.clock.now())),
    };
    Ok(answer(format, &live))
}

impl LiveAnswer {
    pub(super) fn new(venue: &Venue, live: &Live) -> Self {
        let zone = |(zone, shown): &(_, Shown)| LiveZone {
            zone: passant_wire::Id::to_string(zone),
            occupancy: (*shown).into(),
        };
        Self {
            venue: live.venue.to_string(),
            at: venue.calendar.rfc3339(live.at),
            day_started_at: venue.calendar.rfc3339(venue.calendar.day_of(live.at).window.from),
            occupancy: live.occupancy.into(),
            zones: live.zones.iter().map(zone).collect(),
            flags: live.flags.words(),
            calibration: live.calibration,
        }
    }
}

/// What is known of a venue before its first half-minute has closed: nothing, which is not nobody.
pub(super) fn nothing_yet(venue: &Venue, now: EpochMs) -> Live {
    let silent = |sensor: &crate::config::Sensor| {
        Some(SensorLive {
            sensor: sensor.id.clone(),
            zone: venue.zones.get(sensor.zone)?.id.clone(),
            alive: false,
            last_heard: None,
            rate: RateBand::None,
            clock_error_ms: None,
            gaps: 0,
            repeats: 0,
            refused: Vec::new(),
        })
    };
    Live {
        venue: venue.id.clone(),
        at: now,
        occupancy: Shown::NoData,
        zones: venue.zones.iter().map(|zone| (zone.id.clone(), Shown::NoData)).collect(),
        flags: Flags { incomplete: true, replay: venue.clock == ClockKind::Sightings, ..Flags::default() },
        calibration: 0,
        sensors: venue.sensors.iter().filter_map(silent).collect(),
    }
}

impl From<Shown> for Occupancy {
    fn from(shown: Shown) -> Self {
        let (state, people) = match shown {
            Shown::People(people) => (OccupancyState::Shown, Some(people)),
            Shown::UnderK => (OccupancyState::UnderK, None),
            Shown::HeldBack => (OccupancyState::HeldBack, None),
            Shown::NoData => (OccupancyState::NoData, None),
        };
        Self {
            state,
            value: people.map(|p| p.value),
            low: people.map(|p| p.low),
            high: people.map(|p| p.high),
        }
    }
}

impl OccupancyState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::UnderK => "under_k",
            Self::HeldBack => "held_back",
            Self::NoData => "no_data",
        }
    }
}

impl Table for LiveAnswer {
    const COLUMNS: &'static [&'static str] =
        &["at", "zone", "state", "value", "low", "high", "flags", "calibration"];

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |zone: &str, people: &Occupancy| {
            vec![
                self.at.clone(),
                zone.to_owned(),
                people.state.as_str().to_owned(),
                cell(people.value),
                cell(people.low),
                cell(people.high),
                self.flags.join(";"),
                self.calibration.to_string(),
            ]
        };
        let zones = self.zones.iter().map(|zone| row(&zone.zone, &zone.occupancy));
        std::iter::once(row("", &self.occupancy)).chain(zones).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::stage::Stage;

    #[tokio::test]
    async fn before_anything_is_known_there_is_no_data() {
        let stage = Stage::set().await;
        let live = stage.get("/api/v1/venues/mall/live").await.json();
        let nothing = json!({"state": "no_data", "value": null, "low": null, "high": null});
        assert_eq!((&live["occupancy"], &live["zones"][1]["occupancy"]), (&nothing, &nothing));
        assert_eq!(live["flags"], json!(["incomplete"]));
    }

    #[tokio::test]
    async fn what_is_shown_is_what_was_judged() {
        let stage = Stage::set().await;
        stage.show("2026-11-20T10:00:30+01:00", 125);
        let answer = stage.get("/api/v1/venues/mall/live").await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let expected = json!({
            "venue": "mall",
            "at": "2026-11-20T10:00:30+01:00",
            "day_started_at": "2026-11-20T04:00:00+01:00",
            "occupancy": {"state": "shown", "value": 125, "low": 100, "high": 150},
            "zones": [
                {"zone": "entrance-north", "occupancy": {"state": "under_k", "value": null, "low": null, "high": null}},
                {"zone": "food-court", "occupancy": {"state": "shown", "value": 60, "low": 40, "high": 81}},
            ],
            "flags": ["uncalibrated"],
            "calibration": 2,
        });
        assert_eq!(answer.json(), expected);
        let csv = stage.csv("/api/v1/venues/mall/live").await;
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines[0], "at,zone,state,value,low,high,flags,calibration");
        assert_eq!(lines[1], "2026-11-20T10:00:30+01:00,,shown,125,100,150,uncalibrated,2");
        assert_eq!(lines[2], "2026-11-20T10:00:30+01:00,entrance-north,under_k,,,,uncalibrated,2");
    }
}
