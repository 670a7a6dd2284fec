//! Flows, entrances, exits and cross-visits against simulated malls, of which the truth is known: what every sensor hears of
//! stable devices, through the visit lens, the aggregate and the judge, beside the simulator's truth of the same day. What
//! is compared is what leaves: cells that are told, rounded, and of which chance left some out.

use std::collections::BTreeMap;
use std::sync::Arc;

use sensor_sim::mall::truth::{self, Line};
use sensor_sim::mall::{Chronicle, Hearings, Scenario};

use crate::aggregate::Aggregate;
use crate::clock::{EpochMs, Step};
use crate::config::Config;
use crate::pseudonym::{Footprint, Pseudonym, Trace};
use crate::release::{Judge, Sheet, Subject};
use crate::visit::{Heard, Visits};

/// Judged, and never tuned on.
const SEED: u64 = 9001;
/// How far apart flows of visitors may be from the truth, of cells that are told.
const DISTANCE_MAX: f64 = 0.10;

type Pair = (String, String);
type Cells = BTreeMap<Pair, f64>;

#[test]
#[ignore = "needs time"]
fn flows_of_the_mall_of_two_floors() {
    let distance = score("two-floors.toml");
    assert!(distance <= DISTANCE_MAX, "{distance:.3}");
}

#[test]
#[ignore = "needs time"]
fn flows_of_the_mall_of_the_demo() {
    score("mall.toml");
}

/// Plays a Friday and prints how far what is told is from what was; the distance of visitors' flows.
fn score(name: &str) -> f64 {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sensor-sim/scenarios");
    let scenario = Scenario::load(&folder.join(name)).unwrap();
    let date = chrono::NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let chronicle = Chronicle::of(&scenario, SEED, date);
    let sheets = play(&scenario, &chronicle, date);
    let truth = Truth::of(&scenario, chronicle.day_ms());
    let of = |subject: Subject| {
        let mut days = sheets.iter().filter(|sheet| sheet.step() == Step::Day && sheet.zone().is_none());
        days.find(|sheet| sheet.subject() == subject).unwrap()
    };
    let flows = of(Subject::Flows);
    let told = |keep: fn(&str, &str) -> bool| -> Cells {
        let kept = flows.cells().iter().filter(|cell| keep(&cell.row, &cell.column));
        kept.map(|cell| ((cell.row.clone(), cell.column.clone()), f64::from(cell.value.0))).collect()
    };
    say(&format!("{name}, seed {SEED}"));
    let inner = told(|from, to| !from.is_empty() && !to.is_empty());
    let distance = distance_of("flows of visitors", &inner, &truth.visitors);
    distance_of("entrances", &told(|from, _| from.is_empty()), &truth.came_in);
    distance_of("exits", &told(|_, to| to.is_empty()), &truth.went_out);
    let shown: u32 = flows.cells().iter().map(|cell| cell.value.0).sum();
    say(&format!("  told {shown}, said to be held back {:?}", flows.held_back()));
    let shares = of(Subject::CrossVisits).cells().iter().filter_map(|cell| {
        let share = truth.shares.get(&(cell.row.clone(), cell.column.clone()))?;
        Some(f64::from(cell.value.0) - share)
    });
    let errors: Vec<f64> = shares.collect();
    let mean = |of: fn(f64) -> f64| errors.iter().map(|error| of(*error)).sum::<f64>() / errors.len() as f64;
    let (error, bias) = (mean(f64::abs), mean(|error| error));
    say(&format!("  cross-visits: {} told, mean error {error:.1} points, bias {bias:.1}", errors.len()));
    distance
}

/// What was, by the zones' names.
#[derive(Default)]
struct Truth {
    visitors: Cells,
    came_in: Cells,
    went_out: Cells,
    shares: Cells,
}

impl Truth {
    fn of(scenario: &Scenario, (from, to): (i64, i64)) -> Self {
        let mut truth = Self::default();
        for line in truth::of(scenario, SEED, from, to) {
            match line {
                Line::Flow(flow) => {
                    let count = flow.visitors.stable_devices as f64;
                    let cells = match (&flow.from_zone, &flow.to_zone) {
                        (None, _) => &mut truth.came_in,
                        (_, None) => &mut truth.went_out,
                        _ => &mut truth.visitors,
                    };
                    cells.insert(
                        (flow.from_zone.unwrap_or_default(), flow.to_zone.unwrap_or_default()),
                        count,
                    );
                }
                Line::CrossVisit(cross) => {
                    let share = 100.0 * cross.also_visits as f64 / cross.visits as f64;
                    truth.shares.insert((cross.zone, cross.also), share);
                }
                _ => {}
            }
        }
        truth
    }
}

/// Half the sum of how far shares of the told cells are apart; prints it with how much is not told.
fn distance_of(what: &str, told: &Cells, truth: &Cells) -> f64 {
    let of = |pair: &Pair| truth.get(pair).copied().unwrap_or(0.0);
    let (said, was) = (told.values().sum::<f64>(), told.keys().map(of).sum::<f64>());
    let apart = told.iter().map(|(pair, value)| (value / said - of(pair) / was).abs());
    let distance = apart.sum::<f64>() / 2.0;
    let held = 100.0 * (1.0 - was / truth.values().sum::<f64>());
    let (cells, all) = (told.len(), truth.values().filter(|count| **count > 0.0).count());
    say(&format!(
        "  {what}: distance {distance:.3} over {cells} of {all} cells, {said:.0} said and {was:.0} true; {held:.1} % held back"
    ));
    distance
}

#[expect(clippy::print_stdout, reason = "the scores are for whoever asks for them with --nocapture")]
fn say(line: &str) {
    println!("{line}");
}

/// A day of the mall's stable devices through the visit lens, and the tables that the judge tells of it.
fn play(scenario: &Scenario, chronicle: &Chronicle, date: chrono::NaiveDate) -> Vec<Sheet> {
    let head = "data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1\"\n";
    let config = Config::parse(&format!("{head}{}", scenario.server_config()), std::iter::empty());
    let venue = Arc::new(config.unwrap().venues.remove(0));
    let offsets: Vec<i8> = scenario.sensors().map(|(.., offset)| offset).collect();
    let (mut visits, mut aggregate) = (Visits::new(&venue), Aggregate::new(&venue));
    let mut judge = Judge::new(venue.clone(), 1, None);
    let mut sheets = Vec::new();
    let mut second = 0;
    let end = EpochMs(chronicle.day_ms().1).plus_secs(20 * 60);
    let mut pass = |visits: &mut Visits, now: EpochMs| {
        aggregate.visits(&visits.judge(now, &venue), &venue);
        let closed = aggregate.close_moves(now);
        sheets.extend(closed.iter().flat_map(|window| judge.tables(window)));
    };
    for hearing in Hearings::of_stable(scenario, SEED, date) {
        let at = EpochMs(hearing.at_ms);
        let rssi = hearing.rssi_dbm.saturating_add(offsets[hearing.sensor]);
        if rssi < venue.thresholds.outside_floor_dbm {
            continue;
        }
        let pseudonym = Pseudonym(spread(hearing.device as u64));
        if !venue.is_open(at) {
            visits.hear_closed(pseudonym);
            continue;
        }
        if at.0 / 1000 != second {
            second = at.0 / 1000;
            pass(&mut visits, at);
        }
        let footprint =
            Footprint { sensor: hearing.sensor as u16, rssi, at, trace: Trace::Stable(pseudonym) };
        assert_eq!(visits.hear(&footprint), Heard::Counted);
    }
    pass(&mut visits, end);
    sheets
}

/// Spread over all bits, as a hash is.
fn spread(device: u64) -> u64 {
    let bytes = *blake3::hash(&device.to_le_bytes()).as_bytes();
    u64::from_le_bytes(*bytes.first_chunk().unwrap_or(&[0; 8]))
}
