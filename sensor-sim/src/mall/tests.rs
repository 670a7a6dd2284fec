//! The mall is what its scenario says, and its sensors say nothing a sensor cannot.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use passant_wire::{Kind, PAYLOAD_BYTES_MAX, SIGHTINGS_MAX, Status, Subject, Topic, decode};

use super::calendar::VenueDay;
use super::plan::{Person, Plan, Sort, Stay};
use super::radio::{Levels, Place, Radio, mean_dbm};
use super::scenario::{MALL, Role, Scenario};
use super::truth::{self, Line, Step};
use super::{Mall, Message};

const SEED: u64 = 1;

fn mall() -> Scenario {
    Scenario::parse(MALL).unwrap()
}

/// Tuesday, 3 March 2026, and the hours after four in the morning of it.
fn tuesday(scenario: &Scenario) -> VenueDay {
    VenueDay::of(scenario, NaiveDate::from_ymd_opt(2026, 3, 3).unwrap())
}

fn messages(scenario: &Scenario, seed: u64, from: i64, to: i64) -> Vec<Message> {
    let mut mall = Mall::new(scenario, seed, from);
    std::iter::from_fn(|| mall.next_message()).take_while(|message| message.at_ms <= to).collect()
}

fn hours(count: i64) -> i64 {
    count * 3_600_000
}

#[test]
fn the_same_seed_says_the_same_byte_for_byte() {
    let mall = mall();
    let noon = tuesday(&mall).from + hours(8);
    let said = |seed| messages(&mall, seed, noon, noon + 120_000);
    assert!(said(1).len() > 100);
    assert_eq!(said(1), said(1));
    let payloads = |seed| said(seed).into_iter().map(|message| message.payload).collect::<Vec<_>>();
    assert_ne!(payloads(1), payloads(2));
}

/// Where a run begins changes neither the crowd nor what is heard of it, but for the messages' numbers and boot.
#[test]
fn a_run_that_begins_later_hears_the_same() {
    let mall = mall();
    let noon = tuesday(&mall).from + hours(8);
    let heard = |from| {
        let mut all = Vec::new();
        for message in messages(&mall, SEED, from, noon + 60_000) {
            if message.sightings > 0 {
                let report = decode(&message.payload, None).unwrap();
                let heard = report.sightings.iter().filter(|heard| heard.at.unwrap() >= noon);
                all.extend(heard.map(|h| (h.at, h.rssi, *h.device.octets(), message.topic.clone())));
            }
        }
        all
    };
    assert!(heard(noon).len() > 1000);
    assert_eq!(heard(noon), heard(noon - 600_000));
}

#[test]
fn every_message_decodes_is_within_the_limits_and_in_order_of_time() {
    let mut mall = mall();
    let noon = tuesday(&mall).from + hours(8);
    for (batch_secs, full) in [(10, 200), (1, 200), (10, 20)] {
        mall.sending.batch_secs = batch_secs;
        mall.sending.batch_sightings_max = full;
        let (mut last, mut last_heard) = (i64::MIN, i64::MIN);
        let mut numbers: HashMap<String, u64> = HashMap::new();
        for message in messages(&mall, SEED, noon, noon + 180_000) {
            assert!(message.at_ms >= last && message.payload.len() <= PAYLOAD_BYTES_MAX);
            let topic = Topic::parse(&message.topic).unwrap();
            assert_eq!(message.retain, topic.subject == Subject::Status);
            if topic.subject == Subject::Status {
                assert!(Status::decode(&message.payload).unwrap().online);
                continue;
            }
            let report = decode(&message.payload, None).unwrap();
            assert_eq!(report.refused.total(), 0, "group addresses and strengths of 0 are refused");
            assert_eq!(report.sightings.len(), message.sightings);
            assert!(message.sightings <= full.min(SIGHTINGS_MAX));
            let times: Vec<i64> = report.sightings.iter().map(|heard| heard.at.unwrap()).collect();
            assert!(times.is_sorted() && times.last().copied() == report.at);
            // Rounds do not overlap: no message is older than what was said a round before.
            if message.at_ms > last {
                last_heard = last;
            }
            assert!(times[0] >= last_heard, "{} {}", times[0], last_heard);
            last = message.at_ms;
            let number = numbers.entry(message.topic).or_default();
            *number += 1;
            assert_eq!(report.number, Some(*number));
            assert!(report.sightings.iter().all(|heard| !heard.device.is_group()));
        }
    }
}

#[test]
fn a_silent_sensor_still_says_that_it_lives() {
    let mall = Scenario::parse(MALL.split("[[fixture]]").next().unwrap()).unwrap();
    let day = tuesday(&mall);
    let said = messages(&mall, SEED, day.from, day.from + hours(1));
    assert!(said.iter().all(|message| message.sightings == 0));
    // Twenty sensors at the start and then every half minute.
    assert_eq!(said.len(), 20 * (1 + 120));
}

/// Groups come by Poisson's law, so the variance of people is λ times the mean square of a group's size. Five
/// deviations, over a week.
#[test]
fn as_many_come_as_the_scenario_says() {
    let mall = mall();
    let weights = &mall.people.group_size_weights;
    let moment = |power: i32| {
        let sum: f64 = (1..).zip(weights).map(|(size, weight)| f64::from(size).powi(power) * weight).sum();
        sum / weights.iter().sum::<f64>()
    };
    let mut day = tuesday(&mall);
    for weekday in [1, 2, 3, 4, 5, 6, 0] {
        let plan = Plan::draw(&mall, SEED, day);
        let came = plan.people.iter().filter(|person| person.sort == Sort::Shopper).count() as f64;
        let want = mall.arrivals.people_by_weekday[weekday];
        let tolerance = 5.0 * (want / moment(1) * moment(2)).sqrt();
        assert!((came - want).abs() < tolerance, "{weekday}: {came} of {want} ± {tolerance:.0}");
        day = day.next(&mall);
    }
}

#[test]
fn nobody_but_staff_is_inside_outside_the_opening_hours() {
    let mall = mall();
    let day = tuesday(&mall);
    let open = day.open.unwrap();
    let leaving = (mall.people.leaving_mins * 60_000.0) as i64;
    let mut windows = 0;
    let mut noon = 0.0;
    for line in truth::of(&mall, SEED, day.from, day.to) {
        let Line::Window(truth::Window { step: Step::FiveMinutes, from_ms, to_ms, zone, people, .. }) = line
        else {
            continue;
        };
        windows += 1;
        assert!(people.occupancy_peak >= people.occupancy);
        if to_ms <= open.from || from_ms >= open.to + leaving {
            assert_eq!(people.occupancy, people.staff);
        }
        if to_ms <= open.from - hours(1) || from_ms >= open.to + hours(1) {
            assert_eq!((people.staff, people.present), (0.0, 0));
        }
        if zone.is_none() && from_ms == day.from + hours(9) {
            noon = people.occupancy;
        }
    }
    assert_eq!(windows, 24 * 12 * (mall.zones.len() + 1));
    assert!(noon > 200.0, "{noon} people at one o'clock");
}

/// The logarithm of a stay is normal, so a median of n stays is within 5 · 1.2533 σ/√n of the scenario's, in logarithms.
/// Shops shut on some; those who leave before the last two hours are whole.
#[test]
fn people_stay_as_long_as_the_scenario_says() {
    let mall = mall();
    let day = tuesday(&mall);
    let plan = Plan::draw(&mall, SEED, day);
    // Groups stay together: one stay a group.
    let mut stays: HashMap<usize, HashSet<(i64, i64)>> = HashMap::new();
    let early = |person: &&Person| person.arrive() < day.open.unwrap().to - hours(5);
    for person in plan.people.iter().filter(|person| person.sort == Sort::Shopper).filter(early) {
        for stay in &person.stays {
            stays.entry(stay.zone.unwrap()).or_default().insert((stay.from, stay.to));
        }
    }
    for (i, zone) in mall.zones.iter().enumerate().filter(|(_, zone)| zone.role != Role::Walkway) {
        let mut mins: Vec<f64> = stays[&i].iter().map(|(from, to)| (to - from) as f64 / 60_000.0).collect();
        mins.sort_by(f64::total_cmp);
        let (median, n) = (mins[mins.len() / 2], mins.len() as f64);
        let tolerance = 5.0 * 1.2533 * zone.dwell_sigma / n.sqrt();
        let off = (median / zone.dwell_median_mins).ln();
        assert!(off.abs() < tolerance && n > 50.0, "{}: {median:.1} min, {n} stays", zone.id);
    }
}

#[test]
fn everybody_inside_is_in_one_zone_without_a_gap() {
    let mall = mall();
    let plan = Plan::draw(&mall, SEED, tuesday(&mall));
    for person in plan.people.iter().filter(|person| person.sort == Sort::Shopper) {
        assert!(person.stays.iter().all(|stay: &Stay| stay.from < stay.to && stay.zone.is_some()));
        assert!(
            person.stays.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].zone != pair[1].zone)
        );
    }
}

/// A hundred thousand people at one spot each, heard by one sensor 10 m away in the same zone: the mean is free of
/// walls, less half a body range; the deviation is sigma and the body's spread. Five standard errors: 0.1 dB and 0.08.
#[test]
fn path_loss_has_the_mean_and_the_sigma_of_theory() {
    let mut mall = mall();
    mall.radio.weakest_dbm = -120.0;
    mall.sensors[4].heard_share = 1.0;
    let (mut radio, zone) = (Radio::new(&mall), mall.sensors[4].zone);
    let mut levels = Levels::default();
    let [x, y] = mall.sensors[4].at;
    let place = Place { zone: Some(zone), floor: mall.zones[zone].floor, at: [x + 10.0, y], loss_db: 0.0 };
    assert!((mean_dbm(&mall, 4, place) - (-40.0 - 22.0)).abs() < 1e-9);
    let (mut sum, mut squares, n) = (0.0, 0.0, 100_000u32);
    for salt in 0..n {
        radio.levels(&mall, (crate::dice::mix(u64::from(salt)), 1), place, &mut levels);
        radio.hear(&mall, &levels, (u64::from(salt), false), |sensor, rssi| {
            if sensor == 4 {
                sum += f64::from(rssi);
                squares += f64::from(rssi).powi(2);
            }
        });
    }
    let mean = sum / f64::from(n);
    let sigma = (squares / f64::from(n) - mean * mean).sqrt();
    // A body of 3 to 8 dB: 5.5 on average, variance 25 / 12; whole decibels add 1 / 12.
    let want = (36.0 + 25.0 / 12.0 + 1.0 / 12.0_f64).sqrt();
    assert!((mean - -67.5).abs() < 0.1, "{mean}");
    assert!((sigma - want).abs() < 0.08, "{sigma} of {want}");
}

#[test]
fn walls_floors_and_distance_weaken() {
    let mall = mall();
    let at = |zone: usize, floor: usize, at| {
        mean_dbm(&mall, 4, Place { zone: Some(zone), floor, at, loss_db: 0.0 })
    };
    let (own, walkway, upper) = (mall.sensors[4].zone, 2, 9);
    let [x, y] = mall.sensors[4].at;
    assert!((at(own, 0, [x + 10.0, y]) - at(walkway, 0, [x + 10.0, y]) - 4.5).abs() < 1e-9);
    assert!(at(upper, 1, [x, y]) < at(own, 0, [x, y]) - 6.0);
    assert!(at(own, 0, [x + 20.0, y]) < at(own, 0, [x + 10.0, y]));
}

/// Half an hour at noon, by the addresses that were heard.
#[test]
fn random_addresses_change_each_burst_stable_ones_stay_and_nothing_is_heard_under_the_limit() {
    let mut mall = mall();
    mall.sensors.iter_mut().for_each(|sensor| sensor.rssi_offset_db = 0);
    let noon = tuesday(&mall).from + hours(8);
    let mut heard: HashMap<[u8; 6], (Kind, i64, i64)> = HashMap::new();
    for message in messages(&mall, SEED, noon, noon + hours(1) / 2).iter().filter(|m| m.sightings > 0) {
        for sighting in decode(&message.payload, None).unwrap().sightings {
            assert!(sighting.rssi >= -95);
            let at = sighting.at.unwrap();
            let place = heard.entry(*sighting.device.octets()).or_insert((sighting.kind, at, at));
            assert_eq!(place.0, sighting.kind);
            place.2 = at;
        }
    }
    let mut spans: HashMap<&str, Vec<i64>> = HashMap::new();
    for (octets, (kind, first, last)) in &heard {
        let class = match (kind, octets[0]) {
            (Kind::Wifi, first) if first & 2 == 2 => "random",
            (Kind::Wifi, _) => "global",
            (Kind::Assoc, _) => "associated",
            (_, first) if first >> 6 == 1 => "resolvable",
            _ => "static",
        };
        spans.entry(class).or_default().push(last - first);
    }
    let longest = |class: &str| spans[class].iter().copied().max().unwrap();
    assert!(longest("random") <= 2000 && spans["random"].len() > 1000);
    assert!((300_000..=16 * 60_000).contains(&longest("resolvable")));
    assert!(
        longest("global") > 20 * 60_000
            && longest("associated") > 10 * 60_000
            && longest("static") > 10 * 60_000
    );
}

#[test]
fn tills_are_heard_all_night_and_nobody_else_is() {
    let mall = mall();
    let day = tuesday(&mall);
    let mut heard: HashMap<[u8; 6], (i64, i64)> = HashMap::new();
    for message in messages(&mall, SEED, day.from, day.from + hours(2)).iter().filter(|m| m.sightings > 0) {
        for sighting in decode(&message.payload, None).unwrap().sightings {
            let at = sighting.at.unwrap();
            heard.entry(*sighting.device.octets()).or_insert((at, at)).1 = at;
        }
    }
    let fixtures: usize = mall.fixtures.iter().map(|fixture| usize::from(fixture.count)).sum();
    assert_eq!(heard.len(), fixtures);
    assert!(heard.values().all(|(first, last)| last - first > hours(2) - 1_200_000));
    // And the same ones come again the next night.
    let again = day.next(&mall);
    for message in
        messages(&mall, SEED, again.from, again.from + 1_200_000).iter().filter(|m| m.sightings > 0)
    {
        for sighting in decode(&message.payload, None).unwrap().sightings {
            assert!(heard.contains_key(sighting.device.octets()));
        }
    }
}

/// The Dutch street count's mean, from which the awake share was set: within a tenth.
#[test]
fn a_device_sends_as_many_frames_an_hour_as_in_the_street_count() {
    let mall = mall();
    let day = tuesday(&mall);
    let plan = Plan::draw(&mall, SEED, day);
    let ms: i64 = plan
        .devices
        .iter()
        .filter(|device| device.kind == Kind::Wifi)
        .map(|device| &plan.people[device.owner])
        .filter(|person| person.sort == Sort::Shopper)
        .map(|person| person.leave() - person.arrive())
        .sum();
    let mut mall = Mall::new(&mall, SEED, day.from);
    while mall.next_message().is_some_and(|message| message.at_ms < day.to) {}
    let rate = mall.air.frames as f64 / (ms as f64 / 3_600_000.0);
    assert!((49.5..60.5).contains(&rate), "{rate:.1} frames per device and hour");
}

/// What other tests and the demo know of this mall: its first messages at noon, mixed into one number. A change of the
/// simulator that means to leave this mall alone must leave this number alone.
#[test]
fn the_mall_that_ships_says_what_it_always_said() {
    let mall = mall();
    let noon = tuesday(&mall).from + hours(8);
    let said = messages(&mall, SEED, noon, noon + 300_000);
    let bytes = said.iter().filter(|message| message.sightings > 0).flat_map(|message| &message.payload);
    let mixed = bytes.fold(0u64, |mixed, byte| crate::dice::mix(mixed.rotate_left(8) ^ u64::from(*byte)));
    let sightings: usize = said.iter().map(|message| message.sightings).sum();
    assert_eq!((said.len(), sightings, mixed), (620, 32_397, 902_301_792_424_609_076));
}
