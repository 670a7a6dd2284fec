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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Counts {
    pub(super) visits: u64,
    pub(super) passersby: u64,
    pub(super) bounces: u64,
    pub(super) engaged: u64,
    /// Visits of visitors: those that are neither passers-by nor bounces. No metric of its own.
    pub(super) long: u64,
    pub(super) visitors: u64,
    /// Visitors as they would be told.
    pub(super) visitors_told: u32,
    /// A zone has no passers-by, and everybody knows.
    pub(super) of_zone: bool,
}

/// Which of them may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Shown {
    /// Visits, passers-by, bounces, engaged.
    pub(super) sums: [bool; 4],
    pub(super) visitors: bool,
    pub(super) dwell: bool,
    pub(super) capture: bool,
    /// Where a sum may not be shown whole: what its shown parts add up to, and how many parts are hidden.
    pub(super) parts: [Option<(u64, u32)>; 4],
    /// Likewise long visits and passers-by of the parts whose capture rate is shown.
    pub(super) capture_of: Option<(u64, u64)>,
}

impl Counts {
    /// What was heard of a row, of which `passed` is the share of devices that came past the gate.
    pub(super) fn of(traffic: &Traffic, of_zone: bool, passed: f64) -> Self {
        Self {
            visits: traffic.visits,
            passersby: traffic.passersby,
            bounces: traffic.bounces,
            engaged: traffic.engaged,
            long: traffic.dwell.count(),
            visitors: traffic.visitors.round().max(0.0) as u64,
            visitors_told: to_grain(traffic.visitors / passed),
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
            parts: [None; 4],
            capture_of: None,
        }
    }

    /// Hides whatever would give something hidden away: visits are passers-by, bounces and long visits together, and
    /// the engaged are among the long.
    pub(super) fn close(&mut self, k: u32, counts: &Counts) {
        let k = u64::from(k);
        if !self.sums[0] {
            // Its parts would say that there were visits.
            self.sums = [false; 4];
            self.dwell &= self.parts[0].is_some();
            self.capture = false;
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

/// Every metric of a row; `None` where it is held back. Counts are of the devices that came past the gate, of which
/// `passed` is the share; what is told of them is made whole by it.
pub(super) fn judge(traffic: &Traffic, shown: &Shown, k: u32, passed: f64) -> Vec<(Metric, Option<Banded>)> {
    let whole = |n: u64| n as f64 / passed;
    let exact = |sum: usize, n: u64| match (shown.sums[sum], shown.parts[sum]) {
        (true, _) => Some(count(whole(n), 0.0)),
        // A sum of what is shown anyway tells nothing of what is not; its band says how much that might be.
        (false, Some((told, hidden))) if told >= u64::from(k) => {
            let Banded { value, low, high } = count(whole(told), 0.0);
            Some(Banded { value, low, high: high + hidden * (2 * k - 1) })
        }
        _ => None,
    };
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
    let of_all = shown.capture.then(|| (traffic.dwell.count(), traffic.passersby));
    let of_parts = shown.capture_of.filter(|(long, passersby)| long.min(passersby) >= &u64::from(k));
    let capture = of_all
        .or(of_parts)
        .map(|(long, passersby)| capture_rate(to_grain(whole(long)), to_grain(whole(passersby))));
    let visitors = traffic.visitors / passed;
    vec![
        (Metric::Visits, exact(0, traffic.visits)),
        (Metric::Visitors, shown.visitors.then(|| count(visitors, SKETCH_ERROR * visitors))),
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
        value_past(traffic, metric, 1.0)
    }

    /// The same where the gate drops some devices by chance.
    fn value_past(traffic: &Traffic, metric: Metric, passed: f64) -> Option<(u32, u32, u32)> {
        let counts = Counts::of(traffic, false, passed);
        let mut shown = Shown::alone(10, &counts);
        shown.close(10, &counts);
        let figures = judge(traffic, &shown, 10, passed);
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

    #[test]
    fn what_chance_dropped_is_made_up_for_and_nothing_is_lifted_to_k() {
        for heard in 0..2_000 {
            let row = Traffic { passersby: heard, bounces: 20, visits: 420 + heard, ..traffic([20; 400]) };
            let told = value_past(&row, Metric::Passersby, 0.98).map(|(value, ..)| value);
            assert_eq!(told, (heard >= 10).then(|| to_grain(heard as f64 / 0.98)), "{heard}");
        }
        // 998 / 0.98 = 1018.4.
        assert_eq!(value_past(&traffic([20; 40]), Metric::Visitors, 0.98).map(|told| told.0), Some(1020));
    }
}
