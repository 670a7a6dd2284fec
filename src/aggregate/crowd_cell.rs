//! Occupancy of one place in one window.

use crate::crowd::Estimate;

/// People at a half-minute, with half the width of their band.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Level {
    /// People.
    pub people: f64,
    /// Half the width of the 80 % band.
    pub half_width: f64,
    /// v, of a single zone; meaningless in a sum.
    pub root_mean: f64,
    /// The newest version of the calibration among what it is made of.
    pub calibration: u32,
    /// Whether a head count stands behind all it is made of.
    pub calibrated: bool,
}

/// Occupancy of a closed window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Occupancy {
    /// The mean of the half-minutes that have data; `None` where none has.
    pub mean: Option<Level>,
    /// The largest half-minute.
    pub peak: Option<Level>,
    /// The mean v of a zone's half-minutes.
    pub root_mean: Option<f64>,
    /// How many half-minutes have data.
    pub halves: u32,
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct CrowdCell {
    sum: Option<Level>,
    peak: Option<Level>,
    halves: u32,
}

impl Level {
    pub(super) fn of(estimate: &Estimate) -> Self {
        let Estimate { root_mean, people, half_width, calibration, calibrated } = *estimate;
        Self { people, half_width, root_mean, calibration, calibrated }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            people: self.people + other.people,
            half_width: self.half_width + other.half_width,
            root_mean: self.root_mean + other.root_mean,
            calibration: self.calibration.max(other.calibration),
            calibrated: self.calibrated && other.calibrated,
        }
    }

    fn over(self, count: u32) -> Self {
        let count = f64::from(count);
        Self {
            people: self.people / count,
            half_width: self.half_width / count,
            root_mean: self.root_mean / count,
            ..self
        }
    }
}

impl CrowdCell {
    pub(super) fn take(&mut self, level: Option<Level>) {
        let Some(level) = level else { return };
        self.halves += 1;
        self.sum = Some(self.sum.map_or(level, |sum| sum.plus(level)));
        if self.peak.is_none_or(|peak| level.people > peak.people) {
            self.peak = Some(level);
        }
    }

    pub(super) fn finish(self) -> Occupancy {
        let mean = self.sum.map(|sum| sum.over(self.halves));
        Occupancy { mean, peak: self.peak, root_mean: mean.map(|mean| mean.root_mean), halves: self.halves }
    }
}
