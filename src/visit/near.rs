//! How long a device was near.

use super::SILENCE_MS;
use crate::clock::EpochMs;

/// The stretches in which a device was near; 15 minutes of not being near begin a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Near {
    /// The first and last moment of the newest, and the length of the longest before it, ms.
    pub(super) newest: Option<(EpochMs, EpochMs)>,
    pub(super) longest_before_ms: Option<i64>,
}

impl Near {
    /// It was near from a moment to another, neither before what is known.
    pub(super) fn extend(&mut self, first: EpochMs, last: EpochMs) {
        // Heard all the while, but from outside: to be near again is a new stretch.
        if self.newest.is_some_and(|(_, before)| first.since(before) >= SILENCE_MS) {
            self.longest_before_ms = self.longest_ms();
            self.newest = None;
        }
        let from = self.newest.map_or(first, |(from, _)| from);
        self.newest = Some((from, last));
    }

    /// The longest stretch, ms; `None` if it was never near.
    pub(super) fn longest_ms(&self) -> Option<i64> {
        self.newest.map(|(first, last)| last.since(first)).max(self.longest_before_ms)
    }
}
