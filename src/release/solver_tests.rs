//! P4 as an attacker sees it: everything published about a random venue, with every equation there is between figures,
//! handed to a linear solver. `PASSANT_SOLVER_DRAWS` asks for more draws.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

use super::*;
use crate::aggregate::{Closed, Covered, Dwell, Level, Occupancy, Place, Traffic, ZoneWindow};
use crate::clock::{EpochMs, Step, Window};
use crate::config::{Config, Venue};

const K: f64 = 10.0;
const DRAWS: u32 = 24;
/// Held-back cells that are solved for in a draw, at most.
const TARGETS_MAX: usize = 14;
const FIVE_MS: i64 = 300_000;
/// A solver's answer is this exact.
const EPSILON: f64 = 1e-6;

/// Numbers by a seed: SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }

    fn share(&mut self) -> f64 {
        self.below(1 << 32) as f64 / (1u64 << 32) as f64
    }
}

/// The equation that ties a metric to others, or why there is none.
enum Equation {
    /// A place's is the sum of its zones', a window's the mean of its half-minutes.
    Mean,
    /// The largest half-minute: not below the mean, nor below that of a window inside.
    Peak,
    /// A window's is the sum of those inside; visits are passers-by, bounces and long visits; the engaged are long.
    Sum,
    /// Of a longer window at most the sum of those inside, at least each of them.
    Distinct,
    /// A ratio of rounded long visits to them and rounded passers-by.
    Ratio,
    /// Tells of at least k long visits, and of nothing that is counted.
    AtLeastK,
}

fn equation(metric: &str) -> Option<Equation> {
    Some(match metric {
        "occupancy" => Equation::Mean,
        "occupancy_peak" => Equation::Peak,
        "visits" | "passersby" | "bounces" | "engaged" => Equation::Sum,
        "visitors" => Equation::Distinct,
        "capture_rate" => Equation::Ratio,
        "dwell_mean" | "dwell_p25" | "dwell_median" | "dwell_p75" => Equation::AtLeastK,
        _ => return None,
    })
}

fn words(schema: &str) -> Vec<String> {
    let document: serde_json::Value = serde_json::from_str(include_str!("../api/openapi.json")).unwrap();
    let schema = &document["components"]["schemas"][schema];
    let of = |value: &serde_json::Value| {
        let words = value["enum"].as_array().cloned().unwrap_or_default();
        let word = value["const"].as_str().map(|word| vec![word.into()]);
        if words.is_empty() { word.unwrap_or_default() } else { words }
    };
    let mut all = of(schema);
    for some in schema["oneOf"].as_array().into_iter().flatten() {
        all.extend(of(some));
    }
    all.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_metric_and_step_of_the_document_has_its_equation_stated() {
    let metrics = words("Metric");
    assert_eq!(metrics.len(), Metric::ALL.len());
    for metric in metrics {
        assert!(equation(&metric).is_some(), "state the equations of {metric} here before it is published");
    }
    let steps: Vec<&str> = Step::ALL.iter().map(|step| step.as_str()).collect();
    assert_eq!(words("StepWord"), steps);
}

/// A linear programme over cells, remade for every question.
#[derive(Default)]
struct System {
    bounds: Vec<(f64, f64)>,
    rows: Vec<(Vec<(usize, f64)>, f64, f64)>,
}

impl System {
    fn cell(&mut self) -> usize {
        self.bounds.push((0.0, f64::INFINITY));
        self.bounds.len() - 1
    }

    fn between(&mut self, terms: Vec<(usize, f64)>, low: f64, high: f64) {
        self.rows.push((terms, low, high));
    }

    /// The least and the most that a sum of cells can be.
    fn range(&self, target: &[(usize, f64)]) -> (f64, f64) {
        let mut ends = [OptimizationDirection::Minimize, OptimizationDirection::Maximize].map(|direction| {
            let mut problem = Problem::new(direction);
            let cost =
                |cell: usize| target.iter().filter(|(of, _)| *of == cell).map(|(_, by)| by).sum::<f64>();
            let cells: Vec<Variable> =
                self.bounds.iter().enumerate().map(|(n, bounds)| problem.add_var(cost(n), *bounds)).collect();
            for (terms, low, high) in &self.rows {
                let terms: Vec<_> = terms.iter().map(|(cell, by)| (cells[*cell], *by)).collect();
                problem.add_constraint(&terms[..], ComparisonOp::Ge, *low);
                if high.is_finite() {
                    problem.add_constraint(&terms[..], ComparisonOp::Le, *high);
                }
            }
            match problem.solve().map(|outcome| outcome.solution().map(microlp::Solution::objective)) {
                Ok(objective) => objective.expect("the solver comes to an end"),
                Err(microlp::Error::Unbounded) => f64::INFINITY,
                Err(error) => panic!("the truth solves it, but {error}"),
            }
        });
        ends[0] = ends[0].max(0.0);
        (ends[0], ends[1])
    }
}

/// A draw as its attacker knows it, and what he would like to know.
struct Secret {
    system: System,
    targets: Vec<(String, Vec<(usize, f64)>)>,
    /// Cells with 2k and more, and how many of them are shown.
    large: usize,
    large_shown: usize,
}

impl Secret {
    /// What the solver finds: cells of which it knows too much.
    fn found(mut self, dice: &mut Dice) -> Vec<String> {
        while self.targets.len() > TARGETS_MAX {
            let one = dice.below(self.targets.len() as u64) as usize;
            self.targets.swap_remove(one);
        }
        let mut found = Vec::new();
        for (name, target) in &self.targets {
            let (low, high) = self.system.range(target);
            if low > EPSILON || high - low < (K / 2.0).ceil() - EPSILON {
                found.push(format!("{name} lies in {low}..{high}"));
            }
        }
        found
    }
}

fn venue(zones: usize, groups: bool) -> Arc<Venue> {
    let mut text = "data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1883\"\n[privacy]\nk = 10\n[[venue]]\nid = \"mall\"\n\
                    timezone = \"UTC\"\nday_starts_at = \"00:00\"\n"
        .to_owned();
    for zone in 0..zones {
        text += &format!("[[venue.zone]]\nid = \"z{zone}\"\n");
        if groups && zone % 3 < 2 {
            text += &format!("group = \"g{}\"\n", zone % 3);
        }
        text += &format!("[[venue.sensor]]\nid = \"s{zone}\"\nzone = \"z{zone}\"\n");
    }
    Arc::new(Config::parse(&text, std::iter::empty()).unwrap().venues.remove(0))
}

/// Windows of every step over some five-minute windows, in the order in which they close: step, first and last.
fn windows(five: usize) -> Vec<(Step, usize, usize)> {
    let mut windows = Vec::new();
    for t in 1..=five {
        windows.push((Step::FiveMinutes, t - 1, t));
        for (step, length) in [(Step::QuarterHour, 3), (Step::Hour, 12)] {
            if t % length == 0 {
                windows.push((step, t - length, t));
            }
        }
    }
    windows.push((Step::Day, 0, five));
    windows
}

fn window(venue: &Venue, step: Step, first: usize) -> Window {
    venue.calendar.window_of(EpochMs(first as i64 * FIVE_MS), step)
}

/// How the figures were made: by the judge, or by one who knows k alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Judge,
    KAlone,
}

/// A judge without rounding and partners, which exists in this test only.
fn by_k_alone(people: f64) -> Option<f64> {
    (people >= K).then_some(people)
}

#[path = "solver_tests/crowd.rs"]
mod crowd;
#[path = "solver_tests/visits.rs"]
mod visits;

fn draws() -> u32 {
    std::env::var("PASSANT_SOLVER_DRAWS").ok().and_then(|n| n.parse().ok()).unwrap_or(DRAWS)
}

/// What is found in how many draws, and the share of large cells that is shown, in percent.
fn solve(draw: impl Fn(&mut Dice, By) -> Secret, by: By) -> (Vec<Vec<String>>, f64) {
    let (mut found, mut large, mut shown) = (Vec::new(), 0, 0);
    for seed in 0..draws() {
        let mut dice = Dice(u64::from(seed));
        let secret = draw(&mut dice, by);
        large += secret.large;
        shown += secret.large_shown;
        let of_draw: Vec<String> =
            secret.found(&mut dice).iter().map(|what| format!("draw {seed}: {what}")).collect();
        found.push(of_draw);
    }
    (found, 100.0 * shown as f64 / large.max(1) as f64)
}

fn holds(draw: impl Fn(&mut Dice, By) -> Secret, useful_percent: f64) {
    let (found, shown) = solve(&draw, By::Judge);
    let all: Vec<String> = found.into_iter().flatten().collect();
    assert!(all.is_empty(), "the solver finds {} cells: {:#?}", all.len(), &all[..all.len().min(12)]);
    assert!(shown >= useful_percent, "of cells with 2k and more only {shown:.1} % are shown");
    let (found, _) = solve(&draw, By::KAlone);
    let draws_found = found.iter().filter(|of_draw| !of_draw.is_empty()).count();
    assert!(
        5 * draws_found >= found.len(),
        "k alone gives away something in {draws_found} of {} draws",
        found.len()
    );
}

#[test]
fn the_solver_finds_nothing_in_occupancy() {
    holds(crowd::draw, 75.0);
}

#[test]
fn the_solver_finds_nothing_in_occupancy_that_was_watched_live() {
    holds(crowd::draw_live, 75.0);
}

#[test]
fn the_solver_finds_nothing_in_visits() {
    holds(visits::draw, 98.0);
}
