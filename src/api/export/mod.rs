#![doc = include_str!("README.md")]

mod counts;
mod dimensions;
mod facts;
#[cfg(test)]
mod star_tests;
mod tables;
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

use super::dwell::bands_of;
use super::table::lines;
use super::{Problem, State};
use crate::clock::Step;
use crate::release::{Bands, Subject};

/// The most days of an export of hours, of days, and of dates.
pub(super) const DAYS_MAX: i64 = 400;
/// The most days of an export of five minutes or quarter-hours; about as many as are kept.
pub(super) const FINE_DAYS_MAX: i64 = 92;
/// The most exports of facts at once; each reads the database for as long as its client takes it.
const EXPORTS_MAX: usize = 4;
/// What stands for the whole venue where a zone or a group is named; no id has this letter.
const WHOLE_VENUE: &str = "*";
/// What stands for outside where a flow comes in or goes out; no id has this letter.
const OUTSIDE: &str = "~";
/// What is counted in the facts that are no figures.
const FLOWS: &str = "flows";
const CROSS_VISITS: &str = "cross_visits";
const DWELL: &str = "dwell";
const HEAD_COUNT: &str = "head_count";
const DOOR_IN: &str = "door_in";
const DOOR_OUT: &str = "door_out";

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
    /// The length of the windows: 5m, 15m, 1h (unless another is named) or 1d; for facts, as far as the table has such
    /// windows.
    step: Option<String>,
    /// The set of bands of dwell: default (unless another is named), meraki or cmx; for `fact_dwell`.
    bands: Option<String>,
}

/// What facts are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    Figures,
    Flows,
    CrossVisits,
    Dwell(Bands),
    HeadCounts,
    DoorCounts,
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
    /// Flows between zones, entrances and exits: one row a window and cell.
    FactFlows,
    /// Cross-visits: one row a day and two zones.
    FactCrossVisits,
    /// Visits by length: one row a window, place and band.
    FactDwell,
    /// Head counts.
    FactHeadCounts,
    /// Door counts: one row an hour, door and direction.
    FactDoorCounts,
    /// Zones, groups, the venue itself, and outside.
    DimZone,
    /// Sensors.
    DimSensor,
    /// Metrics, their units, and what kind of figure each is.
    DimMetric,
    /// Bands of dwell.
    DimBand,
    /// Door counters of which anything is kept.
    DimDoor,
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
        Problem::bad_request("a parameter is unknown or named twice; there are from, to, step and bands")
    })?;
    let fact = Fact::read(table, asked.bands.as_deref())?;
    let (body, period) = match (table, fact) {
        (_, Some(fact)) => {
            let period = Period::read(&asked, |step| fact.has_step(step))?;
            let place = places.0.try_acquire_owned().map_err(|_| {
                Problem::unavailable(format!(
                    "{EXPORTS_MAX} exports are under way, which is the most; ask again when one has ended"
                ))
            })?;
            (facts::stream(&state, venue, (fact, period), place), Some(period))
        }
        (TableName::DimDate, None) => {
            let period = Period::read(&Parameters { step: Some("1d".to_owned()), ..asked }, |_| true)?;
            (whole(dimensions::dates(venue, period))?, Some(period))
        }
        (table, None) => (whole(dimensions::rows(&state, venue, table).await?)?, None),
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
    /// Reads which days are asked for, in which of the steps that there are: hours unless another is named, or the only one.
    fn read(asked: &Parameters, has_step: impl Fn(Step) -> bool) -> Result<Self, Problem> {
        let steps: Vec<Step> = Step::ALL.into_iter().filter(|step| has_step(*step)).collect();
        let usual = steps.iter().copied().find(|step| *step == Step::Hour).or_else(|| steps.first().copied());
        let step = asked.step.as_deref().map_or(usual, Step::parse).filter(|step| has_step(*step));
        let step = step.ok_or_else(|| {
            let words: Vec<&str> = steps.iter().map(|step| step.as_str()).collect();
            Problem::bad_request(format!("there is no such step; step is one of {}", words.join(", ")))
        })?;
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

impl Fact {
    /// What the facts of a table are of; `None` if it has none.
    fn read(table: TableName, bands: Option<&str>) -> Result<Option<Self>, Problem> {
        if bands.is_some() && table != TableName::FactDwell {
            return Err(Problem::bad_request("only fact_dwell has bands; leave bands out"));
        }
        Ok(Some(match table {
            TableName::FactFigures => Self::Figures,
            TableName::FactFlows => Self::Flows,
            TableName::FactCrossVisits => Self::CrossVisits,
            TableName::FactDwell => Self::Dwell(bands_of(bands)?),
            TableName::FactHeadCounts => Self::HeadCounts,
            TableName::FactDoorCounts => Self::DoorCounts,
            TableName::DimZone
            | TableName::DimSensor
            | TableName::DimMetric
            | TableName::DimBand
            | TableName::DimDoor
            | TableName::DimDate
            | TableName::DimThresholds
            | TableName::DimCalibration => return Ok(None),
        }))
    }

    /// Whether there are windows of this step. A head count has its own length, and goes by the day that it is of.
    fn has_step(self, step: Step) -> bool {
        match self {
            Self::Figures => true,
            Self::Flows => Subject::Flows.has_step(step),
            Self::CrossVisits => Subject::CrossVisits.has_step(step),
            Self::Dwell(bands) => Subject::Dwell(bands).has_step(step),
            Self::HeadCounts => step == Step::Day,
            Self::DoorCounts => step == Step::Hour,
        }
    }
}

/// The key of a band of dwell: its set, and from how many minutes on.
fn band_key(bands: Bands, from_min: u16) -> String {
    format!("{}:{from_min}", bands.as_str())
}

impl TableName {
    const ALL: [Self; 14] = [
        Self::FactFigures,
        Self::FactFlows,
        Self::FactCrossVisits,
        Self::FactDwell,
        Self::FactHeadCounts,
        Self::FactDoorCounts,
        Self::DimZone,
        Self::DimSensor,
        Self::DimMetric,
        Self::DimBand,
        Self::DimDoor,
        Self::DimDate,
        Self::DimThresholds,
        Self::DimCalibration,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::FactFigures => "fact_figures",
            Self::FactFlows => "fact_flows",
            Self::FactCrossVisits => "fact_cross_visits",
            Self::FactDwell => "fact_dwell",
            Self::FactHeadCounts => "fact_head_counts",
            Self::FactDoorCounts => "fact_door_counts",
            Self::DimZone => "dim_zone",
            Self::DimSensor => "dim_sensor",
            Self::DimMetric => "dim_metric",
            Self::DimBand => "dim_band",
            Self::DimDoor => "dim_door",
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
