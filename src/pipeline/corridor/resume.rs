//! A floor into its journal, and out of an earlier run's.

use super::{Corridor, Earlier, Floor, Write};
use crate::clock::EpochMs;
use crate::ledger::Event;
use crate::pipeline::journal::{Found, JOURNAL_MS, Journal, UNWRITTEN_MAX};
use crate::pipeline::lenses::Moment;
use crate::pipeline::venue_clock::Reading;
use crate::pseudonym::KeyError;
use crate::vault::{Error, Gone, When};

impl Corridor {
    /// Whether any venue keeps a journal.
    #[must_use]
    pub fn keeps_journals(&self) -> bool {
        self.floors.iter().flatten().any(|floor| floor.journal.is_some())
    }

    /// Whether open state has not been kept for so long that it must be now.
    #[must_use]
    pub fn journal_is_due(&self, reading: Reading) -> bool {
        self.floors.iter().flatten().any(|floor| floor.journal_is_due(reading))
    }

    /// Keeps the open state of every venue that has a journal, with what the store has not taken yet. A figure is handed
    /// to the store only after a state is kept in which its window is closed.
    pub fn journal<'a>(&mut self, reading: Reading, unwritten: impl Iterator<Item = &'a Write> + Clone) {
        for floor in self.floors.iter_mut().flatten() {
            floor.keep(reading, unwritten.clone());
        }
    }
}

impl Floor {
    /// Goes on where an earlier run was, if it can.
    pub(super) fn take_up(&mut self, earlier: Earlier, anew: impl FnOnce() -> Self) {
        let Earlier { heard_until, journal, .. } = earlier;
        let Some(mut journal) = journal else { return self.judge.heard_before(heard_until) };
        let venue = self.lenses.venue().id.clone();
        let resumed = std::mem::replace(&mut journal.found, Err(Gone::Nothing))
            .and_then(|found| self.resume(found).map_err(|_| Gone::Broken));
        match resumed {
            Ok(secs) => {
                tracing::info!(%venue, secs, "the day's key and all that was open go on from the vault");
                self.news.push(Event::Resumed { venue, secs });
            }
            Err(gone) => {
                if gone == Gone::Broken {
                    journal.wipe();
                }
                // Half of a state is none.
                *self = anew();
                self.judge.heard_before(heard_until);
                if gone != Gone::Nothing {
                    tracing::warn!(%venue, why = %gone, "the vault was wiped: a new key begins, and figures of windows that an earlier run heard say so");
                    self.news.push(Event::NotResumed { venue, why: gone.as_str() });
                }
            }
        }
        self.journal = Some(journal);
    }

    /// Returns how many seconds lie between.
    fn resume(&mut self, found: Found) -> Result<u64, KeyError> {
        let Found { mut state, at, sealed, opened, .. } = found;
        self.clock.resume(at);
        self.clock.tick(opened);
        let now = self.clock.at().unwrap_or(at);
        self.lenses.unseal(&mut state, Moment { at: now, steady: opened.steady })?;
        self.judge.unseal(&mut state)?;
        if !state.is_empty() {
            return Err(state.unread().into());
        }
        Ok(u64::try_from((opened.steady.0 - sealed.steady.0) / 1_000).unwrap_or(0))
    }

    fn journal_is_due(&self, reading: Reading) -> bool {
        let since = |kept: i64| reading.steady.0 - kept;
        self.clock.at().is_some()
            && self
                .journal
                .as_ref()
                .is_some_and(|journal| journal.kept.is_none_or(|kept| since(kept) >= JOURNAL_MS))
    }

    fn keep<'a>(&mut self, reading: Reading, unwritten: impl Iterator<Item = &'a Write>) {
        let Some(at) = self.clock.at() else { return };
        let Some(mut journal) = self.journal.take() else { return };
        match self.seal(&mut journal, at, reading, unwritten) {
            Ok(bytes) => {
                tracing::trace!(bytes, "open state was kept");
                journal.failing = false;
                journal.kept = Some(reading.steady.0);
            }
            Err(error) => {
                if !journal.failing {
                    tracing::error!(%error, "open state cannot be kept, and the vault is wiped; a crash would begin a new key until it can");
                }
                // What lies there is older than what is about to be published, or holds what somebody objected to.
                journal.wipe();
                journal.failing = true;
                journal.kept = Some(reading.steady.0);
            }
        }
        self.journal = Some(journal);
    }

    fn seal<'a>(
        &mut self,
        journal: &mut Journal,
        at: EpochMs,
        reading: Reading,
        unwritten: impl Iterator<Item = &'a Write>,
    ) -> Result<usize, Error> {
        let mut sealing = journal.strongbox.sealing();
        sealing.put(&(at, self.published));
        let venue = self.lenses.venue().clone();
        let kept: Vec<&Write> =
            unwritten.filter(|write| write.is_kept_of(&venue)).take(UNWRITTEN_MAX).collect();
        sealing.put_all(kept.iter(), |sealing, write| write.seal(sealing));
        self.lenses.seal(&mut sealing);
        self.judge.seal(&mut sealing);
        let when = When { wall: reading.wall, steady: reading.steady };
        journal.strongbox.keep(sealing, self.lenses.day(), when)
    }

    /// Wipes the journal, for nothing of the venue may go on.
    pub(super) fn wipe_journal(&mut self) {
        if let Some(mut journal) = self.journal.take() {
            journal.wipe();
        }
    }

    /// Whether what is open lies in the vault as it is now.
    pub(super) fn is_kept(&self, reading: Reading) -> bool {
        let kept = self.journal.as_ref().filter(|journal| !journal.failing).and_then(|journal| journal.kept);
        kept == Some(reading.steady.0)
    }
}
