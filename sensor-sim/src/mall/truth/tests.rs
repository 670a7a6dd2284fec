//! The truth against a hand-made day, and against itself.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::*;
use crate::mall::plan::{Person, Sort, Stay};
use crate::mall::{MALL, SHIPPED};

const MINUTE: i64 = 60_000;

/// Zones of the demo's mall, in its order.
const WEST: usize = 0;
const WALK: usize = 2;
const FASHION: usize = 3;
const CAFE: usize = 8;

fn scenario(text: &str) -> (Scenario, VenueDay) {
    let scenario = Scenario::parse(text).unwrap();
    let day = VenueDay::of(&scenario, NaiveDate::from_ymd_opt(2026, 3, 4).unwrap());
    (scenario, day)
}

/// Somebody who is in zones for so many minutes each, one after the other, from a minute of the venue day on.
fn person(
    day: VenueDay,
    sort: Sort,
    stable_devices: u32,
    from: i64,
    zones: &[(Option<usize>, i64)],
) -> Person {
    let mut at = day.from + from * MINUTE;
    let stays = zones.iter().map(|(zone, mins)| {
        let stay = Stay { zone: *zone, from: at, to: at + mins * MINUTE };
        at = stay.to;
        stay
    });
    Person { sort, stays: stays.collect(), salt: 0, stable_devices }
}

/// From 10:00 to 11:30 (six hours into the day): one with two stable devices, one with one, one with none, who also comes
/// only through; a clerk with a badge; somebody on the pavement and one in a car.
fn made_up() -> (Scenario, Plan) {
    let (scenario, day) = scenario(MALL);
    let at = 6 * 60;
    let car = Sort::Car(crate::mall::plan::Speed { mm_per_sec: 10_000, backward: false });
    let people = vec![
        person(
            day,
            Sort::Shopper,
            2,
            at,
            &[
                (Some(WEST), 1),
                (Some(WALK), 2),
                (Some(FASHION), 20),
                (Some(WALK), 1),
                (Some(CAFE), 40),
                (Some(WEST), 1),
            ],
        ),
        person(day, Sort::Shopper, 1, at + 50, &[(Some(WEST), 2), (Some(CAFE), 15), (Some(WEST), 3)]),
        person(day, Sort::Shopper, 0, at + 4, &[(Some(WEST), 4)]),
        person(day, Sort::Staff, 1, at - 30, &[(Some(CAFE), 120)]),
        person(day, Sort::PasserBy(WEST), 1, at + 10, &[(None, 1)]),
        person(day, car, 1, at + 10, &[(None, 1)]),
        person(day, Sort::Fixture, 1, 0, &[(Some(CAFE), 24 * 60)]),
    ];
    (scenario, Plan { day, people, devices: Vec::new() })
}

fn window(lines: &[Line], step: Step, zone: Option<&str>, minute: i64) -> Window {
    let mut windows = lines.iter().filter_map(|line| match line {
        Line::Window(window) => Some(window),
        _ => None,
    });
    let begin = windows.clone().next().unwrap().from_ms;
    let wanted = |window: &&Window| {
        window.step == step && window.zone.as_deref() == zone && window.from_ms == begin + minute * MINUTE
    };
    windows.find(wanted).unwrap().clone()
}

#[test]
fn a_made_up_hour_is_told_as_it_was() {
    let (scenario, plan) = made_up();
    let lines = of_day(&scenario, &plan);
    // 10:00 to 11:00: the first all the time, the second from 10:50 on, the third for four minutes, the clerk all the time.
    let Window { people, stable_devices, .. } = window(&lines, Step::Hour, None, 6 * 60);
    assert_eq!((people.occupancy, people.staff), (thousandths((60.0 + 10.0 + 4.0 + 60.0) / 60.0), 1.0));
    assert_eq!((people.occupancy_peak, people.present), (3.0, 4));
    assert_eq!((people.footfall, people.exits, people.came_in, people.went_out), (3, 1, 3, 1));
    assert_eq!(people.passersby, Some(1));
    let stable = stable_devices.unwrap();
    assert_eq!(stable.present, thousandths((2.0 * 60.0 + 10.0) / 60.0));
    assert_eq!(stable.stable_share, Some(thousandths(100.0 * 130.0 / 74.0)));
    assert_eq!((stable.distinct, stable.footfall, stable.visitors, stable.passersby), (3, 3, 3, 2));
    assert_eq!(
        (stable.visits, stable.infrastructure, stable.dwell_mean, stable.capture_rate),
        (0, 2, None, Some(0.0))
    );
    // 11:00 to 12:00: both with stable devices go: 65 min, twice, and 20.
    let stable = window(&lines, Step::Hour, None, 7 * 60).stable_devices.unwrap();
    assert_eq!((stable.visits, stable.bounces, stable.engaged, stable.visitors), (3, 0, 3, 3));
    assert_eq!((stable.dwell_mean, stable.dwell_p25), (Some(50.0), Some(20.0)));
    assert_eq!((stable.dwell_median, stable.dwell_p75), (Some(65.0), Some(65.0)));
    assert_eq!(stable.dwell_bands, [0, 0, 1, 0, 2, 0, 0]);
}

#[test]
fn a_made_up_zone_is_told_as_it_was() {
    let (scenario, plan) = made_up();
    let lines = of_day(&scenario, &plan);
    // The café from 10:00: the first from 10:24 to 11:04, the second from 10:52 to 11:07.
    let Window { people, stable_devices, .. } = window(&lines, Step::Hour, Some("cafe"), 6 * 60);
    assert_eq!(
        (people.occupancy, people.footfall, people.came_in),
        (thousandths((36.0 + 8.0 + 60.0) / 60.0), 2, 0)
    );
    assert_eq!(people.passersby, None);
    let stable = stable_devices.unwrap();
    assert_eq!((stable.visits, stable.visitors, stable.infrastructure), (0, 3, 0));
    // The first passed the walk twice, for two minutes and one: bounces, and never a visitor.
    let walk = window(&lines, Step::Day, Some("walk-ground"), 0).stable_devices.unwrap();
    assert_eq!((walk.visits, walk.bounces, walk.visitors, walk.distinct), (4, 4, 0, 2));
    assert_eq!((walk.dwell_mean, walk.dwell_bands), (None, [4, 0, 0, 0, 0, 0, 0]));
    // The entrance let three in, and three out again.
    let west = window(&lines, Step::Day, Some("entrance-west"), 0).people;
    assert_eq!((west.footfall, west.came_in, west.exits, west.went_out), (5, 3, 5, 3));
    // Half an hour before it closes nobody is there; in its five minutes nobody asks for stable devices.
    let early = window(&lines, Step::FiveMinutes, Some("cafe"), 6 * 60 + 20);
    assert_eq!((early.people.occupancy, early.people.occupancy_peak, early.stable_devices), (1.2, 2.0, None));
}

#[test]
fn made_up_ways_are_told_as_they_were() {
    let (scenario, plan) = made_up();
    let lines = of_day(&scenario, &plan);
    let mut flows: Vec<(String, String, Moves, Moves)> = Vec::new();
    let mut crossed: Vec<(&str, &str, u64, u64)> = Vec::new();
    for line in &lines {
        match line {
            Line::Flow(flow) => {
                let zone = |zone: &Option<String>| zone.clone().unwrap_or("outside".into());
                flows.push((zone(&flow.from_zone), zone(&flow.to_zone), flow.all, flow.visitors));
            }
            Line::CrossVisit(cross) => {
                crossed.push((&cross.zone, &cross.also, cross.visits, cross.also_visits))
            }
            Line::Truth(_) | Line::Window(_) => {}
        }
    }
    let moves = |people, stable_devices| Moves { people, stable_devices };
    let (one, none) = (moves(1, 2), Moves::default());
    // The second's fifteen minutes in the café count, but lie between bounces.
    let outside = "outside";
    let flows: Vec<_> =
        flows.iter().map(|(from, to, all, visitors)| (from.as_str(), to.as_str(), *all, *visitors)).collect();
    assert_eq!(
        flows,
        [
            (outside, "entrance-west", moves(3, 3), moves(3, 3)),
            ("entrance-west", outside, moves(3, 3), moves(3, 3)),
            ("entrance-west", "walk-ground", one, none),
            ("entrance-west", "cafe", moves(1, 1), none),
            ("walk-ground", "fashion", one, none),
            ("walk-ground", "cafe", one, none),
            ("fashion", "walk-ground", one, none),
            ("fashion", "cafe", none, one),
            ("cafe", "entrance-west", moves(2, 3), none),
        ]
    );
    assert_eq!(crossed, [("fashion", "cafe", 2, 2), ("cafe", "fashion", 3, 2)]);
}

/// People in are people out, zones sum to the venue, hours to the day: in every scenario that is not empty.
#[test]
fn nobody_is_lost_and_nobody_is_made() {
    for file in ["mall.toml", "gallery.toml", "high-street.toml", "night.toml"] {
        let text = SHIPPED.iter().find(|(name, _)| *name == file).unwrap().1;
        let (scenario, day) = scenario(text);
        let mut sums: HashMap<(Step, i64), (f64, f64)> = HashMap::new();
        let (mut venue, mut zones, mut days) = (Sums::default(), Sums::default(), Sums::default());
        let mut moved = 0;
        for line in of(&scenario, 1, day.from, day.to) {
            match line {
                Line::Window(window) => {
                    let sum = sums.entry((window.step, window.from_ms)).or_default();
                    let part = if window.zone.is_none() { &mut sum.0 } else { &mut sum.1 };
                    *part += window.people.occupancy;
                    match (window.step, &window.zone) {
                        (Step::Hour, None) => venue.add(&window),
                        (Step::Hour, Some(_)) => zones.add(&window),
                        (Step::Day, None) => days.add(&window),
                        _ => {}
                    }
                }
                Line::Flow(flow) if flow.from_zone.is_some() && flow.to_zone.is_some() => {
                    moved += flow.all.people
                }
                Line::Flow(_) => {}
                Line::Truth(_) | Line::CrossVisit(_) => {}
            }
        }
        // Thousandths are rounded, for each zone once.
        let rounded = 0.001 * (scenario.zones.len() + 1) as f64;
        assert!(sums.values().all(|(venue, zones)| (venue - zones).abs() < rounded), "{file}");
        assert_eq!(venue, days, "{file}: hours and the day");
        assert_eq!(
            (venue.footfall, venue.visits),
            (venue.exits, venue.footfall_stable),
            "{file}: in and out"
        );
        assert_eq!(
            (venue.footfall, venue.exits),
            (zones.came_in, zones.went_out),
            "{file}: by the entrances"
        );
        assert_eq!(zones.footfall, zones.exits, "{file}: into zones and out of them");
        assert_eq!(
            moved,
            zones.footfall - venue.footfall,
            "{file}: each visit flows on, but for everybody's last"
        );
        assert_eq!(venue.bands, venue.visits, "{file}: every visit has a band");
        assert_eq!(venue.footfall == 0, file == "night.toml");
    }
}

#[derive(Debug, Default, PartialEq)]
struct Sums {
    footfall: u64,
    exits: u64,
    came_in: u64,
    went_out: u64,
    footfall_stable: u64,
    visits: u64,
    bands: u64,
    passersby: u64,
}

impl Sums {
    fn add(&mut self, Window { people, stable_devices, .. }: &Window) {
        let stable = stable_devices.as_ref().unwrap();
        self.footfall += people.footfall;
        self.exits += people.exits;
        self.came_in += people.came_in;
        self.went_out += people.went_out;
        self.footfall_stable += stable.footfall;
        self.visits += stable.visits;
        self.bands += stable.dwell_bands.iter().sum::<u64>();
        self.passersby += stable.passersby;
    }
}

#[test]
fn windows_that_are_not_wholly_covered_are_left_out_and_the_rest_reads_back() {
    let (scenario, day) = scenario(SHIPPED.iter().find(|(file, _)| *file == "gallery.toml").unwrap().1);
    let whole: Vec<Line> = of(&scenario, 1, day.from, day.to).collect();
    let part: Vec<Line> = of(&scenario, 1, day.from + 1, day.to).collect();
    assert!(part.len() < whole.len() && part.len() > whole.len() / 2);
    assert!(
        !part.iter().any(|line| matches!(line, Line::Window(Window { step: Step::Day, .. }) | Line::Flow(_)))
    );
    let header =
        Header { version: VERSION, venue: "gallery".into(), seed: 1, from_ms: day.from, to_ms: day.to };
    assert_eq!(whole[0], Line::Truth(header));
    for line in whole {
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line, "{text}");
    }
}
