#![doc = include_str!("README.md")]

mod corridor;
mod journal;
mod lenses;
#[cfg(test)]
mod moves_score;
mod opening;
mod run;
mod venue_clock;

pub use corridor::{Corridor, Earlier, Room, Write};
pub use journal::{JOURNAL_MS, Journal};
pub use lenses::{Lenses, Moment, Passed};
pub use run::{DELIVERIES_MAX, Door, Running, start, write_down};
pub use venue_clock::{Reading, VenueClock};
