//! Cross-visits: of the visits to one zone those that were in another as well.

use axum::extract;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;

use super::figures::StepWord;
use super::sheets::{AddedWindow, Days, Head, Stretch, TABLES_MAX, Together, Words};
use super::table::{Format, Table, answer};
use super::{Problem, State};
use crate::release::{SheetCell, Subject};
use crate::store::CellSum;

/// Which windows to give.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// The first moment, RFC 3339, on the edge of a venue day.
    #[param(required = true, format = DateTime, value_type = String)]
    from: Option<String>,
    /// The first moment after the last day, RFC 3339, on the edge of a venue day. At most 175 fit in an answer.
    #[param(required = true, format = DateTime, value_type = String)]
    to: Option<String>,
    /// The length of the windows: `1d`.
    #[param(required = true, value_type = StepWord)]
    step: Option<String>,
}

/// Cross-visits of some days.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct CrossVisits {
    /// The venue.
    venue: String,
    /// In order of time. A day of which there is nothing is left out.
    windows: Vec<CrossWindow>,
}

/// Cross-visits of one day. A visit is counted where its last sighting lies.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct CrossWindow {
    #[serde(flatten)]
    head: Head,
    /// The cells that are told.
    cells: Vec<CrossCell>,
}

/// Of the visits that stayed in one zone as visitors do, the share that stayed in the other as well.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct CrossCell {
    /// The one zone.
    zone: String,
    /// The other.
    also: String,
    /// Percent of the visits to the one.
    #[schema(maximum = 100)]
    value: u32,
    /// The lower end of the 80 % band.
    low: u32,
    /// The upper end of the 80 % band.
    high: u32,
}

/// Of the visits to each zone the share that was in each other as well. Days that have begun and not closed are `open`,
/// without a cell.
#[utoipa::path(
    get, operation_id = "cross_visits",
    path = "/api/v1/venues/{venue}/cross-visits",
    params(("venue" = String, Path, description = "The venue's id"), Parameters),
    responses(
        (status = 200, description = "The cross-visits", content((CrossVisits = "application/json"), (String = "text/csv"))),
        (status = 400, description = "What was asked does not read, or there is no such thing; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn matrix(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    parameters: Result<extract::Query<Parameters>, QueryRejection>,
    format: Format,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let extract::Query(Parameters { from, to, step }) = parameters.map_err(|_| {
        Problem::bad_request("a parameter is unknown or named twice; there are from, to and step")
    })?;
    let words = Words { from: from.as_deref(), to: to.as_deref(), step: step.as_deref() };
    let stretch = Stretch::read(venue, Subject::CrossVisits, TABLES_MAX, &words)?;
    let tables = stretch.tables(&state, venue, None, Subject::CrossVisits).await?;
    let window = |(head, sheet): (Head, Option<crate::store::PublishedSheet>)| CrossWindow {
        head,
        cells: sheet.into_iter().flat_map(|sheet| sheet.cells).map(CrossCell::from).collect(),
    };
    let windows = tables.into_iter().map(window).collect();
    Ok(answer(format, &CrossVisits { venue: venue.id.to_string(), windows }))
}

/// Cross-visits of several days together.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct CrossMean {
    /// The venue.
    venue: String,
    /// The days of which the means are, in order of time, without their cells. A day of which there is nothing is left out.
    windows: Vec<AddedWindow>,
    /// The cells that are told of any of the days.
    cells: Vec<MeanCell>,
}

/// Of the visits that stayed in one zone as visitors do, the share that stayed in the other as well: the mean of the days that
/// tell it, each of which weighs the same.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct MeanCell {
    /// The one zone.
    zone: String,
    /// The other.
    also: String,
    /// Percent of the visits to the one.
    #[schema(maximum = 100)]
    value: u32,
    /// The mean of the lower ends of the days' 80 % bands.
    low: u32,
    /// The mean of the upper ends.
    high: u32,
    /// How many days tell it, at least 1.
    windows: u32,
}

/// Of the visits to each zone the share that was in each other as well, as the mean of days. Days that have begun and not closed
/// are `open`, and nothing of them is in the means.
#[utoipa::path(
    get, operation_id = "cross_visits_mean",
    path = "/api/v1/venues/{venue}/cross-visits/mean",
    params(("venue" = String, Path, description = "The venue's id"), Days),
    responses(
        (status = 200, description = "The cross-visits together", content((CrossMean = "application/json"), (String = "text/csv"))),
        (status = 400, description = "What was asked does not read, or there is no such thing; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn mean(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    days: Result<extract::Query<Days>, QueryRejection>,
    format: Format,
) -> Result<Response, Problem> {
    let Together { venue, windows, cells } =
        Together::read(&state, &venue, Subject::CrossVisits, days).await?;
    Ok(answer(format, &CrossMean { venue, windows, cells }))
}

impl From<SheetCell> for CrossCell {
    fn from(told: SheetCell) -> Self {
        let (value, low, high) = told.value;
        Self { zone: told.row, also: told.column, value, low, high }
    }
}

impl From<CellSum> for MeanCell {
    fn from(CellSum { row, column, sum: (value, low, high), sheets }: CellSum) -> Self {
        // To the nearest percent.
        let mean = |sum: u32| (sum + sheets / 2) / sheets.max(1);
        Self {
            zone: row,
            also: column,
            value: mean(value),
            low: mean(low),
            high: mean(high),
            windows: sheets,
        }
    }
}

impl Table for CrossMean {
    const COLUMNS: &'static [&'static str] = &["zone", "also", "value", "low", "high", "windows"];

    /// A line a cell.
    fn rows(&self) -> Vec<Vec<String>> {
        let row = |mean: &MeanCell| {
            let MeanCell { zone, also, value, low, high, windows } = mean;
            let mut row = vec![zone.clone(), also.clone()];
            row.extend([value, low, high, windows].map(ToString::to_string));
            row
        };
        self.cells.iter().map(row).collect()
    }
}

impl Table for CrossVisits {
    const COLUMNS: &'static [&'static str] =
        &["from", "to", "state", "flags", "coverage", "thresholds", "zone", "also", "value", "low", "high"];

    /// A line a cell; a day without any has a line of its own.
    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for window in &self.windows {
            for CrossCell { zone, also, value, low, high } in &window.cells {
                let mut row = window.head.columns();
                row.extend([zone.clone(), also.clone()]);
                row.extend([value, low, high].map(ToString::to_string));
                rows.push(row);
            }
            if window.cells.is_empty() {
                let mut row = window.head.columns();
                row.resize(Self::COLUMNS.len(), String::new());
                rows.push(row);
            }
        }
        rows
    }
}
