//! A venue's time.

use crate::clock::{EpochMs, Machine, SteadyMs};
use crate::config::ClockKind;

/// One message moves a venue's time by at most this much, ms.
const STEP_MS_MAX: i64 = 24 * 3_600_000;

/// A machine's clock that is set back by more than this is worth a word, ms.
const BACK_MS_MAX: i64 = 5 * 60_000;

/// The machine's clocks, read once for a batch.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Wall time.
    pub wall: EpochMs,
    /// Steady time.
    pub steady: SteadyMs,
}

impl Reading {
    /// Reads the machine's clocks.
    #[must_use]
    pub fn take(machine: Machine) -> Self {
        Self { wall: machine.now(), steady: machine.steady() }
    }
}

/// The clock of one venue; it never runs back.
#[derive(Clone, Copy, Debug)]
pub struct VenueClock {
    kind: ClockKind,
    at: Option<EpochMs>,
    /// The machine's clock was set back, and time stands still until it has caught up.
    stands: bool,
}

impl VenueClock {
    /// A clock that has not been set.
    #[must_use]
    pub fn new(kind: ClockKind) -> Self {
        Self { kind, at: None, stands: false }
    }

    /// Goes on from where an earlier run's clock stood.
    pub fn resume(&mut self, at: EpochMs) {
        self.at = self.at.max(Some(at));
    }

    /// The time, once it is known.
    #[must_use]
    pub fn at(&self) -> Option<EpochMs> {
        self.at
    }

    /// The machine's time moves a wall clock.
    pub fn tick(&mut self, reading: Reading) {
        if self.kind == ClockKind::Wall {
            if self.at.is_some_and(|at| at.since(reading.wall) > BACK_MS_MAX) && !self.stands {
                tracing::error!(
                    "the machine's clock was set back by over five minutes; nothing is counted until it has caught up, \
                     or until the server is started again"
                );
            }
            self.stands = self.at.is_some_and(|at| at.since(reading.wall) > BACK_MS_MAX);
            self.at = self.at.max(Some(reading.wall));
        }
    }

    /// A message's time moves a clock of sightings.
    pub fn hear(&mut self, said: Option<EpochMs>) {
        if let (ClockKind::Sightings, Some(said)) = (self.kind, said) {
            self.at = Some(match self.at {
                None => said,
                Some(at) => at.max(said.min(EpochMs(at.0 + STEP_MS_MAX))),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(wall: i64) -> Reading {
        Reading { wall: EpochMs(wall), steady: SteadyMs(0) }
    }

    #[test]
    fn a_wall_clock_listens_to_the_machine_only_and_never_runs_back() {
        let mut clock = VenueClock::new(ClockKind::Wall);
        clock.hear(Some(EpochMs(9_000)));
        assert_eq!(clock.at(), None);
        for (wall, at) in [(1_000, 1_000), (2_000, 2_000), (1_500, 2_000)] {
            clock.tick(reading(wall));
            assert_eq!(clock.at(), Some(EpochMs(at)));
        }
    }

    #[test]
    fn a_clock_of_sightings_is_set_by_the_first_and_moved_a_day_at_most() {
        let mut clock = VenueClock::new(ClockKind::Sightings);
        clock.tick(reading(77));
        clock.hear(None);
        assert_eq!(clock.at(), None);
        for (said, at) in [(5, 5), (10, 10), (7, 10), (10 + 3 * STEP_MS_MAX, 10 + STEP_MS_MAX)] {
            clock.hear(Some(EpochMs(said)));
            assert_eq!(clock.at(), Some(EpochMs(at)));
        }
    }
}
