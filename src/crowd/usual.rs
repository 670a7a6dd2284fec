//! The usual: which share of the venue a zone has had lately, by which the chance of few telephones is taken off its number.
//!
//! Some eight telephones stand for fifty people, each of which speaks for a minute or two and is then silent for longer: what
//! is heard in ten minutes strays far from who is there. The whole venue strays less, and people seldom change places all at
//! once. So a zone is given its share of the last half-hour of what the venue has now. The venue as a whole is never moved,
//! and with one zone nothing is.

use serde::{Deserialize, Serialize};

/// What was heard weighs less by a factor of e after so many half-minutes: half an hour. Tuning days of the simulated mall
/// say little against a quarter of an hour or a whole one.
const FADE_HALVES: f64 = 60.0;
/// A zone whose root strays from its usual one by more than so many standard deviations of chance has changed, and what is
/// usual there begins anew. In the simulated mall, where zones fill and empty slowly, that is every second day of a zone.
const STRAY_MAX: f64 = 4.0;
/// Chance, the variance of a root, is learnt of all zones together and weighs less by a factor of e after so many half-minutes:
/// eight hours.
const CHANCE_FADE_HALVES: f64 = 960.0;
/// Before that it is the variance of one Poisson root, seen so many times.
const CHANCE_BEFORE: f64 = 0.25;
const CHANCE_BEFORE_TIMES: f64 = 100.0;

/// The faded sum of a zone's squares, and of their weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Usual {
    sum: f64,
    weight: f64,
}

/// What is usual in each zone of a venue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Usuals {
    zones: Vec<Usual>,
    /// Squares of what roots strayed, of all zones.
    chance: Usual,
}

impl Usual {
    fn hear(&mut self, square: f64, fade: f64) {
        *self = Self { sum: self.sum * fade + square, weight: self.weight * fade + 1.0 };
    }

    /// The mean square; 0 of a zone of which nothing was heard.
    fn mean(self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }
}

impl Usuals {
    /// Nothing was heard yet.
    pub(super) fn new(zones: usize) -> Self {
        Self { zones: vec![Usual::default(); zones], chance: Usual::default() }
    }

    /// Whether it is of so many zones.
    pub(super) fn is_of(&self, zones: usize) -> bool {
        self.zones.len() == zones
    }

    /// Nothing that was heard before says anything of what comes.
    pub(super) fn forget(&mut self) {
        self.zones.fill(Usual::default());
    }

    /// Takes a half-minute's mean roots by zone, `None` where there is none, and gives each its zone's usual share of them
    /// all. Numbers of tags add up, roots do not.
    pub(super) fn steadied(&mut self, roots: &[Option<f64>]) -> Vec<Option<f64>> {
        if self.zones.len() < 2 {
            return roots.to_vec();
        }
        let fade = (-1.0 / FADE_HALVES).exp();
        for (usual, root) in self.zones.iter_mut().zip(roots) {
            match root {
                Some(root) => usual.hear(root * root, fade),
                None => *usual = Usual::default(),
            }
        }
        let now: f64 = roots.iter().flatten().map(|root| root * root).sum();
        let scale = self.scale(now);
        let stray_max = STRAY_MAX * self.chance().sqrt();
        let fade_chance = (-1.0 / (CHANCE_FADE_HALVES * roots.len() as f64)).exp();
        for (usual, root) in self.zones.iter_mut().zip(roots) {
            let Some(root) = root else { continue };
            let stray = (root - (usual.mean() * scale).sqrt()).abs();
            self.chance.hear(stray.min(stray_max).powi(2), fade_chance);
            if stray > stray_max {
                *usual = Usual::default();
                usual.hear(root * root, fade);
            }
        }
        // Where one begins anew, the others' shares are of another whole.
        let scale = self.scale(now);
        let steady = |(usual, root): (&Usual, &Option<f64>)| root.map(|_| (usual.mean() * scale).sqrt());
        self.zones.iter().zip(roots).map(steady).collect()
    }

    /// The variance of a root by chance.
    fn chance(&self) -> f64 {
        let before = CHANCE_BEFORE * CHANCE_BEFORE_TIMES;
        (self.chance.sum + before) / (self.chance.weight + CHANCE_BEFORE_TIMES)
    }

    /// How many times as much as usual the venue has, which has so much now.
    fn scale(&self, now: f64) -> f64 {
        let usual: f64 = self.zones.iter().map(|usual| usual.mean()).sum();
        if usual > 0.0 { now / usual } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: [f64; 3] = [3.0, 2.0, 4.0];

    /// A venue of three zones, whose roots stray by half a root from half-minute to half-minute, each in its own way.
    fn lately() -> Usuals {
        let mut usuals = Usuals::new(3);
        for half in 0..600 {
            let stray = |zone: u32| if (half >> zone) % 2 == 0 { 0.5 } else { -0.5 };
            let roots = [0, 1, 2].map(|zone| Some(USUAL[zone as usize] + stray(zone)));
            usuals.steadied(&roots);
        }
        usuals
    }

    fn heard(usuals: &mut Usuals, roots: [f64; 3]) -> Vec<f64> {
        usuals.steadied(&roots.map(Some)).into_iter().flatten().collect()
    }

    fn squares(roots: &[f64]) -> f64 {
        roots.iter().map(|root| root * root).sum()
    }

    #[test]
    fn what_is_chance_is_learnt() {
        let chance = lately().chance();
        // A quarter, less what the venue strays with its zones.
        assert!((0.1..0.3).contains(&chance), "{chance}");
    }

    #[test]
    fn chance_in_one_zone_is_taken_off_it_and_the_venue_stays_what_it_is() {
        let mut usuals = lately();
        let roots = [3.8, 2.0, 4.0];
        let steady = heard(&mut usuals, roots);
        // The venue has 34 for its usual 29 and the variance; of the zone itself a sixtieth is new.
        assert!((2.9..3.4).contains(&steady[0]), "{steady:?}");
        assert!((squares(&steady) - squares(&roots)).abs() < 1e-9, "{steady:?}");
    }

    #[test]
    fn when_all_of_the_venue_fills_every_zone_does_at_once() {
        let mut usuals = lately();
        let before = heard(&mut usuals, USUAL);
        let after = heard(&mut usuals, USUAL.map(|root| root * 1.3));
        for (before, after) in before.iter().zip(&after) {
            assert!((after / before - 1.3).abs() < 0.01, "{before} {after}");
        }
    }

    #[test]
    fn a_zone_that_changes_by_more_than_chance_is_believed_at_once() {
        let mut usuals = lately();
        let full = heard(&mut usuals, [3.0, 7.0, 4.0]);
        assert!((full[1] - 7.0).abs() < 0.3, "{full:?}");
        let empty = heard(&mut usuals, [3.0, 7.0, 0.0]);
        assert!(empty[2].abs() < 1e-9, "{empty:?}");
    }

    #[test]
    fn a_zone_of_which_nothing_is_heard_has_no_number_and_begins_anew() {
        let mut usuals = lately();
        let without = usuals.steadied(&[Some(3.0), None, Some(4.0)]);
        assert_eq!(without[1], None);
        assert!((squares(&[without[0].unwrap(), without[2].unwrap()]) - 25.0).abs() < 1e-9, "{without:?}");
        let again = usuals.steadied(&[Some(3.0), Some(2.6), Some(4.0)]);
        assert!((again[1].unwrap() - 2.6).abs() < 0.1, "{again:?}");
    }

    #[test]
    fn one_zone_and_an_empty_venue_stay_as_they_are() {
        let mut usuals = Usuals::new(1);
        for root in [0.3, 7.1, 0.0] {
            assert_eq!(usuals.steadied(&[Some(root)]), [Some(root)]);
        }
        assert_eq!(Usuals::new(2).steadied(&[Some(0.0), Some(0.0)]), [Some(0.0), Some(0.0)]);
        assert_eq!(Usuals::new(2).steadied(&[None, None]), [None, None]);
    }
}
