//! What is in the air: who speaks when, and which sensors hear it. Sending it is another matter.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use passant_wire::Kind;

use super::calendar::VenueDay;
use super::device::Frame;
use super::plan::{Person, Plan, Sort};
use super::radio::{self, Levels, Radio};
use super::scenario::Scenario;
use crate::dice::mix;

/// One sensor heard one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hearing {
    /// When, by a clock that is right, epoch ms.
    pub at_ms: i64,
    /// The sensor's place among [`Scenario::sensors`].
    pub sensor: usize,
    /// What the sensor says of it, dBm, its offset not yet put right.
    pub rssi_dbm: i8,
    /// The radio, as the sensor names it.
    pub kind: Kind,
    /// The address.
    pub octets: [u8; 6],
    /// Whose it is: the device's place among those of its day's [`super::Chronicle`].
    pub device: usize,
}

/// The air of a scenario, from a moment on.
#[derive(Debug)]
pub(super) struct Air {
    pub(super) scenario: Scenario,
    seed: u64,
    from: i64,
    radio: Radio,
    pub(super) plan: Plan,
    /// What each of the day's people sounds like where they are.
    standing: Vec<Standing>,
    events: BinaryHeap<Reverse<Event>>,
    order: u64,
    burst: Vec<Frame>,
    /// Frames that shoppers' scanning devices sent, for the test of the rhythms.
    #[cfg(test)]
    pub(super) frames: u64,
}

#[derive(Debug, Default)]
struct Standing {
    stay: usize,
    spot: Option<u64>,
    levels: Levels,
}

/// In order of time, and among equals in the order in which they were made.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at: i64,
    order: u64,
    what: What,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Burst(u32),
    Frame(u32, [u8; 6]),
}

impl Air {
    pub(super) fn new(scenario: &Scenario, seed: u64, from: i64) -> Self {
        let mut air = Self {
            scenario: scenario.clone(),
            seed,
            from,
            radio: Radio::new(scenario),
            plan: Plan::draw(scenario, seed, VenueDay::at(scenario, from)),
            standing: Vec::new(),
            events: BinaryHeap::new(),
            order: 0,
            burst: Vec::new(),
            #[cfg(test)]
            frames: 0,
        };
        air.open_day();
        air
    }

    /// Lets nobody speak on this day but devices that keep one address; what they say stays the same.
    pub(super) fn only_stable(&mut self) {
        let devices = &self.plan.devices;
        self.events.retain(|Reverse(event)| match event.what {
            What::Burst(i) | What::Frame(i, _) => devices[i as usize].stable_address().is_some(),
        });
    }

    /// When the next event before a moment is; days are opened as they come.
    pub(super) fn due(&mut self, end: i64) -> Option<i64> {
        while self.plan.day.to <= self.next_at().unwrap_or(i64::MAX).min(end) {
            let next = self.plan.day.next(&self.scenario);
            self.plan = Plan::draw(&self.scenario, self.seed, next);
            self.open_day();
        }
        self.next_at().filter(|at| *at < end)
    }

    /// Lets the next event happen. Each sensor hears a frame once.
    #[inline]
    pub(super) fn happen(&mut self, heard: impl FnMut(Hearing)) {
        let Some(Reverse(Event { at, what, .. })) = self.events.pop() else { return };
        match what {
            What::Burst(i) => self.burst(i),
            What::Frame(i, octets) => self.frame(i as usize, octets, at, heard),
        }
    }

    fn next_at(&self) -> Option<i64> {
        self.events.peek().map(|Reverse(event)| event.at)
    }

    fn open_day(&mut self) {
        self.events.clear();
        self.standing.clear();
        self.standing.resize_with(self.plan.people.len(), Standing::default);
        for i in 0..self.plan.devices.len() {
            self.plan.devices[i].begin(&self.scenario);
            let at = self.plan.devices[i].next_burst;
            self.push(at, What::Burst(i as u32));
        }
    }

    fn push(&mut self, at: i64, what: What) {
        self.order += 1;
        self.events.push(Reverse(Event { at, order: self.order, what }));
    }

    fn burst(&mut self, i: u32) {
        let device = &mut self.plan.devices[i as usize];
        let leave = self.plan.people[device.owner].leave();
        if device.next_burst >= leave {
            return;
        }
        let mut frames = std::mem::take(&mut self.burst);
        device.burst(&self.scenario, &mut frames);
        let next = device.next_burst;
        for &(at, octets) in frames.iter().filter(|(at, _)| *at < leave) {
            self.push(at, What::Frame(i, octets));
        }
        self.burst = frames;
        self.push(next, What::Burst(i));
    }

    fn frame(&mut self, i: usize, octets: [u8; 6], at: i64, mut heard: impl FnMut(Hearing)) {
        if at < self.from {
            return;
        }
        let device = &self.plan.devices[i];
        let person = &self.plan.people[device.owner];
        let standing = &mut self.standing[device.owner];
        standing.come_to(&self.scenario, &mut self.radio, person, at);
        let kind = device.kind;
        let salt = mix(person.salt ^ mix(at as u64 ^ (i as u64) << 48));
        let ble = !matches!(kind, Kind::Wifi | Kind::Assoc);
        self.radio.hear(&self.scenario, &standing.levels, (salt, ble), |sensor, rssi_dbm| {
            heard(Hearing { at_ms: at, sensor, rssi_dbm, kind, octets, device: i });
        });
        #[cfg(test)]
        if kind == Kind::Wifi && person.sort == Sort::Shopper {
            self.frames += 1;
        }
    }
}

impl Standing {
    /// Brings a person to where they are at a moment.
    fn come_to(&mut self, scenario: &Scenario, radio: &mut Radio, person: &Person, at: i64) {
        while person.stays.get(self.stay + 1).is_some_and(|next| next.from <= at) {
            self.stay += 1;
        }
        let stay = person.stays[self.stay];
        let spot_ms = match person.sort {
            Sort::Fixture => i64::MAX,
            // A car is somewhere else every second.
            Sort::Car(_) => 1000,
            Sort::Shopper | Sort::PasserBy(_) | Sort::Staff => (scenario.people.spot_secs * 1000.0) as i64,
        };
        let spot = (self.stay as u64) << 32 | ((at - stay.from).max(0) / spot_ms) as u64;
        if self.spot != Some(spot) {
            let place = radio::place(scenario, person, stay.zone, spot);
            radio.levels(scenario, (person.salt, spot), place, &mut self.levels);
            self.spot = Some(spot);
        }
    }
}
