//! Visits of one place in one window.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};

use hyperloglogplus::{HyperLogLog, HyperLogLogPlus};

use crate::visit::{Distinct, Kind};

/// Registers are 2 to this power. 2^14 is 12 kB once dense and errs by 0.81 %; sparse and all but exact below that.
const PRECISION: u8 = 14;

/// Visits of a closed window.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// Visits booked, of every kind.
    pub visits: u64,
    /// Visits that never came near.
    pub passersby: u64,
    /// Visits near for under a visitor's time.
    pub bounces: u64,
    /// Visits near for long.
    pub engaged: u64,
    /// Distinct devices that were present as visitors.
    pub visitors: f64,
    /// How long visitors' visits were.
    pub dwell: Dwell,
    /// Devices of the day that are no visitor's; 0 but for the venue's day.
    pub infrastructure: u64,
}

/// Lengths of visitors' visits in whole minutes; two of them merge by adding.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Dwell(BTreeMap<u16, u64>);

impl Dwell {
    /// How many visits.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// Their mean and standard deviation in minutes; `None` without any.
    #[must_use]
    pub fn mean_and_sigma(&self) -> Option<(f64, f64)> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let over = |f: &dyn Fn(f64) -> f64| {
            self.0.iter().map(|(minutes, n)| f(f64::from(*minutes)) * *n as f64).sum::<f64>() / count as f64
        };
        let mean = over(&|m| m);
        Some((mean, over(&|m| (m - mean).powi(2)).sqrt()))
    }

    /// The length that a share of visits reach at most: the visit of rank ⌈q·n⌉.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<u16> {
        let rank = ((q * self.count() as f64).ceil() as u64).max(1);
        let mut seen = 0;
        self.0.iter().find_map(|(minutes, n)| {
            seen += n;
            (seen >= rank).then_some(*minutes)
        })
    }

    /// Those shorter than some minutes, and the others.
    #[must_use]
    pub fn split(&self, minutes: u16) -> (Self, Self) {
        let mut shorter = self.0.clone();
        let others = shorter.split_off(&minutes);
        (Self(shorter), Self(others))
    }

    /// Both together.
    #[must_use]
    pub fn plus(mut self, other: Self) -> Self {
        for (minutes, n) in other.0 {
            *self.0.entry(minutes).or_default() += n;
        }
        self
    }

    /// Counts one visit.
    pub fn add(&mut self, minutes: u16) {
        *self.0.entry(minutes).or_default() += 1;
    }
}

/// Hands a number that is a hash already on as it is.
#[derive(Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
struct AsItIs;

struct Given(u64);

impl BuildHasher for AsItIs {
    type Hasher = Given;
    fn build_hasher(&self) -> Given {
        Given(0)
    }
}

impl Hasher for Given {
    fn write(&mut self, _: &[u8]) {}
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct VisitCell {
    passersby: u64,
    bounces: u64,
    visitors: u64,
    engaged: u64,
    dwell: Dwell,
    infrastructure: u64,
    distinct: Option<HyperLogLogPlus<u64, AsItIs>>,
}

impl VisitCell {
    pub(super) fn ended(&mut self, kind: Kind, dwell_minutes: u16) {
        match kind {
            Kind::PasserBy => self.passersby += 1,
            Kind::Bounce => self.bounces += 1,
            Kind::Visitor => self.visitors += 1,
            Kind::Engaged => self.engaged += 1,
        }
        if matches!(kind, Kind::Visitor | Kind::Engaged) {
            self.dwell.add(dwell_minutes);
        }
    }

    /// So many devices of the day are no visitor's.
    pub(super) fn infrastructure(&mut self, devices: u64) {
        self.infrastructure += devices;
    }

    pub(super) fn present(&mut self, who: Distinct) {
        if self.distinct.is_none() {
            self.distinct = HyperLogLogPlus::new(PRECISION, AsItIs).ok();
        }
        if let Some(sketch) = &mut self.distinct {
            sketch.insert(&who.0);
        }
    }

    /// The sketch becomes a number here and is dropped.
    pub(super) fn finish(self) -> Traffic {
        Traffic {
            visits: self.passersby + self.bounces + self.visitors + self.engaged,
            passersby: self.passersby,
            bounces: self.bounces,
            engaged: self.engaged,
            visitors: self.distinct.map_or(0.0, |mut sketch| sketch.count()),
            dwell: self.dwell,
            infrastructure: self.infrastructure,
        }
    }
}
