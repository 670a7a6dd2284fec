use crate::api::stage::{Stage, at, id};
use crate::clock::{Step, Window};
use crate::release::{Banded, Figure, Flags, Label, Metric, Scope};

fn figure(scope: Scope, metric: Metric, from: &str, value: Option<u32>) -> Figure {
    let from = at(from);
    let label = Label {
        venue: id("mall"),
        scope,
        metric,
        step: Step::Hour,
        window: Window { from, to: from.plus_secs(3_600) },
        flags: Flags { incomplete: true, uncalibrated: true, ..Flags::default() },
        coverage_permille: 950,
        thresholds: 3,
        calibration: 2,
    };
    Figure::for_tests(label, value.map(|value| Banded { value, low: value - 5, high: value + 5 }), None)
}

fn facts(days: &str) -> String {
    format!("/api/v1/venues/mall/export/fact_figures?{days}")
}

#[tokio::test]
async fn facts_are_what_is_published_and_what_is_held_back_has_no_number() {
    let stage = Stage::set().await;
    let food = || Scope::Zone(id("food-court"));
    let figures = [
        figure(food(), Metric::Visitors, "2026-11-20T11:00:00+01:00", None),
        figure(food(), Metric::Visitors, "2026-11-20T10:00:00+01:00", Some(40)),
        figure(Scope::Venue, Metric::Occupancy, "2026-11-21T03:00:00+01:00", Some(125)),
        // The next venue day is not asked for.
        figure(Scope::Venue, Metric::Occupancy, "2026-11-21T04:00:00+01:00", Some(130)),
    ];
    stage.store.append(&figures).await.unwrap();
    let answer = stage.get(&facts("from=2026-11-20&to=2026-11-20")).await;
    let name = "attachment; filename=\"mall-fact_figures-1h-2026-11-20-2026-11-20.csv\"";
    assert_eq!(
        (answer.header("content-type"), answer.header("content-disposition")),
        ("text/csv; charset=utf-8", name)
    );
    let rows = [
        "date,from,to,zone,metric,step,value,low,high,state,incomplete,uncalibrated,rekeyed,replay,coverage,thresholds,calibration",
        "2026-11-20,2026-11-21T03:00:00+01:00,2026-11-21T04:00:00+01:00,*,occupancy,1h,125,120,130,final,1,1,0,0,0.95,3,2",
        "2026-11-20,2026-11-20T10:00:00+01:00,2026-11-20T11:00:00+01:00,food-court,visitors,1h,40,35,45,final,1,1,0,0,0.95,3,2",
        "2026-11-20,2026-11-20T11:00:00+01:00,2026-11-20T12:00:00+01:00,food-court,visitors,1h,,,,held_back,1,1,0,0,0.95,3,2",
    ];
    assert_eq!(answer.text.lines().collect::<Vec<_>>(), rows);
}

#[tokio::test]
async fn a_period_over_several_pieces_loses_and_repeats_nothing() {
    let stage = Stage::set().await;
    let first = at("2026-09-01T12:00:00+02:00");
    let mut figures = Vec::new();
    for day in 0..80 {
        let from = first.plus_secs(day * 86_400).rfc3339();
        figures.push(figure(Scope::Venue, Metric::Visits, &from, Some(50)));
    }
    stage.store.append(&figures).await.unwrap();
    let answer = stage.get(&facts("from=2026-09-01&to=2026-11-19&step=1h")).await;
    let dates: Vec<&str> = answer.text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!((dates.len(), dates[0], dates[79]), (80, "2026-09-01", "2026-11-19"));
    assert!(dates.windows(2).all(|two| two[0] < two[1]));
}

#[tokio::test]
async fn a_period_has_a_limit_and_says_it() {
    let stage = Stage::set().await;
    for (days, words) in [
        ("from=2026-01-01&to=2027-02-05", "at most 400"),
        ("from=2026-01-01&to=2026-04-03&step=5m", "at most 92"),
        ("from=2026-01-02&to=2026-01-01", "lies before"),
        ("to=2026-01-01", "from must be a date"),
        ("from=2026-01-01&to=soon", "to must be a date"),
        ("from=2026-01-01&to=2026-01-02&step=2h", "one of 5m"),
        ("from=2026-01-01&until=2026-01-02", "there are from, to, step and bands"),
    ] {
        let answer = stage.get(&facts(days)).await;
        assert_eq!(answer.status.as_u16(), 400, "{days}");
        answer.is_problem(words);
    }
    let unknown = stage.get("/api/v1/venues/mall/export/devices").await;
    assert_eq!(unknown.status.as_u16(), 404);
    unknown.is_problem("fact_door_counts, dim_zone");
}

#[tokio::test]
async fn dimensions_say_what_the_keys_mean() {
    let stage = Stage::set().await;
    let table = async |name: &str| {
        let answer = stage.get(&format!("/api/v1/venues/mall/export/{name}")).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        answer.text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let zones = table("dim_zone").await;
    assert_eq!(zones[1], "*,venue,Galerie du Passage,,mall,Galerie du Passage");
    assert_eq!(zones[2], "ground,group,ground,ground,mall,Galerie du Passage");
    assert_eq!(zones[4], "food-court,zone,Food court,ground,mall,Galerie du Passage");
    assert_eq!(table("dim_sensor").await[1], "north-1,entrance-north,0");
    assert_eq!(zones.last().unwrap(), "~,outside,outside,,mall,Galerie du Passage");
    let metrics = table("dim_metric").await;
    assert_eq!(metrics.len(), 1 + Metric::ALL.len() + 6);
    for line in [
        "metric,lens,unit,kind,adds_up",
        "occupancy,crowd,people,mean,0",
        "visits,visits,visits,count,1",
        "dwell_median,visits,minutes,quantile,0",
        "capture_rate,visits,percent,share,0",
        "door_in,door,people,count,1",
    ] {
        assert!(metrics.iter().any(|metric| metric == line), "{line} in {metrics:?}");
    }
    let bands = table("dim_band").await;
    assert_eq!(
        (bands.len(), bands[1].as_str(), bands[6].as_str()),
        (16, "default:5,default,5,15", "default:240,default,240,")
    );
    let dates = table("dim_date?from=2026-10-24&to=2026-12-25").await;
    assert_eq!(dates.len(), 64);
    // The day on which the clocks went back, Black Friday, and Christmas.
    assert_eq!(
        dates[1],
        "2026-10-24,2026-10-24T04:00:00+02:00,2026-10-25T04:00:00+01:00,25,2026,4,10,2026,43,6,1,,"
    );
    assert!(dates[35].starts_with("2026-11-27,") && dates[35].ends_with(",0,,Black Friday"), "{}", dates[35]);
    assert!(dates[63].starts_with("2026-12-25,") && dates[63].ends_with(",0,Christmas,"), "{}", dates[63]);
    stage.store.thresholds_version(&id("mall"), "{\"k\":10}").await.unwrap();
    assert_eq!(table("dim_thresholds").await, ["thresholds,json", "1,\"{\"\"k\"\":10}\""]);
    assert_eq!(table("dim_calibration").await.len(), 2);
}
