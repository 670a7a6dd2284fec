use super::*;
use crate::config::{Config, EXAMPLE};
use crate::crowd::Estimate;
use crate::visit::{Distinct, Kind};

/// Two zones, both in the group "ground".
fn venue() -> Venue {
    Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues.remove(0)
}

/// Friday 2026-11-20 in Paris; the venue opens at 09:30.
fn at(time: &str) -> EpochMs {
    EpochMs(
        chrono::DateTime::parse_from_rfc3339(&format!("2026-11-20T{time}:00+01:00"))
            .unwrap()
            .timestamp_millis(),
    )
}

fn beat(zone: u16, at: EpochMs, people: Option<f64>) -> Beat {
    let estimate = people.map(|people| Estimate {
        root_mean: people / 7.0,
        people,
        half_width: people / 2.0,
        calibration: people as u32,
        calibrated: people > 10.0,
    });
    let alive = if people.is_some() { 1.0 } else { 0.0 };
    Beat { zone, at, estimate, alive, beating: alive }
}

fn half(at: EpochMs, first: Option<f64>, second: Option<f64>) -> [Beat; 2] {
    [beat(0, at, first), beat(1, at, second)]
}

fn crowd(closed: Vec<Closed>, step: Step) -> ZoneWindow<Occupancy> {
    let of_step = closed.into_iter().find_map(|c| match c {
        Closed::Crowd(window) if window.step == step => Some(window),
        _ => None,
    });
    of_step.unwrap()
}

#[test]
fn occupancy_is_the_mean_of_half_minutes_and_a_sum_adds_zones_and_bands() {
    let venue = venue();
    let mut aggregate = Aggregate::new(&venue);
    for n in 0..10 {
        let people = if n < 5 { 10.0 } else { 20.0 };
        aggregate.beats(
            &half(EpochMs(at("10:00").0 + n * HALF_MS), Some(people), (n != 9).then_some(30.0)),
            &venue,
        );
    }
    assert!(aggregate.close(EpochMs(at("10:07").0 - 1)).is_empty());
    let window = crowd(aggregate.close(at("10:07")), Step::FiveMinutes);
    assert_eq!(window.window, Window { from: at("10:00"), to: at("10:05") });
    let row = |place| window.rows.iter().find(|(p, _)| *p == place).unwrap().1;
    let people = |place| row(place).row.mean.unwrap().people;
    assert_eq!((people(Place::Zone(0)), people(Place::Zone(1))), (15.0, 30.0));
    // Nine half-minutes hold 10 or 20 and 30, the tenth 20 alone.
    assert_eq!(people(Place::Venue), (5.0 * 40.0 + 4.0 * 50.0 + 20.0) / 10.0);
    assert_eq!(people(Place::Group(0)), people(Place::Venue));
    let mean = row(Place::Venue).row.mean.unwrap();
    assert_eq!(
        (mean.calibration, mean.calibrated),
        (30, false),
        "the newest version, and not all of it calibrated"
    );
    assert_eq!(row(Place::Venue).row.peak.unwrap().people, 50.0);
    assert_eq!(row(Place::Venue).row.peak.unwrap().half_width, 25.0);
    assert_eq!(row(Place::Zone(1)).coverage, 0.9);
    assert_eq!(row(Place::Venue).coverage, 0.95);
    assert!((row(Place::Zone(0)).row.root_mean.unwrap() - 15.0 / 7.0).abs() < 1e-9);
}

#[test]
fn half_minutes_before_the_first_are_not_covered_unless_the_venue_was_closed() {
    let venue = venue();
    for (first, coverage) in [("10:30", 0.5), ("10:00", 1.0)] {
        let mut aggregate = Aggregate::new(&venue);
        let mut t = at(first);
        while t < at("11:00") {
            aggregate.beats(&half(t, Some(1.0), Some(1.0)), &venue);
            t = EpochMs(t.0 + HALF_MS);
        }
        let closed = aggregate.close(at("11:02"));
        assert_eq!(crowd(closed, Step::Hour).rows[0].1.coverage, coverage, "{first}");
    }
    let mut aggregate = Aggregate::new(&venue);
    aggregate.beats(&half(at("09:30"), Some(1.0), Some(1.0)), &venue);
    let day = &aggregate.crowd[&(Step::Day, at("04:00"))];
    assert_eq!((day.missed, day.halves), (0, 1), "nobody could come before the venue opened");
}

#[test]
fn a_visit_is_booked_where_it_ends_and_a_visitor_where_he_was() {
    let venue = venue();
    let mut aggregate = Aggregate::new(&venue);
    let place = VisitPlace::Zone(1);
    let ended = |kind, time, dwell_minutes| VisitEvent::Ended {
        place,
        who: Distinct(9 << 60),
        first: at(time),
        last: at(time),
        kind,
        dwell_minutes,
    };
    let present =
        |who, from, to| VisitEvent::Present { place, who: Distinct(who), from: at(from), to: at(to) };
    let events = [
        ended(Kind::Visitor, "10:59", 6),
        ended(Kind::Engaged, "11:00", 30),
        ended(Kind::Bounce, "10:10", 2),
        ended(Kind::PasserBy, "10:10", 2),
        present(1 << 60, "10:50", "11:05"),
        present(1 << 60, "10:55", "10:56"),
        present(2 << 60, "10:50", "10:51"),
    ];
    aggregate.visits(&events, &venue);
    let mut reversed = Aggregate::new(&venue);
    reversed.visits(&events.iter().rev().copied().collect::<Vec<_>>(), &venue);
    let closed = aggregate.close(at("12:17"));
    assert_eq!(closed, reversed.close(at("12:17")));
    let hours: Vec<_> = closed
        .iter()
        .filter_map(|c| match c {
            Closed::Visits(w) if w.step == Step::Hour => {
                Some(&w.rows.iter().find(|r| r.0 == Place::Zone(1)).unwrap().1.row)
            }
            _ => None,
        })
        .collect();
    let told: Vec<_> =
        hours.iter().map(|t| (t.visits, t.passersby, t.bounces, t.engaged, t.visitors.round())).collect();
    assert_eq!(told, [(3, 1, 1, 0, 2.0), (1, 0, 0, 1, 1.0)]);
    assert_eq!(hours[0].dwell.quantile(0.5), Some(6));
}

#[test]
fn windows_of_visits_close_after_seventeen_minutes() {
    let venue = venue();
    let mut aggregate = Aggregate::new(&venue);
    aggregate.beats(&half(at("10:00"), Some(1.0), Some(1.0)), &venue);
    let of_visits =
        |closed: Vec<Closed>| closed.into_iter().filter(|c| matches!(c, Closed::Visits(_))).count();
    assert_eq!(of_visits(aggregate.close(EpochMs(at("10:32").0 - 1))), 0);
    assert_eq!(of_visits(aggregate.close(at("10:32"))), 1, "the venue's quarter of an hour");
    assert_eq!(of_visits(aggregate.close(at("11:17"))), 1, "the hour");
}

#[test]
fn dwell_quartiles_and_mean() {
    let mut dwell = Dwell::default();
    (1..=100).for_each(|minutes| dwell.add(minutes));
    assert_eq!([0.25, 0.5, 0.75, 1.0].map(|q| dwell.quantile(q)), [25, 50, 75, 100].map(Some));
    let (mean, sigma) = dwell.mean_and_sigma().unwrap();
    assert_eq!(mean, 50.5);
    assert!((sigma - ((100.0_f64.powi(2) - 1.0) / 12.0).sqrt()).abs() < 1e-9);
    assert_eq!(Dwell::default().quantile(0.5), None);
}

#[test]
fn what_an_earlier_run_left_open_closes_as_no_data() {
    let venue = venue();
    let mut aggregate = Aggregate::new(&venue);
    aggregate.resume(at("11:01"), &venue);
    let told: Vec<_> = aggregate
        .close(at("11:20"))
        .into_iter()
        .map(|closed| match closed {
            Closed::Crowd(w) => ("crowd", w.step, w.window.to, w.rows[0].1.coverage),
            Closed::Visits(w) => ("visits", w.step, w.window.to, w.rows[0].1.coverage),
        })
        .collect();
    let (ten45, eleven) = (at("10:45"), at("11:00"));
    assert_eq!(
        told,
        [
            ("crowd", Step::FiveMinutes, eleven, 0.0),
            ("crowd", Step::QuarterHour, eleven, 0.0),
            ("crowd", Step::Hour, eleven, 0.0),
            ("visits", Step::QuarterHour, ten45, 0.0),
            ("visits", Step::QuarterHour, eleven, 0.0),
            ("visits", Step::Hour, eleven, 0.0),
        ]
    );
}

#[test]
fn a_zone_without_a_sensor_takes_nothing_from_the_venue() {
    let mut venue = venue();
    venue.sensors.truncate(1);
    let mut aggregate = Aggregate::new(&venue);
    for n in 0..10 {
        aggregate.beats(&half(EpochMs(at("10:00").0 + n * HALF_MS), Some(1.0), None), &venue);
    }
    let window = crowd(aggregate.close(at("10:07")), Step::FiveMinutes);
    let coverages: Vec<_> = window.rows.iter().map(|(place, row)| (*place, row.coverage)).collect();
    assert_eq!(
        coverages,
        [(Place::Venue, 1.0), (Place::Group(0), 1.0), (Place::Zone(0), 1.0), (Place::Zone(1), 0.0)]
    );
}

#[test]
fn the_infrastructure_of_a_day_comes_with_its_end_into_the_venues_day_alone() {
    let venue = venue();
    let mut aggregate = Aggregate::new(&venue);
    let over = DayOver { day: at("04:00"), infrastructure: 37 };
    aggregate.infrastructure(over);
    assert!(
        aggregate.close(EpochMs(at("04:00").0 + 2 * 86_400_000)).is_empty(),
        "the venue was closed all day"
    );
    let mut aggregate = Aggregate::new(&venue);
    aggregate.beats(&half(at("10:00"), Some(1.0), Some(1.0)), &venue);
    aggregate.infrastructure(over);
    for closed in aggregate.close(EpochMs(at("04:00").0 + 2 * 86_400_000)) {
        let Closed::Visits(ZoneWindow { step, rows, .. }) = closed else { continue };
        for (place, covered) in rows {
            let is_it = step == Step::Day && place == Place::Venue;
            assert_eq!(covered.row.infrastructure, if is_it { 37 } else { 0 }, "{place:?} {step:?}");
        }
    }
}
