//! The corridor.

mod lenses;

pub use lenses::{Lenses, Moment, Passed};
