//! Head counts: people counted by eye, from which the crowd lens learns its scale.

use axum::Json;
use axum::extract;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::asked::moment;
use super::table::{Format, Table, answer};
use super::{Problem, State};
use crate::config::Venue;
use crate::office::Asked;
use crate::store::HeadCountRow;

/// What a body must be, for those whose body is not.
const BODY: &str = "send JSON like {\"zone\":\"food-court\",\"from\":\"2026-11-20T10:00:00+01:00\",\
                    \"to\":\"2026-11-20T10:05:00+01:00\",\"people\":17}";

/// A head count to enter.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HeadCountEntry {
    /// The zone's id.
    zone: String,
    /// Where it begins, RFC 3339, on the edge of a five-minute window.
    #[schema(format = DateTime)]
    from: String,
    /// Where it ends, at most an hour later.
    #[schema(format = DateTime)]
    to: String,
    /// How many people were there.
    #[schema(maximum = 10_000)]
    people: u32,
}

/// A head count that is kept.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct HeadCountItem {
    /// Its number.
    id: i64,
    /// The zone's id.
    zone: String,
    /// Where it begins, RFC 3339.
    from: String,
    /// Where it ends, RFC 3339.
    to: String,
    /// How many people were there.
    people: u32,
    /// When it was entered, RFC 3339.
    entered_at: String,
}

/// The head counts of a venue.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct HeadCountList {
    /// The venue.
    venue: String,
    /// In order of time.
    head_counts: Vec<HeadCountItem>,
}

/// Every head count of a venue.
#[utoipa::path(
    get, operation_id = "head_counts",
    path = "/api/v1/venues/{venue}/head-counts",
    params(("venue" = String, Path, description = "The venue's id")),
    responses(
        (status = 200, description = "Every head count", content((HeadCountList = "application/json"), (String = "text/csv"))),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    format: Format,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let rows = state.head_counts.list(venue.id.as_str()).await?;
    let head_counts = rows.iter().map(|row| HeadCountItem::new(venue, row)).collect();
    Ok(answer(format, &HeadCountList { venue: venue.id.to_string(), head_counts }))
}

/// Enters a head count. It acts once its windows have closed, so it may lie in the future.
#[utoipa::path(
    post, operation_id = "add_head_count",
    path = "/api/v1/venues/{venue}/head-counts",
    params(("venue" = String, Path, description = "The venue's id")),
    request_body = HeadCountEntry,
    responses(
        (status = 201, description = "The head count as it is kept", body = HeadCountItem),
        (status = 400, description = "What was asked does not read, or there is no such thing; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Asked for by a page of another origin", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It collides with what is there", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is over 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn add(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    body: Result<Json<HeadCountEntry>, JsonRejection>,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let Json(entry) = body.map_err(|rejection| Problem::of_body(&rejection, BODY))?;
    let (from, to) = (moment("from", &entry.from)?, moment("to", &entry.to)?);
    let asked = Asked { zone: &entry.zone, from, to, people: entry.people };
    let row = state.head_counts.add(venue.id.as_str(), asked, state.clock.now()).await?;
    let place = format!("/api/v1/venues/{}/head-counts/{}", venue.id, row.id);
    let item = HeadCountItem::new(venue, &row);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(item)).into_response())
}

/// Takes a head count back; figures that are closed stay as they are.
#[utoipa::path(
    delete, operation_id = "remove_head_count",
    path = "/api/v1/venues/{venue}/head-counts/{id}",
    params(
        ("venue" = String, Path, description = "The venue's id"),
        ("id" = i64, Path, description = "The head count's number"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "What was asked does not read, or there is no such thing; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Asked for by a page of another origin", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn remove(
    extract::State(state): extract::State<State>,
    extract::Path((venue, id)): extract::Path<(String, i64)>,
) -> Result<StatusCode, Problem> {
    let venue = state.venue(&venue)?;
    state.head_counts.remove(venue.id.as_str(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl HeadCountItem {
    fn new(venue: &Venue, row: &HeadCountRow) -> Self {
        Self {
            id: row.id,
            zone: row.count.zone.to_string(),
            from: venue.calendar.rfc3339(row.count.from),
            to: venue.calendar.rfc3339(row.count.to),
            people: row.count.people,
            entered_at: venue.calendar.rfc3339(row.count.entered_at),
        }
    }
}

impl Table for HeadCountList {
    const COLUMNS: &'static [&'static str] = &["id", "zone", "from", "to", "people", "entered_at"];

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |item: &HeadCountItem| {
            vec![
                item.id.to_string(),
                item.zone.clone(),
                item.from.clone(),
                item.to.clone(),
                item.people.to_string(),
                item.entered_at.clone(),
            ]
        };
        self.head_counts.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::BODY_BYTES_MAX;
    use crate::api::stage::Stage;

    const PATH: &str = "/api/v1/venues/mall/head-counts";

    #[tokio::test]
    async fn a_head_count_is_entered_listed_and_taken_back() {
        let mut stage = Stage::set().await;
        let entry = json!({"zone": "food-court", "from": "2026-11-20T09:00:00Z", "to": "2026-11-20T10:05:00+01:00", "people": 17});
        let added = stage.post(PATH, &entry.to_string()).await;
        assert_eq!(added.status.as_u16(), 201, "{}", added.text);
        let row = added.json();
        assert_eq!(row["from"], "2026-11-20T10:00:00+01:00");
        let place = format!("{PATH}/{}", row["id"]);
        assert_eq!(added.header("location"), place);
        assert_eq!(stage.told.try_recv().unwrap().people, Some(17));
        assert_eq!(stage.get(PATH).await.json(), json!({"venue": "mall", "head_counts": [row]}));
        let csv = stage.csv(PATH).await;
        let line = "food-court,2026-11-20T10:00:00+01:00,2026-11-20T10:05:00+01:00,17";
        assert!(csv.lines().nth(1).unwrap().contains(line), "{csv}");
        let again = stage.post(PATH, &entry.to_string()).await;
        assert_eq!(again.status.as_u16(), 409);
        again.is_problem("overlaps head count");
        assert_eq!(stage.delete(&place).await.status.as_u16(), 204);
        assert_eq!(stage.told.try_recv().unwrap().people, None);
        let gone = stage.delete(&place).await;
        assert_eq!(gone.status.as_u16(), 404);
        gone.is_problem("none of this number");
    }

    #[tokio::test]
    async fn a_body_that_does_not_read_says_how_it_should() {
        let stage = Stage::set().await;
        let canary = "a4c138112233";
        for body in ["{", "[]", "{\"zone\":7}", &format!("{{\"{canary}\":1}}"), &format!("\"{canary}\"")] {
            let answer = stage.post(PATH, body).await;
            assert_eq!(answer.status.as_u16(), 400, "{body}");
            answer.is_problem("send JSON like");
            assert!(!answer.text.contains(canary));
        }
        let times =
            json!({"zone": "food-court", "from": "ten", "to": "2026-11-20T10:05:00+01:00", "people": 17});
        stage.post(PATH, &times.to_string()).await.is_problem("from must be a time");
        let edge = json!({"zone": "food-court", "from": "2026-11-20T10:01:00Z", "to": "2026-11-20T10:05:00Z", "people": 1});
        stage.post(PATH, &edge.to_string()).await.is_problem("the nearest are 2026-11-20T11:00:00+01:00");
        let large = stage.post(PATH, &" ".repeat(BODY_BYTES_MAX + 1)).await;
        assert_eq!(large.status.as_u16(), 413);
        large.is_problem("at most 64 KiB");
        let headers = [("host", "localhost"), ("content-type", "text/plain")];
        let plain = stage.ask("POST", PATH, &headers, "{}").await;
        assert_eq!(plain.status.as_u16(), 415);
        plain.is_problem("send JSON like");
        let id = stage.delete(&format!("{PATH}/seven")).await;
        assert_eq!(id.status.as_u16(), 400);
        id.is_problem("");
    }
}
