use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use passant_wire::{BINARY_CONTENT_TYPE, PAYLOAD_BYTES_MAX, SIGHTINGS_MAX};

use super::*;
use crate::config::{Config, EXAMPLE};

const TOPIC: &str = "passant/v1/mall/north-1/sightings";
const STATUS: &str = "passant/v1/mall/food-1/status";
const GOOD: &[u8] =
    br#"{"n":1,"b":"7f3a","t":1764018000123,"s":[{"id":"a4c138112233","rssi":-67,"k":"wifi"}]}"#;

fn config() -> Config {
    Config::parse(EXAMPLE, std::iter::empty()).unwrap()
}

/// One sighting in the compact form, without a header field.
fn binary() -> Vec<u8> {
    let mut payload = vec![0xaf, b'P', b'S', 1, 0, 1, 0];
    payload.extend([0, (-60_i8) as u8, 0, 0, 0, 0, 0xa4, 0xc1, 0x38, 1, 2, 3]);
    payload
}

/// Every kind of message that must be refused: topic, payload, retained, reason.
fn broken() -> Vec<(&'static str, Vec<u8>, bool, &'static str)> {
    let mut unknown_version = binary();
    unknown_version[3] = 9;
    let mut cut = binary();
    cut.pop();
    let too_many = [b"{\"s\":[".to_vec(), b"{},".repeat(SIGHTINGS_MAX), b"{}]}".to_vec()].concat();
    vec![
        ("passant/v1/mall/north-1/weather", GOOD.into(), false, "bad_topic"),
        ("something/else", GOOD.into(), false, "bad_topic"),
        ("", GOOD.into(), false, "bad_topic"),
        ("passant/v1/mall/nobody/sightings", GOOD.into(), false, "unknown_sensor"),
        ("passant/v1/nowhere/north-1/status", GOOD.into(), true, "unknown_sensor"),
        (TOPIC, GOOD.into(), true, "retained"),
        (TOPIC, vec![b' '; PAYLOAD_BYTES_MAX + 1], false, "too_large"),
        (TOPIC, too_many, false, "too_many_sightings"),
        (TOPIC, GOOD[..GOOD.len() - 3].into(), false, "bad_json"),
        (TOPIC, Vec::new(), false, "bad_json"),
        (TOPIC, b"\xff\xfe\xfd".into(), false, "bad_json"),
        (TOPIC, br#"{"s":{}}"#.into(), false, "bad_shape"),
        (TOPIC, cut, false, "bad_binary"),
        (TOPIC, unknown_version, false, "unknown_version"),
        (STATUS, b"on".into(), false, "bad_json"),
        (STATUS, br#"{"online":3}"#.into(), true, "bad_shape"),
    ]
}

/// Counts its drops, as the broker would count acknowledgements.
struct Acknowledged(Arc<AtomicU64>);

impl Drop for Acknowledged {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_good_message_arrives_from_its_sensor() {
    let directory = Directory::new(&config());
    let Ok(Arrival::Report(report)) = take_in(&directory, TOPIC, GOOD, false, None) else { panic!() };
    assert_eq!(report.from, SensorRef { venue: 0, sensor: 0 });
    assert_eq!((report.header.number, report.header.at), (Some(1), Some(EpochMs(1_764_018_000_123))));
    assert_eq!(report.sightings.len(), 1);
    assert_eq!((report.sightings[0].class, report.sightings[0].rssi), (AddressClass::Global, -67));
    for content_type in [None, Some(BINARY_CONTENT_TYPE)] {
        let arrival = take_in(&directory, TOPIC, &binary(), false, content_type);
        assert!(
            matches!(arrival, Ok(Arrival::Report(SensorReport { sightings, .. })) if sightings.len() == 1)
        );
    }
}

#[test]
fn a_retained_status_passes_and_says_so() {
    let directory = Directory::new(&config());
    for retained in [true, false] {
        let arrival = take_in(&directory, STATUS, br#"{"online":true,"t":5}"#, retained, None);
        let Ok(Arrival::Status(status)) = arrival else { panic!() };
        let from = SensorRef { venue: 0, sensor: 1 };
        assert_eq!(status, SensorStatus { from, online: true, at: Some(EpochMs(5)), retained });
    }
}

#[test]
fn a_bad_sighting_is_refused_alone() {
    let directory = Directory::new(&config());
    let payload =
        br#"{"s":[{"id":"a4c138112233","rssi":-67},{"id":"none","rssi":-67},{"id":"a4c138112233"}]}"#;
    let Ok(Arrival::Report(report)) = take_in(&directory, TOPIC, payload, false, None) else { panic!() };
    assert_eq!((report.sightings.len(), report.refused.total()), (1, 2));
}

#[test]
fn a_reloaded_configuration_reaches_the_next_message() {
    let directory = Directory::new(&config());
    let running = directory.clone();
    let mut config = config();
    config.venues[0].sensors.remove(0);
    directory.replace(&config);
    assert_eq!(running.find("mall", "north-1"), None);
    assert_eq!(running.find("mall", "food-1"), Some(SensorRef { venue: 0, sensor: 0 }));
}

#[tokio::test]
async fn ten_thousand_broken_messages_are_counted_and_the_good_ones_pass() {
    let broken = broken();
    let broken_count = 10_000;
    let (tally, strangers) = (Tally::default(), Strangers::default());
    let (link, messages) = mpsc::channel(16);
    let (sender, mut deliveries) = mpsc::channel(16);
    let acknowledged = Arc::new(AtomicU64::new(0));
    let guard = || Some(Box::new(Acknowledged(acknowledged.clone())) as Box<dyn Send>);
    let intake =
        tokio::spawn(run(messages, Directory::new(&config()), strangers.clone(), sender, tally.clone()));
    let good = tokio::spawn(async move {
        let mut good = 0;
        while let Some(delivery) = deliveries.recv().await {
            assert!(matches!(delivery.arrival, Arrival::Report(_)));
            good += 1;
        }
        good
    });
    let message = |topic: &str, payload: Bytes, retained| Message {
        topic: topic.into(),
        payload,
        retained,
        content_type: None,
        guard: guard(),
    };
    let broken: Vec<_> = broken.into_iter().map(|(t, p, r, why)| (t, Bytes::from(p), r, why)).collect();
    for (topic, payload, retained, _) in broken.iter().cycle().take(broken_count) {
        assert!(link.send(message(topic, payload.clone(), *retained)).await.is_ok());
        assert!(link.send(message(TOPIC, Bytes::from_static(GOOD), false)).await.is_ok());
    }
    drop(link);
    intake.await.unwrap();
    assert_eq!(good.await.unwrap(), broken_count);
    assert_eq!(acknowledged.load(Ordering::Relaxed), 2 * broken_count as u64);
    assert_eq!(strangers.len(), 2);
    let mut expected = std::collections::BTreeMap::<_, u64>::new();
    for (topic, _, _, reason) in broken.iter().cycle().take(broken_count) {
        let from = match (*reason, *topic) {
            ("bad_topic" | "unknown_sensor", _) => ("", ""),
            (_, STATUS) => ("mall", "food-1"),
            _ => ("mall", "north-1"),
        };
        *expected.entry((from, *reason)).or_default() += 1;
    }
    assert_eq!(expected.values().sum::<u64>(), broken_count as u64);
    for ((from, reason), count) in expected {
        let counted = tally.messages_refused_so_far(from.0, from.1).get(reason).copied();
        assert_eq!(counted, Some(count), "{from:?} {reason}");
    }
}

#[test]
fn a_probe_is_let_in_once_and_only_if_it_is_waited_for() {
    let directory = Directory::new(&config());
    let topic = "passant/v1/mall/passant-probe/sightings";
    let payload = |word: &str, devices: &[&str]| {
        let heard = devices.iter().map(|id| format!(r#"{{"id":"{id}","rssi":-60}}"#)).collect::<Vec<_>>();
        format!(r#"{{"b":"{word}","s":[{}]}}"#, heard.join(",")).into_bytes()
    };
    let good = payload("word", &["025053aabbcc"]);
    let stray = |topic, payload: &[u8], retained| {
        let taken = take_in(&directory, topic, payload, retained, None);
        matches!(taken, Err(Refusal::StrayProbe))
    };
    assert!(stray(topic, &good, false), "nobody waits");
    let _told = directory.probes().wait_for(passant_wire::BootId::parse(b"word").unwrap());
    assert!(stray(topic, &payload("other", &["025053aabbcc"]), false));
    assert!(stray(topic, &payload("word", &["a4c138112233"]), false), "a real address is asked about");
    assert!(stray(topic, &payload("word", &["025053aabbcc", "a4c138112233"]), false));
    assert!(stray(topic, &payload("word", &[]), false) && stray(topic, b"{", false));
    assert!(stray(topic, &good, true));
    assert!(stray("passant/v1/mall/passant-probe/status", br#"{"online":true}"#, false));
    assert!(matches!(take_in(&directory, topic, &good, false, None), Ok(Arrival::Probe(_))));
    assert!(stray(topic, &good, false), "a second delivery of the same message asks nothing");
}
