//! Passant counts the people in a venue from the radio signals their phones send anyway, and keeps nobody's trace.

pub mod api;
pub mod calibration;
pub mod chance;
pub mod clock;
pub mod config;
pub mod office;
pub mod release;
pub mod sighting;
pub mod store;
pub mod telemetry;
