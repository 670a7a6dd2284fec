//! The configuration: one TOML file, every key documented in `passant.example.toml` beside this file.
//!
//! Unknown keys are refused. Below a privacy floor the program says why and does not start. Environment variables
//! stand over the file: `PASSANT__HTTP__LISTEN=127.0.0.1:8081` is `[http] listen`.

mod alert;
mod event;
mod file;
mod hours;
mod validate;

pub use alert::{Alert, AlertsOut, Outlet, WINDOWS_MAX, Watch, When};
pub use event::{Event, EventKind};
pub use hours::{CLOSED, Hours, HoursError};

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use chrono::NaiveDate;
use passant_wire::Id;

use crate::clock::{Calendar, EpochMs, Step, Window};

/// The example that ships with the program; every key is in it.
pub const EXAMPLE: &str = include_str!("passant.example.toml");

/// The smallest k the program starts with; [`K_DEFAULT`] unless told otherwise.
pub const K_FLOOR: u32 = 5;
/// The k of a configuration that names none.
pub const K_DEFAULT: u32 = 10;
/// The longest that figures of five minutes and quarter-hours are kept, days; also the default.
pub const FINE_DAYS_MAX: u32 = 90;
/// The longest that figures of hours and days, and head counts, are kept, months; also the default.
pub const COARSE_MONTHS_MAX: u32 = 25;
/// The weeks before that make what is usual, at most.
pub const USUAL_WEEKS_MAX: u32 = 8;
/// Fewer weeks than this make nothing usual.
pub const USUAL_WEEKS_MIN: usize = 3;
/// The most venues, and zones and sensors of a venue, that one installation holds.
pub const VENUES_MAX: usize = 256;
/// The most zones of one venue.
pub const ZONES_MAX: usize = 2_000;
/// The most sensors of one venue.
pub const SENSORS_MAX: usize = 4_096;

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the database lives.
    pub data_dir: PathBuf,
    /// The broker.
    pub mqtt: Mqtt,
    /// Where the pages and the API listen.
    pub http_listen: SocketAddr,
    /// How others than this machine may come to them.
    pub http_door: HttpDoor,
    /// The door for visitors' telephones.
    pub public: Public,
    /// Where the opt-out key lies, apart from the database.
    pub opt_out_key_file: PathBuf,
    /// The directory in memory where open state survives a restart; without it a restart begins a new key.
    pub vault_dir: Option<PathBuf>,
    /// The least number of people a figure may be about.
    pub k: u32,
    /// How long figures are kept.
    pub retention: Retention,
    /// What goes out by MQTT.
    pub outlet: Outlet,
    /// Every venue.
    pub venues: Vec<Venue>,
}

/// How long figures are kept. It may be shorter than the default and never longer: the notice and the page say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Figures of five minutes and quarter-hours, days.
    pub fine_days: u32,
    /// Figures of hours and days, and head counts, months.
    pub coarse_months: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { fine_days: FINE_DAYS_MAX, coarse_months: COARSE_MONTHS_MAX }
    }
}

/// What a notice must name and no program can know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// Who is responsible for the counting.
    pub controller: Option<String>,
    /// How they are reached.
    pub contact: Option<String>,
    /// What they count for.
    pub purpose: Option<String>,
}

/// How others than this machine come to the pages and the API: over TLS, or by a proxy that is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpDoor {
    /// The server's own certificate, if it speaks TLS.
    pub tls: Option<TlsFiles>,
    /// Proxies whose word about the client and its connection is taken.
    pub trusted_proxies: Vec<IpAddr>,
}

/// A certificate and its key, PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those between it and its authority.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The door for visitors' telephones: their pages and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Public {
    /// Where it listens; without it the pages are on the operator's address alone.
    pub listen: Option<SocketAddr>,
    /// How telephones reach it, scheme and host: what the notice shows.
    pub url: Option<String>,
    /// Proxies whose word about the client is taken.
    pub trusted_proxies: Vec<IpAddr>,
}

/// How to reach the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mqtt {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whether to speak TLS.
    pub tls: bool,
    /// PEM file of the authorities that may sign the broker's certificate; needed with TLS.
    pub ca_file: Option<PathBuf>,
    /// A stable client id: it is what the broker's session is kept under.
    pub client_id: String,
    /// User name, if the broker asks for one.
    pub username: Option<String>,
    /// The file that holds the password.
    pub password_file: Option<PathBuf>,
    /// Which version of MQTT to speak.
    pub protocol: Protocol,
    /// Where the server's own broker listens, if it is to run one; host and port name the same one.
    pub embedded: Option<SocketAddr>,
}

/// A version of MQTT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub enum Protocol {
    /// MQTT 5, or 3.1.1 where the broker refuses it.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// MQTT 5 only.
    #[serde(rename = "5")]
    V5,
    /// MQTT 3.1.1 only.
    #[serde(rename = "3.1.1")]
    V311,
}

/// Where a venue's time comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockKind {
    /// The server's own clock.
    #[default]
    Wall,
    /// The times of messages and statuses: replays and the demo, behind a loopback broker only.
    Sightings,
}

/// Which radio the crowd lens counts. Head counts calibrate one radio's crowd; mixing two counts a phone twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CrowdRadio {
    /// Random Wi-Fi addresses.
    #[default]
    Wifi,
    /// Resolvable and non-resolvable Bluetooth addresses, for venues whose antennas hear nothing else.
    Ble,
}

/// A venue.
#[derive(Clone, Debug)]
pub struct Venue {
    /// Its id, as in topics.
    pub id: Id,
    /// Its name, as people say it.
    pub name: String,
    /// Who counts, and why, in the operator's words.
    pub notice: Notice,
    /// Its time zone and where its days begin.
    pub calendar: Calendar,
    /// Its time zone's IANA name.
    pub timezone: String,
    /// Where its time comes from.
    pub clock: ClockKind,
    /// When it is open.
    pub hours: Hours,
    /// Which radio the crowd lens counts.
    pub crowd_radio: CrowdRadio,
    /// What makes a visit a visit.
    pub thresholds: Thresholds,
    /// Its zones.
    pub zones: Vec<Zone>,
    /// Its zone groups, in the order they are first named.
    pub groups: Vec<Id>,
    /// Its sensors.
    pub sensors: Vec<Sensor>,
    /// Its holidays and named events, by their first day.
    pub events: Vec<Event>,
    /// Its alert rules, in the order of the configuration.
    pub alerts: Vec<Alert>,
}

impl Venue {
    /// Whether the venue is open to people at a moment.
    #[must_use]
    pub fn is_open(&self, at: EpochMs) -> bool {
        self.hours.is_open(&self.calendar, at)
    }

    /// The windows that a window is like: those of the same hours of the same weekday, newest first, on days that have no
    /// name and no hours of their own.
    pub fn usual_windows(&self, window: Window, step: Step) -> impl Iterator<Item = Window> {
        (1..=USUAL_WEEKS_MAX)
            .filter_map(move |weeks| self.calendar.weeks_before(window, step, weeks))
            .filter(|window| self.is_ordinary(self.calendar.day_of(window.from).date))
    }

    /// Whether a day has neither a name nor hours of its own.
    #[must_use]
    pub fn is_ordinary(&self, date: NaiveDate) -> bool {
        !self.events.iter().any(|event| event.covers(date)) && self.hours.special_day(date).is_none()
    }
}

/// All that figures of a venue are made under, which their thresholds version stands for.
#[derive(serde::Serialize)]
struct MadeUnder<'a> {
    thresholds: &'a Thresholds,
    hours: &'a Hours,
    crowd_radio: CrowdRadio,
    zones: Vec<(&'a str, Option<i8>, Option<usize>)>,
    sensors: Vec<(&'a str, usize, i8)>,
}

impl Venue {
    /// All that figures of this venue are made under, as JSON; equal texts are one version.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn made_under(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&MadeUnder {
            thresholds: &self.thresholds,
            hours: &self.hours,
            crowd_radio: self.crowd_radio,
            zones: self.zones.iter().map(|z| (z.id.as_str(), z.near_dbm, z.group)).collect(),
            sensors: self.sensors.iter().map(|s| (s.id.as_str(), s.zone, s.rssi_offset_db)).collect(),
        })
    }
}

/// What makes a passer-by, a visitor, a bounce and an engaged visitor. Every stored figure carries their version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Thresholds {
    /// Below this strength, in dBm, a stable device is outside and is never pseudonymised.
    pub outside_floor_dbm: i8,
    /// At or over this strength, in dBm, a device is near enough to be in a zone that names no threshold of its own.
    pub near_dbm: i8,
    /// Near this many seconds, a visit is a visitor's; under it, a bounce.
    pub visitor_secs: u32,
    /// Near this many seconds, a visitor is engaged.
    pub engaged_secs: u32,
    /// The least number of people a figure may be about.
    pub k: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { outside_floor_dbm: -90, near_dbm: -80, visitor_secs: 300, engaged_secs: 900, k: K_DEFAULT }
    }
}

/// A zone.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Its id.
    pub id: Id,
    /// Its name, as people say it.
    pub name: String,
    /// Its group's place in the venue's list.
    pub group: Option<usize>,
    /// Whether people come into the venue and leave it there.
    pub is_entrance: bool,
    /// Its own near threshold in dBm.
    pub near_dbm: Option<i8>,
    /// Its outline on the floor plan, in metres; empty means it is drawn as a tile.
    pub polygon: Vec<[f64; 2]>,
}

/// A sensor.
#[derive(Clone, Debug)]
pub struct Sensor {
    /// Its id, as in topics.
    pub id: Id,
    /// Its zone's place in the venue's list.
    pub zone: usize,
    /// Added to every strength it reports, dB.
    pub rssi_offset_db: i8,
}

/// What is wrong with a configuration, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("reading the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML, or has a key nobody knows, or a value of the wrong type.
    #[error("the configuration does not read: {0}")]
    Parse(Box<toml::de::Error>),
    /// An environment variable does not fit.
    #[error("environment variable {name}: {what}")]
    Environment {
        /// The variable.
        name: String,
        /// What does not fit.
        what: &'static str,
    },
    /// One or more values are not acceptable; each line says which and what to do.
    #[error("the configuration is not acceptable:\n{}", .0.join("\n"))]
    Invalid(Vec<String>),
}
