//! P4 as an attacker sees it. He asks the questions of the API's document about a random venue, and he is handed more
//! than the answers: every shown number exactly, and of the hidden all that bending lets through. A linear solver looks
//! for a world in which a held-back cell is nobody, and for one in which it is half of k and more; then both worlds are
//! judged, and every byte of every metric, band, peak, state and flag must be the same as in the true one.
//! `PASSANT_SOLVER_DRAWS` asks for more draws.

use std::collections::BTreeMap;
use std::sync::Arc;

use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

use super::bend::Bent;
use super::*;
use crate::aggregate::{Closed, Covered, Dwell, Level, Newest, Occupancy, Place, Traffic, ZoneWindow};
use crate::clock::{EpochMs, Step, Window};
use crate::config::{Config, Venue};

const K: u32 = 10;
const DRAWS: u32 = 24;
/// Held-back cells that are solved for in a draw, at most.
const TARGETS_MAX: usize = 14;
/// Of cells with 2k and more at least so many are shown of a draw of venues of few zones, percent; what a mall shows is
/// held by `tests/usefulness.rs`.
const USEFUL_PERCENT: f64 = 97.0;
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

/// What ties a metric to others, by which the draws hand it over; a new metric needs a row here, and its cells there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Equation {
    /// A place's is the sum of its zones', a window's the mean of its half-minutes.
    Mean,
    /// The largest half-minute.
    Peak,
    /// A window's is the sum of those inside; visits are passers-by, bounces and long visits; the engaged are long.
    Sum,
    /// Of a longer window at most the sum of those inside, at least each of them.
    Distinct,
    /// Computed from what is told of the long visits and the passers-by.
    Ratio,
    /// Tells which share of the long visits stayed.
    Share,
    /// Computed from what is told of the venue's visitors, of the long visits, of their mean length and of the occupancy,
    /// all of which is handed over: it adds no equation, and must be the same in every world.
    Balance,
    /// Of devices that no other metric counts; told where the day's visitors are.
    Alone,
}

fn equation(metric: &str) -> Option<Equation> {
    Some(match metric {
        "occupancy" => Equation::Mean,
        "occupancy_peak" => Equation::Peak,
        "visits" | "passersby" | "bounces" | "engaged" => Equation::Sum,
        "visitors" => Equation::Distinct,
        "capture_rate" => Equation::Ratio,
        "dwell_mean" | "dwell_p25" | "dwell_median" | "dwell_p75" => Equation::Share,
        "footfall" | "stable_share" => Equation::Balance,
        "infrastructure" => Equation::Alone,
        _ => return None,
    })
}

/// What a path of the document answers with, and where it is looked at.
fn answer_of(path: &str) -> Option<&'static str> {
    Some(match path {
        "/api/v1/venues/{venue}/figures" => "figures, which are compared in every world here",
        "/api/v1/venues/{venue}/ranking" | "/api/v1/venues/{venue}/typical" => {
            "sums and quartiles of figures"
        }
        "/api/v1/venues/{venue}/live" | "/api/v1/venues/{venue}/live/stream" => "live, likewise",
        "/api/v1/venues/{venue}/export/{table}" => "figures as they were published",
        "/api/v1/venues/{venue}/alerts" => "what rules say of figures that were published",
        "/api/v1/venues/{venue}/flows"
        | "/api/v1/venues/{venue}/cross-visits"
        | "/api/v1/venues/{venue}/dwell" => "sheets, which are compared in every world of their own",
        "/api/v1/venues/{venue}/flows/total" | "/api/v1/venues/{venue}/cross-visits/mean" => {
            "sums of those sheets, made of what is told of them"
        }
        "/api/v1/venues/{venue}/sensors" | "/metrics" => "counters, which tests/night.rs looks at",
        "/api/v1/venues/{venue}/walk" => "a device that is nobody's",
        "/api/v1/venues/{venue}/strangers" => "names of sensors, without a number or a time",
        "/api/v1/venues" | "/api/v1/venues/{venue}" | "/healthz" | "/readyz" => "nothing that was heard",
        "/api/v1/venues/{venue}/head-counts" | "/api/v1/venues/{venue}/head-counts/{id}" => {
            "what was entered"
        }
        "/api/v1/venues/{venue}/door-counts" | "/api/v1/venues/{venue}/door-counts/{door}" => {
            "what the operator's own doors counted, and nothing under k"
        }
        "/api/v1/session"
        | "/api/v1/accounts"
        | "/api/v1/accounts/{id}"
        | "/api/v1/tokens"
        | "/api/v1/tokens/{id}" => "what is kept of the staff, and of nobody who is counted",
        "/api/v1/opt-outs" | "/api/v1/opt-outs/{receipt}" => "what the receipt's holder knows",
        _ => return None,
    })
}

fn document() -> serde_json::Value {
    serde_json::from_str(include_str!("../api/openapi.json")).unwrap()
}

fn words(schema: &str) -> Vec<String> {
    let document = document();
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
fn every_metric_step_and_path_of_the_document_is_stated() {
    let metrics = words("Metric");
    assert_eq!(metrics.len(), Metric::ALL.len());
    for metric in metrics {
        assert!(equation(&metric).is_some(), "state the equations of {metric} here before it is published");
    }
    let steps: Vec<&str> = Step::ALL.iter().map(|step| step.as_str()).collect();
    assert_eq!(words("StepWord"), steps);
    for path in document()["paths"].as_object().unwrap().keys() {
        assert!(answer_of(path).is_some(), "state here what {path} is made of before it is published");
    }
}

/// The questions that the document allows: every metric by every step.
fn questions() -> Vec<Query> {
    let steps = words("StepWord");
    let of = |metric: Metric| steps.iter().map(move |step| (metric, Step::parse(step).unwrap()));
    words("Metric").iter().flat_map(|metric| of(Metric::parse(metric).unwrap())).collect()
}

/// Cells with their factors.
type Terms = Vec<(usize, f64)>;

/// A linear programme over cells, remade for every question.
#[derive(Default)]
struct System {
    bounds: Vec<(f64, f64)>,
    rows: Vec<(Terms, f64, f64)>,
}

impl System {
    fn cell(&mut self, low: f64, high: f64) -> usize {
        self.bounds.push((low, high));
        self.bounds.len() - 1
    }

    fn between(&mut self, terms: Terms, low: f64, high: f64) {
        self.rows.push((terms, low, high));
    }

    /// Takes note of what a sum of hidden cells, each under k, is told to be.
    fn told(&mut self, terms: Terms, count: u32, bent: Bent) {
        if bent.most < f64::from(count * K) || bent.least > 0.0 {
            let most = if bent.most < f64::from(count * K) { bent.most } else { f64::INFINITY };
            self.between(terms, bent.least, most);
        }
    }

    /// The least that a sum of cells can be, or the most, and a world in which it is.
    fn end(&self, target: &[(usize, f64)], direction: OptimizationDirection) -> (f64, Vec<f64>) {
        let mut problem = Problem::new(direction);
        let cost = |cell: usize| target.iter().filter(|(of, _)| *of == cell).map(|(_, by)| by).sum::<f64>();
        let cells: Vec<Variable> =
            self.bounds.iter().enumerate().map(|(n, bounds)| problem.add_var(cost(n), *bounds)).collect();
        for (terms, low, high) in &self.rows {
            let terms: Vec<_> = terms.iter().map(|(cell, by)| (cells[*cell], *by)).collect();
            problem.add_constraint(&terms[..], ComparisonOp::Ge, *low);
            if high.is_finite() {
                problem.add_constraint(&terms[..], ComparisonOp::Le, *high);
            }
        }
        match problem.solve() {
            Ok(outcome) => {
                let solution = outcome.solution().expect("the solver comes to an end");
                (solution.objective(), cells.iter().map(|cell| solution.var_value(*cell)).collect())
            }
            Err(microlp::Error::Unbounded) => (f64::INFINITY, Vec::new()),
            Err(error) => panic!("the truth solves it, but {error}"),
        }
    }
}

/// All that is published of a world, line by line, given its cells; `None` where they are no whole numbers.
type World = Box<dyn Fn(&[f64]) -> Option<Vec<String>>>;

/// A draw as its attacker knows it, and what he would like to know.
struct Secret {
    system: System,
    /// By what was asked: the held-back cells, each with what it is called.
    targets: BTreeMap<Query, Vec<(String, Terms)>>,
    /// What was published, and what would be of another world.
    published: Vec<String>,
    world: Option<World>,
    /// Cells with 2k and more, and how many of them are shown.
    large: usize,
    large_shown: usize,
    /// Figures told that are computed from several others.
    balanced: usize,
}

/// A question of the document: a metric and a step.
type Query = (Metric, Step);

/// What was found, and in how many worlds.
#[derive(Default)]
struct Found {
    cells: Vec<String>,
    worlds: usize,
}

impl Secret {
    /// What an attacker finds who asks some of the document's questions: held-back cells of which he knows too much. A
    /// cell of which he knows nothing could be nobody, and could be half of k: there is a world for either in which every
    /// byte that is published is the same.
    fn found(&self, dice: &mut Dice) -> Found {
        let mut found = Found::default();
        let questions: Vec<Query> =
            questions().into_iter().filter(|question| self.targets.contains_key(question)).collect();
        for _ in 0..TARGETS_MAX {
            let Some(question) = questions.get(dice.below(questions.len() as u64) as usize) else { break };
            let cells = &self.targets[question];
            let (name, target) = &cells[dice.below(cells.len() as u64) as usize];
            let (low, nobody) = self.system.end(target, OptimizationDirection::Minimize);
            let (high, many) = self.system.end(target, OptimizationDirection::Maximize);
            if low > EPSILON || high - low.max(0.0) < (f64::from(K) / 2.0).ceil() - EPSILON {
                found.cells.push(format!("{name} lies in {low}..{high}"));
                continue;
            }
            for cells in [nobody, many] {
                let Some(lines) = self.world.as_ref().and_then(|world| world(&cells)) else { continue };
                found.worlds += 1;
                let differs = lines.iter().zip(&self.published).find(|(one, other)| one != other);
                if let Some((one, other)) = differs {
                    found.cells.push(format!("{name} shows:\n{one}\n{other}"));
                }
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

/// A solver's number, if it is whole.
fn whole_number(value: f64) -> Option<f64> {
    ((value - value.round()).abs() < EPSILON).then_some(value.round())
}

/// How the figures were made: by the judge, or by one who knows k alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Judge,
    KAlone,
}

/// A judge without rounding and bending, which exists in this test only.
fn by_k_alone(people: f64) -> Option<f64> {
    (people >= f64::from(K)).then_some(people)
}

#[path = "solver_tests/crowd.rs"]
mod crowd;
#[path = "solver_tests/tables.rs"]
mod tables;
#[path = "solver_tests/visits.rs"]
mod visits;
#[path = "solver_tests/world.rs"]
mod world;

fn draws() -> u32 {
    std::env::var("PASSANT_SOLVER_DRAWS").ok().and_then(|n| n.parse().ok()).unwrap_or(DRAWS)
}

/// What is found in each draw, in how many worlds, the share of large cells that is shown, in percent, and how many
/// figures are told that are computed from others.
fn solve(draw: impl Fn(&mut Dice, By) -> Secret, by: By) -> (Vec<Vec<String>>, usize, f64, usize) {
    let (mut found, mut worlds, mut large, mut shown, mut balanced) = (Vec::new(), 0, 0, 0, 0);
    for seed in 0..draws() {
        let mut dice = Dice(u64::from(seed));
        let secret = draw(&mut dice, by);
        large += secret.large;
        shown += secret.large_shown;
        balanced += secret.balanced;
        let of_draw = secret.found(&mut dice);
        worlds += of_draw.worlds;
        found.push(of_draw.cells.iter().map(|what| format!("draw {seed}: {what}")).collect());
    }
    (found, worlds, 100.0 * shown as f64 / large.max(1) as f64, balanced)
}

fn holds(draw: impl Fn(&mut Dice, By) -> Secret) -> usize {
    let (found, worlds, shown, balanced) = solve(&draw, By::Judge);
    let all: Vec<String> = found.into_iter().flatten().collect();
    assert!(all.is_empty(), "the solver finds {} cells: {:#?}", all.len(), &all[..all.len().min(12)]);
    assert!(worlds >= draws() as usize, "only {worlds} worlds were looked at");
    assert!(shown >= USEFUL_PERCENT, "of cells with 2k and more only {shown:.2} % are shown");
    let (found, ..) = solve(&draw, By::KAlone);
    let draws_found = found.iter().filter(|of_draw| !of_draw.is_empty()).count();
    assert!(
        5 * draws_found >= found.len(),
        "k alone gives something away in {draws_found} of {} draws",
        found.len()
    );
    balanced
}

#[test]
fn the_solver_finds_nothing_in_occupancy() {
    holds(crowd::draw);
}

#[test]
fn the_solver_finds_nothing_in_visits() {
    let balanced = holds(visits::draw);
    assert!(balanced > draws() as usize, "footfall and stable share were told {balanced} times only");
}

#[test]
fn the_solver_finds_nothing_in_tables() {
    holds(tables::draw);
}
