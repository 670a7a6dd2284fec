//! A scenario: what a place is like, read from TOML and checked. The files in `scenarios/` explain every key.

mod check;
mod emit;
mod file;
mod layers;
mod numbers;
#[cfg(test)]
mod tests;
mod ways;

use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use passant_wire::Id;

pub(crate) use self::file::{
    Arrivals, Closing, Devices, FixtureKind, Floor, Model, MultiWall, People, Radio, Rhythms, Role, Sending,
    Traffic,
};
use self::layers::Beside;
pub use self::layers::LAYERS_MAX;
use self::ways::Ways;

/// The most zones, sensors and fixtures of a kind a scenario may have.
pub const ITEMS_MAX: usize = 1024;

/// The most people a day.
pub const PEOPLE_MAX: f64 = 200_000.0;

/// The most bytes of a scenario file.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// The scenario that the demo shows, for whoever wants a mall without a file.
pub const MALL: &str = include_str!("../../../scenarios/mall.toml");

/// Every scenario file that ships, by its name.
pub const SHIPPED: [(&str, &str); 11] = [
    ("common.toml", include_str!("../../../scenarios/common.toml")),
    ("mall.toml", MALL),
    ("two-floors.toml", include_str!("../../../scenarios/two-floors.toml")),
    ("two-floors-8.7db.toml", include_str!("../../../scenarios/two-floors-8.7db.toml")),
    ("two-floors-multi-wall.toml", include_str!("../../../scenarios/two-floors-multi-wall.toml")),
    ("high-street.toml", include_str!("../../../scenarios/high-street.toml")),
    ("trade-fair.toml", include_str!("../../../scenarios/trade-fair.toml")),
    ("stadium.toml", include_str!("../../../scenarios/stadium.toml")),
    ("gallery.toml", include_str!("../../../scenarios/gallery.toml")),
    ("faulty.toml", include_str!("../../../scenarios/faulty.toml")),
    ("night.toml", include_str!("../../../scenarios/night.toml")),
];

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
    pub(crate) guards: Vec<Guard>,
    pub(crate) traffic: Option<Traffic>,
    ways: Ways,
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
    /// When it listens: so many ms of each cycle of so many.
    pub(crate) cycle_ms: Option<(i64, i64)>,
    pub(crate) clock_error_ms: i64,
    pub(crate) message_loss: f64,
    pub(crate) duplicates: f64,
    pub(crate) reordering: f64,
    /// Minutes of each local day in which it has no power.
    pub(crate) outages: Vec<Opening>,
}

/// Somebody who goes from zone to zone all night.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// Minutes of the local day; past midnight if the end is under the beginning.
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) round: Vec<usize>,
    pub(crate) zone_mins: f64,
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
        let beside = path.parent().map_or(Beside::Nothing, Beside::Folder);
        Self::resolve(&layers::read(path)?, beside)
    }

    /// Checks a scenario given as text, which may extend those that ship.
    ///
    /// # Errors
    /// As [`Scenario::load`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::resolve(text, Beside::Nothing)
    }

    fn resolve(text: &str, beside: Beside<'_>) -> Result<Self, Error> {
        check::check(layers::resolve(text, beside)?.try_into().map_err(Box::new)?)
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

    /// The zones' ids; elsewhere a zone is told by its place among them.
    pub fn zones(&self) -> impl Iterator<Item = &Id> {
        self.zones.iter().map(|zone| &zone.id)
    }

    /// The sensors' ids, each with its zone and what a server must add to what it reports, dB; elsewhere a sensor is told
    /// by its place among them.
    pub fn sensors(&self) -> impl Iterator<Item = (&Id, usize, i8)> {
        self.sensors.iter().map(|sensor| (&sensor.id, sensor.zone, sensor.rssi_offset_db))
    }

    /// The zones one crosses on the way from one to another.
    pub(crate) fn way(&self, from: usize, to: usize) -> impl Iterator<Item = usize> {
        self.ways.between(from, to)
    }
}
