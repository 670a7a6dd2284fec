//! Replays against a real broker: what a subscriber hears is what the capture holds, whatever happens to the line.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod loads;
mod mosquitto;
mod walks;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;

use mosquitto::{Broker, Heard, Proxy};
use passant_wire::{Id, Status, decode};
use sensor_sim::progress::Progress;
use sensor_sim::publisher::{self, BrokerUrl};
use sensor_sim::replay::{self, CLOSING_SECS, PREROLL, Speed};

const SIGHTINGS: &str = "passant/v1/lab/s1/sightings";
const STATUS: &str = "passant/v1/lab/s1/status";
const FIRST_MS: i64 = 1_666_688_331_533;

type Row = (i64, i8, [u8; 6]);

/// A capture of so many rows, some in the same second, with one that does not read.
fn capture(dir: &tempfile::TempDir, rows: i64) -> (PathBuf, BTreeSet<Row>) {
    let mut text = String::from("time_ms,id,rssi_dbm\nnever,02:00:00:00:00:00,-60\n");
    let mut want = BTreeSet::new();
    for i in 0..rows {
        let (at, rssi) = (FIRST_MS + i * 430, -90 + (i % 50) as i8);
        let octets = [2, 0x1a, 0, 0, (i / 256) as u8, (i % 256) as u8];
        let id = octets.map(|octet| format!("{octet:02x}")).join(":");
        text.push_str(&format!("{at},{id},{rssi}\n"));
        want.insert((at, rssi, octets));
    }
    let path = dir.path().join("capture.csv.gz");
    let file = std::fs::File::create(&path).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap();
    (path, want)
}

fn order(url: &BrokerUrl, file: PathBuf, binary: bool) -> replay::Order {
    let id = |text| Id::parse(text).unwrap();
    let (venue, sensor) = (id("lab"), id("s1"));
    replay::Order { url: url.clone(), venue, sensor, files: vec![file], speed: Speed::Max, binary }
}

fn hidden() -> Progress {
    Progress::new(None, "rows")
}

/// Every row heard, and how often; and the message numbers.
fn rows(heard: &[Heard]) -> (BTreeMap<Row, usize>, BTreeSet<u64>) {
    let (mut rows, mut numbers) = (BTreeMap::new(), BTreeSet::new());
    for message in heard.iter().filter(|message| message.topic == SIGHTINGS) {
        assert!(!message.retain);
        let report = decode(&message.payload, None).unwrap();
        assert_eq!(report.at, report.sightings.last().and_then(|heard| heard.at));
        numbers.insert(report.number.unwrap());
        for heard in report.sightings {
            *rows.entry((heard.at.unwrap(), heard.rssi, *heard.device.octets())).or_default() += 1;
        }
    }
    (rows, numbers)
}

#[track_caller]
fn assert_all(heard: BTreeMap<Row, usize>, want: &BTreeSet<Row>) {
    let heard: BTreeSet<Row> = heard.into_keys().collect();
    let (missing, strange) = (want.difference(&heard).count(), heard.difference(want).count());
    assert_eq!((missing, strange), (0, 0), "rows missing, rows nobody sent");
}

fn statuses(heard: &[Heard]) -> Vec<Status> {
    let statuses = heard.iter().filter(|message| message.topic == STATUS);
    statuses.map(|message| Status::decode(&message.payload).unwrap()).collect()
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_subscriber_sees_exactly_the_rows_of_the_capture() {
    let (broker, dir) = (Broker::start(), tempfile::tempdir().unwrap());
    let (file, want) = capture(&dir, 1000);
    let last_ms = want.last().unwrap().0;
    for binary in [false, true] {
        let ears = broker.listen("all").await;
        let outcome = replay::replay(&order(&broker.url(), file.clone(), binary), &hidden()).await.unwrap();
        assert_eq!((outcome.rows_sent, outcome.rows_unread.bad_time), (1000, 1));
        assert_eq!(outcome.messages_acknowledged, outcome.messages_sent);
        let heard = ears.until(outcome.messages_sent as usize).await;
        let (rows, numbers) = rows(&heard);
        assert!(rows.values().all(|&times| times == 1));
        assert_all(rows, &want);
        assert_eq!(numbers.len() as u64, *numbers.last().unwrap(), "numbers have no gap");
        let statuses = statuses(&heard);
        let status = |online, at| Status { online, at: Some(at), number: None };
        assert_eq!(statuses.len(), PREROLL + 2);
        assert!(statuses[..PREROLL].iter().all(|got| *got == status(false, FIRST_MS)));
        let closing = status(false, last_ms + CLOSING_SECS * 1000);
        assert_eq!(statuses[PREROLL..], [status(true, FIRST_MS), closing]);
        // Only the closing remains for whoever comes later.
        let late = broker.listen("late").await.until(1).await;
        assert!(late[0].retain && late[0].topic == STATUS);
        assert_eq!(Status::decode(&late[0].payload).unwrap(), closing);
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn each_capture_is_opened_and_closed_but_a_short_gap_is_only_silence() {
    let (broker, dir) = (Broker::start(), tempfile::tempdir().unwrap());
    let closing_ms = CLOSING_SECS * 1000;
    // The second begins within the first one's closing, the third after it.
    let starts = [FIRST_MS, FIRST_MS + closing_ms, FIRST_MS + 10 * closing_ms];
    let files = starts.map(|at| {
        let path = dir.path().join(at.to_string());
        std::fs::write(&path, format!("time_ms,id,rssi_dbm\n{at},02:00:00:00:00:01,-60\n")).unwrap();
        path
    });
    let ears = broker.listen("all").await;
    let mut order = order(&broker.url(), PathBuf::new(), false);
    order.files = files.to_vec();
    let outcome = replay::replay(&order, &hidden()).await.unwrap();
    let heard = ears.until(outcome.messages_sent as usize).await;
    assert_eq!(rows(&heard).0.len(), 3);
    let online: Vec<i64> = statuses(&heard).iter().filter(|s| s.online).filter_map(|s| s.at).collect();
    assert_eq!(online, [starts[0], starts[2]]);
    let mut offline: Vec<i64> = statuses(&heard).iter().filter(|s| !s.online).filter_map(|s| s.at).collect();
    assert_eq!(offline.len(), 2 * PREROLL + 2);
    offline.dedup();
    assert_eq!(offline, [starts[0], starts[1] + closing_ms, starts[2], starts[2] + closing_ms]);
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_line_that_breaks_again_and_again_loses_nothing() {
    let (broker, dir) = (Broker::start(), tempfile::tempdir().unwrap());
    let (file, want) = capture(&dir, 3000);
    let proxy = Proxy::start(vec![broker.port; 6], 40_000).await;
    let ears = broker.listen("all").await;
    let outcome = replay::replay(&order(&proxy.url(), file, false), &hidden()).await.unwrap();
    assert_eq!(outcome.messages_acknowledged, outcome.messages_sent);
    assert_eq!(proxy.connections(), 6, "the line broke five times");
    // What was on its way when the line broke comes twice.
    assert_all(rows(&ears.until_quiet().await).0, &want);
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_broker_that_forgot_the_session_gets_everything_unacknowledged_again() {
    let (first, second, dir) = (Broker::start(), Broker::start(), tempfile::tempdir().unwrap());
    let (file, want) = capture(&dir, 3000);
    let proxy = Proxy::start(vec![first.port, second.port], 90_000).await;
    let ears = [first.listen("all").await, second.listen("all").await];
    let outcome = replay::replay(&order(&proxy.url(), file, false), &hidden()).await.unwrap();
    assert_eq!(outcome.messages_acknowledged, outcome.messages_sent);
    assert_eq!(proxy.connections(), 2);
    let mut heard = Vec::new();
    for ears in ears {
        heard.extend(ears.until_quiet().await);
    }
    assert_all(rows(&heard).0, &want);
}

#[tokio::test]
async fn no_broker_is_told_in_the_end() {
    let url: BrokerUrl = format!("mqtt://127.0.0.1:{}", mosquitto::free_port()).parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (file, _) = capture(&dir, 1);
    tokio::time::pause();
    let error = replay::replay(&order(&url, file, false), &hidden()).await.unwrap_err();
    let replay::Error::Publisher(publisher::Error::Connection { tries, .. }) = error else {
        panic!("{error}")
    };
    assert_eq!(tries, publisher::RECONNECTS_MAX);
}
