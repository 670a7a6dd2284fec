//! The front door and what lies behind it, driven by hand: no thread, no channel, no clock of its own.

mod resume;

use std::collections::BTreeMap;
use std::sync::Arc;

use passant_wire::Id;
use tokio::sync::watch;

use super::journal::Journal;
use super::lenses::{Lenses, Moment, Passed};
use super::venue_clock::{Reading, VenueClock};
use crate::calibration::{Kept, Summary};
use crate::clock::{EpochMs, HALF_MS, SteadyMs};
use crate::config::{ClockKind, Venue};
use crate::ledger::Event;
use crate::memory;
use crate::optout::Gate;
use crate::pseudonym::KeyError;
use crate::release::{self, Figure, Judge, Live, Made, Sheet};
use crate::sighting::{Arrival, HeadCount, Probe, SensorReport, SensorStatus, Verdict};
use crate::telemetry::{Outcome, Tally};
use crate::walk::Board;

/// Time is let pass once for each of these, ms; finer would only cost.
const PULSE_MS: i64 = 1_000;
/// Keys are looked at this often though the venue's clock stands still, ms of the steady clock.
const WIPE_MS: i64 = 5_000;
/// Live figures are told once for each half-minute, this long after its end, when it has closed, ms: whatever arrives
/// between moves neither when they are told nor of which moment.
const LIVE_AFTER_MS: i64 = 10_000;
/// A newest half-minute older than this is no longer now, ms.
const LIVE_AGE_MS_MAX: i64 = 70_000;

/// What a venue needs to begin.
pub struct Room {
    /// The venue.
    pub venue: Arc<Venue>,
    /// The version of its thresholds.
    pub thresholds: u32,
    /// The calibration that an earlier run left.
    pub calibration: Option<Kept>,
    /// What earlier runs left.
    pub earlier: Earlier,
    /// Where live figures are told.
    pub live: watch::Sender<Option<Arc<Live>>>,
}

/// What earlier runs left.
#[derive(Default)]
pub struct Earlier {
    /// The end of the newest figure that was published.
    pub published: Option<EpochMs>,
    /// Until when somebody may have been heard under a key that is lost, by the machine's clock.
    pub heard_until: Option<EpochMs>,
    /// Which share of people the stable devices were on days before, by the days' starts, in percent, as published.
    pub stable_shares: Vec<(EpochMs, u32)>,
    /// The journal, where a vault is configured.
    pub journal: Option<Journal>,
}

/// Something for the store, or for the ledger.
#[derive(Clone, Debug)]
pub enum Write {
    /// Figures of closed windows.
    Figures(Vec<Figure>),
    /// Sheets of closed windows.
    Sheets(Vec<Sheet>),
    /// A calibration came into force.
    Calibration {
        /// The venue.
        venue: Id,
        /// The calibration with its sums.
        summary: Summary,
        /// When, by the venue's clock.
        made_at: EpochMs,
    },
    /// A key came or went.
    Ledger {
        /// When, by the machine's clock.
        at: EpochMs,
        /// What happened.
        event: Event,
    },
}

/// Everything between the intake and the store.
pub struct Corridor {
    gate: Gate,
    /// In the order of the configuration; one that was destroyed leaves its place empty.
    floors: Vec<Option<Floor>>,
    tally: Tally,
}

struct Floor {
    clock: VenueClock,
    pulse: i64,
    /// When keys were last looked at while the venue's clock stood still.
    wiped: SteadyMs,
    lenses: Lenses,
    judge: Judge,
    live: watch::Sender<Option<Arc<Live>>>,
    /// The half-minute, by its number since 1970, at whose close live figures were told last.
    told: Option<i64>,
    waiting_counts: Vec<HeadCount>,
    journal: Option<Journal>,
    /// The end of the newest figure that was handed out.
    published: Option<EpochMs>,
    /// What the ledger is told when time first passes.
    news: Vec<Event>,
}

impl Corridor {
    /// A corridor for some venues, in the order of the configuration.
    #[must_use]
    pub fn new(gate: Gate, rooms: Vec<Room>, tally: Tally) -> Self {
        for room in rooms.iter().filter(|room| room.venue.clock == ClockKind::Wall) {
            tally.hush(room.venue.id.as_str(), true);
        }
        let floors = rooms.into_iter().map(|room| Some(Floor::new(room, &tally))).collect();
        let mut corridor = Self { gate, floors, tally };
        corridor.tell_chance();
        corridor
    }

    /// Tells which share of devices the gate drops by chance: the crowd lens makes up for it before it takes a root, the
    /// judge when it tells a count.
    fn tell_chance(&mut self) {
        let share = self.gate.chance_share();
        for floor in self.floors.iter_mut().flatten() {
            floor.lenses.set_chance_share(share);
            floor.judge.set_chance_share(share);
        }
    }

    /// Where walks are told, venue by venue; read while the corridor is at work.
    #[must_use]
    pub fn walks(&self) -> BTreeMap<Id, Board> {
        let board = |floor: &Floor| (floor.lenses.venue().id.clone(), floor.lenses.walk().clone());
        self.floors.iter().flatten().map(board).collect()
    }

    /// Takes one piece of news in.
    ///
    /// # Errors
    /// When no key could be made; what was being hashed is lost, and nothing can go on.
    pub fn take(&mut self, arrival: Arrival, reading: Reading, out: &mut Vec<Write>) -> Result<(), KeyError> {
        match arrival {
            Arrival::Report(report) => self.report(report, reading, out),
            Arrival::Status(status) => self.status(status, reading, out),
            Arrival::OptedOut { device, mark } => {
                self.gate.object(mark);
                self.floors.iter_mut().flatten().for_each(|floor| floor.lenses.forget(&device));
                self.tell_chance();
                Ok(())
            }
            Arrival::Restored(mark) => {
                self.gate.object(mark);
                self.tell_chance();
                Ok(())
            }
            Arrival::Withdrawn(mark) => {
                self.gate.withdraw(mark);
                self.tell_chance();
                Ok(())
            }
            Arrival::Destroyed { venue } => {
                if let Some(mut floor) = self.floors.get_mut(usize::from(venue)).and_then(Option::take) {
                    let wiped = floor.lenses.wipe_all();
                    floor.wipe_journal();
                    floor.tell_wiped(wiped, reading, out);
                    floor.live.send_replace(None);
                }
                Ok(())
            }
            Arrival::Probe(Probe { sighting, verdict }) => {
                // A footprint can be made of what this gate admits and of nothing else, so its verdict on a probe is the
                // one that a phone gets. What it admits ends here: no keyring is handed it.
                let is_admitted = self.gate.admit(sighting).is_some();
                let _ = verdict.send(if is_admitted { Verdict::Passed } else { Verdict::Dropped });
                Ok(())
            }
            Arrival::HeadCount(count) => {
                if let Some(Some(floor)) = self.floors.get_mut(usize::from(count.venue)) {
                    floor.head_count(count, out);
                }
                Ok(())
            }
        }
    }

    /// Lets time pass in every venue.
    ///
    /// # Errors
    /// When the key of a new day could not be made.
    pub fn tick(&mut self, reading: Reading, out: &mut Vec<Write>) -> Result<(), KeyError> {
        for floor in self.floors.iter_mut().flatten() {
            floor.clock.tick(reading);
            floor.pass(reading, &self.tally, out)?;
        }
        Ok(())
    }

    /// Wipes every key, for nothing is taken in any more. Those that were just put in the vault live on there.
    pub fn end(&mut self, reading: Reading, out: &mut Vec<Write>) {
        for floor in self.floors.iter_mut().flatten() {
            let wiped = floor.lenses.wipe_all();
            if !floor.is_kept(reading) {
                floor.wipe_journal();
                floor.tell_wiped(wiped, reading, out);
            }
        }
    }

    fn report(
        &mut self,
        report: SensorReport,
        reading: Reading,
        out: &mut Vec<Write>,
    ) -> Result<(), KeyError> {
        let Some(Some(floor)) = self.floors.get_mut(usize::from(report.from.venue)) else {
            let all = report.sightings.len() as u64 + report.refused.total();
            self.tally.sightings(Outcome::Refused("destroyed"), all);
            return Ok(());
        };
        floor.clock.tick(reading);
        floor.clock.hear(report.header.at);
        floor.pass(reading, &self.tally, out)?;
        let Some(at) = floor.clock.at() else {
            let all = report.sightings.len() as u64 + report.refused.total();
            self.tally.sightings_of(floor.lenses.venue().id.as_str(), Outcome::Refused("no_time"), all);
            return Ok(());
        };
        floor.lenses.report(&self.gate, report, Moment { at, steady: reading.steady })
    }

    fn status(
        &mut self,
        status: SensorStatus,
        reading: Reading,
        out: &mut Vec<Write>,
    ) -> Result<(), KeyError> {
        let Some(Some(floor)) = self.floors.get_mut(usize::from(status.from.venue)) else { return Ok(()) };
        floor.clock.tick(reading);
        // What was retained may be of any day.
        floor.clock.hear(status.at.filter(|_| !status.retained));
        floor.pass(reading, &self.tally, out)?;
        if let Some(at) = floor.clock.at() {
            floor.lenses.status(&status, Moment { at, steady: reading.steady });
        }
        Ok(())
    }
}

impl Floor {
    fn new(room: Room, tally: &Tally) -> Self {
        let Room { venue, thresholds, calibration, earlier, live } = room;
        let (published, shares) = (earlier.published, earlier.stable_shares.clone());
        let judge = || {
            let mut judge = Judge::new(venue.clone(), thresholds, published);
            judge.usual(shares.iter().copied());
            judge
        };
        let anew = || Self {
            clock: VenueClock::new(venue.clock),
            pulse: i64::MIN,
            wiped: SteadyMs::default(),
            lenses: Lenses::new(venue.clone(), calibration.clone(), tally.clone()),
            judge: judge(),
            live: live.clone(),
            told: None,
            waiting_counts: Vec::new(),
            journal: None,
            published,
            news: Vec::new(),
        };
        let mut floor = anew();
        floor.take_up(earlier, anew);
        floor
    }

    fn pass(&mut self, reading: Reading, tally: &Tally, out: &mut Vec<Write>) -> Result<(), KeyError> {
        let Some(at) = self.clock.at() else { return Ok(()) };
        let pulse = at.0.div_euclid(PULSE_MS);
        if pulse == self.pulse {
            if reading.steady.0 - self.wiped.0 >= WIPE_MS {
                self.wiped = reading.steady;
                let wiped = self.lenses.wipe(Moment { at, steady: reading.steady });
                self.tell_wiped(wiped, reading, out);
            }
            return Ok(());
        }
        self.pulse = pulse;
        self.wiped = reading.steady;
        // What goes out lies where devices were handled before, and a value takes along what it does not write over.
        memory::wipe_stack();
        self.beat(at, reading, tally, out)
    }

    /// Lets what is due close.
    #[inline(never)]
    fn beat(
        &mut self,
        at: EpochMs,
        reading: Reading,
        tally: &Tally,
        out: &mut Vec<Write>,
    ) -> Result<(), KeyError> {
        if self.judge.begins(at) {
            self.lenses.resume(at);
        }
        for count in std::mem::take(&mut self.waiting_counts) {
            self.head_count(count, out);
        }
        let Passed { halves, closed, moves, keys_wiped, calibrated } =
            self.lenses.advance(Moment { at, steady: reading.steady });
        memory::wipe_stack();
        self.tell_wiped(keys_wiped, reading, out);
        for event in std::mem::take(&mut self.news) {
            out.push(Write::Ledger { at: reading.wall, event });
        }
        for walker in self.lenses.walk().take_begun() {
            let venue = self.lenses.venue().id.clone();
            let event = Event::Walked { venue, walker: walker.number() };
            out.push(Write::Ledger { at: reading.wall, event });
        }
        let begun = self.lenses.begin_day(Moment { at, steady: reading.steady });
        if self.lenses.take_made_again() {
            self.judge.rekeyed(at);
        }
        let made = self.lenses.take_keys_made();
        self.write_down(made, |venue| Event::KeyMade { venue }, reading, out);
        if calibrated {
            self.calibrated(at, out);
        }
        halves.iter().for_each(|half| self.judge.hear(half));
        let figures: Vec<Figure> = closed.into_iter().flat_map(|window| self.judge.judge(window)).collect();
        if !figures.is_empty() {
            let shown = figures.iter().filter(|figure| figure.value().is_some()).count();
            tally.figures(shown as u64, (figures.len() - shown) as u64);
            self.published = self.published.max(figures.iter().map(|figure| figure.window().to).max());
            out.push(Write::Figures(figures));
        }
        let sheets: Vec<Sheet> = moves.iter().flat_map(|window| self.judge.tables(window)).collect();
        if !sheets.is_empty() {
            out.push(Write::Sheets(sheets));
        }
        let half = (at.0 - LIVE_AFTER_MS).div_euclid(HALF_MS);
        if self.told != Some(half) {
            self.told = Some(half);
            // In a replay nobody is watched, and whoever waits for its end asks how far it has come.
            let told_at = EpochMs(half * HALF_MS + LIVE_AFTER_MS);
            self.tell(if self.lenses.venue().clock == ClockKind::Wall { told_at } else { at }, tally);
        }
        begun
    }

    /// Tells what may be said of the newest half-minute.
    fn tell(&mut self, at: EpochMs, tally: &Tally) {
        let made = self.made();
        let venue = self.lenses.venue().clone();
        let newest = self.lenses.newest().filter(|newest| at.since(newest.end) <= LIVE_AGE_MS_MAX);
        let is_quiet = self.judge.see(newest);
        tally.hush(venue.id.as_str(), is_quiet);
        let roster = self.lenses.roster();
        let sensors = if is_quiet {
            release::quiet_sensors(&venue, roster, self.live.borrow().as_deref(), at)
        } else {
            release::sensors(&venue, roster, tally, at)
        };
        let live = self.judge.live(at, newest, made, sensors);
        self.live.send_replace(Some(Arc::new(live)));
    }

    fn head_count(&mut self, count: HeadCount, out: &mut Vec<Write>) {
        let Some(at) = self.clock.at() else {
            // The office bounds how many counts a venue has, and so how many can wait here.
            self.waiting_counts.retain(|waiting| waiting.row != count.row);
            self.waiting_counts.extend(count.people.map(|_| count));
            return;
        };
        if self.lenses.head_count(&count, at) {
            self.calibrated(at, out);
        }
    }

    fn calibrated(&self, made_at: EpochMs, out: &mut Vec<Write>) {
        let summary = self.lenses.calibrator().summary();
        out.push(Write::Calibration { venue: self.lenses.venue().id.clone(), summary, made_at });
    }

    fn tell_wiped(&self, keys: usize, reading: Reading, out: &mut Vec<Write>) {
        if keys > 0 {
            tracing::info!(venue = %self.lenses.venue().id, "the key of a venue day was wiped");
        }
        self.write_down(keys, |venue| Event::KeyWiped { venue }, reading, out);
    }

    /// A line of the ledger for each of some keys.
    fn write_down(&self, keys: usize, event: impl Fn(Id) -> Event, reading: Reading, out: &mut Vec<Write>) {
        let line = || Write::Ledger { at: reading.wall, event: event(self.lenses.venue().id.clone()) };
        out.extend(std::iter::repeat_with(line).take(keys));
    }

    fn made(&self) -> Made {
        let current = self.lenses.calibrator().current();
        Made { calibration: current.version, calibrated: current.is_calibrated() }
    }
}
