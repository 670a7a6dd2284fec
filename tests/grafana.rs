//! The Grafana dashboard asks for what the server has.

use passant::telemetry::{Outcome, Tally};
use serde_json::Value;

const DASHBOARD: &str = include_str!("../dashboards/grafana/passant.json");

/// A series as Prometheus's text has it.
#[derive(Debug, PartialEq, Eq)]
struct Series {
    name: String,
    labels: Vec<String>,
}

/// Every series there is once each counter has counted.
fn series_of_the_server() -> Vec<Series> {
    let tally = Tally::default();
    tally.message();
    tally.message_refused("venue", "sensor", "reason");
    tally.sightings(Outcome::Counted, 1);
    tally.figures(1, 1);
    tally.broker(true);
    let text = tally.encode();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, _) = line.rsplit_once(' ').expect("a series without a value");
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.split(',').filter_map(|label| label.split_once('=')).map(|(label, _)| label);
            Series { name: name.to_owned(), labels: labels.map(str::to_owned).collect() }
        })
        .collect()
}

/// Every value under a key, however deep.
fn all<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| all(value, key, found)),
        Value::Object(map) => {
            found.extend(map.get(key));
            map.values().for_each(|value| all(value, key, found));
        }
        _ => {}
    }
}

fn texts(dashboard: &Value, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    all(dashboard, key, &mut found);
    found.into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn metrics_in(query: &str) -> Vec<&str> {
    let words = query.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
    words.filter(|word| word.starts_with("passant_")).collect()
}

#[test]
fn every_metric_it_asks_for_exists() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let server = series_of_the_server();
    let queries: Vec<String> =
        ["expr", "query", "definition"].iter().flat_map(|key| texts(&dashboard, key)).collect();
    let asked: Vec<&str> = queries.iter().flat_map(|query| metrics_in(query)).collect();
    assert!(asked.len() > 10, "no queries were found");
    for metric in asked {
        assert!(server.iter().any(|series| series.name == metric), "`{metric}` is not in {server:?}");
    }
}

#[test]
fn every_label_it_groups_by_exists() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let server = series_of_the_server();
    for query in texts(&dashboard, "expr") {
        let Some((_, group)) = query.split_once(" by (") else { continue };
        let (group, rest) = group.split_once(')').unwrap();
        let metric = metrics_in(rest)[0];
        let series = server.iter().find(|series| series.name == metric).unwrap();
        for label in group.split(", ") {
            assert!(series.labels.iter().any(|known| known == label), "`{label}` is no label of {series:?}");
        }
    }
}

#[test]
fn every_panel_says_what_it_shows_and_asks_something() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids: Vec<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    for panel in panels {
        assert!(!panel["title"].as_str().unwrap().is_empty());
        assert!(!panel["description"].as_str().unwrap().is_empty());
        assert!(!panel["targets"].as_array().unwrap().is_empty(), "{} asks nothing", panel["title"]);
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), panels.len(), "two panels share a number");
}
