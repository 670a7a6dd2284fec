//! Tables of counts that share sums: flows out of and into a zone, lengths of all visits, zones visited together.
//!
//! Whoever knows such a sum, and all cells but one, knows that one. So chance leaves some visits out of every cell
//! ([`Drawn`]), and of each sum at least half of k stays untold.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::bend::Bent;
use super::series::{Said, Series};
use crate::aggregate::{Bands, Drawn, Moves, Place, Side};
use crate::clock::{EpochMs, Step, Window};

/// A sum that is known, or may be, of some cells of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sum {
    /// Visitors' visits.
    All,
    /// Those of them that stayed.
    Stayed,
    /// Visits, by where they were first near.
    Entrances,
    /// Visits, by where they were last near.
    Exits,
    /// Moves out of a zone.
    From(u16),
    /// Moves into a zone.
    To(u16),
}

/// What was drawn into a cell in an hour, and what was told of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Hour {
    drawn: u64,
    said: Option<f64>,
}

/// A table through the day. Of an hour only cells in which somebody was counted are kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "Key: Ord + Serialize + DeserializeOwned")]
pub(super) struct Table<Key: Ord> {
    hours: BTreeMap<EpochMs, BTreeMap<Key, Hour>>,
}

/// All tables of a venue.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Tables {
    flows: Table<(Side, Side)>,
    came: Series,
    moved: Series,
    dwell: BTreeMap<(Place, Bands), Table<u8>>,
}

/// What is told of a window's flows.
pub(super) struct Flows {
    pub(super) cells: BTreeMap<(Side, Side), Said>,
    /// All of them together, told or not.
    pub(super) all: Option<f64>,
}

/// What is told of two zones that were visited together: how many visits were in both, and in the one and the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Together {
    pub(super) both: f64,
    pub(super) one: f64,
    pub(super) other: f64,
}

impl<Key: Ord> Default for Table<Key> {
    fn default() -> Self {
        Self { hours: BTreeMap::new() }
    }
}

/// What is told of a cell: the hours in it that are told, and what may be told of the rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    beside: f64,
    pub(super) through: Bent,
    /// Less than this is not told of the rest, but only that it is less.
    floor: f64,
}

fn is_enough(k: u32, cell: &Drawn) -> bool {
    cell.drawn >= u64::from(k) && cell.people >= k
}

impl Part {
    fn said(&self) -> Said {
        let Self { beside, through, .. } = *self;
        Said { least: beside + through.least, most: beside + through.most, is_of_hidden: beside <= 0.0 }
    }

    /// Tells so many less of the rest, or that it is little.
    fn bend(&mut self, less: f64) {
        let least = self.through.least - less;
        self.through = if least >= self.floor {
            Bent { least, most: least }
        } else {
            Bent { least: 0.0, most: self.floor - 1.0 }
        };
    }
}

impl<Key: Ord + Copy> Table<Key> {
    /// Judges the cells of a window after the hours in it. `sums` are those that a cell is part of.
    pub(super) fn judge(
        &mut self,
        k: u32,
        step: Step,
        window: Window,
        cells: &BTreeMap<Key, Drawn>,
        sums: impl Fn(Key) -> Vec<Sum>,
    ) -> BTreeMap<Key, Said> {
        let parts = self.parts(k, window, cells, sums);
        let told: BTreeMap<Key, Said> = parts.into_iter().map(|(key, part)| (key, part.said())).collect();
        if step == Step::Day {
            self.hours.retain(|from, _| *from >= window.to);
        } else {
            let said = |key: &Key| told.get(key).map(|said| said.least);
            let hour = |(key, cell): (&Key, &Drawn)| (*key, Hour { drawn: cell.drawn, said: said(key) });
            self.hours.insert(window.from, cells.iter().map(hour).collect());
        }
        told
    }

    /// What is told of each cell, if anything.
    pub(super) fn parts(
        &self,
        k: u32,
        window: Window,
        cells: &BTreeMap<Key, Drawn>,
        sums: impl Fn(Key) -> Vec<Sum>,
    ) -> BTreeMap<Key, Part> {
        let is_told = |part: &Part| part.said().least >= f64::from(k);
        let enough = cells.iter().filter(|(_, cell)| is_enough(k, cell));
        let parts = enough.map(|(key, cell)| (*key, self.part(k, window, *key, cell)));
        let mut parts: BTreeMap<Key, Part> = parts.filter(|(_, part)| is_told(part)).collect();
        let mut shared: BTreeMap<Sum, (u64, Vec<Key>)> = BTreeMap::new();
        for (key, cell) in cells {
            for sum in sums(*key) {
                let (all, keys) = shared.entry(sum).or_default();
                *all += cell.all;
                keys.push(*key);
            }
        }
        for (all, keys) in shared.values() {
            leave_half_of_k(k, *all, keys, &mut parts);
            parts.retain(|_, part| is_told(part));
        }
        parts
    }

    /// What may be told of a cell beside the hours in its window.
    fn part(&self, k: u32, window: Window, key: Key, cell: &Drawn) -> Part {
        let hours: Vec<Option<&Hour>> =
            self.hours.range(window.from..window.to).map(|(_, cells)| cells.get(&key)).collect();
        if hours.is_empty() {
            let drawn = cell.drawn as f64;
            return Part { beside: 0.0, through: Bent { least: drawn, most: drawn }, floor: f64::from(k) };
        }
        let told: Vec<f64> = hours.iter().filter_map(|hour| hour.and_then(|hour| hour.said)).collect();
        let beside = told.iter().sum::<f64>();
        let seen: u64 = hours.iter().flatten().map(|hour| hour.drawn).sum();
        let of_hidden = hours.iter().flatten().filter(|hour| hour.said.is_none());
        let of_hidden = of_hidden.map(|hour| hour.drawn).sum::<u64>() as f64;
        let hidden = (hours.len() - told.len()) as u32;
        let through = if seen < cell.drawn {
            // What lies in no hour that this run has judged is one hidden part, of which nothing is told.
            Bent::of(k, 1, 0.0, 0.0)
        } else {
            Bent::of(k, hidden, of_hidden, beside)
        };
        let under = if beside > 0.0 { k.div_ceil(2) } else { k };
        Part { beside, through, floor: f64::from(under + 1) }
    }
}

/// Of a sum so much stays untold that any cell of it that is not told could be half of k: what is told of the largest rests
/// bends.
fn leave_half_of_k<Key: Ord + Copy>(k: u32, all: u64, keys: &[Key], parts: &mut BTreeMap<Key, Part>) {
    loop {
        let told: f64 = keys.iter().filter_map(|key| parts.get(key)).map(|part| part.said().least).sum();
        let over = told + f64::from(k.div_ceil(2)) - all as f64;
        let largest = keys.iter().filter(|key| parts.get(key).is_some_and(|part| part.through.least > 0.0));
        let largest = largest.max_by(|a, b| parts[a].through.least.total_cmp(&parts[b].through.least));
        let Some(part) = largest.filter(|_| over > 0.0).and_then(|key| parts.get_mut(key)) else { return };
        part.bend(over);
    }
}

/// The sums that a flow is part of.
fn sums_of_flow((from, to): (Side, Side)) -> Vec<Sum> {
    match (from, to) {
        (Some(from), Some(to)) => vec![Sum::From(from), Sum::To(to)],
        (None, _) => vec![Sum::Entrances],
        (_, None) => vec![Sum::Exits],
    }
}

impl Tables {
    /// Judges the flows of a window.
    pub(super) fn flows(&mut self, k: u32, step: Step, window: Window, moves: &Moves) -> Flows {
        let count = |cell: Drawn| (cell.all, u64::from(cell.people));
        let came = self.came.judge(k, step, window, count(moves.came), None);
        let moved = self.moved.judge(k, step, window, count(moves.moved), None);
        Flows {
            cells: self.flows.judge(k, step, window, &moves.flows, sums_of_flow),
            all: came.zip(moved).map(|(came, moved)| 2.0 * came.least + moved.least),
        }
    }

    /// Judges how long visits to a place were. Of those that stayed so many minutes it may be known how many they are.
    pub(super) fn dwell(
        &mut self,
        (k, stay_minutes): (u32, u16),
        step: Step,
        window: Window,
        (place, bands): (Place, Bands),
        moves: &Moves,
    ) -> BTreeMap<u8, Said> {
        let of_set = moves.dwell.range((bands, 0)..=(bands, u8::MAX));
        let cells = of_set.map(|((_, band), cell)| (*band, *cell)).collect();
        let stayed = |band: u8| bands.starts()[usize::from(band)] >= stay_minutes;
        let sums = |band: u8| if stayed(band) { vec![Sum::Stayed, Sum::All] } else { vec![Sum::All] };
        self.dwell.entry((place, bands)).or_default().judge(k, step, window, &cells, sums)
    }
}

/// Judges which zones were visited together on a day. Of the visits to either at least half of k stay that may have been
/// in both or not.
pub(super) fn together(k: u32, moves: &Moves) -> BTreeMap<(u16, u16), Together> {
    let visits = |zone: u16| {
        let of_zone = moves.together.get(&(zone, zone)).filter(|cell| is_enough(k, cell));
        of_zone.map(|cell| cell.all as f64)
    };
    let told = |(&(one, other), cell): (&(u16, u16), &Drawn)| {
        let (in_one, in_other) = (visits(one)?, visits(other)?);
        let most = in_one.min(in_other) - f64::from(k.div_ceil(2));
        let both = (cell.drawn as f64).min(most);
        let is_told = one != other && is_enough(k, cell) && both >= f64::from(k);
        is_told.then_some(((one, other), Together { both, one: in_one, other: in_other }))
    };
    moves.together.iter().filter_map(told).collect()
}
