//! One list of cases, run on the embedded broker and on Debian's Mosquitto in its shipped configuration: what the server
//! and the sensors rely on is the same on both. Where the two differ, they do so on purpose, and `tests/broker_rules.rs`
//! holds the embedded broker to its side:
//!
//! | what | embedded | Mosquitto as it ships |
//! |---|---|---|
//! | sightings that ask to be kept | acknowledged and dropped | kept; the server refuses and counts them |
//! | other topics than Passant's | acknowledged and dropped | open to this machine, by the list of rights elsewhere |
//! | listening to `#`, `$SYS` | refused | the same |
//! | a session in 3.1.1 lives | 120 s | an hour, the shortest it has |
//! | a session in 5 that asks for longer lives | 120 s | an hour |
//! | a payload over 272 KiB | costs its sender the connection | is dropped |
//! | messages in flight once one is acknowledged | as many as the listener asked for | more (2.0.11) |
//! | QoS 2 | refused | taken |
//! | bytes are bounded | for each listener | for each listener, and for all together |

#[path = "support/mosquitto.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod mosquitto;
#[path = "support/speaker.rs"]
mod speaker;

use std::collections::{BTreeSet, VecDeque};

use passant::broker::{self, Running};
use speaker::{Hello, Speaker, VERSIONS, Version, packet, soon};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const SIGHTINGS: &str = "passant/v1/mall/north-1/sightings";
const OTHER_SIGHTINGS: &str = "passant/v1/mall/food-1/sightings";
const STATUS: &str = "passant/v1/mall/north-1/status";
const ALL_SIGHTINGS: &str = "passant/v1/+/+/sightings";
const ALL_STATUS: &str = "passant/v1/+/+/status";

/// A broker that is gone when it is dropped.
enum Ground {
    Embedded(u16, #[expect(dead_code, reason = "the broker runs as long as this lives")] Running),
    Mosquitto(mosquitto::Mosquitto),
}

impl Ground {
    async fn embedded() -> Self {
        let listen = ([127, 0, 0, 1], 0).into();
        let options = broker::Options { listen, ..broker::Options::default() };
        let (address, running) = broker::start(options).await.expect("the broker starts");
        Self::Embedded(address.port(), running)
    }

    fn port(&self) -> u16 {
        match self {
            Self::Embedded(port, _) => *port,
            Self::Mosquitto(mosquitto) => mosquitto.port,
        }
    }

    async fn connect(&self, hello: Hello<'_>) -> Speaker {
        Speaker::connect(self.port(), hello).await.expect("the broker lets it in")
    }

    async fn new_client(&self, version: Version, client_id: &str) -> Speaker {
        self.connect(Hello::new(version, client_id)).await
    }
}

/// Each case on each broker.
macro_rules! cases {
    ($($case:ident)*) => {
        mod embedded {
            $(#[tokio::test]
            async fn $case() {
                super::$case(&super::Ground::embedded().await).await;
            })*
        }
        mod mosquitto_as_it_ships {
            $(#[tokio::test]
            #[ignore = "needs mosquitto"]
            async fn $case() {
                super::$case(&super::Ground::Mosquitto(super::mosquitto::Mosquitto::start())).await;
            })*
        }
    };
}

cases! {
    every_publisher_is_heard_in_its_order
    a_status_is_kept_until_an_empty_one
    a_lost_connection_speaks_its_last_will
    an_absent_listener_finds_everything_again
    what_was_not_acknowledged_comes_again
    a_clean_start_forgets
    no_more_is_in_flight_than_was_asked_for
    a_large_payload_passes_and_a_larger_one_harms_nobody
    garbage_does_no_harm
    a_group_shares_the_messages
    a_second_connection_takes_the_session_over
}

async fn every_publisher_is_heard_in_its_order(ground: &Ground) {
    let mut listeners = Vec::new();
    for version in VERSIONS {
        for qos in [0, 1] {
            let mut listener = ground.new_client(version, &format!("listener-{version:?}-{qos}")).await;
            assert_eq!(listener.subscribe(ALL_SIGHTINGS, qos).await, qos);
            listeners.push(listener);
        }
    }
    let mut one = ground.new_client(Version::V5, "one").await;
    let mut other = ground.new_client(Version::V311, "other").await;
    for number in 0..100_u8 {
        let qos = number % 2;
        one.publish(SIGHTINGS, &[number], qos, false).await;
        other.publish(OTHER_SIGHTINGS, &[number], qos, false).await;
    }
    for listener in &mut listeners {
        let mut heard: [Vec<u8>; 2] = Default::default();
        for _ in 0..200 {
            let message = listener.take_next().await;
            heard[usize::from(message.topic == SIGHTINGS)].push(message.payload[0]);
        }
        for numbers in heard {
            // QoS 0 may overtake QoS 1: each has its own order.
            for qos in [0, 1] {
                let own: Vec<u8> = numbers.iter().copied().filter(|number| number % 2 == qos).collect();
                assert_eq!(own, (0..100).filter(|number| number % 2 == qos).collect::<Vec<u8>>());
            }
        }
    }
}

async fn a_status_is_kept_until_an_empty_one(ground: &Ground) {
    for version in VERSIONS {
        let mut sensor = ground.new_client(version, "sensor").await;
        sensor.publish(STATUS, b"{\"online\":false}", 1, true).await;
        sensor.publish(STATUS, b"{\"online\":true}", 1, true).await;
        let mut listener = ground.new_client(version, "listener").await;
        listener.subscribe(ALL_STATUS, 1).await;
        let status = listener.take_next().await;
        assert!(status.retained && status.payload == b"{\"online\":true}", "{status:?}");
        // Live it is no kept one.
        sensor.publish(STATUS, b"{\"online\":true}", 1, true).await;
        assert!(!listener.take_next().await.retained);
        sensor.publish(STATUS, b"", 1, true).await;
        assert!(listener.take_next().await.payload.is_empty());
        let mut late = ground.new_client(version, "late").await;
        late.subscribe(ALL_STATUS, 1).await;
        assert_eq!(late.arrived().await, []);
    }
}

async fn a_lost_connection_speaks_its_last_will(ground: &Ground) {
    for version in VERSIONS {
        let mut listener = ground.new_client(version, "listener").await;
        listener.subscribe(ALL_STATUS, 1).await;
        let hello = Hello { will: Some((STATUS, "{\"online\":false}")), ..Hello::new(version, "sensor") };
        drop(ground.connect(hello).await);
        let will = listener.take_next().await;
        assert_eq!((will.topic.as_str(), &will.payload[..]), (STATUS, &b"{\"online\":false}"[..]));
        // Who says farewell leaves no will.
        ground.connect(hello).await.leave().await;
        let mut sensor = ground.new_client(version, "another").await;
        sensor.publish(STATUS, b"{\"online\":true}", 1, false).await;
        assert_eq!(listener.take_next().await.payload, b"{\"online\":true}");
        sensor.publish(STATUS, b"", 1, true).await;
    }
}

async fn an_absent_listener_finds_everything_again(ground: &Ground) {
    for version in VERSIONS {
        let name = format!("server-{version:?}");
        let mut listener = ground.connect(Hello::lasting(version, &name)).await;
        assert!(!listener.session_present);
        listener.subscribe(ALL_SIGHTINGS, 1).await;
        listener.leave().await;
        let mut sensor = ground.new_client(version, "sensor").await;
        for number in 0..50 {
            assert_eq!(sensor.publish(SIGHTINGS, &[number], 1, false).await, 0);
        }
        let mut listener = ground.connect(Hello::lasting(version, &name)).await;
        assert!(listener.session_present);
        for number in 0..50 {
            assert_eq!(listener.take_next().await.payload, [number]);
        }
    }
}

async fn what_was_not_acknowledged_comes_again(ground: &Ground) {
    for version in VERSIONS {
        let name = format!("server-{version:?}");
        let mut listener = ground.connect(Hello::lasting(version, &name)).await;
        listener.subscribe(ALL_SIGHTINGS, 1).await;
        let mut sensor = ground.new_client(version, "sensor").await;
        for number in 0..50 {
            sensor.publish(SIGHTINGS, &[number], 1, false).await;
        }
        for number in 0..50 {
            let message = listener.next().await;
            assert_eq!(message.payload, [number]);
            if number < 20 {
                listener.acknowledge(message.id).await;
            }
        }
        // The broker has read the acknowledgements when it answers.
        assert_eq!(listener.arrived().await, []);
        drop(listener);
        sensor.publish(SIGHTINGS, &[50], 1, false).await;
        let mut listener = ground.connect(Hello::lasting(version, &name)).await;
        for number in 20..=50 {
            let message = listener.take_next().await;
            assert_eq!((message.payload, message.again), (vec![number], number < 50));
        }
    }
}

async fn a_clean_start_forgets(ground: &Ground) {
    for version in VERSIONS {
        let name = format!("server-{version:?}");
        let mut listener = ground.connect(Hello::lasting(version, &name)).await;
        listener.subscribe(ALL_SIGHTINGS, 1).await;
        listener.leave().await;
        let mut sensor = ground.new_client(version, "sensor").await;
        sensor.publish(SIGHTINGS, b"old", 1, false).await;
        let mut listener = ground.connect(Hello { clean: true, ..Hello::lasting(version, &name) }).await;
        assert!(!listener.session_present);
        sensor.publish(SIGHTINGS, b"heard by nobody", 1, false).await;
        listener.subscribe(ALL_SIGHTINGS, 1).await;
        sensor.publish(SIGHTINGS, b"new", 1, false).await;
        assert_eq!(listener.take_next().await.payload, b"new");
    }
}

async fn no_more_is_in_flight_than_was_asked_for(ground: &Ground) {
    const ASKED: u16 = 10;
    let in_flight_max = match ground {
        Ground::Embedded(..) => usize::from(ASKED),
        // 2.0.11 forgets the limit with the first acknowledgement, and lets the rest of its queue through.
        Ground::Mosquitto(_) => usize::MAX,
    };
    let hello = Hello { receive_max: ASKED, ..Hello::lasting(Version::V5, "server") };
    let mut listener = ground.connect(hello).await;
    listener.subscribe(ALL_SIGHTINGS, 1).await;
    let mut sensor = ground.new_client(Version::V5, "sensor").await;
    for number in 0..50 {
        sensor.publish(SIGHTINGS, &[number], 1, false).await;
    }
    let mut unanswered = VecDeque::new();
    for _ in 0..ASKED {
        unanswered.push_back(listener.next().await);
    }
    assert_eq!(listener.arrived().await, []);
    for number in 0..50 {
        if unanswered.is_empty() {
            unanswered.push_back(listener.next().await);
        }
        unanswered.extend(listener.arrived().await);
        let in_flight = unanswered.len();
        assert!(in_flight <= in_flight_max, "{in_flight} are in flight after {number} acknowledgements");
        let message = unanswered.pop_front().expect("there is one");
        assert_eq!(message.payload, [number]);
        listener.acknowledge(message.id).await;
    }
}

async fn a_large_payload_passes_and_a_larger_one_harms_nobody(ground: &Ground) {
    let largest = vec![b'x'; passant_wire::PAYLOAD_BYTES_MAX];
    let too_large = vec![b'x'; 400 * 1024];
    for version in VERSIONS {
        let mut listener = ground.new_client(version, "listener").await;
        listener.subscribe(ALL_SIGHTINGS, 1).await;
        let mut sensor = ground.new_client(version, "sensor").await;
        assert_eq!(sensor.publish(SIGHTINGS, &largest, 1, false).await, 0);
        assert_eq!(listener.take_next().await.payload, largest);
        let mut careless = ground.new_client(version, "careless").await;
        careless.say(SIGHTINGS, &too_large, 1, false).await;
        // Whatever its own fate, the others do not notice.
        sensor.publish(SIGHTINGS, b"small", 1, false).await;
        assert_eq!(listener.take_next().await.payload, b"small");
    }
}

async fn garbage_does_no_harm(ground: &Ground) {
    const CONNECTIONS: u64 = 300;
    let mut listener = ground.new_client(Version::V5, "listener").await;
    listener.subscribe(ALL_SIGHTINGS, 1).await;
    let mut silent = Vec::new();
    for number in 0..CONNECTIONS {
        let mut noise = Noise(number);
        let mut socket = soon(TcpStream::connect(("127.0.0.1", ground.port()))).await.expect("it listens");
        let mut bytes: Vec<u8> = (0..noise.below(2_000)).map(|_| noise.byte()).collect();
        match number % 4 {
            // A fit hello, and noise after it.
            0 => bytes = [&b"\x10\x11\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x04nois"[..], &bytes].concat(),
            // A hello whose length is a lie of up to 256 MiB.
            1 => bytes = [&[0x10, 0xff, 0xff, 0xff, 0x7f], &bytes[..]].concat(),
            // A well-formed packet of noise.
            2 => bytes = packet(noise.byte(), &bytes),
            _ => {}
        }
        // It may be hung up on in the middle.
        let _ = soon(socket.write_all(&bytes)).await;
        if number % 6 == 0 {
            silent.push(socket);
        }
    }
    let mut sensor = ground.new_client(Version::V311, "sensor").await;
    sensor.publish(SIGHTINGS, b"heard", 1, false).await;
    loop {
        // Noise may even have published something.
        let message = listener.take_next().await;
        if message.payload == b"heard" {
            break;
        }
    }
}

async fn a_group_shares_the_messages(ground: &Ground) {
    let mut members = Vec::new();
    for name in ["first", "second"] {
        let mut member = ground.new_client(Version::V5, name).await;
        assert_eq!(member.subscribe("$share/servers/passant/v1/+/+/sightings", 1).await, 1);
        members.push(member);
    }
    let mut sensor = ground.new_client(Version::V5, "sensor").await;
    for number in 0..100 {
        sensor.publish(SIGHTINGS, &[number], 1, false).await;
    }
    let mut heard = BTreeSet::new();
    let mut shares = [0_usize; 2];
    while heard.len() < 100 {
        for (member, share) in members.iter_mut().zip(&mut shares) {
            for message in member.arrived().await {
                member.acknowledge(message.id).await;
                assert!(heard.insert(message.payload[0]), "{} came twice", message.payload[0]);
                *share += 1;
            }
        }
    }
    assert!(shares.iter().all(|share| *share >= 25), "{shares:?} is no sharing");
}

async fn a_second_connection_takes_the_session_over(ground: &Ground) {
    for version in VERSIONS {
        let name = format!("server-{version:?}");
        let mut first = ground.connect(Hello::lasting(version, &name)).await;
        first.subscribe(ALL_SIGHTINGS, 1).await;
        let mut second = ground.connect(Hello::lasting(version, &name)).await;
        assert!(second.session_present);
        first.wait_for_the_end().await;
        let mut sensor = ground.new_client(version, "sensor").await;
        sensor.publish(SIGHTINGS, b"heard once", 1, false).await;
        assert_eq!(second.take_next().await.payload, b"heard once");
        assert_eq!(second.arrived().await, []);
    }
}

/// Noise that is the same in every run (`SplitMix64`).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
