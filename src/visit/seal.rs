//! Open visits, waiting slots, the day's ways and its infrastructure on their way into the vault and out of it.

use super::Visits;
use super::slot::Slot;
use super::ways::Ways;
use crate::calibration::Mixing;
use crate::pseudonym::Pseudonym;
use crate::sealing::{Sealing, Unread, Unsealing};

impl Visits {
    /// Puts all that is open in.
    pub fn seal(&self, into: &mut Sealing) {
        into.put(&(self.next, self.swept, self.day, self.over, &self.ways, &self.mixing));
        into.put_all(self.infrastructure.iter(), |into, pseudonym| into.put(&pseudonym.0));
        into.put_all(self.slots.iter(), |into, Slot(readings)| {
            into.put_all(readings.iter(), |into, (pseudonym, reading)| into.put(&(pseudonym.0, reading)));
        });
        into.put_all(self.open.iter(), |into, (pseudonym, visit)| into.put(&(pseudonym.0, visit)));
    }

    /// Takes it out, into a lens that has heard nothing yet.
    ///
    /// # Errors
    /// When it does not read, or is of other zones.
    pub fn unseal(&mut self, from: &mut Unsealing) -> Result<(), Unread> {
        let zones = self.zones;
        (self.next, self.swept, self.day, self.over, self.ways, self.mixing) = from.take()?;
        if !self.ways.is_of(zones) || !self.mixing.is_of(zones) {
            self.ways = Ways::new(zones);
            self.mixing = Mixing::new(zones);
            return Err(from.unread());
        }
        from.take_all(|from| {
            self.infrastructure.insert(Pseudonym(from.take()?));
            Ok::<_, Unread>(())
        })?;
        from.take_all(|from| {
            let mut slot = Slot::default();
            from.take_all(|from| {
                let (pseudonym, reading) = from.take()?;
                slot.0.push((Pseudonym(pseudonym), reading));
                Ok::<_, Unread>(())
            })?;
            self.slots.push_back(slot);
            Ok::<_, Unread>(())
        })?;
        from.take_all(|from| {
            let (pseudonym, visit) = from.take()?;
            self.open.insert(Pseudonym(pseudonym), visit);
            Ok(())
        })
    }
}
