//! The crowd lens against a simulated mall whose truth is known: constants from twelve head counts in four zones of the
//! first day, judged on every later day.
//!
//! Twelve in a hundred is what is aimed at, and out of reach here: a telephone of this mall speaks in one minute and a half
//! of eight, and people come and go meanwhile. The best weights over the last hour, fitted to days of the truth itself,
//! miss by 15.4 in a hundred in zones that are no walkways, and still by 14.5 where each tag is given the zone it was in.

#![expect(clippy::print_stderr, reason = "the table of scores is what whoever tunes reads")]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use passant::aggregate::{Closed, Place};
use passant::clock::{EpochMs, SteadyMs, Step};
use passant::config::{Config, Venue};
use passant::intake::{Directory, take_in};
use passant::optout::{Gate, Key};
use passant::pipeline::{Lenses, Moment};
use passant::sighting::{Arrival, HeadCount};
use passant::telemetry::Tally;
use sensor_sim::mall::{MALL, Mall, Scenario, truth};

/// A Tuesday, 04:00 in Paris: the first moment of a venue day.
const START_MS: i64 = 1_764_039_600_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const WINDOW_MS: i64 = 300_000;
/// Days that are played; the first is counted, the others are judged.
const DAYS: i64 = 4;
/// Whoever counts stands in this many zones …
const COUNTED_ZONES: usize = 4;
/// … at these hours of the first day, five minutes each time.
const COUNTED_AT: [i64; 3] = [11, 14, 17];
/// Local hour at which the venue day begins.
const DAY_STARTS_AT: i64 = 4;
/// A relative error is asked for where so many people are.
const PEOPLE_MIN: f64 = 20.0;
/// Seeds that judge. Whoever tunes looks at 7 and 8 in their place.
const JUDGING_SEEDS: [u64; 2] = [101, 102];

/// A five-minute window of a zone: what was said, and what was so.
struct Row {
    people: f64,
    half_width: f64,
    truth: f64,
    counted: bool,
}

/// How near the lens came, in per cent of the truth where that is not said otherwise.
struct Score {
    n: usize,
    mape: f64,
    bias: f64,
    cover: f64,
    /// Mean width of the bands, people.
    width: f64,
    /// That width as a multiple of the narrowest bands of the same shape that would hold 80 % of the truths.
    narrowest: f64,
}

impl Score {
    fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        let rows: Vec<&Row> = rows.collect();
        let n = rows.len();
        let mean = |of: &dyn Fn(&Row) -> f64| rows.iter().map(|row| of(row)).sum::<f64>() / n as f64;
        let error = |row: &Row| row.people - row.truth;
        let mut reaches: Vec<f64> = rows.iter().map(|row| error(row).abs() / row.half_width).collect();
        reaches.sort_by(f64::total_cmp);
        Self {
            n,
            mape: 100.0 * mean(&|row| error(row).abs() / row.truth),
            bias: 100.0 * mean(&|row| error(row) / row.truth),
            cover: 100.0 * reaches.iter().filter(|reach| **reach <= 1.0).count() as f64 / n as f64,
            width: 2.0 * mean(&|row| row.half_width),
            narrowest: 1.0 / reaches[(0.8 * n as f64) as usize],
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, mape, bias, cover, width, narrowest } = self;
        write!(f, "n {n:5}  MAPE {mape:.1}%  bias {bias:+.1}%  covered {cover:.0}%  ")?;
        write!(f, "width {width:.1}, {narrowest:.2} of the narrowest")
    }
}

/// The zones that are counted: of the shops in the order of the file the first, and those a quarter, half and three
/// quarters of the list further on. Nobody chose them for what is heard there.
fn counted() -> Vec<usize> {
    let file: toml::Table = MALL.parse().expect("the mall is TOML");
    let zones = file["zone"].as_array().expect("zones");
    let shops: Vec<usize> = (0..zones.len())
        .filter(|zone| zones[*zone].get("role").is_none_or(|role| role.as_str() == Some("shop")))
        .collect();
    (0..COUNTED_ZONES).map(|place| shops[place * shops.len() / COUNTED_ZONES]).collect()
}

fn counts(truth: &BTreeMap<(i64, usize), f64>) -> Vec<HeadCount> {
    let windows = counted().into_iter().flat_map(|zone| COUNTED_AT.map(|hour| (zone, hour)));
    let count = |(row, (zone, hour)): (usize, (usize, i64))| {
        let from = START_MS + (hour - DAY_STARTS_AT) * HOUR_MS;
        HeadCount {
            venue: 0,
            zone: zone as u16,
            row: row as i64,
            from: EpochMs(from),
            to: EpochMs(from + WINDOW_MS),
            people: Some(truth[&(from, zone)].round() as u32),
            root_mean_centi: None,
        }
    };
    windows.enumerate().map(count).collect()
}

/// How many people were in a zone in five minutes, staff among them: whoever counts heads counts theirs too.
fn people_of(scenario: &Scenario, venue: &Venue, seed: u64) -> BTreeMap<(i64, usize), f64> {
    let lines = truth::of(scenario, seed, START_MS, START_MS + DAYS * DAY_MS);
    let people = |line| {
        let truth::Line::Window(window) = line else { return None };
        let zone = window.zone.filter(|_| window.step == truth::Step::FiveMinutes)?;
        let place = venue.zones.iter().position(|known| known.id.as_str() == zone)?;
        Some(((window.from_ms, place), window.people.occupancy))
    };
    lines.into_iter().filter_map(people).collect()
}

fn venue_of(scenario: &Scenario) -> Config {
    let text =
        format!("data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1\"\n{}", scenario.server_config());
    Config::parse(&text, std::iter::empty()).expect("the scenario's configuration")
}

/// Plays a mall's days through the lenses, with the counts of its first day.
fn play(scenario: &Scenario, seed: u64) -> Vec<Row> {
    let config = venue_of(scenario);
    let venue: Arc<Venue> = Arc::new(config.venues[0].clone());
    let directory = Directory::new(&config);
    let gate = Gate::new(Arc::new(Key::random().expect("a key")));
    let mut lenses = Lenses::new(Arc::clone(&venue), None, Tally::default());
    let truth = people_of(scenario, &venue, seed);
    for count in counts(&truth) {
        lenses.head_count(&count, EpochMs(START_MS));
    }
    let is_counted = counted();
    let mut rows = Vec::new();
    let mut mall = Mall::new(scenario, seed, START_MS);
    while let Some(message) = mall.next_message() {
        if message.at_ms > START_MS + DAYS * DAY_MS {
            break;
        }
        let moment = Moment { at: EpochMs(message.at_ms), steady: SteadyMs(message.at_ms - START_MS) };
        for closed in lenses.advance(moment).closed {
            let Closed::Crowd(window) = closed else { continue };
            let from = window.window.from.0;
            if window.step != Step::FiveMinutes || from < START_MS + DAY_MS {
                continue;
            }
            for (place, row) in &window.rows {
                let (Place::Zone(zone), Some(said)) = (place, row.row.mean) else { continue };
                let zone = usize::from(*zone);
                let Some(truth) = truth.get(&(from, zone)).copied().filter(|t| *t >= PEOPLE_MIN) else {
                    continue;
                };
                let counted = is_counted.contains(&zone);
                rows.push(Row { people: said.people, half_width: said.half_width, truth, counted });
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

fn judge(seeds: &[u64]) -> Score {
    let scenario = Scenario::parse(MALL).expect("the mall");
    let mut all = Vec::new();
    for seed in seeds {
        let rows = play(&scenario, *seed);
        eprintln!("seed {seed:3}, all zones:      {}", Score::of(rows.iter()));
        eprintln!("          counted zones:  {}", Score::of(rows.iter().filter(|row| row.counted)));
        eprintln!("          other zones:    {}", Score::of(rows.iter().filter(|row| !row.counted)));
        all.extend(rows);
    }
    Score::of(all.iter())
}

#[test]
#[ignore = "needs time"]
fn a_mall_scores_within_the_bounds_with_twelve_counts_of_its_first_day() {
    let score = judge(&JUDGING_SEEDS);
    eprintln!("judging, together:        {score}");
    // It scored 19.1, and 20.7 where zones are not given their usual shares of the venue: the bound lies half-way.
    assert!(score.mape <= 19.9, "relative error where 20 or more are: {score}");
    assert!(score.bias.abs() <= 8.0, "too many or too few on the whole: {score}");
    assert!((72.0..=90.0).contains(&score.cover), "share of truths inside the 80 % band: {score}");
    assert!(score.narrowest <= 1.3, "width of the band: {score}");
}
