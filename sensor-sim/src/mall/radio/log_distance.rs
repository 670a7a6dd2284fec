//! Log-distance path loss, with walls told by what kind of zones lie at both ends.

use super::{Place, apart};
use crate::mall::scenario::{Role, Scenario};

/// What arrives at a sensor on average, dBm of a Wi-Fi device; bodies and shadows come on top.
pub(in crate::mall) fn mean_dbm(scenario: &Scenario, sensor: usize, place: Place) -> f64 {
    let radio = &scenario.radio;
    let (metres, floors) = apart(scenario, sensor, place);
    let walls = walls(scenario, place, scenario.sensors[sensor].zone) * radio.wall_loss_db;
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
