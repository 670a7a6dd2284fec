//! Passant counts the people in a venue from the radio signals their phones send anyway, and keeps nobody's trace.

pub mod calibration;
pub mod chance;
pub mod clock;
pub mod config;
pub mod intake;
pub mod link;
pub mod release;
pub mod sighting;
pub mod telemetry;
