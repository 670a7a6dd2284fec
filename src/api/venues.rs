//! Venues: which there are, and how each is laid out.

use axum::Json;
use axum::extract;

use super::caller::Caller;
use super::{Problem, State};
use crate::config::{ClockKind, Event, EventKind, Venue};
use crate::release::Metric;

/// A venue in the list.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct VenueItem {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Its time zone's IANA name.
    timezone: String,
    /// The local time at which its days begin, like `04:00`.
    day_starts_at: String,
    /// Where its time comes from.
    clock: Clock,
    /// No figure about fewer people leaves.
    k: u32,
    /// The ids of its zone groups.
    groups: Vec<String>,
}

/// Every venue.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct VenueList {
    /// In the order of the configuration.
    venues: Vec<VenueItem>,
}

/// How a venue is laid out and counted.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct VenueDetail {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Its time zone's IANA name.
    timezone: String,
    /// The local time at which its days begin, like `04:00`.
    day_starts_at: String,
    /// Where its time comes from.
    clock: Clock,
    /// Dates whose hours are not the weekday's, holidays among them, in order.
    special_days: Vec<SpecialDay>,
    /// Its holidays and named events, by their first day.
    events: Vec<VenueEvent>,
    /// Whether it has opening hours; without, it is always open.
    hours_configured: bool,
    /// No figure about fewer people leaves.
    k: u32,
    /// What makes a visit a visit.
    thresholds: VenueThresholds,
    /// What is counted, as `/figures` takes it.
    metrics: &'static [Metric],
    /// The ids of its zone groups.
    groups: Vec<String>,
    /// Its zones.
    zones: Vec<VenueZone>,
    /// Its sensors.
    sensors: Vec<VenueSensor>,
    /// How many alert rules look at it; `/alerts` tells what each says.
    alert_rules: usize,
}

/// A stretch of days with a name.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct VenueEvent {
    /// Its name.
    name: String,
    /// What kind of days they are.
    kind: EventKind,
    /// The first day.
    #[schema(format = Date)]
    from: String,
    /// The last day.
    #[schema(format = Date)]
    to: String,
}

/// A date whose opening hours are not the weekday's.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct SpecialDay {
    /// The date, like `2026-12-25`.
    #[schema(format = Date)]
    date: String,
    /// `closed`, or hours like `10:00-13:00, 14:00-19:00`.
    hours: String,
}

/// Where a venue's time comes from.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Clock {
    /// The server's own clock.
    Wall,
    /// The times of messages: a replay or the demo.
    Sightings,
}

/// What makes a passer-by, a visitor, a bounce and an engaged visitor.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct VenueThresholds {
    /// Below this strength, dBm, a device is outside.
    outside_floor_dbm: i8,
    /// At or over this strength, dBm, a device is near.
    near_dbm: i8,
    /// Near this many seconds makes a visitor.
    visitor_secs: u32,
    /// Near this many seconds makes an engaged visitor.
    engaged_secs: u32,
}

/// A zone.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct VenueZone {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// The id of its group.
    #[schema(required = true)]
    group: Option<String>,
    /// Its outline on the floor plan, metres; empty means that it is drawn as a tile.
    polygon: Vec<[f64; 2]>,
}

/// A sensor.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct VenueSensor {
    /// Its id.
    id: String,
    /// The id of its zone.
    zone: String,
}

/// Every venue in which the caller may do anything.
#[utoipa::path(get, operation_id = "list_venues", path = "/api/v1/venues", responses((status = 200, description = "Every venue in which the caller has a role", body = VenueList)))]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    extract::Extension(caller): extract::Extension<Caller>,
) -> Json<VenueList> {
    let item = |venue: &Venue| VenueItem {
        id: venue.id.to_string(),
        name: venue.name.clone(),
        timezone: venue.timezone.clone(),
        day_starts_at: day_starts_at(venue),
        clock: venue.clock.into(),
        k: venue.thresholds.k,
        groups: venue.groups.iter().map(ToString::to_string).collect(),
    };
    Json(VenueList {
        venues: state.venues.iter().filter(|venue| caller.roles.at(&venue.id).is_some()).map(item).collect(),
    })
}

/// One venue: zones, groups, sensors, thresholds.
#[utoipa::path(
    get, operation_id = "venue",
    path = "/api/v1/venues/{venue}",
    params(("venue" = String, Path, description = "The venue's id")),
    responses(
        (status = 200, description = "How the venue is laid out and counted", body = VenueDetail),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn one(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
) -> Result<Json<VenueDetail>, Problem> {
    Ok(Json(VenueDetail::from(state.venue(&venue)?)))
}

fn day_starts_at(venue: &Venue) -> String {
    venue.calendar.day_starts_at().format("%H:%M").to_string()
}

impl From<ClockKind> for Clock {
    fn from(kind: ClockKind) -> Self {
        match kind {
            ClockKind::Wall => Self::Wall,
            ClockKind::Sightings => Self::Sightings,
        }
    }
}

impl VenueEvent {
    fn of(event: &Event) -> Self {
        Self {
            name: event.name.clone(),
            kind: event.kind,
            from: event.from.to_string(),
            to: event.to.to_string(),
        }
    }
}

impl From<&Venue> for VenueDetail {
    fn from(venue: &Venue) -> Self {
        let group = |place: usize| venue.groups.get(place).map(ToString::to_string);
        let zones = venue.zones.iter().map(|zone| VenueZone {
            id: zone.id.to_string(),
            name: zone.name.clone(),
            group: zone.group.and_then(group),
            polygon: zone.polygon.clone(),
        });
        let sensors = venue.sensors.iter().filter_map(|sensor| {
            let zone = venue.zones.get(sensor.zone)?;
            Some(VenueSensor { id: sensor.id.to_string(), zone: zone.id.to_string() })
        });
        Self {
            id: venue.id.to_string(),
            name: venue.name.clone(),
            timezone: venue.timezone.clone(),
            day_starts_at: day_starts_at(venue),
            special_days: venue
                .hours
                .special_days()
                .map(|(date, hours)| SpecialDay { date: date.to_string(), hours })
                .collect(),
            events: venue.events.iter().map(VenueEvent::of).collect(),
            clock: venue.clock.into(),
            hours_configured: venue.hours.ever_close(),
            k: venue.thresholds.k,
            thresholds: VenueThresholds {
                outside_floor_dbm: venue.thresholds.outside_floor_dbm,
                near_dbm: venue.thresholds.near_dbm,
                visitor_secs: venue.thresholds.visitor_secs,
                engaged_secs: venue.thresholds.engaged_secs,
            },
            metrics: &Metric::ALL,
            groups: venue.groups.iter().map(ToString::to_string).collect(),
            zones: zones.collect(),
            sensors: sensors.collect(),
            alert_rules: venue.alerts.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Metric;
    use crate::api::stage::Stage;

    #[tokio::test]
    async fn venues_are_listed_and_laid_out() {
        let stage = Stage::set().await;
        let list = stage.get("/api/v1/venues").await.json();
        let item = json!({
            "id": "mall", "name": "Galerie du Passage", "timezone": "Europe/Paris",
            "day_starts_at": "04:00", "clock": "wall", "k": 10, "groups": ["ground"],
        });
        assert_eq!(list, json!({"venues": [item]}));
        let venue = stage.get("/api/v1/venues/mall").await.json();
        assert_eq!(venue["zones"][0]["group"], "ground");
        assert_eq!(venue["zones"][0]["polygon"][2], json!([20.0, 10.0]));
        assert_eq!(venue["sensors"][1], json!({"id": "food-1", "zone": "food-court"}));
        assert_eq!(venue["thresholds"]["near_dbm"], -80);
        assert_eq!(venue["metrics"].as_array().unwrap().len(), Metric::ALL.len());
        assert_eq!(venue["day_starts_at"], "04:00");
        assert_eq!(venue["special_days"], json!([{"date": "2026-12-25", "hours": "closed"}]));
        let rest = (&venue["k"], &venue["clock"], &venue["hours_configured"], &venue["groups"]);
        assert_eq!(rest, (&json!(10), &json!("wall"), &json!(true), &json!(["ground"])));
        let christmas =
            json!({"name": "Christmas", "kind": "holiday", "from": "2026-12-25", "to": "2026-12-25"});
        assert_eq!((&venue["events"][1], &venue["events"][0]["kind"]), (&christmas, &json!("event")));
        let unknown = stage.get("/api/v1/venues/A4:C1:38:11:22:33").await;
        assert_eq!(unknown.status.as_u16(), 404);
        unknown.is_problem("GET /api/v1/venues lists");
        assert!(!unknown.text.contains("A4:C1"), "{}", unknown.text);
    }
}
