//! Holds every import against the table.

use crate::source::{Named, Source, named};
use crate::table::{GUARDED, OPEN, ROOMS, Room, WIRE_WORDS};

/// What a file of `src` does against the table, one line of words each.
pub(crate) fn violations(source: &Source) -> Vec<String> {
    let Some(room) = room_of(&source.path) else { return Vec::new() };
    if OPEN.contains(&room) {
        return Vec::new();
    }
    let Some(row) = ROOMS.iter().find(|row| row.name == room) else {
        return vec![format!(
            "{}: the room `{room}` has no row; give it a floor and its imports in tests/architecture/table.rs",
            source.path
        )];
    };
    let mut told = Vec::new();
    for name in named(&source.live) {
        if let Some(rule) = broken_rule(row, &source.path, &name) {
            let import = name.parts.join("::");
            told.push(format!("{}:{}: `{room}` names `{import}`: {rule}", source.path, name.line));
        }
    }
    told
}

/// The room of a file: the first part of its path under `src`. The wire is a crate of its own.
pub(crate) fn room_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let room = inside.split('/').next()?;
    let room = room.strip_suffix(".rs").unwrap_or(room);
    (room != "wire").then_some(room)
}

fn broken_rule(row: &Room, path: &str, name: &Named) -> Option<String> {
    let parts: Vec<&str> = name.parts.iter().map(String::as_str).collect();
    match parts[..] {
        ["crate", "{" | "*", ..] => {
            Some("name the room first, `use crate::room::…`, so that it has a floor".into())
        }
        ["crate"] if name.used => Some("the crate is not imported whole".into()),
        ["crate", room, ..] => broken_import(row, room),
        ["passant_wire", ref words @ ..] => {
            let is_word = words.first().is_some_and(|word| WIRE_WORDS.contains(word));
            if is_word { None } else { broken_import(row, "wire") }
        }
        _ if parts.iter().filter(|part| **part == "super").count() > 1 => {
            Some("`super::super::` has no floor; name the room, `crate::room::…`".into())
        }
        // In a room's first file the module above is the crate itself.
        ["super", ..] | ["self", "super", ..] if is_first_file(row.name, path) => {
            Some("`super::` of a room's first file is the crate; name the room, `crate::room::…`".into())
        }
        _ => None,
    }
}

fn is_first_file(room: &str, path: &str) -> bool {
    path == format!("src/{room}.rs") || path == format!("src/{room}/mod.rs")
}

fn broken_import(row: &Room, wanted: &str) -> Option<String> {
    if wanted == row.name {
        return None;
    }
    if let Some((_, open_to, because)) = GUARDED.iter().find(|(name, ..)| *name == wanted) {
        return (!open_to.contains(&row.name))
            .then(|| format!("`{wanted}` is open to {open_to:?} and app: {because}"));
    }
    match ROOMS.iter().find(|room| room.name == wanted) {
        None if OPEN.contains(&wanted) => Some(format!("`{wanted}` is above everything")),
        None => Some(format!("there is no room `{wanted}` in tests/architecture/table.rs")),
        Some(room) if room.floor == 1 || row.may.contains(&wanted) => None,
        Some(_) => Some(format!("it may import floor 1 and {:?}: {}", row.may, row.because)),
    }
}
