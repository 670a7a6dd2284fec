//! Typical: a day beside the same weekdays before it.

use std::collections::BTreeMap;

use axum::extract;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use chrono::{Days, NaiveDate, NaiveTime};

use super::asked::{What, needed, windows};
use super::figures::StepWord;
use super::table::{Format, Table, answer, cell};
use super::{Problem, State};
use crate::clock::{Calendar, Day, EpochMs, Window};
use crate::config::Venue;
use crate::release::{self, Metric, USUAL_DAYS};
use crate::store::Published;

/// The same weekdays are looked for so many weeks back.
const WEEKS_MAX: u64 = 26;
/// With fewer told values a window has no usual.
const VALUES_MIN: usize = 3;
/// How a day is asked for.
const EXAMPLE: &str = "?metric=occupancy&day=2026-11-20&step=1h";

/// Which day to compare.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// What is counted.
    #[param(required = true, value_type = Metric)]
    metric: Option<String>,
    /// The id of a zone or a group; without it the whole venue.
    zone: Option<String>,
    /// The venue day, by the date on which it starts, like 2026-11-20.
    #[param(required = true, format = Date, value_type = String)]
    day: Option<String>,
    /// The length of the windows.
    #[param(required = true, value_type = StepWord)]
    step: Option<String>,
}

/// A day beside its usual.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Typical {
    /// The venue.
    venue: String,
    /// What is counted.
    metric: Metric,
    /// The zone or group; null is the venue.
    #[schema(required = true)]
    zone: Option<String>,
    /// The day.
    #[schema(format = Date)]
    day: String,
    /// Its weekday, in English.
    weekday: &'static str,
    /// How many of the same weekdays before it make the usual: the newest with a figure that is told, eight at most.
    days: usize,
    /// In order of time. A window of which there is neither a figure nor a usual is left out.
    points: Vec<Point>,
}

/// A window of the day.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Point {
    /// The window's first moment, RFC 3339.
    from: String,
    /// The first moment after it, RFC 3339.
    to: String,
    /// In whole units of the metric; null unless final.
    #[schema(required = true)]
    value: Option<u32>,
    /// The lower end of the 80 % band; null unless final.
    #[schema(required = true)]
    low: Option<u32>,
    /// The upper end of the 80 % band; null unless final.
    #[schema(required = true)]
    high: Option<u32>,
    /// Whether there is a value; null where the window has closed and no figure was made of it.
    #[schema(required = true)]
    state: Option<release::State>,
    /// The median of what was told of the same window by the local clock; null with fewer than three such values.
    #[schema(required = true)]
    usual: Option<u32>,
    /// Their lower quartile.
    #[schema(required = true)]
    usual_low: Option<u32>,
    /// Their upper quartile.
    #[schema(required = true)]
    usual_high: Option<u32>,
}

/// A day beside the same weekdays before it. Made of published figures only.
#[utoipa::path(
    get, operation_id = "typical",
    path = "/api/v1/venues/{venue}/typical",
    params(("venue" = String, Path, description = "The venue's id"), Parameters),
    responses(
        (status = 200, description = "The day and its usual", content((Typical = "application/json"), (String = "text/csv"))),
        (status = 400, description = "What was asked does not read, or there is no such thing; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn typical(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    parameters: Result<extract::Query<Parameters>, QueryRejection>,
    format: Format,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let extract::Query(Parameters { metric, zone, day, step }) = parameters.map_err(|_| {
        Problem::bad_request("a parameter is unknown or named twice; there are metric, zone, day and step")
    })?;
    let what = What::read(venue, [metric.as_ref(), step.as_ref()], zone.as_deref(), EXAMPLE)?;
    let date = date(needed("day", day.as_ref(), EXAMPLE)?)?;
    let day = venue.calendar.day(date);
    // The clock is read first: a window that closes in between is then given as it was stored.
    let now = state.newest(venue).map_or_else(|| state.clock.now(), |live| live.at);
    let figures = of_day(&state, venue, &what, day).await?;
    let mut usual = Usual::default();
    for weeks in 1..=WEEKS_MAX {
        let Some(before) = date.checked_sub_days(Days::new(7 * weeks)) else { break };
        let before = venue.calendar.day(before);
        usual.take(&venue.calendar, before, &of_day(&state, venue, &what, before).await?);
        if usual.days == USUAL_DAYS {
            break;
        }
    }
    let Window { from, to } = day.window;
    let all = windows(venue, what.step, from, to).unwrap_or_default();
    let typical = Typical {
        venue: venue.id.to_string(),
        metric: what.metric,
        zone: what.scope.map(ToString::to_string),
        day: date.to_string(),
        weekday: weekday(day),
        days: usual.days,
        points: all.iter().filter_map(|w| point(venue, &what, (day, *w), now, &figures, &usual)).collect(),
    };
    Ok(answer(format, &typical))
}

/// Reads a date of four, two and two digits.
fn date(text: &str) -> Result<NaiveDate, Problem> {
    let read = Some(text).filter(|text| text.len() == 10).and_then(|text| text.parse().ok());
    read.ok_or_else(|| Problem::bad_request("day must be a date, like 2026-11-20"))
}

async fn of_day(
    state: &State,
    venue: &Venue,
    what: &What<'_>,
    Day { window: Window { from, to }, .. }: Day,
) -> Result<Vec<Published>, Problem> {
    Ok(state.store.series(&venue.id, what.scope, what.metric, what.step, from, to).await?)
}

fn weekday(day: Day) -> &'static str {
    use chrono::Weekday;
    match day.weekday() {
        Weekday::Mon => "monday",
        Weekday::Tue => "tuesday",
        Weekday::Wed => "wednesday",
        Weekday::Thu => "thursday",
        Weekday::Fri => "friday",
        Weekday::Sat => "saturday",
        Weekday::Sun => "sunday",
    }
}

/// A window by the local clock, whatever daylight saving does to the hours since the day began: days after the day's date,
/// and the time of day.
fn by_the_clock(calendar: &Calendar, day: Day, at: EpochMs) -> (i64, NaiveTime) {
    let local = calendar.local(at);
    (local.date_naive().signed_duration_since(day.date).num_days(), local.time())
}

/// What was told of the same weekdays, by the local clock.
#[derive(Default)]
struct Usual {
    days: usize,
    values: BTreeMap<(i64, NaiveTime), Vec<u32>>,
}

impl Usual {
    /// Takes a day, if anything of it is told. Of an hour that the clock showed twice it takes the first.
    fn take(&mut self, calendar: &Calendar, day: Day, figures: &[Published]) {
        let told = figures.iter().filter_map(|figure| {
            Some((by_the_clock(calendar, day, figure.window.from), figure.value?.value))
        });
        let mut of_day = BTreeMap::new();
        told.for_each(|(at, value)| _ = of_day.entry(at).or_insert(value));
        self.days += usize::from(!of_day.is_empty());
        for (at, value) in of_day {
            self.values.entry(at).or_default().push(value);
        }
    }

    /// The lower quartile, the median and the upper quartile of a window, if enough is told of it.
    fn of(&self, at: (i64, NaiveTime)) -> Option<[u32; 3]> {
        let mut values = self.values.get(&at).filter(|values| values.len() >= VALUES_MIN)?.clone();
        values.sort_unstable();
        Some([0.25, 0.5, 0.75].map(|share| quantile(&values, share)))
    }
}

/// The value below which a share lies, between neighbours in proportion, as a whole number. Never of an empty slice.
fn quantile(sorted: &[u32], share: f64) -> u32 {
    let at = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    (f64::from(below) + at.fract() * (f64::from(above) - f64::from(below))).round() as u32
}

fn point(
    venue: &Venue,
    what: &What<'_>,
    (day, window): (Day, Window),
    now: EpochMs,
    figures: &[Published],
    usual: &Usual,
) -> Option<Point> {
    let figure = figures.iter().find(|figure| figure.window.from == window.from);
    let usual = usual.of(by_the_clock(&venue.calendar, day, window.from));
    let has_closed = now >= window.to.plus_secs(what.metric.closes_after_secs());
    let begun = window.from < now;
    if figure.is_none() && usual.is_none() && (has_closed || !begun) {
        return None;
    }
    let value = figure.and_then(|figure| figure.value);
    Some(Point {
        from: venue.calendar.rfc3339(window.from),
        to: venue.calendar.rfc3339(window.to),
        value: value.map(|banded| banded.value),
        low: value.map(|banded| banded.low),
        high: value.map(|banded| banded.high),
        state: figure.map(Published::state).or((!has_closed).then_some(release::State::Open)),
        usual: usual.map(|[_, median, _]| median),
        usual_low: usual.map(|[low, ..]| low),
        usual_high: usual.map(|[.., high]| high),
    })
}

impl Table for Typical {
    const COLUMNS: &'static [&'static str] =
        &["from", "to", "value", "low", "high", "state", "usual", "usual_low", "usual_high"];

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |point: &Point| {
            vec![
                point.from.clone(),
                point.to.clone(),
                cell(point.value),
                cell(point.low),
                cell(point.high),
                cell(point.state.map(release::State::as_str)),
                cell(point.usual),
                cell(point.usual_low),
                cell(point.usual_high),
            ]
        };
        self.points.iter().map(row).collect()
    }
}

#[cfg(test)]
#[path = "typical_tests.rs"]
mod tests;
