//! The embedded broker's own side: who comes in, what it refuses to carry or to keep, and how it ends. What it shares with
//! Mosquitto is in `tests/broker_conformance.rs`.

#[path = "support/speaker.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod speaker;

use std::net::SocketAddr;

use passant::broker::{self, Access, Error, LISTENERS_MAX, Options, PACKET_BYTES_MAX, Password, Running};
use passant::link::{self, Protocol};
use passant::telemetry::Tally;
use passant_wire::Topic;
use speaker::{Hello, Message, Speaker, VERSIONS, Version, packet, soon};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

const SIGHTINGS: &str = "passant/v1/mall/north-1/sightings";
const STATUS: &str = "passant/v1/mall/north-1/status";
const EVERYTHING: &str = "passant/v1/#";
/// Refusals in MQTT 5 and in 3.1.1.
const NOT_AUTHORIZED: u8 = 0x87;
const WRONG_PASSWORD: u8 = 0x86;
const WRONG_PASSWORD_V311: u8 = 4;
const NOT_AUTHORIZED_V311: u8 = 5;
const REFUSED_V311: u8 = 0x80;

fn free() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

fn password(password: &str) -> Access {
    Access::Password {
        user: "sensors".to_owned(),
        password: Password::new(Zeroizing::new(password.to_owned())),
    }
}

async fn start(access: Access) -> (u16, Running) {
    let (address, running) = broker::start(Options { listen: free(), access }).await.expect("it starts");
    (address.port(), running)
}

async fn client(port: u16, version: Version, client_id: &str) -> Speaker {
    Speaker::connect(port, Hello::new(version, client_id)).await.expect("it is let in")
}

/// What has arrived when a last message has.
async fn until_the_last(listener: &mut Speaker, port: u16) -> Vec<Message> {
    let mut sensor = client(port, Version::V5, "the-last").await;
    sensor.publish(SIGHTINGS, b"last", 1, false).await;
    let mut arrived = Vec::new();
    loop {
        let message = listener.take_next().await;
        if message.payload == b"last" {
            return arrived;
        }
        arrived.push(message);
    }
}

#[tokio::test]
async fn off_this_machine_it_does_not_start_without_a_password() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:1883", "[::ffff:192.0.2.1]:1883"] {
        let listen = listen.parse().expect("an address");
        let refused = broker::start(Options { listen, access: Access::Anyone }).await;
        let Err(Error::OpenToAnyone(address)) = refused else { panic!("{listen} is open") };
        assert_eq!(address, listen);
    }
    for (user, text) in [("", "secret"), ("sensors", "")] {
        let password = Password::new(Zeroizing::new(text.to_owned()));
        let access = Access::Password { user: user.to_owned(), password };
        let refused = broker::start(Options { listen: free(), access }).await;
        assert!(matches!(refused, Err(Error::EmptyPassword)));
    }
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let (port, _running) = start(Access::Anyone).await;
    let listen = ([127, 0, 0, 1], port).into();
    let Err(told) = broker::start(Options { listen, access: Access::Anyone }).await else { panic!("twice") };
    assert!(matches!(told, Error::Listen(..)));
    assert!(told.to_string().contains(&format!("127.0.0.1:{port}")), "{told}");
}

#[tokio::test]
async fn only_who_knows_the_password_comes_in() {
    let (port, _running) = start(password("correct horse")).await;
    for version in VERSIONS {
        let wrong = if version == Version::V5 { WRONG_PASSWORD } else { WRONG_PASSWORD_V311 };
        let tries = [
            None,
            Some(("sensors", "")),
            Some(("sensors", "correct hors")),
            Some(("sensor", "correct horse")),
        ];
        let refusals = tries.map(|credentials| async move {
            Speaker::connect(port, Hello { credentials, ..Hello::new(version, "stranger") }).await.err()
        });
        let refusals = refusals.map(tokio::spawn);
        for refusal in refusals {
            assert_eq!(soon(refusal).await.expect("it works"), Some(wrong));
        }
        let credentials = Some(("sensors", "correct horse"));
        let hello = Hello { credentials, ..Hello::new(version, "sensor") };
        let mut sensor = Speaker::connect(port, hello).await.expect("it is let in");
        sensor.subscribe(EVERYTHING, 1).await;
        sensor.publish(SIGHTINGS, b"heard", 1, false).await;
        assert_eq!(sensor.take_next().await.payload, b"heard");
    }
}

#[tokio::test]
async fn nothing_is_carried_or_heard_but_what_is_passants() {
    let (port, _running) = start(Access::Anyone).await;
    let mut listener = client(port, Version::V5, "listener").await;
    assert_eq!(listener.subscribe(EVERYTHING, 1).await, 1);
    for version in VERSIONS {
        let refused = if version == Version::V5 { NOT_AUTHORIZED } else { REFUSED_V311 };
        let mut sensor = client(port, version, "sensor").await;
        for topic in ["passant/v1/mall/north-1/notes", "passant/v1/mall/zones/food/notes", "home/door"] {
            assert_eq!(sensor.publish(topic, b"x", 1, false).await, 0, "{topic}");
            sensor.publish(topic, b"x", 0, true).await;
        }
        for filter in ["#", "$SYS/#", "home/#", "$share/group/#"] {
            assert_eq!(sensor.subscribe(filter, 1).await, refused, "{filter}");
        }
    }
    assert_eq!(until_the_last(&mut listener, port).await, []);
}

#[tokio::test]
async fn sightings_are_never_kept() {
    let (port, _running) = start(Access::Anyone).await;
    let mut listener = client(port, Version::V5, "listener").await;
    listener.subscribe(EVERYTHING, 1).await;
    for version in VERSIONS {
        let mut sensor = client(port, version, "sensor").await;
        sensor.publish(SIGHTINGS, b"keep me", 1, true).await;
        sensor.publish(SIGHTINGS, b"keep me", 0, true).await;
        sensor.publish(STATUS, b"{\"online\":true}", 1, true).await;
        // Nor as a last will.
        let hello = Hello { will: Some((SIGHTINGS, "keep me")), ..Hello::new(version, "sly") };
        let refused = Speaker::connect(port, hello).await.err();
        assert_eq!(refused, Some(if version == Version::V5 { NOT_AUTHORIZED } else { NOT_AUTHORIZED_V311 }));
    }
    let heard = until_the_last(&mut listener, port).await;
    assert!(heard.len() == 2 && heard.iter().all(|message| message.topic == STATUS), "{heard:?}");
    let mut late = client(port, Version::V5, "late").await;
    late.subscribe(EVERYTHING, 1).await;
    let kept: Vec<_> =
        until_the_last(&mut late, port).await.into_iter().map(|message| message.topic).collect();
    assert_eq!(kept, [STATUS]);
}

#[tokio::test]
async fn what_the_server_tells_is_kept_for_a_display_that_comes_later() {
    let (port, _running) = start(Access::Anyone).await;
    let told =
        ["passant/v1/mall/alerts/full", "passant/v1/mall/figures", "passant/v1/mall/zones/food/figures"];
    let mut server = client(port, Version::V5, "server").await;
    for topic in told {
        server.publish(topic, b"{}", 1, true).await;
    }
    for version in VERSIONS {
        let mut display = client(port, version, "display").await;
        display.subscribe(EVERYTHING, 1).await;
        let mut kept: Vec<_> = display.arrived().await.into_iter().map(|message| message.topic).collect();
        kept.sort();
        assert_eq!(kept, told);
    }
}

#[tokio::test]
async fn a_session_lives_no_longer_than_a_sighting_is_worth() {
    let (port, _running) = start(Access::Anyone).await;
    let hello = Hello { life_secs: 86_400, ..Hello::lasting(Version::V5, "server") };
    let server = Speaker::connect(port, hello).await.expect("it is let in");
    // The session's life, as MQTT 5 tells it.
    let told = [&[0x11][..], &passant_wire::LIFE_SECS.to_be_bytes()].concat();
    assert!(server.answer.windows(told.len()).any(|part| part == told), "{:02x?}", server.answer);
}

#[tokio::test]
async fn a_packet_over_the_limit_costs_its_sender_the_connection() {
    let (port, _running) = start(Access::Anyone).await;
    for version in VERSIONS {
        let mut careless = client(port, version, "careless").await;
        // The head alone is enough.
        careless.send(&packet(0x32, &vec![0; PACKET_BYTES_MAX])[..64]).await;
        careless.wait_for_the_end().await;
    }
}

#[tokio::test]
async fn only_so_many_may_listen() {
    let (port, _running) = start(Access::Anyone).await;
    let mut listeners = Vec::new();
    for number in 0..LISTENERS_MAX {
        let mut listener = client(port, Version::V5, &format!("listener-{number}")).await;
        assert_eq!(listener.subscribe(EVERYTHING, 1).await, 1);
        listeners.push(listener);
    }
    let mut one_more = client(port, Version::V5, "one-more").await;
    assert_eq!(one_more.subscribe(EVERYTHING, 1).await, NOT_AUTHORIZED);
    // It may still speak.
    one_more.publish(SIGHTINGS, b"heard", 1, false).await;
    for listener in &mut listeners {
        assert_eq!(listener.take_next().await.payload, b"heard");
    }
}

#[tokio::test]
async fn the_link_hears_through_it() {
    let (port, _running) = start(password("correct horse")).await;
    for protocol in [Protocol::V5, Protocol::V311, Protocol::Auto] {
        let credentials =
            Some(("sensors".to_owned(), link::Password::new(Zeroizing::new("correct horse".to_owned()))));
        let (host, client_id) = ("127.0.0.1".to_owned(), format!("passant-{protocol:?}"));
        let options =
            link::Options { host, port, tls: None, client_id, credentials, protocol, session_secs: 120 };
        let hello =
            Hello { credentials: Some(("sensors", "correct horse")), ..Hello::new(Version::V5, "sensor") };
        let mut sensor = Speaker::connect(port, hello).await.expect("it is let in");
        sensor.publish(STATUS, b"{\"online\":true}", 1, true).await;
        let (mut messages, handle) = link::listen(options, &Topic::FILTERS, Tally::default());
        let status = soon(messages.recv()).await.expect("a status");
        assert!(status.retained && status.topic == STATUS);
        for number in 0..200 {
            sensor.publish(SIGHTINGS, &[number], 1, false).await;
            let message = soon(messages.recv()).await.expect("a message");
            assert_eq!((message.topic.as_str(), &message.payload[..]), (SIGHTINGS, &[number][..]));
        }
        handle.shutdown().await;
    }
}

#[tokio::test]
async fn its_end_is_the_end_of_everything_it_held() {
    for dropped in [false, true] {
        let (port, running) = start(Access::Anyone).await;
        let mut server =
            Speaker::connect(port, Hello::lasting(Version::V5, "server")).await.expect("it is let in");
        server.subscribe(EVERYTHING, 1).await;
        server.publish(STATUS, b"{\"online\":true}", 1, true).await;
        if dropped {
            drop(running);
        } else {
            soon(running.shutdown()).await;
        }
        server.wait_for_the_end().await;
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            tokio::task::yield_now().await;
        }
        let listen = ([127, 0, 0, 1], port).into();
        let again = broker::start(Options { listen, access: Access::Anyone }).await;
        let (_, _running) = again.expect("the port is free again");
        let mut server =
            Speaker::connect(port, Hello::lasting(Version::V5, "server")).await.expect("it is let in");
        assert!(!server.session_present);
        server.subscribe(EVERYTHING, 1).await;
        assert_eq!(until_the_last(&mut server, port).await, []);
    }
}
