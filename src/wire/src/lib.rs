#![doc = include_str!("../README.md")]

mod binary;
mod device;
#[cfg(feature = "simulate")]
pub mod encode;
mod json;
mod report;
mod topic;

pub use device::{DeviceId, RESERVED_OCTETS, WALK_OCTETS, WALKERS_MAX, Walker};
pub use report::{
    BootId, DecodeError, Heard, ItemRefusal, ItemRefusals, Kind, Reason, Report, Status, decode,
};
pub use topic::{Id, PROBE_SENSOR, Subject, Topic, TopicError};

/// The most bytes a payload may have; a larger message is refused whole.
pub const PAYLOAD_BYTES_MAX: usize = 256 * 1024;

/// The most sightings a message may carry; a fuller message is refused whole.
pub const SIGHTINGS_MAX: usize = 4096;

/// Seconds a sighting may wait anywhere before it is worthless: MQTT session expiry, message expiry and the oldest
/// time accepted are this one number.
pub const LIFE_SECS: u32 = 120;

/// Seconds a sighting's time may run ahead of the venue's clock.
pub const AHEAD_SECS: u32 = 30;

/// Seconds between a sensor's heartbeats, at most.
pub const HEARTBEAT_SECS: u32 = 30;

/// The MQTT 5 content type of the compact binary form.
pub const BINARY_CONTENT_TYPE: &str = "application/vnd.passant.sightings.v1";
