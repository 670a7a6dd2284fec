//! P4 must not be kept by hiding everything: of what a mall's day holds twice k of, at least 98 % is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use passant::aggregate::{Closed, Place};
use passant::clock::{EpochMs, SteadyMs, Step};
use passant::config::Config;
use passant::intake::{self, Directory};
use passant::optout::{Gate, Key};
use passant::pipeline::{Lenses, Moment};
use passant::release::{Figure, Judge, Made, Metric, Scope};
use passant::sighting::Arrival;
use passant::telemetry::Tally;
use sensor_sim::mall::{MALL, Mall, Scenario};

/// 2026-11-24 04:00 in Paris, a Tuesday.
const FROM: i64 = 1_795_489_200_000;
const DAY_MS: i64 = 86_400_000;

#[test]
fn of_cells_with_twice_k_at_least_98_percent_are_shown() {
    let scenario = Scenario::parse(MALL).expect("the one that ships");
    let text = format!(
        "data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1883\"\n{}",
        scenario.server_config()
    );
    let config = Config::parse(&text, std::iter::empty()).expect("a good one");
    let directory = Directory::new(&config);
    let venue = Arc::new(config.venues[0].clone());
    let gate = Gate::new(Arc::new(Key::random().expect("random bytes")));
    let days: i64 = std::env::var("DAYS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let seed: u64 = std::env::var("SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut mall = Mall::new(&scenario, seed, FROM);
    let mut lenses = Lenses::new(venue.clone(), None, Tally::default());
    let mut judge = Judge::new(venue.clone(), 1, None);
    let (mut pulse, mut half) = (0, 0);
    let mut cells: BTreeMap<(String, String, String), [u32; 2]> = BTreeMap::new();
    let k2 = 2.0 * f64::from(venue.thresholds.k);
    let mut end = false;
    while !end {
        let message = mall.next_message().expect("a mall has no end");
        end = message.at_ms >= FROM + days * DAY_MS + 20 * 60_000;
        let at = EpochMs(message.at_ms);
        let moment = Moment { at, steady: SteadyMs(message.at_ms - FROM) };
        if message.at_ms / 1000 != pulse {
            pulse = message.at_ms / 1000;
            lenses.begin_day(moment).expect("a key");
            let passed = lenses.advance(moment);
            passed.halves.iter().for_each(|half| judge.hear(half));
            for window in passed.closed {
                let truth = truth(&window);
                let figures = judge.judge(window);
                count(&truth, &figures, k2, &mut cells);
            }
            if (message.at_ms - 10_000) / 30_000 != half {
                half = (message.at_ms - 10_000) / 30_000;
                let newest = lenses.newest().filter(|newest| at.since(newest.end) <= 70_000);
                let _ = judge.live(at, newest, Made { calibration: 0, calibrated: false }, Vec::new());
            }
        }
        match intake::take_in(&directory, &message.topic, &message.payload, false, None) {
            Ok(Arrival::Report(report)) => lenses.report(&gate, report, moment).expect("a key"),
            Ok(Arrival::Status(status)) => lenses.status(&status, moment),
            _ => panic!("a sensor says nothing else"),
        }
    }
    for ((metric, place, step), [large, shown]) in cells {
        println!(
            "{metric:15} {place:6} {step:4} {shown:5} of {large:5} {:6.2} %",
            100.0 * f64::from(shown) / f64::from(large)
        );
    }
}

fn truth(window: &Closed) -> BTreeMap<(Place, Metric), f64> {
    let mut all = BTreeMap::new();
    match window {
        Closed::Crowd(window) => {
            for (place, covered) in &window.rows {
                let mut put = |metric, level: Option<passant::aggregate::Level>| {
                    all.insert((*place, metric), level.map_or(0.0, |level| level.people));
                };
                put(Metric::Occupancy, covered.row.mean);
                put(Metric::OccupancyPeak, covered.row.peak);
            }
        }
        Closed::Visits(window) => {
            for (place, covered) in &window.rows {
                let row = &covered.row;
                let long = row.dwell.count() as f64;
                for (metric, n) in [
                    (Metric::Visits, row.visits as f64),
                    (Metric::Visitors, row.visitors),
                    (Metric::Passersby, row.passersby as f64),
                    (Metric::Bounces, row.bounces as f64),
                    (Metric::Engaged, row.engaged as f64),
                    (Metric::CaptureRate, long.min(row.passersby as f64)),
                    (Metric::DwellMean, long),
                    (Metric::DwellP25, long),
                    (Metric::DwellMedian, long),
                    (Metric::DwellP75, long),
                ] {
                    all.insert((*place, metric), n);
                }
            }
        }
    }
    all
}

fn count(
    truth: &BTreeMap<(Place, Metric), f64>,
    figures: &[Figure],
    k2: f64,
    cells: &mut BTreeMap<(String, String, String), [u32; 2]>,
) {
    // Figures come in the order of the rows.
    let mut rows: Vec<Place> = truth.keys().map(|(place, _)| *place).collect();
    rows.dedup();
    let each = figures.len() / rows.len().max(1);
    for (place, figures) in rows.iter().zip(figures.chunks(each)) {
        for figure in figures {
            let n = truth[&(*place, figure.metric())];
            let place = match figure.scope() {
                Scope::Venue => "venue",
                Scope::Group(_) => "group",
                Scope::Zone(_) => "zone",
            };
            if n >= k2 {
                let cell = cells
                    .entry((figure.metric().as_str().into(), place.into(), figure.step().as_str().into()))
                    .or_default();
                cell[0] += 1;
                cell[1] += u32::from(figure.value().is_some());
                if figure.value().is_none()
                    && figure.step() != Step::FiveMinutes
                    && std::env::var("WHY").is_ok()
                {
                    println!("{:?} {} {} {n}", figure.metric(), place, figure.step().as_str());
                }
            }
        }
    }
}
