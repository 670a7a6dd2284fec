#![doc = include_str!("README.md")]

mod key;
mod uniform;

pub use key::{Key, KeyError};
pub use uniform::Uniform;

use std::collections::VecDeque;

use crate::clock::{EpochMs, SteadyMs, Window};
use crate::config::{CrowdRadio, Venue};
use crate::optout::Admitted;
use crate::sighting::{AddressClass, DeviceId, Radio};

/// The length of a half-minute, ms; halves begin at whole multiples of it since 1970.
pub const HALF_MS: i64 = 30_000;
/// A half-minute closes this long after its end, ms.
pub const HALF_GRACE_MS: i64 = 10_000;
/// A day's key outlives its day by this much, so that the day's last sightings can arrive.
const DAY_GRACE_SECS: i64 = 120;
/// No key is ever older than this, whatever the calendar says.
const KEY_LIFE_MS: i64 = 24 * 3_600_000;
/// Keys of half-minutes that can be open at once: the one that closes, this one, and up to 30 s ahead.
const HALF_KEYS_MAX: usize = 4;

const STABLE: &[u8; 16] = b"passant stable 1";
const FLEETING: &[u8; 16] = b"passant fleet. 1";

/// A stable device, for one venue and one venue day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(pub(crate) u64);

/// A fleeting device, for one venue and one half-minute.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub(crate) u64);

/// What is left of a device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// For the visit lens.
    Stable(Pseudonym),
    /// For the crowd lens.
    Fleeting(Tag),
    /// A fleeting device in closed hours: its strength only.
    Night,
}

/// Somebody was heard: what is left of a sighting.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// The sensor's place in the venue.
    pub sensor: u16,
    /// Strength in dBm, with the sensor's offset.
    pub rssi: i8,
    /// When.
    pub at: EpochMs,
    /// Who, as far as that may be known.
    pub trace: Trace,
}

/// Why a sighting left no footprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFootprint {
    /// Weaker than the outside floor.
    Outside,
    /// The venue was closed.
    Closed,
    /// A fleeting address on the radio that the crowd lens does not count.
    OtherRadio,
    /// The key of its day or half-minute is gone.
    KeyGone,
}

impl NoFootprint {
    /// The word that counts it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Closed => "closed",
            Self::OtherRadio => "other_radio",
            Self::KeyGone => "late",
        }
    }
}

struct DayKey {
    day: Window,
    born: SteadyMs,
    key: Key,
}

/// The keys of one venue.
pub struct Keyring {
    /// The day's key, and for two minutes the day's before.
    days: VecDeque<DayKey>,
    /// Keys of half-minutes by their number since 1970.
    halves: VecDeque<(i64, Key)>,
    offsets_db: Vec<i8>,
    outside_floor_dbm: i8,
    crowd_radio: Radio,
}

/// Moments that belong together: the venue's clock, the steady clock, and the venue day and opening of the former.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The venue's clock.
    pub at: EpochMs,
    /// The machine's steady clock, by which keys age.
    pub steady: SteadyMs,
    /// The venue day.
    pub day: Window,
    /// Whether the venue is open.
    pub open: bool,
}

impl Keyring {
    /// A ring without keys; they are made when they are first needed.
    #[must_use]
    pub fn new(venue: &Venue) -> Self {
        Self {
            days: VecDeque::new(),
            halves: VecDeque::new(),
            offsets_db: venue.sensors.iter().map(|s| s.rssi_offset_db).collect(),
            outside_floor_dbm: venue.thresholds.outside_floor_dbm,
            crowd_radio: match venue.crowd_radio {
                CrowdRadio::Wifi => Radio::Wifi,
                CrowdRadio::Ble => Radio::Ble,
            },
        }
    }

    /// Ends a device: what is left of it is a footprint, or nothing, with the reason.
    ///
    /// # Errors
    /// When a new key is needed and the system gives none; nothing may be hashed then.
    pub fn impress(
        &mut self,
        admitted: Admitted,
        sensor: u16,
        at: EpochMs,
        now: &Now,
    ) -> Result<Result<Footprint, NoFootprint>, KeyError> {
        let sighting = admitted.into_sighting();
        let offset = self.offsets_db.get(usize::from(sensor)).copied().unwrap_or(0);
        let rssi = sighting.rssi.saturating_add(offset);
        let trace = match self.kind_of(sighting.class, rssi, now) {
            Ok(Kind::Night) => Trace::Night,
            Ok(Kind::Fleeting) => match self.half_key(at, now)? {
                Some(key) => {
                    Trace::Fleeting(Tag(hash(key, FLEETING, sighting.class.radio(), &sighting.device)))
                }
                None => return Ok(Err(NoFootprint::KeyGone)),
            },
            Ok(Kind::Stable) => match self.day_key(at, now)? {
                Some(key) => {
                    Trace::Stable(Pseudonym(hash(key, STABLE, sighting.class.radio(), &sighting.device)))
                }
                None => return Ok(Err(NoFootprint::KeyGone)),
            },
            Err(reason) => return Ok(Err(reason)),
        };
        Ok(Ok(Footprint { sensor, rssi, at, trace }))
    }

    /// The pseudonyms that a device has today, on either radio, so that its open visit can be forgotten.
    #[must_use]
    pub fn pseudonyms_of(&self, device: &DeviceId) -> Vec<Pseudonym> {
        let radios = [Radio::Wifi, Radio::Ble];
        let of = |day: &DayKey| radios.map(|radio| Pseudonym(hash(&day.key, STABLE, radio, device)));
        self.days.iter().flat_map(of).collect()
    }

    /// Wipes every key whose time is over. Returns how many keys of days died.
    pub fn forget(&mut self, now: &Now) -> usize {
        let before = self.days.len();
        self.days.retain(|day| is_alive(day, now));
        self.halves.retain(|(half, _)| !is_over(*half, now));
        before - self.days.len()
    }

    fn kind_of(&self, class: AddressClass, rssi: i8, now: &Now) -> Result<Kind, NoFootprint> {
        if class.is_stable() {
            return match (now.open, rssi >= self.outside_floor_dbm) {
                (_, false) => Err(NoFootprint::Outside),
                (false, _) => Err(NoFootprint::Closed),
                (true, true) => Ok(Kind::Stable),
            };
        }
        if class.radio() != self.crowd_radio {
            return Err(NoFootprint::OtherRadio);
        }
        Ok(if now.open { Kind::Fleeting } else { Kind::Night })
    }

    /// The key of the day that `at` lies in; a new one if it lies in today and there is none yet.
    fn day_key(&mut self, at: EpochMs, now: &Now) -> Result<Option<&Key>, KeyError> {
        let of_day = |day: &DayKey| day.day.contains(at) && is_alive(day, now);
        if let Some(place) = self.days.iter().position(of_day) {
            return Ok(Some(&self.days[place].key));
        }
        // A moment a little ahead may lie in tomorrow: it waits for no key, since tomorrow's is not made today.
        if !now.day.contains(at) {
            return Ok(None);
        }
        self.forget(now);
        self.days.push_back(DayKey { day: now.day, born: now.steady, key: Key::random()? });
        Ok(self.days.back().map(|day| &day.key))
    }

    fn half_key(&mut self, at: EpochMs, now: &Now) -> Result<Option<&Key>, KeyError> {
        let half = at.0.div_euclid(HALF_MS);
        if is_over(half, now) {
            return Ok(None);
        }
        if let Some(place) = self.halves.iter().position(|(number, _)| *number == half) {
            return Ok(Some(&self.halves[place].1));
        }
        self.forget(now);
        if self.halves.len() == HALF_KEYS_MAX {
            self.halves.pop_front();
        }
        self.halves.push_back((half, Key::random()?));
        Ok(self.halves.back().map(|(_, key)| key))
    }
}

enum Kind {
    Stable,
    Fleeting,
    Night,
}

fn is_over(half: i64, now: &Now) -> bool {
    now.at.0 >= (half + 1) * HALF_MS + HALF_GRACE_MS
}

fn is_alive(day: &DayKey, now: &Now) -> bool {
    now.at < day.day.to.plus_secs(DAY_GRACE_SECS) && now.steady.0 - day.born.0 < KEY_LIFE_MS
}

fn hash(key: &Key, context: &[u8; 16], radio: Radio, device: &DeviceId) -> u64 {
    key.hash(context, radio as u8, device.octets())
}

#[cfg(test)]
mod tests;
