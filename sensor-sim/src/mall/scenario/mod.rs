//! A scenario: what a mall is like, read from TOML and checked. `scenarios/mall.toml` explains every key.

mod check;
mod emit;
mod file;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use passant_wire::Id;

pub(crate) use self::file::{Arrivals, Devices, FixtureKind, Floor, People, Radio, Rhythms, Role, Sending};

/// The most zones, sensors and fixtures of a kind a scenario may have.
pub const ITEMS_MAX: usize = 1024;

/// The most people a day.
pub const PEOPLE_MAX: f64 = 200_000.0;

/// The most bytes of a scenario file.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// The scenario that ships, for whoever wants a mall without a file.
pub const MALL: &str = include_str!("../../../scenarios/mall.toml");

/// Minutes of the local day, from and to.
pub(crate) type Opening = (u32, u32);

/// A checked scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(crate) venue: Id,
    pub(crate) name: String,
    pub(crate) tz: Tz,
    /// Monday first.
    pub(crate) hours: [Option<Opening>; 7],
    pub(crate) arrivals: Arrivals,
    pub(crate) people: People,
    pub(crate) devices: Devices,
    pub(crate) rhythms: Rhythms,
    pub(crate) radio: Radio,
    pub(crate) sending: Sending,
    pub(crate) floors: Vec<Floor>,
    pub(crate) zones: Vec<Zone>,
    pub(crate) sensors: Vec<Sensor>,
    pub(crate) fixtures: Vec<Fixture>,
}

/// A part of the mall in which people stand.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    pub(crate) id: Id,
    pub(crate) name: String,
    /// Its place among the floors.
    pub(crate) floor: usize,
    pub(crate) role: Role,
    pub(crate) polygon: Vec<[f64; 2]>,
    pub(crate) middle: [f64; 2],
    pub(crate) attraction: f64,
    pub(crate) dwell_median_mins: f64,
    pub(crate) dwell_sigma: f64,
    pub(crate) staff: u16,
    /// Where people pass by an entrance.
    pub(crate) outside: Option<[f64; 2]>,
}

#[derive(Clone, Debug)]
pub(crate) struct Sensor {
    pub(crate) id: Id,
    pub(crate) zone: usize,
    pub(crate) at: [f64; 2],
    pub(crate) rssi_offset_db: i8,
    /// The share of frames that it hears and that arrive.
    pub(crate) heard_share: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct Fixture {
    pub(crate) zone: usize,
    pub(crate) kind: FixtureKind,
    pub(crate) count: u16,
}

/// Why a scenario is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error("reading the scenario {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Over [`FILE_BYTES_MAX`].
    #[error("the scenario {} is over {FILE_BYTES_MAX} bytes; leave zones or sensors out", path.display())]
    TooLong {
        /// Which.
        path: PathBuf,
    },
    /// Not TOML, a key nobody knows, or one that is missing.
    #[error("reading the scenario: {0}")]
    Parse(#[from] Box<toml::de::Error>),
    /// A value that makes no mall.
    #[error("{at}: {what}")]
    Value {
        /// The key.
        at: String,
        /// What to do about it.
        what: String,
    },
}

impl Scenario {
    /// Reads and checks a scenario file.
    ///
    /// # Errors
    /// When it cannot be read, has a key nobody knows, or a value that makes no mall.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let read = |source| Error::Read { path: path.into(), source };
        if std::fs::metadata(path).map_err(read)?.len() > FILE_BYTES_MAX {
            return Err(Error::TooLong { path: path.into() });
        }
        Self::parse(&std::fs::read_to_string(path).map_err(read)?)
    }

    /// Checks a scenario given as text.
    ///
    /// # Errors
    /// As [`Scenario::load`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        check::check(toml::from_str(text).map_err(Box::new)?)
    }

    /// The venue's id.
    #[must_use]
    pub fn venue(&self) -> &Id {
        &self.venue
    }

    /// The share of Wi-Fi devices that keep one address all day, to be said aloud wherever this crowd is shown.
    #[must_use]
    pub fn stable_share(&self) -> f64 {
        1.0 - self.devices.random_share
    }

    /// The server's configuration of this venue: a `[[venue]]` table in its own format.
    #[must_use]
    pub fn server_config(&self) -> String {
        emit::venue(self)
    }

    /// The zone people cross on a floor.
    pub(crate) fn walkway(&self, floor: usize) -> usize {
        let walkway = |zone: &Zone| zone.role == Role::Walkway && zone.floor == floor;
        self.zones.iter().position(walkway).unwrap_or_default()
    }
}
