#![doc = include_str!("README.md")]

mod corridor;
mod lenses;
mod opening;
mod run;
mod venue_clock;

pub use corridor::{Corridor, Room, Write};
pub use lenses::{Lenses, Moment, Passed};
pub use run::{DELIVERIES_MAX, Door, Running, start};
pub use venue_clock::{Reading, VenueClock};
