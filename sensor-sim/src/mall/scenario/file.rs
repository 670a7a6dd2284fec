//! The scenario file's own shape. Every key is explained in `scenarios/`.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) venue: Venue,
    pub(super) hours: BTreeMap<String, String>,
    pub(super) arrivals: Arrivals,
    pub(super) people: People,
    pub(super) devices: Devices,
    pub(super) rhythms: Rhythms,
    pub(super) radio: Radio,
    pub(super) sending: Sending,
    #[serde(rename = "floor")]
    pub(super) floors: Vec<Floor>,
    #[serde(rename = "zone")]
    pub(super) zones: Vec<Zone>,
    #[serde(rename = "sensor")]
    pub(super) sensors: Vec<Sensor>,
    #[serde(default, rename = "fixture")]
    pub(super) fixtures: Vec<Fixture>,
    #[serde(default, rename = "guard")]
    pub(super) guards: Vec<Guard>,
    #[serde(default, rename = "outage")]
    pub(super) outages: Vec<Outage>,
    pub(super) traffic: Option<Traffic>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Venue {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) timezone: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arrivals {
    pub(crate) people_by_weekday: [f64; 7],
    pub(crate) weekday_by_hour: [f64; 24],
    pub(crate) weekend_by_hour: [f64; 24],
    pub(crate) passersby_per_person: f64,
    pub(crate) passing_secs: [f64; 2],
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct People {
    pub(crate) group_size_weights: Vec<f64>,
    pub(crate) stops_mean: f64,
    pub(crate) walk_m_per_sec: f64,
    pub(crate) near_m: f64,
    pub(crate) stairs_m: f64,
    pub(crate) spot_secs: f64,
    pub(crate) leaving_mins: f64,
    pub(crate) staff_before_mins: f64,
    pub(crate) staff_after_mins: f64,
    pub(crate) at_closing: Closing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Closing {
    WhereTheyAre,
    ByTheExits,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Devices {
    pub(crate) phone_share: f64,
    pub(crate) two_devices_share: f64,
    pub(crate) random_share: f64,
    pub(crate) associated_of_stable_share: f64,
    pub(crate) ios_share: f64,
    pub(crate) android_connected_share: f64,
    pub(crate) ble_share: f64,
    pub(crate) ble_static_share: f64,
    pub(crate) staff_badge_share: f64,
    pub(crate) heavy_talker_share: f64,
    pub(crate) heavy_addresses_per_burst: [u8; 2],
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rhythms {
    pub(crate) android_unconnected_secs: f64,
    pub(crate) android_connected_secs: f64,
    pub(crate) ios_spikes_secs: [f64; 2],
    pub(crate) ios_under_minute_share: f64,
    pub(crate) ios_spike_share: f64,
    pub(crate) ios_longest_secs: f64,
    pub(crate) awake_share: f64,
    pub(crate) awake_secs: f64,
    pub(crate) burst_ms: f64,
    pub(crate) frames_per_burst: [u8; 2],
    pub(crate) associated_secs: f64,
    pub(crate) ble_secs: f64,
    pub(crate) ble_rotation_mins: [f64; 2],
    pub(crate) fixture_secs: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Radio {
    pub(crate) model: Model,
    pub(crate) wifi_at_1_m_dbm: f64,
    pub(crate) ble_at_1_m_dbm: f64,
    pub(crate) exponent: f64,
    pub(crate) sigma_db: f64,
    pub(crate) shadow_shares: [f64; 3],
    pub(crate) wall_loss_db: f64,
    pub(crate) floor_loss_db: f64,
    pub(crate) floor_height_m: f64,
    pub(crate) body_loss_db: [f64; 2],
    pub(crate) weakest_dbm: f64,
    pub(crate) multi_wall: MultiWall,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Model {
    LogDistance,
    MultiWall,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MultiWall {
    pub(crate) exponent: f64,
    pub(crate) light_wall_db: f64,
    pub(crate) heavy_wall_db: f64,
    pub(crate) floor_db: f64,
    pub(crate) floor_b: f64,
    pub(crate) shadow_db: f64,
    pub(crate) shadow_m: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sending {
    pub(crate) batch_secs: u8,
    pub(crate) batch_sightings_max: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Floor {
    pub(crate) id: String,
    pub(crate) level: i8,
    pub(crate) drawn_at: [f64; 2],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    #[default]
    Shop,
    Walkway,
    Entrance,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Zone {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) floor: String,
    #[serde(default)]
    pub(super) role: Role,
    pub(super) polygon: Vec<[f64; 2]>,
    #[serde(default)]
    pub(super) attraction: f64,
    #[serde(default)]
    pub(super) dwell_median_mins: f64,
    #[serde(default)]
    pub(super) dwell_sigma: f64,
    #[serde(default)]
    pub(super) staff: u16,
    pub(super) outside: Option<[f64; 2]>,
    #[serde(default)]
    pub(super) leads_to: Vec<String>,
}

/// With the keys of `[sensing]` laid under its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sensor {
    pub(super) id: String,
    pub(super) zone: String,
    pub(super) at: [f64; 2],
    pub(super) rssi_offset_db: i8,
    pub(super) duty: f64,
    pub(super) duty_cycle_secs: f64,
    pub(super) loss: f64,
    pub(super) clock_error_ms: i64,
    pub(super) message_loss: f64,
    pub(super) duplicates: f64,
    pub(super) reordering: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outage {
    pub(super) sensor: String,
    pub(super) from: String,
    pub(super) to: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Guard {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) round: Vec<String>,
    pub(super) zone_mins: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Traffic {
    pub(crate) street: [[f64; 2]; 2],
    pub(crate) cars_by_hour: [f64; 24],
    pub(crate) m_per_sec: [f64; 2],
    pub(crate) phones_per_car: f64,
    pub(crate) car_loss_db: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fixture {
    pub(super) zone: String,
    pub(super) kind: FixtureKind,
    pub(super) count: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FixtureKind {
    Till,
    Television,
}
