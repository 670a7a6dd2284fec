#![doc = include_str!("README.md")]

mod figure;
mod judge;
mod live;
mod nested;
mod partners;
mod traffic;

pub use figure::{Banded, Figure, Flags, Label, Metric, Scope, State};
pub use judge::{Judge, Made};
pub use live::{Live, RateBand, SensorLive, Shown, sensors};
