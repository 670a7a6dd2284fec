//! Which zone follows which, and how long people are in each: counted from what is settled, of everyone together, and
//! forgotten with the venue day.

use super::path::Loudest;

/// What is assumed of a zone before anybody was seen to leave it: that so many have, after so long each.
const LEFT_BEFORE: f32 = 2.0;
const STAYED_BEFORE_SECS: f32 = 120.0;
/// So many moves from each zone are assumed before any was seen, to all zones alike.
const WENT_BEFORE: f32 = 25.0;
/// In a gap of this length there was, more likely than not, a zone between, where there was a move at all, secs.
const FAR_SECS: f32 = 480.0;
/// A move seen over a longer gap may have led over zones between, and teaches nothing of what follows what, ms.
const NEXT_GAP_MS_MAX: i64 = 60_000;
/// No move is rarer.
const SHARE_MIN: f32 = 1e-4;

/// A settled change of zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) from: u16,
    pub(super) to: u16,
    /// Which zones were loudest in the zone that was left.
    pub(super) loudest: Loudest,
    /// From the first to the last sighting in the zone that was left.
    pub(super) stayed_ms: i64,
    /// From that to the first in the next.
    pub(super) gap_ms: i64,
}

/// Counters of all moves of the day.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Ways {
    zones: usize,
    /// By zone that was left, and by zone that was next.
    next: Vec<u32>,
    /// By zone: how many were seen to go on to a next one, and their sum.
    went: Vec<u32>,
    /// By zone: how many came, left, and how long those stayed.
    came: Vec<u32>,
    came_anywhere: u32,
    left: Vec<u32>,
    stayed_ms: Vec<i64>,
}

impl Ways {
    /// Nobody was seen yet.
    pub(super) fn new(zones: usize) -> Self {
        Self {
            zones,
            next: vec![0; zones * zones],
            went: vec![0; zones],
            came: vec![0; zones],
            came_anywhere: 0,
            left: vec![0; zones],
            stayed_ms: vec![0; zones],
        }
    }

    /// What it costs to have stayed in a zone for a while, nats.
    pub(super) fn stay(&self, zone: u16, secs: f32) -> f32 {
        secs / self.mean_secs(usize::from(zone))
    }

    /// What it costs to have gone from one zone to another within a while, nats.
    pub(super) fn go(&self, from: u16, to: u16, secs: f32) -> f32 {
        let (from, to) = (usize::from(from), usize::from(to));
        let leaves = 1.0 - (-secs / self.mean_secs(from)).exp();
        let next = self.share(self.next[from * self.zones + to], self.went[from]);
        let anywhere = self.share(self.came[to], self.came_anywhere);
        let goes = far(secs) * anywhere + (1.0 - far(secs)) * next;
        -(leaves * goes).max(SHARE_MIN).ln()
    }

    /// A share of moves, with those that are assumed to have gone anywhere alike.
    fn share(&self, seen: u32, of: u32) -> f32 {
        (seen as f32 + WENT_BEFORE / self.zones as f32) / (of as f32 + WENT_BEFORE)
    }

    /// Whether it counts for so many zones.
    pub(super) fn is_of(&self, zones: usize) -> bool {
        self.zones == zones && self.next.len() == zones * zones
    }

    /// Counts a move.
    pub(super) fn learn(&mut self, moved: Move) {
        let (from, to) = (usize::from(moved.from), usize::from(moved.to));
        self.came[to] += 1;
        self.came_anywhere += 1;
        self.left[from] += 1;
        self.stayed_ms[from] += moved.stayed_ms;
        if moved.gap_ms < NEXT_GAP_MS_MAX {
            self.next[from * self.zones + to] += 1;
            self.went[from] += 1;
        }
    }

    fn mean_secs(&self, zone: usize) -> f32 {
        let stayed_secs = self.stayed_ms[zone] as f32 / 1000.0 + STAYED_BEFORE_SECS * LEFT_BEFORE;
        stayed_secs / (self.left[zone] as f32 + LEFT_BEFORE)
    }
}

/// How likely it is that there were zones between, over a while: then where people go at all says more than where they go
/// next.
fn far(secs: f32) -> f32 {
    1.0 - (-secs / FAR_SECS).exp()
}
