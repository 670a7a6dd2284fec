//! Counts of visits beside each other: parts that add up to their visits, and windows that add up to a longer one.

use std::collections::BTreeMap;

use super::traffic::{Counts, Shown};
use crate::clock::{Calendar, EpochMs, Step, Window};

/// What rounding to the grain can take from a whole number, or add to it.
const ROUNDING: u64 = 2;

/// What adds up over time: visits, passers-by, bounces and engaged, in the order of [`Counts::sums`].
const SUMS: usize = 4;
/// Visits stand first among them: with them the whole row is hidden.
const VISITS: usize = 0;

/// A judged window of one place.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Cell {
    counts: Counts,
    shown: Shown,
}

impl Cell {
    /// How large a sum could be here as far as is told, its own hidden count included.
    fn room(&self, k: u32, sum: usize) -> u64 {
        let Counts { long, .. } = self.counts;
        let own = self.counts.sums()[sum];
        match (sum, self.shown.sums[VISITS]) {
            // A visit moved in time takes with it what it was.
            (VISITS, _) => u64::MAX / 1_000,
            (3, _) => long,
            (_, false) => own + long,
            (_, true) => own + long - self.shown.least_long(u64::from(k), &self.counts).min(long),
        }
    }
}

/// The judged windows of one place whose day has not been judged yet.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Bookings(BTreeMap<(Step, EpochMs), Cell>);

impl Bookings {
    /// Judges one window: which of its counts may be shown beside each other and beside the shorter windows in it.
    pub(super) fn judge(
        &mut self,
        k: u32,
        calendar: &Calendar,
        step: Step,
        window: Window,
        counts: Counts,
    ) -> Shown {
        let mut shown = Shown::alone(k, &counts);
        let complete = self.is_complete(step, window, &counts);
        shown.visitors &= complete;
        for sum in 0..SUMS {
            let small = counts.sums()[sum] < 2 * u64::from(k);
            if !complete
                || !self.adds_up(k, calendar, step, window, sum)
                || (small && self.owes(k, calendar, step, window, sum))
            {
                shown.sums[sum] = false;
            }
        }
        shown.visitors &= self.distinct_adds_up(calendar, step, window, counts.visitors_told);
        let parts = [0, 1, 2, 3].map(|sum| self.parts(calendar, step, window, sum));
        shown.parts = parts;
        shown.close(k, &counts);
        shown.capture_of = self.capture_of(step, window);
        if step == Step::Day {
            self.0.retain(|(_, from), _| *from >= window.to);
        } else {
            self.0.insert((step, window.from), Cell { counts, shown });
        }
        shown
    }

    /// Whether all shorter windows of one are known: of what an earlier run judged nobody remembers how.
    fn is_complete(&self, step: Step, window: Window, counts: &Counts) -> bool {
        let shortest = if counts.of_zone { Step::Hour } else { Step::QuarterHour };
        let inside: u64 = self.cells(shortest, window).map(|(_, cell)| cell.counts.visits).sum();
        step == shortest || inside == counts.visits
    }

    /// Whether the shorter windows hidden in one number none, or at least two of every length and k together, and could
    /// each have been nobody.
    fn adds_up(&self, k: u32, calendar: &Calendar, step: Step, window: Window, sum: usize) -> bool {
        let hidden = self.hidden(calendar, step, window, sum);
        let all: u64 = hidden.iter().map(|(_, cell)| cell.counts.sums()[sum]).sum();
        let room: u64 = hidden.iter().map(|(_, cell)| cell.room(k, sum)).sum();
        let half = u64::from(k.div_ceil(2));
        let safe = |apart: Step| {
            let mut cells: BTreeMap<EpochMs, (u64, u64)> = BTreeMap::new();
            for (at, cell) in &hidden {
                let (_, room) = cells.entry(calendar.window_of(*at, apart).from).or_default();
                *room += cell.room(k, sum);
            }
            cells.len() != 1 && cells.values().all(|(_, own)| room - own >= all && *own >= half)
        };
        // A long visit that is hidden can only have been none if what is hidden beside it could have been more.
        let long_is_free = matches!(sum, VISITS | 3)
            || hidden.iter().all(|(_, cell)| {
                let Counts { long, .. } = cell.counts;
                long >= u64::from(k) || all - cell.counts.sums()[sum] >= long
            });
        hidden.is_empty() || (all >= u64::from(k) && long_is_free && finer(step).all(safe))
    }

    /// The shortest hidden windows inside one that no shown window between explains.
    fn hidden(&self, calendar: &Calendar, step: Step, window: Window, sum: usize) -> Vec<(EpochMs, &Cell)> {
        let Some(shortest) = finer(step).find(|s| self.cells(*s, window).next().is_some()) else {
            return Vec::new();
        };
        let explained = |at: EpochMs| {
            finer(step).filter(|between| *between > shortest).any(|between| {
                let from = calendar.window_of(at, between).from;
                self.0.get(&(between, from)).is_some_and(|cell| cell.shown.sums[sum])
            })
        };
        self.cells(shortest, window).filter(|(at, cell)| !cell.shown.sums[sum] && !explained(*at)).collect()
    }

    /// What the shown parts of a window add up to, and how many are hidden; `None` of a shortest window, which has none.
    fn parts(&self, calendar: &Calendar, step: Step, window: Window, sum: usize) -> Option<(u64, u32)> {
        let shortest = finer(step).find(|s| self.cells(*s, window).next().is_some())?;
        let hidden = self.hidden(calendar, step, window, sum);
        let of = |cell: &Cell| cell.counts.sums()[sum];
        let all: u64 = self.cells(shortest, window).map(|(_, cell)| of(cell)).sum();
        Some((all - hidden.iter().map(|(_, cell)| of(cell)).sum::<u64>(), hidden.len() as u32))
    }

    /// Long visits and passers-by of the shortest windows whose capture rate is shown.
    fn capture_of(&self, step: Step, window: Window) -> Option<(u64, u64)> {
        let shortest = finer(step).find(|s| self.cells(*s, window).next().is_some())?;
        let shown = self.cells(shortest, window).filter(|(_, cell)| cell.shown.capture);
        Some(shown.fold((0, 0), |(long, passersby), (_, cell)| {
            (long + cell.counts.long, passersby + cell.counts.passersby)
        }))
    }

    /// Whether a longer window that this one lies in has so little hidden that it could not be shown.
    fn owes(&self, k: u32, calendar: &Calendar, step: Step, window: Window, sum: usize) -> bool {
        Step::ALL.into_iter().filter(|longer| *longer > step).any(|longer| {
            let around = calendar.window_of(window.from, longer);
            let hidden = self.cells(step, around).filter(|(_, cell)| !cell.shown.sums[sum]);
            let (count, all) =
                hidden.fold((0, 0), |(n, all), (_, cell)| (n + 1, all + cell.counts.sums()[sum]));
            count == 1 || (count > 0 && all < u64::from(k))
        })
    }

    /// Distinct visitors of a longer window are at most the sum of those of the shorter ones: one hidden window among
    /// them must not be what is missing.
    fn distinct_adds_up(&self, calendar: &Calendar, step: Step, window: Window, visitors: u32) -> bool {
        finer(step).all(|apart| {
            let mut told = 0;
            let mut hidden = 0;
            let mut end = window.from;
            for (from, cell) in self.cells(apart, window) {
                end = calendar.window_of(from, apart).to.max(end);
                match cell.shown.visitors {
                    true => told += u64::from(cell.counts.visitors_told) + ROUNDING,
                    false => hidden += 1,
                }
            }
            hidden != 1 || u64::from(visitors) <= told + ROUNDING
        })
    }

    fn cells(&self, step: Step, inside: Window) -> impl Iterator<Item = (EpochMs, &Cell)> {
        self.0.range((step, inside.from)..(step, inside.to)).map(|((_, from), cell)| (*from, cell))
    }
}

/// Steps shorter than one, shortest first.
fn finer(step: Step) -> impl Iterator<Item = Step> {
    Step::ALL.into_iter().filter(move |finer| *finer < step)
}
