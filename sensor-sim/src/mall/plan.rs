//! Who comes on a day, and where they are when. A day's crowd depends on the seed and the date and on nothing else, so
//! a simulation may begin anywhere.

use chrono::Datelike as _;

use super::calendar::{Open, VenueDay};
use super::device::{Device, outfit};
use super::itinerary;
use super::scenario::{Role, Scenario};
use crate::dice::{Dice, mix};

/// Tells the days' dice from those of what is there every day.
const DAYS: u64 = 1 << 40;
const STAFF: u64 = 2 << 40;
const FIXTURES: u64 = 3 << 40;
const CARS: u64 = 4 << 40;
const GUARDS: u64 = 5 << 40;

/// A stay in a zone, or outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stay {
    pub(crate) zone: Option<usize>,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Shopper,
    /// Passes outside this entrance and does not come in.
    PasserBy(usize),
    /// Drives by.
    Car(Speed),
    /// Works there, or guards it.
    Staff,
    /// No person at all.
    Fixture,
}

/// How a car drives along the street of its scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Speed {
    pub(crate) mm_per_sec: u32,
    pub(crate) backward: bool,
}

impl Sort {
    /// Whether it is ever inside.
    pub(crate) fn comes_in(self) -> bool {
        !matches!(self, Self::PasserBy(_) | Self::Car(_))
    }
}

/// Somebody, or something, that carries devices.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) sort: Sort,
    /// Without a gap, at least one.
    pub(crate) stays: Vec<Stay>,
    /// Makes their places and shadows.
    pub(crate) salt: u64,
    /// How many of their devices keep an address.
    pub(crate) stable_devices: u32,
}

/// A day's crowd.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) day: VenueDay,
    pub(crate) people: Vec<Person>,
    pub(crate) devices: Vec<Device>,
}

impl Person {
    pub(crate) fn arrive(&self) -> i64 {
        self.stays.first().map_or(0, |stay| stay.from)
    }

    pub(crate) fn leave(&self) -> i64 {
        self.stays.last().map_or(0, |stay| stay.to)
    }
}

impl Plan {
    /// Draws the crowd of a day.
    pub(crate) fn draw(scenario: &Scenario, seed: u64, day: VenueDay) -> Self {
        let mut plan = Self { day, people: Vec::new(), devices: Vec::new() };
        let number = u64::from(day.date.num_days_from_ce().unsigned_abs());
        if let Some(open) = day.open {
            let mut dice = Dice::new(seed, DAYS | number);
            plan.staff(scenario, seed, open, &mut dice);
            plan.groups(scenario, open, &mut dice);
        }
        plan.fixtures(scenario, seed);
        plan.guards(scenario, seed);
        plan.cars(scenario, &mut Dice::new(seed, CARS | number));
        plan
    }

    fn groups(&mut self, scenario: &Scenario, open: Open, dice: &mut Dice) {
        let arrivals = &scenario.arrivals;
        let sizes = &scenario.people.group_size_weights;
        let weight: f64 = sizes.iter().sum();
        let size_mean: f64 = (1..).zip(sizes).map(|(size, share)| f64::from(size) * share / weight).sum();
        let people = arrivals.people_by_weekday[self.day.date.weekday().num_days_from_monday() as usize];
        for (from, to, share) in self.hours(scenario, open) {
            for _ in 0..dice.poisson(people * share / size_mean) {
                let arrive = from + (dice.unit() * (to - from) as f64) as i64;
                let stays = itinerary::walk(scenario, dice, arrive, open);
                for _ in 0..=dice.pick(sizes.iter().copied()) {
                    self.join(scenario, Sort::Shopper, stays.clone(), dice);
                }
            }
            for _ in 0..dice.poisson(people * share * arrivals.passersby_per_person) {
                let arrive = from + (dice.unit() * (to - from) as f64) as i64;
                self.pass_by(scenario, arrive, dice);
            }
        }
    }

    /// The open part of each local hour, and the share of the day's arrivals that falls in it.
    pub(super) fn hours(&self, scenario: &Scenario, open: Open) -> Vec<(i64, i64, f64)> {
        let arrivals = &scenario.arrivals;
        let weights =
            if self.day.is_weekend() { &arrivals.weekend_by_hour } else { &arrivals.weekday_by_hour };
        let minutes = open.minute + ((open.to - open.from) / 60_000) as u32;
        let mut hours = Vec::with_capacity(24);
        for (hour, weight) in (0u32..).zip(weights) {
            let (from, to) = ((hour * 60).max(open.minute), (hour * 60 + 60).min(minutes));
            if from < to {
                let at = |minute: u32| open.from + i64::from(minute - open.minute) * 60_000;
                hours.push((at(from), at(to), weight * f64::from(to - from)));
            }
        }
        let sum: f64 = hours.iter().map(|(_, _, weight)| weight).sum();
        hours.iter_mut().for_each(|(_, _, weight)| *weight /= sum.max(f64::MIN_POSITIVE));
        hours
    }

    fn pass_by(&mut self, scenario: &Scenario, arrive: i64, dice: &mut Dice) {
        let zones = scenario.zones.iter();
        let entrance =
            dice.pick(zones.map(|zone| if zone.role == Role::Entrance { zone.attraction } else { 0.0 }));
        let [low, high] = scenario.arrivals.passing_secs;
        let to = arrive + (dice.between(low, high) * 1000.0) as i64;
        let stay = Stay { zone: None, from: arrive, to: to.max(arrive + 1) };
        self.join(scenario, Sort::PasserBy(entrance), vec![stay], dice);
    }

    /// Staff come every day with the same devices, before opening, and stay in their zone.
    fn staff(&mut self, scenario: &Scenario, seed: u64, open: Open, dice: &mut Dice) {
        let zones = scenario.zones.iter().enumerate();
        let places = zones.flat_map(|(i, zone)| std::iter::repeat_n(i, usize::from(zone.staff)));
        for (number, zone) in (0u64..).zip(places) {
            let early = dice.between(0.5, 1.0) * scenario.people.staff_before_mins * 60_000.0;
            let late = dice.between(0.5, 1.0) * scenario.people.staff_after_mins * 60_000.0;
            let stay = Stay { zone: Some(zone), from: open.from - early as i64, to: open.to + late as i64 };
            let mut own = Dice::new(seed, STAFF | number);
            self.join(scenario, Sort::Staff, vec![stay], &mut own);
        }
    }

    fn fixtures(&mut self, scenario: &Scenario, seed: u64) {
        let each = scenario.fixtures.iter().flat_map(|f| std::iter::repeat_n(f, usize::from(f.count)));
        for (number, fixture) in (0u64..).zip(each) {
            let stay = Stay { zone: Some(fixture.zone), from: self.day.from, to: self.day.to };
            let owner = self.people.len();
            let salt = mix(seed ^ mix(number | FIXTURES));
            self.people.push(Person { sort: Sort::Fixture, stays: vec![stay], salt, stable_devices: 1 });
            self.devices.push(Device::fixture(owner, fixture.kind, salt, self.day.from));
        }
    }

    /// Guards come every day with the same devices; a shift over four in the morning is two visits, as days are counted.
    fn guards(&mut self, scenario: &Scenario, seed: u64) {
        for (number, guard) in (0u64..).zip(&scenario.guards) {
            for (from, to) in self.day.shifts(scenario, (guard.from, guard.to)) {
                let mut own = Dice::new(seed, GUARDS | number);
                let mut steps = Dice::new(seed, mix(GUARDS | number) ^ from.unsigned_abs());
                let stays = itinerary::round(scenario, &mut steps, guard, (from, to));
                self.join(scenario, Sort::Staff, stays, &mut own);
            }
        }
    }

    /// Everybody in a car is somebody who passes in it, all day and night.
    fn cars(&mut self, scenario: &Scenario, dice: &mut Dice) {
        let Some(traffic) = &scenario.traffic else { return };
        let [[x0, y0], [x1, y1]] = traffic.street;
        let metres = (x1 - x0).hypot(y1 - y0);
        for (from, to, hour) in self.day.local_hours(scenario) {
            let cars = traffic.cars_by_hour[hour as usize] * (to - from) as f64 / 3_600_000.0;
            for _ in 0..dice.poisson(cars) {
                let arrive = from + (dice.unit() * (to - from) as f64) as i64;
                let [low, high] = traffic.m_per_sec;
                let m_per_sec = dice.between(low, high);
                let speed = Speed { mm_per_sec: (m_per_sec * 1000.0) as u32, backward: dice.chance(0.5) };
                let ms = ((metres / m_per_sec * 1000.0) as i64).max(1);
                let stay = Stay { zone: None, from: arrive, to: (arrive + ms).min(self.day.to) };
                for _ in 0..dice.poisson(traffic.phones_per_car) {
                    self.join(scenario, Sort::Car(speed), vec![stay], dice);
                }
            }
        }
    }

    fn join(&mut self, scenario: &Scenario, sort: Sort, stays: Vec<Stay>, dice: &mut Dice) {
        let salt = dice.throw();
        let owner = self.people.len();
        let person = Person { sort, stays, salt, stable_devices: 0 };
        let (from, first) = (person.arrive(), self.devices.len());
        self.people.push(person);
        outfit(scenario, sort, (owner, from), dice, &mut self.devices);
        let stable = self.devices[first..].iter().filter(|device| device.stable_address().is_some()).count();
        self.people[owner].stable_devices = stable as u32;
    }
}
