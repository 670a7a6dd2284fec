#![doc = include_str!("README.md")]

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use passant_wire::Id;

use crate::clock::EpochMs;
use crate::config::Venue;
use crate::sighting::Walker;
use crate::visit::{SLOT_MS, zones};

/// How long a strength stays on the board, ms.
pub const KEPT_MS: i64 = 10 * 60_000;
/// How long an address is heard in one venue day, from when it was first heard, ms.
pub const CARRIED_MS_MAX: i64 = 60 * 60_000;
/// A sensor hears it just now if it heard it no longer ago than this, ms.
pub const NOW_MS: i64 = 20_000;
/// The most strengths that are kept of one address in one slot; what is over them is left out.
const READINGS_MAX: usize = 512;

/// The board of one venue. Clones are of the same board.
#[derive(Clone)]
pub struct Board {
    venue: Arc<Venue>,
    zone_of: Arc<[u16]>,
    walks: Arc<Mutex<Walks>>,
}

/// Where the walkers of a venue are, at a moment of the venue's clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walk {
    /// The venue's clock; `None` while no time has passed.
    pub at: Option<EpochMs>,
    /// Everybody who was heard in the last ten minutes, or may not be heard again today, by their numbers.
    pub walkers: Vec<Walking>,
}

/// Where one walker was.
#[derive(Clone, Debug, PartialEq)]
pub struct Walking {
    /// The walker's number, 1 to 8.
    pub number: u8,
    /// The hour of the day is over: it is not heard until the next venue day.
    pub is_spent: bool,
    /// Who heard it, the loudest just now first, then whoever heard it last.
    pub sensors: Vec<HeardBy>,
    /// Where it was, by slots of ten seconds, oldest first; slots in which nobody heard it are left out.
    pub trace: Vec<Slot>,
}

/// What one sensor heard of a walker.
#[derive(Clone, Debug, PartialEq)]
pub struct HeardBy {
    /// The sensor.
    pub sensor: Id,
    /// Its zone.
    pub zone: Id,
    /// The last strength, dBm, with the sensor's offset.
    pub last_dbm: i8,
    /// The strongest of the last ten minutes, dBm.
    pub strongest_dbm: i8,
    /// When it was last heard.
    pub last_at: EpochMs,
    /// No longer ago than [`NOW_MS`].
    pub is_now: bool,
}

/// Ten seconds of a walker's way.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Its beginning.
    pub from: EpochMs,
    /// The zone that the visit lens would hear it loudest in.
    pub zone: Id,
    /// How loud that was, dBm: the loudest sensor's median.
    pub dbm: f32,
    /// Whether it was near by any sensor.
    pub is_near: bool,
}

#[derive(Default)]
struct Walks {
    /// When the venue day began.
    day: Option<EpochMs>,
    at: Option<EpochMs>,
    /// There are no more walkers than their addresses.
    carried: BTreeMap<Walker, Carried>,
    /// Those that were heard for the first time in the day and that nobody has been told of.
    begun: Vec<Walker>,
}

/// One address in one day.
struct Carried {
    since: EpochMs,
    /// The number of each slot since 1970, and what was heard in it.
    slots: VecDeque<(i64, Vec<Reading>)>,
}

#[derive(Clone, Copy)]
struct Reading {
    at: EpochMs,
    sensor: u16,
    dbm: i8,
}

impl Board {
    /// An empty board.
    #[must_use]
    pub fn new(venue: Arc<Venue>) -> Self {
        let zone_of = venue.sensors.iter().map(|sensor| sensor.zone as u16).collect();
        Self { venue, zone_of, walks: Arc::default() }
    }

    /// Takes what a sensor heard of a walker: its place in the venue, and the strength as it said it.
    pub fn hear(&self, walker: Walker, sensor: u16, rssi: i8, at: EpochMs) {
        let Some(known) = self.venue.sensors.get(usize::from(sensor)) else { return };
        let mut walks = self.walks();
        // What was heard yesterday ended with yesterday.
        if walks.day.is_none_or(|day| at < day) {
            return;
        }
        if !walks.carried.contains_key(&walker) {
            walks.begun.push(walker);
        }
        let begins = || Carried { since: at, slots: VecDeque::new() };
        let carried = walks.carried.entry(walker).or_insert_with(begins);
        if at.since(carried.since) < CARRIED_MS_MAX {
            carried.hear(Reading { at, sensor, dbm: rssi.saturating_add(known.rssi_offset_db) });
        }
    }

    /// Lets time pass: what is older than ten minutes goes, and everything with the venue day, which is told by its
    /// beginning.
    pub fn pass(&self, at: EpochMs, day: EpochMs) {
        let mut walks = self.walks();
        if walks.day != Some(day) {
            *walks = Walks { day: Some(day), ..Walks::default() };
        }
        walks.at = Some(at);
        let oldest = at.0.saturating_sub(KEPT_MS).div_euclid(SLOT_MS);
        for carried in walks.carried.values_mut() {
            carried.slots.retain(|(number, _)| *number >= oldest);
        }
    }

    /// Forgets everything.
    pub fn wipe(&self) {
        *self.walks() = Walks::default();
    }

    /// Those that were heard for the first time in the day since this was last asked.
    #[must_use]
    pub fn take_begun(&self) -> Vec<Walker> {
        std::mem::take(&mut self.walks().begun)
    }

    /// Where everybody is who walks.
    #[must_use]
    pub fn look(&self) -> Walk {
        let walks = self.walks();
        let Some(at) = walks.at else { return Walk::default() };
        let walking = |(walker, carried): (&Walker, &Carried)| Walking {
            number: walker.number(),
            is_spent: at.since(carried.since) >= CARRIED_MS_MAX,
            sensors: self.sensors(carried, at),
            trace: carried
                .slots
                .iter()
                .filter_map(|(number, readings)| self.slot(*number, readings))
                .collect(),
        };
        let walkers = walks.carried.iter().map(walking);
        Walk { at: Some(at), walkers: walkers.filter(|w| w.is_spent || !w.trace.is_empty()).collect() }
    }

    fn sensors(&self, carried: &Carried, at: EpochMs) -> Vec<HeardBy> {
        let mut heard: BTreeMap<u16, (Reading, i8)> = BTreeMap::new();
        for reading in carried.slots.iter().flat_map(|(_, readings)| readings) {
            let (last, strongest) = heard.entry(reading.sensor).or_insert((*reading, reading.dbm));
            *strongest = (*strongest).max(reading.dbm);
            if reading.at >= last.at {
                *last = *reading;
            }
        }
        let mut sensors: Vec<HeardBy> = heard
            .into_values()
            .map(|(last, strongest_dbm)| {
                let sensor = &self.venue.sensors[usize::from(last.sensor)];
                HeardBy {
                    sensor: sensor.id.clone(),
                    zone: self.venue.zones[sensor.zone].id.clone(),
                    last_dbm: last.dbm,
                    strongest_dbm,
                    last_at: last.at,
                    is_now: at.since(last.at) <= NOW_MS,
                }
            })
            .collect();
        let loud = |heard: &HeardBy| if heard.is_now { heard.last_dbm } else { i8::MIN };
        sensors.sort_by_key(|heard| (!heard.is_now, -i16::from(loud(heard)), -heard.last_at.0));
        sensors
    }

    fn slot(&self, number: i64, readings: &[Reading]) -> Option<Slot> {
        let loud = zones(&self.zone_of, readings.iter().map(|r| (r.sensor, r.dbm)));
        let (zone, dbm) = loud.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
        let near_dbm = |sensor: u16| {
            let zone = &self.venue.zones[usize::from(self.zone_of[usize::from(sensor)])];
            zone.near_dbm.unwrap_or(self.venue.thresholds.near_dbm)
        };
        Some(Slot {
            from: EpochMs(number * SLOT_MS),
            zone: self.venue.zones[usize::from(zone)].id.clone(),
            dbm,
            is_near: readings.iter().any(|r| r.dbm >= near_dbm(r.sensor)),
        })
    }

    fn walks(&self) -> MutexGuard<'_, Walks> {
        self.walks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Carried {
    fn hear(&mut self, reading: Reading) {
        let number = reading.at.0.div_euclid(SLOT_MS);
        let place = self.slots.partition_point(|(known, _)| *known < number);
        if self.slots.get(place).is_none_or(|(known, _)| *known != number) {
            self.slots.insert(place, (number, Vec::new()));
        }
        let readings = &mut self.slots[place].1;
        if readings.len() < READINGS_MAX {
            readings.push(reading);
        }
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Board")
    }
}

#[cfg(test)]
mod tests;
