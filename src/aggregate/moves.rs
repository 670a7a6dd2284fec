//! Tables of visits: from which zone to which next, which zones were visited together, and how long.
//!
//! Of every cell two counts are kept: all visits that belong in it, and those that chance left in it. What is told is made
//! of the drawn alone, so that no sum of told cells is all there is; the others are for the judge to hold that against.

use std::collections::BTreeMap;

use crate::visit::{Distinct, Kind, Route};

/// One visit in this many is left out of a cell, by chance: by its pseudonym and the cell, so that it is the same however
/// often it comes and in whatever order.
pub const DRAWN_OF: u32 = 8;
/// The most pairs of zones that are counted in a window; visits to others count among all moves alone.
pub const PAIRS_MAX: usize = 1 << 16;
/// A device leaves one of so many marks in a cell; as many devices as there are marks have been there, or more.
const MARKS: usize = 256;

/// A set of bands of dwell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Bands {
    /// 5, 15, 30, 60, 120 and 240 minutes.
    Default,
    /// Meraki's: 5, 20, 60 and 360 minutes.
    Meraki,
    /// CMX's: 5, 30, 60, 300 and 480 minutes.
    Cmx,
}

/// A zone by its place in the venue; `None` is outside.
pub type Side = Option<u16>;

/// How many are counted in a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// All that belong in it.
    pub all: u64,
    /// Those that chance left in it.
    pub drawn: u64,
    /// At least so many devices made the drawn.
    pub people: u32,
}

/// Tables of one place in a closed window; flows and zones visited together are of the venue alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moves {
    /// Visits that were near in some zone.
    pub came: Drawn,
    /// Moves of all visits together, from a zone to the next.
    pub moved: Drawn,
    /// Visits that went from one zone to the other next; from outside where they were first near, to outside where last.
    pub flows: BTreeMap<(Side, Side), Drawn>,
    /// By zone: visits that stayed there before any other.
    pub first: BTreeMap<u16, u64>,
    /// By zone: visits that stayed there after any other.
    pub last: BTreeMap<u16, u64>,
    /// Visits that stayed in both zones, the one of the lower number first; in one, where both are the same.
    pub together: BTreeMap<(u16, u16), Drawn>,
    /// Visitors' visits by length.
    pub dwell: BTreeMap<(Bands, u8), Drawn>,
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Count {
    all: u64,
    drawn: u64,
    marks: [u64; MARKS / 64],
}

/// Tables of one place in an open window.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct MoveCell {
    came: Count,
    moved: Count,
    flows: BTreeMap<(Side, Side), Count>,
    first: BTreeMap<u16, u64>,
    last: BTreeMap<u16, u64>,
    together: BTreeMap<(u16, u16), Count>,
    dwell: BTreeMap<(Bands, u8), Count>,
}

impl Bands {
    /// Every set.
    pub const ALL: [Self; 3] = [Self::Default, Self::Meraki, Self::Cmx];

    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Meraki => "meraki",
            Self::Cmx => "cmx",
        }
    }

    /// Reads the word of the API.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bands| bands.as_str() == word)
    }

    /// Where its bands begin, minutes; each ends where the next begins, and the last is open.
    #[must_use]
    pub fn starts(self) -> &'static [u16] {
        match self {
            Self::Default => &[5, 15, 30, 60, 120, 240],
            Self::Meraki => &[5, 20, 60, 360],
            Self::Cmx => &[5, 30, 60, 300, 480],
        }
    }

    /// The band of a length; `None` of one shorter than all.
    fn of(self, minutes: u16) -> Option<u8> {
        self.starts().iter().rposition(|start| minutes >= *start).map(|band| band as u8)
    }
}

impl Count {
    /// Counts a device in a cell that these numbers name.
    fn add(&mut self, who: Distinct, times: u64, cell: [u16; 4]) {
        self.all += times;
        let name = cell.into_iter().fold(0, |name, part| (name << 16) | u64::from(part));
        if !mixed(who.0 ^ mixed(name)).is_multiple_of(u64::from(DRAWN_OF)) {
            self.drawn += times;
            let mark = mixed(who.0) as usize % MARKS;
            self.marks[mark / 64] |= 1 << (mark % 64);
        }
    }

    fn finish(self) -> Drawn {
        Drawn {
            all: self.all,
            drawn: self.drawn,
            people: self.marks.iter().map(|marks| marks.count_ones()).sum(),
        }
    }
}

/// Which table a cell is of, so that chance is another's in each.
const CAME: u16 = 0;
const MOVED: u16 = 1;
const FLOWS: u16 = 2;
const TOGETHER: u16 = 3;
const DWELL: u16 = 4;
/// Stands for outside in a cell's name.
const OUTSIDE: u16 = u16::MAX;

impl MoveCell {
    /// A visit to the venue ended, and went this way. Each cell counts it once. Which zones were visited together is asked
    /// of whole days only.
    pub(super) fn went(&mut self, who: Distinct, route: &Route, is_day: bool) {
        self.came.add(who, 1, [CAME, 0, 0, 0]);
        let moves = route.moves();
        if !moves.is_empty() {
            self.moved.add(who, moves.len() as u64, [MOVED, 0, 0, 0]);
        }
        let ends = [(None, Some(route.entered())), (Some(route.left()), None)];
        let inner = moves.into_iter().map(|(from, to)| (Some(from), Some(to)));
        for (from, to) in ends.into_iter().chain(inner) {
            if let Some(count) = cell(&mut self.flows, (from, to)) {
                count.add(who, 1, [FLOWS, from.unwrap_or(OUTSIDE), to.unwrap_or(OUTSIDE), 0]);
            }
        }
        if let Some((first, last)) = route.stayed() {
            *self.first.entry(first).or_default() += 1;
            *self.last.entry(last).or_default() += 1;
        }
        if is_day {
            let zones = route.touched();
            for (n, zone) in zones.iter().enumerate() {
                for also in &zones[n..] {
                    if let Some(count) = cell(&mut self.together, (*zone, *also)) {
                        count.add(who, 1, [TOGETHER, *zone, *also, 0]);
                    }
                }
            }
        }
    }

    /// A visit ended in a place. A venue's and each zone's chance are their own.
    pub(super) fn ended(&mut self, who: Distinct, kind: Kind, minutes: u16, place: Side) {
        if matches!(kind, Kind::PasserBy | Kind::Bounce) {
            return;
        }
        for bands in Bands::ALL {
            if let Some(band) = bands.of(minutes) {
                // A band that two sets have is the same in both.
                let start = bands.starts()[usize::from(band)];
                let end = bands.starts().get(usize::from(band) + 1).copied().unwrap_or(u16::MAX);
                let count = self.dwell.entry((bands, band)).or_default();
                count.add(who, 1, [DWELL, start, end, place.unwrap_or(OUTSIDE)]);
            }
        }
    }

    pub(super) fn finish(self) -> Moves {
        Moves {
            came: self.came.finish(),
            moved: self.moved.finish(),
            flows: finish(self.flows),
            first: self.first,
            last: self.last,
            together: finish(self.together),
            dwell: finish(self.dwell),
        }
    }
}

fn finish<Key: Ord>(cells: BTreeMap<Key, Count>) -> BTreeMap<Key, Drawn> {
    cells.into_iter().map(|(key, count)| (key, count.finish())).collect()
}

/// The cell of a key, if it is there or there is room for it.
fn cell<Key: Ord>(cells: &mut BTreeMap<Key, Count>, key: Key) -> Option<&mut Count> {
    let has_room = cells.len() < PAIRS_MAX || cells.contains_key(&key);
    has_room.then(|| cells.entry(key).or_default())
}

/// Spreads a number that is random already over all bits anew: the last step of SplitMix64.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
#[path = "moves_tests.rs"]
mod tests;
