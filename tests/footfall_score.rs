//! Footfall against a simulated mall whose truth is known, as it is published: sensors' messages in, judged figures out.
//! Constants of the crowd lens come from twelve head counts in four zones of the first day; every later day is
//! judged, hour by hour.
//!
//! Ten in a hundred is what is aimed at, and nearly reached in the mall of two floors. In the demo's it is out of reach for whoever
//! sees one person in ten: of the some 450 who come in an hour 45 carry a stable device, give or take six. With every such
//! device's entry known, and the true ratio, an hour is still missed by 14 in a hundred; in a mall four times as full by 7.

#![expect(clippy::print_stderr, reason = "the table of scores is what whoever tunes reads")]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use passant::clock::{EpochMs, SteadyMs, Step, Window};
use passant::config::{Config, Venue};
use passant::intake::{Directory, take_in};
use passant::optout::{Gate, Key};
use passant::pipeline::{Lenses, Moment};
use passant::release::{Banded, Judge, Metric, Scope};
use passant::sighting::{Arrival, HeadCount};
use passant::telemetry::Tally;
use sensor_sim::mall::{MALL, Mall, Scenario, truth};

/// A Tuesday, 04:00 in Paris: the first moment of a venue day.
const START_MS: i64 = 1_764_039_600_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Whoever counts stands in this many zones …
const COUNTED_ZONES: usize = 4;
/// … at these hours of the first day, five minutes each time.
const COUNTED_AT: [i64; 3] = [11, 14, 17];
/// Local hour at which the venue day begins.
const DAY_STARTS_AT: i64 = 4;
/// Days that are played.
const DAYS: i64 = 4;
/// Seeds that judge. Whoever tunes looks at others.
const JUDGING_SEEDS: [u64; 4] = [311, 312, 313, 314];
/// The same for the mall of two floors.
#[cfg(not(debug_assertions))]
const JUDGING_SEEDS_OF_TWO_FLOORS: [u64; 2] = [321, 322];
/// A relative error is asked for where so many people came.
const PEOPLE_MIN: f64 = 50.0;

/// An hour or a day of the venue: what was said, and what was so.
#[derive(Clone, Copy)]
struct Row {
    said: Banded,
    truth: f64,
}

impl Row {
    fn error(&self) -> f64 {
        f64::from(self.said.value) - self.truth
    }

    fn half_width(&self) -> f64 {
        f64::from(self.said.high - self.said.low) / 2.0
    }
}

/// How near the figures came, in per cent of the truth where that is not said otherwise.
struct Score {
    n: usize,
    mape: f64,
    bias: f64,
    cover: f64,
    /// Mean half width of the bands.
    width: f64,
    /// That width as a multiple of the narrowest bands of the same shape that would hold 80 % of the truths.
    narrowest: f64,
}

impl Score {
    fn of(rows: &[Row]) -> Self {
        let n = rows.len();
        let mean = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).sum::<f64>() / n as f64;
        let holds = |row: &&Row| (f64::from(row.said.low)..=f64::from(row.said.high)).contains(&row.truth);
        let mut reaches: Vec<f64> = rows.iter().map(|row| row.error().abs() / row.half_width()).collect();
        reaches.sort_by(f64::total_cmp);
        Self {
            n,
            mape: 100.0 * mean(&|row| row.error().abs() / row.truth),
            bias: 100.0 * mean(&|row| row.error() / row.truth),
            cover: 100.0 * rows.iter().filter(holds).count() as f64 / n as f64,
            width: 100.0 * mean(&|row| row.half_width() / row.truth),
            narrowest: 1.0 / reaches[((0.8 * n as f64) as usize).min(n - 1)],
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, mape, bias, cover, width, narrowest } = self;
        write!(f, "n {n:3}  MAPE {mape:.1}%  bias {bias:+.1}%  covered {cover:.0}%  ")?;
        write!(f, "half width {width:.1}%, {narrowest:.2} of the narrowest")
    }
}

/// The truth of the windows of a run.
struct Truth {
    /// Shoppers who came into the venue, and stable devices of shoppers for each hundred people inside, where most are shoppers.
    came: BTreeMap<(Step, i64), (f64, Option<f64>)>,
    /// People in a zone in five minutes, staff among them: whoever counts heads counts theirs too.
    people: BTreeMap<(i64, usize), f64>,
}

fn truth_of(scenario: &Scenario, venue: &Venue, seed: u64, days: i64) -> Truth {
    let mut told = Truth { came: BTreeMap::new(), people: BTreeMap::new() };
    for line in truth::of(scenario, seed, START_MS, START_MS + days * DAY_MS) {
        let truth::Line::Window(window) = line else { continue };
        match (&window.zone, window.step) {
            (Some(zone), truth::Step::FiveMinutes) => {
                let place = venue.zones.iter().position(|known| known.id.as_str() == zone);
                let people = window.people.occupancy;
                told.people.insert((window.from_ms, place.expect("a zone")), people);
            }
            (None, step) => {
                let step = Step::parse(step.word()).expect("a step");
                let people = window.people.occupancy;
                let shoppers = if people > 0.0 { (people - window.people.staff) / people } else { 0.0 };
                let share = window.stable_devices.and_then(|stable| stable.stable_share);
                // In the hour of opening most are staff, whose badges are not known as such before six hours: the share then
                // reads four fifths high, and says nothing of the people.
                let share = share.filter(|_| shoppers > 0.5).map(|of_shoppers| of_shoppers * shoppers);
                told.came.insert((step, window.from_ms), (window.people.footfall as f64, share));
            }
            _ => {}
        }
    }
    told
}

/// Head counts in four zones: the first, and those a quarter, half and three quarters of the list further on.
fn counts(venue: &Venue, truth: &Truth) -> Vec<HeadCount> {
    let zones = (0..COUNTED_ZONES).map(|place| (2 * place + 1) * venue.zones.len() / (2 * COUNTED_ZONES));
    let windows = zones.flat_map(|zone| COUNTED_AT.map(|hour| (zone, hour)));
    let count = |(row, (zone, hour)): (usize, (usize, i64))| {
        let from = START_MS + (hour - DAY_STARTS_AT) * HOUR_MS;
        HeadCount {
            venue: 0,
            zone: zone as u16,
            row: row as i64,
            from: EpochMs(from),
            to: EpochMs(from + 300_000),
            people: Some(truth.people[&(from, zone)].round() as u32),
            root_mean_centi: None,
        }
    };
    windows.enumerate().map(count).collect()
}

/// What the venue's figures said of a metric in the windows of a step, and what was so.
type Rows = BTreeMap<(Metric, Step), Vec<Row>>;

/// Plays days of a scenario through the lenses and the judge.
fn play(scenario: &Scenario, seed: u64, days: i64) -> Rows {
    let text =
        format!("data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1\"\n{}", scenario.server_config());
    let config = Config::parse(&text, std::iter::empty()).expect("the scenario's configuration");
    let venue: Arc<Venue> = Arc::new(config.venues[0].clone());
    let directory = Directory::new(&config);
    let gate = Gate::new(Arc::new(Key::random().expect("a key")));
    let mut lenses = Lenses::new(Arc::clone(&venue), None, Tally::default());
    let mut judge = Judge::new(Arc::clone(&venue), 1, None);
    let truth = truth_of(scenario, &venue, seed, days);
    for count in counts(&venue, &truth) {
        lenses.head_count(&count, EpochMs(START_MS));
    }
    let mut rows = Rows::new();
    let mut mall = Mall::new(scenario, seed, START_MS);
    let mut second = 0;
    while let Some(message) = mall.next_message() {
        if message.at_ms > START_MS + days * DAY_MS + HOUR_MS {
            break;
        }
        let moment = Moment { at: EpochMs(message.at_ms), steady: SteadyMs(message.at_ms - START_MS) };
        if message.at_ms / 1000 != second {
            second = message.at_ms / 1000;
            lenses.begin_day(moment).expect("a key");
            let passed = lenses.advance(moment);
            passed.halves.iter().for_each(|half| judge.hear(half));
            for window in passed.closed {
                for figure in judge.judge(window) {
                    let said = (figure.metric(), figure.step(), figure.window());
                    if let (Scope::Venue, Some(banded)) = (figure.scope(), figure.value()) {
                        take(&mut rows, &truth, said, banded);
                    }
                }
            }
        }
        match take_in(&directory, &message.topic, &message.payload, false, None) {
            Ok(Arrival::Report(report)) => lenses.report(&gate, report, moment).expect("a key"),
            Ok(Arrival::Status(status)) => lenses.status(&status, moment),
            _ => {}
        }
    }
    rows
}

/// Keeps a figure with its truth, if it is one that is judged.
fn take(rows: &mut Rows, truth: &Truth, (metric, step, window): (Metric, Step, Window), said: Banded) {
    let Some((came, share)) = truth.came.get(&(step, window.from.0)) else { return };
    let is_judged = window.from.0 >= START_MS + DAY_MS && *came >= PEOPLE_MIN;
    let truth = match metric {
        Metric::Footfall => Some(*came),
        Metric::StableShare => *share,
        _ => None,
    };
    let Some(truth) = truth.filter(|_| is_judged) else { return };
    rows.entry((metric, step)).or_default().push(Row { said, truth });
}

/// Plays a scenario's days by each seed, and says how near the figures came in all of them together.
fn score(scenario: &Scenario, seeds: &[u64], days: i64) -> BTreeMap<(Metric, Step), Score> {
    let mut all = Rows::new();
    for seed in seeds {
        for (kind, rows) in play(scenario, *seed, days) {
            all.entry(kind).or_default().extend(rows);
        }
    }
    let scores: BTreeMap<_, _> = all.iter().map(|(kind, rows)| (*kind, Score::of(rows))).collect();
    for ((metric, step), score) in &scores {
        eprintln!("{:13} {:3} {score}", metric.as_str(), step.as_str());
    }
    scores
}

#[test]
#[ignore = "needs time"]
fn footfall_of_a_malls_hours_scores_within_the_bounds_with_twelve_counts_of_its_first_day() {
    let scenario = Scenario::parse(MALL).expect("the mall");
    let scores = score(&scenario, &JUDGING_SEEDS, DAYS);
    let hours = &scores[&(Metric::Footfall, Step::Hour)];
    assert!(hours.n >= 100, "most hours are told: {hours}");
    assert!(hours.mape <= 18.0, "relative error of an hour: {hours}");
    // Visitors who were heard for less than five minutes of their stay are in no footfall: five to seven in a hundred.
    assert!(hours.bias.abs() <= 10.0, "too many or too few on the whole: {hours}");
    assert!((72.0..=90.0).contains(&hours.cover), "share of truths inside the 80 % band: {hours}");
    assert!(hours.narrowest <= 1.3, "width of the band: {hours}");
}

/// A day of two floors takes a quarter of a minute in a release build, and some minutes in another.
///
/// Ten in a hundred is aimed at. The ratio is the crowd lens's, whose twelve counts leave the whole venue too full or too
/// empty by a tenth, day after day, and chance is another seven.
#[cfg(not(debug_assertions))]
#[test]
#[ignore = "needs time"]
fn footfall_of_the_hours_of_two_floors_scores_within_the_bounds() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sensor-sim/scenarios/two-floors.toml");
    let scenario = Scenario::load(&file).expect("two floors");
    let scores = score(&scenario, &JUDGING_SEEDS_OF_TWO_FLOORS, DAYS);
    let hours = &scores[&(Metric::Footfall, Step::Hour)];
    assert!(hours.n >= 50, "most hours are told: {hours}");
    // The two errors in quadrature.
    assert!(hours.mape <= 12.2, "relative error of an hour: {hours}");
    assert!(hours.bias.abs() <= 10.0, "too many or too few on the whole: {hours}");
    let share = &scores[&(Metric::StableShare, Step::Hour)];
    assert!(share.bias.abs() <= 10.0, "as the people are: {share}");
}
