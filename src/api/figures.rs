//! Figures: a metric of a venue, a zone or a group, as a series.

use axum::extract;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;

use super::asked::Asked;
use super::table::{Format, Table, answer, cell};
use super::{Problem, State};
use crate::clock::{EpochMs, Step, Window};
use crate::config::{ClockKind, Venue};
use crate::release::{self, Metric};
use crate::store::Published;

/// What to give a series of.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// What is counted.
    #[param(required = true, value_type = Metric)]
    pub(super) metric: Option<String>,
    /// The id of a zone or a group; without it the whole venue.
    pub(super) zone: Option<String>,
    /// The first moment, RFC 3339, on the edge of a window of the step.
    #[param(required = true, format = DateTime, value_type = String)]
    pub(super) from: Option<String>,
    /// The first moment after the last window, RFC 3339, on the edge of a window of the step.
    #[param(required = true, format = DateTime, value_type = String)]
    pub(super) to: Option<String>,
    /// The length of the windows. At most 2,000 fit in an answer.
    #[param(required = true, value_type = StepWord)]
    pub(super) step: Option<String>,
}

/// The length of a window; `1d` is a venue day.
#[derive(Clone, Copy, serde::Serialize, utoipa::ToSchema)]
pub(super) enum StepWord {
    /// Five minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// A quarter of an hour.
    #[serde(rename = "15m")]
    QuarterHour,
    /// One hour.
    #[serde(rename = "1h")]
    Hour,
    /// One venue day.
    #[serde(rename = "1d")]
    Day,
}

/// A series of figures.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Series {
    /// The venue.
    venue: String,
    /// What is counted.
    metric: Metric,
    /// The length of the windows.
    step: StepWord,
    /// In order of time. A window for which there is no figure is left out.
    figures: Vec<SeriesFigure>,
}

/// A figure of one window.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct SeriesFigure {
    /// The window's first moment, RFC 3339.
    from: String,
    /// The first moment after it, RFC 3339.
    to: String,
    /// The zone or group; null is the venue.
    #[schema(required = true)]
    zone: Option<String>,
    /// In whole units of the metric; null unless final.
    #[schema(required = true)]
    value: Option<u32>,
    /// The lower end of the 80 % band; null unless final.
    #[schema(required = true)]
    low: Option<u32>,
    /// The upper end of the 80 % band; null unless final.
    #[schema(required = true)]
    high: Option<u32>,
    /// Whether there is a value.
    state: release::State,
    /// What a reader must know: `incomplete`, `uncalibrated`, `rekeyed`, `replay`.
    flags: Vec<&'static str>,
    /// The share of the window in which its sensors were alive, 0 to 1; null while open.
    #[schema(required = true)]
    coverage: Option<f64>,
    /// The version of the thresholds; null while open.
    #[schema(required = true)]
    thresholds: Option<u32>,
    /// The version of the calibration, 0 is none; null while open.
    #[schema(required = true)]
    calibration: Option<u32>,
}

/// A series of judged figures. Windows that have begun and not closed are `open`, without a value.
#[utoipa::path(
    get, operation_id = "figures",
    path = "/api/v1/venues/{venue}/figures",
    params(("venue" = String, Path, description = "The venue's id"), Parameters),
    responses(
        (status = 200, description = "The series", content((Series = "application/json"), (String = "text/csv"))),
        (status = 400, description = "What was asked does not read, or there is no such thing; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn series(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    parameters: Result<extract::Query<Parameters>, QueryRejection>,
    format: Format,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let extract::Query(parameters) = parameters.map_err(|_| {
        Problem::bad_request(
            "a parameter is unknown or named twice; there are metric, zone, from, to and step",
        )
    })?;
    let asked = Asked::read(venue, &parameters)?;
    // The clock is read first: a window that closes in between is then given as it was stored.
    let now = state.newest(venue).map_or_else(|| state.clock.now(), |live| live.at);
    let stored =
        state.store.series(&venue.id, asked.scope, asked.metric, asked.step, asked.from, asked.to).await?;
    let open = open(&asked, &stored, now);
    let zone = asked.scope.map(ToString::to_string);
    let mut figures: Vec<(EpochMs, SeriesFigure)> = Vec::with_capacity(stored.len() + open.len());
    for figure in &stored {
        figures.push((figure.window.from, SeriesFigure::closed(venue, zone.clone(), figure)));
    }
    for window in open {
        figures.push((window.from, SeriesFigure::open(venue, zone.clone(), window)));
    }
    figures.sort_by_key(|(from, _)| *from);
    let series = Series {
        venue: venue.id.to_string(),
        metric: asked.metric,
        step: asked.step.into(),
        figures: figures.into_iter().map(|(_, figure)| figure).collect(),
    };
    Ok(answer(format, &series))
}

/// The windows that have begun and not closed.
fn open(asked: &Asked<'_>, stored: &[Published], now: EpochMs) -> Vec<Window> {
    let closes = asked.metric.closes_after_secs();
    let is_open = |window: &Window| window.from < now && now < window.to.plus_secs(closes);
    let is_stored =
        |window: &Window| stored.binary_search_by_key(&window.from, |figure| figure.window.from).is_ok();
    asked.windows.iter().filter(|w| is_open(w) && !is_stored(w)).copied().collect()
}

impl SeriesFigure {
    fn closed(venue: &Venue, zone: Option<String>, figure: &Published) -> Self {
        Self {
            from: venue.calendar.rfc3339(figure.window.from),
            to: venue.calendar.rfc3339(figure.window.to),
            zone,
            value: figure.value.map(|v| v.value),
            low: figure.value.map(|v| v.low),
            high: figure.value.map(|v| v.high),
            state: figure.state(),
            flags: figure.flags.words(),
            coverage: Some(f64::from(figure.coverage_permille) / 1000.0),
            thresholds: Some(figure.thresholds),
            calibration: Some(figure.calibration),
        }
    }

    fn open(venue: &Venue, zone: Option<String>, window: Window) -> Self {
        let replay = venue.clock == ClockKind::Sightings;
        Self {
            from: venue.calendar.rfc3339(window.from),
            to: venue.calendar.rfc3339(window.to),
            zone,
            value: None,
            low: None,
            high: None,
            state: release::State::Open,
            flags: release::Flags { replay, ..release::Flags::default() }.words(),
            coverage: None,
            thresholds: None,
            calibration: None,
        }
    }
}

impl From<Step> for StepWord {
    fn from(step: Step) -> Self {
        match step {
            Step::FiveMinutes => Self::FiveMinutes,
            Step::QuarterHour => Self::QuarterHour,
            Step::Hour => Self::Hour,
            Step::Day => Self::Day,
        }
    }
}

impl Table for Series {
    const COLUMNS: &'static [&'static str] = &[
        "from",
        "to",
        "zone",
        "value",
        "low",
        "high",
        "state",
        "flags",
        "coverage",
        "thresholds",
        "calibration",
    ];

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |figure: &SeriesFigure| {
            vec![
                figure.from.clone(),
                figure.to.clone(),
                cell(figure.zone.as_ref()),
                cell(figure.value),
                cell(figure.low),
                cell(figure.high),
                figure.state.as_str().to_owned(),
                figure.flags.join(";"),
                cell(figure.coverage),
                cell(figure.thresholds),
                cell(figure.calibration),
            ]
        };
        self.figures.iter().map(row).collect()
    }
}

#[cfg(test)]
#[path = "figures_tests.rs"]
mod tests;
