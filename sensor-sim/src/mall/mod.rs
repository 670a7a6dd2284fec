#![doc = include_str!("README.md")]

mod antenna;
mod calendar;
mod device;
mod itinerary;
mod plan;
mod radio;
pub mod run;
mod scenario;
#[cfg(test)]
mod tests;
pub mod truth;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use passant_wire::{BootId, Kind};

use self::antenna::Antenna;
use self::calendar::VenueDay;
use self::plan::{Person, Plan};
use self::radio::{Levels, Radio};
pub use self::scenario::{Error, FILE_BYTES_MAX, ITEMS_MAX, MALL, PEOPLE_MAX, Scenario};

/// A sensor that has nothing to say still says that it lives, this often.
pub const HEARTBEAT_MS: i64 = 1000 * passant_wire::HEARTBEAT_SECS as i64;

/// A message as a sensor would publish it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When the sensor sends it, epoch ms; never earlier than the message before.
    pub at_ms: i64,
    /// Where to.
    pub topic: String,
    /// What it says.
    pub payload: Vec<u8>,
    /// Whether the broker keeps it.
    pub retain: bool,
    /// How many sightings it carries.
    pub sightings: usize,
}

/// A simulated mall: what its sensors say, in order of time and without an end.
#[derive(Debug)]
pub struct Mall {
    scenario: Scenario,
    seed: u64,
    from: i64,
    radio: Radio,
    plan: Plan,
    /// What each of the day's people sounds like where they are.
    standing: Vec<Standing>,
    events: BinaryHeap<Reverse<Event>>,
    order: u64,
    antennas: Vec<Antenna>,
    /// Everything before this has been said.
    round_from: i64,
    messages: VecDeque<Message>,
    /// Frames that shoppers' scanning devices sent, for the test of the rhythms.
    #[cfg(test)]
    frames: u64,
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
    Burst(usize),
    Frame(usize, [u8; 6]),
}

impl Mall {
    /// The mall from a moment on. The same seed makes the same crowd on the same dates, wherever one begins.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: u64, from_ms: i64) -> Self {
        let boot = format!("{:08x}", crate::dice::mix(seed ^ from_ms as u64) >> 32);
        let boot = BootId::parse(boot.as_bytes());
        let plan = Plan::draw(scenario, seed, VenueDay::at(scenario, from_ms));
        let mut mall = Self {
            scenario: scenario.clone(),
            seed,
            from: from_ms,
            radio: Radio::new(scenario),
            plan,
            standing: Vec::new(),
            events: BinaryHeap::new(),
            order: 0,
            antennas: scenario.sensors.iter().map(|sensor| Antenna::new(scenario, sensor, boot)).collect(),
            round_from: from_ms,
            messages: VecDeque::new(),
            #[cfg(test)]
            frames: 0,
        };
        mall.messages = mall.antennas.iter_mut().map(|antenna| antenna.status(true, from_ms)).collect();
        mall.open_day();
        mall
    }

    /// The next message of any sensor.
    pub fn next_message(&mut self) -> Option<Message> {
        // A silent mall still has its heartbeats, so some round brings a message.
        while self.messages.is_empty() {
            self.round();
        }
        self.messages.pop_front()
    }

    /// What the sensors say when they are switched off.
    pub fn goodbyes(&mut self) -> Vec<Message> {
        let at = self.round_from;
        self.antennas.iter_mut().map(|antenna| antenna.status(false, at)).collect()
    }

    /// Lets everything happen until the sensors send, which they do together: so their messages are in order of time,
    /// however full one of them is.
    fn round(&mut self) {
        let batch_ms = i64::from(self.scenario.sending.batch_secs) * 1000;
        let mut end = (self.round_from.div_euclid(batch_ms) + 1) * batch_ms;
        let sightings_max = self.scenario.sending.batch_sightings_max;
        while let Some(at) = self.due(end) {
            // A frame is heard once by each sensor, so a batch that still has room before it has room for it.
            if self.antennas.iter().any(|antenna| antenna.len() >= sightings_max) {
                end = at;
                break;
            }
            self.happen();
        }
        let mut said: Vec<Message> = Vec::with_capacity(self.antennas.len());
        said.extend(self.antennas.iter_mut().filter_map(|antenna| antenna.say(end)));
        self.messages.extend(said);
        self.round_from = end;
    }

    /// When the next event before a moment is; days are opened as they come.
    fn due(&mut self, end: i64) -> Option<i64> {
        while self.plan.day.to <= self.next_at().unwrap_or(i64::MAX).min(end) {
            let next = self.plan.day.next(&self.scenario);
            self.plan = Plan::draw(&self.scenario, self.seed, next);
            self.open_day();
        }
        self.next_at().filter(|at| *at < end)
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
            self.push(at, What::Burst(i));
        }
    }

    fn push(&mut self, at: i64, what: What) {
        self.order += 1;
        self.events.push(Reverse(Event { at, order: self.order, what }));
    }

    fn happen(&mut self) {
        let Some(Reverse(Event { at, what, .. })) = self.events.pop() else { return };
        match what {
            What::Burst(i) => self.burst(i),
            What::Frame(i, octets) => self.frame(i, octets, at),
        }
    }

    fn burst(&mut self, i: usize) {
        let device = &mut self.plan.devices[i];
        let leave = self.plan.people[device.owner].leave();
        if device.next_burst >= leave {
            return;
        }
        let burst = device.burst(&self.scenario);
        let next = device.next_burst;
        for at in burst.frames.into_iter().filter(|at| *at < leave) {
            self.push(at, What::Frame(i, burst.octets));
        }
        self.push(next, What::Burst(i));
    }

    fn frame(&mut self, i: usize, octets: [u8; 6], at: i64) {
        if at < self.from {
            return;
        }
        let device = &self.plan.devices[i];
        let person = &self.plan.people[device.owner];
        let standing = &mut self.standing[device.owner];
        standing.come_to(&self.scenario, &self.radio, person, at);
        let kind = device.kind;
        let salt = crate::dice::mix(person.salt ^ crate::dice::mix(at as u64 ^ (i as u64) << 48));
        let ble = !matches!(kind, Kind::Wifi | Kind::Assoc);
        let antennas = &mut self.antennas;
        self.radio.hear(&self.scenario, &standing.levels, (salt, ble), |sensor, rssi| {
            antennas[sensor].hear(kind, rssi, at, octets);
        });
        #[cfg(test)]
        if kind == Kind::Wifi && person.sort == plan::Sort::Shopper {
            self.frames += 1;
        }
    }
}

impl Standing {
    /// Brings a person to where they are at a moment.
    fn come_to(&mut self, scenario: &Scenario, radio: &Radio, person: &Person, at: i64) {
        while person.stays.get(self.stay + 1).is_some_and(|next| next.from <= at) {
            self.stay += 1;
        }
        let stay = person.stays[self.stay];
        let spot_ms = if person.sort == plan::Sort::Fixture {
            i64::MAX
        } else {
            (scenario.people.spot_secs * 1000.0) as i64
        };
        let spot = (self.stay as u64) << 32 | ((at - stay.from).max(0) / spot_ms) as u64;
        if self.spot != Some(spot) {
            let place = radio::place(scenario, person, stay.zone, spot);
            self.levels = radio.levels(scenario, person.salt, spot, place);
            self.spot = Some(spot);
        }
    }
}
