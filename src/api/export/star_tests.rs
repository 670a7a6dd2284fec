//! That the star's facts are what the API's other routes answer, value by value, and that its keys lead somewhere.

use std::collections::BTreeSet;

use serde_json::json;

use super::TableName;
use crate::api::rules::{self, Ruling};
use crate::api::sheets::tests::stage as with_sheets;
use crate::api::stage::Stage;

/// The days of the sheets, as the export asks for them and as the other routes do.
const DAYS: &str = "from=2026-11-20&to=2026-11-21";
const WINDOWS: &str = "from=2026-11-20T04:00:00%2B01:00&to=2026-11-22T04:00:00%2B01:00";

/// A table, a line a map from its header to its cells.
struct Lines {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Lines {
    fn read(text: &str) -> Self {
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        Self { header: lines.next().unwrap(), rows: lines.collect() }
    }

    fn column(&self, name: &str) -> usize {
        let at = self.header.iter().position(|column| column == name);
        at.unwrap_or_else(|| panic!("no column {name} in {:?}", self.header))
    }

    /// Some columns of those rows that some column's cell lets in, in the order of the table.
    fn of(&self, columns: &[&str], keep: impl Fn(&dyn Fn(&str) -> String) -> bool) -> Vec<Vec<String>> {
        let rows = self.rows.iter().filter(|row| keep(&|name: &str| row[self.column(name)].clone()));
        rows.map(|row| columns.iter().map(|name| row[self.column(name)].clone()).collect()).collect()
    }
}

async fn star(stage: &Stage, table: &str, query: &str) -> Lines {
    let answer = stage.get(&format!("/api/v1/venues/mall/export/{table}?{query}")).await;
    assert_eq!(answer.status.as_u16(), 200, "{table}: {}", answer.text);
    Lines::read(&answer.text)
}

async fn route(stage: &Stage, route: &str) -> Lines {
    Lines::read(&stage.csv(&format!("/api/v1/venues/mall/{route}")).await)
}

#[tokio::test]
async fn flows_are_those_of_the_route_and_what_is_untold_has_one_row() {
    let stage = with_sheets().await;
    let facts = star(&stage, "fact_flows", &format!("{DAYS}&step=1d")).await;
    let told = facts
        .of(&["from", "to", "from_zone", "to_zone", "value", "low", "high"], |cell| cell("state") == "final");
    let answer = route(&stage, &format!("flows?{WINDOWS}&step=1d")).await;
    let mut expected = answer.of(&["from", "to", "from_zone", "to_zone", "value", "low", "high"], |cell| {
        !cell("value").is_empty()
    });
    for row in &mut expected {
        row[2..4].iter_mut().filter(|zone| zone.is_empty()).for_each(|zone| *zone = "~".to_owned());
    }
    assert_eq!((told.len(), &told), (3, &expected));
    let kinds = facts.of(&["kind"], |cell| cell("date") == "2026-11-20");
    assert_eq!(kinds.concat(), ["entrance", "flow", "exit", "untold"]);
    let untold = facts
        .of(&["date", "from_zone", "to_zone", "value", "low", "high", "state", "untold"], |cell| {
            cell("kind") == "untold"
        });
    let row = |date: &str| [date, "*", "*", "", "", "", "held_back", "15"].map(str::to_owned).to_vec();
    assert_eq!(untold, [row("2026-11-20"), row("2026-11-21")]);
    let by_hours = star(&stage, "fact_flows", DAYS).await;
    assert_eq!(by_hours.rows.len(), 2, "hours unless another step is named");
}

#[tokio::test]
async fn cross_visits_are_those_of_the_route() {
    let stage = with_sheets().await;
    let facts = star(&stage, "fact_cross_visits", DAYS).await;
    let answer = route(&stage, &format!("cross-visits?{WINDOWS}&step=1d")).await;
    let mine =
        facts.of(&["from", "to", "zone", "also_zone", "value", "low", "high", "state", "coverage"], |_| true);
    let columns = ["from", "to", "zone", "also", "value", "low", "high", "state", "coverage"];
    let theirs = answer.of(&columns, |cell| cell("state") != "open");
    assert_eq!((mine.len(), &mine), (2, &theirs));
}

#[tokio::test]
async fn dwell_is_that_of_the_route_in_every_set_of_bands_and_held_back_bands_have_no_number() {
    let stage = with_sheets().await;
    for bands in ["default", "cmx"] {
        let facts = star(&stage, "fact_dwell", &format!("{DAYS}&step=1d&bands={bands}")).await;
        let columns = ["from", "to", "band", "value", "low", "high", "state", "thresholds"];
        for (place, zone) in [("*", ""), ("food-court", "&zone=food-court")] {
            let mine = facts.of(&columns, |cell| cell("zone") == place);
            let answer = route(&stage, &format!("dwell?{WINDOWS}&step=1d&bands={bands}{zone}")).await;
            let columns = ["from", "to", "from_min", "value", "low", "high", "state", "thresholds"];
            let mut theirs = answer.of(&columns, |cell| cell("window_state") != "open");
            theirs.iter_mut().for_each(|row| row[2] = format!("{bands}:{}", row[2]));
            assert_eq!(mine, theirs, "{bands} of {place}");
        }
        let held = facts.of(&["value", "low", "high"], |cell| cell("state") == "held_back");
        assert!(!held.is_empty() && held.iter().flatten().all(String::is_empty), "{held:?}");
    }
}

/// The same mall with a head count and hours of two doors, one of them nearly empty.
async fn with_counts() -> Stage {
    let stage = with_sheets().await;
    let head = json!({"zone": "food-court", "from": "2026-11-20T10:00:00+01:00", "to": "2026-11-20T10:05:00+01:00", "people": 17});
    let later = json!({"zone": "food-court", "from": "2026-11-22T10:00:00+01:00", "to": "2026-11-22T10:05:00+01:00", "people": 12});
    for body in [head, later] {
        let added = stage.post("/api/v1/venues/mall/head-counts", &body.to_string()).await;
        assert_eq!(added.status.as_u16(), 201, "{}", added.text);
    }
    // The office takes no hour that has not been: these lie a year before the sheets.
    for (door, people_in) in [("north-door", 120), ("yard-door", 9)] {
        let hour = json!({"from": "2025-11-20T10:00:00+01:00", "to": "2025-11-20T11:00:00+01:00", "in": people_in, "out": 60});
        let body = json!({"door": door, "counts": [hour]});
        let added = stage.post("/api/v1/venues/mall/door-counts", &body.to_string()).await;
        assert_eq!(added.status.as_u16(), 201, "{}", added.text);
    }
    stage
}

#[tokio::test]
async fn counts_are_those_of_their_routes() {
    let stage = with_counts().await;
    let heads = star(&stage, "fact_head_counts", DAYS).await;
    let answer = route(&stage, "head-counts").await;
    assert_eq!(answer.rows.len(), 2);
    assert_eq!(
        heads.of(&["head_count", "zone", "from", "to", "value", "entered_at"], |_| true),
        answer.of(&["id", "zone", "from", "to", "people", "entered_at"], |cell| cell("from").as_str()
            < "2026-11-22"),
    );
    let doors = star(&stage, "fact_door_counts", "from=2025-11-20&to=2025-11-20").await;
    let answer = route(&stage, "door-counts?from=2025-11-20T03:00:00Z&to=2025-11-21T03:00:00Z").await;
    for (metric, direction) in [("door_in", "in"), ("door_out", "out")] {
        let mine = doors.of(&["door", "from", "to", "value"], |cell| cell("metric") == metric);
        assert_eq!(mine, answer.of(&["door", "from", "to", direction], |_| true));
    }
    let few = doors.of(&["door", "metric", "value"], |cell| cell("state") == "held_back");
    assert_eq!(few, [["yard-door", "door_in", ""].map(str::to_owned).to_vec()]);
}

#[tokio::test]
async fn every_key_of_a_fact_leads_to_a_dimension() {
    let stage = with_counts().await;
    let keys = async |table: &str, key: &str| -> BTreeSet<String> {
        let query = if table == "dim_date" { "from=2025-11-20&to=2026-11-22" } else { "" };
        star(&stage, table, query).await.of(&[key], |_| true).concat().into_iter().collect()
    };
    let (zones, metrics) = (keys("dim_zone", "zone").await, keys("dim_metric", "metric").await);
    let (bands, doors) = (keys("dim_band", "band").await, keys("dim_door", "door").await);
    let dates = keys("dim_date", "date").await;
    for (table, query, some) in [
        ("fact_flows", format!("{DAYS}&step=1d"), 5),
        ("fact_cross_visits", DAYS.to_owned(), 2),
        ("fact_dwell", format!("{DAYS}&step=1d&bands=cmx"), 5),
        ("fact_head_counts", DAYS.to_owned(), 1),
        ("fact_door_counts", "from=2025-11-20&to=2025-11-20".to_owned(), 4),
    ] {
        let facts = star(&stage, table, &query).await;
        assert_eq!(facts.rows.len(), some, "{table}");
        for (at, column) in facts.header.iter().enumerate() {
            let dimension = match column.as_str() {
                "zone" | "from_zone" | "to_zone" | "also_zone" => &zones,
                "metric" => &metrics,
                "band" => &bands,
                "door" => &doors,
                "date" => &dates,
                _ => continue,
            };
            for row in &facts.rows {
                assert!(dimension.contains(&row[at]), "{table}.{column}: {} leads nowhere", row[at]);
            }
        }
    }
}

#[tokio::test]
async fn every_header_is_documented_and_a_fact_is_for_whoever_may_ask_its_route() {
    let stage = Stage::set().await;
    let readme = include_str!("README.md");
    for table in TableName::ALL {
        let query = if table.as_str().starts_with("fact") || table == TableName::DimDate { DAYS } else { "" };
        let query = query.to_owned();
        let header = star(&stage, table.as_str(), &query).await.header.join(", ");
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{}` |", table.as_str())));
        assert!(
            row.is_some_and(|row| row.ends_with(&format!("| {header} |"))),
            "{}: {header}",
            table.as_str()
        );
    }
    let rule =
        |route: &str| match rules::of(&axum::http::Method::GET, &format!("/api/v1/venues/{{venue}}/{route}"))
        {
            Ruling::Whoever(needs) => needs,
            other => panic!("{route}: {other:?}"),
        };
    for route in ["figures", "flows", "cross-visits", "dwell", "head-counts", "door-counts"] {
        assert_eq!(rule(route), rule("export/{table}"), "{route}");
    }
}

#[tokio::test]
async fn a_step_that_a_table_has_not_is_refused_with_those_that_it_has() {
    let stage = Stage::set().await;
    for (table, words) in [
        ("fact_flows?step=5m", "step is one of 1h, 1d"),
        ("fact_cross_visits?step=1h", "step is one of 1d"),
        ("fact_dwell?bands=cisco", "bands is one of default, meraki, cmx"),
        ("fact_flows?bands=cmx", "only fact_dwell has bands"),
        ("fact_door_counts?step=1d", "step is one of 1h"),
    ] {
        let answer = stage.get(&format!("/api/v1/venues/mall/export/{table}&{DAYS}")).await;
        assert_eq!(answer.status.as_u16(), 400, "{table}");
        answer.is_problem(words);
    }
}
