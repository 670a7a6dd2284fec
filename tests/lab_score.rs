//! The crowd lens against a room with a true head count: constants from nothing but the counts of the 2022 captures,
//! judged on every later capture.

use std::collections::BTreeMap;
use std::path::PathBuf;

use passant::app::evaluate::{self, Options};

#[path = "support/lab.rs"]
mod lab;

const CALIBRATION: [&str; 3] = ["2022-10-25_p1", "2022-11-15_p1", "2022-11-22_p1"];
const LATER: [&str; 11] = [
    "2023-02-28_p1",
    "2023-03-07_p1",
    "2023-04-05_p1",
    "2023-04-14_p1",
    "2023-04-26_p1",
    "2024-02-29_p1",
    "2024-02-29_p2",
    "2024-03-07_p1",
    "2024-03-07_p2",
    "2024-03-16_p1",
    "2024-03-16_p2",
];

/// Evaluates captures of one sensor in order of time, with the head counts of 2022.
fn evaluate(captures: &[&str], counts: &std::path::Path) -> Vec<lab::Estimate> {
    let options = Options {
        captures: captures.iter().map(|key| lab::capture(key)).collect(),
        head_counts: Some(counts.to_owned()),
        tz: "Europe/Prague".to_owned(),
    };
    let evaluation = evaluate::evaluate(&options).expect("the captures evaluate");
    assert!(
        evaluation.bad_rows * 1000 < evaluation.rows,
        "a few senders have the group bit, and cannot be senders"
    );
    let estimate = |e: &evaluate::Estimate| lab::Estimate {
        window_end_ms: e.window_end.0,
        estimate: e.people,
        low: Some((e.people - e.half_width).max(0.0)),
        high: Some(e.people + e.half_width),
    };
    evaluation.estimates.iter().map(estimate).collect()
}

fn counts_file(dir: &tempfile::TempDir) -> PathBuf {
    let path = dir.path().join("head_counts.csv");
    let rows = lab::head_counts(&CALIBRATION)
        .iter()
        .map(|c| format!("{},{},{}\n", c.from_ms, c.to_ms, c.people))
        .collect::<String>();
    std::fs::write(&path, format!("from_ms,to_ms,people\n{rows}")).expect("the counts are written");
    path
}

#[test]
fn later_captures_score_within_the_bounds_with_constants_of_2022_only() {
    let dir = tempfile::tempdir().expect("a directory");
    let counts = counts_file(&dir);
    let mut estimates = BTreeMap::new();
    for key in LATER {
        let captures: Vec<&str> = CALIBRATION.into_iter().chain([key]).collect();
        estimates.insert(key.to_owned(), evaluate(&captures, &counts));
    }
    let score = lab::score(&estimates);
    // The bounds the product is held to; the room's own best simple counter, published with the data, has MAE 2.49.
    assert!(score.mae <= 2.8, "mean absolute error: {score:?}");
    assert!(score.balanced <= 3.6, "balanced over bins of people: {score:?}");
    assert!(score.mape <= 24.0, "relative error: {score:?}");
    assert!(score.r >= 0.86, "correlation: {score:?}");
    assert!((72.0..=90.0).contains(&score.cover), "share of truths inside the 80 % band: {score:?}");
    assert!(score.width <= 11.0, "width of the band: {score:?}");
    assert!(score.closed <= 0.2, "people seen in closed hours: {score:?}");
}

#[test]
fn captures_given_together_and_apart_evaluate_alike() {
    let dir = tempfile::tempdir().expect("a directory");
    let counts = counts_file(&dir);
    let first = ["2022-10-25_p1", "2022-11-15_p1", "2022-11-22_p1", "2023-04-05_p1"];
    let together = evaluate(&[&first[..], &["2023-04-14_p1"]].concat(), &counts);
    let apart = evaluate(&first, &counts);
    assert!(apart.len() > 100);
    assert_eq!(
        together[..apart.len() - 1],
        apart[..apart.len() - 1],
        "a later capture changes nothing before it"
    );
}
