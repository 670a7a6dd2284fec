//! Every number of a scenario has its bounds.

use passant_wire::SIGHTINGS_MAX;

use super::check::require;
use super::file::{self, File};
use super::{Error, PEOPLE_MAX};

/// # Errors
/// When one is out of its bounds.
pub(super) fn numbers(file: &File) -> Result<(), Error> {
    crowd(file)?;
    rhythms(&file.rhythms)?;
    radio(&file.radio)?;
    if let Some(traffic) = &file.traffic {
        within("traffic.cars_by_hour", &traffic.cars_by_hour, 0.0, 1e4)?;
        within("traffic.m_per_sec", &traffic.m_per_sec, 1.0, 50.0)?;
        within("traffic.phones_per_car", &[traffic.phones_per_car], 0.0, 5.0)?;
        within("traffic.car_loss_db", &[traffic.car_loss_db], 0.0, 40.0)?;
        within("traffic.street", traffic.street.as_flattened(), -1e4, 1e4)?;
        ordered("traffic.m_per_sec", traffic.m_per_sec)?;
    }
    let sending = &file.sending;
    within("sending.batch_secs", &[f64::from(sending.batch_secs)], 1.0, 10.0)?;
    let batch = (1..=SIGHTINGS_MAX).contains(&sending.batch_sightings_max);
    require(batch, "sending.batch_sightings_max", &format!("give 1 to {SIGHTINGS_MAX}"))
}

fn within(at: &str, values: &[f64], low: f64, high: f64) -> Result<(), Error> {
    let good = values.iter().all(|value| (low..=high).contains(value));
    require(good, at, &format!("give {low} to {high}"))
}

fn ordered(at: &str, [low, high]: [f64; 2]) -> Result<(), Error> {
    require(
        (0.0..=3600.0).contains(&low) && (low..=3600.0).contains(&high),
        at,
        "give the lower number first",
    )
}

fn crowd(File { arrivals, people, devices, .. }: &File) -> Result<(), Error> {
    within("arrivals.people_by_weekday", &arrivals.people_by_weekday, 0.0, PEOPLE_MAX)?;
    for hours in [&arrivals.weekday_by_hour, &arrivals.weekend_by_hour] {
        within("arrivals, by hour", hours, 0.0, 1e6)?;
    }
    within("arrivals.passersby_per_person", &[arrivals.passersby_per_person], 0.0, 100.0)?;
    ordered("arrivals.passing_secs", arrivals.passing_secs)?;
    within("people.group_size_weights", &people.group_size_weights, 0.0, 1e6)?;
    let sizes = &people.group_size_weights;
    require(
        sizes.len() <= 20 && sizes.iter().sum::<f64>() > 0.0,
        "people.group_size_weights",
        "give 1 to 20 sizes",
    )?;
    within("people.stops_mean", &[people.stops_mean], 1.0, 20.0)?;
    within("people.walk_m_per_sec", &[people.walk_m_per_sec], 0.1, 5.0)?;
    within("people", &[people.near_m, people.stairs_m, people.spot_secs], 1.0, 1e4)?;
    let mins = [people.leaving_mins, people.staff_before_mins, people.staff_after_mins];
    within("people, minutes", &mins, 0.0, 120.0)?;
    within("devices, shares", &shares(devices), 0.0, 1.0)?;
    let addresses = devices.heavy_addresses_per_burst.map(f64::from);
    within("devices.heavy_addresses_per_burst", &addresses, 1.0, f64::from(u8::MAX))?;
    ordered("devices.heavy_addresses_per_burst", addresses)
}

fn rhythms(rhythms: &file::Rhythms) -> Result<(), Error> {
    within("rhythms, shares", &[rhythms.ios_under_minute_share, rhythms.ios_spike_share], 0.0, 1.0)?;
    within("rhythms.awake_share", &[rhythms.awake_share], 0.01, 1.0)?;
    within("rhythms, seconds", &intervals(rhythms), 1.0, 3600.0)?;
    within("rhythms.burst_ms", &[rhythms.burst_ms], 1.0, 2000.0)?;
    let frames = rhythms.frames_per_burst.map(f64::from);
    within("rhythms.frames_per_burst", &frames, 1.0, 50.0)?;
    ordered("rhythms.frames_per_burst", frames)?;
    ordered("rhythms.ble_rotation_mins", rhythms.ble_rotation_mins)
}

fn radio(radio: &file::Radio) -> Result<(), Error> {
    within("radio, at 1 m", &[radio.wifi_at_1_m_dbm, radio.ble_at_1_m_dbm], -100.0, 0.0)?;
    within("radio.exponent", &[radio.exponent], 1.0, 6.0)?;
    within("radio, losses", &[radio.wall_loss_db, radio.floor_loss_db, radio.sigma_db], 0.0, 40.0)?;
    within("radio.body_loss_db", &radio.body_loss_db, 0.0, 40.0)?;
    ordered("radio.body_loss_db", radio.body_loss_db)?;
    within("radio.weakest_dbm", &[radio.weakest_dbm], -120.0, -40.0)?;
    within("radio.floor_height_m", &[radio.floor_height_m], 1.0, 30.0)?;
    within("radio.shadow_shares", &radio.shadow_shares, 0.0, 1.0)?;
    let whole = (radio.shadow_shares.iter().sum::<f64>() - 1.0).abs() < 1e-9;
    require(whole, "radio.shadow_shares", "make them add up to 1")?;
    let walls = &radio.multi_wall;
    within("radio.multi_wall.exponent", &[walls.exponent], 1.0, 6.0)?;
    let losses = [walls.light_wall_db, walls.heavy_wall_db, walls.floor_db, walls.shadow_db];
    within("radio.multi_wall, losses", &losses, 0.0, 40.0)?;
    within("radio.multi_wall.floor_b", &[walls.floor_b], 0.0, 1.0)?;
    within("radio.multi_wall.shadow_m", &[walls.shadow_m], 0.5, 100.0)
}

fn shares(devices: &file::Devices) -> [f64; 10] {
    [
        devices.phone_share,
        devices.two_devices_share,
        devices.random_share,
        devices.associated_of_stable_share,
        devices.ios_share,
        devices.android_connected_share,
        devices.ble_share,
        devices.ble_static_share,
        devices.staff_badge_share,
        devices.heavy_talker_share,
    ]
}

fn intervals(rhythms: &file::Rhythms) -> [f64; 9] {
    [
        rhythms.android_unconnected_secs,
        rhythms.android_connected_secs,
        rhythms.ios_spikes_secs[0],
        rhythms.ios_spikes_secs[1],
        rhythms.ios_longest_secs.max(60.0),
        rhythms.awake_secs,
        rhythms.associated_secs,
        rhythms.ble_secs,
        rhythms.fixture_secs,
    ]
}
