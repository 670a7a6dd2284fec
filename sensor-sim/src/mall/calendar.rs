//! The venue's days: from 04:00 local time to the next, as everybody counts them here.

use chrono::{Datelike as _, Days, Duration, NaiveDate, NaiveTime, TimeZone as _, Timelike as _};
use chrono_tz::Tz;

use super::scenario::Scenario;

const DAY_STARTS_HOUR: u32 = 4;
const HOUR_MS: i64 = 3_600_000;

/// A local time that the clocks skip is looked for at most so many hours later.
const GAP_HOURS_MAX: i64 = 24;

/// A venue day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VenueDay {
    pub(crate) date: NaiveDate,
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// When the doors open and close, and the local minute at which they open.
    pub(crate) open: Option<Open>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) minute: u32,
}

impl VenueDay {
    /// The day of a date.
    pub(crate) fn of(scenario: &Scenario, date: NaiveDate) -> Self {
        let start = |date: NaiveDate| moment(scenario.tz, date, DAY_STARTS_HOUR * 60);
        let hours = scenario.hours[date.weekday().num_days_from_monday() as usize];
        let open = hours.map(|(from, to)| Open {
            from: moment(scenario.tz, date, from),
            to: moment(scenario.tz, date, to),
            minute: from,
        });
        Self { date, from: start(date), to: start(tomorrow(date)), open }
    }

    /// The day that holds a moment.
    pub(crate) fn at(scenario: &Scenario, at: i64) -> Self {
        let utc = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default();
        let date = utc.with_timezone(&scenario.tz).date_naive();
        let day = Self::of(scenario, date);
        if at >= day.from {
            return day;
        }
        Self::of(scenario, date.checked_sub_days(Days::new(1)).unwrap_or(date))
    }

    /// The day after.
    pub(crate) fn next(&self, scenario: &Scenario) -> Self {
        Self::of(scenario, tomorrow(self.date))
    }

    /// The parts of this day that belong to a shift from one local minute to another, past midnight if the second is not
    /// after the first.
    pub(crate) fn shifts(&self, scenario: &Scenario, (from, to): (u32, u32)) -> Vec<(i64, i64)> {
        let to = if to > from { to } else { to + 24 * 60 };
        let yesterday = self.date.checked_sub_days(Days::new(1)).unwrap_or(self.date);
        let shift = |date| (moment(scenario.tz, date, from), moment(scenario.tz, date, to));
        let clipped = |(from, to): (i64, i64)| (from.max(self.from), to.min(self.to));
        [yesterday, self.date, tomorrow(self.date)]
            .map(|date| clipped(shift(date)))
            .into_iter()
            .filter(|(from, to)| from < to)
            .collect()
    }

    /// The day's hours, each with its local number, 0 to 23.
    pub(crate) fn local_hours(&self, scenario: &Scenario) -> Vec<(i64, i64, u32)> {
        let hour = |from: i64| {
            let utc = chrono::DateTime::from_timestamp_millis(from).unwrap_or_default();
            (from, (from + HOUR_MS).min(self.to), utc.with_timezone(&scenario.tz).hour())
        };
        (self.from..self.to).step_by(HOUR_MS as usize).map(hour).collect()
    }

    pub(crate) fn is_weekend(&self) -> bool {
        self.date.weekday().num_days_from_monday() >= 5
    }
}

fn tomorrow(date: NaiveDate) -> NaiveDate {
    date.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX)
}

/// The moment of a local time; the first one after it if the clocks skip it.
fn moment(tz: Tz, date: NaiveDate, minute: u32) -> i64 {
    let local = date.and_time(NaiveTime::MIN) + Duration::minutes(i64::from(minute));
    let tries = (0..=GAP_HOURS_MAX).map(|hours| local + Duration::hours(hours));
    let mut moments = tries.filter_map(|local| tz.from_local_datetime(&local).earliest());
    moments.next().map_or(0, |moment| moment.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mall::scenario::MALL;

    #[test]
    fn a_day_runs_from_four_to_four_across_daylight_saving() {
        let mall = Scenario::parse(MALL).unwrap();
        let date = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
        for (month, day, hours) in [(3, 27, 24), (3, 28, 23), (10, 24, 25)] {
            let venue_day = VenueDay::of(&mall, date(month, day));
            assert_eq!(venue_day.to - venue_day.from, hours * 3_600_000, "{month}-{day}");
            assert_eq!(VenueDay::at(&mall, venue_day.from), venue_day);
            assert_eq!(VenueDay::at(&mall, venue_day.to - 1), venue_day);
            assert_eq!(VenueDay::at(&mall, venue_day.to), venue_day.next(&mall));
        }
        // A Friday in winter: 09:30 and 21:30 in Paris are 08:30 and 20:30 UTC.
        let open = VenueDay::of(&mall, date(1, 2)).open.unwrap();
        assert_eq!((open.from / 60_000 % 1440, open.to / 60_000 % 1440), (8 * 60 + 30, 20 * 60 + 30));
    }
}
