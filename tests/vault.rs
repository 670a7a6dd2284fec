//! A restart within the venue's day: with a vault what was open goes on, without one a new key begins and figures say so.

use std::path::Path;

use passant::ledger::Event;
use passant_wire::Heard;
use restart::{House, START, heard, lasting, passing};

#[path = "support/restart.rs"]
mod restart;

const MALL: &str = "data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1883\"\n[privacy]\nk = 5\n\
    [[venue]]\nid = \"mall\"\ntimezone = \"UTC\"\n\
    [[venue.zone]]\nid = \"foyer\"\n[[venue.sensor]]\nid = \"f1\"\nzone = \"foyer\"\n\
    [[venue.zone]]\nid = \"hall\"\n[[venue.sensor]]\nid = \"h1\"\nzone = \"hall\"\n";
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const PEOPLE: u8 = 40;

/// A directory in memory, where this machine has one.
fn memory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("vault-test-").tempdir_in("/dev/shm").expect("a directory in memory")
}

/// Each stands in one of two zones, changes at half time, and is heard every ten seconds, each with both kinds of address.
fn crowd_of(sensor: &str, second: i64) -> Vec<Heard> {
    let at = START + second * SECOND;
    let mut sightings = Vec::new();
    for who in 0..PEOPLE {
        let in_hall = (u64::from(who) + u64::from(second > 2_400)) % 2 == 1;
        let of_sensor = in_hall == (sensor == "h1");
        if of_sensor && second % 10 == i64::from(who % 10) {
            sightings.push(heard(lasting(who), at, -50));
            sightings.push(heard(passing(who, at), at, -52));
        }
    }
    sightings
}

/// What happens to the server on the way.
#[derive(Clone, Copy)]
struct Crash {
    at: i64,
    back_at: i64,
}

/// Plays seconds of a crowd. What sensors say while the server is down waits in the broker.
fn play(house: &mut House, seconds: std::ops::Range<i64>, crash: Option<Crash>) {
    let mut waiting = Vec::new();
    for second in seconds {
        let at = START + second * SECOND;
        if crash.is_some_and(|crash| crash.at == second) {
            house.crash();
        }
        if crash.is_some_and(|crash| crash.back_at == second) {
            house.start(at, Some(at));
        }
        for sensor in ["f1", "h1"] {
            let sightings = crowd_of(sensor, second);
            if !sightings.is_empty() {
                let message = house.message(at, sensor, sightings);
                waiting.push(message);
            }
        }
        if house.is_up() {
            if second % 20 == 0 {
                ["f1", "h1"].iter().for_each(|sensor| house.status(at, sensor));
            }
            waiting.drain(..).collect::<Vec<_>>().iter().for_each(|message| house.deliver(at, message));
            house.tick(at);
        }
    }
}

/// A morning of an hour and twenty minutes, and all that closes by noon.
fn morning(vault: Option<&Path>, crash: Option<Crash>) -> House {
    let mut house = House::new(MALL, vault);
    house.start(START, None);
    play(&mut house, 0..4_800, crash);
    (4_800..8_400).step_by(30).for_each(|second| house.tick(START + second * SECOND));
    house
}

#[test]
fn after_a_crash_figures_are_those_of_a_server_that_never_stopped() {
    let whole = morning(None, None);
    assert_eq!(
        whole.value("visits", "1h", START + HOUR),
        Some(u32::from(PEOPLE)),
        "the test has something to count"
    );
    assert!(whole.value("occupancy", "1h", START).is_some());
    // Just after a state was kept, and just before the next would have been; in the middle of windows and at their close.
    for (crash, back) in [(2_003, 2_006), (2_008, 2_014), (2_111, 2_119), (3_721, 3_725), (900, 903)] {
        let dir = memory();
        let house = morning(Some(&dir.path().join("vault")), Some(Crash { at: crash, back_at: back }));
        assert!(
            house.ledger.iter().any(|event| matches!(event, Event::Resumed { .. })),
            "{:?}",
            house.ledger
        );
        assert_eq!(house.rekeyed(), [] as [&String; 0]);
        let differ: Vec<_> =
            whole.figures.iter().filter(|(name, figure)| house.figures.get(*name) != Some(figure)).collect();
        assert!(
            differ.is_empty(),
            "crash at {crash}: {differ:#?}\n{:#?}",
            differ.iter().map(|(name, _)| &house.figures[*name]).collect::<Vec<_>>()
        );
        assert_eq!(whole.figures.len(), house.figures.len());
    }
}
