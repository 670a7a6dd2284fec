//! Flows and cross-visits against a simulated mall, of which the truth is known: a day's messages through both lenses and the
//! judge, beside the simulator's truth of the same day. What is compared is what leaves: cells that are told, rounded, and
//! of which chance left some out. `cargo test --test flows_score -- --nocapture` prints the scores.

use std::collections::BTreeMap;
use std::sync::Arc;

use passant::clock::{EpochMs, SteadyMs, Step};
use passant::config::Config;
use passant::intake::{self, Directory};
use passant::optout::{Gate, Key};
use passant::pipeline::{Lenses, Moment};
use passant::release::{Judge, Sheet, Subject};
use passant::sighting::Arrival;
use passant::telemetry::Tally;
use sensor_sim::mall::truth::{self, Line};
use sensor_sim::mall::{MALL, Mall, Scenario};

/// 2026-11-24, a Tuesday, at 04:00 in Paris, when the venue's day begins.
const FROM: i64 = 1_795_489_200_000;
const DAY_MS: i64 = 86_400_000;
/// A day's visits have closed this long after it.
const CLOSING_MS: i64 = 20 * 60_000;
/// Judged, and never tuned on.
const SEED: u64 = 9001;
/// Half the sum of how far shares are apart.
const DISTANCE_MAX: f64 = 0.10;

type Pair = (String, String);

#[test]
fn the_demos_mall() {
    score(&Scenario::parse(MALL).expect("the one that ships"), "mall.toml");
}

#[test]
#[ignore = "needs time"]
fn the_mall_of_two_floors() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sensor-sim/scenarios");
    let name = "two-floors.toml";
    score(&Scenario::load(&folder.join(name)).expect("the one that ships"), name);
}

fn score(scenario: &Scenario, name: &str) {
    let sheets = walk(scenario);
    let of = |subject: Subject| {
        let mut days = sheets.iter().filter(|sheet| sheet.step() == Step::Day && sheet.zone().is_none());
        days.find(|sheet| sheet.subject() == subject).expect("a day has closed")
    };
    let (mut all, mut visitors, mut shares) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let (mut came_in, mut went_out) = (BTreeMap::new(), BTreeMap::new());
    for line in truth::of(scenario, SEED, FROM, FROM + DAY_MS) {
        match line {
            Line::Flow(flow) => {
                let pair = (flow.from_zone, flow.to_zone);
                all.insert(pair.clone(), flow.all.stable_devices as f64);
                visitors.insert(pair, flow.visitors.stable_devices as f64);
            }
            Line::CrossVisit(cross) => {
                let share = 100.0 * cross.also_visits as f64 / cross.visits as f64;
                shares.insert((cross.zone, cross.also), share);
            }
            Line::Window(window) if window.step == truth::Step::Day => {
                let Some(zone) = window.zone else { continue };
                came_in.insert((String::new(), zone.clone()), window.people.came_in as f64);
                went_out.insert((zone, String::new()), window.people.went_out as f64);
            }
            _ => {}
        }
    }
    let flows = of(Subject::Flows);
    let told = |keep: fn(&Pair) -> bool| {
        let cells = flows
            .cells()
            .iter()
            .map(|cell| ((cell.row.clone(), cell.column.clone()), f64::from(cell.value.0)));
        cells.filter(|(pair, _)| keep(pair)).collect::<BTreeMap<Pair, f64>>()
    };
    let inner = told(|(from, to)| !from.is_empty() && !to.is_empty());
    say(&format!("{name}, seed {SEED}"));
    distance("flows of visitors", &inner, &visitors);
    distance("flows, all", &inner, &all);
    distance("entrances", &told(|(from, _)| from.is_empty()), &came_in);
    distance("exits", &told(|(_, to)| to.is_empty()), &went_out);
    say(&format!(
        "  held back, all cells: {:?} of {}",
        flows.held_back(),
        flows.cells().iter().map(|cell| cell.value.0).sum::<u32>() + flows.held_back().unwrap_or(0)
    ));
    let crosses = of(Subject::CrossVisits);
    let errors: Vec<f64> = crosses
        .cells()
        .iter()
        .filter_map(|cell| {
            let truth = shares.get(&(cell.row.clone(), cell.column.clone()))?;
            Some(f64::from(cell.value.0) - truth)
        })
        .collect();
    let mean = |of: &dyn Fn(&f64) -> f64| errors.iter().map(of).sum::<f64>() / errors.len() as f64;
    say(&format!(
        "  cross-visits: {} of {} cells told; mean error {:.1} points, bias {:.1}",
        errors.len(),
        shares.len(),
        mean(&|e| e.abs()),
        mean(&|e| *e)
    ));
}

/// The total variation distance over the told cells, each side made one.
fn distance(what: &str, told: &BTreeMap<Pair, f64>, truth: &BTreeMap<Pair, f64>) -> f64 {
    let of = |pair: &Pair| truth.get(pair).copied().unwrap_or(0.0);
    let (said, true_sum) = (told.values().sum::<f64>(), told.keys().map(of).sum::<f64>());
    let apart =
        told.iter().map(|(pair, value)| (value / said - of(pair) / true_sum).abs()).sum::<f64>() / 2.0;
    let all: f64 = truth.values().sum();
    let held = 100.0 * (1.0 - true_sum / all);
    say(&format!(
        "  {what}: distance {apart:.3} over {} cells of {} ({said:.0} said, {true_sum:.0} true); held-back mass {held:.1} %",
        told.len(),
        truth.len()
    ));
    apart
}

#[expect(clippy::print_stdout, reason = "the scores are for whoever asks for them with --nocapture")]
fn say(line: &str) {
    println!("{line}");
}

/// A day of the mall through both lenses, and the tables that the judge tells of it.
fn walk(scenario: &Scenario) -> Vec<Sheet> {
    let head = "data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1883\"\n";
    let config = Config::parse(&format!("{head}{}", scenario.server_config()), std::iter::empty());
    let config = config.expect("a good one");
    let venue = Arc::new(config.venues[0].clone());
    let directory = Directory::new(&config);
    let gate = Gate::new(Arc::new(Key::random().expect("random bytes")));
    let mut mall = Mall::new(scenario, SEED, FROM);
    let mut lenses = Lenses::new(venue.clone(), None, Tally::default());
    let mut judge = Judge::new(venue, 1, None);
    let (mut second, mut sheets) = (0, Vec::new());
    loop {
        let message = mall.next_message().expect("a mall has no end");
        let at = message.at_ms;
        if at >= FROM + DAY_MS + CLOSING_MS {
            return sheets;
        }
        let moment = Moment { at: EpochMs(at), steady: SteadyMs(at - FROM) };
        if at / 1000 != second {
            second = at / 1000;
            lenses.begin_day(moment).expect("a key");
            let passed = lenses.advance(moment);
            sheets.extend(passed.moves.iter().flat_map(|window| judge.tables(window)));
        }
        match intake::take_in(&directory, &message.topic, &message.payload, false, None) {
            Ok(Arrival::Report(report)) => lenses.report(&gate, report, moment).expect("a key"),
            Ok(Arrival::Status(status)) => lenses.status(&status, moment),
            _ => panic!("a sensor says nothing else"),
        }
    }
}
