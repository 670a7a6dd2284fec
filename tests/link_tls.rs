//! The listener for the antennas' network, which the shipped configuration holds ready: TLS, passwords, access list.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

#[path = "support/mosquitto.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod mosquitto;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use mosquitto::{Mosquitto, free_port, publish};
use passant::config::{Mqtt, Protocol};
use passant::telemetry::Tally;
use passant::{intake, link};
use passant_wire::Topic;

/// A hang ends the test; nothing waits this long otherwise.
const HANG: Duration = Duration::from_secs(60);
/// The access list that ships.
const ACL: &str = include_str!("../src/broker/mosquitto.acl");
const SIGHTINGS: &str = "passant/v1/mall/north-1/sightings";
const STATUS: &str = "passant/v1/mall/north-1/status";

fn run(program: &str, directory: &Path, args: &str) {
    let mut command = Command::new(program);
    command.args(args.split(' ')).current_dir(directory).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().unwrap().success(), "{program} {args}");
}

/// An authority, and a certificate from it for `localhost`.
fn certificates(directory: &Path) {
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    run("openssl", directory, &format!("{new} -keyout ca.key -out ca.pem -subj /CN=test-authority"));
    run(
        "openssl",
        directory,
        &format!(
            "{new} -keyout server.key -out server.crt -subj /CN=localhost -CA ca.pem -CAkey ca.key \
             -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE"
        ),
    );
}

/// Takes the single # from each setting, as the configuration says, and puts the test's files in their places.
fn opened(conf: &str, directory: &Path, port: u16) -> String {
    let here = directory.display();
    let mut text = String::new();
    for line in conf.lines() {
        let setting =
            line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        let line = setting.unwrap_or(line);
        let _ = match line.split(' ').next() {
            Some("listener") if setting.is_some() => writeln!(text, "listener {port} 127.0.0.1"),
            Some("certfile") => writeln!(text, "certfile {here}/server.crt"),
            Some("keyfile") => writeln!(text, "keyfile {here}/server.key"),
            Some("password_file") => writeln!(text, "password_file {here}/passwords"),
            Some("acl_file") => writeln!(text, "acl_file {here}/acl"),
            _ => writeln!(text, "{line}"),
        };
    }
    text
}

/// The broker with its second door open, that door's port, and the directory of its authority.
fn broker() -> (Mosquitto, u16, PathBuf) {
    let port = free_port();
    let broker = Mosquitto::start_with(|conf, directory| {
        certificates(directory);
        std::fs::write(directory.join("acl"), ACL).unwrap();
        std::fs::write(directory.join("passwords"), "").unwrap();
        for user in ["passant", "mall.north-1", "mall.food-1"] {
            run("mosquitto_passwd", directory, &format!("-b passwords {user} secret-of-{user}"));
        }
        std::fs::write(directory.join("password"), "secret-of-passant\n").unwrap();
        opened(&conf, directory, port)
    });
    let directory = broker.directory().to_owned();
    (broker, port, directory)
}

fn config(directory: &Path, port: u16, ca: &str) -> Mqtt {
    Mqtt {
        host: "localhost".into(),
        port,
        tls: true,
        ca_file: Some(directory.join(ca)),
        client_id: "passant-ingest".into(),
        username: Some("passant".into()),
        password_file: Some(directory.join("password")),
        protocol: Protocol::Auto,
        embedded: None,
    }
}

/// Publishes as a sensor with its password; false when the broker refuses.
fn publish_as(user: &str, port: u16, directory: &Path, topic: &str, retain: bool) -> bool {
    let (port, ca) = (port.to_string(), directory.join("ca.pem"));
    let (ca, password) = (ca.to_str().unwrap(), format!("secret-of-{user}"));
    let connect = ["-h", "localhost", "-p", &port, "--cafile", ca, "-u", user, "-P", &password];
    let message = ["-V", "5", "-q", "1", "-t", topic, "-s"];
    let retain: &[&str] = if retain { &["-r"] } else { &[] };
    publish(connect.iter().chain(&message).chain(retain), b"{}")
}

#[tokio::test]
#[ignore = "needs mosquitto and openssl"]
async fn the_antennas_listener_lets_each_sensor_say_its_own_and_the_server_hear() {
    let (_broker, port, directory) = broker();
    assert!(publish_as("mall.north-1", port, &directory, STATUS, true));
    let tally = Tally::default();
    let options = intake::options(&config(&directory, port, "ca.pem")).ok().unwrap();
    let (mut messages, _handle) = link::listen(options, &Topic::FILTERS, tally.clone());
    let next = tokio::time::timeout(HANG, messages.recv());
    assert!(next.await.unwrap().is_some_and(|message| message.retained && message.topic == STATUS));
    // The other sensor may not speak in this one's name: its message is passed over.
    publish_as("mall.food-1", port, &directory, SIGHTINGS, false);
    assert!(publish_as("mall.food-1", port, &directory, "passant/v1/mall/food-1/sightings", false));
    let next = tokio::time::timeout(HANG, messages.recv());
    assert_eq!(next.await.unwrap().unwrap().topic, "passant/v1/mall/food-1/sightings");
    assert!(tally.broker_is_connected());
}

#[tokio::test]
#[ignore = "needs mosquitto and openssl"]
async fn an_unknown_authority_is_no_broker() {
    let (_broker, port, directory) = broker();
    run(
        "openssl",
        &directory,
        "req -x509 -newkey rsa:2048 -nodes -keyout o.key -out other.pem -subj /CN=other",
    );
    let tally = Tally::default();
    let options = intake::options(&config(&directory, port, "other.pem")).ok().unwrap();
    let (mut messages, _handle) = link::listen(options, &Topic::FILTERS, tally.clone());
    publish_as("mall.north-1", port, &directory, STATUS, true);
    let waited = tokio::time::timeout(Duration::from_secs(2), messages.recv()).await;
    assert!(waited.is_err() && !tally.broker_is_connected());
}
