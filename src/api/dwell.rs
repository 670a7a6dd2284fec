//! Dwell: visitors' visits by length, in one of three sets of bands.

use axum::extract;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;

use super::asked::{Place, place_of};
use super::figures::StepWord;
use super::sheets::{Head, Stretch, WINDOWS_MAX, Words};
use super::table::{Format, Table, answer, cell};
use super::{Problem, State};
use crate::release::{self, Bands, SheetCell, Subject};
use crate::store::PublishedSheet;

/// What to give the lengths of.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// The id of a zone; without it the whole venue.
    zone: Option<String>,
    /// The first moment, RFC 3339, on the edge of a window of the step.
    #[param(required = true, format = DateTime, value_type = String)]
    from: Option<String>,
    /// The first moment after the last window, RFC 3339, on the edge of a window of the step. At most 800 fit in an answer.
    #[param(required = true, format = DateTime, value_type = String)]
    to: Option<String>,
    /// The length of the windows: `1h` or `1d`.
    #[param(required = true, value_type = StepWord)]
    step: Option<String>,
    /// The set of bands; without it the default one.
    #[param(required = false, value_type = BandsWord)]
    bands: Option<String>,
}

/// A set of bands.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "it is a word of the document")]
enum BandsWord {
    /// From 5, 15, 30, 60, 120 and 240 minutes on.
    Default,
    /// Meraki's: from 5, 20, 60 and 360 minutes on.
    Meraki,
    /// CMX's: from 5, 30, 60, 300 and 480 minutes on.
    Cmx,
}

/// Visits by length.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Dwell {
    /// The venue.
    venue: String,
    /// The zone; null is the venue.
    #[schema(required = true)]
    zone: Option<String>,
    /// The bands, in the order of the values.
    bands: Vec<Band>,
    /// In order of time. A window of which there is nothing is left out.
    windows: Vec<DwellWindow>,
}

/// A band of lengths.
#[derive(Clone, Copy, serde::Serialize, utoipa::ToSchema)]
pub(super) struct Band {
    /// From so many minutes on.
    pub(super) from_min: u16,
    /// Up to, and without, so many; null is without end.
    #[schema(required = true)]
    pub(super) to_min: Option<u16>,
}

/// Visits of one window by length. A visit is counted where its last sighting lies.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct DwellWindow {
    #[serde(flatten)]
    head: Head,
    /// One a band.
    values: Vec<BandValue>,
}

/// Visits of one band.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct BandValue {
    /// Whether there is a value.
    state: release::State,
    /// Visitors' visits, a multiple of 5; null unless final.
    #[schema(required = true)]
    value: Option<u32>,
    /// The lower end of the 80 % band; null unless final.
    #[schema(required = true)]
    low: Option<u32>,
    /// The upper end of the 80 % band; null unless final.
    #[schema(required = true)]
    high: Option<u32>,
}

/// Visitors' visits by length. Windows that have begun and not closed are `open`, without values.
#[utoipa::path(
    get, operation_id = "dwell",
    path = "/api/v1/venues/{venue}/dwell",
    params(("venue" = String, Path, description = "The venue's id"), Parameters),
    responses(
        (status = 200, description = "Visits by length", content((Dwell = "application/json"), (String = "text/csv"))),
        (status = 400, description = "What was asked does not read, or there is no such thing; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn bands(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    parameters: Result<extract::Query<Parameters>, QueryRejection>,
    format: Format,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let extract::Query(Parameters { zone, from, to, step, bands }) = parameters.map_err(|_| {
        Problem::bad_request(
            "a parameter is unknown or named twice; there are zone, from, to, step and bands",
        )
    })?;
    let bands = bands_of(bands.as_deref())?;
    let (place, zone) = place_of(venue, zone.as_deref())?;
    if place == Place::Group {
        return Err(Problem::bad_request("a group has no dwell; leave zone out, or name one of its zones"));
    }
    let subject = Subject::Dwell(bands);
    let words = Words { from: from.as_deref(), to: to.as_deref(), step: step.as_deref() };
    let stretch = Stretch::read(venue, subject, WINDOWS_MAX, &words)?;
    let tables = stretch.tables(&state, venue, zone, subject).await?;
    let dwell = Dwell {
        venue: venue.id.to_string(),
        zone: zone.map(ToString::to_string),
        bands: Band::all_of(bands),
        windows: tables.into_iter().map(|table| DwellWindow::of(bands, table)).collect(),
    };
    Ok(answer(format, &dwell))
}

/// The set of bands that is named, or the default one.
pub(super) fn bands_of(word: Option<&str>) -> Result<Bands, Problem> {
    Bands::parse(word.unwrap_or(Bands::Default.as_str())).ok_or_else(|| {
        let words = Bands::ALL.map(Bands::as_str).join(", ");
        Problem::bad_request(format!("there is no such set of bands; bands is one of {words}"))
    })
}

impl Band {
    pub(super) fn all_of(bands: Bands) -> Vec<Self> {
        let starts = bands.starts();
        let ends = starts.iter().skip(1).copied().map(Some).chain([None]);
        starts.iter().zip(ends).map(|(from_min, to_min)| Self { from_min: *from_min, to_min }).collect()
    }
}

impl DwellWindow {
    fn of(bands: Bands, (head, sheet): (Head, Option<PublishedSheet>)) -> Self {
        let cells = sheet.as_ref().map_or(&[][..], |sheet| &sheet.cells);
        // A band is open as long as its window is, and held back where it is not told.
        let untold = if head.state == release::State::Open { head.state } else { release::State::HeldBack };
        let value = |start: &u16| {
            let row = start.to_string();
            BandValue::of(untold, cells.iter().find(|cell| cell.row == row))
        };
        Self { values: bands.starts().iter().map(value).collect(), head }
    }
}

impl BandValue {
    fn of(untold: release::State, told: Option<&SheetCell>) -> Self {
        let Some(cell) = told else { return Self { state: untold, value: None, low: None, high: None } };
        let (value, low, high) = cell.value;
        Self { state: release::State::Final, value: Some(value), low: Some(low), high: Some(high) }
    }
}

impl Table for Dwell {
    const COLUMNS: &'static [&'static str] = &[
        "from",
        "to",
        "window_state",
        "flags",
        "coverage",
        "thresholds",
        "zone",
        "from_min",
        "to_min",
        "state",
        "value",
        "low",
        "high",
    ];

    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for window in &self.windows {
            for (band, told) in self.bands.iter().zip(&window.values) {
                let mut row = window.head.columns();
                row.extend([cell(self.zone.as_ref()), band.from_min.to_string(), cell(band.to_min)]);
                row.extend([
                    told.state.as_str().to_owned(),
                    cell(told.value),
                    cell(told.low),
                    cell(told.high),
                ]);
                rows.push(row);
            }
        }
        rows
    }
}
