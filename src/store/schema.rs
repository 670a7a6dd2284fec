//! The schema is a promise: a column for a device, a pseudonym or a visit cannot slip in.

use std::collections::BTreeSet;

use super::{Kind, MIGRATIONS, Store};

/// Every table and column there is. To add one is a decision: it must hold nothing about anyone who is counted. Of those
/// who run the place there are a name and hashes.
const COLUMNS: [(&str, &str); 96] = [
    ("account", "id"),
    ("account", "made_at_secs"),
    ("account", "name"),
    ("account", "password"),
    ("account_role", "account"),
    ("account_role", "role"),
    ("account_role", "venue"),
    ("alert", "back"),
    ("alert", "beyond"),
    ("alert", "high"),
    ("alert", "judged_to_secs"),
    ("alert", "low"),
    ("alert", "name"),
    ("alert", "rule"),
    ("alert", "since_secs"),
    ("alert", "state"),
    ("alert", "value"),
    ("alert", "venue"),
    ("api_token", "hash"),
    ("api_token", "id"),
    ("api_token", "label"),
    ("api_token", "made_at_secs"),
    ("api_token_role", "role"),
    ("api_token_role", "token"),
    ("api_token_role", "venue"),
    ("calibration", "counts"),
    ("calibration", "kappa_permille"),
    ("calibration", "knee_centi"),
    ("calibration", "made_at_secs"),
    ("calibration", "people_sum"),
    ("calibration", "power_milli"),
    ("calibration", "root_sum_centi"),
    ("calibration", "scale_milli"),
    ("calibration", "venue"),
    ("calibration", "version"),
    ("door_count", "door"),
    ("door_count", "entered_at_secs"),
    ("door_count", "from_secs"),
    ("door_count", "people_in"),
    ("door_count", "people_out"),
    ("door_count", "to_secs"),
    ("door_count", "venue"),
    ("figure", "calibration"),
    ("figure", "coverage_permille"),
    ("figure", "flags"),
    ("figure", "from_secs"),
    ("figure", "high"),
    ("figure", "low"),
    ("figure", "metric"),
    ("figure", "root_mean_centi"),
    ("figure", "scope"),
    ("figure", "state"),
    ("figure", "step"),
    ("figure", "thresholds_version"),
    ("figure", "to_secs"),
    ("figure", "value"),
    ("figure", "venue"),
    ("head_count", "entered_at_secs"),
    ("head_count", "from_secs"),
    ("head_count", "id"),
    ("head_count", "people"),
    ("head_count", "to_secs"),
    ("head_count", "venue"),
    ("head_count", "zone"),
    ("meta", "key"),
    ("meta", "value"),
    ("objection", "bits"),
    ("objection", "mark"),
    ("objection", "receipt"),
    ("objection_key", "check_value"),
    ("objection_key", "only_row"),
    ("session", "account"),
    ("session", "hash"),
    ("session", "made_at_secs"),
    ("session", "seen_at_secs"),
    ("sheet", "cells"),
    ("sheet", "coverage_permille"),
    ("sheet", "flags"),
    ("sheet", "from_secs"),
    ("sheet", "held_back"),
    ("sheet", "step"),
    ("sheet", "subject"),
    ("sheet", "thresholds_version"),
    ("sheet", "to_secs"),
    ("sheet", "venue"),
    ("sheet", "zone"),
    ("sheet_sum", "cells"),
    ("sheet_sum", "from_secs"),
    ("sheet_sum", "sheets"),
    ("sheet_sum", "subject"),
    ("sheet_sum", "venue"),
    ("thresholds", "json"),
    ("thresholds", "venue"),
    ("thresholds", "version"),
    ("venue_reach", "newest_end_secs"),
    ("venue_reach", "venue"),
];

#[tokio::test]
async fn the_live_schema_is_the_list() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Real).await.unwrap();
    // SQLite's own tables, and the one in which migrations are ticked off, are not ours to list.
    let live: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c \
         WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND t.name <> '_sqlx_migrations' ORDER BY t.name, c.name",
    )
    .fetch_all(&store.pool)
    .await
    .unwrap();
    let live: Vec<(&str, &str)> = live.iter().map(|(t, c)| (t.as_str(), c.as_str())).collect();
    assert_eq!(live, COLUMNS);
}

#[test]
fn every_column_says_what_it_holds() {
    let mut said = BTreeSet::new();
    for migration in MIGRATIONS.iter() {
        for (table, column, comment) in columns(migration.sql.as_str()) {
            assert!(
                comment.len() >= 10,
                "{table}.{column} needs a comment on its line: what it holds, its unit"
            );
            said.insert((table, column));
        }
        for gone in migration.sql.as_str().lines().filter_map(|line| line.strip_prefix("DROP TABLE ")) {
            said.retain(|(table, _)| table != gone.trim_end_matches(';'));
        }
    }
    let listed = COLUMNS.iter().map(|(t, c)| ((*t).to_owned(), (*c).to_owned())).collect();
    assert_eq!(said, listed, "the test no longer reads the migrations right");
}

#[test]
fn a_column_without_a_comment_is_found() {
    let sql = "CREATE TABLE t (\n    a TEXT, -- what a holds, in metres\n    b TEXT,\n    PRIMARY KEY (a)\n);\n\
               ALTER TABLE t ADD COLUMN c INTEGER;\n";
    let found = columns(sql);
    let found: Vec<_> = found.iter().map(|(t, c, said)| (t.as_str(), c.as_str(), said.is_empty())).collect();
    assert_eq!(found, [("t", "a", false), ("t", "b", true), ("t", "c", true)]);
}

/// Table, column and comment of every column that a migration makes, one a line.
fn columns(sql: &str) -> Vec<(String, String, String)> {
    const NOT_COLUMNS: [&str; 5] = ["PRIMARY", "CHECK", "UNIQUE", "FOREIGN", "CONSTRAINT"];
    let mut found = Vec::new();
    let mut table: Option<String> = None;
    for line in sql.lines() {
        let (code, comment) = line.split_once("--").unwrap_or((line, ""));
        let words: Vec<&str> = code.split_whitespace().collect();
        match (words.as_slice(), &table) {
            (["CREATE", "TABLE", name, ..], _) => table = Some((*name).to_owned()),
            (["ALTER", "TABLE", name, "ADD", "COLUMN", column, ..], _) => {
                found.push(((*name).to_owned(), (*column).to_owned(), comment.trim().to_owned()));
            }
            ([first, ..], Some(_)) if first.starts_with(')') => table = None,
            ([first, ..], Some(name)) if !NOT_COLUMNS.contains(&first.trim_end_matches('(')) => {
                found.push((name.clone(), (*first).to_owned(), comment.trim().to_owned()));
            }
            _ => {}
        }
    }
    found
}
