#![doc = include_str!("README.md")]

mod list;
mod spelling;
#[cfg(test)]
mod tests;

pub use list::{ListError, open};
pub use spelling::NotAnAddress;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::chance::NoChance;
use crate::memory;
use crate::optout::{DECOYS_MAX, DECOYS_MIN, Key, LONG_BITS, ObjectionMark, Receipt as Code};
use crate::sighting::{Arrival, Delivery, DeviceId};
use crate::store::{self, Store};

/// The longest that an objection waits until the corridor has it in force, seconds.
const IN_FORCE_SECS_MAX: u64 = 5;
/// The size of the list is told in steps of this many rows, so that no single objection shows.
const ROWS_STEP: u64 = 1_000;

/// Where a visitor says no. Clones share it.
#[derive(Clone)]
pub struct Desk {
    key: Arc<Key>,
    store: Store,
    lane: Lane,
}

/// The way to the gate.
#[derive(Clone)]
enum Lane {
    /// The corridor's fast lane.
    Corridor(mpsc::Sender<Delivery>),
    /// No server runs: the next one reads the list when it starts.
    NextStart,
}

/// What a visitor is given.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    /// 128 random bits, in letters: the only link to the objection.
    pub code: String,
    /// How well the mark hides.
    pub strength: Strength,
}

/// How well a mark hides whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// 20 bits, among decoys: a hit is at least as likely chance as objection.
    Short,
    /// 28 bits, since the short list is full: nobody else is dropped by it, and a hit says more.
    Long,
}

/// An objection that is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How well the mark hides.
    pub strength: Strength,
}

/// What may be said of the list as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Rows of the list, decoys among them, to the nearest thousand.
    pub rows_about: u64,
    /// The fewest decoys there can be among them.
    pub decoys_min: u64,
    /// The most.
    pub decoys_max: u64,
}

/// Why the desk could not do what was asked, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was typed is no address of a device.
    #[error(transparent)]
    NotAnAddress(#[from] NotAnAddress),
    /// No random bytes for a receipt.
    #[error(transparent)]
    NoChance(#[from] NoChance),
    /// The store did not answer: nothing was changed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The gate did not say in time that it has taken it up.
    #[error(
        "putting a change of the list in force: the server did not take it up; it will when it starts next. Try again"
    )]
    Unavailable,
}

impl Desk {
    /// The desk of a running server.
    #[must_use]
    pub fn new(key: Arc<Key>, store: Store, fast_lane: mpsc::Sender<Delivery>) -> Self {
        Self { key, store, lane: Lane::Corridor(fast_lane) }
    }

    /// The desk while no server runs: what is written is in force when the next one starts.
    #[must_use]
    pub fn without_server(key: Arc<Key>, store: Store) -> Self {
        Self { key, store, lane: Lane::NextStart }
    }

    /// Puts an objection in force for a device whose address is given in any usual spelling. The same is done, and the
    /// same said, whether or not there is one already: each has a receipt of its own.
    ///
    /// # Errors
    /// When it is no address, the store does not answer, or the server does not take it up in time.
    pub async fn object(&self, spelled: &str) -> Result<Receipt, Error> {
        let read = self.read(spelled);
        memory::wipe_stack();
        let (device, marks) = read?;
        let code = Code::random()?;
        // The place in the lane first: what could not be put in force must not have been kept without a receipt.
        let place = self.place().await?;
        let mark = self.store.add_objection(&code.hash(), marks).await?;
        deliver(place, Arrival::OptedOut { device, mark }).await?;
        Ok(Receipt { code: code.code(), strength: Strength::of(mark) })
    }

    /// Whether the objection of a receipt is in force; `None` when there is none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn standing(&self, code: &str) -> Result<Option<Standing>, Error> {
        let Some(code) = Code::parse(code) else { return Ok(None) };
        let mark = self.store.objection(&code.hash()).await?;
        Ok(mark.map(|mark| Standing { strength: Strength::of(mark) }))
    }

    /// Withdraws the objection of a receipt. Returns whether there was one.
    ///
    /// # Errors
    /// When the store does not answer, or the server does not take it up in time.
    pub async fn withdraw(&self, code: &str) -> Result<bool, Error> {
        let Some(code) = Code::parse(code) else { return Ok(false) };
        let place = self.place().await?;
        let Some(mark) = self.store.remove_objection(&code.hash()).await? else { return Ok(false) };
        deliver(place, Arrival::Withdrawn(mark)).await?;
        Ok(true)
    }

    /// Adds the objections of a restored backup's database. Returns how many came back. One that was withdrawn since
    /// the backup comes back too: rather objected twice than void.
    ///
    /// # Errors
    /// When a database does not answer, the list was made under another key, or the server does not take it up in time.
    pub async fn merge(&self, backup: &Path) -> Result<usize, Error> {
        let back = self.store.merge_objections(backup).await?;
        for mark in &back {
            deliver(self.place().await?, Arrival::Restored(*mark)).await?;
        }
        Ok(back.len())
    }

    /// What may be said of the list as a whole.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn counted(&self) -> Result<Counted, Error> {
        let rows = self.store.objections_len().await?;
        Ok(Counted {
            rows_about: (rows + ROWS_STEP / 2) / ROWS_STEP * ROWS_STEP,
            decoys_min: DECOYS_MIN as u64,
            decoys_max: DECOYS_MAX as u64,
        })
    }

    /// The device in a block of its own, so that no frame of whoever waits holds it, and its marks.
    fn read(&self, spelled: &str) -> Result<(Box<DeviceId>, [ObjectionMark; 2]), NotAnAddress> {
        let device = Box::new(spelling::read(spelled)?);
        let marks = self.key.marks(&device);
        Ok((device, marks))
    }

    async fn place(&self) -> Result<Option<mpsc::OwnedPermit<Delivery>>, Error> {
        let Lane::Corridor(lane) = &self.lane else { return Ok(None) };
        let place = lane.clone().reserve_owned();
        match tokio::time::timeout(Duration::from_secs(IN_FORCE_SECS_MAX), place).await {
            Ok(Ok(place)) => Ok(Some(place)),
            _ => Err(Error::Unavailable),
        }
    }
}

/// Hands news to the corridor and waits until it has been taken in.
async fn deliver(place: Option<mpsc::OwnedPermit<Delivery>>, arrival: Arrival) -> Result<(), Error> {
    let Some(place) = place else { return Ok(()) };
    let (delivery, taken) = Delivery::awaited(arrival);
    place.send(delivery);
    match tokio::time::timeout(Duration::from_secs(IN_FORCE_SECS_MAX), taken).await {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::Unavailable),
    }
}

impl Strength {
    fn of(mark: ObjectionMark) -> Self {
        if mark.bits == LONG_BITS { Self::Long } else { Self::Short }
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}
