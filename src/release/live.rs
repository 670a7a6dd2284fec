//! People now, and the sensors' health, as far as either may be said.

use passant_wire::Id;

use super::{Banded, Flags};
use crate::clock::{EpochMs, HALF_MS};
use crate::config::Venue;
use crate::roster::{Roster, SensorLife};
use crate::telemetry::Tally;

/// People now, as far as it may be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A judged number with its band.
    People(Banded),
    /// Fewer than k, or nobody: the two are not told apart.
    UnderK,
    /// Hidden because the venue itself is hidden, or so that another place cannot be subtracted out.
    HeldBack,
    /// Too little was heard to say: no sensor alive, not yet six minutes of it, or closed. No data is not nobody.
    NoData,
}

/// The venue's and the zones' occupancy at the end of the newest half-minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The venue.
    pub venue: Id,
    /// The venue's clock: wall time, or the time of a replay.
    pub at: EpochMs,
    /// The whole venue, a multiple of 5.
    pub occupancy: Shown,
    /// Every zone, in the order of the configuration.
    pub zones: Vec<(Id, Shown)>,
    /// What a reader must know.
    pub flags: Flags,
    /// The version of the calibration; 0 is none.
    pub calibration: u32,
    /// Every configured sensor, in the order of the configuration.
    pub sensors: Vec<SensorLive>,
}

/// How much a sensor hears, told so coarsely that nobody's walk shows in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateBand {
    /// Not alive.
    None,
    /// Alive, up to 1,000 sightings in the last closed five minutes.
    Normal,
    /// Over 1,000.
    High,
    /// Over 100,000.
    VeryHigh,
}

/// A sensor's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorLive {
    /// The sensor.
    pub sensor: Id,
    /// Its zone.
    pub zone: Id,
    /// It sent something in the last 60 s.
    pub alive: bool,
    /// When it last sent a status or a report, by the venue's clock, floored to half a minute.
    pub last_heard: Option<EpochMs>,
    /// How much it hears.
    pub rate: RateBand,
    /// The sensor's clock minus ours, ms, from its last message, to the second.
    pub clock_error_ms: Option<i64>,
    /// Messages whose numbers were skipped.
    pub gaps: u64,
    /// Messages whose number had been seen.
    pub repeats: u64,
    /// Messages and sightings refused, by reason, in alphabetical order.
    pub refused: Vec<(&'static str, u64)>,
}

/// A sensor's clock error is told to this many ms, so that it does not move with every message.
const CLOCK_ERROR_MS: i64 = 1_000;
/// Sightings in five minutes over which a rate is high, and very high.
const RATES: [u64; 2] = [1_000, 100_000];

/// The health of every sensor of a venue, while its people are shown.
#[must_use]
pub fn sensors(venue: &Venue, roster: &Roster, tally: &Tally, now: EpochMs) -> Vec<SensorLive> {
    let one = |(sensor, life): (&crate::config::Sensor, &SensorLife)| {
        let alive = life.is_alive(now);
        let mut refused: Vec<(&'static str, u64)> =
            life.refused.iter().map(|(reason, n)| (*reason, *n)).collect();
        refused.extend(tally.messages_refused_so_far(venue.id.as_str(), sensor.id.as_str()));
        refused.sort_unstable();
        SensorLive {
            sensor: sensor.id.clone(),
            zone: venue.zones[sensor.zone].id.clone(),
            alive,
            last_heard: life.last_heard.map(floored),
            rate: rate(alive, life.rate),
            clock_error_ms: life.clock_error_ms.map(to_the_second),
            gaps: life.gaps(),
            repeats: life.repeats(),
            refused,
        }
    };
    venue.sensors.iter().zip(roster.sensors()).map(one).collect()
}

/// The health of every sensor while the venue's people are not shown: by its statuses, which come whether anybody is
/// there or not. What moves with somebody stays as it was told last.
#[must_use]
pub fn quiet_sensors(venue: &Venue, roster: &Roster, last: Option<&Live>, now: EpochMs) -> Vec<SensorLive> {
    let one = |(place, (sensor, life)): (usize, (&crate::config::Sensor, &SensorLife))| {
        let last = last.and_then(|live| live.sensors.get(place));
        let alive = life.is_beating(now);
        SensorLive {
            sensor: sensor.id.clone(),
            zone: venue.zones[sensor.zone].id.clone(),
            alive,
            last_heard: life.last_status.map(floored),
            rate: rate(alive, 0),
            clock_error_ms: life.status_clock_error_ms.map(to_the_second),
            gaps: last.map_or(0, |last| last.gaps),
            repeats: last.map_or(0, |last| last.repeats),
            refused: last.map(|last| last.refused.clone()).unwrap_or_default(),
        }
    };
    venue.sensors.iter().zip(roster.sensors()).enumerate().map(one).collect()
}

fn floored(at: EpochMs) -> EpochMs {
    EpochMs(at.0.div_euclid(HALF_MS) * HALF_MS)
}

fn to_the_second(ms: i64) -> i64 {
    (ms as f64 / CLOCK_ERROR_MS as f64).round() as i64 * CLOCK_ERROR_MS
}

fn rate(alive: bool, sightings: u64) -> RateBand {
    match (alive, sightings) {
        (false, _) => RateBand::None,
        (true, n) if n > RATES[1] => RateBand::VeryHigh,
        (true, n) if n > RATES[0] => RateBand::High,
        (true, _) => RateBand::Normal,
    }
}
