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

/// A sum that is known, or may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Sum {
    /// Visitors' visits, by length.
    Lengths,
    /// Visits, by where they were first near.
    Entrances,
    /// Visits, by where they were last near.
    Exits,
    /// Visits to a zone, by where they went next.
    From(u16),
    /// Visits to a zone, by where they came from.
    To(u16),
}

/// What was drawn into a cell in an hour, and what was told of it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Hour {
    drawn: u64,
    said: Option<f64>,
}

/// What is left of an hour: of its cells those in which somebody was counted, and how many are untold of each sum.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "Key: Ord + Serialize + DeserializeOwned")]
struct Judged<Key: Ord> {
    cells: BTreeMap<Key, Hour>,
    untold: BTreeMap<Sum, f64>,
}

/// A table through the day.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "Key: Ord + Serialize + DeserializeOwned")]
pub(super) struct Table<Key: Ord> {
    hours: BTreeMap<EpochMs, Judged<Key>>,
}

/// A cell that is part of sums.
pub(super) trait Shares: Ord + Copy {
    /// What is known of the told cells of a window: by sum, how many there are, and the cells that are counted among them.
    fn sums(moves: &Moves, parts: &BTreeMap<Self, Part>) -> BTreeMap<Sum, (u64, Vec<Self>)>;

    /// The sums that this cell is part of.
    fn of(self) -> Vec<Sum>;

    /// Those of them in which its hidden hours find room only beside other cells'.
    fn crowds(self) -> Vec<Sum>;
}

/// How many cells want room in what is untold of a sum in an hour.
type Wanted = BTreeMap<(EpochMs, Sum), u32>;

/// A band of a set, by its place in it.
pub(super) type Length = (Bands, u8);

/// All tables of a venue.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Tables {
    pub(super) flows: Table<(Side, Side)>,
    came: Series,
    moved: Series,
    pub(super) dwell: BTreeMap<Place, Table<Length>>,
}

/// What is told of a window's flows.
pub(super) struct Flows {
    pub(super) cells: BTreeMap<(Side, Side), Said>,
    /// How many visits there were, each of which came in and went out, and how many moves were drawn, told or not.
    pub(super) all: Option<(f64, f64)>,
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
    pub(super) fn said(&self) -> Said {
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

impl<Key: Shares> Table<Key> {
    /// Judges the cells of a window after the hours in it.
    pub(super) fn judge(
        &mut self,
        k: u32,
        step: Step,
        window: Window,
        cells: &BTreeMap<Key, Drawn>,
        moves: &Moves,
    ) -> BTreeMap<Key, Said> {
        let parts = self.parts(k, window, cells, moves);
        if step == Step::Day {
            self.hours.retain(|from, _| *from >= window.to);
        } else {
            let said = |key: &Key| parts.get(key).map(|part| part.said().least);
            let hour = |(key, cell): (&Key, &Drawn)| (*key, Hour { drawn: cell.drawn, said: said(key) });
            let untold =
                |(sum, (all, keys)): (Sum, (u64, Vec<Key>))| (sum, all as f64 - told_of(&keys, &parts));
            let untold = Key::sums(moves, &parts).into_iter().map(untold).collect();
            self.hours.insert(window.from, Judged { cells: cells.iter().map(hour).collect(), untold });
        }
        parts.into_iter().map(|(key, part)| (key, part.said())).collect()
    }

    /// What is told of each cell, if anything.
    pub(super) fn parts(
        &self,
        k: u32,
        window: Window,
        cells: &BTreeMap<Key, Drawn>,
        moves: &Moves,
    ) -> BTreeMap<Key, Part> {
        let is_told = |part: &Part| part.said().least >= f64::from(k);
        let told = |among: &BTreeMap<Key, Drawn>| -> BTreeMap<Key, Part> {
            let wanted = self.wanted(window, among.keys());
            let parts = among.iter().map(|(key, cell)| (*key, self.part(k, window, (*key, cell), &wanted)));
            parts.filter(|(_, part)| is_told(part)).collect()
        };
        let mut enough: BTreeMap<Key, Drawn> =
            cells.iter().filter(|(_, cell)| is_enough(k, cell)).map(|(key, cell)| (*key, *cell)).collect();
        // What is told of a cell goes by which others are told, and by nothing of those that are not.
        let first = told(&enough);
        enough.retain(|key, _| first.contains_key(key));
        let mut parts = told(&enough);
        // Each turn tells less than the one before, and what is told are whole numbers.
        loop {
            let mut has_bent = false;
            for (all, keys) in Key::sums(moves, &parts).into_values() {
                has_bent |= leave_half_of_k(k, all, &keys, &mut parts);
            }
            parts.retain(|_, part| is_told(part));
            if !has_bent {
                return parts;
            }
        }
    }

    /// How many of some cells are hidden in each hour of a window, by sum.
    fn wanted<'a>(&self, window: Window, keys: impl Iterator<Item = &'a Key>) -> Wanted
    where
        Key: 'a,
    {
        let mut wanted = Wanted::new();
        for key in keys {
            for (at, hour) in self.hours.range(window.from..window.to) {
                if hour.cells.get(key).is_none_or(|hour| hour.said.is_none()) {
                    key.crowds().into_iter().for_each(|sum| *wanted.entry((*at, sum)).or_default() += 1);
                }
            }
        }
        wanted
    }

    /// What may be told of a cell beside the hours in its window.
    fn part(&self, k: u32, window: Window, (key, cell): (Key, &Drawn), wanted: &Wanted) -> Part {
        let hours = || self.hours.range(window.from..window.to);
        if hours().next().is_none() {
            let drawn = cell.drawn as f64;
            return Part { beside: 0.0, through: Bent { least: drawn, most: drawn }, floor: f64::from(k) };
        }
        let (mut beside, mut of_hidden, mut seen, mut rooms) = (0.0, 0, 0, Vec::new());
        for (at, hour) in hours() {
            let Hour { drawn, said } = hour.cells.get(&key).copied().unwrap_or_default();
            seen += drawn;
            match said {
                Some(said) => beside += said,
                None => {
                    of_hidden += drawn;
                    let room = |sum: Sum| {
                        let untold = hour.untold.get(&sum).copied().unwrap_or(0.0);
                        (untold / f64::from(wanted.get(&(*at, sum)).copied().unwrap_or(1))).floor()
                    };
                    rooms.push(key.of().into_iter().map(room).fold(f64::from(k - 1), f64::min));
                }
            }
        }
        let through = if seen < cell.drawn {
            // What lies in no hour that this run has judged is one hidden part, of which nothing is told.
            Bent::of(k, 1, 0.0, 0.0)
        } else {
            // All hidden hours but the roomiest hold so many, and what is told of all must find room in the others.
            let over = rooms.iter().sum::<f64>() - rooms.iter().copied().fold(0.0, f64::max);
            Bent::up_to(over, k, rooms.len() as u32, of_hidden as f64, beside)
        };
        let under = if beside > 0.0 { k.div_ceil(2) } else { k };
        Part { beside, through, floor: f64::from(under + 1) }
    }
}

/// How many are told of some cells together.
fn told_of<Key: Ord>(keys: &[Key], parts: &BTreeMap<Key, Part>) -> f64 {
    keys.iter().filter_map(|key| parts.get(key)).map(|part| part.said().least).sum()
}

/// Of a sum so much stays untold that any cell of it that is not told could be half of k: what is told of the largest rests
/// bends. Gives whether any did.
fn leave_half_of_k<Key: Ord + Copy>(k: u32, all: u64, keys: &[Key], parts: &mut BTreeMap<Key, Part>) -> bool {
    let mut has_bent = false;
    loop {
        let over = told_of(keys, parts) + f64::from(k.div_ceil(2)) - all as f64;
        let largest = keys.iter().filter(|key| parts.get(key).is_some_and(|part| part.through.least > 0.0));
        let largest = largest.max_by(|a, b| parts[a].through.least.total_cmp(&parts[b].through.least));
        let Some(part) = largest.filter(|_| over > 0.0).and_then(|key| parts.get_mut(key)) else {
            return has_bent;
        };
        part.bend(over);
        has_bent = true;
    }
}

impl Shares for (Side, Side) {
    fn sums(moves: &Moves, _: &BTreeMap<Self, Part>) -> BTreeMap<Sum, (u64, Vec<Self>)> {
        // Who stayed in a zone came there from another, or stayed there first; and went to another, or stayed there last.
        let first = moves.first.iter().map(|(zone, all)| (Sum::To(*zone), (*all, Vec::new())));
        let last = moves.last.iter().map(|(zone, all)| (Sum::From(*zone), (*all, Vec::new())));
        let mut sums: BTreeMap<Sum, (u64, Vec<Self>)> = first.chain(last).collect();
        for (key, cell) in &moves.flows {
            for sum in key.of() {
                let (all, keys) = sums.entry(sum).or_default();
                *all += cell.all;
                keys.push(*key);
            }
        }
        sums
    }

    fn of(self) -> Vec<Sum> {
        match self {
            (Some(from), Some(to)) => vec![Sum::From(from), Sum::To(to)],
            (None, _) => vec![Sum::Entrances],
            (_, None) => vec![Sum::Exits],
        }
    }

    fn crowds(self) -> Vec<Sum> {
        self.of()
    }
}

impl Shares for Length {
    /// All visitors' visits, and those of the told bands that do not overlap and hold the most together, of whichever sets.
    fn sums(moves: &Moves, parts: &BTreeMap<Self, Part>) -> BTreeMap<Sum, (u64, Vec<Self>)> {
        let of_a_set = moves.dwell.iter().filter(|((bands, _), _)| *bands == Bands::Default);
        let all = of_a_set.map(|(_, cell)| cell.all).sum();
        BTreeMap::from([(Sum::Lengths, (all, heaviest(parts)))])
    }

    fn of(self) -> Vec<Sum> {
        vec![Sum::Lengths]
    }

    /// Bands of three sets overlap, and what one hides may lie in another's room.
    fn crowds(self) -> Vec<Sum> {
        Vec::new()
    }
}

fn heaviest(parts: &BTreeMap<Length, Part>) -> Vec<Length> {
    let ends = |(bands, band): Length| {
        let starts = bands.starts();
        (starts[usize::from(band)], starts.get(usize::from(band) + 1).copied().unwrap_or(u16::MAX))
    };
    let mut bands: Vec<Length> = parts.keys().copied().collect();
    bands.sort_by_key(|length| ends(*length).1);
    // By where it ends, the best that there is up to there.
    let mut best: Vec<(u16, f64, Vec<Length>)> = vec![(0, 0.0, Vec::new())];
    for length in bands {
        let (start, end) = ends(length);
        let up_to = |at: u16| best.iter().rev().find(|(ended, ..)| *ended <= at);
        let (with, chain) = up_to(start).map_or((0.0, Vec::new()), |(_, weight, chain)| {
            (weight + parts[&length].said().least, [chain.as_slice(), &[length]].concat())
        });
        if best.last().is_none_or(|(_, weight, _)| with > *weight) {
            best.push((end, with, chain));
        }
    }
    best.pop().map(|(.., chain)| chain).unwrap_or_default()
}

impl Tables {
    /// Judges the flows of a window.
    pub(super) fn flows(&mut self, k: u32, step: Step, window: Window, moves: &Moves) -> Flows {
        let (came, moved) = (moves.came, moves.moved);
        let came = self.came.judge(k, step, window, (came.all, u64::from(came.people)), None);
        let moved = self.moved.judge(k, step, window, (moved.drawn, u64::from(moved.people)), None);
        Flows {
            cells: self.flows.judge(k, step, window, &moves.flows, moves),
            all: came.zip(moved).map(|(came, moved)| (came.least, moved.least)),
        }
    }

    /// Judges how long visits to a place were.
    pub(super) fn dwell(
        &mut self,
        k: u32,
        step: Step,
        window: Window,
        place: Place,
        moves: &Moves,
    ) -> BTreeMap<Length, Said> {
        let table = self.dwell.entry(place).or_default();
        table.judge(k, step, window, &moves.dwell, moves)
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

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;
