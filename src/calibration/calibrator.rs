//! Collects head counts with the v heard while people were counted, and turns them into a calibration.

use std::collections::{BTreeMap, VecDeque};

use super::fit::{self, Counted, Counts};
use super::{Calibration, kappa_prior_squared};
use crate::clock::EpochMs;

/// This many counts end the calibration.
const COUNTS_TO_CALIBRATE: usize = 12;
/// A count made after the end moves the scale by its ratio to this power.
const LATER_COUNT_POWER: f64 = 0.25;
/// Half-minutes of v remembered per zone, so that a count typed in a few minutes late still finds its v.
const RECENT_HALVES_MAX: usize = 40;
/// Counts waiting for their windows, at most; the office holds no more than this of a venue.
const PENDING_MAX: usize = 10_000;

/// People counted by eye in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Count {
    /// Its row in the office.
    pub row: i64,
    /// The zone's place in the venue.
    pub zone: u16,
    /// The first moment of the count.
    pub from: EpochMs,
    /// The first moment after it.
    pub to: EpochMs,
    /// How many people were there.
    pub people: u32,
}

/// A calibration's sums as plain numbers, which survive a restart.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Summary {
    /// The calibration itself.
    pub calibration: Calibration,
    /// Σ people over them.
    pub people_sum: f64,
    /// Σ v^p over them.
    pub root_sum: f64,
}

/// What an earlier run left of a calibration.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The calibration and its sums.
    pub summary: Summary,
    /// The counts behind it whose v is published, with that v.
    pub counts: Vec<(Count, f64)>,
}

/// Keeps the counts of a venue and the calibration they make.
#[derive(Debug)]
pub struct Calibrator {
    pub(super) pending: Vec<(Count, Vec<f64>)>,
    counted: Counts,
    /// What the counts after the twelfth did to the scale.
    later: BTreeMap<i64, f64>,
    /// What was known when this program started, without the counts themselves.
    resumed: Option<Summary>,
    pub(super) recent: BTreeMap<u16, VecDeque<(EpochMs, f64)>>,
    /// What an earlier run had heard of counts that waited for their windows: it is theirs again when they are entered.
    pub(super) remembered: Vec<(Count, Vec<f64>)>,
    current: Calibration,
}

impl Default for Calibrator {
    fn default() -> Self {
        Self::resume(None)
    }
}

impl Calibrator {
    /// Begins where an earlier run ended: with its counts, so that each can still be taken back, or, where the v of
    /// some was held back and so is gone, with its sums.
    #[must_use]
    pub fn resume(kept: Option<Kept>) -> Self {
        let mut new = Self {
            pending: Vec::new(),
            counted: BTreeMap::new(),
            later: BTreeMap::new(),
            resumed: None,
            recent: BTreeMap::new(),
            remembered: Vec::new(),
            current: Calibration::uncalibrated(),
        };
        let Some(Kept { summary, counts }) = kept else { return new };
        new.current = summary.calibration;
        let behind = summary.calibration.counts as usize;
        // A calibration that has ended is never made again from its counts.
        if counts.len() >= behind && behind < COUNTS_TO_CALIBRATE {
            let counted = |(count, v): (Count, f64)| {
                (count.row, Counted { people: f64::from(count.people), roots: vec![v] })
            };
            new.counted = counts.into_iter().map(counted).take(COUNTS_TO_CALIBRATE).collect();
            if new.counted.len() > behind {
                // Some were entered late and had not acted when the earlier run ended.
                new.recompute();
            }
        } else {
            new.resumed = Some(summary);
        }
        new
    }

    /// The calibration in force.
    #[must_use]
    pub fn current(&self) -> Calibration {
        self.current
    }

    /// The calibration in force with its sums, to be kept.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let power = self.current.power;
        let before = self.resumed.map_or((0.0, 0.0), |s| (s.people_sum, s.root_sum));
        Summary {
            calibration: self.current,
            people_sum: before.0 + self.counted.values().map(|c| c.people).sum::<f64>(),
            root_sum: before.1 + self.counted.values().map(|c| c.mean_power(power)).sum::<f64>(),
        }
    }

    fn counts(&self) -> u32 {
        self.resumed.map_or(0, |summary| summary.calibration.counts) + self.counted.len() as u32
    }

    /// Takes a head count. `known_root` is the mean v of its window where that is already published.
    ///
    /// A count whose window is still to come, or was heard in the last twenty minutes, waits for its window's end.
    /// Returns whether the calibration changed.
    pub fn enter(&mut self, count: Count, known_root: Option<f64>, now: EpochMs) -> bool {
        if let Some(root) = known_root.filter(|root| *root > 0.0) {
            return self.accept(count.row, Counted { people: f64::from(count.people), roots: vec![root] });
        }
        let inside = |at: &EpochMs| count.from <= *at && *at < count.to;
        let remembered = self.remembered.iter().position(|(known, _)| *known == count);
        let heard = match remembered {
            Some(place) => self.remembered.swap_remove(place).1,
            None => {
                let recent = self.recent.get(&count.zone);
                recent.into_iter().flatten().filter(|(at, _)| inside(at)).map(|(_, v)| *v).collect()
            }
        };
        if self.pending.len() < PENDING_MAX {
            self.pending.push((count, heard));
        }
        self.settle(now)
    }

    /// Takes a count back. Returns whether the calibration changed.
    pub fn withdraw(&mut self, row: i64) -> bool {
        self.pending.retain(|(count, _)| count.row != row);
        if let Some(nudge) = self.later.remove(&row) {
            self.current.scale /= nudge;
            self.current.version += 1;
            return true;
        }
        self.counted.remove(&row).is_some() && {
            self.recompute();
            true
        }
    }

    /// Hears the v of a zone's half-minute that starts at `at`.
    pub fn hear(&mut self, zone: u16, at: EpochMs, v: f64) {
        let recent = self.recent.entry(zone).or_default();
        if recent.len() == RECENT_HALVES_MAX {
            recent.pop_front();
        }
        recent.push_back((at, v));
        for (count, roots) in self.pending.iter_mut().chain(&mut self.remembered) {
            if count.zone == zone && count.from <= at && at < count.to {
                roots.push(v);
            }
        }
    }

    /// Lets the counts act whose windows have ended by `now`. Returns whether the calibration changed.
    pub fn settle(&mut self, now: EpochMs) -> bool {
        if self.pending.iter().all(|(count, _)| count.to > now) {
            return false;
        }
        let mut ended: Vec<_> = self.pending.extract_if(.., |(count, _)| count.to <= now).collect();
        ended.sort_by_key(|(count, _)| (count.to, count.row));
        let mut changed = false;
        for (count, roots) in ended {
            let counted = Counted { people: f64::from(count.people), roots };
            if counted.roots.iter().sum::<f64>() > 0.0 {
                changed |= self.accept(count.row, counted);
            }
        }
        changed
    }

    fn accept(&mut self, row: i64, counted: Counted) -> bool {
        if self.counts() as usize >= COUNTS_TO_CALIBRATE {
            let expected = self.current.people(counted.mean_root());
            if counted.people > 0.0 && expected > 0.0 {
                let nudge = (counted.people / expected).powf(LATER_COUNT_POWER);
                self.later.insert(row, nudge);
                self.current.scale *= nudge;
                self.current.version += 1;
                return true;
            }
            return false;
        }
        self.counted.insert(row, counted);
        self.recompute();
        true
    }

    fn recompute(&mut self) {
        let version = self.current.version + 1;
        self.current.power = match self.resumed {
            // The counts of an earlier run are gone, and their sums were made with its p.
            Some(earlier) => earlier.calibration.power,
            None => fit::power(&self.counted),
        };
        let (counts, Summary { people_sum, root_sum, .. }) = (self.counts(), self.summary());
        if counts == 0 || people_sum <= 0.0 {
            self.current = Calibration { version, ..Calibration::uncalibrated() };
            return;
        }
        let groups = counts as usize;
        let earlier = self.resumed.map(|summary| summary.calibration);
        self.current = Calibration {
            version,
            counts,
            scale: people_sum / root_sum,
            power: self.current.power,
            knee: fit::knee(&self.counted).into_iter().chain(earlier.and_then(|c| c.knee)).reduce(f64::max),
            kappa: match earlier {
                // The earlier residuals are gone with the counts: their band stands in for them.
                Some(earlier) if self.counted.is_empty() => earlier.kappa,
                Some(earlier) => earlier.kappa.max(kappa_prior_squared(groups).sqrt()),
                None => fit::kappa(&self.counted, people_sum, root_sum, self.current.power),
            },
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_MINUTES_MS: i64 = 300_000;

    fn count(row: i64, people: u32) -> Count {
        let from = EpochMs(row * FIVE_MINUTES_MS);
        Count { row, zone: 0, from, to: EpochMs(from.0 + FIVE_MINUTES_MS), people }
    }

    /// Enters a count and plays its window with a steady v.
    fn play(calibrator: &mut Calibrator, row: i64, people: u32, v: f64) {
        let count = count(row, people);
        calibrator.enter(count, None, count.from);
        for half in 0..10 {
            calibrator.hear(0, EpochMs(count.from.0 + half * 30_000), v);
        }
        assert!(!calibrator.settle(EpochMs(count.to.0 - 1)), "a count acts only once its window has ended");
        assert!(calibrator.settle(count.to));
    }

    #[test]
    fn uncalibrated_is_seven_with_a_doubled_band() {
        let start = Calibrator::default().current();
        assert!(!start.is_calibrated());
        assert_eq!(start.people(2.0), 14.0);
        let kappa: f64 = (0.28_f64.powi(2) + 0.2_f64.powi(2)).sqrt();
        let expected = 2.0 * 1.28 * (1.5_f64.powi(2) + (kappa * 14.0).powi(2)).sqrt();
        assert!((start.half_width(14.0) - expected).abs() < 1e-9);
    }

    #[test]
    fn the_scale_is_people_over_v_through_the_origin_and_the_knee_squares() {
        let mut calibrator = Calibrator::default();
        play(&mut calibrator, 1, 10, 1.0);
        play(&mut calibrator, 2, 18, 2.5);
        let current = calibrator.current();
        assert_eq!((current.version, current.scale, current.knee), (2, 8.0, Some(2.5)));
        assert_eq!(current.people(2.0), 16.0);
        assert_eq!(current.people(5.0), 8.0 * 2.5 * 4.0);
    }

    #[test]
    fn the_power_is_learnt_from_the_counts_between_a_root_and_a_number() {
        let learnt = |counts: &[(u32, f64)]| {
            let mut calibrator = Calibrator::default();
            for (row, (people, v)) in counts.iter().enumerate() {
                play(&mut calibrator, row as i64 + 1, *people, *v);
            }
            calibrator.current()
        };
        assert_eq!(learnt(&[(8, 2.0)]).power, 1.0, "one count tells nothing of a slope");
        assert_eq!(learnt(&[(10, 0.5), (20, 2.5)].repeat(6)).power, 1.0, "never less than a root");
        // Four times the people at twice the v: a slope of ½ over log people, whose spread is 12 · ln²(2).
        let square = learnt(&[(10, 1.0), (40, 2.0)].repeat(6));
        let (spread, prior) = (12.0 * 2.0_f64.ln().powi(2), (0.28_f64 / 0.3).powi(2));
        assert!((1.0 / square.power - (0.5 * spread + prior) / (spread + prior)).abs() < 1e-9);
        assert!((square.people(1.5) / square.people(1.0) - 1.5_f64.powf(square.power)).abs() < 1e-9);
        assert_eq!(learnt(&[(1, 1.0), (1000, 2.0)].repeat(6)).power, 2.0, "never more than a number");
        // Nothing is seen of a slope: what is expected then is told by how loud the counted crowds were.
        assert_eq!(learnt(&[(90, 5.0), (90, 5.0)]).power, 2.0, "a crowd that the measured room never heard");
        assert_eq!(learnt(&[(20, 2.6), (20, 2.6)]).power, 1.0);
    }

    #[test]
    fn a_v_that_strays_makes_the_law_no_flatter() {
        // People as the number of what is heard, p = 2, and v a third too high or too low at every other count.
        let counts: Vec<(u32, f64)> = (0..12)
            .map(|row| {
                let people = [20, 80][row / 6];
                (people, (f64::from(people) / 10.0).sqrt() * [4.0 / 3.0, 3.0 / 4.0][row % 2])
            })
            .collect();
        let mut calibrator = Calibrator::default();
        for (row, (people, v)) in (1..).zip(&counts) {
            play(&mut calibrator, row, *people, *v);
        }
        // Over log people the strayings are as many up as down, and a quarter of the counts are louder than the room's: only
        // what is expected then, 1.25, draws p down. People drawn over v would have a slope under 1.2 before that.
        let (spread, prior) = (12.0 * 2.0_f64.ln().powi(2), (1.25 * 0.28_f64 / 0.3).powi(2));
        let slope = (0.5 * spread + prior / 1.25) / (spread + prior);
        assert!((calibrator.current().power - 1.0 / slope).abs() < 1e-9, "{:?}", calibrator.current());
    }

    #[test]
    fn the_power_outlives_a_restart_with_its_sums_and_without_them() {
        let counts = [(10, 1.0), (40, 2.0)].repeat(3);
        let mut before = Calibrator::default();
        for (row, (people, v)) in (1..).zip(&counts) {
            play(&mut before, row, *people, *v);
        }
        let learnt = before.summary();
        assert!(learnt.calibration.power > 1.2);
        let mut from_sums = Calibrator::resume(Some(Kept { summary: learnt, counts: Vec::new() }));
        let known = (1..).zip(&counts).map(|(row, (people, v))| (count(row, *people), *v)).collect();
        let mut from_counts = Calibrator::resume(Some(Kept { summary: learnt, counts: known }));
        for after in [&mut before, &mut from_sums, &mut from_counts] {
            assert_eq!(after.current(), learnt.calibration);
            play(after, 7, 60, 2.0);
        }
        assert!((from_counts.current().power - before.current().power).abs() < 1e-9);
        assert!((from_counts.current().scale - before.current().scale).abs() < 1e-9);
        let power = learnt.calibration.power;
        let scale = (learnt.people_sum + 60.0) / (learnt.root_sum + 2.0_f64.powf(power));
        assert_eq!(from_sums.current().power, power, "sums of one power are never taken for another's");
        assert!((from_sums.current().scale - scale).abs() < 1e-9);
    }

    #[test]
    fn the_band_is_shrunk_to_what_rooms_are_like() {
        let mut calibrator = Calibrator::default();
        for row in 1..=8 {
            play(&mut calibrator, row, 15, 2.0);
        }
        // No residual at all: only the prior's 24 parts of 32 remain.
        let expected = (0.75 * (0.28_f64.powi(2) + 0.2_f64.powi(2) / 8.0)).sqrt();
        assert!((calibrator.current().kappa - expected).abs() < 1e-9);
    }

    #[test]
    fn twelve_counts_freeze_and_a_later_one_nudges() {
        let mut calibrator = Calibrator::default();
        for row in 1..=12 {
            play(&mut calibrator, row, 14, 2.0);
        }
        let frozen = calibrator.current();
        play(&mut calibrator, 13, 28, 2.0);
        let moved = calibrator.current();
        assert!((moved.scale / frozen.scale - 2.0_f64.powf(0.25)).abs() < 1e-9);
        assert_eq!((moved.knee, moved.kappa, moved.version), (frozen.knee, frozen.kappa, frozen.version + 1));
        assert!(calibrator.withdraw(13));
        assert!((calibrator.current().scale - frozen.scale).abs() < 1e-9);
    }

    #[test]
    fn counts_of_nobody_make_no_band_of_infinity() {
        for people in [[0, 20], [0, 1], [0, 0]] {
            let mut calibrator = Calibrator::default();
            for (row, people) in people.into_iter().enumerate() {
                let count = count(row as i64 + 1, people);
                calibrator.enter(count, Some(1.5), count.to);
            }
            let current = calibrator.current();
            assert!(current.kappa.is_finite() && current.kappa < 1.0, "{people:?}");
            assert_eq!(current.is_calibrated(), people != [0, 0]);
            assert_eq!(calibrator.summary().calibration.counts, current.counts);
        }
    }

    #[test]
    fn a_count_typed_in_late_finds_its_v_and_one_without_any_does_nothing() {
        let mut calibrator = Calibrator::default();
        for half in 0..10 {
            calibrator.hear(0, EpochMs(FIVE_MINUTES_MS + half * 30_000), 2.0);
        }
        assert!(calibrator.enter(count(1, 12), None, EpochMs(4 * FIVE_MINUTES_MS)));
        assert_eq!(calibrator.current().scale, 6.0);
        assert!(
            !calibrator.enter(count(-9, 12), None, EpochMs(4 * FIVE_MINUTES_MS)),
            "nothing was heard then"
        );
        assert!(calibrator.enter(count(-9, 13), Some(2.5), EpochMs(4 * FIVE_MINUTES_MS)));
        assert_eq!(calibrator.current().scale, 25.0 / 4.5);
        assert!(calibrator.withdraw(-9));
        assert_eq!(calibrator.current().scale, 6.0);
        assert!(calibrator.withdraw(1));
        assert!(!calibrator.current().is_calibrated());
    }

    #[test]
    fn a_restart_keeps_the_calibration_and_goes_on_from_its_sums() {
        let mut before = Calibrator::default();
        play(&mut before, 1, 10, 1.0);
        play(&mut before, 2, 18, 2.5);
        for counts in [vec![], vec![(count(1, 10), 1.0), (count(2, 18), 2.5)]] {
            let known = counts.len();
            let mut after = Calibrator::resume(Some(Kept { summary: before.summary(), counts }));
            assert_eq!(after.current(), before.current());
            play(&mut after, 3, 26, 2.5);
            assert_eq!(after.current().scale, 9.0);
            assert_eq!(after.current().counts, 3);
            assert_eq!(after.withdraw(1), known > 0, "only a count whose v is known can be taken back");
        }
    }
}
