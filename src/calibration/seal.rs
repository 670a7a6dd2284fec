//! What the crowd lens said lately, on its way into the vault and out of it, so that a head count still finds its v.
//!
//! Calibrations and head counts themselves are in the store.

use super::{Calibrator, Count};
use crate::sealing::{Sealing, Unread, Unsealing};

impl Calibrator {
    /// Puts in what was heard lately, and what was heard of counts that wait for their windows.
    pub fn seal(&self, into: &mut Sealing) {
        into.put(&self.recent);
        let waiting: Vec<&(Count, Vec<f64>)> = self.pending.iter().chain(&self.remembered).collect();
        into.put(&waiting);
    }

    /// Takes it out. A count acts only when it is entered again: it may have been taken back meanwhile.
    ///
    /// # Errors
    /// When it does not read.
    pub fn unseal(&mut self, from: &mut Unsealing) -> Result<(), Unread> {
        self.recent = from.take()?;
        self.remembered = from.take()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::EpochMs;

    #[test]
    fn a_count_whose_window_a_restart_cuts_still_finds_all_its_v() {
        let count = Count { row: 1, zone: 0, from: EpochMs(0), to: EpochMs(3_600_000), people: 30 };
        let halves = |calibrator: &mut Calibrator, range: std::ops::Range<i64>, v: f64| {
            range.for_each(|half| calibrator.hear(0, EpochMs(half * 30_000), v));
        };
        let mut before = Calibrator::default();
        before.enter(count, None, EpochMs(0));
        // Three times as loud in the half-hour that lies further back than what is remembered lately.
        halves(&mut before, 0..60, 3.0);
        let mut sealing = Sealing::with_room(0);
        before.seal(&mut sealing);
        let mut after = Calibrator::default();
        let mut state = Unsealing::of_clear_bytes(sealing.into_clear_bytes().unwrap(), 0);
        after.unseal(&mut state).unwrap();
        halves(&mut after, 60..70, 1.0);
        assert!(!after.settle(count.to), "it may have been taken back meanwhile");
        after.enter(count, None, EpochMs(70 * 30_000));
        halves(&mut after, 70..120, 1.0);
        assert!(after.settle(count.to));
        assert_eq!(after.current().scale, 15.0, "30 people, and a mean v of 2");
    }
}
