use std::sync::Arc;

use super::*;
use crate::aggregate::{Covered, Drawn};
use crate::clock::{EpochMs, Window};
use crate::config::{Config, EXAMPLE};

/// Two zones, the north entrance and the food court.
fn judge() -> Judge {
    let venue = Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues.remove(0);
    Judge::new(Arc::new(venue), 1, None)
}

fn cell(all: u64, drawn: u64) -> Drawn {
    Drawn { all, drawn, people: drawn.min(256) as u32 }
}

/// Eighty visits: all came in by the north, sixty went on to the food court and six back; most left there.
fn eighty() -> Moves {
    let (north, court) = (Some(0), Some(1));
    Moves {
        came: cell(80, 70),
        moved: cell(66, 58),
        flows: BTreeMap::from([
            ((None, north), cell(80, 69)),
            ((north, court), cell(60, 52)),
            ((court, north), cell(6, 5)),
            ((north, None), cell(26, 23)),
            ((court, None), cell(54, 47)),
        ]),
        first: BTreeMap::from([(0, 74), (1, 6)]),
        last: BTreeMap::from([(0, 26), (1, 54)]),
        together: BTreeMap::from([((0, 0), cell(80, 70)), ((1, 1), cell(60, 54)), ((0, 1), cell(60, 52))]),
        dwell: BTreeMap::from([
            ((Bands::Default, 0), cell(40, 34)),
            ((Bands::Default, 1), cell(36, 32)),
            ((Bands::Default, 5), cell(4, 4)),
            ((Bands::Cmx, 0), cell(76, 67)),
            ((Bands::Cmx, 2), cell(4, 3)),
        ]),
    }
}

fn window(step: Step, row: Moves) -> ZoneWindow<Moves> {
    let hours = if step == Step::Day { 24 } else { 1 };
    let window = Window { from: EpochMs(0), to: EpochMs(hours * 3_600_000) };
    let rows = vec![(Place::Venue, Covered { coverage: 1.0, beating: 1.0, row })];
    ZoneWindow { step, window, rows }
}

fn told<'a>(sheets: &'a [Sheet], subject: Subject) -> Vec<(&'a str, &'a str, u32, u32, u32)> {
    let sheet = sheets.iter().find(|sheet| sheet.subject() == subject).unwrap();
    let cell = |cell: &'a SheetCell| {
        let (value, low, high) = cell.value;
        (cell.row.as_str(), cell.column.as_str(), value, low, high)
    };
    sheet.cells().iter().map(cell).collect()
}

#[test]
fn a_table_made_by_hand_is_told_as_it_was_counted() {
    let mut judge = judge();
    let sheets = judge.tables(&window(Step::Day, eighty()));
    // 69, 47, 52 and 23 of seven in eight, rounded to 5; the way back is of six.
    assert_eq!(
        told(&sheets, Subject::Flows),
        [
            ("", "entrance-north", 80, 73, 87),
            ("entrance-north", "", 25, 20, 30),
            ("entrance-north", "food-court", 60, 53, 67),
            ("food-court", "", 55, 48, 62),
        ]
    );
    let flows = sheets.iter().find(|sheet| sheet.subject() == Subject::Flows).unwrap();
    assert_eq!(flows.held_back(), None, "between two zones all moves less the one way would be the other");
    // 60 of 80, and of 60.
    let crosses = told(&sheets, Subject::CrossVisits);
    assert_eq!((crosses[0].0, crosses[0].1, crosses[0].2), ("entrance-north", "food-court", 75));
    assert_eq!((crosses[1].0, crosses[1].1, crosses[1].2), ("food-court", "entrance-north", 100));
    let lengths = told(&sheets, Subject::Dwell(Bands::Default));
    assert_eq!(
        lengths.iter().map(|of| (of.0, of.1, of.2)).collect::<Vec<_>>(),
        [("5", "15", 40), ("15", "30", 35)]
    );
    let lengths = told(&sheets, Subject::Dwell(Bands::Cmx));
    assert_eq!(lengths.iter().map(|of| (of.0, of.1, of.2)).collect::<Vec<_>>(), [("5", "30", 75)]);
    assert!(told(&sheets, Subject::Dwell(Bands::Meraki)).is_empty());
}

#[test]
fn what_is_told_of_an_hour_has_no_cross_visits_and_every_place_has_its_lengths() {
    let mut judge = judge();
    let mut hour = window(Step::Hour, eighty());
    hour.rows.push((Place::Zone(1), Covered { coverage: 0.5, beating: 1.0, row: eighty() }));
    let sheets = judge.tables(&hour);
    let names: Vec<_> = sheets
        .iter()
        .map(|sheet| (sheet.zone().map(ToString::to_string), sheet.subject().as_str()))
        .collect();
    let court = || Some("food-court".to_owned());
    assert_eq!(
        names,
        [
            (None, "flows"),
            (None, "dwell_default"),
            (None, "dwell_meraki"),
            (None, "dwell_cmx"),
            (court(), "dwell_default"),
            (court(), "dwell_meraki"),
            (court(), "dwell_cmx"),
        ]
    );
    assert_eq!(sheets[4].coverage_permille(), 1000, "while the venue is not shown, by statuses alone");
}

#[test]
fn what_chance_dropped_at_the_gate_is_made_up_for() {
    let mut judge = judge();
    judge.set_chance_share(0.2);
    let sheets = judge.tables(&window(Step::Day, eighty()));
    // 52 of seven in eight of four in five are 74.
    assert!(
        told(&sheets, Subject::Flows)
            .iter()
            .any(|of| (of.0, of.1, of.2) == ("entrance-north", "food-court", 75))
    );
}

#[test]
fn a_sheet_comes_out_of_the_vault_as_it_went_in() {
    let sheets = judge().tables(&window(Step::Day, eighty()));
    let mut sealing = crate::sealing::Sealing::with_room(0);
    sheets.iter().for_each(|sheet| sheet.seal(&mut sealing));
    let mut unsealing = crate::sealing::Unsealing::of_clear_bytes(sealing.into_clear_bytes().unwrap(), 0);
    let out: Vec<Sheet> = sheets.iter().map(|_| Sheet::unseal(&mut unsealing).unwrap()).collect();
    assert_eq!(out, sheets);
    assert!(unsealing.is_empty());
}

#[test]
fn of_three_zones_it_is_said_how_much_is_held_back() {
    let mut venue = Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues.remove(0);
    venue.zones.push(venue.zones[0].clone());
    let sheets = Judge::new(Arc::new(venue), 1, None).tables(&window(Step::Day, eighty()));
    // 80 came, 80 left, and 58 of seven in eight moves are 66; 220 are told.
    assert_eq!(sheets[0].held_back(), Some(5));
}
