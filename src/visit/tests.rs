use super::*;
use crate::config::{Config, EXAMPLE};

const MINUTE: i64 = 60_000;

/// A venue with two zones, a sensor each, near at −80 and −75 dBm.
fn venue() -> Venue {
    Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues.remove(0)
}

/// Friday 2026-11-20, 12:00 in Paris.
fn noon() -> i64 {
    chrono::DateTime::parse_from_rfc3339("2026-11-20T12:00:00+01:00").unwrap().timestamp_millis()
}

fn heard(who: u64, sensor: u16, rssi: i8, at: i64) -> Footprint {
    Footprint { sensor, rssi, at: EpochMs(at), trace: Trace::Stable(Pseudonym(who)) }
}

/// Plays footprints, by default in order of time, and ends everything.
fn play(footprints: &[Footprint]) -> Vec<String> {
    let venue = venue();
    let mut visits = Visits::new(&venue);
    let mut events = visits.judge(EpochMs(noon()), &venue);
    for footprint in footprints {
        let now = EpochMs(footprint.at.0.max(noon()));
        events.extend(visits.judge(now, &venue));
        assert_eq!(visits.hear(footprint), Heard::Counted);
    }
    let end = footprints.iter().map(|f| f.at.0).max().unwrap() + 17 * MINUTE;
    events.extend(visits.judge(EpochMs(end), &venue));
    assert_eq!(visits.open_visits(), 0, "every visit is over in 17 minutes");
    events.iter().filter_map(told).collect()
}

fn told(event: &VisitEvent) -> Option<String> {
    match event {
        VisitEvent::Ended { place, last, kind, dwell_minutes, .. } => {
            Some(format!("{place:?} {kind:?} {dwell_minutes} min, last at {} s", (last.0 - noon()) / 1000))
        }
        VisitEvent::Present { .. } | VisitEvent::Went { .. } => None,
    }
}

fn every_minute(sensor: u16, rssi: i8, from: i64, to: i64) -> Vec<Footprint> {
    (from..=to).map(|minute| heard(1, sensor, rssi, noon() + minute * MINUTE)).collect()
}

#[test]
fn kinds_of_visit_follow_nearness_and_length() {
    for (rssi, minutes, expected) in [
        (-85, 20, vec!["Venue PasserBy 21 min, last at 1200 s"]),
        (-60, 4, vec!["Zone(0) Bounce 5 min, last at 240 s", "Venue Bounce 5 min, last at 240 s"]),
        (-60, 5, vec!["Zone(0) Visitor 6 min, last at 300 s", "Venue Visitor 6 min, last at 300 s"]),
        (-80, 15, vec!["Zone(0) Engaged 16 min, last at 900 s", "Venue Engaged 16 min, last at 900 s"]),
    ] {
        assert_eq!(play(&every_minute(0, rssi, 0, minutes)), expected);
    }
}

#[test]
fn fifteen_minutes_of_silence_end_a_visit_and_less_does_not() {
    let two = |gap: i64| play(&[heard(1, 0, -60, noon()), heard(1, 0, -60, noon() + gap)]).len();
    assert_eq!(two(14 * MINUTE), 2, "one visit: the zone's and the venue's");
    assert_eq!(two(16 * MINUTE), 4, "two visits");
}

#[test]
fn to_be_near_twice_in_three_hours_is_no_long_stay() {
    let mut path = every_minute(0, -85, 0, 180);
    for minute in [0, 180] {
        path[minute].rssi = -60;
    }
    assert_eq!(
        play(&path),
        ["Zone(0) Bounce 181 min, last at 10800 s", "Venue Bounce 181 min, last at 10800 s"]
    );
}

#[test]
fn a_change_of_zone_ends_the_zone_visit_only() {
    let mut path = every_minute(0, -60, 0, 6);
    path.extend(every_minute(1, -60, 8, 20));
    assert_eq!(
        play(&path),
        [
            // The two minutes between are half the one's and half the other's.
            "Zone(0) Visitor 8 min, last at 360 s",
            "Zone(1) Visitor 14 min, last at 1200 s",
            "Venue Engaged 21 min, last at 1200 s"
        ]
    );
}

/// Heard every twenty seconds at −60 dBm in the first zone, and so strong in the other.
fn zones_of(levels: impl IntoIterator<Item = i8>) -> Vec<String> {
    let slots = levels.into_iter().enumerate();
    let path: Vec<_> = slots
        .flat_map(|(n, there)| {
            let at = noon() + n as i64 * 20_000;
            [heard(1, 0, -60, at), heard(1, 1, there, at + 1)]
        })
        .collect();
    play(&path).into_iter().filter(|event| event.starts_with("Zone")).collect()
}

#[test]
fn to_be_loud_elsewhere_for_a_moment_is_no_visit_there_and_no_return() {
    let briefly = |there: i8, slots: usize| {
        let levels = [vec![-75; 20], vec![there; slots], vec![-75; 20]].concat();
        zones_of(levels).len()
    };
    assert_eq!(briefly(-75, 3), 1);
    assert_eq!(briefly(-56, 1), 1, "four decibels for one slot");
    assert_eq!(briefly(-57, 4), 1, "three for a minute");
    assert_eq!(briefly(-40, 12), 3, "twenty for four minutes is a visit, and so is the return");
}

#[test]
fn who_comes_in_is_in_an_entrance_rather_than_behind_its_wall() {
    // Five decibels louder behind the wall: only that people come in and go at the entrance speaks for it.
    let once = [heard(1, 0, -65, noon()), heard(1, 1, -60, noon() + 1)];
    let zone_of = |text: &str| {
        let venue = Config::parse(text, std::iter::empty()).unwrap().venues.remove(0);
        let mut visits = Visits::new(&venue);
        once.iter().for_each(|footprint| assert_eq!(visits.hear(footprint), Heard::Counted));
        let events = visits.judge(EpochMs(noon() + 17 * MINUTE), &venue);
        events.iter().filter_map(told).next().unwrap()
    };
    assert!(EXAMPLE.contains("entrance = true"));
    assert!(zone_of(EXAMPLE).starts_with("Zone(0)"));
    assert!(zone_of(&EXAMPLE.replace("entrance = true", "")).starts_with("Zone(1)"));
}

#[test]
fn a_change_of_zone_is_booked_where_it_happened_however_late_it_is_settled() {
    let zones = zones_of([vec![-75; 30], vec![-45; 30]].concat());
    // The first thirty slots end at 580 s, the second begin at 600.
    assert_eq!(zones, ["Zone(0) Visitor 10 min, last at 580 s", "Zone(1) Visitor 10 min, last at 1180 s"]);
}

#[test]
fn a_sleeping_phone_is_not_split() {
    // Three bursts, seven minutes apart, with one weak slot in the middle of each.
    let slots = [0, 20, 40, 480, 500, 520, 960, 980, 1000];
    let path: Vec<_> = slots
        .iter()
        .enumerate()
        .flat_map(|(n, secs)| {
            let at = noon() + secs * 1000;
            let there = if n % 3 == 1 { -57 } else { -72 };
            [heard(1, 0, -60, at), heard(1, 1, there, at + 1)]
        })
        .collect();
    let zones: Vec<_> = play(&path).into_iter().filter(|event| event.starts_with("Zone")).collect();
    // 1000 s, and the gap as a moment of it meets it: (6·20² + 2·440²)/1000 s, half at either end.
    assert_eq!(zones, ["Zone(0) Engaged 23 min, last at 1000 s"]);
}

#[test]
fn order_and_repetition_change_nothing() {
    // Within a slot and its grace, in any order, each heard twice.
    let path: Vec<_> =
        (0..20).map(|i| heard(1 + i % 3, (i % 2) as u16, -50 - i as i8, noon() + i as i64 * 450)).collect();
    let mut turned: Vec<_> = path.iter().chain(&path).copied().collect();
    turned.reverse();
    let in_one_slot = |path: &[Footprint]| {
        let venue = venue();
        let mut visits = Visits::new(&venue);
        visits.judge(EpochMs(noon()), &venue);
        path.iter().for_each(|f| assert_eq!(visits.hear(f), Heard::Counted));
        let events = visits.judge(EpochMs(noon() + 40 * MINUTE), &venue);
        let mut told: Vec<_> = events.iter().filter_map(told).collect();
        told.sort();
        told
    };
    assert_eq!(in_one_slot(&path), in_one_slot(&turned));
}

#[test]
fn what_comes_after_a_slot_was_judged_is_late() {
    let venue = venue();
    let mut visits = Visits::new(&venue);
    visits.judge(EpochMs(noon()), &venue);
    visits.judge(EpochMs(noon() + SLOT_MS + SLOT_GRACE_MS - 1), &venue);
    assert_eq!(visits.hear(&heard(1, 0, -60, noon())), Heard::Counted);
    visits.judge(EpochMs(noon() + SLOT_MS + SLOT_GRACE_MS), &venue);
    assert_eq!(visits.hear(&heard(1, 0, -60, noon())), Heard::Late);
}

#[test]
fn the_day_ends_every_visit() {
    let venue = venue();
    let four = noon() + 16 * 60 * MINUTE;
    let mut visits = Visits::new(&venue);
    visits.judge(EpochMs(four - MINUTE), &venue);
    visits.hear(&heard(1, 0, -60, four - MINUTE));
    visits.hear(&heard(2, 0, -60, four));
    let events = visits.judge(EpochMs(four + MINUTE), &venue);
    assert_eq!(events.iter().filter_map(told).count(), 2, "yesterday's visit, in its zone and in the venue");
    assert_eq!(visits.open_visits(), 1);
}

#[test]
fn a_visitor_is_present_from_the_fifth_minute_on() {
    let venue = venue();
    let mut visits = Visits::new(&venue);
    visits.judge(EpochMs(noon()), &venue);
    let mut spans = Vec::new();
    for footprint in every_minute(0, -60, 0, 7).iter().chain(&every_minute(0, -60, 14, 14)) {
        visits.hear(footprint);
        for event in visits.judge(EpochMs(footprint.at.0 + 20_000), &venue) {
            if let VisitEvent::Present { place: Place::Venue, from, to, .. } = event {
                spans.push(((from.0 - noon()) / 1000, (to.0 - noon()) / 1000));
            }
        }
    }
    assert_eq!(spans, [(300, 300), (300, 360), (360, 420), (420, 840)]);
}

#[test]
fn a_forgotten_device_makes_no_further_event() {
    let venue = venue();
    let mut visits = Visits::new(&venue);
    visits.judge(EpochMs(noon()), &venue);
    for footprint in every_minute(0, -60, 0, 6) {
        visits.judge(EpochMs(footprint.at.0), &venue);
        visits.hear(&footprint);
    }
    visits.forget(Pseudonym(1));
    let events = visits.judge(EpochMs(noon() + 60 * MINUTE), &venue);
    assert!(events.is_empty());
}

#[test]
fn what_is_there_at_night_is_no_visitor_by_day() {
    let venue = venue();
    let mut visits = Visits::new(&venue);
    visits.judge(EpochMs(noon() - 5 * 60 * MINUTE), &venue);
    visits.hear_closed(Pseudonym(1));
    let mut by_day = |from: i64| {
        let mut ended = Vec::new();
        visits.judge(EpochMs(from), &venue);
        for minute in 0..6 {
            (1..=2).for_each(|who| {
                visits.hear(&heard(who, 0, -60, from + minute * MINUTE));
            });
        }
        visits.judge_each(EpochMs(from + 30 * MINUTE), &venue, &mut |Pseudonym(who), event| {
            if told(&event).is_some() {
                ended.push(who);
            }
        });
        (ended, visits.infrastructure())
    };
    assert_eq!(by_day(noon()), (vec![2, 2], 1), "the other's visit alone, to the zone and to the venue");
    let (mut tomorrow, known) = by_day(noon() + 24 * 60 * MINUTE);
    tomorrow.sort_unstable();
    assert_eq!((tomorrow, known), (vec![1, 1, 2, 2], 0), "the set is of the day");
    assert_eq!(visits.take_over().map(|over| over.infrastructure), Some(1), "and so is its number");
    assert_eq!(visits.take_over(), None);
}

#[test]
fn a_visit_of_six_hours_is_nobodys() {
    let ended = |minutes: i64| {
        let venue = venue();
        let mut visits = Visits::new(&venue);
        let mut ended = 0;
        let mut tell = |_: Pseudonym, event| ended += usize::from(matches!(event, VisitEvent::Ended { .. }));
        visits.judge_each(EpochMs(noon()), &venue, &mut tell);
        for footprint in every_minute(0, -60, 0, minutes) {
            visits.judge_each(footprint.at, &venue, &mut tell);
            visits.hear(&footprint);
        }
        visits.judge_each(EpochMs(noon() + (minutes + 17) * MINUTE), &venue, &mut tell);
        ended
    };
    assert_eq!(ended(359), 2, "its visit to the zone and to the venue");
    assert_eq!(ended(360), 0);
    assert_eq!(ended(500), 0, "and it begins no other");
}

#[test]
fn who_is_on_the_way_out_at_closing_is_a_visitor() {
    let venue = venue();
    let mut visits = Visits::new(&venue);
    let mut events = visits.judge(EpochMs(noon()), &venue);
    for footprint in every_minute(0, -60, 0, 6) {
        events.extend(visits.judge(footprint.at, &venue));
        visits.hear(&footprint);
    }
    events.extend(visits.judge(EpochMs(noon() + 7 * MINUTE), &venue));
    visits.hear_closed(Pseudonym(1));
    events.extend(visits.judge(EpochMs(noon() + 23 * MINUTE), &venue));
    assert_eq!(events.iter().filter_map(told).count(), 2);
    assert_eq!(visits.infrastructure(), 0);
}

/// The ways that visits are said to have gone: where they were first near, from where to where, where last near.
fn routes(footprints: &[Footprint]) -> Vec<String> {
    let venue = venue();
    let mut visits = Visits::new(&venue);
    let mut events = visits.judge(EpochMs(noon()), &venue);
    for footprint in footprints {
        events.extend(visits.judge(footprint.at, &venue));
        visits.hear(footprint);
    }
    let end = footprints.iter().map(|f| f.at.0).max().unwrap() + 17 * MINUTE;
    events.extend(visits.judge(EpochMs(end), &venue));
    let went = events.iter().filter_map(|event| match event {
        VisitEvent::Went { last, route, .. } => Some((route, (last.0 - noon()) / MINUTE)),
        _ => None,
    });
    let told = |(route, last): (&Route, i64)| {
        format!("in {} by {:?} out {}, last at {last} min", route.entered(), route.moves(), route.left())
    };
    went.map(told).collect()
}

#[test]
fn a_visit_says_when_it_ends_which_way_it_went_each_pair_once() {
    let there = |sensor: u16, from: i64, to: i64| every_minute(sensor, -60, from, to);
    let mut path = there(0, 0, 20);
    path.extend(there(1, 21, 40));
    assert_eq!(routes(&path), ["in 0 by [(0, 1)] out 1, last at 40 min"]);
    for turn in 0..3 {
        path.extend(there(0, 41 + 40 * turn, 60 + 40 * turn));
        path.extend(there(1, 61 + 40 * turn, 80 + 40 * turn));
    }
    assert_eq!(routes(&path), ["in 0 by [(0, 1), (1, 0)] out 1, last at 160 min"]);
    assert_eq!(routes(&every_minute(0, -85, 0, 20)), [""; 0], "a passer-by goes nowhere");
    // Near at the door for two minutes: it came in there, and its first stay is elsewhere.
    let mut path = there(0, 0, 2);
    path.extend(there(1, 3, 30));
    assert_eq!(routes(&path), ["in 0 by [] out 1, last at 30 min"]);
}

#[test]
fn no_visit_says_more_of_its_way_than_has_a_limit() {
    let stays: Vec<u16> = (0..2 * STAYS_MAX as u16).collect();
    let route = Route::of(7, &stays, 9);
    assert_eq!((route.entered(), route.left()), (7, 9));
    assert_eq!(route.moves().len(), STAYS_MAX - 1);
    assert_eq!(route.touched().len(), STAYS_MAX);
}

#[test]
fn a_visit_that_is_forgotten_says_nothing_of_its_way() {
    let venue = venue();
    let mut visits = Visits::new(&venue);
    let mut events = visits.judge(EpochMs(noon()), &venue);
    let mut path = every_minute(0, -60, 0, 20);
    path.extend(every_minute(1, -60, 21, 40));
    for footprint in &path {
        events.extend(visits.judge(footprint.at, &venue));
        visits.hear(footprint);
    }
    visits.forget(Pseudonym(1));
    events.extend(visits.judge(EpochMs(noon() + 60 * MINUTE), &venue));
    assert!(!events.iter().any(|event| matches!(event, VisitEvent::Went { .. })));
}
