use serde_json::json;

use crate::api::stage::{Stage, at, id};
use crate::clock::{Calendar, Step};
use crate::config::{Config, EXAMPLE};
use crate::release::{Banded, Figure, Flags, Label, Metric, Scope};

const PATH: &str = "/api/v1/venues/mall/figures";

fn calendar() -> Calendar {
    Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues[0].calendar
}

fn figure(scope: Scope, metric: Metric, step: Step, from: &str, value: Option<u32>) -> Figure {
    let label = Label {
        venue: id("mall"),
        scope,
        metric,
        step,
        window: calendar().window_of(at(from), step),
        flags: Flags { incomplete: true, uncalibrated: true, ..Flags::default() },
        coverage_permille: 970,
        thresholds: 3,
        calibration: 2,
    };
    let banded = value.map(|value| Banded { value, low: value - 24, high: value + 20 });
    Figure::for_tests(label, banded, None)
}

fn query(rest: &str) -> String {
    format!("{PATH}?{rest}")
}

/// The example's mall with four occupancies of the food court from 10:00 on.
async fn stage() -> Stage {
    let stage = Stage::set().await;
    let zone = || Scope::Zone(id("food-court"));
    let figures: Vec<Figure> =
        [("10:00", Some(125)), ("10:05", None), ("10:10", Some(130)), ("10:15", Some(135))]
            .into_iter()
            .map(|(time, value)| {
                let from = format!("2026-11-20T{time}:00+01:00");
                figure(zone(), Metric::Occupancy, Step::FiveMinutes, &from, value)
            })
            .collect();
    assert_eq!(stage.store.append(&figures).await.unwrap(), 4);
    stage
}

#[tokio::test]
async fn a_series_is_as_the_contract_says() {
    let stage = stage().await;
    // 10:20 should be stored and is not; 10:25 has not closed; 10:30 has just begun.
    stage.show("2026-11-20T10:31:00+01:00", 200);
    let asked = query(
        "metric=occupancy&zone=food-court&from=2026-11-20T09:00:00Z&to=2026-11-20T11:00:00%2B01:00&step=5m",
    );
    let series = stage.get(&asked).await.json();
    assert_eq!(
        (&series["venue"], &series["metric"], &series["step"]),
        (&json!("mall"), &json!("occupancy"), &json!("5m"))
    );
    let first = json!({
        "from": "2026-11-20T10:00:00+01:00", "to": "2026-11-20T10:05:00+01:00", "zone": "food-court",
        "value": 125, "low": 101, "high": 145, "state": "final", "flags": ["incomplete", "uncalibrated"],
        "coverage": 0.97, "thresholds": 3, "calibration": 2,
    });
    let held = json!({
        "from": "2026-11-20T10:05:00+01:00", "to": "2026-11-20T10:10:00+01:00", "zone": "food-court",
        "value": null, "low": null, "high": null, "state": "held_back", "flags": ["incomplete", "uncalibrated"],
        "coverage": 0.97, "thresholds": 3, "calibration": 2,
    });
    let open = json!({
        "from": "2026-11-20T10:30:00+01:00", "to": "2026-11-20T10:35:00+01:00", "zone": "food-court",
        "value": null, "low": null, "high": null, "state": "open", "flags": [],
        "coverage": null, "thresholds": null, "calibration": null,
    });
    let figures = series["figures"].as_array().unwrap();
    let starts: Vec<&str> = figures.iter().map(|f| &f["from"].as_str().unwrap()[11..16]).collect();
    assert_eq!(starts, ["10:00", "10:05", "10:10", "10:15", "10:25", "10:30"], "{figures:?}");
    assert_eq!((&figures[0], &figures[1], &figures[5]), (&first, &held, &open));
    let csv = stage.csv(&asked).await;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "from,to,zone,value,low,high,state,flags,coverage,thresholds,calibration");
    assert_eq!(
        lines[1],
        "2026-11-20T10:00:00+01:00,2026-11-20T10:05:00+01:00,food-court,125,101,145,final,incomplete;uncalibrated,0.97,3,2"
    );
    assert_eq!(lines[6], "2026-11-20T10:30:00+01:00,2026-11-20T10:35:00+01:00,food-court,,,,open,,,,");
}

#[tokio::test]
async fn a_window_is_open_until_it_closes_and_a_stored_one_is_never_open() {
    let stage = stage().await;
    let asked = query(
        "metric=occupancy&zone=food-court&from=2026-11-20T10:15:00%2B01:00&to=2026-11-20T10:30:00%2B01:00&step=5m",
    );
    for (clock, states) in [
        ("2026-11-20T10:20:00+01:00", vec!["final"]),
        ("2026-11-20T10:20:30+01:00", vec!["final", "open"]),
        ("2026-11-20T10:26:59+01:00", vec!["final", "open", "open"]),
        ("2026-11-20T10:27:00+01:00", vec!["final", "open"]),
        ("2026-11-20T10:32:00+01:00", vec!["final"]),
    ] {
        stage.show(clock, 100);
        let series = stage.get(&asked).await.json();
        let is: Vec<_> = series["figures"].as_array().unwrap().iter().map(|f| f["state"].clone()).collect();
        assert_eq!(is, states, "{clock}");
    }
    // Visits close later: fifteen minutes of silence, and the lateness.
    let visits =
        query("metric=visits&from=2026-11-20T10:00:00%2B01:00&to=2026-11-20T11:00:00%2B01:00&step=1h");
    for (clock, open) in [("2026-11-20T11:16:59+01:00", 1), ("2026-11-20T11:17:00+01:00", 0)] {
        stage.show(clock, 100);
        assert_eq!(stage.get(&visits).await.json()["figures"].as_array().unwrap().len(), open, "{clock}");
    }
}

#[tokio::test]
async fn the_venue_its_groups_and_days_have_series_of_their_own() {
    let stage = stage().await;
    let day = "2026-10-25T04:00:00+01:00";
    let group = Scope::Group(id("ground"));
    let figures = [
        figure(Scope::Venue, Metric::Visitors, Step::Day, "2026-10-24T12:00:00+02:00", Some(4_200)),
        figure(group, Metric::Occupancy, Step::Hour, day, Some(300)),
    ];
    stage.store.append(&figures).await.unwrap();
    // The clocks go back: this venue day has 25 hours. A plus that was not escaped is understood.
    let days = query(&format!("metric=visitors&from=2026-10-24T04:00:00+02:00&to={day}&step=1d"));
    let series = stage.get(&days).await.json();
    assert_eq!(series["figures"][0]["value"], 4_200);
    assert_eq!(series["figures"][0]["zone"], json!(null));
    assert_eq!(series["figures"][0]["to"], day);
    let hours =
        query("metric=occupancy&zone=ground&from=2026-10-25T03:00:00Z&to=2026-10-25T05:00:00Z&step=1h");
    let series = stage.get(&hours).await.json();
    assert_eq!(
        (&series["figures"][0]["zone"], &series["figures"][0]["value"]),
        (&json!("ground"), &json!(300))
    );
}

#[tokio::test]
async fn what_cannot_be_asked_says_what_can() {
    let stage = stage().await;
    let hour = "from=2026-11-20T09:00:00Z&to=2026-11-20T10:00:00Z";
    for (rest, words) in [
        (format!("zone=food-court&{hour}&step=1h"), "metric is missing"),
        (format!("metric=occupancy&{hour}"), "step is missing"),
        (format!("metric=people&{hour}&step=1h"), "occupancy, occupancy_peak, visits, visitors, passersby"),
        (format!("metric=occupancy&{hour}&step=2h"), "5m, 15m, 1h, 1d"),
        (
            format!("metric=occupancy&zone=cellar&{hour}&step=1h"),
            "entrance-north, food-court; or one of its groups: ground",
        ),
        (format!("metric=visits&zone=food-court&{hour}&step=15m"), "a zone has visits in steps of 1h, 1d"),
        (format!("metric=visits&{hour}&step=5m"), "a venue has visits in steps of 15m, 1h, 1d"),
        (format!("metric=visits&zone=ground&{hour}&step=1h"), "a group has no visits; it has occupancy"),
        (format!("metric=occupancy&{hour}&step=1h&zones=food-court"), "metric, zone, from, to and step"),
        (
            "metric=occupancy&from=yesterday&to=2026-11-20T10:00:00Z&step=1h".into(),
            "from must be a time in RFC 3339",
        ),
        (
            "metric=occupancy&from=2026-11-20T10:00:00Z&to=2026-11-20T10:00:00Z&step=1h".into(),
            "from must lie before to",
        ),
        (
            "metric=occupancy&from=2026-11-20T09:20:00Z&to=2026-11-20T10:00:00Z&step=1h".into(),
            "from lies inside a window of 1h; the nearest edges are 2026-11-20T10:00:00+01:00 and 2026-11-20T11:00:00+01:00",
        ),
        (
            "metric=visitors&from=2026-11-20T03:00:00Z&to=2026-11-21T00:00:00Z&step=1d".into(),
            "the nearest edges are 2026-11-20T04:00:00+01:00 and 2026-11-21T04:00:00+01:00",
        ),
        (
            "metric=occupancy&from=2026-11-13T09:00:00Z&to=2026-11-20T09:00:00Z&step=5m".into(),
            "2000 points; step=15m fits",
        ),
        (
            "metric=visitors&zone=food-court&from=2026-01-13T09:00:00Z&to=2026-11-20T09:00:00Z&step=1h"
                .into(),
            "step=1d fits",
        ),
        ("metric=visitors&from=1026-11-20T03:00:00Z&to=9026-11-20T03:00:00Z&step=1d".into(), ""),
    ] {
        let answer = stage.get(&query(&rest)).await;
        assert_eq!(answer.status.as_u16(), 400, "{rest}: {}", answer.text);
        answer.is_problem(words);
    }
    let week = query("metric=occupancy&from=2026-11-13T09:00:00Z&to=2026-11-20T07:35:00Z&step=5m");
    assert_eq!(stage.get(&week).await.status.as_u16(), 200, "1,999 points fit");
    stage.store.close().await;
    let broken = stage.get(&week).await;
    assert_eq!(broken.status.as_u16(), 503);
    broken.is_problem("the database did not answer");
    assert!(!broken.text.to_lowercase().contains("sql") && !broken.text.contains("pool"), "{}", broken.text);
}
