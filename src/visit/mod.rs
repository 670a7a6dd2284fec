#![doc = include_str!("README.md")]

mod near;
mod path;
mod route;
mod seal;
mod slot;
mod stay;
mod ways;

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasherDefault;

pub use route::{Route, STAYS_MAX};
use slot::{Reading, Slot};
use stay::Visit;
pub(crate) use stay::zones;
use ways::{Assumed, Ends, Move, Ways};

use crate::calibration::Mixing;
use crate::clock::EpochMs;
use crate::config::Venue;
use crate::pseudonym::{Footprint, Pseudonym, Trace, Uniform};

/// The length of a slot, ms.
pub(crate) const SLOT_MS: i64 = 10_000;
/// A slot is judged this long after its end, ms.
const SLOT_GRACE_MS: i64 = 10_000;
/// This much silence ends a visit, ms.
pub const SILENCE_MS: i64 = 15 * 60_000;
/// Visits that have fallen silent are looked for this often, ms; with silence, slot and grace it stays under the 17
/// minutes after which a window of visits closes.
const SWEEP_MS: i64 = 60_000;
/// An unbroken visit of this length is a till's, a television's or a badge's, and nobody's, ms.
const INFRASTRUCTURE_MS: i64 = 6 * 3_600_000;
/// The most devices of a day that are known to be no visitors'; one over it is taken for a visitor's.
const INFRASTRUCTURE_MAX: usize = 100_000;
/// The most visits open at once; a device over it is left out, and the log says so.
const OPEN_VISITS_MAX: usize = 1_000_000;

/// Where something is counted: the whole venue, or the zone at a place in the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The whole venue.
    Venue,
    /// A zone.
    Zone(u16),
}

/// A number that is the same for one device during one venue day and means nothing else; for sketches of distinct
/// devices.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Distinct(pub(crate) u64);

/// What a visit came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Never near.
    PasserBy,
    /// Near, but for less than a visitor.
    Bounce,
    /// Near long enough.
    Visitor,
    /// Near for long.
    Engaged,
}

/// Something to count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum VisitEvent {
    /// A visitor, five minutes near by then, was present from a moment to another.
    Present {
        /// Where.
        place: Place,
        /// For distinct counts.
        who: Distinct,
        /// From this moment.
        from: EpochMs,
        /// To this one.
        to: EpochMs,
    },
    /// A visit ended.
    Ended {
        /// Where.
        place: Place,
        /// For distinct counts.
        who: Distinct,
        /// Its first sighting.
        first: EpochMs,
        /// Its last sighting.
        last: EpochMs,
        /// What it came to.
        kind: Kind,
        /// How long it was, in whole minutes.
        dwell_minutes: u16,
    },
    /// A visit to the venue ended that had been near.
    Went {
        /// For distinct counts.
        who: Distinct,
        /// Its last sighting.
        last: EpochMs,
        /// Which way it went.
        route: Route,
    },
}

/// A venue day that is over, and how many of its devices were no visitors'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DayOver {
    /// When it began.
    pub day: EpochMs,
    /// How many, whenever and wherever they were.
    pub infrastructure: u64,
}

/// What became of a footprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It waits for its slot to be judged.
    Counted,
    /// Its slot was judged.
    Late,
    /// The slot is full.
    Full,
}

/// The visit lens of one venue.
pub struct Visits {
    rules: Rules,
    zones: usize,
    /// Which zone follows which, by all moves of the day, and half of the days before.
    ways: Ways,
    /// In which zones people are loudest, by the zone they are in.
    mixing: Mixing,
    /// Devices of the day that are no visitors', without time or zone.
    infrastructure: HashSet<Pseudonym, BuildHasherDefault<Uniform>>,
    /// The start of the venue day that the maps are of, once a slot of it was judged.
    day: Option<EpochMs>,
    /// The day before that, until it is asked for.
    over: Option<DayOver>,
    /// The number of the next slot to be judged, since 1970.
    next: Option<i64>,
    slots: VecDeque<Slot>,
    /// Each in a block of its own, which is wiped when the visit ends: a map leaves the bytes of what it removes.
    open: HashMap<Pseudonym, Box<Visit>, BuildHasherDefault<Uniform>>,
    swept: EpochMs,
    refused: u64,
}

/// Who hears of an event, and whose it is.
type Told<'a> = dyn FnMut(Pseudonym, VisitEvent) + 'a;

/// The thresholds of a venue, laid out by sensor.
struct Rules {
    zone_of: Vec<u16>,
    near_dbm_of: Vec<i8>,
    assumed: Assumed,
    visitor_ms: i64,
    engaged_ms: i64,
}

impl Visits {
    /// A lens that has heard nothing yet.
    #[must_use]
    pub fn new(venue: &Venue) -> Self {
        let near = |zone: usize| venue.zones[zone].near_dbm.unwrap_or(venue.thresholds.near_dbm);
        Self {
            rules: Rules {
                zone_of: venue.sensors.iter().map(|s| s.zone as u16).collect(),
                near_dbm_of: venue.sensors.iter().map(|s| near(s.zone)).collect(),
                assumed: Assumed::of(&venue.zones.iter().map(|zone| zone.is_entrance).collect::<Vec<_>>()),
                visitor_ms: i64::from(venue.thresholds.visitor_secs) * 1000,
                engaged_ms: i64::from(venue.thresholds.engaged_secs) * 1000,
            },
            zones: venue.zones.len(),
            ways: Ways::new(venue.zones.len()),
            mixing: Mixing::new(venue.zones.len()),
            infrastructure: HashSet::default(),
            day: None,
            over: None,
            next: None,
            slots: VecDeque::new(),
            open: HashMap::default(),
            swept: EpochMs(i64::MIN),
            refused: 0,
        }
    }

    /// Takes a stable footprint; others are passed over.
    pub fn hear(&mut self, footprint: &Footprint) -> Heard {
        let Trace::Stable(pseudonym) = footprint.trace else { return Heard::Counted };
        let number = footprint.at.0.div_euclid(SLOT_MS);
        let next = *self.next.get_or_insert(number);
        let Ok(place) = usize::try_from(number - next) else { return Heard::Late };
        while self.slots.len() <= place {
            self.slots.push_back(Slot::default());
        }
        let offset_ms = footprint.at.0.rem_euclid(SLOT_MS) as u16;
        let reading = Reading { sensor: footprint.sensor, offset_ms, rssi: footprint.rssi };
        if self.slots[place].push(pseudonym, reading) { Heard::Counted } else { Heard::Full }
    }

    /// Takes a stable device that is there in closed hours: it is no visitor's for the rest of the day. Nothing else is
    /// kept of it, neither when nor where. One whose visit is not over is on its way out, and is a visitor's.
    pub fn hear_closed(&mut self, pseudonym: Pseudonym) {
        if !self.open.contains_key(&pseudonym) && self.infrastructure.len() < INFRASTRUCTURE_MAX {
            self.infrastructure.insert(pseudonym);
        }
    }

    /// How many devices of the day are known to be no visitors'.
    #[must_use]
    pub fn infrastructure(&self) -> usize {
        self.infrastructure.len()
    }

    /// The day that was over since this was last asked.
    pub fn take_over(&mut self) -> Option<DayOver> {
        self.over.take()
    }

    /// Judges every slot whose time has come by the venue's clock, ends the visits that are over, and returns what
    /// there is to count.
    pub fn judge(&mut self, now: EpochMs, venue: &Venue) -> Vec<VisitEvent> {
        let mut events = Vec::new();
        self.judge_each(now, venue, &mut |_, event| events.push(event));
        events
    }

    /// The same, with whose event it is: for this room alone, and for the test that knows the truth.
    pub(crate) fn judge_each(&mut self, now: EpochMs, venue: &Venue, told: &mut Told<'_>) {
        let last = (now.0 - SLOT_GRACE_MS).div_euclid(SLOT_MS) - 1;
        let mut next = *self.next.get_or_insert(now.0.div_euclid(SLOT_MS));
        while next <= last {
            let Some(slot) = self.slots.pop_front() else {
                next = last + 1;
                break;
            };
            let start = EpochMs(next * SLOT_MS);
            next += 1;
            // A visit of the day before ends before the new day's first slot is judged.
            self.sweep(start, venue, told);
            self.judge_slot(slot, start, told);
        }
        self.next = Some(next);
        self.sweep(EpochMs(next * SLOT_MS), venue, told);
    }

    /// Forgets a device: its open visit, and all that waits to be judged. What was counted of it before stays in windows
    /// that had begun, as one of at least k, and among the counted moves.
    pub fn forget(&mut self, pseudonym: Pseudonym) {
        self.open.remove(&pseudonym);
        self.infrastructure.remove(&pseudonym);
        self.slots.iter_mut().for_each(|slot| slot.forget(pseudonym));
    }

    /// How many visits are open.
    #[must_use]
    pub fn open_visits(&self) -> usize {
        self.open.len()
    }

    /// How many times a device was left out since the last time of asking, for too many visits were open.
    pub fn take_refused(&mut self) -> u64 {
        std::mem::take(&mut self.refused)
    }

    /// In which zones people are loudest, by the zone they are in, as far as it is settled.
    #[must_use]
    pub fn mixing(&self) -> &Mixing {
        &self.mixing
    }

    fn judge_slot(&mut self, slot: Slot, start: EpochMs, told: &mut Told<'_>) {
        let mut events = Vec::new();
        let mut moves = Vec::new();
        slot.for_each_device(|pseudonym, readings| {
            if self.infrastructure.contains(&pseudonym) {
                return;
            }
            if self.open.len() >= OPEN_VISITS_MAX && !self.open.contains_key(&pseudonym) {
                self.refused += 1;
                return;
            }
            let visit =
                self.open.entry(pseudonym).or_insert_with(|| Box::new(Visit::begins(start, readings)));
            let known = (&self.rules, &self.ways, &mut moves);
            visit.take(known, Distinct(pseudonym.0), start, readings, &mut events);
            if visit.length_ms() >= INFRASTRUCTURE_MS && self.infrastructure.len() < INFRASTRUCTURE_MAX {
                // Nobody visits for so long; what windows still open have counted of it stays, and its visit is none.
                self.open.remove(&pseudonym);
                self.infrastructure.insert(pseudonym);
                events.clear();
            }
            events.drain(..).for_each(|event| told(pseudonym, event));
        });
        self.learn(moves);
    }

    /// Counts settled moves.
    fn learn(&mut self, moves: Vec<Move>) {
        for moved in moves {
            for (loudest, slots) in moved.loudest.into_iter().filter(|(_, slots)| *slots > 0) {
                self.mixing.hear(moved.from, loudest, slots);
            }
            self.ways.learn(moved);
        }
    }

    /// Ends visits that were silent for too long by `horizon`, and those of an earlier venue day.
    fn sweep(&mut self, horizon: EpochMs, venue: &Venue, told: &mut Told<'_>) {
        if horizon.0.div_euclid(SWEEP_MS) == self.swept.0.div_euclid(SWEEP_MS) {
            return;
        }
        self.swept = horizon;
        let day_start = venue.calendar.day_of(horizon).window.from;
        let before = self.day.replace(day_start).filter(|day| *day != day_start);
        let is_new_day = before.is_some();
        if let Some(day) = before {
            self.over = Some(DayOver { day, infrastructure: self.infrastructure.len() as u64 });
            self.ways.fade();
            self.mixing.fade();
            self.infrastructure = HashSet::default();
        }
        let (rules, ways) = (&self.rules, &self.ways);
        let (mut events, mut moves, mut ends) = (Vec::new(), Vec::new(), Vec::<Ends>::new());
        self.open.retain(|pseudonym, visit| {
            let over = visit.is_over(horizon, day_start);
            if over {
                ends.extend(visit.end((rules, ways), Distinct(pseudonym.0), &mut events));
            } else {
                visit.settle(rules, Distinct(pseudonym.0), horizon, &mut moves, &mut events);
            }
            events.drain(..).for_each(|event| told(*pseudonym, event));
            !over
        });
        self.learn(moves);
        ends.into_iter().for_each(|ends| self.ways.learn_ends(ends));
        if is_new_day {
            // No visit spans two days. The pseudonyms of the old one are gone from the map, and here from its memory.
            self.open = std::mem::take(&mut self.open).into_iter().collect();
        }
    }
}

#[cfg(test)]
mod score_tests;
#[cfg(test)]
mod tests;
