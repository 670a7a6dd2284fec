//! What share of people is usual on a weekday: the mean of what was told of the same weekdays before.

use std::collections::BTreeMap;

use chrono::Weekday;

use crate::clock::{Calendar, Day, EpochMs};

/// So many of the newest days of a weekday make its usual.
pub const USUAL_DAYS: usize = 8;
/// Days that are remembered at most: enough of every weekday.
const DAYS_MAX: usize = 7 * USUAL_DAYS;

/// The shares that were told of the newest days, by the days' starts, in percent.
#[derive(Default)]
pub(super) struct Usual(BTreeMap<EpochMs, u32>);

impl Usual {
    /// Takes what was told of a day.
    pub(super) fn take(&mut self, day: EpochMs, stable_share: u32) {
        if stable_share > 0 {
            self.0.insert(day, stable_share);
        }
        if self.0.len() > DAYS_MAX {
            self.0.pop_first();
        }
    }

    /// The people to a stable device that are usual on a day's weekday; `None` before any such day.
    pub(super) fn ratio(&self, calendar: &Calendar, day: Day) -> Option<f64> {
        let weekday = |at: EpochMs| -> Weekday { calendar.day_of(at).weekday() };
        let before = self.0.range(..day.window.from).rev().filter(|(at, _)| weekday(**at) == day.weekday());
        let (sum, days) = before.take(USUAL_DAYS).fold((0, 0), |(sum, days), (_, share)| (sum + share, days + 1));
        (days > 0).then(|| 100.0 * f64::from(days) / f64::from(sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_is_of_the_newest_days_of_the_same_weekday() {
        let calendar = Calendar::new(chrono_tz::UTC, chrono::NaiveTime::MIN);
        let day = |n: i64| calendar.day_of(EpochMs(n * 86_400_000));
        let mut usual = Usual::default();
        for week in 0..12 {
            usual.take(day(7 * week).window.from, if week < 4 { 50 } else { 10 });
            usual.take(day(7 * week + 1).window.from, 20);
        }
        assert_eq!(usual.ratio(&calendar, day(7 * 12)), Some(10.0), "eight Thursdays of 10 %");
        assert_eq!(usual.ratio(&calendar, day(7 * 12 + 1)), Some(5.0));
        assert_eq!(usual.ratio(&calendar, day(7 * 12 + 2)), None);
        usual.take(day(7 * 12).window.from, 90);
        assert_eq!(usual.ratio(&calendar, day(7 * 12)), Some(10.0), "a day is not its own usual");
        assert!(usual.0.len() <= DAYS_MAX);
    }
}
