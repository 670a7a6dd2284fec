//! A mall against a real broker: a day's messages arrive, and whoever stops it hears the sensors go.

use std::time::Duration;

use passant_wire::{Status, Subject, Topic, decode};
use sensor_sim::mall::run::{self, Order};
use sensor_sim::mall::{MALL, Scenario};
use sensor_sim::progress::Progress;
use sensor_sim::replay::Speed;

use crate::mosquitto::{Broker, Heard};

fn order(broker: &Broker, speed: Speed) -> Order {
    Order {
        url: broker.url(),
        seed: 1,
        from: chrono::NaiveDate::from_ymd_opt(2026, 3, 3),
        days: 1,
        speed,
        live: false,
        truth: None,
    }
}

fn subject(heard: &Heard) -> Subject {
    Topic::parse(&heard.topic).unwrap().subject
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn the_sensors_come_speak_and_go_when_it_is_stopped() {
    let broker = Broker::start();
    let ears = broker.listen("all").await;
    let scenario = Scenario::parse(MALL).unwrap();
    // Ten simulated minutes a second, from 04:00: only tills and televisions.
    let stop = tokio::time::sleep(Duration::from_secs(3));
    let order = order(&broker, Speed::Times(600.0));
    let progress = Progress::new(None, "seconds");
    let outcome = run::run(&scenario, &order, &progress, stop).await.unwrap();
    assert_eq!(outcome.messages_acknowledged, outcome.messages_sent);
    assert!((900.0..2700.0).contains(&outcome.simulated_secs), "{}", outcome.simulated_secs);
    let heard = ears.until(outcome.messages_sent as usize).await;
    let sightings = heard.iter().filter(|heard| subject(heard) == Subject::Sightings);
    let count: usize = sightings.map(|heard| decode(&heard.payload, None).unwrap().sightings.len()).sum();
    assert_eq!(count as u64, outcome.sightings_sent);
    let statuses: Vec<Status> = heard
        .iter()
        .filter(|heard| subject(heard) == Subject::Status)
        .map(|heard| Status::decode(&heard.payload).unwrap())
        .collect();
    assert!(statuses[..20].iter().all(|status| status.online));
    assert!(statuses[statuses.len() - 20..].iter().all(|status| !status.online));
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn past_hours_come_in_order_and_real_time_goes_on_from_now() {
    let broker = Broker::start();
    let scenario = Scenario::parse(MALL).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let truth = dir.path().join("truth.jsonl");
    let order = Order { from: None, live: true, truth: Some(truth.clone()), ..order(&broker, Speed::Max) };
    let progress = Progress::new(None, "seconds");
    let begun = sensor_sim::clock::now_ms();
    let written = truth.clone();
    let stop = async move {
        // The truth is there as soon as the past is through; then one round of real time.
        while !written.exists() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_secs(12)).await;
    };
    let outcome = run::run(&scenario, &order, &progress, stop).await.unwrap();
    let until = begun - 86_400_000 + (outcome.simulated_secs * 1000.0) as i64;
    let now = sensor_sim::clock::now_ms();
    assert!((now - 25_000..=now + 1000).contains(&until), "{} s behind", (now - until) / 1000);
    assert_eq!(outcome.messages_acknowledged, outcome.messages_sent);
    assert!(std::fs::read_to_string(truth).unwrap().lines().count() > 4000);
}
