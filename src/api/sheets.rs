//! What answers with tables have in common: which windows are asked for, and what is said of each.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use super::asked::{moment, on_edge, windows_within};
use super::{Problem, State};
use crate::clock::{EpochMs, Step, Window};
use crate::config::{ClockKind, Venue};
use crate::release::{self, Metric, Subject};
use crate::store::{CellSum, PublishedSheet, SheetHead};
use passant_wire::Id;

/// The most windows in an answer of tables: a week of hours, each of which may have a cell for every two zones.
pub(super) const TABLES_MAX: usize = 175;
/// The most windows in an answer that has a line or a sum of each: two years of days.
pub(super) const WINDOWS_MAX: usize = 800;

/// The windows of a question, as they were written.
pub(super) struct Words<'a> {
    pub(super) from: Option<&'a str>,
    pub(super) to: Option<&'a str>,
    pub(super) step: Option<&'a str>,
}

/// Which days to add up.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Days {
    /// The first moment, RFC 3339, on the edge of a venue day.
    #[param(required = true, format = DateTime, value_type = String)]
    from: Option<String>,
    /// The first moment after the last day, RFC 3339, on the edge of a venue day. At most 800 fit in an answer.
    #[param(required = true, format = DateTime, value_type = String)]
    to: Option<String>,
}

/// What is said of one of the windows that are added up.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct AddedWindow {
    #[serde(flatten)]
    head: Head,
    /// How many are counted in cells that are not told, a multiple of 5; null where that may not be told, or is none.
    #[schema(required = true)]
    held_back: Option<u32>,
}

/// The windows of a question, read and checked.
pub(super) struct Stretch {
    pub(super) step: Step,
    from: EpochMs,
    to: EpochMs,
    windows: Vec<Window>,
}

/// What is said of a window, whatever its table holds.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
pub(super) struct Head {
    /// The window's first moment, RFC 3339.
    #[schema(format = DateTime)]
    pub(super) from: String,
    /// The first moment after it, RFC 3339.
    #[schema(format = DateTime)]
    pub(super) to: String,
    /// Final where anything is told of it.
    pub(super) state: release::State,
    /// What a reader must know: `incomplete`, `rekeyed`, `replay`.
    pub(super) flags: Vec<&'static str>,
    /// The share of the window in which its sensors were alive, 0 to 1; null while open.
    #[schema(required = true)]
    pub(super) coverage: Option<f64>,
    /// The version of the thresholds; null while open.
    #[schema(required = true)]
    pub(super) thresholds: Option<u32>,
}

impl Stretch {
    /// Reads and checks which windows of a table a client asks for, of which an answer has room for so many.
    pub(super) fn read(
        venue: &Venue,
        subject: Subject,
        most: usize,
        asked: &Words<'_>,
    ) -> Result<Self, Problem> {
        let steps: Vec<&str> =
            Step::ALL.into_iter().filter(|step| subject.has_step(*step)).map(Step::as_str).collect();
        let steps = steps.join(", ");
        let step = Step::parse(needed("step", asked.step)?).filter(|step| subject.has_step(*step));
        let step = step.ok_or_else(|| {
            Problem::bad_request(format!("there is no such step here; step is one of {steps}"))
        })?;
        let from = moment("from", needed("from", asked.from)?)?;
        let to = moment("to", needed("to", asked.to)?)?;
        if from >= to {
            return Err(Problem::bad_request("from must lie before to"));
        }
        on_edge(venue, step, "from", from)?;
        on_edge(venue, step, "to", to)?;
        let too_many = || {
            let fits = subject.has_step(Step::Day)
                && step != Step::Day
                && windows_within(most, venue, Step::Day, from, to).is_some();
            let fits = if fits { "step=1d fits, or ask for less time" } else { "ask for less time" };
            Problem::bad_request(format!("that is more than {most} windows of a table; {fits}"))
        };
        let windows = windows_within(most, venue, step, from, to).ok_or_else(too_many)?;
        Ok(Self { step, from, to, windows })
    }

    /// What is told of each window, in order of time: of an open one nothing, and one of which there is nothing is left out.
    pub(super) async fn tables(
        &self,
        state: &State,
        venue: &Venue,
        zone: Option<&Id>,
        subject: Subject,
    ) -> Result<Vec<(Head, Option<PublishedSheet>)>, Problem> {
        let now = now_of(state, venue);
        let stored = state.store.sheets(&venue.id, zone, subject, self.step, (self.from, self.to)).await?;
        Ok(self.with_open(venue, now, stored, |sheet| &sheet.head))
    }

    /// What is stored of windows, and the open ones among them.
    fn with_open<T>(
        &self,
        venue: &Venue,
        now: EpochMs,
        stored: Vec<T>,
        head_of: impl Fn(&T) -> &SheetHead,
    ) -> Vec<(Head, Option<T>)> {
        let mut stored = stored.into_iter().peekable();
        let mut tables = Vec::new();
        for window in &self.windows {
            match stored.next_if(|of| head_of(of).window.from == window.from) {
                Some(of) => tables.push((Head::closed(venue, head_of(&of)), Some(of))),
                None if is_open(*window, now) => tables.push((Head::open(venue, *window), None)),
                None => {}
            }
        }
        tables
    }
}

/// Some days of a venue added up.
pub(super) struct Together<C> {
    pub(super) venue: String,
    /// Which days those are, in order of time.
    pub(super) windows: Vec<AddedWindow>,
    /// The cells that any of them tells.
    pub(super) cells: Vec<C>,
}

impl<C: From<CellSum>> Together<C> {
    /// Reads and checks which days a client wants added up, and what is told of them.
    pub(super) async fn read(
        state: &State,
        venue: &str,
        subject: Subject,
        days: Result<Query<Days>, QueryRejection>,
    ) -> Result<Self, Problem> {
        let venue = state.venue(venue)?;
        let Query(Days { from, to }) = days.map_err(|_| {
            Problem::bad_request(
                "a parameter is unknown or named twice; there are from and to, and the step is 1d",
            )
        })?;
        let words = Words { from: from.as_deref(), to: to.as_deref(), step: Some(Step::Day.as_str()) };
        let stretch = Stretch::read(venue, subject, WINDOWS_MAX, &words)?;
        let now = now_of(state, venue);
        let total = state.store.sheet_total(&venue.id, subject, (stretch.from, stretch.to)).await?;
        let window = |(head, of): (Head, Option<SheetHead>)| AddedWindow {
            head,
            held_back: of.and_then(|of| of.held_back),
        };
        let windows = stretch.with_open(venue, now, total.heads, |head| head).into_iter().map(window);
        Ok(Self {
            venue: venue.id.to_string(),
            windows: windows.collect(),
            cells: total.cells.into_iter().map(C::from).collect(),
        })
    }
}

/// The venue's newest moment. It is read before the store is: a window that closes in between is then given as it was stored.
fn now_of(state: &State, venue: &Venue) -> EpochMs {
    state.newest(venue).map_or_else(|| state.clock.now(), |live| live.at)
}

/// Whether a window has begun and not closed.
fn is_open(window: Window, now: EpochMs) -> bool {
    window.from < now && now < window.to.plus_secs(Metric::Visits.closes_after_secs())
}

fn needed<'a>(name: &str, value: Option<&'a str>) -> Result<&'a str, Problem> {
    value.ok_or_else(|| {
        Problem::bad_request(format!(
            "{name} is missing; ask like ?from=2026-11-20T03:00:00Z&to=2026-11-21T03:00:00Z&step=1d, on the edges of the venue's days"
        ))
    })
}

impl Head {
    fn closed(venue: &Venue, sheet: &SheetHead) -> Self {
        Self {
            from: venue.calendar.rfc3339(sheet.window.from),
            to: venue.calendar.rfc3339(sheet.window.to),
            state: sheet.state,
            flags: sheet.flags.words(),
            coverage: Some(f64::from(sheet.coverage_permille) / 1000.0),
            thresholds: Some(sheet.thresholds),
        }
    }

    fn open(venue: &Venue, window: Window) -> Self {
        let replay = venue.clock == ClockKind::Sightings;
        Self {
            from: venue.calendar.rfc3339(window.from),
            to: venue.calendar.rfc3339(window.to),
            state: release::State::Open,
            flags: release::Flags { replay, ..release::Flags::default() }.words(),
            coverage: None,
            thresholds: None,
        }
    }

    /// Its cells of a line of CSV: from, to, state, flags, coverage, thresholds.
    pub(super) fn columns(&self) -> Vec<String> {
        let Self { from, to, state, flags, coverage, thresholds } = self;
        let cell = super::table::cell::<String>;
        vec![
            from.clone(),
            to.clone(),
            state.as_str().to_owned(),
            flags.join(";"),
            cell(coverage.map(|share| share.to_string())),
            cell(thresholds.map(|version| version.to_string())),
        ]
    }
}

#[cfg(test)]
#[path = "sheets_tests.rs"]
pub(super) mod tests;
