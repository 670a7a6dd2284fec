//! Bounds on errors, and how they are written.

use std::str::FromStr;

use super::score::Score;
use super::series::{Scope, series_of};
use crate::mall::truth::Step;

/// The bounds that hold unless others are given, for what the server offers.
pub const DEFAULTS: [&str; 12] = [
    "visits.1h.zones.mae=8",
    "visits.1h.zones.bias=3",
    "visitors.1d.venue.mape=2",
    "dwell_mean.1d.venue.mape=5",
    "occupancy.5m.zones.mape=12",
    "occupancy.5m.zones.coverage=72..90",
    "occupancy.5m.zones.width=1.3",
    "footfall.1h.venue.mape=10",
    "footfall.1h.venue.coverage=72..90",
    "footfall.1h.venue.width=1.3",
    "flows.1d.venue.tvd=0.1",
    "dwell.1d.venue.tvd=0.1",
];

/// A bound on one measure of one figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    pub(super) metric: &'static str,
    pub(super) step: Step,
    pub(super) scope: Scope,
    measure: Measure,
    low: f64,
    high: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Mae,
    Mape,
    Bias,
    Coverage,
    Width,
    HeldBack,
    Tvd,
    Untold,
}

const MEASURES: [(&str, Measure); 8] = [
    ("mae", Measure::Mae),
    ("mape", Measure::Mape),
    ("bias", Measure::Bias),
    ("coverage", Measure::Coverage),
    ("width", Measure::Width),
    ("held_back", Measure::HeldBack),
    ("tvd", Measure::Tvd),
    ("untold", Measure::Untold),
];

impl Bound {
    /// The bounds that hold unless others are given.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        DEFAULTS.iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// What a score breaks of it, in words; nothing if it keeps it or has no such number.
    pub(super) fn broken_by(&self, score: &Score) -> Option<String> {
        let value = self.measured(score)?;
        let within = (self.low..=self.high).contains(&value);
        (!within).then(|| format!("{} is {value:.2}", self.name()))
    }

    /// Whether a score has the number.
    pub(super) fn judges(&self, score: &Score) -> bool {
        self.measured(score).is_some()
    }

    fn measured(&self, score: &Score) -> Option<f64> {
        match self.measure {
            Measure::Mae => score.mae_percent,
            Measure::Mape => score.mape_percent,
            Measure::Bias => score.bias_percent,
            Measure::Coverage => score.coverage_percent,
            Measure::Width => score.width_ratio,
            Measure::HeldBack => score.held_back_percent,
            Measure::Tvd => score.tvd,
            Measure::Untold => score.untold_percent,
        }
    }

    /// As it is written, with everything named.
    #[must_use]
    pub fn name(&self) -> String {
        let word = MEASURES.iter().find(|(_, measure)| *measure == self.measure).map_or("", |(word, _)| word);
        let bound = match (self.measure, self.low, self.high) {
            (Measure::Coverage, low, high) => format!("{low}..{high}"),
            (Measure::Bias, low, high) if low == -high => high.to_string(),
            (_, f64::NEG_INFINITY, high) => high.to_string(),
            (_, low, high) => format!("{low}..{high}"),
        };
        format!("{}.{}.{}.{word}={bound}", self.metric, self.step.word(), self.scope.word())
    }
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{text}: {what}; write it like occupancy.5m.zones.mape=12");
        let (name, bound) = text.split_once('=').ok_or_else(|| wrong("there is no ="))?;
        let mut parts: Vec<&str> = name.split('.').collect();
        let word = parts.pop().unwrap_or_default();
        let measure = MEASURES.iter().find(|(measure, _)| *measure == word);
        let (_, measure) = measure.ok_or_else(|| {
            wrong("measures are mae, mape, bias, coverage, width, held_back, tvd and untold")
        })?;
        let (metric, series) = parts
            .first()
            .and_then(|metric| series_of(metric))
            .ok_or_else(|| wrong("there is no such figure"))?;
        let (first_step, first_scope) = *series.first().ok_or_else(|| wrong("it has no series"))?;
        let step =
            parts.get(1).map_or(Some(first_step), |word| Step::ALL.into_iter().find(|s| s.word() == *word));
        let step = step.ok_or_else(|| wrong("steps are 5m, 15m, 1h and 1d"))?;
        let scope =
            parts.get(2).map_or(Some(first_scope), |word| Scope::ALL.into_iter().find(|s| s.word() == *word));
        let scope = scope.ok_or_else(|| wrong("scopes are zones and venue"))?;
        if parts.len() > 3 || !series.contains(&(step, scope)) {
            return Err(wrong("that figure is not told so"));
        }
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        let (low, high) = match bound.split_once("..") {
            Some((low, high)) => (number(low), number(high)),
            None if *measure == Measure::Coverage => (number(bound), Some(100.0)),
            None if *measure == Measure::Bias => (number(bound).map(|high| -high), number(bound)),
            None => (Some(f64::NEG_INFINITY), number(bound)),
        };
        let (low, high) = low.zip(high).filter(|(low, high)| low <= high).ok_or_else(|| wrong("no bound"))?;
        Ok(Self { metric, step, scope, measure: *measure, low, high })
    }
}
