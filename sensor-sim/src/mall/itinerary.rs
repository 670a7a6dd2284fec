//! The way of a group through the mall: in at an entrance, from shop to shop across the walkways, and out again.

use super::calendar::Open;
use super::plan::Stay;
use super::scenario::{Closing, Guard, Role, Scenario, Zone};
use crate::dice::Dice;

/// No group goes to more shops.
const STOPS_MAX: u32 = 30;

/// Crossing a walkway takes at least so long, ms.
const CROSSING_MS_MIN: i64 = 5_000;

/// The stays of a group that comes in at a moment, one after the other without a gap.
pub(super) fn walk(scenario: &Scenario, dice: &mut Dice, arrive: i64, open: Open) -> Vec<Stay> {
    let leave_by = open.to + (dice.unit() * scenario.people.leaving_mins * 60_000.0) as i64;
    let entrance = |dice: &mut Dice| {
        dice.pick(
            scenario.zones.iter().map(|zone| if zone.role == Role::Entrance { zone.attraction } else { 0.0 }),
        )
    };
    let mut walk = Walk { scenario, stays: Vec::with_capacity(12), now: arrive };
    let mut here = entrance(dice);
    walk.dwell(here, dice);
    for _ in 0..stops(dice, scenario.people.stops_mean) {
        let next = next_shop(scenario, dice, here);
        walk.cross(here, next);
        walk.dwell(next, dice);
        here = next;
    }
    let exit = entrance(dice);
    if scenario.people.at_closing == Closing::ByTheExits {
        walk.break_off(leave_by);
        here = walk.stays.last().and_then(|stay| stay.zone).unwrap_or(here);
        if here == exit {
            return walk.stays;
        }
        walk.cross(here, exit);
        walk.dwell(exit, dice);
        return walk.stays;
    }
    walk.cross(here, exit);
    walk.dwell(exit, dice);
    walk.break_off(leave_by);
    walk.stays
}

/// The stays of a guard on their round, from one moment to another.
pub(super) fn round(
    scenario: &Scenario,
    dice: &mut Dice,
    guard: &Guard,
    (from, to): (i64, i64),
) -> Vec<Stay> {
    let mut walk = Walk { scenario, stays: Vec::new(), now: from };
    let mut zones = guard.round.iter().copied().cycle().peekable();
    while walk.now < to {
        let (Some(here), Some(&next)) = (zones.next(), zones.peek()) else { break };
        walk.stay(here, (guard.zone_mins * dice.between(0.7, 1.3) * 60_000.0) as i64);
        walk.cross(here, next);
    }
    walk.break_off(to);
    walk.stays
}

struct Walk<'a> {
    scenario: &'a Scenario,
    stays: Vec<Stay>,
    now: i64,
}

impl Walk<'_> {
    fn dwell(&mut self, zone: usize, dice: &mut Dice) {
        let Zone { dwell_median_mins, dwell_sigma, .. } = self.scenario.zones[zone];
        let mins = dwell_median_mins * (dwell_sigma * dice.normal()).exp();
        self.stay(zone, (mins * 60_000.0) as i64);
    }

    fn cross(&mut self, from: usize, to: usize) {
        let metres = distance(self.scenario, from, to);
        let ms = ((metres / self.scenario.people.walk_m_per_sec * 1000.0) as i64).max(CROSSING_MS_MIN);
        let scenario = self.scenario;
        let zones = scenario.way(from, to).count() as i64;
        for zone in scenario.way(from, to) {
            self.stay(zone, ms / zones);
        }
    }

    fn stay(&mut self, zone: usize, ms: i64) {
        let from = self.now;
        self.now += ms.max(1);
        self.stays.push(Stay { zone: Some(zone), from, to: self.now });
    }

    /// It closes: whatever they would have done after it is left out.
    fn break_off(&mut self, leave_by: i64) {
        self.stays.retain(|stay| stay.from < leave_by);
        if let Some(last) = self.stays.last_mut() {
            last.to = last.to.min(leave_by);
            self.now = last.to;
        }
    }
}

/// One shop, and after each one more with a chance that makes the mean.
fn stops(dice: &mut Dice, mean: f64) -> u32 {
    let more = 1.0 - 1.0 / mean;
    let mut stops = 1;
    while stops < STOPS_MAX && dice.chance(more) {
        stops += 1;
    }
    stops
}

/// Another shop: the more it draws and the nearer it is, the likelier.
fn next_shop(scenario: &Scenario, dice: &mut Dice, here: usize) -> usize {
    dice.pick(scenario.zones.iter().enumerate().map(|(i, zone)| {
        let other = zone.role == Role::Shop && i != here;
        let near = (-distance(scenario, here, i) / scenario.people.near_m).exp();
        if other { zone.attraction * near } else { 0.0 }
    }))
}

fn distance(scenario: &Scenario, from: usize, to: usize) -> f64 {
    let (a, b) = (&scenario.zones[from], &scenario.zones[to]);
    let level = |zone: &Zone| f64::from(scenario.floors[zone.floor].level);
    let stairs = (level(a) - level(b)).abs() * scenario.people.stairs_m;
    (a.middle[0] - b.middle[0]).hypot(a.middle[1] - b.middle[1]) + stairs
}
