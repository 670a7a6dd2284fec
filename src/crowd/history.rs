//! The roots of a zone's last half-minutes and their mean.

use std::collections::VecDeque;

use crate::calibration::CHI_SQUARED_MEDIAN;

/// Half-minutes that v looks back over, at most.
const HALVES: usize = 60;
/// Of so many newest half-minutes …
const NEWEST_HALVES: usize = 20;
/// … fewer live ones than this are no data.
const LIVE_MIN: usize = 12;
/// Half-minutes are compared in blocks of so many.
const BLOCK_HALVES: usize = 6;
const BLOCKS_MAX: usize = HALVES / BLOCK_HALVES;
/// How many standard errors an older block must be off to say that the crowd has changed since.
const STEP_ERRORS: f64 = 2.0;
/// The standard deviation of the root of a Poisson count, about the same at every mean: no crowd flickers less.
const ROOT_SIGMA: f64 = 0.5;
/// With fewer blocks than this the zone's own flicker is not known.
const BLOCKS_TO_LEARN: usize = 4;
/// A root so many half-minutes old weighs 1/e of the newest.
const FADING_HALVES: f64 = 20.0;

/// Roots, newest last; `None` where no sensor of the zone was alive.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct History(VecDeque<Option<f64>>);

impl History {
    pub(super) fn push(&mut self, root: Option<f64>) {
        if self.0.len() == HALVES {
            self.0.pop_front();
        }
        self.0.push_back(root);
    }

    /// v, or `None` for no data.
    pub(super) fn mean(&self) -> Option<f64> {
        if self.0.iter().rev().take(NEWEST_HALVES).flatten().count() < LIVE_MIN {
            return None;
        }
        let mut roots = [0.0; HALVES];
        let mut live = 0;
        for root in self.0.iter().rev().flatten() {
            roots[live] = *root;
            live += 1;
        }
        let roots = &roots[..live];
        Some(fading_mean(&roots[..unchanged(roots)]))
    }
}

/// How many of the roots, newest first, are of one crowd: block by block the look-back grows, until a block lies too far
/// from the mean of those after it.
fn unchanged(roots: &[f64]) -> usize {
    let mut means = [0.0; BLOCKS_MAX];
    let mut blocks = 0;
    for block in roots.chunks_exact(BLOCK_HALVES) {
        means[blocks] = mean(block);
        blocks += 1;
    }
    let means = &means[..blocks];
    let variance = flicker(means);
    let mut sum = means[0];
    for (newer, block) in means.iter().enumerate().skip(1) {
        let after = newer as f64;
        let error = (variance * (1.0 + 1.0 / after)).sqrt();
        if (block - sum / after).abs() > STEP_ERRORS * error {
            return newer * BLOCK_HALVES;
        }
        sum += block;
    }
    roots.len()
}

/// The variance of a block's mean while the crowd stays the same: that of counts of independent phones, or what the zone
/// shows from block to block, where phones speak for minutes on end. A median, so that a step or two is no flicker.
fn flicker(means: &[f64]) -> f64 {
    let poisson = ROOT_SIGMA.powi(2) / BLOCK_HALVES as f64;
    if means.len() < BLOCKS_TO_LEARN {
        return poisson;
    }
    let mut squares = [0.0; BLOCKS_MAX];
    for (square, pair) in squares.iter_mut().zip(means.windows(2)) {
        *square = (pair[0] - pair[1]).powi(2) / 2.0;
    }
    let squares = &mut squares[..means.len() - 1];
    squares.sort_by(f64::total_cmp);
    let median = f64::midpoint(squares[(squares.len() - 1) / 2], squares[squares.len() / 2]);
    poisson.max(median / CHI_SQUARED_MEDIAN)
}

/// The mean of roots, newest first, each weighing less the older it is.
fn fading_mean(roots: &[f64]) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (age, root) in roots.iter().enumerate() {
        let weight = (-(age as f64) / FADING_HALVES).exp();
        sum += weight * root;
        weights += weight;
    }
    sum / weights
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(roots: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
        let mut history = History::default();
        roots.into_iter().for_each(|root| history.push(root));
        history.mean()
    }

    fn is_near(v: Option<f64>, expected: f64) -> bool {
        v.is_some_and(|v| (v - expected).abs() < 1e-9)
    }

    #[test]
    fn twelve_live_half_minutes_are_needed_and_dead_ones_do_not_count() {
        assert_eq!(of([Some(2.0); 11]), None);
        assert!(is_near(of([Some(2.0); 12]), 2.0));
        assert_eq!(of((0..20).map(|i| (i % 2 == 0).then_some(1.0))), None);
        assert!(is_near(of((0..20).map(|i| (i % 3 != 0).then_some(1.0))), 1.0));
        assert_eq!(
            of([Some(2.0); 40].into_iter().chain([None; 9])),
            None,
            "what was live long ago is no data"
        );
        assert!(is_near(of([Some(9.0)].into_iter().chain([Some(1.0); 60])), 1.0));
    }

    #[test]
    fn a_step_shortens_the_look_back_and_noise_does_not() {
        // Two blocks: the standard error of their difference is 0.5·√(1/6 + 1/6) = 0.289, two of them 0.577.
        let step = |height: f64| of([Some(2.0); 6].into_iter().chain([Some(2.0 + height); 6]));
        assert!(is_near(step(0.58), 2.58));
        assert!(is_near(step(-1.0), 1.0));
        let old = (-6.0 / FADING_HALVES).exp();
        assert!(is_near(step(0.57), 2.0 + 0.57 / (1.0 + old)), "{:?}", step(0.57));
    }

    #[test]
    fn what_a_zone_always_does_is_no_step() {
        // Phones that speak for minutes on end: blocks go up and down by one.
        let flickers = (0..60).map(|half| Some(if half / 6 % 2 == 0 { 3.0 } else { 4.0 }));
        let v = of(flickers).unwrap();
        assert!((3.4..3.6).contains(&v), "{v}");
        let steady_then = (0..60).map(|half| Some(if half < 54 { 3.0 } else { 4.0 }));
        assert!(is_near(of(steady_then), 4.0), "the same height is a step where nothing flickers");
    }

    #[test]
    fn an_older_half_minute_weighs_less() {
        let v = of((0..24).map(|half| Some(if half < 12 { 2.0 } else { 2.3 }))).unwrap();
        assert!(v > 2.15 && v < 2.3, "{v}");
    }
}
