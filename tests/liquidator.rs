//! Somebody buys every disk and the memory of a venue the morning after its day, and learns nothing about anyone.
//!
//! The server runs in a process of its own and reads its memory from inside; the mall, its visitors and the buyer are in
//! this one. The buyer is given more than any buyer has: every device that was heard, and the keys of the day, which were
//! read from the server's memory while the day was alive. That is also the proof that the search sees them.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use forensics::Needles;
use heard::{Heard, Key, Keys, candidates, is_in};
use inside::{Ask, Inside};
use mosquitto::Mosquitto;
use sensor_sim::mall::{MALL, Mall, Message, Scenario};
use sensor_sim::publisher::{Line, Publisher};
use sqlx::Connection as _;

#[path = "support/forensics.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod forensics;
#[path = "support/heard.rs"]
mod heard;
#[path = "support/inside.rs"]
mod inside;
#[path = "support/mosquitto.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod mosquitto;
#[path = "support/question.rs"]
mod question;

/// 2026-03-03T04:00+01:00, a Tuesday, where the mall's day begins.
const DAY_STARTS: i64 = 1_772_506_800_000;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
const SEED: u64 = 4;
/// People of the day; the mall's own number would take a debug build ten times as long.
const PEOPLE: &str = "people_by_weekday = [120, 120, 120, 120, 120, 120, 120]";
/// Hours from the day's start until the sensors are switched on: the mall is open from 5.5 to 16.
const SWITCHED_ON_HOURS: i64 = 5;
/// Hours of the day at whose ends the buyer looks for keys.
const LOOKS_HOURS: [i64; 5] = [6, 8, 10, 12, 14];
/// The hour at whose end visitors object and sensors err.
const TROUBLE_HOURS: i64 = 10;
/// Looks at the server's memory at one hour, at most.
const TRIES_MAX: u32 = 20;
/// A sensor of the mall.
const SENSOR: &str = "west-1";
/// Looks, 20 ms apart, until something is so; together two minutes.
const LOOKS_MAX: u32 = 6_000;

/// The venue: its broker, its server, its sensors and its visitors.
struct Venue {
    /// Unless the server has one of its own.
    broker: Option<Mosquitto>,
    directory: tempfile::TempDir,
    server: Inside,
    http: u16,
    runtime: tokio::runtime::Runtime,
    /// Until the sensors leave.
    publisher: Option<Publisher>,
    mall: Mall,
    next: Option<Message>,
    heard: Heard,
    /// Connections that visitors' browsers leave open.
    browsers: Vec<TcpStream>,
}

/// Where a secret was found, and in which form.
type Hit = (String, &'static str);

impl Venue {
    /// With a Mosquitto as it ships. What it says goes to a file as well, as a system's journal would keep it.
    fn with_mosquitto() -> Self {
        let broker = Mosquitto::start_with(|conf, beside| {
            format!("{conf}\nlog_dest file {}\n", beside.join("log").display())
        });
        Self::open(&format!("url = \"mqtt://127.0.0.1:{}\"", broker.port), broker.port, Some(broker))
    }

    /// With the server's own broker.
    fn with_its_own_broker() -> Self {
        let port = mosquitto::free_port();
        Self::open(&format!("embedded = \"127.0.0.1:{port}\""), port, None)
    }

    fn open(mqtt: &str, port: u16, broker: Option<Mosquitto>) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let text = MALL.lines().map(|line| match line.starts_with("people_by_weekday") {
            true => format!("{PEOPLE}\n"),
            false => format!("{line}\n"),
        });
        let scenario = Scenario::parse(&text.collect::<String>()).expect("the scenario reads");
        let http = mosquitto::free_port();
        let config = directory.path().join("passant.toml");
        let written = format!(
            "data_dir = {:?}\n[mqtt]\n{mqtt}\n[http]\nlisten = \"127.0.0.1:{http}\"\n{}",
            directory.path().join("data"),
            scenario.server_config()
        );
        std::fs::write(&config, written).expect("the configuration is written");
        let server = Inside::start("the_server_of_the_venue", &config);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let line = Line {
            url: format!("mqtt://127.0.0.1:{port}").parse().expect("a url"),
            client_id: "sensors".to_owned(),
            inflight_max: 500,
            will: None,
        };
        let publisher = runtime.block_on(async { Publisher::open(line) });
        let venue = Self {
            broker,
            directory,
            server,
            http,
            runtime,
            publisher: Some(publisher),
            mall: Mall::new(&scenario, SEED, DAY_STARTS),
            next: None,
            heard: Heard::default(),
            browsers: Vec::new(),
        };
        venue.until("the server is ready", |venue| venue.get("/readyz").0 == 200);
        venue
    }

    fn get(&self, path: &str) -> (u16, String) {
        let question = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n\r\n", self.http);
        let (status, _, body) = question::ask(self.http, &question);
        (status, body)
    }

    fn counter(&self, name: &str) -> u64 {
        let text = self.get("/metrics").1;
        let of_name = text.lines().filter(|line| line.starts_with(name));
        of_name.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// The venue's time, as the server last told it; 0 before it has.
    fn clock(&self) -> i64 {
        let live: serde_json::Value =
            serde_json::from_str(&self.get("/api/v1/venues/mall/live").1).unwrap_or_default();
        let at = live["at"].as_str().and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
        at.map_or(0, |at| at.timestamp_millis())
    }

    fn until(&self, what: &str, so: impl Fn(&Self) -> bool) {
        for _ in 0..LOOKS_MAX {
            if so(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it did not come about that {what}; the venue's time is {}", self.clock());
    }

    fn publish(&mut self, topic: &str, retain: bool, payload: Vec<u8>) {
        let publisher = self.publisher.as_ref().expect("the sensors are there");
        let published = self.runtime.block_on(publisher.publish(topic, retain, payload));
        published.expect("the broker takes it");
    }

    /// The sensors say all that they heard until so many hours of the day have passed, and the server takes it in.
    fn goes_on_until(&mut self, hours: i64) {
        let end = DAY_STARTS + hours * HOUR_MS;
        loop {
            let next = self.next.take().or_else(|| self.mall.next_message()).expect("a mall never ends");
            if next.at_ms > end {
                self.next = Some(next);
                break;
            }
            if next.at_ms < DAY_STARTS + SWITCHED_ON_HOURS * HOUR_MS {
                continue;
            }
            self.heard.take(next.at_ms, &next.payload);
            self.publish(&next.topic, next.retain, next.payload);
        }
        // Live figures are told at the close of a half-minute, ten seconds after its end.
        self.until("the server has taken in what was said", |venue| venue.clock() >= end - MINUTE_MS);
    }

    /// Reads the keys that are alive from the server's memory, each known by what was made with it.
    fn is_overheard(&mut self, hours: i64, keys: &mut Keys) {
        let memory = self.server.memory();
        let of_list = std::fs::read(self.directory.path().join("data/opt-out-key/key")).expect("a key");
        let at = DAY_STARTS + hours * HOUR_MS;
        for key in candidates(&memory).into_iter().filter(|key| key[..] != of_list) {
            let tags = self.heard.tags(&key, at);
            if is_in(&memory, &self.heard.pseudonyms(&key)) {
                keys.of_day.insert(key);
            } else if is_in(&memory, &tags) {
                keys.of_halves.insert(key);
                keys.tags.extend(tags);
            }
        }
    }

    /// A browser asks, and leaves its connection open. Gives the status.
    fn browses(&mut self, question: &str) -> u16 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http)).expect("the server listens");
        stream.write_all(question.as_bytes()).expect("it reads");
        let mut answer = [0; 64];
        let read = stream.read(&mut answer).expect("it answers");
        self.browsers.push(stream);
        let text = String::from_utf8_lossy(&answer[..read]).into_owned();
        text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    fn posts(&mut self, path: &str, kind: &str, body: &str) -> u16 {
        let (port, len) = (self.http, body.len());
        self.browses(&format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\n\r\n{body}"
        ))
    }

    /// Visitors say no at the form, through the API and at the desk; some mistype.
    fn visitors_object(&mut self) {
        const FORM: &str = "application/x-www-form-urlencoded";
        let spelled = |device: [u8; 6]| device.map(|octet| format!("{octet:02X}")).join(":");
        let [one, two, three] = [0, 1, 2].map(|place| self.heard.stable(place));
        let typed = format!("device={}", spelled(one).replace(':', "%3A"));
        assert_eq!(self.posts("/opt-out?lang=fr", FORM, &typed), 303);
        let typed = format!("{{\"device\":\"{}\"}}", spelled(two));
        assert_eq!(self.posts("/api/v1/opt-outs", "application/json", &typed), 201);
        for wrong in ["5c:e9:31:7f:d2:8g", "5ce9317fd28"] {
            assert_eq!(self.posts("/opt-out", FORM, &format!("device={wrong}")), 422);
            assert_eq!(
                self.posts("/api/v1/opt-outs", "application/json", &format!("{{\"device\":\"{wrong}\"}}")),
                400
            );
            self.heard.typed.push(wrong.into());
        }
        // One who types the address into the wrong place.
        assert_eq!(
            self.posts("/api/v1/opt-outs", "application/json", &format!("{{\"{}\":1}}", spelled(three))),
            400
        );
        let config = self.directory.path().join("passant.toml");
        let mut desk = Command::new(env!("CARGO_BIN_EXE_passant"))
            .args(["optout", "add", "--config"])
            .arg(config)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        writeln!(desk.stdin.take().expect("an input"), "{}", spelled(three)).expect("it reads");
        assert!(desk.wait().expect("it ends").success());
    }

    /// Sensors that send what they should not.
    fn sensors_err(&mut self) {
        let sightings = |sensor: &str| format!("passant/v1/mall/{sensor}/sightings");
        let mut last = 0x5ce9_317f_0000_u64;
        let mut fresh = || {
            last += 1;
            let device: [u8; 6] = std::array::from_fn(|place| (last >> (8 * (5 - place))) as u8);
            self.heard.devices.insert(device);
            format!("{last:012x}")
        };
        let at = DAY_STARTS + TROUBLE_HOURS * HOUR_MS;
        let payloads = [
            format!("{{\"s\":[{{\"id\":\"{}\",\"rssi\":-6", fresh()),
            format!("{{\"s\":[{{\"id\":\"{}\",\"rssi\":\"loud\"}}]}}", fresh()),
            format!("{{\"s\":[{{\"id\":\"{}\",\"rssi\":0}}]}}", fresh()),
            format!("{{\"s\":[{{\"id\":[\"{}\"],\"rssi\":-60}}]}}", fresh()),
            format!("{{\"s\":[{{\"{}\":1,\"rssi\":-60}}]}}", fresh()),
            format!("{{\"n\":\"{}\"}}", fresh()),
            format!("{{\"t\":{},\"s\":[{{\"id\":\"{}\",\"rssi\":-60}}]}}", at - HOUR_MS, fresh()),
            format!("{{\"t\":{at},\"s\":[{{\"id\":\"{}\",\"rssi\":-60,\"t\":{}}}]}}", fresh(), at + HOUR_MS),
            format!("{}{}", fresh(), " ".repeat(265_000)),
        ];
        let (stranger, retained) = [fresh(), fresh()]
            .map(|device| format!("{{\"s\":[{{\"id\":\"{device}\",\"rssi\":-60}}]}}"))
            .into();
        for payload in payloads {
            self.publish(&sightings(SENSOR), false, payload.into());
        }
        self.publish(&sightings("nobody-knows-it"), false, stranger.into());
        self.publish(&sightings(SENSOR), true, retained.into());
        // Nothing is kept of it, so that no later client is sent it again.
        self.publish(&sightings(SENSOR), true, Vec::new());
    }

    /// The venue's clock comes to the next morning, when everything of the day has closed.
    fn day_ends(&mut self) {
        for minutes in [3, 30] {
            let at = DAY_STARTS + 24 * HOUR_MS + minutes * MINUTE_MS;
            let status = format!("{{\"online\":true,\"t\":{at}}}");
            self.publish(&format!("passant/v1/mall/{SENSOR}/status"), false, status.into());
        }
        let ledger = self.directory.path().join("data/ledger.jsonl");
        let wiped = || std::fs::read_to_string(&ledger).unwrap_or_default().contains("key_wiped");
        self.until("the key of the day is wiped", |_| wiped());
        self.until("the client is renewed", |venue| venue.counter("passant_broker_connections_total ") == 2);
        self.until("the server listens again", |venue| venue.get("/readyz").0 == 200);
    }

    /// The sensors' connections end.
    fn sensors_leave(&mut self) {
        let publisher = self.publisher.take().expect("the sensors are there");
        self.runtime.block_on(publisher.close()).expect("the broker has it all");
    }

    /// Everything a buyer gets: the broker's directory, the server's, and the server's memory.
    #[expect(clippy::print_stderr, reason = "where a secret was found is told only when the test fails")]
    fn is_sold(&mut self, needles: &Needles) -> Vec<Hit> {
        let of_broker = self.broker.as_ref().map(Mosquitto::directory);
        let directories: Vec<_> = of_broker.into_iter().chain([self.directory.path()]).collect();
        let files = forensics::hits(&directories, needles).into_iter();
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut hits: BTreeSet<Hit> = files.map(|(path, form)| (name(&path), form)).collect();
        for region in self.server.memory() {
            for (form, at) in needles.places(&region.bytes) {
                let around = &region.bytes[at.saturating_sub(48)..(at + 48).min(region.bytes.len())];
                let around = String::from_utf8_lossy(around);
                eprintln!("{form} at {:x} in {}: {around:?}", region.start + at as u64, region.name);
                hits.insert(("memory".to_owned(), form));
            }
        }
        hits.into_iter().collect()
    }
}

/// The server's part, which the others start.
#[test]
#[ignore = "needs Mosquitto"]
fn the_server_of_the_venue() {
    inside::serve();
}

/// A day of a venue, broken off at its fullest hour by the next morning. Gives all that must be gone, and the day's key.
fn a_day(venue: &mut Venue) -> (Needles, Key) {
    let mut keys = Keys::default();
    for hours in LOOKS_HOURS {
        venue.goes_on_until(hours);
        if hours == TROUBLE_HOURS {
            venue.visitors_object();
            venue.sensors_err();
        }
        // The last messages may still be on their way through the server.
        let before = keys.of_halves.len();
        for _ in 0..TRIES_MAX {
            venue.is_overheard(hours, &mut keys);
            if keys.of_halves.len() > before {
                break;
            }
        }
    }
    assert_eq!(keys.of_day.len(), 1, "the key of the day was found, and it was one");
    assert!(keys.of_halves.len() >= LOOKS_HOURS.len(), "{} keys of half-minutes", keys.of_halves.len());
    venue.day_ends();
    let key = *keys.of_day.first().expect("a key");
    (venue.heard.needles(&keys), key)
}

#[test]
#[ignore = "needs Mosquitto"]
fn nothing_of_a_day_is_left_the_morning_after() {
    let mut venue = Venue::with_mosquitto();
    let (needles, key) = a_day(&mut venue);
    let log = std::fs::read_to_string(venue.directory.path().join("log")).expect("a log");
    // The library that receives the messages speaks here, though the program's own log has only its warnings.
    assert!(log.contains("TRACE passant::") || log.contains("DEBUG passant::"), "the log is whole");
    assert!(log.contains("DEBUG rumqttc::"), "the log is whole");
    assert_eq!(venue.is_sold(&needles), []);
    every_leak_is_found(&mut venue, &needles, &key);
}

/// The server's own broker reads each connection into a room of its own, which keeps the last message of a sensor until
/// the next comes in or the connection ends.
#[test]
#[ignore = "needs time"]
fn nothing_is_left_in_the_servers_own_broker_once_its_sensors_have_gone() {
    let mut venue = Venue::with_its_own_broker();
    let (needles, _) = a_day(&mut venue);
    venue.sensors_leave();
    // It takes the broker a moment to let a connection go.
    let left = (0..TRIES_MAX).map(|_| venue.is_sold(&needles)).find(Vec::is_empty);
    assert_eq!(left, Some(Vec::new()));
}

/// The same search, with one leak planted after another, each through the path that it would take.
fn every_leak_is_found(venue: &mut Venue, needles: &Needles, key: &Key) {
    let [device, other] = [3, 4].map(|place| venue.heard.stable(place));
    let spelled = device.map(|octet| format!("{octet:02x}"));
    let pseudonym = u64::from_le_bytes(venue.heard.pseudonyms(key)[0]);
    let mut before = Vec::new();
    let mut leaks = |venue: &mut Venue, place: &str, form: &str| {
        let found = venue.is_sold(needles);
        let here = |hits: &[Hit]| hits.iter().any(|(at, of)| at.starts_with(place) && *of == form);
        assert!(!here(&before) && here(&found), "{form} in {place}: {found:?}");
        before = found;
    };

    venue.server.ask(Ask::Keep, key);
    leaks(venue, "memory", "binary");
    venue.server.ask(Ask::Clear, format!("{{\"id\":\"{}\"}}", spelled.concat()).as_bytes());
    leaks(venue, "memory", "hex");
    venue.server.ask(Ask::Fail, format!("no such device: {}", spelled.join(":")).as_bytes());
    leaks(venue, "log", "hex");
    venue.server.ask(Ask::Log, pseudonym.to_string().as_bytes());
    leaks(venue, "log", "decimal");
    venue.runtime.block_on(async {
        let file = venue.directory.path().join("data").join(passant::store::FILE_NAME);
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut database = sqlx::SqliteConnection::connect_with(&options).await.expect("it opens");
        sqlx::query("ALTER TABLE meta ADD COLUMN device BLOB")
            .execute(&mut database)
            .await
            .expect("a column");
        let column = sqlx::query("UPDATE meta SET device = ?").bind(&other[..]);
        assert!(column.execute(&mut database).await.expect("it is filled").rows_affected() > 0);
    });
    leaks(venue, passant::store::FILE_NAME, "binary");
}
