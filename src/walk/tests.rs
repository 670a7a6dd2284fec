use std::sync::Arc;

use super::*;
use crate::config::{Config, EXAMPLE};
use crate::sighting::DeviceId;

/// The start of a venue day.
const DAY: EpochMs = EpochMs(1_764_126_000_000);

fn board() -> Board {
    let board = Board::new(Arc::new(Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues.remove(0)));
    board.pass(DAY, DAY);
    board
}

fn walker(number: u8) -> Walker {
    DeviceId::parse(&format!("c25053776b{number:02x}")).unwrap().walker().unwrap()
}

fn after(secs: i64) -> EpochMs {
    DAY.plus_secs(secs)
}

#[test]
fn a_slot_has_the_zone_that_hears_it_loudest() {
    let board = board();
    let sensors = &board.venue.sensors;
    let elsewhere = sensors.iter().position(|s| s.zone != sensors[0].zone).unwrap() as u16;
    // One loud moment does not outweigh the median.
    for (sensor, rssi, at) in
        [(0, -70, 1), (0, -71, 2), (0, -72, 3), (elsewhere, -50, 4), (elsewhere, -80, 5), (elsewhere, -82, 6)]
    {
        board.hear(walker(1), sensor, rssi, after(at));
    }
    board.hear(walker(1), elsewhere, -60, after(14));
    board.pass(after(15), DAY);
    let walk = board.look();
    let [walking] = &walk.walkers[..] else { panic!("{walk:?}") };
    let zone = |sensor: u16| board.venue.zones[sensors[usize::from(sensor)].zone].id.clone();
    let way: Vec<_> = walking.trace.iter().map(|slot| slot.zone.clone()).collect();
    assert_eq!(way, [zone(0), zone(elsewhere)]);
    let first = &walking.sensors[0];
    assert_eq!(
        (&first.sensor, first.last_dbm, first.strongest_dbm),
        (&sensors[usize::from(elsewhere)].id, -60, -50)
    );
}

#[test]
fn after_ten_minutes_and_with_the_day_nothing_is_left() {
    let board = board();
    board.hear(walker(2), 0, -60, after(5));
    board.pass(after(609), DAY);
    assert_eq!(board.look().walkers.len(), 1);
    board.pass(after(620), DAY);
    assert_eq!(board.look().walkers, []);
    board.hear(walker(2), 0, -60, after(625));
    let next = after(86_400);
    board.pass(after(630), next);
    assert_eq!(board.look().walkers, []);
    // What comes late of the day before is not of this one.
    board.hear(walker(2), 0, -60, after(629));
    assert_eq!(board.look().walkers, []);
}

#[test]
fn whoever_hides_a_beacon_in_a_bag_loses_it_within_the_hour() {
    let board = board();
    for minute in 0..180 {
        board.hear(walker(1), 0, -60, after(minute * 60));
        board.pass(after(minute * 60), DAY);
    }
    let walk = board.look();
    assert!(walk.walkers[0].is_spent && walk.walkers[0].trace.is_empty(), "{walk:?}");
    assert_eq!(board.take_begun(), [walker(1)]);
    // Silence does not buy another hour, a new day does.
    board.pass(after(86_400), after(86_400));
    board.hear(walker(1), 0, -60, after(86_401));
    assert!(!board.look().walkers[0].is_spent);
}

#[test]
fn the_board_is_bounded_and_says_nothing_of_itself() {
    let board = board();
    for n in 0..3 * READINGS_MAX as i64 {
        board.hear(walker(1), 0, -60, EpochMs(after(0).0 + n % 9_000));
    }
    assert_eq!(board.walks().carried[&walker(1)].slots[0].1.len(), READINGS_MAX);
    board.hear(walker(1), u16::MAX, -60, after(1));
    assert_eq!(format!("{board:?}"), "Board");
    board.wipe();
    assert_eq!(board.look(), Walk::default());
}
