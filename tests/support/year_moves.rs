//! Moves of a made-up day: whoever is in a zone goes on to one of a few others, in at every tenth zone and out at others.

use std::collections::BTreeMap;

use passant::aggregate::{Bands, Covered, Drawn, Moves, Place, Side, ZoneWindow};
use passant::clock::{Step, Window};

use super::{LENGTHS, covered};

/// How far on those go who go on, and of how many visits one does.
const NEXT: [(usize, u64); 5] = [(1, 4), (7, 6), (31, 8), (58, 10), (97, 12)];
/// Every so many zones one is an entrance, and one beside it an exit.
const DOORS_EVERY: usize = 10;
/// How many of the nineteenths of all visits are so long.
const PARTS: [u64; 6] = [4, 5, 4, 3, 2, 1];
/// Devices that a cell tells apart.
const PEOPLE_MAX: u64 = 256;

/// The rows of a window: of the venue, and of every zone.
pub(super) type Rows = Vec<(Place, Moves)>;

/// Rows in which nobody is.
pub(super) fn none(zones: usize) -> Rows {
    places(zones).map(|place| (place, Moves::default())).collect()
}

/// The rows of an hour, by how many visits each zone has in it.
pub(super) fn of_an_hour(visits: &[u64]) -> Rows {
    let of_place = |place| match place {
        Place::Zone(zone) => Moves { dwell: lengths(visits[usize::from(zone)]), ..Moves::default() },
        _ => of_the_venue(visits),
    };
    places(visits.len()).map(|place| (place, of_place(place))).collect()
}

/// Adds an hour to the day that it is of.
pub(super) fn add(day: &mut Rows, hour: &Rows) {
    for ((_, day), (_, hour)) in day.iter_mut().zip(hour) {
        day.came = together(day.came, hour.came);
        day.moved = together(day.moved, hour.moved);
        hour.flows.iter().for_each(|(key, cell)| more(&mut day.flows, *key, *cell));
        hour.dwell.iter().for_each(|(key, cell)| more(&mut day.dwell, *key, *cell));
        hour.first.iter().for_each(|(zone, all)| *day.first.entry(*zone).or_default() += all);
        hour.last.iter().for_each(|(zone, all)| *day.last.entry(*zone).or_default() += all);
    }
}

/// A day with the zones that were visited together: those between which somebody went.
pub(super) fn with_pairs(mut day: Rows) -> Rows {
    let Some((_, venue)) = day.first_mut() else { return day };
    for ((from, to), cell) in venue.flows.clone() {
        if let (Some(from), Some(to)) = (from, to) {
            more(&mut venue.together, (from.min(to), from.max(to)), cell);
        }
    }
    // Whoever went on to a zone stayed there, beside those who were there first.
    for (zone, first) in venue.first.clone() {
        let came: u64 =
            venue.flows.iter().filter(|((_, to), _)| *to == Some(zone)).map(|(_, cell)| cell.all).sum();
        venue.together.insert((zone, zone), drawn(first + came));
    }
    day
}

/// A window of tables that has closed.
pub(super) fn closed(step: Step, window: Window, rows: Rows) -> ZoneWindow<Moves> {
    let rows: Vec<(Place, Covered<Moves>)> =
        rows.into_iter().map(|(place, moves)| (place, covered(moves))).collect();
    ZoneWindow { step, window, rows }
}

fn places(zones: usize) -> impl Iterator<Item = Place> {
    std::iter::once(Place::Venue).chain((0..zones).map(|zone| Place::Zone(zone as u16)))
}

fn of_the_venue(visits: &[u64]) -> Moves {
    let mut moves = Moves { dwell: lengths(visits.iter().sum::<u64>() / 3), ..Moves::default() };
    let (mut came, mut moved) = (0, 0);
    for (zone, all) in visits.iter().enumerate() {
        let side = |zone: usize| -> Side { Some((zone % visits.len()) as u16) };
        for (on, of) in NEXT.iter().filter(|(on, _)| *on < visits.len()) {
            moves.flows.insert((side(zone), side(zone + on)), drawn(all / of));
            moved += all / of;
        }
        if zone % DOORS_EVERY == 0 {
            moves.flows.insert((None, side(zone)), drawn(2 * all));
            moves.flows.insert((side(zone + 1), None), drawn(2 * all));
            came += 2 * all;
        }
        moves.first.insert(zone as u16, all / 3);
        moves.last.insert(zone as u16, all / 3);
    }
    Moves { came: drawn(came), moved: drawn(moved), ..moves }
}

fn lengths(visits: u64) -> BTreeMap<(Bands, u8), Drawn> {
    let mut dwell = BTreeMap::new();
    for bands in Bands::ALL {
        for (minutes, part) in LENGTHS.into_iter().zip(PARTS) {
            let band = bands.starts().iter().rposition(|start| minutes >= *start).expect("none is shorter");
            more(&mut dwell, (bands, band as u8), drawn(visits * part / 19));
        }
    }
    dwell
}

/// So many, of whom chance left one in eight out.
fn drawn(all: u64) -> Drawn {
    let drawn = all * 7 / 8;
    Drawn { all, drawn, people: drawn.min(PEOPLE_MAX) as u32 }
}

fn more<Key: Ord>(cells: &mut BTreeMap<Key, Drawn>, key: Key, by: Drawn) {
    let cell = cells.entry(key).or_default();
    *cell = together(*cell, by);
}

fn together(one: Drawn, other: Drawn) -> Drawn {
    let people = (u64::from(one.people) + u64::from(other.people)).min(PEOPLE_MAX) as u32;
    Drawn { all: one.all + other.all, drawn: one.drawn + other.drawn, people }
}
