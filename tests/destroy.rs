//! A venue is destroyed under a running server, with a real broker that retains messages of it.

#[path = "support/mosquitto.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod mosquitto;
#[path = "support/server.rs"]
mod server;
#[path = "support/venue.rs"]
mod venue;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use mosquitto::Mosquitto;
use serde_json::Value;
use server::Server;
use venue::venue;

// Other tests need more of what these two can do; named here, nothing of them is called dead.
const _: fn(&mut Mosquitto) = Mosquitto::kill;
const _: fn(&mut Mosquitto) = Mosquitto::start_again;
const _: fn(&Mosquitto) -> &Path = Mosquitto::directory;
const _: fn(&Server, &str, &str) -> (u16, String) = Server::post;
const _: fn(&Server) -> String = Server::url;
const _: fn(&mut Server) = Server::start_again;

const START: i64 = 1_764_000_000_000;
const VENUES: &str = concat!(venue!("galerie-nine"), venue!("museum-ten"));

fn passant(server: &Server, args: &[&str]) -> Output {
    let config = server.directory().join("passant.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_passant"));
    command.args(args).arg("--config").arg(config).stdin(Stdio::null());
    command.output().expect("it runs")
}

/// A half-minute of a venue's room: some people, each heard once.
fn half_minute(broker: &Mosquitto, venue: &str, half: i64, people: u8) {
    let at = START + half * 30_000;
    let device = |n| format!(r#"{{"id":"02000000{:02x}{n:02x}","rssi":-60}}"#, half % 256);
    let devices: Vec<_> = (0..people).map(device).collect();
    let report = format!(r#"{{"t":{at},"s":[{}]}}"#, devices.join(","));
    broker.publish(&format!("passant/v1/{venue}/p1/sightings"), report.as_bytes(), &[]);
}

fn stands(dir: &Path, text: &str) -> bool {
    let files = std::fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    let mut database = files.filter(|path| path.to_string_lossy().contains("passant.db"));
    database.any(|path| {
        let bytes = std::fs::read(path).expect("a file reads");
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    })
}

fn serve(server: &Server, more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passant"));
    command.arg("serve").arg("--config").arg(server.directory().join("passant.toml")).args(more);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    server.until("it serves again", |server| server.get("/readyz").0 == 200);
    child
}

#[test]
#[ignore = "needs mosquitto"]
fn a_venue_is_destroyed_under_a_running_server_and_stays_out() {
    let broker = Mosquitto::start();
    let mut server = Server::start(VENUES, 5, broker.port);
    for venue in ["galerie-nine", "museum-ten"] {
        (0..40).for_each(|half| half_minute(&broker, venue, half, 16));
        broker.publish(&format!("passant/v1/{venue}/p1/status"), br#"{"online":true}"#, &["-r"]);
        broker.publish(&format!("passant/v1/{venue}/zones/room/figures"), b"{}", &["-r"]);
    }
    let data = server.directory().join("data");
    server.until("figures of both are written", |_| {
        stands(&data, "galerie-nineroom") && stands(&data, "museum-tenroom")
    });

    let asked = passant(&server, &["destroy", "--venue", "galerie-nine"]);
    assert!(!asked.status.success() && String::from_utf8_lossy(&asked.stderr).contains("--yes"));
    let done = passant(&server, &["destroy", "--venue", "galerie-nine", "--yes", "--json"]);
    let words = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{words}{}", String::from_utf8_lossy(&done.stdout));
    let certificate: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert!(certificate["rows_erased"]["figure"].as_u64() > Some(0), "{certificate}");
    assert_eq!((&certificate["rows_left"], &certificate["complete"]), (&0.into(), &true.into()));
    assert_eq!((&certificate["retained_cleared"], &certificate["retained_left"]), (&2.into(), &0.into()));
    assert_eq!(certificate["keys_wiped_in_memory"], true);
    assert!(!stands(&data, "galerie-nine"), "not a byte of it stands in the database's files");
    assert!(stands(&data, "museum-ten"));

    assert_eq!(server.get("/api/v1/venues/galerie-nine").0, 404);
    assert_eq!(server.get("/api/v1/venues/museum-ten").0, 200);
    half_minute(&broker, "galerie-nine", 41, 16);
    server.until("nothing of it is heard any more", |server| {
        server.counter("passant_sightings_total", "destroyed") == 16
    });
    let text = passant(&server, &["destroy", "--venue", "galerie-nine", "--yes"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("Certificate of destruction") && text.contains("0 retained messages"), "{text}");

    // The head on the first certificate is still in the ledger after a stop.
    server.stop();
    let head = certificate["ledger_head"].as_str().expect("a head");
    let audited = passant(&server, &["check", "--audit", "--head", head]);
    assert!(audited.status.success(), "{}", String::from_utf8_lossy(&audited.stderr));
    let ledger = std::fs::read_to_string(data.join("ledger.jsonl")).expect("a ledger");
    let told = |event: &str, venue: &str| {
        let words = format!(r#""event":"{event}","venue":"{venue}""#);
        ledger.matches(words.as_str()).count()
    };
    for venue in ["galerie-nine", "museum-ten"] {
        assert_eq!((told("key_made", venue), told("key_wiped", venue)), (1, 1), "{ledger}");
    }
    assert_eq!((told("destroyed", "galerie-nine"), told("destroyed", "museum-ten")), (2, 0));
    assert!(ledger.lines().last().is_some_and(|line| line.contains("stopped")), "{ledger}");
    let ids = |server: &Server| server.json("/api/v1/venues").to_string();
    let mut child = serve(&server, &[]);
    assert!(!ids(&server).contains("galerie-nine") && ids(&server).contains("museum-ten"));
    // Killed, it leaves its socket behind, which the next one replaces.
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let mut child = serve(&server, &["--again", "galerie-nine"]);
    assert!(ids(&server).contains("galerie-nine"));
    let counted = passant(&server, &["optout", "count", "--json"]);
    assert!(counted.status.success(), "{}", String::from_utf8_lossy(&counted.stderr));
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}
