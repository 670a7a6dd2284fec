//! Visits of one place in one window.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};

use hyperloglogplus::{HyperLogLog, HyperLogLogPlus};

use crate::visit::{Distinct, Kind};

/// Registers are 2 to this power. 2^15 are 24 kB once dense and err by 0.57 %; sparse, up to 10,000 devices, all but exact.
const PRECISION: u8 = 15;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// The day's visitors by the sketch, of `n` devices, some of which come twice.
    fn visitors(seed: u64, n: u64) -> f64 {
        let mut cell = VisitCell::default();
        for of in (0..n).chain(0..n.min(10)) {
            // Sebastiano Vigna's splitmix64, in place of a keyed hash.
            let mut bits = (seed << 40 | of).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            cell.present(Distinct(bits ^ bits >> 31));
        }
        cell.finish().visitors
    }

    #[test]
    fn distinct_visitors_of_a_day_are_counted_within_half_a_percent_and_of_a_stadiums_within_two() {
        // Sparse, a sketch sees all but few collisions of 25 bits; dense, one error is 0.57 %, and 2 % is three and a half.
        for (devices, worst) in [(50, 0.005), (1_000, 0.005), (5_000, 0.005), (600_000, 0.02)] {
            for seed in 0..5 {
                let error = visitors(seed, devices) / devices as f64 - 1.0;
                assert!(error.abs() <= worst, "{devices} devices, seed {seed}: {error}");
            }
        }
    }
}
