//! The law that a set of head counts makes: its power, its knee and the error of one count.

use std::collections::BTreeMap;

use super::{
    KAPPA_WITHIN, PEOPLE_SIGMA, POWER_RANGE, POWER_ROOT_MAX, POWER_UNCALIBRATED, kappa_prior_squared,
};

/// The prior of κ weighs as much as this many counted groups.
const KAPPA_PRIOR_GROUPS: f64 = 24.0;
/// The median of a χ² distribution of one degree of freedom.
const CHI_SQUARED_MEDIAN: f64 = 0.455;
/// The share of v's inside the counted windows that lies under the knee.
const KNEE_QUANTILE: f64 = 0.9;
/// How far p may well lie from that of the measured room: the standard deviation of its prior.
const POWER_PRIOR_SIGMA: f64 = 0.3;

/// A count with what was heard meanwhile.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub(super) people: f64,
    pub(super) roots: Vec<f64>,
}

impl Counted {
    pub(super) fn mean_root(&self) -> f64 {
        self.mean_power(1.0)
    }

    /// The mean of v^p.
    pub(super) fn mean_power(&self, power: f64) -> f64 {
        self.roots.iter().map(|root| root.powf(power)).sum::<f64>() / self.roots.len() as f64
    }
}

/// Head counts by their row in the office.
pub(super) type Counts = BTreeMap<i64, Counted>;

/// p: the slope between log v and log people over the counts, shrunk to the measured room's, and to 2 as far as the
/// counts are of louder crowds: a root must not be extrapolated.
///
/// Whoever counts heads is right, and v is what strays. So log v is drawn over log people, and p is one over that
/// slope: people drawn over v would come out too flat, the more the counts stray (regression dilution, Fuller,
/// Measurement Error Models, 1987, § 1.1). What is expected of p is put in its place as a slope of 1/p, known as
/// well.
pub(super) fn power(counts: &Counts) -> f64 {
    let heard = |count: &Counted| {
        let root = count.mean_root();
        (count.people > 0.0 && root > 0.0).then(|| (root.ln(), count.people.ln()))
    };
    let points: Vec<(f64, f64)> = counts.values().filter_map(heard).collect();
    let groups = points.len().max(1) as f64;
    let root = points.iter().map(|(root, _)| root).sum::<f64>() / groups;
    let people = points.iter().map(|(_, people)| people).sum::<f64>() / groups;
    let spread = points.iter().map(|point| (point.1 - people).powi(2)).sum::<f64>();
    let together = points.iter().map(|point| (point.0 - root) * (point.1 - people)).sum::<f64>();
    let louder = points.iter().filter(|(root, _)| *root > POWER_ROOT_MAX.ln()).count() as f64 / groups;
    let expected = POWER_UNCALIBRATED + louder * (POWER_RANGE.1 - POWER_UNCALIBRATED);
    // An error of people is one of v over p, and one of p is one of 1/p over p².
    let prior = (expected * KAPPA_WITHIN / POWER_PRIOR_SIGMA).powi(2);
    let slope = (together + prior / expected) / (spread + prior);
    (1.0 / slope.max(1.0 / POWER_RANGE.1)).max(POWER_RANGE.0)
}

/// The v under which most of what was heard in the counted windows lies; none without a count.
pub(super) fn knee(counts: &Counts) -> Option<f64> {
    let mut roots: Vec<f64> = counts.values().flat_map(|c| c.roots.iter().copied()).collect();
    roots.sort_by(f64::total_cmp);
    let at = (KNEE_QUANTILE * roots.len() as f64) as usize;
    roots.get(at.min(roots.len().saturating_sub(1))).copied()
}

/// κ: the relative error of one count, from what each is off when it is foretold by the others.
pub(super) fn kappa(counts: &Counts, people_sum: f64, root_sum: f64, power: f64) -> f64 {
    let groups = counts.len();
    let prior = kappa_prior_squared(groups);
    let mut excesses: Vec<f64> = counts
        .values()
        .filter_map(|count| {
            let root = count.mean_power(power);
            let expected = (people_sum - count.people) / (root_sum - root) * root;
            let excess = (count.people - expected).powi(2) - PEOPLE_SIGMA.powi(2);
            // Where the other counts expect nobody, nothing can be said of a relative error.
            (expected > 0.0).then(|| excess.max(0.0) / expected.powi(2))
        })
        .collect();
    if excesses.len() < 2 {
        return prior.sqrt();
    }
    excesses.sort_by(f64::total_cmp);
    let groups = excesses.len();
    let median = f64::midpoint(excesses[(groups - 1) / 2], excesses[groups / 2]);
    let seen = median / CHI_SQUARED_MEDIAN;
    let groups = groups as f64;
    ((KAPPA_PRIOR_GROUPS * prior + groups * seen) / (KAPPA_PRIOR_GROUPS + groups)).sqrt()
}
