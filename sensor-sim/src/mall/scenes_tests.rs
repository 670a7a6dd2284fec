//! What each scenario was made for happens in it.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::calendar::VenueDay;
use super::chronicle::{Carrier, Chronicle};
use super::hearings::Hearings;
use super::plan::{Plan, Sort};
use super::truth::{self, Line, Step, Window};
use super::{SHIPPED, Scenario};

fn scenario(file: &str) -> Scenario {
    Scenario::parse(SHIPPED.iter().find(|(name, _)| *name == file).unwrap().1).unwrap()
}

/// A Wednesday: every scenario is open on it.
fn wednesday() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 4).unwrap()
}

/// The venue's five minutes of a day, in order.
fn five_minutes(scenario: &Scenario) -> Vec<Window> {
    let day = VenueDay::of(scenario, wednesday());
    let lines = truth::of(scenario, 1, day.from, day.to);
    let windows = lines.filter_map(|line| if let Line::Window(window) = line { Some(window) } else { None });
    windows.filter(|window| window.step == Step::FiveMinutes && window.zone.is_none()).collect()
}

#[test]
fn a_stadium_is_left_within_its_twenty_minutes() {
    let stadium = scenario("stadium.toml");
    let closes = VenueDay::of(&stadium, wednesday()).open.unwrap().to;
    let windows = five_minutes(&stadium);
    let shoppers = |minute: i64| {
        let window = windows.iter().find(|window| window.from_ms == closes + minute * 60_000).unwrap();
        window.people.occupancy - window.people.staff
    };
    assert!(shoppers(-5) > 14_000.0 && shoppers(5) > 9_000.0, "{} {}", shoppers(-5), shoppers(5));
    assert!(shoppers(10) < 9_500.0 && shoppers(30) < 700.0, "{} {}", shoppers(10), shoppers(30));
    // All of them by a gate.
    let plan = Plan::draw(&stadium, 1, VenueDay::of(&stadium, wednesday()));
    let shoppers = plan.people.iter().filter(|person| person.sort == Sort::Shopper);
    let last = shoppers.map(|person| person.stays.last().unwrap().zone.unwrap());
    assert!(last.collect::<BTreeSet<_>>().iter().all(|zone| stadium.zones[*zone].outside.is_some()));
}

#[test]
fn a_guard_is_alone_all_night_and_the_same_the_night_after() {
    let night = scenario("night.toml");
    let addresses = |date: NaiveDate| -> BTreeSet<[u8; 6]> {
        let chronicle = Chronicle::of(&night, 1, date);
        let guard = chronicle.devices().filter(|device| device.carrier() == Carrier::Staff);
        guard.filter_map(|device| device.stable_address()).collect()
    };
    assert!(
        addresses(wednesday()).len() >= 2
            && addresses(wednesday()) == addresses(wednesday().succ_opt().unwrap())
    );
    let day = VenueDay::of(&night, wednesday());
    for window in five_minutes(&night) {
        // On duty from 20:00 to 08:00; the day begins at 04:00.
        let hour = (window.from_ms - day.from) / 3_600_000;
        let there = if (4..16).contains(&hour) { 0.0 } else { 1.0 };
        assert_eq!(
            (window.people.occupancy, window.people.footfall),
            (there, 0),
            "{hour} hours into the day"
        );
    }
    let chronicle = Chronicle::of(&night, 1, wednesday());
    let round: Vec<usize> = night.guards[0].round.clone();
    let evening = chronicle.devices().filter(|device| device.carrier() == Carrier::Staff).last().unwrap();
    let shops = evening.stays().map(|stay| stay.zone.unwrap()).filter(|zone| round.contains(zone));
    assert!(shops.zip(round.iter().cycle()).take(30).all(|(zone, next)| zone == *next));
}

#[test]
fn cars_bring_random_addresses_at_night_and_are_gone_in_half_a_minute() {
    let street = scenario("high-street.toml");
    let traffic = street.traffic.clone().unwrap();
    let day = VenueDay::of(&street, wednesday());
    let plan = Plan::draw(&street, 1, day);
    let people = plan.people.iter().filter(|person| matches!(person.sort, Sort::Car(_))).count() as f64;
    // As many people as cars times a Poisson number each: the variance is the cars times its mean square.
    let cars: f64 = traffic.cars_by_hour.iter().sum();
    let tolerance = 5.0 * (cars * (1.3 + 1.3 * 1.3)).sqrt();
    assert!((people - cars * 1.3).abs() < tolerance, "{people} people in {cars} cars");
    let chronicle = Chronicle::of(&street, 1, wednesday());
    let mut random = BTreeSet::new();
    for heard in
        Hearings::of(&street, 1, wednesday()).take_while(|heard| heard.at_ms < day.from + 2 * 3_600_000)
    {
        let device = chronicle.device(heard.device).unwrap();
        let stay = device.stays().next().unwrap();
        match device.carrier() {
            Carrier::Car => assert!(stay.to_ms - stay.from_ms <= 38_000 && stay.zone.is_none()),
            Carrier::Fixture => continue,
            carrier => panic!("{carrier:?} before six in the morning"),
        }
        if device.stable_address().is_none() {
            random.insert(heard.octets);
        }
    }
    assert!(random.len() > 10, "{} addresses", random.len());
}

#[test]
fn a_gallery_is_quiet_and_a_pavement_is_not() {
    let gallery = five_minutes(&scenario("gallery.toml"));
    assert!(gallery.iter().all(|window| window.people.occupancy_peak < 60.0));
    let street = scenario("high-street.toml");
    let plan = Plan::draw(&street, 1, VenueDay::of(&street, wednesday()));
    let count = |passes: bool| {
        plan.people
            .iter()
            .filter(|p| matches!(p.sort, Sort::PasserBy(_)) == passes && !matches!(p.sort, Sort::Car(_)))
            .count()
    };
    assert!(count(true) > 15 * count(false), "{} pass, {} come in", count(true), count(false));
}
