#![doc = include_str!("README.md")]

mod calibrator;
mod fit;
mod mixing;
mod seal;

pub use calibrator::{Calibrator, Count, Kept, Summary};
pub use mixing::{Mixing, Unmixing};

/// People per unit of v before any head count: measured in one university room.
pub const SCALE_UNCALIBRATED: f64 = 7.0;
/// p before any head count, and what it is shrunk to: the root law of the same room.
pub const POWER_UNCALIBRATED: f64 = 1.0;
/// p never leaves this range: from a root, where few heavy talkers are most of what is heard, to a plain count.
pub const POWER_RANGE: (f64, f64) = (POWER_UNCALIBRATED, 2.0);
/// The mean v of no count of the measured room is over this: its p says nothing of louder crowds.
const POWER_ROOT_MAX: f64 = 2.7;
/// Half the width of an 80 % band in standard deviations of a normal law.
pub const BAND_SIGMAS: f64 = 1.28;
/// The part of the band that does not grow with the crowd, people.
const PEOPLE_SIGMA: f64 = 1.5;
/// How much wider the band of an uncalibrated figure is.
const UNCALIBRATED_WIDTH: f64 = 2.0;
/// The relative error of one count, and how much rooms differ: the same measured room.
const KAPPA_WITHIN: f64 = 0.28;
const KAPPA_BETWEEN: f64 = 0.20;

/// How v becomes people: a value handed down to the crowd lens.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Calibration {
    /// Counts up with every change; 0 before the first.
    pub version: u32,
    /// How many head counts stand behind it; 0 is uncalibrated.
    pub counts: u32,
    /// A: people per unit of v^p.
    pub scale: f64,
    /// p: 1 where people grow with the root of what is heard, 2 where they grow with its number.
    pub power: f64,
    /// v*: above it people grow with the square of v.
    pub knee: Option<f64>,
    /// κ: the relative part of the band.
    pub kappa: f64,
}

impl Calibration {
    /// What is assumed before any head count.
    #[must_use]
    pub fn uncalibrated() -> Self {
        Self {
            version: 0,
            counts: 0,
            scale: SCALE_UNCALIBRATED,
            power: POWER_UNCALIBRATED,
            knee: None,
            kappa: kappa_prior_squared(1).sqrt(),
        }
    }

    /// N: the people that a mean root of v stands for.
    #[must_use]
    pub fn people(&self, v: f64) -> f64 {
        match self.knee {
            Some(knee) if v > knee => self.scale * knee.powf(self.power) * (v / knee).powi(2),
            _ => self.scale * v.powf(self.power),
        }
    }

    /// Half the width of the 80 % band around N people.
    #[must_use]
    pub fn half_width(&self, people: f64) -> f64 {
        let width = BAND_SIGMAS * (PEOPLE_SIGMA.powi(2) + (self.kappa * people).powi(2)).sqrt();
        if self.is_calibrated() { width } else { width * UNCALIBRATED_WIDTH }
    }

    /// Whether a head count stands behind it.
    #[must_use]
    pub fn is_calibrated(&self) -> bool {
        self.counts > 0
    }
}

/// κ² expected of a room with so many groups counted, from the same measured room.
fn kappa_prior_squared(groups: usize) -> f64 {
    KAPPA_WITHIN.powi(2) + KAPPA_BETWEEN.powi(2) / groups.max(1) as f64
}
