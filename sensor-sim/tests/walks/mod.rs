//! A mall against a real broker: a day's messages arrive, and whoever stops it hears the sensors go.

use passant_wire::{Status, Subject, Topic, decode};
use sensor_sim::mall::run::{self, Order};
use sensor_sim::mall::{MALL, Scenario};
use sensor_sim::progress::Progress;
use sensor_sim::replay::Speed;

use crate::mosquitto::{Broker, Ears, Heard};

/// Half past four in Paris on the day below, epoch ms.
const MORNING_MS: i64 = 1_772_508_600_000;

fn order(broker: &Broker) -> Order {
    Order {
        url: broker.url(),
        seed: 1,
        from: chrono::NaiveDate::from_ymd_opt(2026, 3, 3),
        days: 1,
        speed: Speed::Max,
        live: false,
        truth: None,
    }
}

/// Hears until a sensor says something of a moment, or of a later one.
async fn until_said(mut ears: Ears, at: i64) {
    while let Some(heard) = ears.next().await {
        let said = match subject(&heard) {
            Subject::Sightings => decode(&heard.payload, None).unwrap().at,
            Subject::Status => Status::decode(&heard.payload).unwrap().at,
        };
        if said.is_some_and(|said| said >= at) {
            return;
        }
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
    // From 04:00 on: only tills and televisions. It is stopped by what has been heard.
    let stop = until_said(broker.listen("watch").await, MORNING_MS);
    let order = order(&broker);
    let progress = Progress::new(None, "seconds");
    let outcome = run::run(&scenario, &order, &progress, stop).await.unwrap();
    assert_eq!(outcome.messages_acknowledged, outcome.messages_sent);
    assert!((1800.0..86_400.0).contains(&outcome.simulated_secs), "{}", outcome.simulated_secs);
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
    // Few come, and sensors speak every second, so that the past is short and real time has something to say soon.
    let few = MALL.replace("[4000, 4000, 4400, 4200, 4900, 6200, 4300]", "[50, 50, 50, 50, 50, 50, 50]");
    let scenario = Scenario::parse(&format!("{few}\n[sending]\nbatch_secs = 1\n")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let truth = dir.path().join("truth.jsonl");
    let order = Order { from: None, live: true, truth: Some(truth.clone()), ..order(&broker) };
    let progress = Progress::new(None, "seconds");
    let begun = sensor_sim::clock::now_ms();
    // Stopped by the first word of real time.
    let stop = until_said(broker.listen("watch").await, begun + 1);
    let outcome = run::run(&scenario, &order, &progress, stop).await.unwrap();
    let until = begun - 86_400_000 + (outcome.simulated_secs * 1000.0) as i64;
    let now = sensor_sim::clock::now_ms();
    assert!((begun..=now + 1000).contains(&until), "{} s behind", (now - until) / 1000);
    assert_eq!(outcome.messages_acknowledged, outcome.messages_sent);
    assert!(std::fs::read_to_string(truth).unwrap().lines().count() > 2000);
}
