#![doc = include_str!("README.md")]

mod accounts;
mod check;
mod doors;
mod password;
mod roles;
mod secret;
mod sessions;
mod tokens;

pub use accounts::{Account, AccountChange, Accounts, NewAccount, SET_UP_SECS};
pub use doors::{DOOR_HOURS_AT_ONCE_MAX, DoorCounts, DoorHour, DoorsKept};
pub use password::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
pub use roles::{Place, Role, Roles};
pub use sessions::{OwnPassword, SESSION_IDLE_SECS, SESSION_SECS, Session};
pub use tokens::{ApiToken, Known};

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use crate::chance::NoChance;
use crate::clock::EpochMs;
use crate::config::Venue;
use crate::ledger;
use crate::store::{self, HeadCountRow, NewHeadCount, Store};

/// The longest head count, minutes: over more, people come and go and a single number says little.
pub const COUNT_MINUTES_MAX: i64 = 60;
/// The most people one head count may say.
pub const COUNT_PEOPLE_MAX: u32 = 10_000;
/// The most head counts a venue keeps.
pub const COUNTS_MAX: usize = 10_000;

/// The head counts of every venue. Clones share them.
#[derive(Clone, Debug)]
pub struct HeadCounts {
    venues: Arc<Vec<Venue>>,
    store: Store,
    changes: mpsc::Sender<Change>,
    /// One change at a time, so that two counts that overlap cannot both find the place free.
    one_at_a_time: Arc<Mutex<()>>,
}

/// A head count was entered, or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The venue's place in the configuration.
    pub venue: u16,
    /// The zone's place in the venue.
    pub zone: u16,
    /// The row's number.
    pub row: i64,
    /// The first moment of the count.
    pub from: EpochMs,
    /// The first moment after it.
    pub to: EpochMs,
    /// How many people were there; `None` takes the row back.
    pub people: Option<u32>,
}

/// A head count as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The zone's id.
    pub zone: &'a str,
    /// The first moment of the count.
    pub from: EpochMs,
    /// The first moment after it.
    pub to: EpochMs,
    /// How many people were there.
    pub people: u32,
}

/// Why the office said no, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No venue of that id.
    #[error("entering a head count: no such venue is configured")]
    Venue,
    /// No zone of that id.
    #[error("entering a head count: no such zone is configured; the venue has {0}")]
    Zone(String),
    /// It ends before it begins.
    #[error("entering a head count: from must lie before to")]
    Backwards,
    /// An edge lies inside a window.
    #[error(
        "entering a head count: {which} must lie on the edge of a five-minute window; the nearest are {before} and {after}"
    )]
    Edge {
        /// `from` or `to`.
        which: &'static str,
        /// The edge before it, RFC 3339.
        before: String,
        /// The edge after it, RFC 3339.
        after: String,
    },
    /// It is too long.
    #[error(
        "entering a head count: it spans {minutes} minutes and at most {COUNT_MINUTES_MAX} are taken; split it into shorter ones"
    )]
    Long {
        /// How long it is.
        minutes: i64,
    },
    /// It says too many people.
    #[error("entering a head count: at most {COUNT_PEOPLE_MAX} people are taken")]
    People,
    /// There is one already.
    #[error("entering a head count: it overlaps head count {0} of the same zone; remove that one first")]
    Overlap(i64),
    /// The venue's book is full.
    #[error(
        "entering a head count: the venue has {COUNTS_MAX}, which is the most it keeps; remove some first"
    )]
    Full,
    /// There is none of that number.
    #[error("removing a head count: the venue has none of this number")]
    Unknown,
    /// The corridor has not taken up the earlier ones.
    #[error("entering a head count: earlier ones are still being taken up; try again in a moment")]
    Untold,
    /// It is no id.
    #[error("a door's id has 1 to 64 letters, digits, '-', '_' or '.'; name the counter like north-door")]
    Door,
    /// None, or too many at once.
    #[error("entering door counts: send 1 to {} hours at once", doors::DOOR_HOURS_AT_ONCE_MAX)]
    DoorHours,
    /// It is no hour of the venue's calendar.
    #[error(
        "entering door counts: each is of one whole hour, like from {from} to {to}; add finer counts up to hours first"
    )]
    DoorEdge {
        /// Where an hour begins, RFC 3339.
        from: String,
        /// Where it ends, RFC 3339.
        to: String,
    },
    /// It says too many people.
    #[error("entering door counts: at most {} people an hour are taken", doors::DOOR_PEOPLE_MAX)]
    DoorPeople,
    /// Its hour is not over.
    #[error("entering door counts: an hour has not ended by this server's clock; send it when it is over")]
    DoorAhead,
    /// There is another for the hour.
    #[error(
        "entering door counts: the hour from {0} is there with other numbers, and nothing was taken; remove it first if it was wrong"
    )]
    DoorDiffers(String),
    /// There are too many counters.
    #[error(
        "entering door counts: the venue has {} door counters, which is the most it keeps; remove one first",
        doors::DOORS_MAX
    )]
    DoorsFull,
    /// There are too many hours of a counter.
    #[error(
        "entering door counts: the counter has {} hours, which is the most that are kept; remove old ones first",
        doors::DOOR_HOURS_MAX
    )]
    DoorHoursFull,
    /// There is no such counter, or nothing of it then.
    #[error("removing door counts: the venue has none of this door in this time")]
    NoDoor,
    /// It is no name.
    #[error(
        "a name has 1 to {} characters: letters a to z, digits, '.', '-', '_' and '@'",
        accounts::NAME_BYTES_MAX
    )]
    Name,
    /// It is no label.
    #[error("a label says what the token is for, in 1 to {} characters", tokens::LABEL_CHARS_MAX)]
    Label,
    /// The password is too short.
    #[error(
        "a password has at least {PASSWORD_CHARS_MIN} characters; a few words in a row are easy to keep in mind"
    )]
    PasswordShort,
    /// The password is too long.
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes; choose a shorter one")]
    PasswordLong,
    /// The password is guessed at once.
    #[error("this password is guessed at once: it repeats one letter, or the name; choose another")]
    PasswordEasy,
    /// The name is another account's.
    #[error("an account of this name is there already; choose another name, or remove that account first")]
    Taken,
    /// There is no such account that whoever asks administers.
    #[error("there is no such account among those that you administer")]
    NoAccount,
    /// There is no such token that whoever asks administers.
    #[error("there is no such API token among those that you administer")]
    NoToken,
    /// A role in a place that is none.
    #[error("a role names a venue that is not configured; use the id of a venue, or * for every venue")]
    Place,
    /// Nobody may give away what they do not have.
    #[error(
        "you administer only some venues, and a role reaches beyond them; leave it out, or ask an administrator of every venue"
    )]
    Beyond,
    /// Nobody would be left who administers everything.
    #[error("this is the last administrator of every venue; make another one first")]
    LastAdmin,
    /// The book is full.
    #[error(
        "there are {} already, which is the most that are kept; remove some first",
        accounts::HOLDERS_MAX
    )]
    Crowded,
    /// The set-up link does not fit.
    #[error(
        "this set-up link was used, or has outlived its time; start the server again for a new one, or use `passant user add`"
    )]
    SetUpOver,
    /// Too many passwords are being worked on.
    #[error("too many are signing in just now; try again in a moment")]
    Busy,
    /// The password's work cannot be done.
    #[error("working on a password: the library refused; this is a fault of the program's, please report it")]
    Hashing,
    /// No random bytes.
    #[error(transparent)]
    NoChance(#[from] NoChance),
    /// The ledger did not take a line.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The work was broken off.
    #[error("it was broken off; try again")]
    BrokenOff,
}

impl HeadCounts {
    /// The office of these venues. Changes go to `changes`; while it is full, or nobody listens, none is taken.
    #[must_use]
    pub fn new(venues: Arc<Vec<Venue>>, store: Store, changes: mpsc::Sender<Change>) -> Self {
        Self { venues, store, changes, one_at_a_time: Arc::default() }
    }

    /// Checks and keeps a head count, and tells of it.
    ///
    /// # Errors
    /// When it is not acceptable, or cannot be kept just now.
    pub async fn add(&self, venue: &str, asked: Asked<'_>, now: EpochMs) -> Result<HeadCountRow, Error> {
        let place = self.place_of(venue)?;
        let zone = check::alone(&self.venues[place], asked)?;
        let venue = &self.venues[place];
        let count = NewHeadCount {
            venue: venue.id.clone(),
            zone: venue.zones[zone].id.clone(),
            from: asked.from,
            to: asked.to,
            people: asked.people,
            entered_at: EpochMs(now.0.div_euclid(1000) * 1000),
        };
        let change = move |row: i64| told(place, zone, row, asked.from, asked.to, Some(asked.people));
        let office = self.clone();
        let work = async move {
            let _alone = office.one_at_a_time.lock().await;
            let told = office.changes.try_reserve().map_err(|_| Error::Untold)?;
            check::among(&office.store.head_counts(&count.venue).await?, &count)?;
            let row = office.store.add_head_count(count).await?;
            told.send(change(row.id));
            Ok(row)
        };
        to_its_end(work).await
    }

    /// The head counts of a venue in order of time.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list(&self, venue: &str) -> Result<Vec<HeadCountRow>, Error> {
        let place = self.place_of(venue)?;
        Ok(self.store.head_counts(&self.venues[place].id).await?)
    }

    /// Removes a head count, and tells of it.
    ///
    /// # Errors
    /// When there is none of that number, or the store does not answer.
    pub async fn remove(&self, venue: &str, row: i64) -> Result<HeadCountRow, Error> {
        let place = self.place_of(venue)?;
        let office = self.clone();
        let work = async move {
            let _alone = office.one_at_a_time.lock().await;
            let told_by = office.changes.try_reserve().map_err(|_| Error::Untold)?;
            let venue = &office.venues[place];
            let gone = office.store.delete_head_count(&venue.id, row).await?.ok_or(Error::Unknown)?;
            // The count of a zone that is no longer configured concerns nobody.
            if let Some(zone) = venue.zones.iter().position(|zone| zone.id == gone.count.zone) {
                told_by.send(told(place, zone, row, gone.count.from, gone.count.to, None));
            }
            Ok(gone)
        };
        to_its_end(work).await
    }

    fn place_of(&self, venue: &str) -> Result<usize, Error> {
        self.venues.iter().position(|v| v.id.as_str() == venue).ok_or(Error::Venue)
    }
}

fn told(venue: usize, zone: usize, row: i64, from: EpochMs, to: EpochMs, people: Option<u32>) -> Change {
    // The configuration holds at most 256 venues of 2,000 zones.
    let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
    Change { venue: place(venue), zone: place(zone), row, from, to, people }
}

/// Runs work to its end even when whoever asked has gone: a row must not be kept without its change being told.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work).await.unwrap_or(Err(Error::BrokenOff))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
