//! Windows inside windows: a quarter of an hour is the mean of its five-minute windows, so a hidden one among shown ones
//! could be subtracted out of it, and so on up to the day.

use std::collections::BTreeMap;

use crate::clock::{Calendar, EpochMs, Step, Window};

/// Hidden five-minute windows of a place inside a coarser one that no shown window between explains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Hidden {
    count: u32,
    people: u32,
}

/// What was hidden inside the coarser windows that have not been judged yet, by place in the order of their rows.
#[derive(Default)]
pub(super) struct Nested(BTreeMap<(Step, EpochMs), Vec<Hidden>>);

/// How a place was judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    pub(super) shown: bool,
    /// People, if there was data.
    pub(super) people: Option<u32>,
}

impl Nested {
    /// Whether a coarser window of a place may be shown: its hidden parts number none, or at least two and k together.
    pub(super) fn is_safe(&self, k: u32, step: Step, from: EpochMs, place: usize) -> bool {
        let hidden =
            self.0.get(&(step, from)).and_then(|places| places.get(place)).copied().unwrap_or_default();
        hidden.count == 0 || (hidden.count >= 2 && hidden.people >= k)
    }

    /// Takes note of how the places of a window were judged. Shorter windows are judged before those they lie in.
    pub(super) fn judged(&mut self, calendar: &Calendar, step: Step, window: Window, places: &[Judged]) {
        let inside = self.0.remove(&(step, window.from)).unwrap_or_default();
        for coarser in Step::ALL.into_iter().filter(|coarser| *coarser > step) {
            let from = calendar.window_of(window.from, coarser).from;
            let outer = self.0.entry((coarser, from)).or_default();
            outer.resize(places.len(), Hidden::default());
            for (place, (judged, outer)) in places.iter().zip(outer).enumerate() {
                match (step, judged) {
                    (Step::FiveMinutes, Judged { shown: false, people: Some(people) }) => {
                        outer.count += 1;
                        outer.people += people;
                    }
                    (Step::FiveMinutes, _) | (_, Judged { shown: false, .. }) => {}
                    (_, Judged { shown: true, .. }) => {
                        let explained = inside.get(place).copied().unwrap_or_default();
                        outer.count -= explained.count.min(outer.count);
                        outer.people -= explained.people.min(outer.people);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_MS: i64 = 300_000;

    /// Judges the twelve five-minute windows of an hour and its quarters, and tells what is shown of each.
    fn hour(people: [u32; 12]) -> (Vec<bool>, bool) {
        let calendar = Calendar::new(chrono_tz::UTC, chrono::NaiveTime::MIN);
        let mut nested = Nested::default();
        let window = |from: i64, five: i64| Window {
            from: EpochMs(from * FIVE_MS),
            to: EpochMs((from + five) * FIVE_MS),
        };
        for (n, people) in people.into_iter().enumerate() {
            let judged = Judged { shown: people >= 5, people: Some(people) };
            nested.judged(&calendar, Step::FiveMinutes, window(n as i64, 1), &[judged]);
        }
        let mut quarters = Vec::new();
        for quarter in 0..4 {
            let window = window(quarter * 3, 3);
            let shown = nested.is_safe(5, Step::QuarterHour, window.from, 0);
            nested.judged(&calendar, Step::QuarterHour, window, &[Judged { shown, people: Some(9) }]);
            quarters.push(shown);
        }
        (quarters, nested.is_safe(5, Step::Hour, EpochMs(0), 0))
    }

    #[test]
    fn one_hidden_window_hides_the_one_around_it() {
        assert_eq!(hour([9; 12]), (vec![true; 4], true));
        let mut people = [9; 12];
        people[1] = 3;
        assert_eq!(hour(people), (vec![false, true, true, true], false));
        people[0] = 4;
        assert_eq!(hour(people), (vec![true; 4], true), "seven people in two windows hide each other");
        people[5] = 4;
        assert_eq!(
            hour(people),
            (vec![true, false, true, true], false),
            "shown quarters explain their own only"
        );
        people[6] = 1;
        assert_eq!(
            hour(people),
            (vec![true, false, false, true], true),
            "five people in two hidden quarters"
        );
    }
}
