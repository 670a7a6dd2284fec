//! What share of people is usual on a weekday: the mean of what was told of the same weekdays before.

use std::collections::BTreeMap;

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

    /// The people to a stable device that are usual on a day's weekday, or on any day where no such weekday is known;
    /// `None` before any day.
    pub(super) fn ratio(&self, calendar: &Calendar, day: Day) -> Option<f64> {
        let before = || self.0.range(..day.window.from).rev();
        let is_same = |at: EpochMs| calendar.day_of(at).weekday() == day.weekday();
        let same: Vec<u32> =
            before().filter(|(at, _)| is_same(**at)).take(USUAL_DAYS).map(|(_, share)| *share).collect();
        let any: Vec<u32> = before().take(USUAL_DAYS).map(|(_, share)| *share).collect();
        let shares = if same.is_empty() { any } else { same };
        (!shares.is_empty()).then(|| 100.0 * shares.len() as f64 / f64::from(shares.iter().sum::<u32>()))
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
        assert_eq!(usual.ratio(&calendar, day(2)), Some(100.0 * 2.0 / 70.0), "no Saturday is known");
        assert_eq!(usual.ratio(&calendar, day(0)), None);
        usual.take(day(7 * 12).window.from, 90);
        assert_eq!(usual.ratio(&calendar, day(7 * 12)), Some(10.0), "a day is not its own usual");
        assert!(usual.0.len() <= DAYS_MAX);
    }
}
