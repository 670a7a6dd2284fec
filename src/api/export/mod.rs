//! The star schema: published figures as facts, with the dimensions that they refer to, as CSV for any BI tool.

mod dimensions;
mod facts;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::body::Body;
use axum::extract;
use axum::extract::rejection::QueryRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{Days, NaiveDate};
use tokio::sync::Semaphore;

use super::table::lines;
use super::{Problem, State};
use crate::clock::Step;

/// The most days of an export of hours, of days, and of dates.
pub(super) const DAYS_MAX: i64 = 400;
/// The most days of an export of five minutes or quarter-hours; about as many as are kept.
pub(super) const FINE_DAYS_MAX: i64 = 92;
/// The most exports of facts at once; each reads the database for as long as its client takes it.
const EXPORTS_MAX: usize = 4;
/// What stands for the whole venue where a zone or a group is named; no id has this letter.
const WHOLE_VENUE: &str = "*";

/// How many exports may still begin.
#[derive(Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(EXPORTS_MAX)))
    }
}

/// Which days to export.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// The first venue day; for facts and dates.
    #[param(format = Date)]
    from: Option<String>,
    /// The last venue day, at most 400 days later, or 92 in steps of minutes.
    #[param(format = Date)]
    to: Option<String>,
    /// The length of the windows: 5m, 15m, 1h (unless another is named) or 1d; for facts.
    step: Option<String>,
}

/// Venue days, and windows in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Period {
    from: NaiveDate,
    to: NaiveDate,
    step: Step,
}

/// A table of the star schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum TableName {
    /// Figures: one row a window, place and metric.
    FactFigures,
    /// Zones, groups and the venue itself.
    DimZone,
    /// Sensors.
    DimSensor,
    /// Metrics and their units.
    DimMetric,
    /// Venue days.
    DimDate,
    /// Versions of the thresholds.
    DimThresholds,
    /// Versions of the calibration.
    DimCalibration,
}

/// A table of the star schema as CSV. Facts hold what is published and no more: what is held back has a row and no number.
#[utoipa::path(
    get, operation_id = "export",
    path = "/api/v1/venues/{venue}/export/{table}",
    params(("venue" = String, Path, description = "The venue's id"), ("table" = TableName, Path, description = "Which table"), Parameters),
    responses(
        (status = 200, description = "The table; a client that gets less than it all is told by a broken connection", body = String, content_type = "text/csv"),
        (status = 400, description = "What was asked does not read, or there is no such thing; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn table(
    extract::State(state): extract::State<State>,
    extract::State(places): extract::State<Places>,
    extract::Path((venue, table)): extract::Path<(String, String)>,
    parameters: Result<extract::Query<Parameters>, QueryRejection>,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let table = TableName::parse(&table)?;
    let extract::Query(asked) = parameters.map_err(|_| {
        Problem::bad_request("a parameter is unknown or named twice; there are from, to and step")
    })?;
    let (body, period) = match table {
        TableName::FactFigures => {
            let period = Period::read(&asked)?;
            let place = places.0.try_acquire_owned().map_err(|_| {
                Problem::unavailable(format!(
                    "{EXPORTS_MAX} exports are under way, which is the most; ask again when one has ended"
                ))
            })?;
            (facts::stream(&state, venue, period, place), Some(period))
        }
        TableName::DimDate => {
            let period = Period::read(&Parameters { step: Some("1d".to_owned()), ..asked })?;
            (whole(dimensions::dates(venue, period))?, Some(period))
        }
        table => (whole(dimensions::rows(&state, venue, table).await?)?, None),
    };
    let period =
        period.map_or(String::new(), |Period { from, to, step }| format!("-{}-{from}-{to}", step.as_str()));
    let name = format!("attachment; filename=\"{}-{}{period}.csv\"", venue.id, table.as_str());
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, body).into_response())
}

fn whole(rows: Vec<Vec<String>>) -> Result<Body, Problem> {
    let text = lines(rows).map_err(|_| Problem::unavailable("the table could not be written; try again"))?;
    Ok(Body::from(text))
}

impl Period {
    fn read(asked: &Parameters) -> Result<Self, Problem> {
        let step = asked.step.as_deref().unwrap_or("1h");
        let step = Step::parse(step)
            .ok_or_else(|| Problem::bad_request("there is no such step; step is one of 5m, 15m, 1h, 1d"))?;
        let (from, to) = (date("from", asked.from.as_ref())?, date("to", asked.to.as_ref())?);
        let days_max = if step < Step::Hour { FINE_DAYS_MAX } else { DAYS_MAX };
        match (to - from).num_days() + 1 {
            ..=0 => Err(Problem::bad_request("to lies before from; to is the last day")),
            days if days > days_max => Err(Problem::bad_request(format!(
                "that is {days} days; an export in steps of {} has at most {days_max}. Ask for one piece after the other",
                step.as_str()
            ))),
            _ => Ok(Self { from, to, step }),
        }
    }

    fn days(self) -> impl Iterator<Item = NaiveDate> {
        self.from.iter_days().take_while(move |date| *date <= self.to)
    }
}

fn date(name: &str, text: Option<&String>) -> Result<NaiveDate, Problem> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| {
        Problem::bad_request(format!(
            "{name} must be a date; ask like ?from=2026-11-01&to=2026-11-30&step=1h"
        ))
    })
}

/// The date after.
fn next(date: NaiveDate) -> NaiveDate {
    date.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX)
}

impl TableName {
    const ALL: [Self; 7] = [
        Self::FactFigures,
        Self::DimZone,
        Self::DimSensor,
        Self::DimMetric,
        Self::DimDate,
        Self::DimThresholds,
        Self::DimCalibration,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::FactFigures => "fact_figures",
            Self::DimZone => "dim_zone",
            Self::DimSensor => "dim_sensor",
            Self::DimMetric => "dim_metric",
            Self::DimDate => "dim_date",
            Self::DimThresholds => "dim_thresholds",
            Self::DimCalibration => "dim_calibration",
        }
    }

    fn parse(word: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|table| table.as_str() == word).ok_or_else(|| {
            let words = Self::ALL.map(Self::as_str).join(", ");
            Problem::not_found(format!("there is no such table; the tables are {words}"))
        })
    }
}

/// A row of words.
fn row<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(ToOwned::to_owned).to_vec()
}
