//! A week of published figures, and what is usual by those of the weeks before.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use passant_wire::Id;

use crate::clock::{EpochMs, Step, Window};
use crate::config::{USUAL_WEEKS_MAX, USUAL_WEEKS_MIN, Venue};
use crate::release::{Banded, Metric};
use crate::store::{self, Published, Store};

/// The most zones that the page has room for.
pub(super) const ZONES_SHOWN_MAX: usize = 12;
/// Days of a week.
const DAYS: u64 = 7;

/// A week.
pub(super) struct Week {
    pub(super) monday: NaiveDate,
    /// Whether the headline is footfall; otherwise visitors.
    pub(super) is_footfall: bool,
    /// All days together.
    pub(super) total: Row,
    pub(super) days: Vec<DayRow>,
    /// The venue's occupancy by hours.
    pub(super) hours: Vec<HourPoint>,
    /// Zones by name, the most visited first; those of which nothing is shown come last.
    pub(super) zones: Vec<(String, Row)>,
    /// Figures of the page that are held back, and all of them.
    pub(super) held_back: u32,
    pub(super) all: u32,
    pub(super) uncalibrated: bool,
}

/// A day.
pub(super) struct DayRow {
    pub(super) date: NaiveDate,
    pub(super) row: Row,
}

/// A sum of days.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Row {
    /// Of the days that are shown; bands are added as if all erred alike.
    pub(super) sum: Option<Banded>,
    pub(super) days: u32,
    pub(super) days_shown: u32,
    /// The days that are shown and have a usual, their sum, and what is usual for them.
    pub(super) days_compared: u32,
    compared: Banded0,
    usual: f64,
    pub(super) incomplete: bool,
}

/// A band that begins at nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Banded0 {
    value: u32,
    low: u32,
    high: u32,
}

/// A sum against what is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Against {
    /// The difference in percent of the usual.
    pub(super) percent: i32,
    /// The usual lies outside the band.
    pub(super) is_clear: bool,
}

/// An hour of the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct HourPoint {
    /// Hours since the week began.
    pub(super) hour: f64,
    pub(super) shown: Option<Banded>,
    pub(super) usual: Option<f64>,
}

/// A series, by the first moment of its windows.
type Series = BTreeMap<EpochMs, Published>;

impl Week {
    /// Reads the week that begins on a Monday.
    pub(super) async fn read(store: &Store, venue: &Venue, monday: NaiveDate) -> Result<Self, store::Error> {
        let source = Source { store, venue, monday };
        let footfall = Metric::parse("footfall");
        let mut is_footfall = false;
        let mut daily = Series::new();
        if let Some(footfall) = footfall {
            daily = source.series(None, footfall, Step::Day).await?;
            is_footfall = source.of_week(&daily).any(|figure| figure.value.is_some());
        }
        if !is_footfall {
            daily = source.series(None, Metric::Visitors, Step::Day).await?;
        }
        let hourly = source.series(None, Metric::Occupancy, Step::Hour).await?;
        let (mut zones, mut zone_figures) = (Vec::new(), Vec::new());
        for zone in &venue.zones {
            let series = source.series(Some(&zone.id), Metric::Visitors, Step::Day).await?;
            zones.push((zone.name.clone(), source.row(&series)));
            zone_figures.extend(source.of_week(&series).copied());
        }
        zones.sort_by(|(a, x), (b, y)| {
            let value = |row: &Row| row.sum.map(|sum| sum.value);
            value(y).cmp(&value(x)).then_with(|| a.cmp(b))
        });
        let figures = source.of_week(&daily).chain(source.of_week(&hourly)).chain(&zone_figures);
        let figures: Vec<&Published> = figures.collect();
        Ok(Self {
            monday,
            is_footfall,
            total: source.row(&daily),
            days: source.days().map(|date| DayRow { date, row: source.row_of(&daily, date) }).collect(),
            hours: source.hours(&hourly),
            zones,
            held_back: figures.iter().filter(|figure| figure.value.is_none()).count() as u32,
            all: figures.len() as u32,
            uncalibrated: figures.iter().any(|figure| figure.flags.uncalibrated && figure.value.is_some()),
        })
    }

    /// Its last day.
    pub(super) fn sunday(&self) -> NaiveDate {
        plus(self.monday, DAYS - 1)
    }

    /// The largest of its days.
    pub(super) fn largest_day(&self) -> Option<u32> {
        self.days.iter().filter_map(|day| day.row.sum.map(|sum| sum.value)).max()
    }
}

impl Row {
    /// Against what is usual; `None` without a usual.
    pub(super) fn against(&self) -> Option<Against> {
        if self.days_compared == 0 || self.usual < 1.0 {
            return None;
        }
        let percent = 100.0 * (f64::from(self.compared.value) / self.usual - 1.0);
        let is_clear =
            f64::from(self.compared.low) > self.usual || f64::from(self.compared.high) < self.usual;
        Some(Against { percent: percent.round() as i32, is_clear })
    }

    fn add(&mut self, figure: Option<&Published>, usual: Option<f64>) {
        self.days += 1;
        let Some((figure, band)) = figure.and_then(|figure| Some((figure, figure.value?))) else { return };
        self.incomplete |= figure.flags.incomplete;
        self.days_shown += 1;
        let sum = self.sum.unwrap_or(Banded { value: 0, low: 0, high: 0 });
        self.sum = Some(Banded {
            value: sum.value + band.value,
            low: sum.low + band.low,
            high: sum.high + band.high,
        });
        if let Some(usual) = usual {
            self.days_compared += 1;
            self.usual += usual;
            self.compared.value += band.value;
            self.compared.low += band.low;
            self.compared.high += band.high;
        }
    }
}

/// Where a week is read.
struct Source<'a> {
    store: &'a Store,
    venue: &'a Venue,
    monday: NaiveDate,
}

impl Source<'_> {
    /// The week and the weeks that make what is usual.
    async fn series(&self, scope: Option<&Id>, metric: Metric, step: Step) -> Result<Series, store::Error> {
        let calendar = &self.venue.calendar;
        let first = self.monday.checked_sub_days(Days::new(DAYS * u64::from(USUAL_WEEKS_MAX)));
        let (from, to) = (calendar.start_of(first.unwrap_or(self.monday)), self.end());
        let figures = self.store.series(&self.venue.id, scope, metric, step, from, to).await?;
        Ok(figures.into_iter().map(|figure| (figure.window.from, figure)).collect())
    }

    fn days(&self) -> impl Iterator<Item = NaiveDate> {
        let monday = self.monday;
        (0..DAYS).map(move |day| plus(monday, day))
    }

    fn begin(&self) -> EpochMs {
        self.venue.calendar.start_of(self.monday)
    }

    fn end(&self) -> EpochMs {
        self.venue.calendar.start_of(plus(self.monday, DAYS))
    }

    /// The figures of the week itself.
    fn of_week<'s>(&self, series: &'s Series) -> impl Iterator<Item = &'s Published> + use<'s> {
        series.range(self.begin()..self.end()).map(|(_, figure)| figure)
    }

    /// The mean of the same windows of the weeks before, as far as they are shown and complete.
    fn usual(&self, series: &Series, window: Window, step: Step) -> Option<f64> {
        let before = self.venue.usual_windows(window, step).filter_map(|window| series.get(&window.from));
        let values = before.filter(|figure| !figure.flags.incomplete).filter_map(|figure| figure.value);
        let values: Vec<f64> = values.map(|band| f64::from(band.value)).collect();
        (values.len() >= USUAL_WEEKS_MIN).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    fn row(&self, series: &Series) -> Row {
        let mut row = Row::default();
        self.days().for_each(|date| self.add(&mut row, series, date));
        row
    }

    fn row_of(&self, series: &Series, date: NaiveDate) -> Row {
        let mut row = Row::default();
        self.add(&mut row, series, date);
        row
    }

    fn add(&self, row: &mut Row, series: &Series, date: NaiveDate) {
        let window = self.venue.calendar.day_of(self.venue.calendar.start_of(date)).window;
        row.add(series.get(&window.from), self.usual(series, window, Step::Day));
    }

    fn hours(&self, series: &Series) -> Vec<HourPoint> {
        let (begin, end) = (self.begin(), self.end());
        let mut points = Vec::new();
        let mut at = begin;
        while at < end {
            let window = self.venue.calendar.window_of(at, Step::Hour);
            points.push(HourPoint {
                hour: at.since(begin) as f64 / 3_600_000.0,
                shown: series.get(&at).and_then(|figure| figure.value),
                usual: self.usual(series, window, Step::Hour),
            });
            // At the end of the calendar's time a window might have no length.
            at = window.to.max(EpochMs(at.0 + 1));
        }
        points
    }
}

fn plus(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap_or(date)
}
