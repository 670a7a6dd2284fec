//! A venue's days and windows, across daylight saving.
//!
//! A venue day runs from `day_starts_at` local time to the next; it has 23, 24 or 25 hours. Windows are laid from the
//! start of the day, so they tile it without a gap or an overlap whatever the clocks do, and every five-minute window
//! lies in one quarter of an hour, one hour and one day.

use chrono::{
    DateTime, Datelike, Days, LocalResult, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Weekday,
};
use chrono_tz::Tz;

use super::EpochMs;

/// The length of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Step {
    /// Five minutes.
    FiveMinutes,
    /// A quarter of an hour.
    QuarterHour,
    /// One hour.
    Hour,
    /// One venue day.
    Day,
}

impl Step {
    /// Every step, shortest first.
    pub const ALL: [Self; 4] = [Self::FiveMinutes, Self::QuarterHour, Self::Hour, Self::Day];

    /// The word of the API: `5m`, `15m`, `1h`, `1d`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::QuarterHour => "15m",
            Self::Hour => "1h",
            Self::Day => "1d",
        }
    }

    /// Reads the word of the API.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == word)
    }

    /// Its nominal length in seconds; a venue day may be an hour shorter or longer.
    #[must_use]
    pub fn secs(self) -> i64 {
        match self {
            Self::FiveMinutes => 300,
            Self::QuarterHour => 900,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

/// A stretch of time: from `from` up to, but not including, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Window {
    /// Its first moment.
    pub from: EpochMs,
    /// The first moment after it.
    pub to: EpochMs,
}

impl Window {
    /// Whether the moment lies inside.
    #[must_use]
    pub fn contains(&self, at: EpochMs) -> bool {
        self.from <= at && at < self.to
    }
}

/// A venue day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The local date on which it starts.
    pub date: NaiveDate,
    /// From its start to the start of the next.
    pub window: Window,
}

impl Day {
    /// The weekday of the date on which it starts.
    #[must_use]
    pub fn weekday(&self) -> Weekday {
        self.date.weekday()
    }
}

/// The calendar of a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    tz: Tz,
    day_starts_at: NaiveTime,
}

impl Calendar {
    /// The calendar of a time zone whose days start at a local time of day.
    #[must_use]
    pub fn new(tz: Tz, day_starts_at: NaiveTime) -> Self {
        Self { tz, day_starts_at }
    }

    /// The local time at which a day begins.
    #[must_use]
    pub fn day_starts_at(&self) -> NaiveTime {
        self.day_starts_at
    }

    /// The venue day that a moment lies in.
    #[must_use]
    pub fn day_of(&self, at: EpochMs) -> Day {
        let mut date = self.local(at).date_naive();
        if at < self.start_of(date) {
            date = date.checked_sub_days(Days::new(1)).unwrap_or(NaiveDate::MIN);
        }
        self.day(date)
    }

    /// The venue day that starts on a date.
    #[must_use]
    pub fn day(&self, date: NaiveDate) -> Day {
        let next = date.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
        Day { date, window: Window { from: self.start_of(date), to: self.start_of(next) } }
    }

    /// The window of a step that a moment lies in.
    #[must_use]
    pub fn window_of(&self, at: EpochMs, step: Step) -> Window {
        let day = self.day_of(at).window;
        if step == Step::Day {
            return day;
        }
        let length = step.secs() * 1000;
        let from = EpochMs(day.from.0 + at.since(day.from).div_euclid(length) * length);
        Window { from, to: EpochMs(from.0 + length).min(day.to) }
    }

    /// A moment as local time with its offset.
    #[must_use]
    pub fn local(&self, at: EpochMs) -> DateTime<Tz> {
        at.utc().with_timezone(&self.tz)
    }

    /// A moment in RFC 3339 with the venue's offset, to the second.
    #[must_use]
    pub fn rfc3339(&self, at: EpochMs) -> String {
        self.local(at).to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
    }

    /// The moment of a local time of day on a date: the earlier of two when the clocks go back, and the first moment
    /// after the gap when they skip it.
    #[must_use]
    pub fn moment(&self, date: NaiveDate, time: NaiveTime) -> EpochMs {
        const GAP_MINUTES_MAX: i64 = 24 * 60; // Samoa skipped a whole day in 2011
        let mut local = date.and_time(time);
        for _ in 0..=GAP_MINUTES_MAX {
            match self.tz.from_local_datetime(&local) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => {
                    return EpochMs(at.timestamp_millis());
                }
                LocalResult::None => local += TimeDelta::minutes(1),
            }
        }
        EpochMs(local.and_utc().timestamp_millis())
    }

    /// The start of the venue day that lies so many dates before the day of a moment.
    #[must_use]
    pub fn days_before(&self, at: EpochMs, days: u32) -> EpochMs {
        let date = self.day_of(at).date.checked_sub_days(Days::new(days.into()));
        self.start_of(date.unwrap_or(NaiveDate::MIN))
    }

    /// The window at the same place of the venue day so many weeks before; `None` where that day has no such window, as on
    /// a day that daylight saving made shorter.
    #[must_use]
    pub fn weeks_before(&self, window: Window, step: Step, weeks: u32) -> Option<Window> {
        let into_day = window.from.since(self.day_of(window.from).window.from);
        let from = EpochMs(self.days_before(window.from, 7 * weeks).0 + into_day);
        let other = self.window_of(from, step);
        let is_its_days = self.days_before(window.from, 7 * weeks) == self.day_of(from).window.from;
        (other.from == from && is_its_days).then_some(other)
    }

    /// The start of the venue day of the same date so many months before the day of a moment, or of the month's last
    /// where it has no such date.
    #[must_use]
    pub fn months_before(&self, at: EpochMs, months: u32) -> EpochMs {
        let date = self.day_of(at).date.checked_sub_months(Months::new(months));
        self.start_of(date.unwrap_or(NaiveDate::MIN))
    }

    /// The start of the venue day of a date.
    #[must_use]
    pub fn start_of(&self, date: NaiveDate) -> EpochMs {
        self.moment(date, self.day_starts_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(tz: &str, hour: u32) -> Calendar {
        Calendar::new(tz.parse().unwrap(), NaiveTime::from_hms_opt(hour, 0, 0).unwrap())
    }

    fn at(text: &str) -> EpochMs {
        EpochMs(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    #[test]
    fn days_are_23_24_and_25_hours_and_never_split() {
        let brno = calendar("Europe/Prague", 4);
        for (inside, hours, date) in [
            ("2026-03-28T12:00:00+01:00", 23, "2026-03-28"),
            ("2026-03-29T03:59:59+02:00", 23, "2026-03-28"),
            ("2026-03-29T04:00:00+02:00", 24, "2026-03-29"),
            ("2026-10-25T03:59:59+01:00", 25, "2026-10-24"),
        ] {
            let day = brno.day_of(at(inside));
            assert_eq!(day.date.to_string(), date, "{inside}");
            assert_eq!(day.window.to.since(day.window.from), hours * 3_600_000, "{inside}");
            assert!(day.window.contains(at(inside)));
        }
    }

    #[test]
    fn a_day_that_starts_in_the_skipped_hour_starts_after_it() {
        let day = calendar("Europe/Prague", 2).day_of(at("2026-03-29T12:00:00+02:00"));
        assert_eq!(day.window.from, at("2026-03-29T03:00:00+02:00"));
    }

    #[test]
    fn months_before_end_where_the_shorter_month_ends_and_days_are_dates_whatever_the_clocks_did() {
        let brno = calendar("Europe/Prague", 4);
        let months = |now: &str, count| brno.rfc3339(brno.months_before(at(now), count));
        assert_eq!(months("2026-11-24T12:00:00+01:00", 25), "2024-10-24T04:00:00+02:00");
        assert_eq!(months("2027-03-31T12:00:00+02:00", 25), "2025-02-28T04:00:00+01:00");
        assert_eq!(months("2026-03-29T03:30:00+02:00", 1), "2026-02-28T04:00:00+01:00");
        let days = |now: &str, count| brno.rfc3339(brno.days_before(at(now), count));
        assert_eq!(days("2026-04-01T03:59:59+02:00", 3), "2026-03-28T04:00:00+01:00");
        assert_eq!(days("2026-11-24T12:00:00+01:00", 90), "2026-08-26T04:00:00+02:00");
    }

    #[test]
    fn weeks_before_lie_at_the_same_hour_whatever_the_clocks_did() {
        let brno = calendar("Europe/Prague", 4);
        let before = |inside: &str, step, weeks| {
            let window = brno.window_of(at(inside), step);
            brno.weeks_before(window, step, weeks).map(|window| brno.rfc3339(window.from))
        };
        let told = |text: &str| Some(text.to_owned());
        assert_eq!(before("2026-11-01T10:20:00+01:00", Step::Hour, 1), told("2026-10-25T10:00:00+01:00"));
        assert_eq!(before("2026-11-01T10:20:00+01:00", Step::Hour, 2), told("2026-10-18T10:00:00+02:00"));
        assert_eq!(before("2026-04-02T10:20:00+02:00", Step::Day, 1), told("2026-03-26T04:00:00+01:00"));
        // The day that began on 28 March had 23 hours.
        assert_eq!(before("2026-04-05T03:30:00+02:00", Step::Hour, 1), None);
    }

    #[test]
    fn windows_tile_every_day_of_two_years_in_odd_time_zones() {
        for tz in
            ["Europe/Prague", "Australia/Lord_Howe", "Asia/Kathmandu", "America/New_York", "Pacific/Apia"]
        {
            let calendar = calendar(tz, 4);
            let mut t = at("2025-01-01T00:00:00Z");
            let end = at("2027-01-01T00:00:00Z");
            while t < end {
                let day = calendar.day_of(t).window;
                let mut edge = day.from;
                while edge < day.to {
                    let five = calendar.window_of(edge, Step::FiveMinutes);
                    assert_eq!(five.from, edge, "{tz}");
                    for step in [Step::QuarterHour, Step::Hour, Step::Day] {
                        let wide = calendar.window_of(edge, step);
                        assert!(wide.from <= five.from && five.to <= wide.to, "{tz} {step:?}");
                    }
                    edge = five.to;
                }
                assert_eq!(edge, day.to, "{tz}");
                t = day.to;
            }
        }
    }
}
