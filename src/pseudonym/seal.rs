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
