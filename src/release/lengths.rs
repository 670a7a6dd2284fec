//! How long visits were: which lengths may be told.

use std::collections::BTreeMap;

use super::Banded;
use super::judge::to_grain;
use super::series::{Among, Said, Series};
use super::traffic::{Rules, SIGMAS, band};
use crate::aggregate::Dwell;
use crate::clock::{EpochMs, Step, Window};

/// A band allows for those who stayed, where nothing is told of them, this many times the length from which one stays.
const STAY_FACTOR: u32 = 4;
/// Where only the shape of some lengths is told, so many of them stand for all, evenly spread; k is five at least, so
/// that each stands for two.
const POINTS: u32 = 5;

/// Lengths tell which share of the long visits stayed, and so bound the engaged. So they are judged by the count of
/// those who stayed, window by window like any other count.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Stays {
    series: Series,
    /// The lengths that were told of the windows of the day.
    told: BTreeMap<(Step, EpochMs), Lengths>,
}

/// Lengths of visits that are told.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Lengths {
    of: Dwell,
    missing: Missing,
}

/// Visits of which no length is told.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
enum Missing {
    None,
    /// Those who stayed: half of k stand for them, at the length from which one stays.
    Stays(Rules),
    /// Those who did not.
    Shorter(Rules),
}

impl Stays {
    /// Judges the lengths of a window of which so many long visits by so many people are told.
    pub(super) fn judge(
        &mut self,
        rules: Rules,
        step: Step,
        window: Window,
        all: &Dwell,
        (long, among, people): (Option<Said>, Among, u64),
    ) -> Option<Lengths> {
        let (shorter, stays) = all.split(rules.stay_minutes);
        let said = self.series.judge(rules.k, step, window, (stays.count(), people), Some(among));
        let inside = |of: Step| {
            let inside = self.told.range((of, window.from)..(of, window.to));
            inside.map(|(_, lengths)| lengths.clone()).reduce(Lengths::plus)
        };
        let finer = Step::ALL.into_iter().rev().filter(|of| *of < step);
        let told = match (long?, said) {
            (long, Some(said)) if said.is_exact() && long.is_exact() => {
                Lengths { of: all.clone(), missing: Missing::None }
            }
            // There are more of them than is told, so no more of them are shown, and nobody besides.
            (long, Some(said)) if said.is_of_hidden && long.is_of_hidden && !said.is_exact() => {
                Lengths { of: spread(&stays, said.least as u32), missing: Missing::Shorter(rules) }
            }
            (long, said) => match finer.map(inside).find_map(|of_windows| of_windows) {
                Some(of_windows) => of_windows,
                // Enough did not stay, whoever did.
                None if said.is_none() && long.least >= self.series.most() + f64::from(rules.k) => {
                    Lengths::capped(rules, long, &shorter)
                }
                None => return None,
            },
        };
        if step == Step::Day {
            self.told.retain(|(_, from), _| *from >= window.to);
        } else {
            self.told.insert((step, window.from), told.clone());
        }
        Some(told)
    }
}

/// So many lengths, evenly spread over some.
fn spread(of: &Dwell, count: u32) -> Dwell {
    let mut points = Dwell::default();
    let at = |point: u32| of.quantile(f64::from(2 * point + 1) / f64::from(2 * count));
    (0..count).filter_map(at).for_each(|minutes| points.add(minutes));
    points
}

impl Lengths {
    fn plus(self, other: Self) -> Self {
        let missing = match (self.missing, other.missing) {
            (Missing::None, other) => other,
            (missing, _) => missing,
        };
        Self { of: self.of.plus(other.of), missing }
    }

    /// The shape of the shorter lengths, and half of k who stayed.
    fn capped(rules: Rules, long: Said, shorter: &Dwell) -> Self {
        let stays = rules.k / 2;
        let mut of = Dwell::default();
        let others = to_grain(long.least).saturating_sub(stays);
        let points = spread(shorter, POINTS);
        for n in 0..others {
            let point = n * POINTS / others;
            let minutes = points.quantile(f64::from(2 * point + 1) / f64::from(2 * POINTS));
            minutes.into_iter().for_each(|minutes| of.add(minutes));
        }
        (0..stays).for_each(|_| of.add(rules.stay_minutes));
        Self { of, missing: Missing::Stays(rules) }
    }

    /// How many there are, rounded.
    fn count(&self) -> f64 {
        f64::from(to_grain(self.of.count() as f64))
    }

    pub(super) fn mean(&self) -> Option<Banded> {
        let (mean, sigma) = self.of.mean_and_sigma()?;
        let told = band(mean, SIGMAS * sigma / self.count().sqrt());
        let all = self.of.count() as f64;
        let with = |rules: Rules, minutes: u32| {
            let k = f64::from(rules.k);
            (mean * all + k * f64::from(minutes)) / (all + k)
        };
        Some(match self.missing {
            Missing::None => told,
            Missing::Stays(rules) => {
                let high = with(rules, STAY_FACTOR * u32::from(rules.stay_minutes)).ceil() as u32;
                Banded { high: told.high.max(high), ..told }
            }
            Missing::Shorter(rules) => {
                let low = with(rules, u32::from(rules.visitor_minutes)).floor() as u32;
                Banded { low: told.low.min(low), ..told }
            }
        })
    }

    pub(super) fn quantile(&self, q: f64) -> Option<Banded> {
        // The order statistics whose ranks bound the quantile's: a binomial count's spread.
        let spread = SIGMAS * (q * (1.0 - q) / self.count()).sqrt();
        let at = |share: f64| self.of.quantile(share.clamp(0.0, 1.0)).map(u32::from);
        let told = Banded { value: at(q)?, low: at(q - spread)?, high: at(q + spread)? };
        Some(match self.missing {
            Missing::Stays(rules) if told.high >= u32::from(rules.stay_minutes) => {
                Banded { high: STAY_FACTOR * u32::from(rules.stay_minutes), ..told }
            }
            Missing::Shorter(rules) => Banded { low: u32::from(rules.visitor_minutes).min(told.low), ..told },
            Missing::None | Missing::Stays(_) => told,
        })
    }
}
