//! Door counts: what the operator's own door counters say, to hold the estimates against.

use axum::Json;
use axum::extract;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::asked::{POINTS_MAX, moment};
use super::table::{Format, Table, answer, cell};
use super::{Problem, State};
use crate::clock::{EpochMs, Window};
use crate::config::Venue;
use crate::office::{DoorCounts, DoorHour};
use crate::store::DoorCount;

/// What a body must be, for those whose body is not.
const BODY: &str = "send JSON like {\"door\":\"north-door\",\"counts\":[{\"from\":\"2026-11-20T10:00:00+01:00\",\
                    \"to\":\"2026-11-20T11:00:00+01:00\",\"in\":120,\"out\":95}]}";
/// How a question must be put.
const QUESTION: &str = "ask like ?from=2026-11-20T03:00:00Z&to=2026-11-21T03:00:00Z";

/// Hours of a door counter to enter.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DoorCountEntry {
    /// The counter's id, as its operator calls it.
    door: String,
    /// Its hours, in any order.
    #[schema(max_items = 400)]
    counts: Vec<DoorHourEntry>,
}

/// An hour of a door counter to enter.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DoorHourEntry {
    /// Where it begins, RFC 3339, on the edge of a window of an hour.
    #[schema(format = DateTime)]
    from: String,
    /// Where it ends: an hour later.
    #[schema(format = DateTime)]
    to: String,
    /// How many people came in.
    #[serde(rename = "in")]
    #[schema(maximum = 100_000)]
    people_in: u32,
    /// How many people went out.
    #[serde(rename = "out")]
    #[schema(maximum = 100_000)]
    people_out: u32,
}

/// What became of hours that were entered.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct DoorCountsTaken {
    /// Hours that are new.
    new: usize,
    /// Hours that were there with the same numbers.
    known: usize,
}

/// Which hours to give, or to remove.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// The first moment, RFC 3339.
    #[param(required = true, format = DateTime, value_type = String)]
    from: Option<String>,
    /// The first moment that is too late, RFC 3339. At most 2,000 hours of all doors together fit in an answer.
    #[param(required = true, format = DateTime, value_type = String)]
    to: Option<String>,
}

/// Hours of a venue's door counters.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct DoorCountList {
    /// The venue.
    venue: String,
    /// Every counter of which anything is kept, whenever.
    doors: Vec<String>,
    /// The hours, in order of time and then of the doors.
    counts: Vec<DoorCountItem>,
}

/// An hour of a door counter.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct DoorCountItem {
    /// The counter's id.
    door: String,
    /// Where it begins, RFC 3339.
    #[schema(format = DateTime)]
    from: String,
    /// Where it ends, RFC 3339.
    #[schema(format = DateTime)]
    to: String,
    /// How many people came in; null is fewer than k, or nobody.
    #[serde(rename = "in")]
    #[schema(required = true)]
    people_in: Option<u32>,
    /// How many people went out; null is fewer than k, or nobody.
    #[serde(rename = "out")]
    #[schema(required = true)]
    people_out: Option<u32>,
}

/// Hours of every door counter of a venue.
#[utoipa::path(
    get, operation_id = "door_counts",
    path = "/api/v1/venues/{venue}/door-counts",
    params(("venue" = String, Path, description = "The venue's id"), Parameters),
    responses(
        (status = 200, description = "The hours", content((DoorCountList = "application/json"), (String = "text/csv"))),
        (status = 400, description = "What was asked does not read; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    parameters: Result<extract::Query<Parameters>, QueryRejection>,
    format: Format,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let (from, to) = stretch(parameters)?;
    let office = DoorCounts::of(venue, &state.store);
    let counts = office.list(from, to, POINTS_MAX + 1).await?;
    if counts.len() > POINTS_MAX {
        return Err(Problem::bad_request(format!("that is more than {POINTS_MAX} hours; ask for less time")));
    }
    let doors = office.doors().await?.iter().map(ToString::to_string).collect();
    let counts = counts.iter().map(|count| DoorCountItem::new(venue, count)).collect();
    Ok(answer(format, &DoorCountList { venue: venue.id.to_string(), doors, counts }))
}

/// Enters hours of a door counter, all or none. To send one again changes nothing; with other numbers it is refused. What is
/// fewer than k is kept as nothing. No estimate is made of door counts: they are there to be held against the figures.
#[utoipa::path(
    post, operation_id = "add_door_counts",
    path = "/api/v1/venues/{venue}/door-counts",
    params(("venue" = String, Path, description = "The venue's id")),
    request_body = DoorCountEntry,
    responses(
        (status = 200, description = "Every hour was there already", body = DoorCountsTaken),
        (status = 201, description = "The hours are kept", body = DoorCountsTaken),
        (status = 400, description = "What was asked does not read, or there is no such thing; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Asked for by a page of another origin", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It collides with what is there", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is over 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn add(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    body: Result<Json<DoorCountEntry>, JsonRejection>,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let Json(entry) = body.map_err(|rejection| Problem::of_body(&rejection, BODY))?;
    let hours = entry.counts.iter().map(DoorHourEntry::read).collect::<Result<Vec<_>, _>>()?;
    let kept = DoorCounts::of(venue, &state.store).take(&entry.door, &hours, state.clock.now()).await?;
    let status = if kept.new > 0 { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(DoorCountsTaken { new: kept.new, known: kept.known })).into_response())
}

/// Removes the hours of a door counter that begin in a stretch of time.
#[utoipa::path(
    delete, operation_id = "remove_door_counts",
    path = "/api/v1/venues/{venue}/door-counts/{door}",
    params(
        ("venue" = String, Path, description = "The venue's id"),
        ("door" = String, Path, description = "The counter's id"),
        Parameters,
    ),
    responses(
        (status = 204, description = "They are gone"),
        (status = 400, description = "What was asked does not read; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Asked for by a page of another origin", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue, or nothing of this door in this time", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn remove(
    extract::State(state): extract::State<State>,
    extract::Path((venue, door)): extract::Path<(String, String)>,
    parameters: Result<extract::Query<Parameters>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    let venue = state.venue(&venue)?;
    let (from, to) = stretch(parameters)?;
    DoorCounts::of(venue, &state.store).remove(&door, from, to).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn stretch(
    parameters: Result<extract::Query<Parameters>, QueryRejection>,
) -> Result<(EpochMs, EpochMs), Problem> {
    let extract::Query(Parameters { from, to }) = parameters
        .map_err(|_| Problem::bad_request(format!("a parameter is unknown or named twice; {QUESTION}")))?;
    let (Some(from), Some(to)) = (from, to) else {
        return Err(Problem::bad_request(format!("from or to is missing; {QUESTION}")));
    };
    let (from, to) = (moment("from", &from)?, moment("to", &to)?);
    if from >= to {
        return Err(Problem::bad_request("from must lie before to"));
    }
    Ok((from, to))
}

impl DoorHourEntry {
    fn read(&self) -> Result<DoorHour, Problem> {
        let window = Window { from: moment("from", &self.from)?, to: moment("to", &self.to)? };
        Ok(DoorHour { window, people_in: self.people_in, people_out: self.people_out })
    }
}

impl DoorCountItem {
    fn new(venue: &Venue, count: &DoorCount) -> Self {
        Self {
            door: count.door.to_string(),
            from: venue.calendar.rfc3339(count.window.from),
            to: venue.calendar.rfc3339(count.window.to),
            people_in: count.people_in,
            people_out: count.people_out,
        }
    }
}

impl Table for DoorCountList {
    const COLUMNS: &'static [&'static str] = &["door", "from", "to", "in", "out"];

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |item: &DoorCountItem| {
            vec![
                item.door.clone(),
                item.from.clone(),
                item.to.clone(),
                cell(item.people_in),
                cell(item.people_out),
            ]
        };
        self.counts.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::stage::Stage;

    const PATH: &str = "/api/v1/venues/mall/door-counts";
    const DAY: &str = "?from=2025-11-20T03:00:00Z&to=2025-11-21T03:00:00Z";

    #[tokio::test]
    async fn hours_are_entered_again_listed_and_removed() {
        let stage = Stage::set().await;
        let entry = json!({"door": "north-door", "counts": [
            {"from": "2025-11-20T09:00:00Z", "to": "2025-11-20T11:00:00+01:00", "in": 120, "out": 9},
        ]});
        let added = stage.post(PATH, &entry.to_string()).await;
        assert_eq!(
            (added.status.as_u16(), added.json()),
            (201, json!({"new": 1, "known": 0})),
            "{}",
            added.text
        );
        let again = stage.post(PATH, &entry.to_string()).await;
        assert_eq!((again.status.as_u16(), again.json()), (200, json!({"new": 0, "known": 1})));
        let other = stage.post(PATH, &entry.to_string().replace("120", "121")).await;
        assert_eq!(other.status.as_u16(), 409);
        other.is_problem("2025-11-20T10:00:00+01:00 is there with other numbers");
        let hour = json!({
            "door": "north-door", "from": "2025-11-20T10:00:00+01:00", "to": "2025-11-20T11:00:00+01:00",
            "in": 120, "out": null,
        });
        let list = json!({"venue": "mall", "doors": ["north-door"], "counts": [hour]});
        assert_eq!(stage.get(&format!("{PATH}{DAY}")).await.json(), list);
        let csv = stage.csv(&format!("{PATH}{DAY}")).await;
        let line = "north-door,2025-11-20T10:00:00+01:00,2025-11-20T11:00:00+01:00,120,";
        assert_eq!(csv.lines().nth(1), Some(line));
        let place = format!("{PATH}/north-door{DAY}");
        assert_eq!(stage.delete(&place).await.status.as_u16(), 204);
        let gone = stage.delete(&place).await;
        assert_eq!(gone.status.as_u16(), 404);
        gone.is_problem("none of this door");
        assert_eq!(stage.get(&format!("{PATH}{DAY}")).await.json()["doors"], json!([]));
    }

    #[tokio::test]
    async fn what_does_not_read_says_how_it_should_and_an_answer_has_an_end() {
        let stage = Stage::set().await;
        for body in ["{", "{\"door\":\"north\"}", "{\"door\":\"north\",\"counts\":[{\"in\":-1}]}"] {
            let answer = stage.post(PATH, body).await;
            assert_eq!(answer.status.as_u16(), 400, "{body}");
            answer.is_problem("send JSON like");
        }
        for (question, words) in [
            ("", "from or to is missing"),
            ("?from=2025-11-20T03:00:00Z", "ask like"),
            ("?from=2025-11-20T03:00:00Z&to=2025-11-20T03:00:00Z", "from must lie before to"),
            ("?zone=hall", "a parameter is unknown"),
        ] {
            let answer = stage.get(&format!("{PATH}{question}")).await;
            assert_eq!(answer.status.as_u16(), 400, "{question}");
            answer.is_problem(words);
        }
        let hour = |nth: i64| {
            let at = |nth: i64| {
                chrono::DateTime::from_timestamp(1_763_607_600 + nth * 3_600, 0).unwrap().to_rfc3339()
            };
            json!({"from": at(nth), "to": at(nth + 1), "in": 50, "out": 50})
        };
        let days: Vec<_> = (0..336).map(hour).collect();
        for door in ["a", "b", "c", "d", "e", "f"] {
            let body = json!({"door": door, "counts": days}).to_string();
            assert_eq!(stage.post(PATH, &body).await.status.as_u16(), 201);
        }
        let all = "?from=2025-11-01T00:00:00Z&to=2025-12-30T00:00:00Z";
        stage.get(&format!("{PATH}{all}")).await.is_problem("more than 2000 hours; ask for less time");
    }
}
