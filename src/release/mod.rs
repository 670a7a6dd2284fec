#![doc = include_str!("README.md")]

mod bookings;
mod columns;
mod figure;
mod judge;
mod live;
mod partners;
mod seal;
#[cfg(test)]
mod solver_tests;
mod traffic;

pub use figure::{Banded, Figure, Flags, Label, Metric, Scope, State};
pub use judge::{Judge, Made};
pub use live::{Live, RateBand, SensorLive, Shown, quiet_sensors, sensors};
