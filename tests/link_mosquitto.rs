//! The link and the intake against a real Mosquitto in its shipped configuration.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

#[path = "support/cut.rs"]
mod cut;
#[path = "support/mosquitto.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod mosquitto;

use std::collections::BTreeSet;
use std::time::Duration;

use cut::Cut;
use mosquitto::Mosquitto;
use passant::config::{Config, EXAMPLE};
use passant::intake::{self, Directory, Strangers};
use passant::link::{self, Handle, Message, Options, Protocol};
use passant::sighting::{Arrival, Delivery};
use passant::telemetry::Tally;
use passant_wire::{BINARY_CONTENT_TYPE, Topic};
use tokio::sync::mpsc::{self, Receiver};

const SIGHTINGS: &str = "passant/v1/mall/north-1/sightings";
const STATUS: &str = "passant/v1/mall/north-1/status";
const JSON: &[u8] = br#"{"n":7,"s":[{"id":"a4c138112233","rssi":-67}]}"#;
const ONLINE: &[u8] = br#"{"online":true}"#;
/// A hang ends the test; nothing waits this long otherwise.
const HANG: Duration = Duration::from_secs(60);

fn options(port: u16, protocol: Protocol) -> Options {
    let (host, client_id) = ("127.0.0.1".to_owned(), "passant-ingest".to_owned());
    Options { host, port, tls: None, client_id, credentials: None, protocol, session_secs: 120 }
}

fn listen(port: u16, protocol: Protocol, tally: &Tally) -> (Receiver<Message>, Handle) {
    link::listen(options(port, protocol), &Topic::FILTERS, tally.clone())
}

/// A link with an intake behind it, for the sensors of the example.
fn take_in(port: u16, protocol: Protocol, tally: &Tally) -> (Receiver<Delivery>, Handle) {
    let (messages, handle) = listen(port, protocol, tally);
    let (sender, deliveries) = mpsc::channel(16);
    let config = Config::parse(EXAMPLE, std::iter::empty()).unwrap();
    let directory = Directory::new(&config);
    tokio::spawn(intake::run(messages, directory, Strangers::default(), sender, tally.clone()));
    (deliveries, handle)
}

async fn next<T>(receiver: &mut Receiver<T>) -> T {
    tokio::time::timeout(HANG, receiver.recv()).await.expect("nothing arrived").expect("the link ended")
}

/// Waits for the first retained status: the subscription stands.
async fn subscribed(messages: &mut Receiver<Message>) {
    let message = next(messages).await;
    assert!(
        message.retained && message.topic == STATUS,
        "{} {:?} {}",
        message.topic,
        message.payload,
        message.retained
    );
}

/// The next message that was not retained.
async fn next_live(messages: &mut Receiver<Message>) -> Message {
    loop {
        let message = next(messages).await;
        if !message.retained {
            return message;
        }
    }
}

/// Waits for the first retained status behind an intake.
async fn subscribed_behind_intake(deliveries: &mut Receiver<Delivery>) {
    assert!(matches!(next(deliveries).await.arrival, Arrival::Status(status) if status.retained));
}

fn count(tally: &Tally, line: &str) -> u64 {
    let text = tally.encode();
    let value = text.lines().find_map(|l| l.strip_prefix(line)).map(str::trim);
    value.map_or(0, |v| v.parse().unwrap())
}

fn refused(tally: &Tally, reason: &'static str) -> u64 {
    tally.messages_refused_so_far("mall", "north-1").get(reason).copied().unwrap_or(0)
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn both_versions_deliver() {
    let broker = Mosquitto::start();
    broker.publish(STATUS, ONLINE, &["-r"]);
    for protocol in [Protocol::V5, Protocol::V311, Protocol::Auto] {
        let tally = Tally::default();
        let (mut messages, handle) = listen(broker.port, protocol, &tally);
        subscribed(&mut messages).await;
        broker.publish(SIGHTINGS, JSON, &["-V", "5", "-D", "publish", "content-type", "text/x"]);
        let message = next(&mut messages).await;
        assert_eq!((message.topic.as_str(), &message.payload[..]), (SIGHTINGS, JSON));
        assert!(!message.retained && message.guard.is_some());
        let content_type = (protocol != Protocol::V311).then_some("text/x");
        assert_eq!(message.content_type.as_deref(), content_type);
        assert!(tally.broker_is_connected());
        drop(message);
        handle.shutdown().await;
        assert!(!tally.broker_is_connected());
        assert_eq!(count(&tally, "passant_messages_total "), 2);
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn what_was_not_acknowledged_comes_again() {
    for protocol in [Protocol::V5, Protocol::V311] {
        let broker = Mosquitto::start();
        broker.publish(STATUS, ONLINE, &["-r"]);
        let cut = Cut::before(broker.port).await;
        let (mut messages, handle) = listen(cut.port, protocol, &Tally::default());
        subscribed(&mut messages).await;
        broker.publish(SIGHTINGS, b"start", &[]);
        let kept = next_live(&mut messages).await;
        cut.now();
        let again = next_live(&mut messages).await;
        assert_eq!(again.payload, b"start"[..]);
        // A guard of a connection that is gone acknowledges nothing on the next.
        drop(kept);
        cut.now();
        let third = next_live(&mut messages).await;
        assert_eq!(third.payload, b"start"[..]);
        drop((again, third));
        handle.shutdown().await;
        // Everything is acknowledged now: a new link hears the next message first.
        let (mut messages, _handle) = listen(broker.port, protocol, &Tally::default());
        subscribed(&mut messages).await;
        broker.publish(SIGHTINGS, b"end", &[]);
        assert_eq!(next_live(&mut messages).await.payload, b"end"[..]);
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn what_nobody_took_is_not_acknowledged() {
    for protocol in [Protocol::V5, Protocol::V311] {
        let broker = Mosquitto::start();
        broker.publish(STATUS, ONLINE, &["-r"]);
        let (mut messages, _handle) = listen(broker.port, protocol, &Tally::default());
        subscribed(&mut messages).await;
        for payload in [b"first", b"second".as_slice(), b"third"] {
            broker.publish(SIGHTINGS, payload, &[]);
        }
        let first = next(&mut messages).await;
        assert_eq!(first.payload, b"first"[..]);
        // Whoever took the messages goes away with one in hand and the others waiting.
        drop(messages);
        let (mut messages, _handle) = listen(broker.port, protocol, &Tally::default());
        for payload in [b"first", b"second".as_slice(), b"third"] {
            assert_eq!(next_live(&mut messages).await.payload, payload);
        }
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_server_that_falls_behind_loses_nothing() {
    // Ten times what may wait for an acknowledgement.
    let count_sent = 10 * usize::from(link::RECEIVE_MAX);
    for protocol in [Protocol::V5, Protocol::V311] {
        let broker = Mosquitto::start();
        broker.publish(STATUS, ONLINE, &["-r"]);
        let tally = Tally::default();
        let (mut messages, _handle) = listen(broker.port, protocol, &tally);
        subscribed(&mut messages).await;
        let lines: String = (0..count_sent).map(|number| format!("{number}\n")).collect();
        let port = broker.port.to_string();
        let sent = tokio::task::spawn_blocking(move || {
            let args = ["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", SIGHTINGS, "-l"];
            mosquitto::publish(args.iter(), lines.as_bytes())
        });
        // Nobody takes anything until the broker has acknowledged every message.
        assert!(tokio::time::timeout(HANG, sent).await.unwrap().unwrap());
        for number in 0..count_sent {
            assert_eq!(next(&mut messages).await.payload, number.to_string());
        }
        assert_eq!(count(&tally, "passant_messages_total "), count_sent as u64 + 1);
        assert_eq!(count(&tally, "passant_broker_connections_total "), 1);
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_client_that_is_renewed_loses_nothing() {
    const SENT: usize = 20_000;
    for protocol in [Protocol::V5, Protocol::V311] {
        let broker = Mosquitto::start();
        broker.publish(STATUS, ONLINE, &["-r"]);
        let tally = Tally::default();
        let (mut messages, handle) = listen(broker.port, protocol, &tally);
        subscribed(&mut messages).await;
        let lines: String = (0..SENT).map(|number| format!("{number}\n")).collect();
        let port = broker.port.to_string();
        let sent = tokio::task::spawn_blocking(move || {
            let args = ["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", SIGHTINGS, "-l"];
            mosquitto::publish(args.iter(), lines.as_bytes())
        });
        // In the thick of it, with messages in hand that are taken only after their connection has gone.
        let (mut missing, mut taken) = ((0..SENT).collect::<BTreeSet<_>>(), 0);
        let connections = || count(&tally, "passant_broker_connections_total ");
        let mut asked = 0;
        let mut in_hand = Vec::new();
        while !missing.is_empty() {
            let message = next_live(&mut messages).await;
            missing.remove(&String::from_utf8_lossy(&message.payload).parse::<usize>().unwrap());
            taken += 1;
            in_hand.push(message);
            // Asked again while it is on its way, it would be one renewal.
            if taken % 1_000 == 0 && connections() > asked {
                handle.renewal().ask();
                asked += 1;
            }
            if taken % 500 == 0 {
                in_hand.clear();
            }
        }
        assert!(tokio::time::timeout(HANG, sent).await.unwrap().unwrap());
        // The last may have been asked for too late. Far less than all messages wait in queues, so the first came in time.
        assert!(connections() >= asked.max(2), "{protocol:?}: {asked} asked, {} came", connections());
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_restarted_broker_is_found_again() {
    for protocol in [Protocol::V5, Protocol::V311, Protocol::Auto] {
        let tally = Tally::default();
        let mut broker = Mosquitto::start();
        broker.publish(STATUS, ONLINE, &["-r"]);
        let (mut messages, _handle) = listen(broker.port, protocol, &tally);
        subscribed(&mut messages).await;
        broker.kill();
        let kept: Vec<_> =
            std::fs::read_dir(broker.directory()).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(kept, ["mosquitto.conf"], "the broker wrote something down");
        broker.start_again();
        // Nothing of the first life is left, so this status comes with the new subscription, or live right after it.
        broker.publish(STATUS, ONLINE, &["-r"]);
        assert_eq!(next(&mut messages).await.topic, STATUS);
        broker.publish(SIGHTINGS, JSON, &[]);
        assert_eq!(next(&mut messages).await.topic, SIGHTINGS);
        assert_eq!(count(&tally, "passant_broker_connections_total "), 2);
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn retained_sightings_are_refused() {
    let broker = Mosquitto::start();
    broker.publish(SIGHTINGS, JSON, &["-r"]);
    broker.publish(STATUS, ONLINE, &["-r"]);
    let tally = Tally::default();
    let (mut deliveries, _handle) = take_in(broker.port, Protocol::V5, &tally);
    // The status's filter stands behind that of the sightings, so the retained sightings came before it.
    subscribed_behind_intake(&mut deliveries).await;
    assert_eq!(refused(&tally, "retained"), 1);
    broker.publish(SIGHTINGS, JSON, &[]);
    assert!(matches!(next(&mut deliveries).await.arrival, Arrival::Report(_)));
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn both_forms_arrive_as_reports() {
    let broker = Mosquitto::start();
    broker.publish(STATUS, ONLINE, &["-r"]);
    let mut binary = vec![0xaf, b'P', b'S', 1, 0, 1, 0];
    binary.extend([0, (-60_i8) as u8, 0, 0, 0, 0, 0xa4, 0xc1, 0x38, 1, 2, 3]);
    for protocol in [Protocol::V5, Protocol::V311] {
        let (mut deliveries, handle) = take_in(broker.port, protocol, &Tally::default());
        subscribed_behind_intake(&mut deliveries).await;
        let typed = ["-V", "5", "-D", "publish", "content-type", BINARY_CONTENT_TYPE];
        for (payload, more, rssi) in [(JSON, &[][..], -67), (&binary, &[], -60), (&binary, &typed, -60)] {
            broker.publish(SIGHTINGS, payload, more);
            let Arrival::Report(report) = next(&mut deliveries).await.arrival else { panic!("no report") };
            assert_eq!(report.sightings.iter().map(|s| s.rssi).collect::<Vec<_>>(), [rssi]);
        }
        handle.shutdown().await;
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_message_over_the_limit_does_not_disturb_the_stream() {
    let shipped = Mosquitto::start();
    let unlimited = Mosquitto::start_with(|conf, _| {
        conf.lines()
            .filter(|l| !l.starts_with("message_size") && !l.starts_with("max_packet"))
            .fold(String::new(), |text, line| text + line + "\n")
    });
    for broker in [&shipped, &unlimited] {
        broker.publish(STATUS, ONLINE, &["-r"]);
    }
    // The shipped broker drops it; another hands on what the link asked for, and the intake counts it.
    for (broker, protocol, counted) in [
        (&shipped, Protocol::V5, 0),
        (&shipped, Protocol::V311, 0),
        (&unlimited, Protocol::V5, 1),
        (&unlimited, Protocol::V311, 2),
    ] {
        let tally = Tally::default();
        let (mut deliveries, handle) = take_in(broker.port, protocol, &tally);
        subscribed_behind_intake(&mut deliveries).await;
        for bytes in [300_000, 900_000] {
            broker.publish(SIGHTINGS, &vec![b' '; bytes], &["-V", "311"]);
            broker.publish(SIGHTINGS, JSON, &[]);
            assert!(matches!(next(&mut deliveries).await.arrival, Arrival::Report(_)));
        }
        assert_eq!(refused(&tally, "too_large"), counted, "{protocol:?}");
        assert_eq!(count(&tally, "passant_broker_connections_total "), 1, "{protocol:?}");
        handle.shutdown().await;
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_message_that_kills_the_link_is_left_behind() {
    let broker = Mosquitto::start_with(|conf, _| {
        conf.replace("message_size_limit 278528", "").replace("max_packet_size 1048576", "")
    });
    broker.publish(STATUS, ONLINE, &["-r"]);
    let tally = Tally::default();
    let (mut messages, _handle) = listen(broker.port, Protocol::V311, &tally);
    subscribed(&mut messages).await;
    broker.publish(SIGHTINGS, &vec![b' '; link::PACKET_BYTES_MAX_V311 + 1], &[]);
    // It is delivered again first of all, until its session is given up; then what is retained comes anew.
    broker.publish(SIGHTINGS, JSON, &["-r"]);
    while next(&mut messages).await.topic != SIGHTINGS {}
    broker.publish(SIGHTINGS, b"end", &[]);
    assert_eq!(next_live(&mut messages).await.payload, b"end"[..]);
}
