use serde_json::json;

use super::quantile;
use crate::api::stage::{Stage, id};
use crate::clock::{EpochMs, Step};
use crate::config::{Config, EXAMPLE};
use crate::release::{Banded, Figure, Flags, Label, Metric, Scope};

const PATH: &str = "/api/v1/venues/mall/typical";

/// The venue's visitors of an hour that begins at a local time of a date.
fn hour(date: &str, hour: u32, value: Option<u32>) -> Figure {
    let calendar = Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues[0].calendar;
    let time = chrono::NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    let at: EpochMs = calendar.moment(date.parse().unwrap(), time);
    let label = Label {
        venue: id("mall"),
        scope: Scope::Venue,
        metric: Metric::Visitors,
        step: Step::Hour,
        window: calendar.window_of(at, Step::Hour),
        flags: Flags::default(),
        coverage_permille: 1000,
        thresholds: 1,
        calibration: 0,
    };
    Figure::for_tests(label, value.map(|value| Banded { value, low: value - 3, high: value + 3 }), None)
}

#[tokio::test]
async fn a_day_stands_beside_the_same_weekdays_before_it_by_the_local_clock() {
    let stage = Stage::set().await;
    // Fridays; the clocks went back on 25 October.
    let fridays = ["2026-10-09", "2026-10-16", "2026-10-23", "2026-10-30", "2026-11-06", "2026-11-13"];
    let mut figures: Vec<Figure> = fridays
        .iter()
        .zip([100, 110, 120, 130, 140])
        .map(|(date, value)| hour(date, 11, Some(value)))
        .collect();
    // One that is held back is no value, and two are too few.
    figures.extend([
        hour("2026-11-13", 11, None),
        hour("2026-11-13", 12, Some(70)),
        hour("2026-11-06", 12, Some(70)),
    ]);
    figures.extend([
        hour("2026-11-19", 11, Some(900)),
        hour("2026-11-20", 11, Some(155)),
        hour("2026-11-20", 12, None),
    ]);
    stage.store.append(&figures).await.unwrap();
    stage.show("2026-11-20T13:30:00+01:00", 200);
    let asked = format!("{PATH}?metric=visitors&day=2026-11-20&step=1h");
    let told = stage.get(&asked).await.json();
    let of = |name: &str| told[name].clone();
    assert_eq!(
        (of("venue"), of("metric"), of("zone"), of("day"), of("weekday"), of("days")),
        (json!("mall"), json!("visitors"), json!(null), json!("2026-11-20"), json!("friday"), json!(6))
    );
    let points = told["points"].as_array().unwrap();
    let eleven = json!({
        "from": "2026-11-20T11:00:00+01:00", "to": "2026-11-20T12:00:00+01:00", "value": 155, "low": 152,
        "high": 158, "state": "final", "usual": 120, "usual_low": 110, "usual_high": 130,
    });
    let twelve = json!({
        "from": "2026-11-20T12:00:00+01:00", "to": "2026-11-20T13:00:00+01:00", "value": null, "low": null,
        "high": null, "state": "held_back", "usual": null, "usual_low": null, "usual_high": null,
    });
    assert_eq!((&points[0], &points[1]), (&eleven, &twelve), "{points:?}");
    assert_eq!((points.len(), &points[2]["state"]), (3, &json!("open")));
    let csv = stage.csv(&asked).await;
    assert_eq!(csv.lines().next(), Some("from,to,value,low,high,state,usual,usual_low,usual_high"));
    assert_eq!(
        csv.lines().nth(1),
        Some("2026-11-20T11:00:00+01:00,2026-11-20T12:00:00+01:00,155,152,158,final,120,110,130")
    );
}

#[tokio::test]
async fn the_usual_is_of_the_eight_newest_days_and_stands_where_the_day_has_nothing_yet() {
    let stage = Stage::set().await;
    let figures: Vec<Figure> = (1..=12u64)
        .map(|week| {
            let friday: chrono::NaiveDate = "2026-11-20".parse().unwrap();
            let date = friday.checked_sub_days(chrono::Days::new(7 * week)).unwrap();
            hour(&date.to_string(), 15, Some(if week <= 8 { 50 } else { 500 }))
        })
        .collect();
    stage.store.append(&figures).await.unwrap();
    stage.show("2026-11-20T10:00:00+01:00", 200);
    let told = stage.get(&format!("{PATH}?metric=visitors&day=2026-11-20&step=1h")).await.json();
    assert_eq!(told["days"], 8);
    let points = told["points"].as_array().unwrap();
    let ahead = points.iter().find(|point| point["from"] == "2026-11-20T15:00:00+01:00").unwrap();
    assert_eq!(
        (&ahead["usual"], &ahead["usual_high"], &ahead["state"]),
        (&json!(50), &json!(50), &json!("open"))
    );
}

#[tokio::test]
async fn every_refusal_says_what_there_is() {
    let stage = Stage::set().await;
    for (asked, words) in [
        ("metric=visits&step=1h", "day is missing"),
        ("metric=visits&step=1h&day=20.11.2026", "like 2026-11-20"),
        ("metric=visits&step=5m&day=2026-11-20", "a venue has visits in steps of 15m, 1h, 1d"),
        ("metric=infrastructure&step=1h&day=2026-11-20", "a venue has infrastructure in steps of 1d"),
        ("metric=visits&step=1h&day=2026-11-20&zone=moon", "there is no such zone"),
        ("metric=visits&step=1h&day=2026-11-20&from=x", "there are metric, zone, day and step"),
    ] {
        let answer = stage.get(&format!("{PATH}?{asked}")).await;
        assert_eq!(answer.status, 400, "{asked}");
        answer.is_problem(words);
    }
}

#[test]
fn a_quantile_lies_between_its_neighbours() {
    assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|share| quantile(&[10, 20, 40], share)), [10, 15, 20, 30, 40]);
    assert_eq!(quantile(&[10, 20], 0.5), 15);
}
