//! What may be wrong with a sensor goes wrong as often as the scenario says, and no other way.

use std::collections::HashMap;

use chrono::NaiveDate;
use passant_wire::{BootId, Status, decode};

use super::calendar::VenueDay;
use super::{Mall, SHIPPED, Scenario};

/// What a sensor said, in the order in which it came.
#[derive(Default)]
struct Said {
    reports: Vec<(i64, BootId, u64, Vec<i64>)>,
    spoke_at: Vec<i64>,
}

/// The demo's mall with all faults, from 11:50 to 14:00 of a Tuesday; and the first of these moments.
fn said() -> (HashMap<String, Said>, i64) {
    let faulty = SHIPPED.iter().find(|(file, _)| *file == "faulty.toml").unwrap().1;
    let faulty = Scenario::parse(faulty).unwrap();
    let from =
        VenueDay::of(&faulty, NaiveDate::from_ymd_opt(2026, 3, 3).unwrap()).from + (7 * 60 + 50) * 60_000;
    let mut mall = Mall::new(&faulty, 1, from);
    let mut sensors: HashMap<String, Said> = HashMap::new();
    while let Some(message) = mall.next_message().filter(|message| message.at_ms <= from + 130 * 60_000) {
        let said = sensors.entry(message.topic.split('/').nth(3).unwrap().to_owned()).or_default();
        said.spoke_at.push(message.at_ms);
        if message.retain {
            let at = Status::decode(&message.payload).unwrap().at;
            assert_eq!(at, Some(message.at_ms + 700), "its clock is ahead");
            continue;
        }
        let report = decode(&message.payload, None).unwrap();
        let times = report.sightings.iter().map(|heard| heard.at.unwrap()).collect();
        said.reports.push((message.at_ms, report.boot.unwrap(), report.number.unwrap(), times));
    }
    (sensors, from)
}

/// Shares of messages within five deviations of a binomial law.
#[test]
fn messages_are_lost_doubled_and_overtaken_as_often_as_stated_and_clocks_are_ahead() {
    let (sensors, _) = said();
    let (mut numbers, mut lost, mut twice, mut later) = (0, 0, 0, 0);
    for (sensor, said) in &sensors {
        // Its own duty stands over everybody's.
        let listens_ms = if sensor == "super-2" { 21_000 } else { 18_000 };
        let mut counts: HashMap<(&[u8], u64), i64> = HashMap::new();
        let mut last: HashMap<&[u8], u64> = HashMap::new();
        for (at, boot, number, times) in &said.reports {
            *counts.entry((boot.as_bytes(), *number)).or_default() += 1;
            let newest = last.entry(boot.as_bytes()).or_default();
            // One that was doubled and overtaken came in time once.
            later += i64::from(*number < *newest);
            *newest = (*newest).max(*number);
            // Nothing is told before it is heard, by a clock 0.7 s ahead; deaf for the rest of each 30 s, as true time goes.
            assert!(
                times.iter().all(|time| time - 700 <= *at && (time - 700).rem_euclid(30_000) < listens_ms)
            );
        }
        for (boot, newest) in last {
            numbers += newest as i64;
            let seen = counts.keys().filter(|(of, _)| *of == boot).count() as i64;
            lost += newest as i64 - seen;
        }
        twice += counts.values().filter(|count| **count == 2).count() as i64;
        assert!(counts.values().all(|count| *count <= 2));
    }
    assert!(numbers > 5000);
    for (what, count, share) in [("lost", lost, 0.01), ("twice", twice, 0.0198), ("later", later, 0.0198)] {
        let tolerance = 5.0 * (numbers as f64 * share).sqrt();
        assert!((count as f64 - numbers as f64 * share).abs() < tolerance, "{what}: {count} of {numbers}");
    }
}

#[test]
fn a_sensor_without_power_is_silent_and_comes_back_as_after_a_boot() {
    let (sensors, from) = said();
    let (out, back) = (from + 20 * 60_000, from + 110 * 60_000);
    let cafe = &sensors["cafe-1"];
    assert!(cafe.spoke_at.iter().all(|at| !(out..back).contains(at)));
    let before = cafe.reports.iter().rfind(|(at, ..)| *at < out).unwrap();
    let after = cafe.reports.iter().find(|(at, ..)| *at >= back).unwrap();
    assert!(before.0 > out - 60_000 && after.0 < back + 60_000);
    assert!(before.1.as_bytes() != after.1.as_bytes() && before.2 > 50 && after.2 <= 3);
    assert!(sensors["home-1"].spoke_at.iter().any(|at| (out..back).contains(at)));
}
