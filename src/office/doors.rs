//! Door counters: what the operator's own devices say of people who came in and went out, hour by hour.

use passant_wire::Id;

use super::Error;
use crate::clock::{EpochMs, Step, Window};
use crate::config::{ClockKind, Venue};
use crate::store::{DoorCount, DoorLimits, DoorsTaken, Store};

/// The most hours that are taken at once: more than two weeks.
pub const DOOR_HOURS_AT_ONCE_MAX: usize = 400;
/// The most people that an hour of one counter may say.
pub(super) const DOOR_PEOPLE_MAX: u32 = 100_000;
/// The most door counters of a venue.
pub(super) const DOORS_MAX: usize = 64;
/// The most hours that are kept of a counter: over two years, which is longer than they are kept.
pub(super) const DOOR_HOURS_MAX: usize = 20_000;

/// The door counters of a venue.
#[derive(Clone, Copy, Debug)]
pub struct DoorCounts<'a> {
    venue: &'a Venue,
    store: &'a Store,
}

/// An hour of a door counter as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorHour {
    /// The hour.
    pub window: Window,
    /// People who came in.
    pub people_in: u32,
    /// People who went out.
    pub people_out: u32,
}

/// Hours that are kept now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorsKept {
    /// New ones.
    pub new: usize,
    /// Those that were there with the same numbers.
    pub known: usize,
}

impl<'a> DoorCounts<'a> {
    /// The door counters of a venue, as the store keeps them.
    #[must_use]
    pub fn of(venue: &'a Venue, store: &'a Store) -> Self {
        Self { venue, store }
    }

    /// Checks and keeps hours of a counter, all or none. What is fewer than k is kept as nothing.
    ///
    /// # Errors
    /// When one is not acceptable, is there with other numbers, or cannot be kept just now.
    pub async fn take(&self, door: &str, hours: &[DoorHour], now: EpochMs) -> Result<DoorsKept, Error> {
        let door = Id::parse(door).ok_or(Error::Door)?;
        if hours.is_empty() || hours.len() > DOOR_HOURS_AT_ONCE_MAX {
            return Err(Error::DoorHours);
        }
        for hour in hours {
            self.check(hour, now)?;
        }
        let count = |hour: &DoorHour| DoorCount {
            door: door.clone(),
            window: hour.window,
            people_in: self.told(hour.people_in),
            people_out: self.told(hour.people_out),
        };
        let counts: Vec<DoorCount> = hours.iter().map(count).collect();
        let limits = DoorLimits { doors: DOORS_MAX, hours: DOOR_HOURS_MAX };
        match self.store.take_door_counts(&self.venue.id, &counts, limits, now).await? {
            DoorsTaken::Kept { new, known } => Ok(DoorsKept { new, known }),
            DoorsTaken::Differs(at) => Err(Error::DoorDiffers(self.venue.calendar.rfc3339(at))),
            DoorsTaken::TooManyDoors => Err(Error::DoorsFull),
            DoorsTaken::TooManyHours => Err(Error::DoorHoursFull),
        }
    }

    /// The counters of which anything is kept.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn doors(&self) -> Result<Vec<Id>, Error> {
        Ok(self.store.doors(&self.venue.id).await?)
    }

    /// The hours that begin in a stretch of time, in order of time; at most so many. Where k has grown since, what is fewer
    /// is told no longer.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list(&self, from: EpochMs, to: EpochMs, most: usize) -> Result<Vec<DoorCount>, Error> {
        let mut counts = self.store.door_counts(&self.venue.id, from, to, most).await?;
        for count in &mut counts {
            count.people_in = count.people_in.and_then(|people| self.told(people));
            count.people_out = count.people_out.and_then(|people| self.told(people));
        }
        Ok(counts)
    }

    /// Removes the hours of a counter that begin in a stretch of time. Gives how many went.
    ///
    /// # Errors
    /// When there is none, or the store does not answer.
    pub async fn remove(&self, door: &str, from: EpochMs, to: EpochMs) -> Result<u64, Error> {
        let door = Id::parse(door).ok_or(Error::NoDoor)?;
        match self.store.delete_door_counts(&self.venue.id, &door, from, to).await? {
            0 => Err(Error::NoDoor),
            gone => Ok(gone),
        }
    }

    fn check(&self, hour: &DoorHour, now: EpochMs) -> Result<(), Error> {
        let calendar = self.venue.calendar;
        let whole = calendar.window_of(hour.window.from, Step::Hour);
        if whole != hour.window {
            let (from, to) = (calendar.rfc3339(whole.from), calendar.rfc3339(whole.to));
            return Err(Error::DoorEdge { from, to });
        }
        if hour.people_in > DOOR_PEOPLE_MAX || hour.people_out > DOOR_PEOPLE_MAX {
            return Err(Error::DoorPeople);
        }
        // Where time comes from messages nobody knows what is yet to come.
        if self.venue.clock == ClockKind::Wall && hour.window.to > now {
            return Err(Error::DoorAhead);
        }
        Ok(())
    }

    /// A number as it may be kept and told: fewer than k, or nobody, is nothing.
    fn told(&self, people: u32) -> Option<u32> {
        (people >= self.venue.thresholds.k).then_some(people)
    }
}

#[cfg(test)]
#[path = "doors_tests.rs"]
mod tests;
