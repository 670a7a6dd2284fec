//! How strong a sensor hears a device. Two models that share only the power at a metre, the body, and the weakest signal
//! there is: the one that the server was tuned against, and one that it was not.

mod log_distance;
mod multi_wall;
mod place;

#[cfg(test)]
pub(super) use self::log_distance::mean_dbm;
pub(super) use self::place::{Place, place};

use self::multi_wall::MultiWall;
use super::scenario::{Model, Scenario};
use crate::dice::{Dice, bell, mix};

/// A bell never strays farther.
const BELL_MAX: f32 = 3.5;

/// No antenna says more, dBm: it is overdriven.
const STRONGEST_DBM: f32 = -10.0;

/// Nothing is nearer to an antenna, metres; the laws are of a metre and beyond.
const DISTANCE_M_MIN: f64 = 1.0;

/// What a person at one spot sounds like at each sensor within reach, before the frame's own fading, dBm of a Wi-Fi device.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels(Vec<(u16, f32)>);

/// The radio of a scenario, its constants made ready.
#[derive(Clone, Debug)]
pub(super) struct Radio {
    law: Law,
    /// What a frame may gain over its level, dB.
    gain_max_db: f32,
    weakest_dbm: f32,
    ble_db: f32,
    /// Of 65,536 frames, by sensor.
    heard: Vec<u64>,
}

#[derive(Clone, Debug)]
enum Law {
    LogDistance { person_db: f32, spot_db: f32, frame_db: f32 },
    MultiWall(Box<MultiWall>),
}

impl Radio {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let radio = &scenario.radio;
        let law = match radio.model {
            Model::LogDistance => {
                let [person_db, spot_db, frame_db] =
                    radio.shadow_shares.map(|share| (radio.sigma_db * share.sqrt()) as f32);
                Law::LogDistance { person_db, spot_db, frame_db }
            }
            Model::MultiWall => Law::MultiWall(Box::new(MultiWall::new(scenario))),
        };
        let heard = |share: f64| (share * 65_536.0) as u64;
        Self {
            gain_max_db: match &law {
                Law::LogDistance { frame_db, .. } => BELL_MAX * frame_db,
                Law::MultiWall(walls) => walls.gain_max_db(),
            },
            law,
            weakest_dbm: radio.weakest_dbm as f32,
            ble_db: (radio.ble_at_1_m_dbm - radio.wifi_at_1_m_dbm) as f32,
            heard: scenario.sensors.iter().map(|sensor| heard(sensor.heard_share)).collect(),
        }
    }

    /// Writes the levels of a person at a spot, which `spot` tells from their other spots.
    pub(super) fn levels(
        &mut self,
        scenario: &Scenario,
        (salt, spot): (u64, u64),
        place: Place,
        levels: &mut Levels,
    ) {
        let [low, high] = scenario.radio.body_loss_db;
        let spot_salt = mix(salt ^ mix(spot));
        let lost = Dice::new(spot_salt, 1).between(low, high) as f32 + place.loss_db as f32;
        let floor_dbm = self.weakest_dbm - self.gain_max_db - self.ble_db.max(0.0);
        levels.0.clear();
        for sensor in 0..scenario.sensors.len() {
            let level = match &mut self.law {
                Law::LogDistance { person_db, spot_db, .. } => {
                    let i = sensor as u64;
                    let kept = *person_db * bell(mix(salt ^ mix(i + 1)));
                    let shadow = *spot_db * bell(mix(spot_salt ^ mix(i + 1)));
                    log_distance::mean_dbm(scenario, sensor, place) as f32 - lost + kept + shadow
                }
                Law::MultiWall(walls) => walls.level_dbm(scenario, sensor, place) - lost,
            };
            if level >= floor_dbm {
                levels.0.push((sensor as u16, level));
            }
        }
    }

    /// Which sensors hear a frame, and what they report of it.
    #[inline]
    pub(super) fn hear(
        &self,
        scenario: &Scenario,
        levels: &Levels,
        (salt, ble): (u64, bool),
        mut heard: impl FnMut(usize, i8),
    ) {
        let radio = if ble { self.ble_db } else { 0.0 };
        for &(sensor, level) in &levels.0 {
            let level = level + radio;
            if level + self.gain_max_db < self.weakest_dbm {
                continue;
            }
            let bits = mix(salt ^ (u64::from(sensor) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let gain = match &self.law {
                Law::LogDistance { frame_db, .. } => frame_db * bell(bits),
                Law::MultiWall(walls) => walls.fading_db(bits),
            };
            let dbm = (level + gain).min(STRONGEST_DBM);
            let sensor = usize::from(sensor);
            if dbm >= self.weakest_dbm && mix(bits) & 0xffff < self.heard[sensor] {
                let reported = (dbm.round() as i8).saturating_sub(scenario.sensors[sensor].rssi_offset_db);
                heard(sensor, reported.clamp(i8::MIN + 1, -1));
            }
        }
    }
}

/// Metres between a place and a sensor, and the floors between them.
fn apart(scenario: &Scenario, sensor: usize, place: Place) -> (f64, f64) {
    let sensor = &scenario.sensors[sensor];
    let [here, there] = [place.floor, scenario.zones[sensor.zone].floor];
    let floors = f64::from((scenario.floors[here].level - scenario.floors[there].level).abs());
    let metres = (place.at[0] - sensor.at[0]).hypot(place.at[1] - sensor.at[1]);
    (metres.hypot(floors * scenario.radio.floor_height_m).max(DISTANCE_M_MIN), floors)
}
