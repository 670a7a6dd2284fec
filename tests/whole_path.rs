//! The whole path with a real broker under the shipped configuration and a real server: from a capture to the API.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use forensics::Needles;
use mosquitto::Mosquitto;
use passant::app::evaluate::{self, Options};
use sensor_sim::capture::Capture;
use sensor_sim::load;
use sensor_sim::progress::Progress;
use sensor_sim::replay::{self, Speed};
use serde_json::Value;
use server::Server;
use venue::venue;

#[path = "support/forensics.rs"]
mod forensics;
#[path = "support/lab.rs"]
mod lab;
#[path = "support/mosquitto.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod mosquitto;
#[path = "support/server.rs"]
mod server;
#[path = "support/venue.rs"]
mod venue;

const LAB: &str = venue!("lab");

// Other tests stop and start a server; named here, nothing of it is called dead.
const _: fn(&mut Server) = Server::start_again;

const CAPTURES: [&str; 8] = [
    "2022-10-25_p1",
    "2022-11-15_p1",
    "2022-11-22_p1",
    "2023-02-28_p1",
    "2023-03-07_p1",
    "2023-04-05_p1",
    "2023-04-14_p1",
    "2023-04-26_p1",
];

fn replay(broker: &Mosquitto, keys: &[&str]) {
    let order = replay::Order {
        url: format!("mqtt://127.0.0.1:{}", broker.port).parse().expect("a url"),
        venue: passant_wire::Id::parse("lab").expect("an id"),
        sensor: passant_wire::Id::parse("p1").expect("an id"),
        files: keys.iter().map(|key| lab::capture(key)).collect(),
        speed: Speed::Max,
        binary: false,
    };
    let done =
        run(async { replay::replay(&order, &Progress::new(None, "rows")).await.map_err(|e| e.to_string()) });
    let done = done.expect("the replay is acknowledged");
    assert_eq!(done.messages_sent, done.messages_acknowledged);
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

fn rfc3339(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms)
        .expect("a time")
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Waits until the venue's clock has come to a moment.
fn until_clock(server: &Server, ms: i64) {
    server.until("the venue's clock has come to the end", |server| {
        let at = server.json("/api/v1/venues/lab/live")["at"].as_str().map(str::to_owned).unwrap_or_default();
        chrono::DateTime::parse_from_rfc3339(&at).is_ok_and(|at| at.timestamp_millis() >= ms)
    });
}

/// Five-minute figures of the room between two moments on window edges.
fn figures(server: &Server, from: i64, to: i64) -> Vec<Value> {
    let path = format!(
        "/api/v1/venues/lab/figures?metric=occupancy&zone=room&step=5m&from={}&to={}",
        rfc3339(from),
        rfc3339(to)
    );
    server.json(&path)["figures"].as_array().expect("figures").clone()
}

fn ms(time: &Value) -> i64 {
    chrono::DateTime::parse_from_rfc3339(time.as_str().expect("a time")).expect("RFC 3339").timestamp_millis()
}

fn rows_of(key: &str) -> Vec<sensor_sim::capture::Row> {
    Capture::read(&lab::capture(key)).expect("the capture reads").rows
}

#[test]
#[ignore = "needs mosquitto"]
fn a_replayed_capture_comes_out_as_evaluate_says() {
    let broker = Mosquitto::start();
    let server = Server::start(LAB, 5, broker.port);
    let counts = lab::head_counts(&CAPTURES[..3]);
    for count in &counts {
        let (from, to, people) = (rfc3339(count.from_ms), rfc3339(count.to_ms), count.people);
        let body = format!(r#"{{"zone":"room","from":"{from}","to":"{to}","people":{people}}}"#);
        let (status, answer) = server.post("/api/v1/venues/lab/head-counts", &body);
        assert_eq!(status, 201, "{answer}");
    }
    replay(&broker, &CAPTURES);
    let last = rows_of(CAPTURES[7]).last().expect("rows").at;
    until_clock(&server, last + 19 * 60_000);

    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("head_counts.csv");
    let rows: String = counts.iter().map(|c| format!("{},{},{}\n", c.from_ms, c.to_ms, c.people)).collect();
    std::fs::write(&file, format!("from_ms,to_ms,people\n{rows}")).expect("the counts are written");
    let captures: Vec<PathBuf> = CAPTURES.iter().map(|key| lab::capture(key)).collect();
    let options = Options { captures, head_counts: Some(file), tz: "Europe/Prague".to_owned() };
    let evaluation = evaluate::evaluate(&options).expect("the captures evaluate");
    let said: BTreeMap<i64, f64> = evaluation.estimates.iter().map(|e| (e.window_end.0, e.people)).collect();

    let (mut shown, mut compared) = (0, 0);
    for key in CAPTURES {
        let rows = rows_of(key);
        let edge = |at: i64| at.div_euclid(lab::WINDOW_MS) * lab::WINDOW_MS;
        let (from, to) = (edge(rows[0].at), edge(rows[rows.len() - 1].at) + lab::WINDOW_MS);
        // A figure is in the store a moment after the clock has passed.
        let expected = ((to - from) / lab::WINDOW_MS) as usize;
        server.until("every window is stored", |server| figures(server, from, to).len() == expected);
        for figure in figures(&server, from, to) {
            compared += 1;
            assert!(figure["state"] != "open", "{figure}");
            if let Some(value) = figure["value"].as_u64() {
                shown += 1;
                assert_eq!(value as f64, said[&ms(&figure["to"])].round(), "{figure}");
            }
        }
    }
    assert!(compared > 300 && shown > 200, "{shown} of {compared} windows are shown");
    let calibrated = figures(&server, 1_682_499_600_000, 1_682_506_500_000);
    let of_shown = calibrated.iter().filter(|f| f["state"] == "final").map(|f| &f["calibration"]);
    assert!(
        of_shown.clone().count() > 10 && of_shown.clone().all(|version| *version == 8),
        "eight counts acted"
    );
}

#[test]
#[ignore = "needs mosquitto"]
fn no_file_holds_a_replayed_device() {
    let broker = Mosquitto::start();
    let mut server = Server::start(LAB, 5, broker.port);
    replay(&broker, &CAPTURES[..1]);
    let last = rows_of(CAPTURES[0]).last().expect("rows").at;
    // The venue day ends, and the next begins.
    let next_day = format!(r#"{{"online":false,"t":{}}}"#, last + 20 * 3_600_000);
    broker.publish("passant/v1/lab/p1/status", next_day.as_bytes(), &[]);
    until_clock(&server, last + 20 * 3_600_000 - 30_000);
    assert!(server.counter("passant_sightings_total", "counted") > 10_000);

    let devices: HashSet<_> = rows_of(CAPTURES[0]).iter().map(|row| *row.device.octets()).collect();
    let needles = Needles::devices(devices.iter().copied());
    let places = [server.directory().to_owned(), broker.directory().to_owned()];
    let places: Vec<&std::path::Path> = places.iter().map(PathBuf::as_path).collect();
    assert_eq!(forensics::hits(&places, &needles), []);
    server.stop();
    assert_eq!(forensics::hits(&places, &needles), [], "after the server has stopped");

    // A search that finds nothing must be able to find something.
    let planted = server.directory().join("planted");
    let needle = *devices.iter().next().expect("a device");
    std::fs::write(&planted, needle).expect("a leak is planted");
    assert_eq!(forensics::hits(&places, &needles), [(planted, "binary")]);
}

#[test]
fn the_search_finds_a_device_in_every_form() {
    let device = [0xa4, 0xc1, 0x38, 0x11, 0x22, 0x33];
    let needles = Needles::new([device], [*b"\x01passant"], [b"typed".to_vec()]);
    for (text, form) in [
        ("x\u{1}a4c138112233", "hex"),
        ("{\"id\":\"A4:C1:38:11:22:33\"}", "hex"),
        ("a4-c1-38-11-22-33", "hex"),
        ("a4c1.3811.2233", "hex"),
        ("\"a4 c1 38 11 22 33\"", "hex"),
        ("5a4c1381122334", "hex"),
        (&format!("{device:x?}"), "hex"),
        ("332211 38c1a4", "hex"),
        ("746E61737361700A", "hex"),
        (&format!("{device:?}"), "decimal"),
        (&u64::from_le_bytes(*b"\x01passant").to_string(), "decimal"),
        ("pME4ESIz", "base64"),
        ("eKTBOBEiMw==", "base64"),
        ("eHikwTgRIjN4", "base64"),
        ("\"typed\"", "text"),
        ("\u{1}passant", "binary"),
        ("tnassap\u{1}", "binary, reversed"),
    ] {
        assert_eq!(needles.forms(text.as_bytes()), [form], "{text}");
    }
    assert_eq!(needles.forms(&[9, 0xa4, 0xc1, 0x38, 0x11, 0x22, 0x33, 9]), ["binary"]);
    assert!(needles.forms(b"a4 c1 38 11 22 34").is_empty());
    // In the letters of addresses for web pages, + and / are others.
    let needles = Needles::devices([[0xfb, 0xff, 0xfe, 0xfb, 0xff, 0xfe]]);
    assert_eq!(needles.forms(b"-__--__-"), ["base64"]);
    assert_eq!(needles.forms(b"+//++//+"), ["base64"]);
}

/// A half-minute of the room: some people, each heard once.
fn half_minute(broker: &Mosquitto, half: i64, people: u8) {
    let at = START + half * 30_000;
    let device = |n| format!(r#"{{"id":"02000000{:02x}{n:02x}","rssi":-60}}"#, half % 256);
    let devices: Vec<_> = (0..people).map(device).collect();
    let report = format!(r#"{{"t":{at},"s":[{}]}}"#, devices.join(","));
    broker.publish("passant/v1/lab/p1/sightings", report.as_bytes(), &[]);
}

const START: i64 = 1_764_000_000_000;

#[test]
#[ignore = "needs mosquitto"]
fn the_broker_dies_and_the_gap_is_marked_incomplete() {
    let mut broker = Mosquitto::start();
    let server = Server::start(LAB, 5, broker.port);
    (0..40).for_each(|half| half_minute(&broker, half, 16));
    server
        .until("the first messages are counted", |s| s.counter("passant_sightings_total", "counted") == 640);
    broker.kill();
    server.until("the loss is noticed", |server| server.get("/readyz").0 == 503);
    broker.start_again();
    server.until("the server has subscribed again", |server| server.get("/readyz").0 == 200);
    // Twenty minutes were not heard.
    (80..120).for_each(|half| half_minute(&broker, half, 16));
    until_clock(&server, START + 119 * 30_000);

    let five = 300_000;
    let coverage = |window: i64| {
        let from = START + window * five;
        let figure = figures(&server, from, from + five).into_iter().next();
        figure.map(|f| (f["value"].as_u64(), f["coverage"].as_f64().unwrap_or(-1.0), f["flags"].to_string()))
    };
    server.until("the last window is stored", |_| coverage(10).is_some_and(|f| f.1 >= 0.0));
    // Uncalibrated: 7 people for each unit of √16.
    let (before, gap, after) = (coverage(2).unwrap(), coverage(5).unwrap(), coverage(10).unwrap());
    assert_eq!((before.0, before.1), (Some(28), 1.0));
    assert!(!before.2.contains("incomplete"));
    assert_eq!((gap.0, gap.1), (None, 0.0), "no data is not nobody");
    assert!(gap.2.contains("incomplete"));
    assert_eq!((after.0, after.1), (Some(28), 1.0), "figures go on");
    let edge = coverage(4).unwrap();
    assert!(edge.2.contains("incomplete") && edge.1 < 1.0, "{edge:?}");
}

#[test]
#[ignore = "needs mosquitto"]
fn ten_thousand_broken_messages_are_counted_and_harm_nothing() {
    let broker = Mosquitto::start();
    let server = Server::start(LAB, 5, broker.port);
    half_minute(&broker, 0, 9);
    let kinds = ["{", "{\"s\":1}", "\\u0000", "[[[[", "{\"n\":-1,\"s\":[]}"];
    let lines: String = (0..10_000).map(|n| format!("{}\n", kinds[n % kinds.len()])).collect();
    // One line a message.
    let port = broker.port.to_string();
    let args = ["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", "passant/v1/lab/p1/sightings", "-l"];
    assert!(mosquitto::publish(args.iter(), lines.as_bytes()));
    half_minute(&broker, 1, 9);
    server.until("the good messages around them are counted", |server| {
        server.counter("passant_sightings_total", "counted") == 18
    });
    let refused = |reason: &str| server.counter("passant_messages_refused_total", reason);
    assert_eq!((refused("bad_json"), refused("bad_shape")), (6_000, 4_000));
    let sensors = server.json("/api/v1/venues/lab/sensors");
    assert!(sensors.to_string().contains("bad_json"), "{sensors}");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_load_loses_nothing() {
    let broker = Mosquitto::start();
    let venues = include_str!("../sensor-sim/load.toml");
    let (_, venues) = venues.split_once("[[venue]]").expect("a venue");
    let server = Server::start(&format!("[[venue]]{venues}"), 10, broker.port);
    let order = load::Order {
        url: format!("mqtt://127.0.0.1:{}", broker.port).parse().expect("a url"),
        api: Some(server.url().parse().expect("a url")),
        venue: None,
        sensors: None,
        rate: Some(50_000),
        secs: 3,
        batch: 100,
        window: 100_000,
        connections: 2,
        devices: 600_000,
        seed: 1,
        form: load::crowd::Form::Binary,
    };
    let done = run(async { load::load(&order, &Progress::new(None, "s")).await.map_err(|e| e.to_string()) });
    let done = done.expect("the load runs");
    assert!(done.is_good(), "{done:?}");
    let counted = server.counter("passant_sightings_total", "counted");
    let all = server.counter("passant_sightings_total", "");
    assert_eq!(all, done.sent, "sent = counted + refused + duplicate + lost, and none is lost");
    assert!(counted > 100_000);
}
