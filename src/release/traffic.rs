//! Figures of the visit lens, with their bands.

use super::judge::{GRAIN, to_grain};
use super::{Banded, Metric};
use crate::aggregate::Traffic;

/// Half an 80 % band in standard deviations of a normal law.
const SIGMAS: f64 = 1.28;
/// The relative standard error of a sketch of 2^14 registers: 1.04/√m (Flajolet et al. 2007).
const SKETCH_ERROR: f64 = 0.008125;
/// What rounding to the grain can hide on either side.
const ROUNDING: f64 = GRAIN as f64 / 2.0;

/// The whole numbers of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) visits: u64,
    pub(super) passersby: u64,
    pub(super) bounces: u64,
    pub(super) engaged: u64,
    /// Visits of visitors: those that are neither passers-by nor bounces. No metric of its own.
    pub(super) long: u64,
    pub(super) visitors: u64,
    /// A zone has no passers-by, and everybody knows.
    pub(super) of_zone: bool,
}

/// Which of them may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// Visits, passers-by, bounces, engaged.
    pub(super) sums: [bool; 4],
    pub(super) visitors: bool,
    pub(super) dwell: bool,
    pub(super) capture: bool,
}

impl Counts {
    pub(super) fn of(traffic: &Traffic, of_zone: bool) -> Self {
        Self {
            visits: traffic.visits,
            passersby: traffic.passersby,
            bounces: traffic.bounces,
            engaged: traffic.engaged,
            long: traffic.dwell.count(),
            visitors: traffic.visitors.round().max(0.0) as u64,
            of_zone,
        }
    }

    pub(super) fn sums(&self) -> [u64; 4] {
        [self.visits, self.passersby, self.bounces, self.engaged]
    }
}

impl Shown {
    /// What is large enough by itself.
    pub(super) fn alone(k: u32, counts: &Counts) -> Self {
        let enough = |n: u64| n >= u64::from(k);
        let long = enough(counts.long);
        Self {
            sums: counts.sums().map(enough),
            visitors: enough(counts.visitors),
            dwell: long,
            capture: long && enough(counts.passersby),
        }
    }

    /// Hides whatever would give something hidden away: visits are passers-by, bounces and long visits together, and
    /// the engaged are among the long.
    pub(super) fn close(&mut self, k: u32, counts: &Counts) {
        let k = u64::from(k);
        if !self.sums[0] {
            // Its parts would say that there were visits.
            *self = Self { sums: [false; 4], visitors: self.visitors, dwell: false, capture: false };
            return;
        }
        let parts = [(1, counts.passersby), (2, counts.bounces)];
        let parts = || parts.into_iter().filter(|(part, _)| !(counts.of_zone && *part == 1));
        for _ in 0..=parts().count() {
            let hidden: u64 = parts().filter(|(part, _)| !self.sums[*part]).map(|(_, n)| n).sum();
            let none_hidden = parts().all(|(part, _)| self.sums[part]);
            let safe = if none_hidden { counts.long >= k } else { hidden + counts.long >= k };
            if safe {
                break;
            }
            if let Some((part, _)) = parts().filter(|(part, _)| self.sums[*part]).min_by_key(|(_, n)| *n) {
                self.sums[part] = false;
            }
        }
        if parts().any(|(part, _)| !self.sums[part]) {
            self.capture = false;
            // What is told of the long visits must leave those hidden beside them room.
            let least = parts().filter(|(part, _)| !self.sums[*part]).map(|(_, n)| n).min().unwrap_or(0);
            let most = counts.long + least;
            if most < k.div_ceil(2) + self.least_long(k, counts) {
                self.sums[3] = false;
            }
            if most < k.div_ceil(2) + self.least_long(k, counts) {
                self.dwell = false;
            }
        }
        if !self.dwell {
            self.capture = false;
        }
    }

    /// The least that the long visits can be, by what is told of them: the engaged, and k where dwell is told.
    pub(super) fn least_long(&self, k: u64, counts: &Counts) -> u64 {
        let engaged = if self.sums[3] { counts.engaged } else { 0 };
        if self.dwell { engaged.max(k) } else { engaged }
    }
}

/// Every metric of a row; `None` where it is held back.
pub(super) fn judge(traffic: &Traffic, shown: &Shown) -> Vec<(Metric, Option<Banded>)> {
    let exact = |sum: usize, n: u64| shown.sums[sum].then(|| count(n as f64, 0.0));
    // Whatever is computed from counts is computed from the rounded ones.
    let long = f64::from(to_grain(traffic.dwell.count() as f64));
    let dwell = shown.dwell.then_some(&traffic.dwell);
    let quantile = |q: f64| {
        // The order statistics whose ranks bound the quantile's: a binomial count's spread.
        let spread = SIGMAS * (q * (1.0 - q) / long).sqrt();
        dwell.and_then(|dwell| {
            let at = |share: f64| dwell.quantile(share.clamp(0.0, 1.0)).map(u32::from);
            Some(Banded { value: at(q)?, low: at(q - spread)?, high: at(q + spread)? })
        })
    };
    let mean = dwell.and_then(|dwell| {
        let (mean, sigma) = dwell.mean_and_sigma()?;
        Some(band(mean, SIGMAS * sigma / long.sqrt()))
    });
    let capture = shown.capture.then(|| capture_rate(long as u32, to_grain(traffic.passersby as f64)));
    vec![
        (Metric::Visits, exact(0, traffic.visits)),
        (Metric::Visitors, shown.visitors.then(|| count(traffic.visitors, SKETCH_ERROR * traffic.visitors))),
        (Metric::Passersby, exact(1, traffic.passersby)),
        (Metric::Bounces, exact(2, traffic.bounces)),
        (Metric::Engaged, exact(3, traffic.engaged)),
        (Metric::CaptureRate, capture),
        (Metric::DwellMean, mean),
        (Metric::DwellP25, quantile(0.25)),
        (Metric::DwellMedian, quantile(0.5)),
        (Metric::DwellP75, quantile(0.75)),
    ]
}

/// A count rounded to the grain; its band holds what the rounding hides.
fn count(n: f64, sigma: f64) -> Banded {
    let value = to_grain(n);
    Banded { value, ..band(f64::from(value), ROUNDING + SIGMAS * sigma) }
}

/// Percent of visitors' visits among them and passers-by, from the rounded counts, with a binomial band.
fn capture_rate(visitors: u32, passersby: u32) -> Banded {
    let total = f64::from(visitors) + f64::from(passersby);
    let rate = f64::from(visitors) / total;
    let Banded { value, low, high } =
        band(100.0 * rate, 100.0 * SIGMAS * (rate * (1.0 - rate) / total).sqrt());
    Banded { value, low, high: high.min(100) }
}

fn band(value: f64, half_width: f64) -> Banded {
    let whole = |x: f64| x.round().max(0.0) as u32;
    Banded {
        value: whole(value),
        low: (value - half_width).floor().max(0.0) as u32,
        high: (value + half_width).ceil() as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Dwell;

    fn value(traffic: &Traffic, metric: Metric) -> Option<(u32, u32, u32)> {
        let counts = Counts::of(traffic, false);
        let mut shown = Shown::alone(10, &counts);
        shown.close(10, &counts);
        let figures = judge(traffic, &shown);
        figures.into_iter().find(|(m, _)| *m == metric).unwrap().1.map(|b| (b.value, b.low, b.high))
    }

    fn traffic(dwell: impl IntoIterator<Item = u16>) -> Traffic {
        let mut lengths = Dwell::default();
        dwell.into_iter().for_each(|minutes| lengths.add(minutes));
        Traffic { visits: 12, passersby: 9, bounces: 0, engaged: 13, visitors: 998.0, dwell: lengths }
    }

    #[test]
    fn under_k_is_nothing_and_the_rest_is_rounded_to_five() {
        let row = traffic([20; 40]);
        assert_eq!(value(&row, Metric::Visits), Some((10, 7, 13)));
        assert_eq!(value(&row, Metric::Engaged), Some((15, 12, 18)));
        assert_eq!(value(&row, Metric::Passersby), None);
        assert_eq!(value(&row, Metric::Bounces), None, "zero is fewer than k");
        assert_eq!(value(&row, Metric::CaptureRate), None, "computed from what is held back");
        // 2.5 for rounding and 1.28 of 0.8125 % for the sketch.
        assert_eq!(value(&row, Metric::Visitors), Some((1000, 987, 1013)));
    }

    #[test]
    fn dwell_is_shown_only_over_enough_visits() {
        let told = |long: usize| Traffic {
            engaged: 0,
            bounces: 12,
            passersby: 12,
            visits: 24 + long as u64,
            ..traffic(vec![20; long])
        };
        assert_eq!(value(&told(9), Metric::DwellMean), None);
        assert_eq!(value(&told(10), Metric::DwellMean), Some((20, 20, 20)));
        let beside_few = |long: usize| Traffic { bounces: 3, visits: 15 + long as u64, ..told(long) };
        assert_eq!(value(&beside_few(11), Metric::DwellMean), None, "it would say too much of the three");
        assert_eq!(value(&beside_few(12), Metric::DwellMean), Some((20, 20, 20)));
        let row = traffic(1..=100);
        // Ranks 50 ± 1.28·√(100/4) = 43.6…56.4.
        assert_eq!(value(&row, Metric::DwellMedian), Some((50, 44, 57)));
    }

    #[test]
    fn the_capture_rate_comes_from_rounded_counts() {
        let row = Traffic { passersby: 102, bounces: 10, visits: 211, ..traffic([20; 99]) };
        // 100 and 100: 50 % ± 1.28·√(0.25/200).
        assert_eq!(value(&row, Metric::CaptureRate), Some((50, 45, 55)));
    }
}
