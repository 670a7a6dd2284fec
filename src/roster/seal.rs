//! What is known of sensors, on its way into the vault and out of it: when they spoke, and which numbers were seen.

use super::{Roster, SensorLife};
use crate::sealing::{Sealing, Unread, Unsealing};

impl Roster {
    /// Puts it in.
    pub fn seal(&self, into: &mut Sealing) {
        into.put(&self.sensors);
    }

    /// Takes it out.
    ///
    /// # Errors
    /// When it does not read, or is of other sensors.
    pub fn unseal(&mut self, from: &mut Unsealing) -> Result<(), Unread> {
        let sensors: Vec<SensorLife> = from.take()?;
        if sensors.len() != self.sensors.len() {
            return Err(from.unread());
        }
        self.sensors = sensors;
        Ok(())
    }
}
