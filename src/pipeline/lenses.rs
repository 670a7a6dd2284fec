//! One venue, from the gate to closed windows: every stage in order, batch by batch, owned by one thread.

mod seal;

use std::sync::Arc;

use super::opening::Opening;
use crate::aggregate::{Aggregate, Closed, Moves, Newest, ZoneWindow};
use crate::calibration::{Calibrator, Count, Kept};
use crate::clock::{Day, EpochMs, SteadyMs};
use crate::config::Venue;
use crate::crowd::{self, Crowd};
use crate::optout::Gate;
use crate::pseudonym::{Footprint, KeyError, Keyring, NoFootprint, Now, Trace};
use crate::roster::{Freshness, Roster};
use crate::sighting::{DeviceId, HeadCount, ItemRefusal, SensorReport, SensorStatus, Sighting};
use crate::telemetry::{Outcome, Tally};
use crate::visit::{self, Visits};
use crate::walk::Board;

/// Sightings older than this are refused, ms.
const BEHIND_MS: i64 = passant_wire::LIFE_SECS as i64 * 1000;
/// Sightings further ahead than this are refused, ms.
const AHEAD_MS: i64 = passant_wire::AHEAD_SECS as i64 * 1000;

/// The venue's clock and the machine's steady one, read together.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The venue's clock.
    pub at: EpochMs,
    /// The steady clock, by which keys age.
    pub steady: SteadyMs,
}

/// What became of time passing.
#[derive(Debug, Default)]
pub struct Passed {
    /// The half-minutes that closed, in order of time; some of them lie in windows that closed.
    pub halves: Vec<Newest>,
    /// The windows that closed.
    pub closed: Vec<Closed>,
    /// The tables that closed with them.
    pub moves: Vec<ZoneWindow<Moves>>,
    /// Keys of days that were wiped.
    pub keys_wiped: usize,
    /// Whether a head count acted.
    pub calibrated: bool,
}

/// The stages of one venue.
pub struct Lenses {
    venue: Arc<Venue>,
    keyring: Keyring,
    roster: Roster,
    crowd: Crowd,
    visits: Visits,
    calibrator: Calibrator,
    aggregate: Aggregate,
    day: Day,
    opening: Opening,
    /// Until then visits wait to be judged, for what the broker kept during a restart is on its way.
    caught_up_at: EpochMs,
    walk: Board,
    tally: Tally,
}

impl Lenses {
    /// The stages of a venue, with the calibration that an earlier run left.
    #[must_use]
    pub fn new(venue: Arc<Venue>, calibration: Option<Kept>, tally: Tally) -> Self {
        Self {
            keyring: Keyring::new(&venue),
            roster: Roster::new(&venue),
            crowd: Crowd::new(&venue),
            visits: Visits::new(&venue),
            calibrator: Calibrator::resume(calibration),
            aggregate: Aggregate::new(&venue),
            day: venue.calendar.day_of(EpochMs(0)),
            opening: Opening::default(),
            caught_up_at: EpochMs(i64::MIN),
            walk: Board::new(venue.clone()),
            tally,
            venue,
        }
    }

    /// The venue.
    #[must_use]
    pub fn venue(&self) -> &Arc<Venue> {
        &self.venue
    }

    /// Its sensors.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Its newest half-minute.
    #[must_use]
    pub fn newest(&self) -> Option<&Newest> {
        self.aggregate.newest()
    }

    /// Its calibration.
    #[must_use]
    pub fn calibrator(&self) -> &Calibrator {
        &self.calibrator
    }

    /// Where a device that is nobody's was heard.
    #[must_use]
    pub fn walk(&self) -> &Board {
        &self.walk
    }

    /// The share of devices that the gate drops by chance, 0 to 1, for the crowd lens to make up for.
    pub fn set_chance_share(&mut self, share: f64) {
        self.crowd.set_chance_share(share);
    }

    /// Takes a message of sightings through every stage; the raw devices end here.
    ///
    /// # Errors
    /// When no key could be made: nothing was hashed, and the rest of the message is lost.
    pub fn report(&mut self, gate: &Gate, report: SensorReport, moment: Moment) -> Result<(), KeyError> {
        let SensorReport { from, header, sightings, refused } = report;
        let sensor = from.sensor;
        let all = sightings.len() as u64 + refused.total();
        if self.roster.report(sensor, &header, moment.at) == Freshness::Repeat {
            self.tally.sightings_of(self.venue.id.as_str(), Outcome::Duplicate, all);
            return Ok(());
        }
        for reason in ItemRefusal::ALL {
            self.tally.sightings_of(
                self.venue.id.as_str(),
                Outcome::Refused(reason.as_str()),
                refused.of(reason),
            );
        }
        let now = self.now(moment);
        let message_at = header.at.unwrap_or(moment.at);
        let heard = sightings.len() as u64;
        // Made anew each time: room that is kept for the next message would keep the pseudonyms of this one.
        let mut footprints = Vec::with_capacity(sightings.len());
        // A message meets few reasons; they are told once for all of it.
        let mut refusals: Vec<(&'static str, u64)> = Vec::new();
        for sighting in sightings {
            let at = sighting.at.unwrap_or(message_at);
            match self.impress(gate, sighting, sensor, at, &now)? {
                Ok(footprint) => footprints.push(footprint),
                Err(reason) => match refusals.iter_mut().find(|(known, _)| *known == reason) {
                    Some((_, count)) => *count += 1,
                    None => refusals.push((reason, 1)),
                },
            }
        }
        for (reason, count) in refusals {
            self.refuse(sensor, reason, count);
        }
        let counted = self.hear(sensor, &footprints);
        self.tally.sightings_of(self.venue.id.as_str(), Outcome::Counted, counted);
        self.roster.counted(sensor, heard, &refused, moment.at);
        Ok(())
    }

    /// Takes a sensor's word about itself.
    pub fn status(&mut self, status: &SensorStatus, moment: Moment) {
        self.roster.status(status, moment.at);
    }

    /// Takes a head count, or takes one back. Returns whether the calibration changed.
    pub fn head_count(&mut self, count: &HeadCount, now: EpochMs) -> bool {
        // A corrected row replaces what it said before.
        let withdrawn = self.calibrator.withdraw(count.row);
        let Some(people) = count.people else { return withdrawn };
        let known = count.root_mean_centi.map(|centi| f64::from(centi) / 100.0);
        let HeadCount { row, zone, from, to, .. } = *count;
        self.calibrator.enter(Count { row, zone, from, to, people }, known, now) || withdrawn
    }

    /// Forgets the open visit of a device whose owner objected.
    pub fn forget(&mut self, device: &DeviceId) {
        for pseudonym in self.keyring.pseudonyms_of(device) {
            self.visits.forget(pseudonym);
        }
    }

    /// Lets time pass: closes half-minutes, slots, visits and windows, and wipes keys.
    pub fn advance(&mut self, moment: Moment) -> Passed {
        let calibration = self.calibrator.current().version;
        let day = self.now(moment).day;
        self.walk.pass(moment.at, day.from);
        let roster = &self.roster;
        let alive =
            |zone, half_end| [roster.alive_share(zone, half_end), roster.beating_share(zone, half_end)];
        let known = (&mut self.calibrator, self.visits.mixing());
        let beats = self.crowd.close(moment.at, &self.venue, known, alive);
        let halves = self.aggregate.beats(&beats, &self.venue);
        self.roster.roll(moment.at);
        let is_caught_up = moment.at >= self.caught_up_at;
        if is_caught_up {
            let events = self.visits.judge(moment.at, &self.venue);
            self.aggregate.visits(&events, &self.venue);
            if let Some(over) = self.visits.take_over() {
                self.aggregate.infrastructure(over);
            }
        }
        let left_out = self.visits.take_refused();
        if left_out > 0 {
            tracing::warn!(left_out, "too many visits are open at once; some devices are left out of them");
        }
        Passed {
            halves,
            closed: if is_caught_up { self.aggregate.close(moment.at) } else { Vec::new() },
            moves: if is_caught_up { self.aggregate.close_moves(moment.at) } else { Vec::new() },
            keys_wiped: self.wipe(moment),
            calibrated: self.calibrator.current().version != calibration,
        }
    }

    /// Wipes what is over by the venue's clock, or by the steady one though the venue's stands still. Returns how many
    /// keys of days died.
    pub fn wipe(&mut self, moment: Moment) -> usize {
        let now = self.now(moment);
        let wiped = self.keyring.forget(&now);
        if wiped.stalled_halves > 0 {
            self.crowd.wipe();
        }
        wiped.days
    }

    /// Makes the key of the day that has begun, if there is none yet.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn begin_day(&mut self, moment: Moment) -> Result<(), KeyError> {
        let now = self.now(moment);
        self.keyring.begin_day(&now)
    }

    /// How many keys of days were made since this was last asked.
    pub fn take_keys_made(&mut self) -> usize {
        self.keyring.take_made()
    }

    /// Whether a day was given a second key since this was last asked.
    pub fn take_made_again(&mut self) -> bool {
        self.keyring.take_made_again()
    }

    /// Wipes every key, for the corridor ends. Returns how many were of days.
    pub fn wipe_all(&mut self) -> usize {
        self.walk.wipe();
        self.keyring.wipe_all()
    }

    /// An earlier run of the program ended so shortly before that it left windows behind.
    pub fn resume(&mut self, began: EpochMs) {
        self.aggregate.resume(began, &self.venue);
    }

    /// One sighting through the gate and the pseudonym stage, if its time is good.
    fn impress(
        &mut self,
        gate: &Gate,
        sighting: Sighting,
        sensor: u16,
        at: EpochMs,
        now: &Now,
    ) -> Result<Result<Footprint, &'static str>, KeyError> {
        let ahead = at.since(now.at);
        if ahead > AHEAD_MS {
            return Ok(Err("time_ahead"));
        }
        if ahead < -BEHIND_MS {
            return Ok(Err("time_behind"));
        }
        self.roster.heard_at(sensor, at);
        if let Some(walker) = sighting.device.walker() {
            // It is nobody's, and goes no further: no gate is asked, no key touches it, and the counters call it the gate's.
            self.walk.hear(walker, sensor, sighting.rssi, at);
            return Ok(Err("gate"));
        }
        let Some(admitted) = gate.admit(sighting) else { return Ok(Err("gate")) };
        // A sensor whose clock runs ahead heard nothing that is still to come.
        let now = Now { open: self.opening.at(at.min(now.at), &self.venue), ..*now };
        let left = self.keyring.impress(admitted, sensor, at, &now)?;
        if let Ok(Footprint { trace: Trace::Closed(pseudonym), .. }) = left {
            self.visits.hear_closed(pseudonym);
            return Ok(Err(NoFootprint::Closed.as_str()));
        }
        Ok(left.map_err(NoFootprint::as_str))
    }

    /// Hands the footprints of a message to both lenses. Returns how many were counted.
    fn hear(&mut self, sensor: u16, footprints: &[Footprint]) -> u64 {
        let (mut late, mut full) = (0, 0);
        for footprint in footprints {
            match self.crowd.hear(footprint) {
                crowd::Heard::Counted => {}
                crowd::Heard::Late => late += 1,
                crowd::Heard::Full => full += 1,
            }
        }
        for footprint in footprints {
            match self.visits.hear(footprint) {
                visit::Heard::Counted => {}
                visit::Heard::Late => late += 1,
                visit::Heard::Full => full += 1,
            }
        }
        let counted = footprints.len() as u64 - late - full;
        self.refuse(sensor, "late", late);
        self.refuse(sensor, "full", full);
        counted
    }

    fn refuse(&mut self, sensor: u16, reason: &'static str, count: u64) {
        // What the gate lets nobody know is no sensor's figure either.
        let told =
            if matches!(reason, "gate" | "outside" | "closed" | "other_radio") { "gate" } else { reason };
        self.tally.sightings_of(self.venue.id.as_str(), Outcome::Refused(told), count);
        if told != "gate" {
            self.roster.refused(sensor, told, count);
        }
    }

    fn now(&mut self, moment: Moment) -> Now {
        if !self.day.window.contains(moment.at) {
            self.day = self.venue.calendar.day_of(moment.at);
        }
        self.opening.pass(moment.at, BEHIND_MS, &self.venue);
        Now {
            at: moment.at,
            steady: moment.steady,
            day: self.day.window,
            open: self.opening.at(moment.at, &self.venue),
        }
    }
}
