//! Rhythms and addresses against what the scenario states.

use std::collections::BTreeSet;

use super::*;
use crate::mall::scenario::{MALL, SHIPPED};

const DRAWS: usize = 50_000;

/// Means within five standard errors: of a gap spread evenly over a fifth of its mean, of an exponential one, and of iOS,
/// whose mean follows from its stated shares (deviation under 110 s).
#[test]
fn every_rhythm_has_its_stated_mean() {
    let mall = Scenario::parse(MALL).unwrap();
    // Half of 80 % at 30 or 45 s in three of five cases, evenly under a minute in the others; evenly to 300 s in 20 %.
    let ios_secs = 0.8 * (0.6 * 37.5 + 0.4 * 31.0) + 0.2 * 180.0;
    for (rhythm, mean_secs, deviation_secs) in [
        (Rhythm::AndroidUnconnected, 15.0, 1.0),
        (Rhythm::AndroidConnected, 60.0, 3.5),
        (Rhythm::Ios, ios_secs, 110.0),
        (Rhythm::Associated, 20.0, 19.0),
        (Rhythm::Ble, 30.0, 3.5),
        (Rhythm::Fixture, 300.0, 35.0),
    ] {
        let address = Address::Fleeting;
        let mut device = Device::new(0, Kind::Wifi, address, rhythm, (0, Dice::new(1, 1)));
        let sum: i64 = (0..DRAWS).map(|_| device.interval_ms(&mall)).sum();
        let mean = sum as f64 / 1000.0 / DRAWS as f64;
        let tolerance = 5.0 * deviation_secs / (DRAWS as f64).sqrt() + 0.001;
        assert!((mean - mean_secs).abs() < tolerance, "{rhythm:?}: {mean} s, not {mean_secs}");
    }
}

/// Shares within five deviations of a binomial law.
#[test]
fn people_carry_what_the_scenario_says() {
    let street = SHIPPED.iter().find(|(file, _)| *file == "high-street.toml").unwrap().1;
    let scenario = Scenario::parse(street).unwrap();
    let (mut dice, mut devices) = (Dice::new(1, 2), Vec::new());
    let people = 40_000;
    let mut without = 0;
    for owner in 0..people {
        let before = devices.len();
        outfit(&scenario, Sort::Shopper, (owner, 0), &mut dice, &mut devices);
        without += usize::from(devices.len() == before);
    }
    let near = |count: usize, of: usize, share: f64| {
        let tolerance = 5.0 * (of as f64 * share * (1.0 - share)).sqrt();
        assert!((count as f64 - of as f64 * share).abs() < tolerance, "{count} of {of}, not {share}");
    };
    // Nobody speaks for those without a telephone and without Bluetooth.
    near(without, people, 0.15 * 0.75);
    let phones: Vec<&Device> =
        devices.iter().filter(|d| matches!(d.kind, Kind::Wifi | Kind::Assoc)).collect();
    let (stable, fleeting): (Vec<&Device>, Vec<&Device>) =
        phones.iter().copied().partition(|device| device.stable_address().is_some());
    near(fleeting.len(), phones.len(), 0.95);
    near(fleeting.iter().filter(|d| d.address == Address::Scattered).count(), fleeting.len(), 0.03);
    near(stable.iter().filter(|d| d.kind == Kind::Assoc).count(), stable.len(), 0.6);
    let two = phones.windows(2).filter(|pair| pair[0].owner == pair[1].owner).count();
    near(two, phones.len() - two, 0.1);
}

#[test]
fn a_heavy_talker_has_dozens_of_addresses_in_a_burst_and_others_one() {
    let mall = Scenario::parse(MALL).unwrap();
    let burst = |address| {
        let mut device =
            Device::new(0, Kind::Wifi, address, Rhythm::AndroidUnconnected, (0, Dice::new(5, 1)));
        let mut frames = Vec::new();
        let mut most = (0, 0);
        for _ in 0..200 {
            device.burst(&mall, &mut frames);
            let (first, last) = (frames[0].0, frames[frames.len() - 1].0);
            assert!(frames.is_sorted_by_key(|(at, _)| *at) && last - first <= 2000);
            let addresses: BTreeSet<[u8; 6]> = frames.iter().map(|(_, octets)| *octets).collect();
            assert!(addresses.iter().all(|octets| octets[0] & 3 == LOCAL));
            most = most.max((addresses.len(), frames.len()));
        }
        most
    };
    assert_eq!(burst(Address::Fleeting), (1, 3));
    assert_eq!(burst(Address::Scattered), (48, 48));
}
