use serde_json::json;

use super::{VALUES_MAX, with_values};
use crate::api::stage::{Stage, at, id};
use crate::clock::Step;
use crate::config::{Config, EXAMPLE};
use crate::release::{Banded, Figure, Flags, Label, Metric, Scope};

const PATH: &str = "/api/v1/venues/mall/ranking";
const DAYS: &str = "from=2026-11-20T03:00:00Z&to=2026-11-22T03:00:00Z&step=1d";

fn figure(zone: &str, metric: Metric, from: &str, value: Option<[u32; 3]>) -> Figure {
    let calendar = Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues[0].calendar;
    let label = Label {
        venue: id("mall"),
        scope: Scope::Zone(id(zone)),
        metric,
        step: Step::Day,
        window: calendar.window_of(at(from), Step::Day),
        flags: Flags::default(),
        coverage_permille: 1000,
        thresholds: 1,
        calibration: 0,
    };
    Figure::for_tests(label, value.map(|[value, low, high]| Banded { value, low, high }), None)
}

/// Two days of both zones; of the second day the entrance's are held back.
async fn stage(metric: Metric, court: [[u32; 3]; 2], entrance: [u32; 3]) -> Stage {
    let stage = Stage::set().await;
    let [friday, saturday] = ["2026-11-20T12:00:00+01:00", "2026-11-21T12:00:00+01:00"];
    let figures = [
        figure("food-court", metric, friday, Some(court[0])),
        figure("food-court", metric, saturday, Some(court[1])),
        figure("entrance-north", metric, friday, Some(entrance)),
        figure("entrance-north", metric, saturday, None),
    ];
    assert_eq!(stage.store.append(&figures).await.unwrap(), 4);
    stage
}

#[tokio::test]
async fn visits_add_up_and_what_is_held_back_is_said_and_in_no_sum() {
    let stage = stage(Metric::Visits, [[100, 97, 103], [50, 47, 53]], [300, 290, 310]).await;
    let asked = format!("{PATH}?metric=visits&{DAYS}");
    let told = stage.get(&asked).await.json();
    assert_eq!(told["rows"][0]["zone"], "entrance-north");
    let court = json!({
        "rank": 2, "zone": "food-court", "name": "Food court", "value": 150, "low": 144, "high": 156,
        "windows": 2, "missing": 0, "tied_with_next": false,
    });
    assert_eq!(told["rows"][1], court);
    assert_eq!((&told["rows"][0]["windows"], &told["rows"][0]["missing"]), (&json!(1), &json!(1)));
    assert_eq!(told["from"], "2026-11-20T04:00:00+01:00");
    let csv = stage.csv(&asked).await;
    assert_eq!(csv.lines().next(), Some("rank,zone,name,value,low,high,windows,missing,tied_with_next"));
    assert_eq!(csv.lines().nth(2), Some("2,food-court,Food court,150,144,156,2,0,false"));
}

#[tokio::test]
async fn the_value_of_each_window_is_there_where_it_is_asked_for() {
    let stage = stage(Metric::Visits, [[100, 97, 103], [50, 47, 53]], [300, 290, 310]).await;
    let told = stage.get(&format!("{PATH}?metric=visits&{DAYS}&values=windows")).await.json();
    let values = |n: usize| (&told["rows"][n]["zone"], &told["rows"][n]["values"]);
    assert_eq!(values(0), (&json!("entrance-north"), &json!([300, null])));
    assert_eq!(values(1), (&json!("food-court"), &json!([100, 50])));
}

#[test]
fn so_many_values_are_refused_with_what_to_do() {
    assert!(with_values(Some("windows"), VALUES_MAX).is_ok_and(|with| with));
    let refused = with_values(Some("windows"), VALUES_MAX + 1).unwrap_err();
    assert!(format!("{refused:?}").contains("ask for a shorter period"), "{refused:?}");
}

#[tokio::test]
async fn occupancy_is_a_mean_and_zones_whose_bands_overlap_are_tied() {
    let stage = stage(Metric::Occupancy, [[100, 80, 120], [51, 40, 61]], [74, 60, 90]).await;
    let told = stage.get(&format!("{PATH}?metric=occupancy&{DAYS}")).await.json();
    let rows = told["rows"].as_array().unwrap();
    let row = |n: usize| {
        [&rows[n]["zone"], &rows[n]["value"], &rows[n]["low"], &rows[n]["high"], &rows[n]["tied_with_next"]]
    };
    assert_eq!(row(0), [&json!("food-court"), &json!(76), &json!(60), &json!(91), &json!(true)]);
    assert_eq!(row(1), [&json!("entrance-north"), &json!(74), &json!(60), &json!(90), &json!(false)]);
}

#[tokio::test]
async fn a_zone_of_which_nothing_is_told_comes_last_and_has_no_rank() {
    let stage = Stage::set().await;
    let told = stage.get(&format!("{PATH}?metric=visits&{DAYS}&groups=ground")).await.json();
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert!(row["rank"].is_null() && row["value"].is_null() && row["missing"] == 0, "{row}");
    }
}

#[tokio::test]
async fn every_refusal_says_what_there_is() {
    let stage = Stage::set().await;
    for (asked, words) in [
        (format!("metric=visits&{DAYS}&groups=cellar"), "groups is one or more of ground"),
        (format!("metric=footfall&{DAYS}"), "a zone has no footfall"),
        (
            "metric=occupancy&from=2026-11-20T09:00:00Z&to=2026-11-20T10:00:00Z&step=5m".to_owned(),
            "one of 1h, 1d",
        ),
        ("metric=visits&step=1d".to_owned(), "from is missing"),
        (
            format!("metric=visits&{DAYS}&zone=food-court"),
            "there are metric, from, to, step, groups and values",
        ),
        (format!("metric=visits&{DAYS}&values=all"), "values is windows"),
    ] {
        let answer = stage.get(&format!("{PATH}?{asked}")).await;
        assert_eq!(answer.status, 400, "{asked}");
        answer.is_problem(words);
    }
}
