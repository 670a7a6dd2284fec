//! The roots of a zone's last half-minutes and their mean.

use std::collections::VecDeque;

/// Half-minutes that v looks back over.
const HALVES: usize = 20;
/// Fewer live half-minutes than this among them are no data.
const LIVE_MIN: usize = 12;
/// The half-minutes that stand alone when the crowd has changed.
const STEP_HALVES: usize = 6;
/// How many standard errors apart old and new must be to say that it has changed.
const STEP_ERRORS: f64 = 3.0;
/// The standard deviation of the root of a Poisson count, about the same at every mean.
const ROOT_SIGMA: f64 = 0.5;

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
        let mut roots = [0.0; HALVES];
        let mut live = 0;
        for root in self.0.iter().flatten() {
            roots[live] = *root;
            live += 1;
        }
        if live < LIVE_MIN {
            return None;
        }
        let (earlier, recent) = roots[..live].split_at(live - STEP_HALVES);
        let (before, after) = (mean(earlier), mean(recent));
        let error = ROOT_SIGMA * (1.0 / earlier.len() as f64 + 1.0 / recent.len() as f64).sqrt();
        let changed = (after - before).abs() > STEP_ERRORS * error;
        Some(if changed { after } else { mean(&roots[..live]) })
    }
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

    #[test]
    fn twelve_live_half_minutes_are_needed_and_dead_ones_do_not_count() {
        assert_eq!(of([Some(2.0); 11]), None);
        assert_eq!(of([Some(2.0); 12]), Some(2.0));
        assert_eq!(of((0..20).map(|i| (i % 2 == 0).then_some(1.0))), None);
        assert_eq!(of((0..20).map(|i| (i % 3 != 0).then_some(1.0))), Some(1.0));
        assert_eq!(of([Some(9.0)].into_iter().chain([Some(1.0); 20])), Some(1.0));
    }

    #[test]
    fn a_step_shortens_the_look_back_and_noise_does_not() {
        // 14 before and 6 after: the standard error is 0.5·√(1/14+1/6) = 0.244, three of them 0.732.
        let step = |height: f64| of([Some(2.0); 14].into_iter().chain([Some(2.0 + height); 6]));
        assert_eq!(step(0.74), Some(2.74));
        assert!((step(0.72).unwrap() - (2.0 + 0.72 * 0.3)).abs() < 1e-12);
        assert_eq!(step(-1.0), Some(1.0));
    }
}
