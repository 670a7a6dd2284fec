#![doc = include_str!("README.md")]

mod key;
mod seal;
mod uniform;

pub use key::{Key, KeyError};
pub use uniform::Uniform;

use std::collections::VecDeque;

use crate::clock::{EpochMs, HALF_MS, SteadyMs, Window};
use crate::config::{CrowdRadio, Venue};
use crate::optout::Admitted;
use crate::sighting::{AddressClass, DeviceId, Radio};

/// A half-minute closes this long after its end, ms.
pub const HALF_GRACE_MS: i64 = 10_000;
/// A day's key outlives its day by this much, so that the day's last sightings can arrive.
const DAY_GRACE_SECS: i64 = 120;
/// No key is ever older than this, whatever the calendar says.
const KEY_LIFE_MS: i64 = 24 * 3_600_000;
/// A half-minute's key is never older than this by the steady clock, though a venue's clock may stand still, ms.
const HALF_KEY_LIFE_MS: i64 = 60_000;
/// Keys of half-minutes that can be open at once: the one that closes, and this one.
const HALF_KEYS_MAX: usize = 2;
/// Keys of days that can be alive at once: yesterday's for its last two minutes, and today's.
const DAY_KEYS_MAX: usize = 2;
/// The most keys, and so locked pages, that a venue holds at once.
pub const KEYS_MAX: usize = HALF_KEYS_MAX + DAY_KEYS_MAX;

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
    /// A stable device in closed hours: that it is there at all, so that it is no visitor of the day.
    Closed(Pseudonym),
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
    /// The venue was closed: at most it is known that the device was there.
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

struct HalfKey {
    /// Its half-minute's number since 1970.
    half: i64,
    born: SteadyMs,
    key: Key,
}

/// Keys that were wiped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wiped {
    /// Keys of days.
    pub days: usize,
    /// Keys of half-minutes that had not closed, for the venue's clock stands still.
    pub stalled_halves: usize,
}

/// The keys of one venue.
pub struct Keyring {
    /// The day's key, and for two minutes the day's before.
    days: VecDeque<DayKey>,
    halves: VecDeque<HalfKey>,
    /// Keys of days made since somebody last asked.
    days_made: usize,
    /// The day that a key was last made for, and whether that was its second since somebody last asked.
    made_for: Option<Window>,
    made_again: bool,
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
    /// A ring without keys; a day's is made when the day begins, a half-minute's when it is first needed.
    #[must_use]
    pub fn new(venue: &Venue) -> Self {
        Self {
            days: VecDeque::new(),
            halves: VecDeque::new(),
            days_made: 0,
            made_for: None,
            made_again: false,
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
        let kind = self.kind_of(sighting.class, rssi, now);
        // A sensor whose clock runs ahead heard nothing that has not happened: were its fleeting sightings put in a
        // half-minute to come, an identity would live longer than forty seconds.
        let at = if matches!(kind, Ok(Kind::Fleeting)) { at.min(now.at) } else { at };
        let trace = match kind {
            Ok(Kind::Night) => Trace::Night,
            Ok(Kind::Fleeting) => match self.half_key(at, now)? {
                Some(key) => {
                    Trace::Fleeting(Tag(hash(key, FLEETING, sighting.class.radio(), &sighting.device)))
                }
                None => return Ok(Err(NoFootprint::KeyGone)),
            },
            Ok(kind @ (Kind::Stable | Kind::Closed)) => match self.day_key(at, now)? {
                Some(key) => {
                    let pseudonym = Pseudonym(hash(key, STABLE, sighting.class.radio(), &sighting.device));
                    if matches!(kind, Kind::Stable) {
                        Trace::Stable(pseudonym)
                    } else {
                        Trace::Closed(pseudonym)
                    }
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

    /// Wipes every key whose time is over, by the venue's clock or by the steady one.
    pub fn forget(&mut self, now: &Now) -> Wiped {
        let days = self.days.len();
        self.days.retain(|day| is_alive(day, now));
        self.halves.retain(|half| !is_over(half.half, now));
        let halves = self.halves.len();
        self.halves.retain(|half| now.steady.0 - half.born.0 < HALF_KEY_LIFE_MS);
        Wiped { days: days - self.days.len(), stalled_halves: halves - self.halves.len() }
    }

    /// Makes the day's key if there is none, whether or not anybody is heard: when it was made tells nothing then.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn begin_day(&mut self, now: &Now) -> Result<(), KeyError> {
        self.day_key(now.at, now).map(|_| ())
    }

    /// How many keys of days were made since this was last asked.
    pub fn take_made(&mut self) -> usize {
        std::mem::take(&mut self.days_made)
    }

    /// Whether a day was given a second key since this was last asked: a device heard under both is two that day.
    pub fn take_made_again(&mut self) -> bool {
        std::mem::take(&mut self.made_again)
    }

    /// Wipes every key there is. Returns how many were of days.
    pub fn wipe_all(&mut self) -> usize {
        self.halves.clear();
        std::mem::take(&mut self.days).len()
    }

    fn kind_of(&self, class: AddressClass, rssi: i8, now: &Now) -> Result<Kind, NoFootprint> {
        if class.is_stable() {
            return match (now.open, rssi >= self.outside_floor_dbm) {
                (_, false) => Err(NoFootprint::Outside),
                (false, true) => Ok(Kind::Closed),
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
        self.days_made += 1;
        self.made_again |= self.made_for.replace(now.day) == Some(now.day);
        Ok(self.days.back().map(|day| &day.key))
    }

    fn half_key(&mut self, at: EpochMs, now: &Now) -> Result<Option<&Key>, KeyError> {
        let half = at.0.div_euclid(HALF_MS);
        if is_over(half, now) {
            return Ok(None);
        }
        if let Some(place) = self.halves.iter().position(|known| known.half == half) {
            return Ok(Some(&self.halves[place].key));
        }
        self.forget(now);
        if self.halves.len() == HALF_KEYS_MAX {
            self.halves.pop_front();
        }
        self.halves.push_back(HalfKey { half, born: now.steady, key: Key::random()? });
        Ok(self.halves.back().map(|half| &half.key))
    }
}

enum Kind {
    Stable,
    Closed,
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
