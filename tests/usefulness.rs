//! P4 is not kept by hiding everything: of what the simulated mall's days hold twice k of, at least 98 % is shown, of
//! every metric. `cargo test --test usefulness -- --nocapture` prints the shares by metric, place and step.

use std::collections::BTreeMap;
use std::sync::Arc;

use passant::aggregate::{Closed, Covered, Place};
use passant::clock::{EpochMs, SteadyMs, Step};
use passant::config::{Config, Venue};
use passant::intake::{self, Directory};
use passant::optout::{Gate, Key};
use passant::pipeline::{Lenses, Moment};
use passant::release::{Figure, Judge, Metric, Scope};
use passant::sighting::Arrival;
use passant::telemetry::Tally;
use sensor_sim::mall::{MALL, Mall, Scenario};

/// 2026-11-24, a Tuesday, at 04:00 in Paris, when the venue's day begins.
const FROM: i64 = 1_795_489_200_000;
const DAY_MS: i64 = 86_400_000;
/// Crowds, each by its seed: the first few numbers, a day of each, on days of the week that follow each other.
const CROWDS: u64 = 4;
/// A day's visits have closed this long after it.
const CLOSING_MS: i64 = 20 * 60_000;
const SHOWN_PERCENT: f64 = 98.0;

/// What is counted in a place: the metric, the kind of place and the step.
type Kind = (Metric, &'static str, &'static str);

/// How many of a venue's visitors were there when the newest window of a step ended.
type Stays = BTreeMap<Step, f64>;

/// How many cells hold 2k and more, and how many of them are shown.
type Shares = BTreeMap<Kind, [u32; 2]>;

#[test]
fn of_what_a_malls_days_hold_twice_k_of_nearly_all_is_shown() {
    let scenario = Scenario::parse(MALL).expect("the one that ships");
    let head = "data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1883\"\n";
    let config = Config::parse(&format!("{head}{}", scenario.server_config()), std::iter::empty());
    let config = config.expect("a good one");
    let mut shares = Shares::new();
    for (seed, day) in (1..=CROWDS).zip(0..) {
        walk(&scenario, &config, seed, FROM + day * DAY_MS, &mut shares);
    }
    let mut by_metric: BTreeMap<Metric, [u32; 2]> = BTreeMap::new();
    for ((metric, place, step), [large, shown]) in &shares {
        say(&format!("{:15} {place:6} {step:4} {shown:5} of {large:5}", metric.as_str()));
        let all = by_metric.entry(*metric).or_default();
        *all = [all[0] + large, all[1] + shown];
    }
    assert_eq!(by_metric.len(), Metric::ALL.len(), "a mall's days hold 2k of everything");
    for (metric, [large, shown]) in by_metric {
        let percent = 100.0 * f64::from(shown) / f64::from(large);
        say(&format!("{:15} {percent:6.2} % of {large}", metric.as_str()));
        assert!(percent >= SHOWN_PERCENT, "of {metric:?} only {percent:.2} % of {large} are shown");
    }
}

#[expect(clippy::print_stdout, reason = "the shares are for whoever asks for them with --nocapture")]
fn say(line: &str) {
    println!("{line}");
}

/// A day of the mall through both lenses, and what the judge shows of it.
fn walk(scenario: &Scenario, config: &Config, seed: u64, from: i64, shares: &mut Shares) {
    let venue = Arc::new(config.venues[0].clone());
    let directory = Directory::new(config);
    let gate = Gate::new(Arc::new(Key::random().expect("random bytes")));
    let mut mall = Mall::new(scenario, seed, from);
    let mut lenses = Lenses::new(venue.clone(), None, Tally::default());
    let mut judge = Judge::new(venue.clone(), 1, None);
    let mut second = 0;
    let mut stays = Stays::new();
    loop {
        let message = mall.next_message().expect("a mall has no end");
        let at = message.at_ms;
        if at >= from + DAY_MS + CLOSING_MS {
            break;
        }
        let moment = Moment { at: EpochMs(at), steady: SteadyMs(at - from) };
        if at / 1000 != second {
            second = at / 1000;
            lenses.begin_day(moment).expect("a key");
            let passed = lenses.advance(moment);
            passed.halves.iter().for_each(|half| judge.hear(half));
            for window in passed.closed {
                let truth = truth(&window, &mut stays);
                count(&venue, &truth, &judge.judge(window), shares);
            }
        }
        match intake::take_in(&directory, &message.topic, &message.payload, false, None) {
            Ok(Arrival::Report(report)) => lenses.report(&gate, report, moment).expect("a key"),
            Ok(Arrival::Status(status)) => lenses.status(&status, moment),
            _ => panic!("a sensor says nothing else"),
        }
    }
}

/// What a window holds before it is judged, by row: of occupancy people, of visits stable devices' visits.
fn truth(window: &Closed, stays: &mut Stays) -> Vec<(Place, BTreeMap<Metric, f64>)> {
    let people = |level: Option<passant::aggregate::Level>| level.map_or(0.0, |level| level.people);
    match window {
        Closed::Crowd(window) => {
            let row = |row: &passant::aggregate::Occupancy| {
                [(Metric::Occupancy, people(row.mean)), (Metric::OccupancyPeak, people(row.peak))].into()
            };
            window.rows.iter().map(|(place, covered)| (*place, row(&covered.row))).collect()
        }
        Closed::Visits(window) => {
            let row = |row: &passant::aggregate::Traffic| {
                let (long, passersby) = (row.dwell.count() as f64, row.passersby as f64);
                let stay = row.visitors - long;
                let before = stays.get(&window.step).copied().unwrap_or(0.0);
                let came = if window.step == Step::Day { long } else { row.visitors - before };
                let counts = [
                    (Metric::Visits, row.visits as f64),
                    (Metric::Visitors, row.visitors),
                    (Metric::Passersby, passersby),
                    (Metric::Bounces, row.bounces as f64),
                    (Metric::Engaged, row.engaged as f64),
                    (Metric::CaptureRate, long.min(passersby)),
                    (Metric::Footfall, came),
                    (Metric::StableShare, if window.step == Step::Day { long } else { stay.min(before) }),
                    (Metric::Infrastructure, row.infrastructure as f64),
                ];
                let of_lengths = [Metric::DwellMean, Metric::DwellP25, Metric::DwellMedian, Metric::DwellP75];
                counts.into_iter().chain(of_lengths.map(|metric| (metric, long))).collect()
            };
            let truth = window.rows.iter().map(|(place, covered)| (*place, row(&covered.row))).collect();
            if let Some((Place::Venue, Covered { row, .. })) = window.rows.first() {
                stays.insert(window.step, row.visitors - row.dwell.count() as f64);
            }
            truth
        }
    }
}

fn count(venue: &Venue, truth: &[(Place, BTreeMap<Metric, f64>)], figures: &[Figure], shares: &mut Shares) {
    for (place, holds) in truth {
        let scope = match place {
            Place::Venue => Scope::Venue,
            Place::Group(group) => Scope::Group(venue.groups[usize::from(*group)].clone()),
            Place::Zone(zone) => Scope::Zone(venue.zones[usize::from(*zone)].id.clone()),
        };
        let name = match place {
            Place::Venue => "venue",
            Place::Group(_) => "group",
            Place::Zone(_) => "zone",
        };
        for figure in figures.iter().filter(|figure| *figure.scope() == scope) {
            if holds[&figure.metric()] >= f64::from(2 * venue.thresholds.k) {
                let share = shares.entry((figure.metric(), name, figure.step().as_str())).or_default();
                *share = [share[0] + 1, share[1] + u32::from(figure.value().is_some())];
            }
        }
    }
}
