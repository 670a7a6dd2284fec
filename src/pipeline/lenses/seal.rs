//! The open state of a venue's stages on its way into the vault and out of it.

use super::{Lenses, Moment};
use crate::clock::Window;
use crate::pseudonym::KeyError;
use crate::sealing::{Sealing, Unsealing};

impl Lenses {
    /// Puts every stage's state in.
    pub fn seal(&self, into: &mut Sealing) {
        self.keyring.seal(into);
        self.roster.seal(into);
        self.crowd.seal(into);
        self.visits.seal(into);
        self.calibrator.seal(into);
        self.aggregate.seal(into);
    }

    /// Takes every stage's state out, into stages that have heard nothing yet. What has outlived its time meanwhile is
    /// wiped, by the venue's clock or by the steady one.
    ///
    /// # Errors
    /// When it does not read, or no memory can be locked for the keys.
    pub fn unseal(&mut self, from: &mut Unsealing, moment: Moment) -> Result<(), KeyError> {
        let now = self.now(moment);
        self.keyring.unseal(from, &now)?;
        self.roster.unseal(from)?;
        self.crowd.unseal(from)?;
        self.visits.unseal(from)?;
        self.calibrator.unseal(from)?;
        self.aggregate.unseal(from)?;
        self.caught_up_at = moment.at.plus_secs(CATCH_UP_SECS);
        Ok(())
    }

    /// The venue day by which the newest key was asked for.
    #[must_use]
    pub fn day(&self) -> Window {
        self.day.window
    }
}

/// After a restart visits are judged, and windows closed, this much later for once, seconds: the broker delivers first what
/// it has kept meanwhile. A sensor's message waits no longer than that for a link that has come up.
const CATCH_UP_SECS: i64 = 20;
