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

/// Every metric of a row; `None` where it is held back.
pub(super) fn judge(traffic: &Traffic, k: u32) -> Vec<(Metric, Option<Banded>)> {
    let exact = |n: u64| count(n as f64, 0.0, k);
    let visitors_visits = exact(traffic.dwell.count());
    let passersby = exact(traffic.passersby);
    let dwell = visitors_visits.map(|_| &traffic.dwell);
    let quantile = |q: f64| {
        let n = traffic.dwell.count() as f64;
        // The order statistics whose ranks bound the quantile's: a binomial count's spread.
        let spread = SIGMAS * (q * (1.0 - q) / n).sqrt();
        dwell.and_then(|dwell| {
            let at = |share: f64| dwell.quantile(share.clamp(0.0, 1.0)).map(u32::from);
            Some(Banded { value: at(q)?, low: at(q - spread)?, high: at(q + spread)? })
        })
    };
    vec![
        (Metric::Visits, exact(traffic.visits)),
        (Metric::Visitors, count(traffic.visitors, SKETCH_ERROR * traffic.visitors, k)),
        (Metric::Passersby, passersby),
        (Metric::Bounces, exact(traffic.bounces)),
        (Metric::Engaged, exact(traffic.engaged)),
        (Metric::CaptureRate, visitors_visits.zip(passersby).map(|(v, p)| capture_rate(v.value, p.value))),
        (
            Metric::DwellMean,
            dwell.and_then(|dwell| {
                let (mean, sigma) = dwell.mean_and_sigma()?;
                Some(band(mean, SIGMAS * sigma / (dwell.count() as f64).sqrt()))
            }),
        ),
        (Metric::DwellP25, quantile(0.25)),
        (Metric::DwellMedian, quantile(0.5)),
        (Metric::DwellP75, quantile(0.75)),
    ]
}

/// A count of at least k, rounded to the grain; its band holds what the rounding hides.
fn count(n: f64, sigma: f64, k: u32) -> Option<Banded> {
    (n.round() >= f64::from(k)).then(|| {
        let value = to_grain(n);
        Banded { value, ..band(f64::from(value), ROUNDING + SIGMAS * sigma) }
    })
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
        let figures = judge(traffic, 10);
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
        assert_eq!(value(&traffic([20; 9]), Metric::DwellMean), None);
        assert_eq!(value(&traffic([20; 10]), Metric::DwellMean), Some((20, 20, 20)));
        let row = traffic(1..=100);
        // Ranks 50 ± 1.28·√(100/4) = 43.6…56.4.
        assert_eq!(value(&row, Metric::DwellMedian), Some((50, 44, 57)));
    }

    #[test]
    fn the_capture_rate_comes_from_rounded_counts() {
        let row = Traffic { passersby: 102, ..traffic([20; 99]) };
        // 100 and 100: 50 % ± 1.28·√(0.25/200).
        assert_eq!(value(&row, Metric::CaptureRate), Some((50, 45, 55)));
    }
}
