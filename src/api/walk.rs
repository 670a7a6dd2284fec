//! The walk test: which sensors hear a device that is nobody's, and where it would be.

use axum::Json;
use axum::extract;

use super::{Problem, State};
use crate::config::Venue;
use crate::walk::{HeardBy, Slot, Walk, Walking};

/// Who walks a venue with a device that is nobody's, and which sensors hear it.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct WalkAnswer {
    /// The venue.
    venue: String,
    /// The venue's clock, RFC 3339; null while no time has passed.
    #[schema(required = true)]
    at: Option<String>,
    /// Those that were heard in the last ten minutes, and those that may not be heard again today.
    walkers: Vec<Walker>,
}

/// One address that is set aside for walks.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Walker {
    /// Its number, 1 to 8: the last byte of its address.
    walker: u8,
    /// It was heard for an hour today, and is not heard again until the next venue day.
    spent: bool,
    /// The sensors that heard it in the last ten minutes, the loudest just now first.
    sensors: Vec<WalkSensor>,
    /// The last ten minutes by slots of ten seconds, oldest first; slots in which nobody heard it are left out.
    trace: Vec<WalkSlot>,
}

/// What a sensor heard of it.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct WalkSensor {
    /// The sensor.
    sensor: String,
    /// Its zone.
    zone: String,
    /// It heard it in the last 20 s.
    now: bool,
    /// The last strength, dBm.
    last_dbm: i8,
    /// The strongest of the last ten minutes, dBm.
    strongest_dbm: i8,
    /// When it last heard it, RFC 3339.
    last_heard: String,
}

/// Ten seconds of its way.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct WalkSlot {
    /// Its beginning, RFC 3339.
    from: String,
    /// The zone that heard it loudest.
    zone: String,
    /// How loud, dBm: the median of that zone's loudest sensor.
    dbm: f32,
    /// Whether any sensor heard it as near.
    near: bool,
}

/// Which sensors hear an address that is set aside for walks: `C2:50:53:77:6B:01` to `08`, and no other.
#[utoipa::path(
    get, operation_id = "walk",
    path = "/api/v1/venues/{venue}/walk",
    params(("venue" = String, Path, description = "The venue's id")),
    responses(
        (status = 200, description = "Who walks, and which sensors hear them", body = WalkAnswer),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn now(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
) -> Result<Json<WalkAnswer>, Problem> {
    let venue = state.venue(&venue)?;
    let walk = state.walks.get(&venue.id).map_or_else(Walk::default, |board| board.look());
    Ok(Json(WalkAnswer::new(venue, walk)))
}

impl WalkAnswer {
    fn new(venue: &Venue, walk: Walk) -> Self {
        let sensor = |HeardBy { sensor, zone, last_dbm, strongest_dbm, last_at, is_now }| WalkSensor {
            sensor: passant_wire::Id::to_string(&sensor),
            zone: passant_wire::Id::to_string(&zone),
            now: is_now,
            last_dbm,
            strongest_dbm,
            last_heard: venue.calendar.rfc3339(last_at),
        };
        let slot = |Slot { from, zone, dbm, is_near }| WalkSlot {
            from: venue.calendar.rfc3339(from),
            zone: passant_wire::Id::to_string(&zone),
            dbm,
            near: is_near,
        };
        let walker = |Walking { number, is_spent, sensors, trace }| Walker {
            walker: number,
            spent: is_spent,
            sensors: sensors.into_iter().map(sensor).collect(),
            trace: trace.into_iter().map(slot).collect(),
        };
        Self {
            venue: venue.id.to_string(),
            at: walk.at.map(|at| venue.calendar.rfc3339(at)),
            walkers: walk.walkers.into_iter().map(walker).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::stage::{Stage, at};
    use crate::sighting::DeviceId;

    #[tokio::test]
    async fn a_walk_says_which_sensor_hears_it_and_in_which_zone_it_is() {
        let stage = Stage::set().await;
        let nobody = stage.get("/api/v1/venues/mall/walk").await.json();
        assert_eq!(nobody, json!({"venue": "mall", "at": null, "walkers": []}));
        let now = at("2026-11-20T10:00:35+01:00");
        stage.walk.pass(now, at("2026-11-20T04:00:00+01:00"));
        let walker = DeviceId::parse("c2:50:53:77:6b:03").unwrap().walker().unwrap();
        stage.walk.hear(walker, 0, -61, at("2026-11-20T10:00:31+01:00"));
        let told = stage.get("/api/v1/venues/mall/walk").await.json();
        let expected = json!({"venue": "mall", "at": "2026-11-20T10:00:35+01:00", "walkers": [{
            "walker": 3, "spent": false,
            "sensors": [{"sensor": "north-1", "zone": "entrance-north", "now": true, "last_dbm": -61,
                "strongest_dbm": -61, "last_heard": "2026-11-20T10:00:31+01:00"}],
            "trace": [{"from": "2026-11-20T10:00:30+01:00", "zone": "entrance-north", "dbm": -61.0, "near": true}],
        }]});
        assert_eq!(told, expected);
        stage.get("/api/v1/venues/nowhere/walk").await.is_problem("no such venue");
    }
}
