//! A count through the day: windows inside windows, each told beside those in it.

use std::collections::BTreeMap;

use super::bend::Bent;
use crate::clock::{EpochMs, Step, Window};

/// What is told of a count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// It is at least this, and at most that, or near it.
    pub(super) least: f64,
    pub(super) most: f64,
    /// Whether all windows in it are hidden.
    pub(super) is_of_hidden: bool,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    count: f64,
    said: Option<Said>,
    /// Whether what it is counted among is told.
    is_among_told: bool,
}

/// One kind of count of one place. What lies in no other is told from k on. What holds others is the sum of those that
/// are told, and of what may be told of the hidden.
#[derive(Default)]
pub(super) struct Series {
    cells: BTreeMap<(Step, EpochMs), Cell>,
    most: f64,
}

impl Said {
    pub(super) fn exactly(count: f64) -> Self {
        Self { least: count, most: count, is_of_hidden: false }
    }

    pub(super) fn middle(self) -> f64 {
        f64::midpoint(self.least, self.most)
    }

    pub(super) fn is_exact(self) -> bool {
        self.least >= self.most
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { least: self.least + other.least, most: self.most + other.most, is_of_hidden: false }
    }
}

impl Series {
    /// Judges the sum of a window, which so many people made. What it counts is counted `among` others too, if not by
    /// itself.
    pub(super) fn judge(
        &mut self,
        k: u32,
        step: Step,
        window: Window,
        (count, people): (u64, u64),
        among: Option<&Option<Said>>,
    ) -> Option<Said> {
        let is_among_told = among.is_none_or(Option::is_some);
        let count = count as f64;
        let said = match self.inside(step, window) {
            None if count < f64::from(k) => Said { most: f64::from(k), ..Said::default() },
            None => Said::exactly(count),
            Some(inside) => {
                let told = inside.iter().filter_map(|cell| cell.said).reduce(Said::plus);
                let hidden = inside.iter().filter(|cell| cell.said.is_none());
                let (parts, sum) = hidden.fold((0, 0.0), |(n, sum), cell| (n + 1, sum + cell.count));
                let all: f64 = inside.iter().map(|cell| cell.count).sum();
                let beside = told.unwrap_or_default();
                // What lies in no window that this run has judged is one hidden part, of which nothing is told.
                let known = all >= count;
                // A part of what is hidden itself holds no more than that, unless all of it is hidden alike.
                let among_told =
                    inside.iter().filter(|cell| cell.said.is_none() && cell.is_among_told).count();
                let holding = if among_told == 0 { parts } else { among_told as u32 };
                let bent = if known {
                    Bent::of(k, parts, holding, sum, beside.least)
                } else {
                    Bent::of(k, 1, 1, 0.0, 0.0)
                };
                let (least, most) = (beside.least + bent.least, beside.most + bent.most);
                Said { least, most, is_of_hidden: told.is_none() }
            }
        };
        self.most = said.most;
        let said = Some(said).filter(|said| said.least >= f64::from(k) && people >= u64::from(k));
        self.keep(step, window, Cell { count, said, is_among_told });
        said
    }

    /// The most that there may be in the window that was judged last, as far as is known of it.
    pub(super) fn most(&self) -> f64 {
        self.most
    }

    /// Judges how many distinct there are in a window. They are at most as many as in the windows inside together, so
    /// they are told up to what leaves each hidden one the chance to be nobody.
    pub(super) fn judge_distinct(&mut self, k: u32, step: Step, window: Window, count: f64) -> Option<f64> {
        let most = self.inside(step, window).map_or(f64::INFINITY, |inside| {
            let told: f64 = inside.iter().filter_map(|cell| cell.said).map(|said| said.least).sum();
            match inside.iter().filter(|cell| cell.said.is_none()).count() as u32 {
                0 => f64::INFINITY,
                hidden => told + f64::from((hidden - 1) * (k - 1)),
            }
        });
        let said = Some(count.min(most)).filter(|said| said.round() >= f64::from(k));
        self.keep(step, window, Cell { count, said: said.map(Said::exactly), is_among_told: true });
        said
    }

    /// The judged windows of the next shorter step inside one; none inside the shortest.
    fn inside(&self, step: Step, window: Window) -> Option<Vec<Cell>> {
        let cells = |of: Step| self.cells.range((of, window.from)..(of, window.to)).map(|(_, cell)| *cell);
        let inside =
            Step::ALL.into_iter().rev().filter(|of| *of < step).map(|of| cells(of).collect::<Vec<_>>());
        inside.into_iter().find(|cells| !cells.is_empty())
    }

    fn keep(&mut self, step: Step, window: Window, cell: Cell) {
        if step == Step::Day {
            self.cells.retain(|(_, from), _| *from >= window.to);
        } else {
            self.cells.insert((step, window.from), cell);
        }
    }
}
