//! A restart within the venue's day: with a vault what was open goes on, without one a new key begins and figures say so.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use passant::clock::Machine;
use passant::config::Config;
use passant::intake::{self, Directory};
use passant::ledger::{Event, Ledger};
use passant::optout::{Gate, Key};
use passant::pipeline::{self, Corridor, Earlier, Journal, Reading, Room};
use passant::sighting::{Arrival, Delivery};
use passant::store::Store;
use passant::telemetry::Tally;
use passant::vault::Vault;
use passant_wire::{DeviceId, Heard};
use restart::{House, START, heard, lasting, passing};
use tokio::sync::watch;

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
/// The second at which everybody has left.
const LEFT: i64 = 4_150;

/// A directory in memory, and the vault's in it.
fn memory() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::Builder::new().prefix("vault-test-").tempdir_in("/dev/shm").expect("it is in memory");
    let vault = dir.path().join("vault");
    (dir, vault)
}

/// Each stands in one of two zones, changes at half time, and is heard every ten seconds, each with both kinds of address.
fn crowd_of(sensor: &str, second: i64) -> Vec<Heard> {
    let at = START + second * SECOND;
    let mut sightings = Vec::new();
    for who in 0..PEOPLE {
        let in_hall = (u64::from(who) + u64::from(second > 2_400)) % 2 == 1;
        let of_sensor = in_hall == (sensor == "h1");
        if of_sensor && second < LEFT && second % 10 == i64::from(who % 10) {
            sightings.push(heard(lasting(who), at, -50));
            sightings.push(heard(passing(who, at), at, -52));
        }
    }
    sightings
}

/// What happens to the server on the way, in seconds.
#[derive(Clone, Copy)]
enum Break {
    Crash { at: i64, back_at: i64 },
    Stop { at: i64, back_at: i64 },
}

/// Plays seconds of a crowd. What sensors say while the server is down waits in the broker.
fn play(house: &mut House, seconds: std::ops::Range<i64>, broken: Option<Break>) {
    let mut waiting = Vec::new();
    for second in seconds {
        let at = START + second * SECOND;
        match broken {
            Some(Break::Crash { at, .. }) if at == second => house.crash(),
            Some(Break::Stop { at: stop, .. }) if stop == second => house.stop(at),
            Some(Break::Crash { back_at, .. } | Break::Stop { back_at, .. }) if back_at == second => {
                house.start(at, Some(at));
            }
            _ => {}
        }
        for sensor in ["f1", "h1"] {
            let sightings = crowd_of(sensor, second);
            if !sightings.is_empty() {
                waiting.push(house.message(at, sensor, sightings));
            }
        }
        if house.is_up() {
            if second % 20 == 0 {
                ["f1", "h1"].iter().for_each(|sensor| house.status(at, sensor));
            }
            for message in std::mem::take(&mut waiting) {
                house.deliver(at, &message);
            }
            house.tick(at);
        }
    }
}

/// A morning of seventy minutes, and all that closes by a quarter past noon.
fn morning(vault: Option<&Path>, broken: Option<Break>) -> House {
    let mut house = House::new(MALL, vault);
    house.start(START, None);
    play(&mut house, 0..4_200, broken);
    close(&mut house, 4_200..8_400);
    house
}

/// Nobody is heard any more, and windows close.
fn close(house: &mut House, seconds: std::ops::Range<i64>) {
    seconds.step_by(30).for_each(|second| house.tick(START + second * SECOND));
}

fn names(vault: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(vault).expect("the vault").map(|entry| entry.expect("a file").path()).collect()
}

fn resumed(house: &House) -> usize {
    house.ledger.iter().filter(|event| matches!(event, Event::Resumed { .. })).count()
}

fn refused(house: &House) -> Vec<&'static str> {
    let why = |event: &Event| match event {
        Event::NotResumed { why, .. } => Some(*why),
        _ => None,
    };
    house.ledger.iter().filter_map(why).collect()
}

fn assert_same(whole: &House, house: &House) {
    let differ: Vec<_> =
        whole.figures.iter().filter(|(name, figure)| house.figures.get(*name) != Some(figure)).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    assert_eq!(whole.figures.len(), house.figures.len());
    // Which visits chance left out goes by the key; which cells there are does not.
    assert_eq!(cells(whole), cells(house));
}

/// The cells that are told of every table.
fn cells(house: &House) -> Vec<(&str, &str, &str)> {
    let sheets = house.sheets.iter();
    sheets
        .flat_map(|(name, sheet)| {
            sheet.cells().iter().map(move |cell| (name.as_str(), cell.row.as_str(), cell.column.as_str()))
        })
        .collect()
}

#[test]
fn after_a_restart_figures_are_those_of_a_server_that_never_stopped() {
    let whole = morning(None, None);
    let visits = whole.value("visits", "1h", START + HOUR);
    assert_eq!(visits, Some(u32::from(PEOPLE)), "the test has something to count");
    assert!(whole.value("occupancy", "1h", START).is_some());
    // Shortly before a state was due, so that nearly ten seconds are lost; and where windows close.
    let flows = |house: &House| house.sheets[&format!("None flows 1h {}", START + HOUR)].clone();
    assert!(flows(&whole).cells().len() > 2, "{:?}", flows(&whole));
    for broken in [
        Break::Crash { at: 2_007, back_at: 2_014 },
        Break::Crash { at: 3_721, back_at: 3_725 },
        Break::Stop { at: 903, back_at: 911 },
    ] {
        let (_dir, vault) = memory();
        let house = morning(Some(&vault), Some(broken));
        assert_eq!((resumed(&house), refused(&house)), (1, Vec::new()));
        assert_eq!(house.rekeyed(), [] as [&String; 0]);
        assert_same(&whole, &house);
    }
}

#[test]
fn what_the_broker_kept_while_the_server_was_down_is_counted() {
    let (_dir, vault) = memory();
    // The last minute of everybody's visit and more.
    let house = morning(Some(&vault), Some(Break::Crash { at: 4_085, back_at: 4_199 }));
    assert_eq!(house.value("dwell_mean", "1h", START + HOUR), Some(69));
    assert_eq!(house.value("visits", "1h", START + HOUR), Some(u32::from(PEOPLE)));
    assert_eq!(house.rekeyed(), [] as [&String; 0]);
}

#[test]
fn without_a_vault_what_was_open_is_lost_and_the_figures_say_so() {
    let broken = Break::Crash { at: 2_003, back_at: 2_006 };
    let (_dir, vault) = memory();
    let (house, kept) = (morning(None, Some(broken)), morning(Some(&vault), Some(broken)));
    let dwell = |house: &House| house.value("dwell_mean", "1h", START + HOUR).expect("people were there");
    assert!(dwell(&house) + 30 <= dwell(&kept), "{} and {} minutes", dwell(&house), dwell(&kept));
    let restart = START + 2_003 * SECOND;
    for (name, figure) in &house.figures {
        let around = figure.window().from.0 < restart && restart < figure.window().to.0;
        assert!(figure.flags().rekeyed || !around, "{name} does not say that its key changed");
        // What had ended and was still open is lost with the run that heard it.
        let open = figure.window().from.0 < restart && figure.window().to.0 > restart - 17 * MINUTE;
        assert!(!figure.flags().rekeyed || open, "{name} says that its key changed");
    }
}

#[test]
fn a_crash_before_anything_was_published_is_no_secret() {
    let mut house = House::new(MALL, None);
    house.start(START, None);
    play(&mut house, 0..200, Some(Break::Crash { at: 100, back_at: 103 }));
    close(&mut house, 200..5_000);
    assert!(house.figures[&format!("venue occupancy 5m {START}")].flags().rekeyed);
    assert!(house.figures[&format!("venue visits 1h {START}")].flags().rekeyed);
    assert!(!house.figures[&format!("venue occupancy 5m {}", START + 5 * MINUTE)].flags().rekeyed);
}

#[test]
fn a_key_does_not_outlive_its_day_in_the_vault() {
    let (_dir, vault) = memory();
    let mut house = House::new(MALL, Some(&vault));
    house.start(START, None);
    play(&mut house, 0..60, Some(Break::Crash { at: 50, back_at: i64::MAX }));
    assert_eq!(names(&vault).len(), 2);
    // Two minutes after four in the morning.
    house.start(START + 18 * HOUR + 2 * MINUTE, Some(START + 18 * HOUR));
    assert_eq!((resumed(&house), refused(&house)), (0, vec!["over"]));
}

#[test]
fn a_clock_that_was_set_back_lengthens_no_life() {
    let (_dir, vault) = memory();
    let mut house = House::new(MALL, Some(&vault));
    house.start(START, None);
    play(&mut house, 0..60, Some(Break::Crash { at: 50, back_at: i64::MAX }));
    // A day has passed, and the wall says a minute.
    house.set_by_ms = -24 * HOUR;
    house.start(START + 24 * HOUR + MINUTE, Some(START));
    assert_eq!((resumed(&house), refused(&house)), (0, vec!["over"]));
    house.crash();
    house.set_by_ms = -48 * HOUR;
    house.start(START + 24 * HOUR + 2 * MINUTE, Some(START));
    assert_eq!(refused(&house), ["over", "clock"]);
}

#[test]
fn other_thresholds_wipe_the_vault_and_begin_a_new_key() {
    let (_dir, vault) = memory();
    let mut house = House::new(MALL, Some(&vault));
    house.start(START, None);
    play(&mut house, 0..600, Some(Break::Crash { at: 599, back_at: i64::MAX }));
    let text = MALL.replace(
        "[[venue.zone]]\nid = \"foyer\"",
        "[venue.thresholds]\nnear_dbm = -70\n[[venue.zone]]\nid = \"foyer\"",
    );
    house.venue = Config::parse(&text, std::iter::empty()).expect("it is good").venues[0].clone();
    house.start(START + 600 * SECOND, Some(START + 600 * SECOND));
    assert_eq!((resumed(&house), refused(&house)), (0, vec!["terms"]));
    close(&mut house, 600..5_000);
    assert!(house.figures[&format!("venue visits 1h {START}")].flags().rekeyed);
}

#[test]
fn a_torn_state_changes_nothing_that_was_published() {
    let (_dir, vault) = memory();
    let mut house = House::new(MALL, Some(&vault));
    house.start(START, None);
    play(&mut house, 0..1_500, Some(Break::Crash { at: 1_499, back_at: i64::MAX }));
    let published = house.figures.clone();
    assert!(published.len() > 20);
    let state = vault.join("mall.vault");
    let length = state.metadata().expect("a state").len();
    std::fs::File::options()
        .write(true)
        .open(&state)
        .and_then(|file| file.set_len(length / 2))
        .expect("it is cut");
    house.start(START + 1_500 * SECOND, Some(START + 1_500 * SECOND));
    assert_eq!((resumed(&house), refused(&house)), (0, vec!["broken"]));
    close(&mut house, 1_500..5_000);
    for (name, figure) in &published {
        assert_eq!(house.figures.get(name), Some(figure), "{name}");
    }
    assert!(house.figures[&format!("venue visits 1h {START}")].flags().rekeyed);
}

#[test]
fn a_state_older_than_what_was_published_does_not_go_on() {
    let (_dir, vault) = memory();
    let mut house = House::new(MALL, Some(&vault));
    house.start(START, None);
    play(&mut house, 0..400, None);
    let old: Vec<_> =
        names(&vault).into_iter().map(|path| (std::fs::read(&path).expect("a file"), path)).collect();
    play(&mut house, 400..800, Some(Break::Crash { at: 799, back_at: i64::MAX }));
    // Somebody puts a copy back.
    for (bytes, path) in old {
        std::fs::write(path, bytes).expect("it is written");
    }
    house.start(START + 800 * SECOND, Some(START + 800 * SECOND));
    assert_eq!((resumed(&house), refused(&house)), (0, vec!["stale"]));
    assert_eq!(names(&vault).len(), 2, "the new run keeps its own");
}

#[test]
fn figures_that_closed_and_were_not_written_are_written_by_the_next_start() {
    let (_dir, vault) = memory();
    let mut house = House::new(MALL, Some(&vault));
    house.start(START, None);
    // The first five minutes close at seven; the server dies before the store has taken them.
    play(&mut house, 0..420, None);
    let before = house.figures.len();
    house.tick(START + 420 * SECOND);
    assert!(house.figures.len() > before, "something closed just now");
    let told = std::mem::take(&mut house.figures);
    house.crash();
    house.start(START + 425 * SECOND, Some(START + 425 * SECOND));
    assert_eq!(resumed(&house), 1);
    assert_eq!(house.figures, told);
}

#[test]
fn an_open_visit_that_was_objected_to_does_not_come_back_with_a_restart() {
    let (_dir, vault) = memory();
    let mut house = House::new(MALL, Some(&vault));
    house.start(START, None);
    play(&mut house, 0..900, None);
    let at = START + 900 * SECOND;
    (0..10).for_each(|who| house.object(at, lasting(who)));
    house.crash();
    house.start(at + SECOND, Some(at));
    assert_eq!(resumed(&house), 1);
    close(&mut house, 901..5_000);
    assert_eq!(house.value("visits", "1h", START), Some(u32::from(PEOPLE) - 10));
}

#[test]
fn no_file_of_the_vault_holds_a_device() {
    let (_dir, vault) = memory();
    let mut house = House::new(MALL, Some(&vault));
    house.start(START, None);
    play(&mut house, 0..120, None);
    for path in names(&vault) {
        let bytes = std::fs::read(&path).expect("a file");
        for canary in [[0xca, 0xfe, 0xba, 0xbe].as_slice(), b"cafebabe", b"CA:FE:BA:BE", b"CAFEBABE"] {
            assert!(!bytes.windows(canary.len()).any(|part| part == canary), "{}", path.display());
        }
    }
}

#[test]
fn the_second_key_of_a_day_of_twenty_five_hours_is_told() {
    // 2026-10-24T04:00 in Paris; at the end of that day clocks are set back.
    let day = 1_792_807_200_000;
    let mut house = House::new(&MALL.replace("timezone = \"UTC\"", "timezone = \"Europe/Paris\""), None);
    house.start(day, None);
    for at in (day..day + 26 * HOUR).step_by(30_000) {
        house.tick(at);
    }
    assert_eq!(house.ledger.iter().filter(|event| matches!(event, Event::KeyMade { .. })).count(), 3);
    let rekeyed = |step, from| house.figures[&format!("venue visits {step} {from}")].flags().rekeyed;
    assert!(rekeyed("1d", day));
    assert!(!rekeyed("1h", day + HOUR) && !rekeyed("1h", day + 25 * HOUR - 2 * HOUR));
}

/// A report of the mall's foyer that somebody waits for.
fn report(config: &Config, payload: &str) -> (Delivery, tokio::sync::oneshot::Receiver<()>) {
    let directory = Directory::new(config);
    let arrival =
        intake::take_in(&directory, "passant/v1/mall/f1/sightings", payload.as_bytes(), false, None);
    Delivery::awaited(arrival.unwrap_or_else(|_| panic!("it was refused")))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objection_is_answered_when_the_vault_has_forgotten_too_and_a_stop_leaves_the_last_state() {
    let ((_memory, dir), data) = (memory(), tempfile::tempdir().expect("a directory"));
    let config = Config::parse(MALL, std::iter::empty()).expect("it is good");
    let store = Store::open(data.path(), passant::store::Kind::Real).await.expect("a store");
    let ledger = Ledger::open(data.path()).expect("a ledger");
    let (machine, key) = (Machine::clock(), Arc::new(Key::random().expect("random bytes")));
    let vault = Vault::open(&dir, &[]).expect("it is in memory");
    let start = || {
        let venue = Arc::new(config.venues[0].clone());
        let journal = Journal::open(&vault, &venue, Reading::take(machine)).expect("it is opened");
        let goes_on = journal.goes_on();
        let earlier = Earlier { journal: Some(journal), ..Earlier::default() };
        let room = Room { venue, thresholds: 1, calibration: None, earlier, live: watch::channel(None).0 };
        let corridor = Corridor::new(Gate::new(key.clone()), vec![room], Tally::default());
        (goes_on, pipeline::start(corridor, store.clone(), ledger.clone(), machine).expect("it starts"))
    };
    let state = || std::fs::read(dir.join("mall.vault")).expect("a state was kept");

    let (goes_on, (door, running)) = start();
    assert!(!goes_on);
    let (delivery, taken) =
        report(&config, r#"{"s":[{"id":"a4c138112233","rssi":-50},{"id":"a4c138112244","rssi":-50}]}"#);
    door.deliveries.send(delivery).await.expect("the corridor takes it");
    let _ = taken.await;
    let heard = state();
    let device = DeviceId::from_octets([0xa4, 0xc1, 0x38, 0x11, 0x22, 0x33]).expect("an address");
    let mark = key.marks(&device)[0];
    let (delivery, taken) = Delivery::awaited(Arrival::OptedOut { device: Box::new(device), mark });
    door.fast.send(delivery).await.expect("the corridor takes it");
    let _ = taken.await;
    assert!(state().len() < heard.len(), "the visit that was objected to still lies in the vault");

    running.stop().await;
    let (goes_on, (_door, running)) = start();
    assert!(goes_on);
    running.stop().await;
    let told = std::fs::read_to_string(data.path().join("ledger.jsonl")).expect("a ledger");
    assert_eq!(told.matches("\"event\":\"key_made\"").count(), 1, "{told}");
    assert_eq!(told.matches("\"event\":\"resumed\"").count(), 1, "{told}");
    assert!(!told.contains("key_wiped"), "the key lives on in the vault: {told}");
}
