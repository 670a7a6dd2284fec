//! A count through the day: windows inside windows, each told beside those in it.

use std::collections::BTreeMap;

use super::bend::Bent;
use crate::clock::{EpochMs, Step, Window};

/// What is told of a count.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Said {
    /// It is at least this, which is its figure: the shown parts, and what may be told of the hidden.
    pub(super) least: f64,
    /// It is at most this, or near it.
    pub(super) most: f64,
    /// Whether all windows in it are hidden.
    pub(super) is_of_hidden: bool,
}

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Cell {
    count: f64,
    said: Option<Said>,
    /// Whether all that it is counted among is told.
    is_among_told: bool,
}

/// What a count is counted among: the engaged among the long visits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Among {
    /// Whether so many are told of this window.
    is_told: bool,
    /// How many the hidden windows in it hold at most, as far as is told.
    pub(super) hidden_most: f64,
}

/// One kind of count of one place. What lies in no other is told from k on. What holds others is the sum of those that
/// are told, and of what may be told of the hidden.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Series {
    cells: BTreeMap<(Step, EpochMs), Cell>,
    /// Of the window that was judged last: the most that there may be in it, and in the hidden windows in it.
    most: f64,
    hidden_most: f64,
}

impl Said {
    pub(super) fn exactly(count: f64) -> Self {
        Self { least: count, most: count, is_of_hidden: false }
    }

    pub(super) fn is_exact(self) -> bool {
        self.least >= self.most
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { least: self.least + other.least, most: self.most + other.most, is_of_hidden: false }
    }
}

/// How many all hidden windows but any one hold at most: each k − 1, but those in which what it is counted among is
/// hidden too hold no more than that together, unless all are.
pub(super) fn over(k: u32, among_told: u32, among_hidden: u32, hidden_most: f64) -> f64 {
    let most = |windows: u32| f64::from(windows * (k - 1));
    let one_less = |windows: u32| most(windows.saturating_sub(1));
    match (among_told, among_hidden) {
        (0, windows) | (windows, 0) => one_less(windows),
        (told, hidden) => {
            let without_told = one_less(told) + most(hidden).min(hidden_most);
            let without_hidden = most(told) + one_less(hidden).min(hidden_most);
            without_told.min(without_hidden)
        }
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
        among: Option<Among>,
    ) -> Option<Said> {
        let is_among_told = among.is_none_or(|among| among.is_told);
        let count = count as f64;
        self.hidden_most = f64::from(k - 1);
        let said = match self.inside(step, window) {
            None if count < f64::from(k) => Said { most: f64::from(k), ..Said::default() },
            None => Said::exactly(count),
            Some(inside) => {
                let told = inside.iter().filter_map(|cell| cell.said).reduce(Said::plus);
                let bent = Self::bent(k, &inside, count, told.is_some(), among);
                let hidden = inside.iter().filter(|cell| cell.said.is_none()).count() as u32;
                self.hidden_most = bent.most.min(f64::from(hidden * (k - 1)));
                let beside = told.unwrap_or_default();
                let (least, most) = (beside.least + bent.least, beside.most + bent.most);
                Said { least, most, is_of_hidden: told.is_none() }
            }
        };
        self.most = said.most;
        let said = Some(said).filter(|said| said.least >= f64::from(k) && people >= u64::from(k));
        self.keep(step, window, Cell { count, said, is_among_told });
        said
    }

    /// What may be told of the hidden windows inside one.
    fn bent(k: u32, inside: &[Cell], count: f64, is_beside: bool, among: Option<Among>) -> Bent {
        let all: f64 = inside.iter().map(|cell| cell.count).sum();
        if all < count {
            // What lies in no window that this run has judged is one hidden part, of which nothing is told.
            return Bent::of(k, 1, 0.0, 0.0);
        }
        let hidden: Vec<&Cell> = inside.iter().filter(|cell| cell.said.is_none()).collect();
        let sum = hidden.iter().map(|cell| cell.count).sum();
        let among_told = hidden.iter().filter(|cell| cell.is_among_told).count() as u32;
        let among_hidden = hidden.len() as u32 - among_told;
        let over = over(k, among_told, among_hidden, among.map_or(f64::INFINITY, |among| among.hidden_most));
        Bent::up_to(over, k, hidden.len() as u32, sum, if is_beside { 1.0 } else { 0.0 })
    }

    /// This count as one that another is counted among.
    pub(super) fn as_among(&self, said: Option<Said>) -> Among {
        Among { is_told: said.is_some(), hidden_most: self.hidden_most }
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
