use serde_json::json;

use crate::api::stage::{Stage, at, id};
use crate::clock::Step;
use crate::config::{Config, EXAMPLE};
use crate::release::{Bands, Sheet, SheetCell, Subject};

const DAYS: &str = "from=2026-11-20T04:00:00%2B01:00&to=2026-11-22T04:00:00%2B01:00&step=1d";
const TWO_DAYS: &str = "from=2026-11-20T04:00:00%2B01:00&to=2026-11-22T04:00:00%2B01:00";

fn cell(row: &str, column: &str, value: u32) -> SheetCell {
    SheetCell { row: row.into(), column: column.into(), value: (value, value - 5, value + 5) }
}

fn sheet(subject: Subject, zone: Option<&str>, step: Step, from: &str, cells: Vec<SheetCell>) -> Sheet {
    let calendar = Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues[0].calendar;
    Sheet::for_tests((id("mall"), zone.map(id)), subject, (step, calendar.window_of(at(from), step)), cells)
}

/// The example's mall with a Friday of every table, and a Saturday of which nothing may be told but that it was judged.
pub(in crate::api) async fn stage() -> Stage {
    let stage = Stage::set().await;
    let (friday, saturday) = ("2026-11-20T12:00:00+01:00", "2026-11-21T12:00:00+01:00");
    let flows = vec![
        cell("", "entrance-north", 125),
        cell("entrance-north", "food-court", 40),
        cell("food-court", "", 110),
    ];
    let crosses = vec![cell("entrance-north", "food-court", 34), cell("food-court", "entrance-north", 51)];
    let lengths = vec![cell("5", "15", 60), cell("15", "30", 25), cell("240", "", 15)];
    let (default, cmx) = (Subject::Dwell(Bands::Default), Subject::Dwell(Bands::Cmx));
    let sheets = [
        sheet(Subject::Flows, None, Step::Day, friday, flows.clone()),
        sheet(Subject::Flows, None, Step::Hour, friday, flows[..1].to_vec()),
        sheet(Subject::Flows, None, Step::Day, saturday, Vec::new()),
        sheet(Subject::CrossVisits, None, Step::Day, friday, crosses),
        sheet(default, Some("food-court"), Step::Day, friday, lengths),
        sheet(default, None, Step::Day, friday, vec![cell("5", "15", 200)]),
        sheet(cmx, Some("food-court"), Step::Day, friday, vec![cell("5", "30", 90)]),
    ];
    assert_eq!(stage.store.append_sheets(&sheets).await.unwrap(), 7);
    assert_eq!(stage.store.append_sheets(&sheets).await.unwrap(), 0, "what is closed stays closed");
    stage.show("2026-11-21T23:00:00+01:00", 200);
    stage
}

fn path(table: &str, query: &str) -> String {
    format!("/api/v1/venues/mall/{table}?{query}")
}

#[tokio::test]
async fn flows_are_as_the_document_says() {
    let stage = stage().await;
    let answer = stage.get(&path("flows", DAYS)).await.json();
    let friday = json!({
        "from": "2026-11-20T04:00:00+01:00", "to": "2026-11-21T04:00:00+01:00", "state": "final",
        "flags": ["incomplete"], "coverage": 0.97, "thresholds": 3, "held_back": 15,
        "cells": [
            {"from_zone": null, "to_zone": "entrance-north", "value": 125, "low": 120, "high": 130},
            {"from_zone": "entrance-north", "to_zone": "food-court", "value": 40, "low": 35, "high": 45},
            {"from_zone": "food-court", "to_zone": null, "value": 110, "low": 105, "high": 115},
        ],
    });
    let saturday = json!({
        "from": "2026-11-21T04:00:00+01:00", "to": "2026-11-22T04:00:00+01:00", "state": "held_back",
        "flags": ["incomplete"], "coverage": 0.97, "thresholds": 3, "held_back": 15, "cells": [],
    });
    assert_eq!(answer, json!({"venue": "mall", "windows": [friday, saturday]}));
    let csv = stage.csv(&path("flows", DAYS)).await;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines[0],
        "from,to,state,flags,coverage,thresholds,held_back,from_zone,to_zone,value,low,high"
    );
    let head = "2026-11-20T04:00:00+01:00,2026-11-21T04:00:00+01:00,final,incomplete,0.97,3,15";
    assert_eq!(lines[1], format!("{head},,entrance-north,125,120,130"));
    assert_eq!(lines[3], format!("{head},food-court,,110,105,115"));
    assert!(lines[4].ends_with(",held_back,incomplete,0.97,3,15,,,,,"), "{csv}");
}

#[tokio::test]
async fn an_hour_that_has_not_closed_is_open_and_one_that_is_nowhere_is_left_out() {
    let stage = stage().await;
    stage.show("2026-11-20T13:16:59+01:00", 200);
    let asked = path("flows", "from=2026-11-20T11:00:00%2B01:00&to=2026-11-20T15:00:00%2B01:00&step=1h");
    let answer = stage.get(&asked).await.json();
    let states: Vec<_> = answer["windows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| (w["from"].clone(), w["state"].clone()))
        .collect();
    assert_eq!(
        states,
        [
            (json!("2026-11-20T12:00:00+01:00"), json!("final")),
            (json!("2026-11-20T13:00:00+01:00"), json!("open"))
        ]
    );
    assert_eq!(answer["windows"][1]["coverage"], json!(null));
}

#[tokio::test]
async fn cross_visits_are_as_the_document_says() {
    let stage = stage().await;
    let answer = stage.get(&path("cross-visits", DAYS)).await.json();
    let windows = answer["windows"].as_array().unwrap();
    assert_eq!(
        windows[0]["cells"],
        json!([
            {"zone": "entrance-north", "also": "food-court", "value": 34, "low": 29, "high": 39},
            {"zone": "food-court", "also": "entrance-north", "value": 51, "low": 46, "high": 56},
        ])
    );
    assert_eq!(
        (windows.len(), &windows[1]["state"]),
        (2, &json!("open")),
        "Saturday was not written of them"
    );
    let csv = stage.csv(&path("cross-visits", DAYS)).await;
    assert!(csv.contains(",final,incomplete,0.97,3,entrance-north,food-court,34,29,39"), "{csv}");
}

/// The Thursday before that Friday, with some of the same paths.
async fn with_thursday(stage: &Stage) {
    let thursday = "2026-11-19T12:00:00+01:00";
    let flows = vec![cell("", "entrance-north", 75), cell("food-court", "entrance-north", 20)];
    let crosses = vec![cell("entrance-north", "food-court", 41)];
    let sheets = [
        sheet(Subject::Flows, None, Step::Day, thursday, flows),
        sheet(Subject::CrossVisits, None, Step::Day, thursday, crosses),
    ];
    assert_eq!(stage.store.append_sheets(&sheets).await.unwrap(), 2);
}

#[tokio::test]
async fn flows_of_days_together_are_their_sums_and_say_of_how_many_days() {
    let stage = stage().await;
    with_thursday(&stage).await;
    // Sunday has begun: it is open, and nothing of it is in the sums.
    stage.show("2026-11-22T11:00:00+01:00", 200);
    let days = "from=2026-11-19T04:00:00%2B01:00&to=2026-11-24T04:00:00%2B01:00";
    let answer = stage.get(&path("flows/total", days)).await.json();
    assert_eq!(
        answer["cells"],
        json!([
            {"from_zone": null, "to_zone": "entrance-north", "value": 200, "low": 190, "high": 210, "windows": 2},
            {"from_zone": "entrance-north", "to_zone": "food-court", "value": 40, "low": 35, "high": 45, "windows": 1},
            {"from_zone": "food-court", "to_zone": null, "value": 110, "low": 105, "high": 115, "windows": 1},
            {"from_zone": "food-court", "to_zone": "entrance-north", "value": 20, "low": 15, "high": 25, "windows": 1},
        ])
    );
    let windows = answer["windows"].as_array().unwrap();
    let states: Vec<_> = windows.iter().map(|window| window["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["final", "final", "held_back", "open"], "Monday has not begun");
    assert_eq!(
        windows[1],
        json!({"from": "2026-11-20T04:00:00+01:00", "to": "2026-11-21T04:00:00+01:00", "state": "final",
               "flags": ["incomplete"], "coverage": 0.97, "thresholds": 3, "held_back": 15})
    );
    let csv = stage.csv(&path("flows/total", days)).await;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "from_zone,to_zone,value,low,high,windows");
    assert_eq!((lines[1], lines.len()), (",entrance-north,200,190,210,2", 5));
}

#[tokio::test]
async fn cross_visits_of_days_together_are_the_means_of_the_days_that_tell_them() {
    let stage = stage().await;
    with_thursday(&stage).await;
    let days = "from=2026-11-19T04:00:00%2B01:00&to=2026-11-22T04:00:00%2B01:00";
    let answer = stage.get(&path("cross-visits/mean", days)).await.json();
    assert_eq!(
        answer["cells"],
        json!([
            // 34 and 41 are 37.5 on the mean, which is 38 to the nearest percent; likewise their bands.
            {"zone": "entrance-north", "also": "food-court", "value": 38, "low": 33, "high": 43, "windows": 2},
            {"zone": "food-court", "also": "entrance-north", "value": 51, "low": 46, "high": 56, "windows": 1},
        ])
    );
    let csv = stage.csv(&path("cross-visits/mean", days)).await;
    assert!(
        csv.starts_with("zone,also,value,low,high,windows\nentrance-north,food-court,38,33,43,2\n"),
        "{csv}"
    );
}

#[tokio::test]
async fn dwell_has_a_value_a_band_and_says_which_are_held_back() {
    let stage = stage().await;
    let answer = stage.get(&path("dwell", &format!("zone=food-court&{DAYS}"))).await.json();
    assert_eq!((&answer["venue"], &answer["zone"]), (&json!("mall"), &json!("food-court")));
    assert_eq!(answer["bands"][0], json!({"from_min": 5, "to_min": 15}));
    assert_eq!(answer["bands"][5], json!({"from_min": 240, "to_min": null}));
    let held = json!({"state": "held_back", "value": null, "low": null, "high": null});
    let told = |value: u32| json!({"state": "final", "value": value, "low": value - 5, "high": value + 5});
    let friday = &answer["windows"][0];
    assert_eq!(friday["state"], json!("final"));
    assert_eq!(friday["values"], json!([told(60), told(25), held, held, held, told(15)]));
    let open = json!({"state": "open", "value": null, "low": null, "high": null});
    assert_eq!(answer["windows"][1]["values"][0], open);
    let cmx = stage.get(&path("dwell", &format!("zone=food-court&bands=cmx&{DAYS}"))).await.json();
    assert_eq!(cmx["bands"].as_array().unwrap().len(), 5);
    assert_eq!(cmx["windows"][0]["values"][0], told(90));
    let venue = stage.get(&path("dwell", DAYS)).await.json();
    assert_eq!((&venue["zone"], &venue["windows"][0]["values"][0]), (&json!(null), &told(200)));
    let csv = stage.csv(&path("dwell", &format!("zone=food-court&{DAYS}"))).await;
    assert!(csv.contains(",food-court,240,,final,15,10,20\n"), "{csv}");
}

#[tokio::test]
async fn what_cannot_be_answered_says_what_can() {
    let stage = stage().await;
    for (table, query, words) in [
        ("flows", "from=2026-11-20T03:00:00Z&to=2026-11-21T03:00:00Z".into(), "step is missing"),
        ("flows", DAYS.replace("1d", "15m"), "step is one of 1h, 1d"),
        ("flows", format!("{DAYS}&zone=food-court"), "there are from, to and step"),
        ("cross-visits", DAYS.replace("1d", "1h"), "step is one of 1d"),
        ("dwell", format!("{DAYS}&bands=cisco"), "bands is one of default, meraki, cmx"),
        ("dwell", format!("{DAYS}&zone=ground"), "name one of its zones"),
        ("dwell", format!("{DAYS}&zone=cellar"), "entrance-north, food-court"),
        ("dwell", DAYS.replace("04:00:00", "05:00:00"), "from lies inside a window of 1d"),
        (
            "flows",
            "from=2026-11-01T03:00:00Z&to=2026-11-21T03:00:00Z&step=1h".into(),
            "more than 175 windows of a table; step=1d fits",
        ),
        (
            "dwell",
            "from=2024-08-01T02:00:00Z&to=2026-11-21T03:00:00Z&step=1d".into(),
            "more than 800 windows of a table; ask for less time",
        ),
        ("flows/total", DAYS.into(), "there are from and to, and the step is 1d"),
        ("flows/total", "from=2026-11-20T03:00:00Z".into(), "to is missing"),
        ("flows/total", TWO_DAYS.replace("04:00:00", "05:00:00"), "from lies inside a window of 1d"),
        (
            "cross-visits/mean",
            "from=2024-08-01T02:00:00Z&to=2026-11-21T03:00:00Z".into(),
            "more than 800 windows of a table; ask for less time",
        ),
    ] {
        let answer = stage.get(&path(table, &query)).await;
        assert_eq!(answer.status.as_u16(), 400, "{table}?{query}: {}", answer.text);
        answer.is_problem(words);
    }
    let nowhere = stage.get(&format!("/api/v1/venues/museum/flows?{DAYS}")).await;
    assert_eq!(nowhere.status.as_u16(), 404);
    stage.store.close().await;
    let broken = stage.get(&path("flows", DAYS)).await;
    assert_eq!(broken.status.as_u16(), 503);
    broken.is_problem("the database did not answer");
}
