//! The probe that is waited for: the one message of the sensor that does not exist which is let in.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use passant_wire::{BootId, Report};
use tokio::sync::oneshot;

use crate::sighting::{Probe, Verdict};

/// The probe that somebody waits for, if anybody does. Clones share it.
#[derive(Clone, Default)]
pub struct Probes(Arc<Mutex<Option<Awaited>>>);

struct Awaited {
    word: BootId,
    verdict: oneshot::Sender<Verdict>,
}

impl Probes {
    /// Waits for the probe that says a word as its boot; a word is used once. Whoever waited before waits no longer.
    #[must_use]
    pub fn wait_for(&self, word: BootId) -> oneshot::Receiver<Verdict> {
        let (verdict, told) = oneshot::channel();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Awaited { word, verdict });
        told
    }

    /// Makes a probe of a report if it is the one that is waited for: it says the word, and has heard one reserved address
    /// and nothing else. So nobody can ask the gate about a device, and nobody but who waits is told.
    pub(super) fn claim(&self, mut report: Report) -> Option<Probe> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let says_the_word = place.as_ref().is_some_and(|awaited| Some(awaited.word) == report.boot);
        let heard = report.sightings.pop().filter(|heard| heard.device.is_reserved())?;
        if !says_the_word || !report.sightings.is_empty() || report.refused.total() > 0 {
            return None;
        }
        let Awaited { verdict, .. } = place.take()?;
        Some(Probe { sighting: super::sighting(heard), verdict })
    }
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probes")
    }
}
