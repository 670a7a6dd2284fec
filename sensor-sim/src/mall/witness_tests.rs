//! What a lens is judged against in its own process: hearings and chronicle tell of the same devices as the messages do.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use passant_wire::decode;

use super::chronicle::Carrier;
use super::{Chronicle, Hearing, Hearings, MALL, Mall, Scenario};

const SEED: u64 = 3;

/// A small mall, for whole days of it.
fn small() -> Scenario {
    let text =
        MALL.replace("[4000, 4000, 4400, 4200, 4900, 6200, 4300]", "[100, 100, 100, 100, 100, 100, 100]");
    Scenario::parse(&text).unwrap()
}

fn tuesday() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 3).unwrap()
}

#[test]
fn what_is_heard_is_what_is_sent() {
    let scenario = small();
    let (from, to) = Chronicle::of(&scenario, SEED, tuesday()).day_ms();
    let heard: Vec<Hearing> = Hearings::of(&scenario, SEED, tuesday()).collect();
    assert!(heard.is_sorted_by_key(|hearing| hearing.at_ms) && heard.len() > 10_000);
    let ids: Vec<String> = scenario.sensors().map(|(id, ..)| id.to_string()).collect();
    let heard: BTreeSet<_> =
        heard.iter().map(|h| (h.at_ms, ids[h.sensor].clone(), h.rssi_dbm, h.octets)).collect();
    let mut sent = BTreeSet::new();
    let mut mall = Mall::new(&scenario, SEED, from);
    while let Some(message) = mall.next_message().filter(|message| message.at_ms <= to) {
        if message.sightings > 0 {
            let sensor = message.topic.split('/').nth(3).unwrap().to_owned();
            for sighting in decode(&message.payload, None).unwrap().sightings {
                sent.insert((sighting.at.unwrap(), sensor.clone(), sighting.rssi, *sighting.device.octets()));
            }
        }
    }
    assert!(heard == sent, "{} heard, {} sent", heard.len(), sent.len());
}

#[test]
fn a_device_is_heard_only_while_it_is_there_and_under_its_own_address() {
    let scenario = small();
    let chronicle = Chronicle::of(&scenario, SEED, tuesday());
    let mut carriers = BTreeSet::new();
    for hearing in Hearings::of(&scenario, SEED, tuesday()) {
        let device = chronicle.device(hearing.device).unwrap();
        let stay = device.stays().find(|stay| (stay.from_ms..stay.to_ms).contains(&hearing.at_ms));
        assert_eq!(stay.expect("it is somewhere").zone, device.zone_at(hearing.at_ms));
        assert_eq!(hearing.kind, device.kind());
        assert!(device.stable_address().is_none_or(|address| address == hearing.octets));
        assert_eq!(device.visit_ms().is_some(), device.zone_at(hearing.at_ms).is_some());
        carriers.insert(device.carrier());
    }
    let all = [Carrier::Shopper, Carrier::PasserBy, Carrier::Staff, Carrier::Fixture];
    assert!(carriers.iter().eq(&all), "{carriers:?}");
    let device = chronicle.devices().find(|device| device.carrier() == Carrier::Shopper).unwrap();
    let (came, left) = device.visit_ms().unwrap();
    assert_eq!((device.zone_at(came - 1), device.zone_at(left)), (None, None));
    assert!(device.zone_at(came).is_some() && device.zone_at(left - 1).is_some());
}

#[test]
fn stable_devices_alone_are_heard_as_among_all() {
    let scenario = small();
    let chronicle = Chronicle::of(&scenario, SEED, tuesday());
    let is_stable = |h: &Hearing| chronicle.device(h.device).unwrap().stable_address().is_some();
    let among_all: Vec<Hearing> = Hearings::of(&scenario, SEED, tuesday()).filter(is_stable).collect();
    let mut alone: Vec<Hearing> = Hearings::of_stable(&scenario, SEED, tuesday()).collect();
    // Those of one moment come in the order in which they were planned, which others take part in.
    let key = |h: &Hearing| (h.at_ms, h.device, h.sensor);
    let mut sorted = among_all;
    sorted.sort_by_key(key);
    alone.sort_by_key(key);
    assert!(alone == sorted && alone.len() > 1_000);
}
