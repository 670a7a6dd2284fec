//! Passant counts the people in a venue from the radio signals their phones send anyway, and keeps nobody's trace.

pub mod aggregate;
pub mod app;
pub mod calibration;
pub mod chance;
pub mod clock;
pub mod config;
pub mod crowd;
pub mod optout;
pub mod pipeline;
pub mod pseudonym;
pub mod release;
pub mod roster;
pub mod sighting;
pub mod telemetry;
pub mod visit;
