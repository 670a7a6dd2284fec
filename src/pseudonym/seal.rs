//! The keys of a venue on their way into the vault and out of it.

use super::{DAY_KEYS_MAX, DayKey, HALF_KEYS_MAX, HalfKey, Key, KeyError, Keyring, Now};
use crate::sealing::{Sealing, Unsealing};

impl Keyring {
    /// Puts every living key in, with its day or half-minute and when it was born.
    pub fn seal(&self, into: &mut Sealing) {
        into.put(&self.made_for);
        into.put_all(self.days.iter(), |into, DayKey { day, born, key }| {
            into.put(&(day, born));
            key.seal(into);
        });
        into.put_all(self.halves.iter(), |into, HalfKey { half, born, key }| {
            into.put(&(half, born));
            key.seal(into);
        });
    }

    /// Takes the keys out that still live; the steady clock goes on over restarts, so none lives longer for one. Those
    /// whose time is over never come onto the ring.
    ///
    /// # Errors
    /// When they do not read, or the system locks no memory for them.
    pub fn unseal(&mut self, from: &mut Unsealing, now: &Now) -> Result<(), KeyError> {
        self.made_for = from.take()?;
        from.take_all(|from| {
            let (day, born) = from.take()?;
            self.days.push_back(DayKey { day, born, key: Key::unseal(from)? });
            if self.days.len() > DAY_KEYS_MAX || born > now.steady {
                return Err(from.unread().into());
            }
            Ok::<_, KeyError>(())
        })?;
        from.take_all(|from| {
            let (half, born) = from.take()?;
            self.halves.push_back(HalfKey { half, born, key: Key::unseal(from)? });
            if self.halves.len() > HALF_KEYS_MAX || born > now.steady {
                return Err(from.unread().into());
            }
            Ok::<_, KeyError>(())
        })?;
        self.forget(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;
    use crate::clock::{EpochMs, SteadyMs, Window};
    use crate::config::{Config, EXAMPLE};
    use crate::pseudonym::{Pseudonym, Tag};
    use crate::sighting::DeviceId;

    // What identifies somebody goes into the vault byte by byte, and is written by nothing else.
    assert_not_impl_any!(Pseudonym: std::fmt::Debug, serde::Serialize);
    assert_not_impl_any!(Tag: std::fmt::Debug, serde::Serialize);
    assert_not_impl_any!(Keyring: Clone, std::fmt::Debug, serde::Serialize);

    const HOUR_MS: i64 = 3_600_000;

    fn now(wall_hours: i64, steady_hours: i64) -> Now {
        let day = Window { from: EpochMs(0), to: EpochMs(25 * HOUR_MS) };
        Now { at: EpochMs(wall_hours * HOUR_MS), steady: SteadyMs(steady_hours * HOUR_MS), day, open: true }
    }

    #[test]
    fn a_key_is_the_same_after_a_restart_and_dies_at_its_age_though_the_wall_was_set_back() {
        let venue = &Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues[0];
        let mut before = Keyring::new(venue);
        before.begin_day(&now(0, 7)).unwrap();
        let device = DeviceId::from_octets([4, 1, 2, 3, 4, 5]).unwrap();
        let unsealed = |now: &Now| {
            let mut sealing = Sealing::with_room(0);
            before.seal(&mut sealing);
            let mut state = Unsealing::of_clear_bytes(sealing.into_clear_bytes().unwrap(), 0);
            let mut after = Keyring::new(venue);
            after.unseal(&mut state, now).map(|()| after)
        };
        let after = unsealed(&now(23, 30)).unwrap_or_else(|error| panic!("{error}"));
        assert!(after.pseudonyms_of(&device) == before.pseudonyms_of(&device));
        let mut after = unsealed(&now(1, 31)).unwrap_or_else(|error| panic!("{error}"));
        assert!(after.pseudonyms_of(&device).is_empty(), "24 hours have passed");
        after.begin_day(&now(1, 31)).unwrap();
        assert!(after.take_made_again(), "the day has a second key, and the figures must say so");
        assert!(unsealed(&now(1, 6)).is_err(), "no key is born in the future");
    }
}
