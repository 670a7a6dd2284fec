//! A sensor's message numbers: which were seen, which were skipped.

use crate::sighting::BootId;

/// Numbers that can still arrive out of order behind the newest one.
const LOOK_BACK: u64 = 1024;
const WORDS: usize = (LOOK_BACK / 64) as usize;

/// Whether a message is news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It is, or it carries no number and nobody can tell.
    New,
    /// Its number was seen, or is too far behind to tell.
    Repeat,
}

/// The numbers of this boot and of the one before, whose last messages may still be delivered again.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Numbers {
    boots: [Boot; 2],
    gaps: u64,
    repeats: u64,
}

#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Boot {
    id: Option<Option<BootId>>,
    newest: u64,
    seen: [u64; WORDS],
}

impl Numbers {
    pub(super) fn gaps(&self) -> u64 {
        self.gaps
    }

    pub(super) fn repeats(&self) -> u64 {
        self.repeats
    }

    pub(super) fn take(&mut self, boot: Option<BootId>, number: Option<u64>) -> Freshness {
        let Some(number) = number else { return Freshness::New };
        let place = self.boots.iter().position(|known| known.id == Some(boot));
        let Some(place) = place else {
            self.boots.swap(0, 1);
            self.boots[0] = Boot { id: Some(boot), newest: number, seen: [0; WORDS] };
            self.boots[0].set(number);
            return Freshness::New;
        };
        let known = &mut self.boots[place];
        if number > known.newest {
            let skipped = number - known.newest - 1;
            known.advance(number);
            self.gaps = self.gaps.saturating_add(skipped);
            return Freshness::New;
        }
        if known.newest - number >= LOOK_BACK {
            // So far behind it is no late-comer: the numbers have begun again, or an absurd one was said once.
            *known = Boot { id: Some(boot), newest: number, seen: [0; WORDS] };
            known.set(number);
            return Freshness::New;
        }
        if known.is_set(number) {
            self.repeats += 1;
            // Without a boot nobody can tell a repeat from a reboot. Taking a repeat twice is harmless, for the lenses
            // work on sets; dropping a rebooted sensor's messages is not.
            return if boot.is_some() { Freshness::Repeat } else { Freshness::New };
        }
        known.set(number);
        // It had been counted as skipped, unless it lies before the first number that was seen of this boot.
        self.gaps = self.gaps.saturating_sub(1);
        Freshness::New
    }
}

impl Boot {
    fn advance(&mut self, newest: u64) {
        let step = newest - self.newest;
        if step >= LOOK_BACK {
            self.seen = [0; WORDS];
        } else {
            (self.newest + 1..=newest).for_each(|number| self.clear(number));
        }
        self.newest = newest;
        self.set(newest);
    }

    fn set(&mut self, number: u64) {
        self.seen[(number % LOOK_BACK / 64) as usize] |= 1 << (number % 64);
    }

    fn clear(&mut self, number: u64) {
        self.seen[(number % LOOK_BACK / 64) as usize] &= !(1 << (number % 64));
    }

    fn is_set(&self, number: u64) -> bool {
        self.seen[(number % LOOK_BACK / 64) as usize] >> (number % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_gaps_and_late_comers() {
        use Freshness::{New, Repeat};
        let mut numbers = Numbers::default();
        let boot = BootId::parse(b"7f3a");
        for (number, freshness, gaps, repeats) in [
            (10, New, 0, 0),
            (11, New, 0, 0),
            (11, Repeat, 0, 1),
            (15, New, 3, 1),
            (13, New, 2, 1),
            (13, Repeat, 2, 2),
            (12, New, 1, 2),
            (15 + LOOK_BACK, New, LOOK_BACK, 2),
            (14, New, LOOK_BACK, 2),
            (15, New, LOOK_BACK, 2),
            (u64::MAX, New, u64::MAX, 2),
            (u64::MAX, Repeat, u64::MAX, 3),
        ] {
            assert_eq!(numbers.take(boot, Some(number)), freshness, "{number}");
            assert_eq!((numbers.gaps(), numbers.repeats()), (gaps, repeats), "{number}");
        }
    }

    #[test]
    fn a_new_boot_starts_again_and_the_old_one_is_still_known() {
        let mut numbers = Numbers::default();
        let (old, new) = (BootId::parse(b"a"), BootId::parse(b"b"));
        numbers.take(old, Some(100));
        assert_eq!(numbers.take(new, Some(1)), Freshness::New);
        assert_eq!(numbers.take(old, Some(100)), Freshness::Repeat);
        assert_eq!(numbers.take(new, Some(1)), Freshness::Repeat);
        assert_eq!(numbers.take(new, None), Freshness::New);
    }

    #[test]
    fn a_sensor_that_names_no_boot_is_heard_after_a_reboot() {
        let mut numbers = Numbers::default();
        numbers.take(None, Some(1));
        numbers.take(None, Some(2));
        for number in [1, 2, 3] {
            assert_eq!(numbers.take(None, Some(number)), Freshness::New);
        }
        assert_eq!(numbers.repeats(), 2, "counted all the same");
    }
}
