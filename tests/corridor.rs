//! The whole path in one process, without a broker: from the bytes a sensor publishes to judged figures.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use passant::app::evaluate::{self, Options};
use passant::clock::{EpochMs, SteadyMs, Step};
use passant::config::{Config, Venue};
use passant::intake::{self, Directory};
use passant::ledger::Event;
use passant::optout::{Gate, Key};
use passant::pipeline::{Corridor, Earlier, Reading, Room, Write};
use passant::pseudonym::{Keyring, Now, Pseudonym, Trace};
use passant::release::{Figure, Metric, Scope};
use passant::sighting::{AddressClass, Arrival, DeviceId, HeadCount, Sighting};
use passant::telemetry::{Outcome, Tally};
use passant_wire::{BootId, Heard, Kind, Report, Status, encode};
use sensor_sim::batch::Batches;
use sensor_sim::capture::{Capture, Row};
use sensor_sim::dice::Dice;
use tokio::sync::watch;
use venue::venue;

#[path = "support/lab.rs"]
mod lab;
#[path = "support/venue.rs"]
mod venue;

/// A venue in the time of its sightings: two zones with a sensor each.
const VENUE: &str = concat!(
    "data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1883\"\n[privacy]\nk = 5\n",
    venue!("lab")
);
const TWO_ZONES: &str = r#"
[[venue.zone]]
id = "corridor"
[[venue.sensor]]
id = "p2"
zone = "corridor"
"#;

/// A corridor driven by hand, and what it has written.
struct House {
    directory: Directory,
    corridor: Corridor,
    figures: Vec<Figure>,
    /// Lines for the ledger, each with the minute of the test in which it was written.
    ledger: Vec<(i64, Event)>,
    minute: i64,
    tally: Tally,
    reading: Reading,
    number: u64,
    key: Arc<Key>,
}

impl House {
    fn new(text: &str) -> Self {
        Self::with_key(text, Arc::new(Key::random().expect("random bytes")))
    }

    fn with_key(text: &str, key: Arc<Key>) -> Self {
        let config = Config::parse(text, std::iter::empty()).expect("the configuration is good");
        let tally = Tally::default();
        let room = |venue: &Venue| Room {
            venue: Arc::new(venue.clone()),
            thresholds: 1,
            calibration: None,
            earlier: Earlier::default(),
            live: watch::channel(None).0,
        };
        let gate = Gate::new(key.clone());
        let rooms = config.venues.iter().map(room).collect();
        Self {
            directory: Directory::new(&config),
            corridor: Corridor::new(gate, rooms, tally.clone()),
            figures: Vec::new(),
            ledger: Vec::new(),
            minute: 0,
            tally,
            reading: Reading { wall: EpochMs(0), steady: SteadyMs(0) },
            number: 0,
            key,
        }
    }

    /// A device's owner objects, or withdraws.
    fn object(&mut self, device: DeviceId) {
        let mark = self.key.marks(&device)[0];
        self.take(Arrival::OptedOut { device: Box::new(device), mark });
    }

    /// A server that starts reads the mark from its list.
    fn restore(&mut self, device: &DeviceId) {
        let mark = self.key.marks(device)[0];
        self.take(Arrival::Restored(mark));
    }

    fn withdraw(&mut self, device: &DeviceId) {
        let mark = self.key.marks(device)[0];
        self.take(Arrival::Withdrawn(mark));
    }

    /// A message arrives as a broker would deliver it.
    fn publish(&mut self, topic: &str, payload: &[u8]) {
        let arrival = intake::take_in(&self.directory, topic, payload, false, None);
        self.take(arrival.unwrap_or_else(|_| panic!("{topic} was refused")));
    }

    fn take(&mut self, arrival: Arrival) {
        let mut out = Vec::new();
        self.corridor.take(arrival, self.reading, &mut out).expect("a key can be made");
        for write in out {
            match write {
                Write::Figures(figures) => self.figures.extend(figures),
                Write::Ledger { event, .. } => self.ledger.push((self.minute, event)),
                Write::Calibration { .. } | Write::Sheets(_) => {}
            }
        }
    }

    fn status(&mut self, at: i64) {
        let status = Status { online: false, at: Some(at), number: None };
        self.publish("passant/v1/lab/p1/status", &encode::status(&status));
    }

    fn report(&mut self, sensor: &str, sightings: Vec<Heard>) {
        let at = sightings.iter().filter_map(|heard| heard.at).max();
        self.report_at(sensor, at, sightings);
    }

    fn report_at(&mut self, sensor: &str, at: Option<i64>, sightings: Vec<Heard>) {
        self.number += 1;
        let boot = BootId::parse(b"test");
        let report = Report { number: Some(self.number), boot, at, sightings, ..Report::default() };
        self.publish(&format!("passant/v1/lab/{sensor}/sightings"), &encode::json(&report));
    }

    /// Publishes captures as a sensor would, and lets every window close.
    fn replay(&mut self, keys: &[&str]) {
        for key in keys {
            let rows = Capture::read(&lab::capture(key)).expect("the capture reads").rows;
            let (first, last) = (rows[0].at, rows[rows.len() - 1].at);
            (0..60).for_each(|_| self.status(first));
            for batch in Batches::of(rows) {
                self.report("p1", batch.into_iter().map(Row::heard).collect());
            }
            self.status(last + 20 * 60_000);
        }
    }

    fn count_heads(&mut self, counts: &[lab::Count]) {
        for (row, count) in counts.iter().enumerate() {
            self.take(Arrival::HeadCount(HeadCount {
                venue: 0,
                zone: 0,
                row: row as i64,
                from: EpochMs(count.from_ms),
                to: EpochMs(count.to_ms),
                people: Some(count.people),
                root_mean_centi: None,
            }));
        }
    }

    /// Every figure with its place, and its value where it is shown.
    fn told(&self) -> BTreeMap<String, Option<u32>> {
        let name = |f: &Figure| {
            let place = f.scope().id().map_or("venue", |id| id.as_str());
            format!("{place} {} {} {}", f.metric().as_str(), f.step().as_str(), f.window().from.0)
        };
        self.figures.iter().map(|f| (name(f), f.value().map(|banded| banded.value))).collect()
    }
}

#[test]
fn a_replayed_capture_comes_out_as_evaluate_says_without_a_broker() {
    let keys = ["2022-10-25_p1", "2022-11-15_p1", "2022-11-22_p1"];
    let counts = lab::head_counts(&keys);
    let mut house = House::new(VENUE);
    house.count_heads(&counts);
    house.replay(&keys);

    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("head_counts.csv");
    let rows: String = counts.iter().map(|c| format!("{},{},{}\n", c.from_ms, c.to_ms, c.people)).collect();
    std::fs::write(&file, format!("from_ms,to_ms,people\n{rows}")).expect("the counts are written");
    let captures = keys.iter().map(|key| lab::capture(key)).collect();
    let options = Options { captures, head_counts: Some(file), tz: "Europe/Prague".to_owned() };
    let evaluation = evaluate::evaluate(&options).expect("the captures evaluate");
    let said: BTreeMap<i64, f64> = evaluation.estimates.iter().map(|e| (e.window_end.0, e.people)).collect();

    let mut shown = 0;
    for figure in &house.figures {
        let of_room = matches!(figure.scope(), Scope::Zone(_)) && figure.step() == Step::FiveMinutes;
        // Where v is kept, all half-minutes were told; the others are told with some that were hidden counted as half of k.
        let is_whole = figure.root_mean_centi().is_some();
        if let (true, Metric::Occupancy, Some(banded)) =
            (of_room && is_whole, figure.metric(), figure.value())
        {
            shown += 1;
            let end = figure.window().to.0;
            assert_eq!(f64::from(banded.value), said[&end].round(), "the window that ends at {end}");
        }
    }
    assert!(shown >= 100, "only {shown} windows are shown");
    let refused = house.tally.sightings_so_far(Outcome::Refused("late"));
    assert_eq!(refused, 0, "a sensor in order is never late");
}

/// An hour and a half of devices walking between two zones, by a seed; device 0 is the one that may object.
fn history(seed: u64) -> Vec<(i64, usize, u8, i8)> {
    let mut dice = Dice::new(seed, 0);
    let start = 1_764_000_000_000;
    let mut heard = Vec::new();
    for device in 0..12u8 {
        let mut at = start + (dice.throw() % 1_200_000) as i64;
        let end = at + 600_000 + (dice.throw() % 3_600_000) as i64;
        while at < end {
            let (sensor, rssi) = (dice.throw() % 2, -50 - (dice.throw() % 35) as i8);
            heard.push((at, sensor as usize, device, rssi));
            at += 5_000 + (dice.throw() % 90_000) as i64;
        }
    }
    heard.sort_unstable();
    heard
}

/// When the histories begin.
const START: i64 = 1_764_000_000_000;

/// When the owner of the first device objects, and withdraws; when the server starts anew.
#[derive(Clone, Copy, Debug)]
struct Story {
    objects_at: i64,
    withdraws_at: Option<i64>,
    starts_anew_at: Option<i64>,
}

impl Story {
    fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let start = START;
        // A third objects before anything is heard, the others somewhere in the first hour.
        let objects_at =
            if seed.is_multiple_of(3) { start } else { start + (dice.throw() % 3_600_000) as i64 };
        let later = |dice: &mut Dice| objects_at + (dice.throw() % 3_600_000) as i64;
        let withdraws_at = (seed.is_multiple_of(4)).then(|| later(&mut dice));
        let starts_anew_at = (seed.is_multiple_of(5)).then(|| later(&mut dice));
        Self { objects_at, withdraws_at, starts_anew_at }
    }

    fn is_in_force(&self, at: i64) -> bool {
        at >= self.objects_at && self.withdraws_at.is_none_or(|withdraws| at < withdraws)
    }
}

/// When the first device is on the air.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnTheAir {
    Always,
    AfterWithdrawing,
}

/// Plays a history in which the first device's owner objects.
fn live_through(seed: u64, story: Story, key: &Arc<Key>, on_the_air: OnTheAir) -> House {
    // The day ends a few hours later, so that its windows are among those compared.
    let day = "clock = \"sightings\"\nday_starts_at = \"21:00\"";
    let text = format!("{VENUE}{TWO_ZONES}").replace("clock = \"sightings\"", day);
    let mut house = House::with_key(&text, key.clone());
    let first = || DeviceId::from_octets([4, 0, 0, 0, 1, 0]).expect("an address");
    let (mut objected, mut withdrawn, mut anew) = (false, false, false);
    for (at, sensor, device, rssi) in history(seed) {
        if !objected && at >= story.objects_at {
            objected = true;
            house.object(first());
        }
        if objected && !withdrawn && story.withdraws_at.is_some_and(|withdraws| at >= withdraws) {
            withdrawn = true;
            house.withdraw(&first());
        }
        if !anew && story.starts_anew_at.is_some_and(|starts| at >= starts) {
            anew = true;
            let figures = std::mem::take(&mut house.figures);
            house = House::with_key(&text, key.clone());
            house.figures = figures;
            if objected && !withdrawn {
                house.restore(&first());
            }
        }
        let absent = at < story.objects_at || story.is_in_force(at);
        let away = device == 0 && absent && on_the_air == OnTheAir::AfterWithdrawing;
        let device = DeviceId::from_octets([4, 0, 0, 0, 1, device]).expect("an address");
        let heard = Heard { device, kind: Kind::Wifi, rssi, at: Some(at) };
        // The message comes either way: it is the sensor's, and moves the clock.
        house.report_at(["p1", "p2"][sensor], Some(at), if away { Vec::new() } else { vec![heard] });
    }
    [2, 4, 5].iter().for_each(|hours| house.status(1_764_000_000_000 + hours * 3_600_000));
    house
}

/// A figure's place and window, and its value.
type Told = (String, Option<u32>);

#[test]
fn an_opted_out_device_is_never_counted() {
    let (mut compared, mut told) = (0, 0);
    for seed in 0..1_000 {
        let story = Story::of(seed);
        let key = Arc::new(Key::random().expect("random bytes"));
        let mark = |n: u8| key.marks(&DeviceId::from_octets([4, 0, 0, 0, 1, n]).expect("an address"))[0];
        if (1..12).any(|other| mark(other) == mark(0)) {
            // The short mark of another device is the same by chance, as marks are meant to be.
            continue;
        }
        compared += 1;
        // What began after the objection is the same as if the device had never been there until the withdrawal.
        let since = |house: House| -> Vec<Told> {
            let begun = |f: &&Figure| f.window().from.0 >= story.objects_at;
            let told = |f: &Figure| {
                (
                    format!("{:?}", (f.scope(), f.metric(), f.step(), f.window())),
                    f.value().map(|banded| banded.value),
                )
            };
            house.figures.iter().filter(begun).map(told).collect()
        };
        let there = since(live_through(seed, story, &key, OnTheAir::Always));
        let away = since(live_through(seed, story, &key, OnTheAir::AfterWithdrawing));
        // Which windows may be told depends on those before them, and one that had begun may still hold the device: after
        // an objection in mid-day only what is told in both is compared. Its moves until then stay among the counters of
        // everyone's moves, by which the zones of others are judged: they are compared where it objected before any.
        let told_in_both = |(a, b): &(&Told, &Told)| a.1.is_some() && b.1.is_some();
        let of_venue = |(a, _): &(&Told, &Told)| a.0.starts_with("(Venue");
        let from_the_start = story.objects_at == START;
        let differs = there.iter().zip(&away).find(|pair| {
            let compared = from_the_start || of_venue(pair) && told_in_both(pair);
            pair.0.0 != pair.1.0 || compared && pair.0.1 != pair.1.1
        });
        assert!(differs.is_none() && there.len() == away.len(), "seed {seed}, {story:?}: {differs:?}");
        told += there.iter().zip(&away).filter(told_in_both).count();
    }
    // Eleven others share a mark of 2^20 in one history of a hundred thousand.
    assert!(compared >= 998 && told > 5_000, "{compared} histories, {told} figures");
}

#[test]
fn two_venues_and_two_days_share_no_pseudonym() {
    let config = Config::parse(VENUE, std::iter::empty()).expect("the configuration is good");
    let venue = &config.venues[0];
    let gate = Gate::new(Arc::new(Key::random().expect("random bytes")));
    let now = |at: i64| {
        let at = EpochMs(at);
        Now { at, steady: SteadyMs(at.0), day: venue.calendar.day_of(at).window, open: true }
    };
    let traces = |ring: &mut Keyring, at: i64| -> BTreeSet<Pseudonym> {
        (0..100)
            .map(|n| {
                let device = DeviceId::from_octets([4, 0, 0, 0, 2, n]).expect("an address");
                let sighting = Sighting { device, class: AddressClass::Global, rssi: -60, at: None };
                let admitted = gate.admit(sighting).expect("nobody objected");
                let left = ring.impress(admitted, 0, EpochMs(at), &now(at)).expect("a key can be made");
                match left.map(|footprint| footprint.trace) {
                    Ok(Trace::Stable(pseudonym)) => pseudonym,
                    _ => panic!("a stable device leaves a pseudonym"),
                }
            })
            .collect()
    };
    let (mut here, mut there) = (Keyring::new(venue), Keyring::new(venue));
    let (today, tomorrow) = (1_764_000_000_000, 1_764_000_000_000 + 86_400_000);
    let all = [traces(&mut here, today), traces(&mut there, today), traces(&mut here, tomorrow)];
    assert!(all.iter().all(|traces| traces.len() == 100), "one device, one pseudonym");
    assert!(traces(&mut here, tomorrow) == all[2], "within a day it is the same");
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        assert!(all[a].is_disjoint(&all[b]), "nothing joins");
    }
}

#[test]
fn an_objection_forgets_the_open_visit_and_withdrawing_counts_again() {
    let start = 1_764_000_000_000;
    let visits = |house: &House| {
        let of_venue = house.told().into_iter().filter(|(name, _)| name.starts_with("venue visits 1d"));
        of_venue.filter_map(|(_, value)| value).sum::<u32>()
    };
    let stay = |house: &mut House, from: i64, devices: u8| {
        for minute in 0..8 {
            let heard = |n| {
                let device = DeviceId::from_octets([4, 0, 0, 0, 2, n]).expect("an address");
                Heard { device, kind: Kind::Wifi, rssi: -60, at: Some(from + minute * 60_000) }
            };
            house.report("p1", (0..devices).map(heard).collect());
        }
    };
    // Ten devices come twice. Four of them object between: six visits and six, which round to 10, or six and ten, which
    // round to 15.
    for (objects, withdraws, expected) in [(false, false, 20), (true, false, 10), (true, true, 15)] {
        let mut house = House::new(VENUE);
        stay(&mut house, start, 10);
        let device = |n| DeviceId::from_octets([4, 0, 0, 0, 2, n]).expect("an address");
        if objects {
            (0..4).for_each(|n| house.object(device(n)));
        }
        if withdraws {
            (0..4).for_each(|n| house.withdraw(&device(n)));
        }
        stay(&mut house, start + 30 * 60_000, 10);
        [2, 26, 48].iter().for_each(|hours| house.status(start + hours * 3_600_000));
        assert_eq!(visits(&house), expected, "objects {objects} withdraws {withdraws}");
    }
}

#[test]
fn the_ledger_tells_of_keys_at_the_same_moments_whoever_is_there() {
    let start = 1_764_000_000_000;
    let told = |guard: bool| {
        let mut house = House::new(VENUE);
        for minute in 0..3 * 24 * 60 {
            let at = start + minute * 60_000;
            house.minute = minute;
            house.status(at);
            // Somebody comes at night, and his address stays the same.
            if guard && minute % 1_440 > 700 {
                let device = DeviceId::from_octets([4, 0, 0, 0, 3, 1]).expect("an address");
                house.report("p1", vec![Heard { device, kind: Kind::Wifi, rssi: -60, at: Some(at) }]);
            }
        }
        house.ledger
    };
    let (with, without) = (told(true), told(false));
    assert_eq!(with, without);
    let count =
        |made: bool| with.iter().filter(|(_, event)| matches!(event, Event::KeyMade { .. }) == made).count();
    assert_eq!((count(true), count(false)), (4, 3), "four venue days, of which the last is not over");
}

#[test]
fn a_destroyed_venue_is_heard_no_more_and_its_key_is_wiped_at_once() {
    let start = 1_764_000_000_000;
    let mut house = House::new(VENUE);
    let heard = |n: i64| {
        let device = DeviceId::from_octets([4, 0, 0, 0, 3, 1]).expect("an address");
        vec![Heard { device, kind: Kind::Wifi, rssi: -60, at: Some(start + n * 1_000) }]
    };
    house.report("p1", heard(0));
    assert_eq!(house.tally.sightings_so_far(Outcome::Counted), 1);
    house.take(Arrival::Destroyed { venue: 0 });
    house.take(Arrival::Destroyed { venue: 0 });
    house.report("p1", heard(1));
    house.status(start + 48 * 3_600_000);
    assert_eq!(house.tally.sightings_so_far(Outcome::Counted), 1);
    assert_eq!(house.tally.sightings_so_far(Outcome::Refused("destroyed")), 1);
    assert!(house.figures.is_empty(), "its open windows are let go");
    let events: Vec<bool> =
        house.ledger.iter().map(|(_, event)| matches!(event, Event::KeyWiped { .. })).collect();
    assert_eq!(events, [false, true], "one key was made, and wiped once");
}

#[test]
fn nobodys_address_but_a_walkers_comes_onto_the_board_of_a_walk() {
    let mut house = House::new(VENUE);
    (0..60).for_each(|_| house.status(START));
    let board = house.corridor.walks().into_values().next().expect("a board");
    let heard = |house: &mut House, octets: [u8; 6], kind: Kind, secs: i64| {
        let device = DeviceId::from_octets(octets).expect("an address");
        let at = START + secs * 1_000;
        house.report("p1", vec![Heard { device, kind, rssi: -60, at: Some(at) }]);
    };
    let kinds = [Kind::Wifi, Kind::Ble, Kind::BlePublic, Kind::BleRandom, Kind::Assoc];
    let mut dice = Dice::new(7, 0);
    for n in 0..2_000 {
        let [a, b, c, d, e, f, ..] = dice.throw().to_le_bytes();
        // Some of them differ from a walker's in nothing but one byte, others are of the self-test.
        let octets = match n % 4 {
            0 => [a & !1, b, c, d, e, f],
            1 => [0xc2, 0x50, 0x53, 0x77, 0x6b, f.max(9)],
            2 => [0xc2, 0x50, 0x53, 0x77, e, 1],
            _ => [0x02, 0x50, 0x53, 0x77, 0x6b, 1 + f % 8],
        };
        if DeviceId::from_octets(octets).is_some_and(|device| device.walker().is_none()) {
            heard(&mut house, octets, kinds[n % 5], n as i64 / 100);
        }
    }
    assert_eq!(board.look().walkers, []);
    let before = house.tally.sightings_so_far(Outcome::Counted);

    // A walker's comes on whatever the radio, and is counted nowhere.
    for (n, kind) in kinds.into_iter().enumerate() {
        heard(&mut house, [0xc2, 0x50, 0x53, 0x77, 0x6b, 1 + n as u8], kind, 21);
    }
    house.status(START + 23_000);
    assert_eq!(board.look().walkers.len(), 5);
    assert_eq!(house.tally.sightings_so_far(Outcome::Counted), before);
    let walked = house.ledger.iter().filter(|(_, event)| matches!(event, Event::Walked { .. })).count();
    assert_eq!(walked, 5, "each is a line of the ledger");

    // Its day's end is its end.
    house.status(START + 20 * 3_600_000);
    assert_eq!(board.look().walkers, []);
}
