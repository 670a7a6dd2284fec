//! The shut door: what is small, deducible or open is judged here, once, before anything is written.

mod figure;

pub use figure::{
    Banded, CROWD_LATENESS_SECS, Figure, Flags, Label, Live, Metric, RateBand, Scope, SensorLive, Shown,
    State, VISIT_LATENESS_SECS,
};
