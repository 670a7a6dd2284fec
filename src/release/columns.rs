//! Occupancy of windows inside windows: a quarter of an hour is the mean of its five-minute windows, so a hidden one
//! among shown ones could be subtracted out of it, and so on up to the day; and out of the venue's at the same time.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::{Calendar, EpochMs, Step, Window};

/// Half-minutes in a five-minute window.
const HALVES: f64 = 10.0;

/// What live told of one place in one five-minute window.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Told {
    /// Half-minutes that were shown, and the people in them added up.
    shown: u32,
    people: f64,
    /// Half-minutes that were hidden while the venue was shown, and while it was not.
    tied: u32,
    free: u32,
}

impl Told {
    /// Whether it was hidden while the venue was shown, so that others were hidden beside it.
    pub(super) fn is_tied(&self) -> bool {
        self.tied > 0
    }

    /// How many half-minutes live has told of.
    pub(super) fn halves(&self) -> u32 {
        self.shown + self.tied + self.free
    }

    pub(super) fn half(&mut self, people: f64, shown: bool, venue_shown: bool) {
        match (shown, venue_shown) {
            (true, _) => {
                self.shown += 1;
                self.people += people;
            }
            (false, true) => self.tied += 1,
            (false, false) => self.free += 1,
        }
    }
}

/// A place in a window: the people in it added up over half-minutes, and how many half-minutes have data.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) people: f64,
    pub(super) halves: u32,
}

impl Sum {
    /// Whether the five minutes may be shown beside what live told of them: the hidden half-minutes number none, or at
    /// least two, k people together and half of k in the mean, and no zone hidden in one could be subtracted from the venue.
    pub(super) fn is_safe_beside(self, k: u32, told: Told) -> bool {
        let hidden = self.halves.saturating_sub(told.shown);
        let people = self.people - told.people;
        let untold = told.halves() == 0;
        let enough = f64::from(k).max(f64::from(hidden * k.div_ceil(2)));
        hidden == 0 || untold || (told.tied == 0 && hidden >= 2 && people >= enough)
    }

    /// Whether live has told all of it.
    pub(super) fn is_known(self, told: Told) -> bool {
        self.halves > 0 && told.shown == self.halves
    }
}

/// A place in a judged five-minute window.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Cell {
    halves: u32,
    /// People in what nobody was told of it, added up over half-minutes; `None` where all of it is known.
    hidden: Option<f64>,
    /// Live showed a part of it, or a longer window that is shown pins it: it cannot stand in for another.
    pinned: bool,
}

/// A judged five-minute window.
#[derive(serde::Serialize, serde::Deserialize)]
struct Column {
    /// By row: the venue, the groups, the zones.
    cells: Vec<Cell>,
    /// The venue was shown in it, live or as a figure.
    tied: bool,
    peaks: Vec<Option<u32>>,
}

/// How a five-minute window was judged, by row.
pub(super) struct Judged {
    pub(super) sum: Sum,
    pub(super) told: Told,
    pub(super) shown: bool,
    pub(super) peak: Option<u32>,
}

/// A longer window of a place that may be shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) row: usize,
    pub(super) sum: Sum,
    /// The figure to be published, its peak, and half of what rounding can hide in it.
    pub(super) value: f64,
    pub(super) peak: Option<u32>,
    pub(super) half_grain: f64,
}

/// The five-minute windows of the days that have not been judged yet.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Columns {
    columns: BTreeMap<EpochMs, Column>,
    /// By zone: the group it is in.
    group_of: Vec<Option<usize>>,
    groups: usize,
}

impl Columns {
    pub(super) fn new(group_of: Vec<Option<usize>>, groups: usize) -> Self {
        Self { columns: BTreeMap::new(), group_of, groups }
    }

    /// Takes note of how the rows of a five-minute window were judged.
    pub(super) fn judged(&mut self, from: EpochMs, rows: &[Judged]) {
        let cell = |row: &Judged| {
            let known = row.shown || row.sum.halves == 0 || row.sum.is_known(row.told);
            Cell {
                halves: row.sum.halves,
                hidden: (!known).then_some((row.sum.people - row.told.people).max(0.0)),
                pinned: row.told.shown > 0,
            }
        };
        let tied = rows.first().is_some_and(|venue| venue.shown || venue.told.shown > 0);
        let peaks = rows.iter().map(|row| row.peak.filter(|_| row.shown)).collect();
        self.columns.insert(from, Column { cells: rows.iter().map(cell).collect(), tied, peaks });
    }

    /// Which of the places that could be shown of a longer window may be, given in the order in which they are tried.
    pub(super) fn admit(&mut self, k: u32, window: Window, candidates: &[Candidate]) -> BTreeSet<usize> {
        candidates.iter().filter(|candidate| self.admits(k, window, candidate)).map(|c| c.row).collect()
    }

    /// Forgets a day that has been judged.
    pub(super) fn end(&mut self, step: Step, window: Window, calendar: &Calendar) {
        if step == Step::Day {
            let next = calendar.window_of(window.to, Step::Day).from;
            self.columns = self.columns.split_off(&next);
        }
    }

    /// Shows a place if what is hidden inside could be nobody, and could be more than it is: either there is nothing
    /// hidden, or rounding hides it all, and beside each hidden zone another stays that could hold its people.
    fn admits(&mut self, k: u32, window: Window, candidate: &Candidate) -> bool {
        let Candidate { row, sum, value, peak, half_grain } = *candidate;
        let inside = || self.columns.range(window.from..window.to).map(|(_, column)| column);
        let halves: u32 = inside().filter_map(|column| column.cells.get(row)).map(|cell| cell.halves).sum();
        if halves != sum.halves {
            // An earlier run heard some of it, and nobody remembers how that was judged.
            return false;
        }
        let hidden = inside().filter_map(|column| column.cells.get(row)?.hidden);
        let (count, all) = hidden.fold((0, 0.0), |(count, all), people| (count + 1, all + people));
        if count == 0 {
            return true;
        }
        let told_peak = inside().filter_map(|column| column.peaks.get(row).copied().flatten()).max();
        let size = f64::from(sum.halves);
        let below = sum.people - (value - half_grain) * size;
        let above = (value + half_grain) * size - sum.people;
        let more = f64::from(count) * HALVES * f64::from(k.div_ceil(2));
        if peak > told_peak || below < all || above < more || !self.leaves_another(window, row) {
            return false;
        }
        self.pin(window, row);
        true
    }

    /// Whether in every window where a row is hidden beside a shown venue two others stay that nothing pins.
    fn leaves_another(&self, window: Window, row: usize) -> bool {
        let zones = 1 + self.groups;
        let tied = self.columns.range(window.from..window.to).map(|(_, column)| column).filter(|c| c.tied);
        tied.filter(|column| column.cells[row].hidden.is_some()).all(|column| {
            let block: Vec<usize> = self.block(column, row);
            let moved = |zone: &&usize| **zone == row || (row < zones && self.is_in(**zone, row));
            let free = block.iter().filter(|zone| !moved(zone) && !column.cells[**zone].pinned).count();
            row == 0 || free >= 2 || block.iter().all(|zone| row < zones && self.is_in(*zone, row))
        })
    }

    /// The hidden zones that are told only together with a hidden row: those of its shown group, or those outside of
    /// every shown group.
    fn block(&self, column: &Column, row: usize) -> Vec<usize> {
        let zones = 1 + self.groups;
        let told_with = |zone: usize| {
            self.group_of[zone - zones].filter(|group| column.cells[1 + group].hidden.is_none())
        };
        let of_row = if row >= zones { told_with(row) } else { None };
        (zones..column.cells.len())
            .filter(|zone| column.cells[*zone].hidden.is_some() && told_with(*zone) == of_row)
            .collect()
    }

    fn is_in(&self, zone: usize, group_row: usize) -> bool {
        self.group_of[zone - 1 - self.groups].is_some_and(|group| 1 + group == group_row)
    }

    /// A shown row holds the sum of what is hidden in it, so that it cannot stand in for others any more.
    fn pin(&mut self, window: Window, row: usize) {
        let zones = 1 + self.groups;
        let group_of = &self.group_of;
        let is_of = |zone: usize| zone == row || group_of[zone - zones].is_some_and(|group| 1 + group == row);
        for (_, column) in self.columns.range_mut(window.from..window.to) {
            if column.cells[row].hidden.is_some() {
                let cells = column.cells.iter_mut().enumerate().skip(zones);
                cells.filter(|(zone, _)| is_of(*zone)).for_each(|(_, cell)| cell.pinned = true);
            }
        }
    }
}
