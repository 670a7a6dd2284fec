//! How strong a sensor hears a device: log-distance path loss, walls, floors and bodies, and a shadow of which a part
//! stays with the person, a part with the spot, and a part comes anew with each frame.

use super::plan::{Person, Sort};
use super::scenario::{Role, Scenario, Zone};
use crate::dice::{Dice, bell, mix};

/// Nothing is nearer to an antenna, metres; the law is of a metre and beyond.
const DISTANCE_M_MIN: f64 = 1.0;

/// A bell never strays farther.
const BELL_MAX: f32 = 3.5;

/// No antenna says more, dBm: it is overdriven.
const STRONGEST_DBM: f32 = -10.0;

/// Throws for a spot inside a polygon, after which its middle is taken.
const SPOT_THROWS_MAX: u32 = 64;

/// How far from the place outside people pass, metres.
const PASSING_M: f64 = 6.0;

/// Where somebody stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) zone: Option<usize>,
    pub(crate) floor: usize,
    pub(crate) at: [f64; 2],
}

/// What a person at one spot sounds like at each sensor, before the frame's own shadow, dBm of a Wi-Fi device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Levels(Vec<f32>);

/// The radio of a scenario, its constants made ready.
#[derive(Clone, Debug)]
pub(crate) struct Radio {
    person_db: f32,
    spot_db: f32,
    frame_db: f32,
    weakest_dbm: f32,
    ble_db: f32,
    heard: Vec<u64>,
}

impl Radio {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let radio = &scenario.radio;
        let [person_db, spot_db, frame_db] =
            radio.shadow_shares.map(|share| (radio.sigma_db * share.sqrt()) as f32);
        let heard = |share: f64| (share * 65_536.0) as u64;
        Self {
            person_db,
            spot_db,
            frame_db,
            weakest_dbm: radio.weakest_dbm as f32,
            ble_db: (radio.ble_at_1_m_dbm - radio.wifi_at_1_m_dbm) as f32,
            heard: scenario.sensors.iter().map(|sensor| heard(sensor.heard_share)).collect(),
        }
    }

    /// The levels of a person at a spot, which `spot` tells from their other spots.
    pub(crate) fn levels(&self, scenario: &Scenario, salt: u64, spot: u64, place: Place) -> Levels {
        let [low, high] = scenario.radio.body_loss_db;
        let spot_salt = mix(salt ^ mix(spot));
        let body = Dice::new(spot_salt, 1).between(low, high) as f32;
        let level = |(i, mean): (u64, f32)| {
            let kept = self.person_db * bell(mix(salt ^ mix(i + 1)));
            let shadow = self.spot_db * bell(mix(spot_salt ^ mix(i + 1)));
            mean - body + kept + shadow
        };
        let sensors = (0..scenario.sensors.len()).map(|i| mean_dbm(scenario, i, place) as f32);
        Levels((0..).zip(sensors).map(level).collect())
    }

    /// Which sensors hear a frame, and what they report of it.
    #[inline]
    pub(crate) fn hear(
        &self,
        scenario: &Scenario,
        levels: &Levels,
        (salt, ble): (u64, bool),
        mut heard: impl FnMut(usize, i8),
    ) {
        let radio = if ble { self.ble_db } else { 0.0 };
        let reach = BELL_MAX * self.frame_db;
        for (i, level) in levels.0.iter().enumerate() {
            let level = level + radio;
            if level + reach < self.weakest_dbm {
                continue;
            }
            let bits = mix(salt ^ (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let dbm = (level + self.frame_db * bell(bits)).min(STRONGEST_DBM);
            if dbm >= self.weakest_dbm && mix(bits) & 0xffff < self.heard[i] {
                let reported = (dbm.round() as i8).saturating_sub(scenario.sensors[i].rssi_offset_db);
                heard(i, reported.clamp(i8::MIN + 1, -1));
            }
        }
    }
}

/// What arrives at a sensor on average, dBm of a Wi-Fi device; bodies and shadows come on top.
pub(crate) fn mean_dbm(scenario: &Scenario, sensor: usize, place: Place) -> f64 {
    let (radio, sensor) = (&scenario.radio, &scenario.sensors[sensor]);
    let sensor_floor = scenario.zones[sensor.zone].floor;
    let [here, there] = [place.floor, sensor_floor].map(|floor| f64::from(scenario.floors[floor].level));
    let floors = (here - there).abs();
    let metres = (place.at[0] - sensor.at[0]).hypot(place.at[1] - sensor.at[1]);
    let metres = metres.hypot(floors * radio.floor_height_m).max(DISTANCE_M_MIN);
    let walls = walls(scenario, place, sensor.zone) * radio.wall_loss_db;
    radio.wifi_at_1_m_dbm - 10.0 * radio.exponent * metres.log10() - floors * radio.floor_loss_db - walls
}

/// A shop has a wall to its walkway, and so two to another shop; what is outside lies behind one of the entrance.
fn walls(scenario: &Scenario, place: Place, sensor_zone: usize) -> f64 {
    let own = |zone: usize| if scenario.zones[zone].role == Role::Shop { 1.0 } else { 0.0 };
    match place.zone {
        Some(zone) if zone == sensor_zone => 0.0,
        Some(zone) => own(zone) + own(sensor_zone),
        None => 1.0 + own(sensor_zone),
    }
}

/// A spot of a person in a zone, or outside.
pub(crate) fn place(scenario: &Scenario, person: &Person, zone: Option<usize>, spot: u64) -> Place {
    let mut dice = Dice::new(person.salt, mix(spot) | 1);
    if let (Some(i), _) | (None, Sort::PasserBy(i)) = (zone, person.sort) {
        let there = &scenario.zones[i];
        let at = match there.outside.filter(|_| zone.is_none()) {
            Some([x, y]) => [x, y].map(|m| m + dice.between(-PASSING_M, PASSING_M)),
            None => inside(there, &mut dice),
        };
        return Place { zone, floor: there.floor, at };
    }
    Place { zone: None, floor: 0, at: [0.0; 2] }
}

fn inside(zone: &Zone, dice: &mut Dice) -> [f64; 2] {
    let corners = || zone.polygon.iter();
    let bounds = [0, 1].map(|axis| {
        corners()
            .fold((f64::MAX, f64::MIN), |(low, high), corner| (low.min(corner[axis]), high.max(corner[axis])))
    });
    let throws = (0..SPOT_THROWS_MAX).map(|_| bounds.map(|(low, high)| dice.between(low, high)));
    let mut spots = throws.filter(|spot| contains(&zone.polygon, *spot));
    spots.next().unwrap_or(zone.middle)
}

/// Whether a point lies in a polygon: a ray from it crosses the outline an odd number of times.
fn contains(polygon: &[[f64; 2]], [x, y]: [f64; 2]) -> bool {
    let mut within = false;
    let mut before = polygon.last().copied().unwrap_or_default();
    for &corner in polygon {
        let ([x0, y0], [x1, y1]) = (before, corner);
        if (y0 > y) != (y1 > y) && x < (x1 - x0) * (y - y0) / (y1 - y0) + x0 {
            within = !within;
        }
        before = corner;
    }
    within
}
