#![doc = include_str!("README.md")]

mod calibrator;
mod seal;

pub use calibrator::{Calibrator, Count, Kept, Summary};

/// People per unit of v before any head count: measured in one university room.
pub const SCALE_UNCALIBRATED: f64 = 7.0;
/// Half the width of an 80 % band in standard deviations of a normal law.
pub const BAND_SIGMAS: f64 = 1.28;
/// The part of the band that does not grow with the crowd, people.
const PEOPLE_SIGMA: f64 = 1.5;
/// How much wider the band of an uncalibrated figure is.
const UNCALIBRATED_WIDTH: f64 = 2.0;

/// How v becomes people: a value handed down to the crowd lens.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Calibration {
    /// Counts up with every change; 0 before the first.
    pub version: u32,
    /// How many head counts stand behind it; 0 is uncalibrated.
    pub counts: u32,
    /// A: people per unit of v.
    pub scale: f64,
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
            knee: None,
            kappa: kappa_prior_squared(1).sqrt(),
        }
    }

    /// N: the people that a mean root of v stands for.
    #[must_use]
    pub fn people(&self, v: f64) -> f64 {
        match self.knee {
            Some(knee) if v > knee => self.scale * knee * (v / knee).powi(2),
            _ => self.scale * v,
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
    0.28_f64.powi(2) + 0.20_f64.powi(2) / groups.max(1) as f64
}
