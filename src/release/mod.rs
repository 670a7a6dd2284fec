#![doc = include_str!("README.md")]

mod bend;
mod figure;
mod footfall;
mod halves;
mod judge;
mod lengths;
mod live;
mod moves;
mod seal;
mod series;
mod sheet;
#[cfg(test)]
mod solver_tests;
mod tables;
mod traffic;
mod usual;

pub use crate::aggregate::Bands;
pub use figure::{Banded, Figure, Flags, Label, Metric, Scope, State};
pub use judge::{Judge, Made};
pub use live::{Live, RateBand, SensorLive, Shown, quiet_sensors, sensors};
pub use sheet::{Sheet, SheetCell, Subject};
pub use usual::USUAL_DAYS;
