//! Figures of the visit lens, with their bands.
//!
//! Each kind of visit is told by itself, through its own windows ([`Series`]). What is computed from several kinds is
//! computed from what is told of them, so it tells nothing more.

use super::footfall::Visited;
use super::judge::{GRAIN, to_grain};
use super::lengths::{Lengths, Stays};
use super::series::{Said, Series};
use super::{Banded, Metric};
use crate::aggregate::Traffic;
use crate::clock::{Step, Window};

/// Half an 80 % band in standard deviations of a normal law.
pub(super) const SIGMAS: f64 = 1.28;
/// The relative standard error of a sketch of 2^15 registers: 1.04/√m (Flajolet et al. 2007).
const SKETCH_ERROR: f64 = 0.005745;
/// What rounding to the grain can hide on either side.
pub(super) const ROUNDING: f64 = GRAIN as f64 / 2.0;

/// What is told of one place, through the windows of its day.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Visits {
    passersby: Series,
    bounces: Series,
    /// Visits of visitors: those that are neither passers-by nor bounces. No metric of its own.
    long: Series,
    engaged: Series,
    visitors: Series,
    stays: Stays,
}

/// What is told of one window.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Of all kinds that are told, and how many may be of the others.
    visits: Option<(Said, f64)>,
    passersby: Option<Said>,
    bounces: Option<Said>,
    long: Option<Said>,
    engaged: Option<Said>,
    /// Distinct visitors.
    pub(super) visitors: Option<f64>,
    lengths: Option<Lengths>,
}

/// What a venue's visits are judged by.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Rules {
    pub(super) k: u32,
    /// Who is that long near is a visitor, minutes.
    pub(super) visitor_minutes: u16,
    /// Who is that long near is engaged, minutes.
    pub(super) stay_minutes: u16,
}

impl Visits {
    /// Judges a window after those in it. A zone has no passers-by, and everybody knows; of its distinct visitors no
    /// more are told than `visitors_max`, which is what is told of the venue's.
    pub(super) fn judge(
        &mut self,
        rules: Rules,
        step: Step,
        window: Window,
        traffic: &Traffic,
        visitors_max: Option<f64>,
    ) -> Told {
        let k = rules.k;
        let Traffic { passersby, bounces, engaged, .. } = *traffic;
        // Somebody who comes and goes makes many visits.
        let people = traffic.visitors.round() as u64;
        let passersby = self.passersby.judge(k, step, window, (passersby, passersby), None);
        let bounces = self.bounces.judge(k, step, window, (bounces, bounces), None);
        let long = self.long.judge(k, step, window, (traffic.dwell.count(), people), None);
        let among = self.long.as_among(long);
        let engaged = self.engaged.judge(k, step, window, (engaged, people), Some(among));
        let of_zone = visitors_max.is_some();
        let kinds = if of_zone { vec![bounces, long] } else { vec![passersby, bounces, long] };
        let visitors = traffic.visitors.min(visitors_max.unwrap_or(f64::INFINITY));
        Told {
            visits: visits(k, &kinds),
            passersby,
            bounces,
            long,
            engaged,
            visitors: self.visitors.judge_distinct(k, step, window, visitors),
            lengths: self.stays.judge(rules, step, window, &traffic.dwell, (long, among, people)),
        }
    }
}

/// What is told of all kinds of visits together: those that are told, and of how many more it may be that each of the
/// others is under k.
fn visits(k: u32, kinds: &[Option<Said>]) -> Option<(Said, f64)> {
    let hidden = kinds.iter().filter(|kind| kind.is_none()).count() as u32;
    kinds.iter().flatten().copied().reduce(Said::plus).map(|told| (told, f64::from(hidden * k)))
}

impl Told {
    /// Every metric of a window; `None` where it is held back. Counts are of the devices that came past the gate, of
    /// which `passed` is the share; what is told of them is made whole by it.
    pub(super) fn figures(&self, passed: f64) -> Vec<(Metric, Option<Banded>)> {
        let count = |said: Option<Said>| said.map(|said| count(said, 0.0, passed));
        // Whatever is computed from counts is computed from the rounded ones.
        let rounded = |said: Option<Said>| said.map(|said| to_grain(said.least / passed));
        let rates = rounded(self.long).zip(rounded(self.passersby));
        let lengths = self.lengths.as_ref();
        let quantile = |q| lengths.and_then(|lengths| lengths.quantile(q));
        vec![
            (Metric::Visits, self.visits.map(|(said, more)| self::count(said, more, passed))),
            (Metric::Visitors, self.visitors.map(|n| distinct(n / passed))),
            (Metric::Passersby, count(self.passersby)),
            (Metric::Bounces, count(self.bounces)),
            (Metric::Engaged, count(self.engaged)),
            (Metric::CaptureRate, rates.map(|(long, passersby)| capture_rate(long, passersby))),
            (Metric::DwellMean, lengths.and_then(Lengths::mean)),
            (Metric::DwellP25, quantile(0.25)),
            (Metric::DwellMedian, quantile(0.5)),
            (Metric::DwellP75, quantile(0.75)),
        ]
    }
}

impl Told {
    /// What footfall is computed from.
    pub(super) fn visited(&self, passed: f64) -> Visited {
        Visited {
            visitors: self.visitors.map(|n| distinct(n / passed).value),
            ended: self.long.map(|said| [said.least, said.most].map(|end| to_grain(end / passed))),
            dwell_mins: self.lengths.as_ref().and_then(Lengths::mean).map(|mean| mean.value),
        }
    }

    /// Devices of the day that are no visitor's, where so many are and visitors are told: on a day on which hardly
    /// anybody comes, nothing moves with who watches over it.
    pub(super) fn infrastructure(&self, k: u32, traffic: &Traffic, passed: f64) -> Option<Banded> {
        let devices = traffic.infrastructure;
        let is_told = self.visitors.is_some() && devices >= u64::from(k);
        is_told.then(|| count(Said::exactly(devices as f64), 0.0, passed))
    }
}

/// A count rounded to the grain; its band holds what the rounding hides and what is not told, and so many `more`.
fn count(said: Said, more: f64, passed: f64) -> Banded {
    let value = to_grain(said.least / passed);
    let rounded = |end: f64| f64::from(to_grain(end / passed));
    Banded {
        value,
        low: (rounded(said.least) - ROUNDING).floor().max(0.0) as u32,
        high: (rounded(said.most + more) + ROUNDING).ceil() as u32,
    }
}

/// Distinct visitors, rounded; the band holds what the rounding hides and how far a sketch may be off.
fn distinct(n: f64) -> Banded {
    let value = to_grain(n);
    Banded { value, ..band(f64::from(value), ROUNDING + SIGMAS * SKETCH_ERROR * f64::from(value)) }
}

/// Percent of visitors' visits among them and passers-by, from the rounded counts, with a binomial band.
fn capture_rate(visitors: u32, passersby: u32) -> Banded {
    let total = f64::from(visitors) + f64::from(passersby);
    let rate = f64::from(visitors) / total;
    let Banded { value, low, high } =
        band(100.0 * rate, 100.0 * SIGMAS * (rate * (1.0 - rate) / total).sqrt());
    Banded { value, low, high: high.min(100) }
}

pub(super) fn band(value: f64, half_width: f64) -> Banded {
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
    use crate::clock::EpochMs;

    fn value(traffic: &Traffic, metric: Metric) -> Option<(u32, u32, u32)> {
        value_past(traffic, metric, 1.0)
    }

    /// The same where the gate drops some devices by chance.
    fn value_past(traffic: &Traffic, metric: Metric, passed: f64) -> Option<(u32, u32, u32)> {
        let window = Window { from: EpochMs(0), to: EpochMs(900_000) };
        let told = Visits::default().judge(
            Rules { k: 10, visitor_minutes: 5, stay_minutes: 15 },
            Step::QuarterHour,
            window,
            traffic,
            None,
        );
        let figures = told.figures(passed);
        figures.into_iter().find(|(m, _)| *m == metric).unwrap().1.map(|b| (b.value, b.low, b.high))
    }

    fn traffic(dwell: impl IntoIterator<Item = u16>) -> Traffic {
        let mut lengths = Dwell::default();
        dwell.into_iter().for_each(|minutes| lengths.add(minutes));
        Traffic {
            visits: 12,
            passersby: 9,
            bounces: 0,
            engaged: 13,
            visitors: 998.0,
            dwell: lengths,
            infrastructure: 0,
        }
    }

    #[test]
    fn under_k_is_nothing_and_the_rest_is_rounded_to_five() {
        let row = traffic([20; 40]);
        // 40 long ones, and two kinds of which nothing is told but that they are under k.
        assert_eq!(value(&row, Metric::Visits), Some((40, 37, 63)));
        assert_eq!(value(&row, Metric::Engaged), Some((15, 12, 18)));
        assert_eq!(value(&row, Metric::Passersby), None);
        assert_eq!(value(&row, Metric::Bounces), None, "zero is fewer than k");
        assert_eq!(value(&row, Metric::CaptureRate), None, "computed from what is held back");
        // 2.5 for rounding and 1.28 of 0.5745 % for the sketch.
        assert_eq!(value(&row, Metric::Visitors), Some((1000, 990, 1010)));
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
