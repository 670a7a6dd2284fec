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
