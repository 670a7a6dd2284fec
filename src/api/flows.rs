//! Flows: from which zone visits went to which next.

use axum::extract;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;

use super::figures::StepWord;
use super::sheets::{AddedWindow, Days, Head, Stretch, TABLES_MAX, Together, Words};
use super::table::{Format, Table, answer, cell};
use super::{Problem, State};
use crate::release::{SheetCell, Subject};
use crate::store::CellSum;

/// Which windows to give.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// The first moment, RFC 3339, on the edge of a window of the step.
    #[param(required = true, format = DateTime, value_type = String)]
    from: Option<String>,
    /// The first moment after the last window, RFC 3339, on the edge of a window of the step. At most 175 fit in an answer.
    #[param(required = true, format = DateTime, value_type = String)]
    to: Option<String>,
    /// The length of the windows: `1h` or `1d`.
    #[param(required = true, value_type = StepWord)]
    step: Option<String>,
}

/// Flows of some windows.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Flows {
    /// The venue.
    venue: String,
    /// In order of time. A window of which there is nothing is left out.
    windows: Vec<FlowWindow>,
}

/// Flows of one window. A visit is counted where its last sighting lies, and in each cell once.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct FlowWindow {
    #[serde(flatten)]
    head: Head,
    /// How many are counted in cells that are not told, a multiple of 5; null where that may not be told, or is none.
    #[schema(required = true)]
    held_back: Option<u32>,
    /// The cells that are told; those that are not are of fewer than k, or of nobody.
    cells: Vec<FlowCell>,
}

/// Visits that went from one zone to another next, in each of which they stayed as visitors do, whatever they crossed between.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct FlowCell {
    /// The zone that was left; null is outside, and the other zone then is the one in which the visit was first near.
    #[schema(required = true)]
    from_zone: Option<String>,
    /// The zone that was next; null is outside, and the other zone then is the one in which the visit was last near.
    #[schema(required = true)]
    to_zone: Option<String>,
    /// Visits, a multiple of 5.
    value: u32,
    /// The lower end of the 80 % band.
    low: u32,
    /// The upper end of the 80 % band.
    high: u32,
}

/// From which zone visits went to which next, with entrances and exits. Windows that have begun and not closed are `open`,
/// without a cell.
#[utoipa::path(
    get, operation_id = "flows",
    path = "/api/v1/venues/{venue}/flows",
    params(("venue" = String, Path, description = "The venue's id"), Parameters),
    responses(
        (status = 200, description = "The flows", content((Flows = "application/json"), (String = "text/csv"))),
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
    let stretch = Stretch::read(venue, Subject::Flows, TABLES_MAX, &words)?;
    let tables = stretch.tables(&state, venue, None, Subject::Flows).await?;
    let window = |(head, sheet): (Head, Option<crate::store::PublishedSheet>)| FlowWindow {
        head,
        held_back: sheet.as_ref().and_then(|sheet| sheet.head.held_back),
        cells: sheet.into_iter().flat_map(|sheet| sheet.cells).map(FlowCell::from).collect(),
    };
    let windows = tables.into_iter().map(window).collect();
    Ok(answer(format, &Flows { venue: venue.id.to_string(), windows }))
}

/// Flows of several days together.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct FlowTotal {
    /// The venue.
    venue: String,
    /// The days that are added up, in order of time, without their cells. A day of which there is nothing is left out.
    windows: Vec<AddedWindow>,
    /// The cells that are told of any of the days.
    cells: Vec<FlowSum>,
}

/// Visits that went from one zone to another next, of all the days that tell it together.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct FlowSum {
    /// The zone that was left; null is outside.
    #[schema(required = true)]
    from_zone: Option<String>,
    /// The zone that was next; null is outside.
    #[schema(required = true)]
    to_zone: Option<String>,
    /// Visits, a multiple of 5: the sum over the days that tell it.
    value: u32,
    /// The sum of the lower ends of their 80 % bands, at least as far out as the lower end of the sum's.
    low: u32,
    /// The sum of the upper ends, likewise.
    high: u32,
    /// How many days tell it, at least 1; on the others it is of fewer than k, or of nobody.
    windows: u32,
}

/// From which zone visits went to which next, with entrances and exits, added up over days. Days that have begun and not closed
/// are `open`, and nothing of them is in the sums.
#[utoipa::path(
    get, operation_id = "flow_total",
    path = "/api/v1/venues/{venue}/flows/total",
    params(("venue" = String, Path, description = "The venue's id"), Days),
    responses(
        (status = 200, description = "The flows together", content((FlowTotal = "application/json"), (String = "text/csv"))),
        (status = 400, description = "What was asked does not read, or there is no such thing; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn total(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    days: Result<extract::Query<Days>, QueryRejection>,
    format: Format,
) -> Result<Response, Problem> {
    let Together { venue, windows, cells } = Together::read(&state, &venue, Subject::Flows, days).await?;
    Ok(answer(format, &FlowTotal { venue, windows, cells }))
}

/// A zone's id; of the empty word, which is outside, there is none.
fn zone_of(word: String) -> Option<String> {
    Some(word).filter(|word| !word.is_empty())
}

impl From<SheetCell> for FlowCell {
    fn from(told: SheetCell) -> Self {
        let (value, low, high) = told.value;
        Self { from_zone: zone_of(told.row), to_zone: zone_of(told.column), value, low, high }
    }
}

impl From<CellSum> for FlowSum {
    fn from(CellSum { row, column, sum: (value, low, high), sheets }: CellSum) -> Self {
        Self { from_zone: zone_of(row), to_zone: zone_of(column), value, low, high, windows: sheets }
    }
}

impl Table for FlowTotal {
    const COLUMNS: &'static [&'static str] = &["from_zone", "to_zone", "value", "low", "high", "windows"];

    /// A line a cell.
    fn rows(&self) -> Vec<Vec<String>> {
        let row = |sum: &FlowSum| {
            let FlowSum { from_zone, to_zone, value, low, high, windows } = sum;
            let mut row = vec![cell(from_zone.as_ref()), cell(to_zone.as_ref())];
            row.extend([value, low, high, windows].map(ToString::to_string));
            row
        };
        self.cells.iter().map(row).collect()
    }
}

impl Table for Flows {
    const COLUMNS: &'static [&'static str] = &[
        "from",
        "to",
        "state",
        "flags",
        "coverage",
        "thresholds",
        "held_back",
        "from_zone",
        "to_zone",
        "value",
        "low",
        "high",
    ];

    /// A line a cell; a window without any has a line of its own.
    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for window in &self.windows {
            let head = || {
                let mut head = window.head.columns();
                head.push(cell(window.held_back));
                head
            };
            for flow in &window.cells {
                let FlowCell { from_zone, to_zone, value, low, high } = flow;
                let mut row = head();
                row.extend([cell(from_zone.as_ref()), cell(to_zone.as_ref())]);
                row.extend([value, low, high].map(ToString::to_string));
                rows.push(row);
            }
            if window.cells.is_empty() {
                let mut row = head();
                row.resize(Self::COLUMNS.len(), String::new());
                rows.push(row);
            }
        }
        rows
    }
}
