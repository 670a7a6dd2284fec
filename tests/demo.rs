//! `passant demo` as one starts it: a mall that lives, a stop that says what was kept, and a second start.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use chrono::{DateTime, SecondsFormat};
use demo::{Demo, Ports, command};
use forensics::Needles;
use sensor_sim::mall::{MALL, Mall, Scenario};
use serde_json::Value;

#[path = "support/demo.rs"]
mod demo;
#[path = "support/forensics.rs"]
mod forensics;

const LIVE: &str = "/api/v1/venues/mall/live";
const HOUR_MS: i64 = 3_600_000;
/// The seed that the demo takes if it is given none.
const SEED: u64 = 1;
/// Devices that are looked for: by chance a log of a hundred million digits holds one of them once in a hundred runs.
const NEEDLES_MAX: usize = 20_000;

fn ms(time: &Value) -> Option<i64> {
    DateTime::parse_from_rfc3339(time.as_str()?).ok().map(|time| time.timestamp_millis())
}

fn rfc3339(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).expect("a time").to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The venue's clock; none until it has heard of a time.
fn venue_time(demo: &Demo) -> Option<i64> {
    let answer = demo.ask("GET", LIVE);
    let live: Value = serde_json::from_str(&answer.body).ok()?;
    ms(&live["at"])
}

/// When a file was last written is the one thing here that tells the machine's time without asking a clock.
fn machine_time(directory: &Path) -> i64 {
    let file = tempfile::NamedTempFile::new_in(directory).expect("a file");
    let written = file.as_file().metadata().and_then(|it| it.modified()).expect("its time");
    DateTime::<chrono::Utc>::from(written).timestamp_millis()
}

/// Waits until the past is through.
fn until_now(demo: &mut Demo, directory: &Path) {
    demo.until("the venue's clock has come to now", |demo| {
        venue_time(demo).is_some_and(|at| machine_time(directory) - at < 60_000)
    });
}

/// Waits until the past is through and half-minutes go by as they do on the wall.
fn until_it_lives(demo: &mut Demo, directory: &Path) {
    until_now(demo, directory);
    for _ in 0..2 {
        let before = venue_time(demo);
        demo.until("live moves to another half-minute", |demo| venue_time(demo) > before);
    }
}

/// Values of a metric, window by window; none where it is held back.
fn figures(
    demo: &Demo,
    metric: &str,
    zone: Option<&str>,
    step: &str,
    (from, to): (i64, i64),
) -> Vec<Option<u64>> {
    let zone = zone.map(|zone| format!("&zone={zone}")).unwrap_or_default();
    let (from, to) = (rfc3339(from), rfc3339(to));
    let path = format!("/api/v1/venues/mall/figures?metric={metric}{zone}&step={step}&from={from}&to={to}");
    let answer = demo.json(&path);
    answer["figures"].as_array().expect("figures").iter().map(|figure| figure["value"].as_u64()).collect()
}

/// Past days are there: hour by hour people in the open hours of each, and visitors of a day in the zones.
fn shows_past_days(demo: &Demo, directory: &Path, days: i64) {
    let venues = demo.json("/api/v1/venues");
    assert!(venues.to_string().contains("\"mall\""), "{venues}");
    // An hour of occupancy closes two minutes after its end.
    let to = (machine_time(directory) - 3 * 60_000).div_euclid(HOUR_MS) * HOUR_MS;
    let hours = figures(demo, "occupancy", None, "1h", (to - 24 * days * HOUR_MS + HOUR_MS, to));
    let shown = hours.iter().flatten().count() as i64;
    // Every day of the scenario is open nine hours at least; the span leaves out one, and one may be at an edge.
    assert!(shown >= 7 * days, "{shown} hours with people of {}", hours.len());

    let venue = demo.json("/api/v1/venues/mall");
    let zones: Vec<_> =
        venue["zones"].as_array().expect("zones").iter().map(|zone| zone["id"].clone()).collect();
    let today = ms(&demo.json(LIVE)["day_started_at"]).expect("a time");
    let of_days = (today - 24 * days * HOUR_MS, today);
    let zone_days = |zone: &Value| figures(demo, "visitors", zone.as_str(), "1d", of_days);
    let shown = zones.iter().flat_map(zone_days).flatten().count();
    assert!(shown > 0, "no zone shows visitors of a day");
}

/// Some of the devices that the simulator makes in the first hours of a day before a moment.
fn devices(zone: &str, before: i64) -> HashSet<[u8; 6]> {
    let text = MALL.replace("timezone = \"Europe/Paris\"", &format!("timezone = \"{zone}\""));
    let scenario = Scenario::parse(&text).expect("the scenario reads");
    let mut mall = Mall::new(&scenario, SEED, before - 24 * HOUR_MS);
    let mut devices = HashSet::new();
    while devices.len() < NEEDLES_MAX {
        let message = mall.next_message().expect("it never ends");
        if message.sightings > 0 {
            let report = passant_wire::decode(&message.payload, None).expect("it decodes");
            devices.extend(report.sightings.iter().map(|heard| *heard.device.octets()));
        }
    }
    devices
}

#[test]
fn a_mall_lives_stops_and_is_started_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let ports = Ports::free(Ipv4Addr::LOCALHOST);
    let started = machine_time(directory.path());
    let mut demo = Demo::start(directory.path(), ports, 1);
    until_it_lives(&mut demo, directory.path());
    shows_past_days(&demo, directory.path(), 1);
    let zone = demo.json("/api/v1/venues/mall")["timezone"].as_str().expect("a zone").to_owned();
    let to = (machine_time(directory.path()) - 3 * 60_000).div_euclid(HOUR_MS) * HOUR_MS;
    let span = (to - 20 * HOUR_MS, to);
    let before = figures(&demo, "occupancy", None, "1h", span);
    let said = directory.path().join("said");
    assert!(demo.interrupt().success());
    let said = std::fs::read_to_string(said).expect("its words");
    let data = directory.path().join("data");
    assert!(said.contains("Stopped") && said.contains(&data.display().to_string()), "{said}");

    // What it kept is there at once, and a week it has seen before is no reason to stop.
    let mut again = Demo::start(directory.path(), ports, 1);
    assert_eq!(figures(&again, "occupancy", None, "1h", span), before);
    until_now(&mut again, directory.path());
    assert_eq!(figures(&again, "occupancy", None, "1h", span), before, "what is closed stays closed");
    assert!(again.interrupt().success());

    let devices = devices(&zone, started);
    let needles = Needles::devices(devices.iter().copied());
    assert_eq!(forensics::hits(&[directory.path()], &needles), []);
    let planted = directory.path().join("planted");
    std::fs::write(&planted, devices.iter().next().expect("a device")).expect("a leak is planted");
    assert_eq!(forensics::hits(&[directory.path()], &needles), [(planted, "binary")]);
}

#[test]
#[ignore = "needs time"]
fn many_days_and_then_fewer() {
    // A debug build takes ten times as long for a day.
    let (many, fewer) = if cfg!(debug_assertions) { (2, 1) } else { (30, 7) };
    let directory = tempfile::tempdir().expect("a directory");
    let ports = Ports::free(Ipv4Addr::LOCALHOST);
    for days in [many, fewer] {
        let mut demo = Demo::start(directory.path(), ports, days);
        until_it_lives(&mut demo, directory.path());
        shows_past_days(&demo, directory.path(), i64::from(many));
        assert!(demo.interrupt().success());
    }
}

#[test]
fn off_loopback_the_page_asks_for_a_token_and_the_broker_for_a_password() {
    let directory = tempfile::tempdir().expect("a directory");
    let ports = Ports::free(Ipv4Addr::UNSPECIFIED);
    let mut demo = Demo::start(directory.path(), ports, 1);
    let said = demo.said();
    let word = |after: &str| {
        let word = said.split(after).nth(1).unwrap_or_else(|| panic!("{after} is not in {said}"));
        word.chars().take_while(char::is_ascii_alphanumeric).collect::<String>()
    };
    let (token, password) = (word("/?token="), word("mqtt://demo:"));
    assert_eq!((token.len(), password.len()), (32, 32));
    for path in ["/", LIVE, "/metrics", "/api/openapi.json", "/?token=0123456789abcdef"] {
        assert_eq!(demo.ask("GET", path).status, 401, "{path}");
    }
    let entered = demo.ask("GET", &format!("/?token={token}"));
    assert!(
        entered.status == 303 && entered.head.to_lowercase().contains("location: /\r\n"),
        "{}",
        entered.head
    );
    demo.shown = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(demo.json("/api/v1/venues")["venues"][0]["id"], "mall");
    demo.shown = format!("Cookie: passant-token={token}\r\n");
    // The server and the simulator come in by the password.
    demo.until("sightings are counted", |demo| {
        demo.ask("GET", "/metrics").body.contains("outcome=\"counted\"")
    });

    let publish = |login: &str| {
        let url = format!("mqtt://{login}127.0.0.1:{}", ports.mqtt).parse().expect("a url");
        let line =
            sensor_sim::publisher::Line { url, client_id: "a-sensor".into(), inflight_max: 1, will: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let publisher = sensor_sim::publisher::Publisher::open(line);
            publisher.publish("passant/v1/mall/here-1/status", false, b"{\"online\":true}".to_vec()).await?;
            publisher.settle().await
        })
    };
    assert_eq!(publish(&format!("demo:{password}@")), Ok(()));
    assert!(publish("demo:guessed@").is_err());

    assert!(demo.interrupt().success(), "a stop in the middle of the past is a stop");
    let log = std::fs::read_to_string(directory.path().join("log")).expect("a log");
    assert!(log.contains("serving") && !log.contains(&token) && !log.contains(&password));
}

#[test]
fn a_taken_port_is_told_with_the_flag_that_names_another() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    let taken = taken.local_addr().expect("an address").port();
    let free = Ports::free(Ipv4Addr::LOCALHOST);
    for (ports, flag) in
        [(Ports { http: taken, ..free }, "--http"), (Ports { mqtt: taken, ..free }, "--mqtt")]
    {
        let directory = tempfile::tempdir().expect("a directory");
        let mut demo: Command = command(directory.path(), ports, 1);
        assert_eq!(demo.status().expect("it runs").code(), Some(1));
        let log = std::fs::read_to_string(directory.path().join("log")).expect("a log");
        assert!(log.contains(flag) && log.contains(&taken.to_string()), "{log}");
    }
}
