//! The house is what its folders say: who may import whom, which words stand where, how long a file is.
//!
//! The table is in `architecture/table.rs`. Everything here reads text; nothing of Passant is compiled for it.

#[path = "architecture/doors.rs"]
mod doors;
#[path = "architecture/floors.rs"]
mod floors;
#[path = "architecture/source.rs"]
mod source;
#[path = "architecture/table.rs"]
mod table;

use std::path::Path;

use source::{Source, files, read, together};
use table::{GUARDED, OPEN, ROOMS};

const LINES_MAX: usize = 500;
const SAYS_NOTHING: &[&str] = &["util", "utils", "helper", "helpers", "common", "manager", "managers"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Fails with every line at once, so that one run tells everything.
fn none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

fn planted(path: &str, text: &str) -> Vec<String> {
    floors::violations(&Source::new(path, text))
}

fn planted_word(path: &str, text: &str) -> Vec<String> {
    doors::violations(&Source::new(path, text))
}

#[test]
fn every_room_imports_only_what_its_row_allows() {
    let sources = read(root(), "src");
    assert!(sources.len() > 10, "the sources were not found");
    none(&sources.iter().flat_map(floors::violations).collect::<Vec<_>>());
}

#[test]
fn words_that_belong_to_one_place_stand_nowhere_else() {
    let sources = read(root(), "src");
    none(&sources.iter().flat_map(doors::violations).collect::<Vec<_>>());
}

#[test]
fn no_row_reaches_up_or_sideways() {
    for row in ROOMS {
        for wanted in row.may {
            let other = ROOMS.iter().find(|room| room.name == *wanted);
            let floor =
                other.unwrap_or_else(|| panic!("`{}` may import an unknown `{wanted}`", row.name)).floor;
            assert!(floor < row.floor, "`{}` is not above `{wanted}`", row.name);
        }
        assert!(!OPEN.contains(&row.name), "`{}` has a row and is open as well", row.name);
        assert_eq!(
            ROOMS.iter().filter(|room| room.name == row.name).count(),
            1,
            "`{}` has two rows",
            row.name
        );
    }
    for (guarded, open_to, _) in GUARDED {
        for room in [guarded].into_iter().chain(*open_to) {
            assert!(ROOMS.iter().any(|row| row.name == *room), "`{room}` is guarded and has no row");
        }
    }
}

#[test]
fn no_file_is_longer_than_can_be_read_at_once() {
    let sources = ["src", "sensor-sim/src"].into_iter().flat_map(|folder| read(root(), folder));
    let long = sources.filter(|source| source.lines > LINES_MAX);
    none(&long.map(|source| format!("{}: {} lines", source.path, source.lines)).collect::<Vec<_>>());
}

#[test]
fn every_name_says_what_is_inside() {
    let all =
        ["src", "sensor-sim", "tests", "dashboards"].into_iter().flat_map(|folder| files(root(), folder));
    let says_nothing = |path: &String| {
        path.split('/').any(|part| SAYS_NOTHING.contains(&part.split('.').next().unwrap_or_default()))
    };
    none(&all.filter(says_nothing).collect::<Vec<_>>());
}

#[test]
fn no_lint_is_silenced() {
    let sources = ["src", "sensor-sim", "tests"].into_iter().flat_map(|folder| read(root(), folder));
    none(&sources.flat_map(|source| doors::silenced(&source)).collect::<Vec<_>>());
    assert_eq!(doors::silenced(&Source::new("src/crowd/mod.rs", "#![allow(dead_code)]")).len(), 1);
}

#[test]
fn a_planted_import_is_told_with_file_line_and_rule() {
    let told =
        planted("src/crowd/beat.rs", "//! Beats.\nuse crate::clock::Step;\nuse crate::store::Store;\n");
    assert_eq!(told.len(), 1, "{told:?}");
    for word in ["src/crowd/beat.rs:3", "`crowd`", "`crate::store::Store`", "pseudonym", "no raw device"] {
        assert!(told[0].contains(word), "{word} is not in {}", told[0]);
    }
}

#[test]
fn every_way_to_a_forbidden_room_is_seen() {
    for (path, text) in [
        ("src/api/live.rs", "use crate::pipeline::Watch;"),
        ("src/api/live.rs", "fn f(_: crate::pipeline::Watch) {}"),
        ("src/api/live.rs", "pub(crate) use crate::pipeline::{Watch, inner::Other as O};"),
        ("src/api/mod.rs", "use crate::{store, release::Figure};"),
        ("src/api/mod.rs", "use {crate::pipeline, std::fmt};"),
        ("src/api/mod.rs", "use crate::*;"),
        ("src/api/mod.rs", "use crate as house;"),
        ("src/api/mod.rs", "use super::pipeline::Watch;"),
        ("src/api.rs", "use super::pipeline::Watch;"),
        ("src/api/figures/day.rs", "use super::super::super::pipeline::Watch;"),
        ("src/api/figures/day.rs", "use super::{super::live, page};"),
        ("src/release/mod.rs", "macro_rules! v { () => { $crate::visit::Visit } }"),
        ("src/crowd/mod.rs", "use passant_wire::DeviceId;"),
        ("src/crowd/mod.rs", "use passant_wire::{Id, Report};"),
        ("src/store/mod.rs", "fn f() { passant_wire::decode(&[]); }"),
        ("src/store/mod.rs", "use passant_wire::*;"),
        ("src/store/mod.rs", "use passant_wire as w;"),
        ("src/pipeline/mod.rs", "use crate::link::Link;"),
        ("src/intake/mod.rs", "use crate::broker::Broker;"),
        ("src/clock/mod.rs", "use crate::config::Config;"),
        ("src/desk/mod.rs", "use crate::app::serve;"),
        ("src/api/mod.rs", "use self::super::pipeline::Watch;"),
        ("src/vault/mod.rs", "#[cfg(test)]\nmod tests { use crate::clock::A; }\nuse crate::store::B;"),
        ("src/api/mod.rs", "fn f() -> impl Iterator + use<'_> { crate::pipeline::walk(); }"),
    ] {
        assert!(!planted(path, text).is_empty(), "{path}: {text}");
    }
}

#[test]
fn what_the_table_allows_is_let_through() {
    for (path, text) in [
        (
            "src/api/live.rs",
            "use crate::release::{Figure, Live};\nuse super::page;\nuse crate::api::error::Error;",
        ),
        ("src/crowd/mod.rs", "use passant_wire::Id;\nconst L: u32 = passant_wire::LIFE_SECS;"),
        ("src/intake/mod.rs", "use passant_wire::{Report, decode};\nuse crate::link::Link;"),
        (
            "src/optout/mod.rs",
            "/// See [`crate::store::Store`].\nconst WORDS: &str = \"use crate::store::Store;\";",
        ),
        (
            "src/optout/mod.rs",
            "const RAW: &str = r#\"say \"crate::store\"\"#; /* crate::store /* nested */ */",
        ),
        (
            "src/optout/mod.rs",
            "fn f<'a>(c: char, s: &'a str) -> bool { c == '\"' && s == \"crate::store::S\" }",
        ),
        (
            "src/optout/mod.rs",
            "#[cfg(test)]\nmod tests {\n    use super::*;\n    use crate::store::Store;\n}",
        ),
        ("src/app/serve.rs", "use crate::{api, store};\nuse super::super::x;"),
        ("src/main.rs", "use crate::broker::Broker;"),
        ("src/wire/src/json.rs", "use crate::{BootId, DeviceId};"),
        ("src/visit/mod.rs", "pub(crate) fn f() {}\npub(in crate::visit) fn g() {}"),
    ] {
        none(&planted(path, text));
    }
}

#[test]
fn files_that_only_tests_compile_are_tests() {
    let sources = [
        ("src/crowd/mod.rs", "mod beat;\n#[cfg(test)]\nmod tests;"),
        ("src/crowd/tests.rs", "use crate::store::A;"),
        (
            "src/crowd/beat.rs",
            "mod sum;\n#[cfg(test)]\nmod tests;\n#[cfg(test)]\n#[path = \"x.rs\"]\nmod more;",
        ),
        ("src/crowd/beat/tests.rs", "use crate::store::B;"),
        ("src/crowd/beat/sum.rs", "use crate::store::C;"),
        ("src/crowd/x.rs", "use crate::store::D;"),
    ];
    let sources = together(sources.iter().map(|(path, text)| Source::new(path, text)).collect());
    let told: Vec<String> = sources.iter().flat_map(floors::violations).collect();
    assert!(told.len() == 1 && told[0].contains("src/crowd/beat/sum.rs:1"), "{told:?}");
}

#[test]
fn a_room_without_a_row_is_told_what_to_do() {
    let told = planted("src/attic/mod.rs", "use crate::clock::Step;");
    assert!(told.len() == 1 && told[0].contains("`attic`") && told[0].contains("table.rs"), "{told:?}");
    let told = planted("src/api/mod.rs", "use crate::attic::Box;");
    assert!(told.len() == 1 && told[0].contains("`attic`"), "{told:?}");
}

#[test]
fn a_planted_word_behind_a_shut_door_is_told() {
    for (path, text, word) in [
        ("src/store/rows.rs", "\nlet f = Figure::judged(label, None, None);", "Figure::judged"),
        ("src/crowd/mod.rs", "\nlet o = id.octets();", ".octets"),
        ("src/crowd/mod.rs", "\nlet o = id\n    .octets();", ".octets"),
        (
            "src/intake/mod.rs",
            "\nlet o: Vec<_> = ids.iter().map(DeviceId::octets).collect();",
            "DeviceId::octets",
        ),
        ("src/intake/mod.rs", "\nuse rumqttc::v5::AsyncClient;", "rumqttc"),
        ("src/app/demo.rs", "\nuse mqtt5::broker::MqttBroker;", "mqtt5"),
        ("src/visit/mod.rs", "\nlet t = std::time::SystemTime::now();", "SystemTime"),
        ("src/visit/mod.rs", "\nlet t = tokio::time::Instant::now();", "Instant::now"),
        ("src/visit/mod.rs", "\nlet t = chrono::Utc::now();", "Utc::now"),
        ("src/pseudonym/key.rs", "\ngetrandom::fill(&mut key)?;", "getrandom::fill"),
        ("src/outlet/mod.rs", "\nuse sensor_sim::Crowd;", "sensor_sim"),
        ("src/outlet/mod.rs", "\n#[path = \"../visit/mod.rs\"]\nmod v;", "#[path"),
    ] {
        let told = planted_word(path, text);
        assert_eq!(told.len(), 1, "{path}: {text}: {told:?}");
        assert!(told[0].contains(&format!("`{word}`")) && told[0].contains(path), "{}", told[0]);
    }
    none(&planted_word("src/optout/mod.rs", "let o = id.octets();"));
    none(&planted_word("src/visit/mod.rs", "#[cfg(test)]\nmod tests { fn f() { id.octets(); } }"));
    none(&planted_word("src/visit/mod.rs", "#[cfg(test)]\n#[path = \"visit_tests.rs\"]\nmod tests;"));
    none(&planted_word("src/visit/mod.rs", "// never rumqttc, SystemTime\nlet s = \"rumqttc\";"));
}
