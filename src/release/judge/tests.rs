use super::*;
use crate::aggregate::Level;
use crate::config::{Config, EXAMPLE};

const MADE: Made = Made { calibration: 3, calibrated: true };

/// Two zones in one group.
fn judge() -> Judge {
    let venue = Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues.remove(0);
    Judge::new(Arc::new(venue), 1, None)
}

fn level(people: f64) -> Option<Level> {
    Some(Level { people, half_width: 4.0, root_mean: people / 7.0, calibration: 3, calibrated: true })
}

/// The half-minutes of five minutes.
fn hear(judge: &mut Judge, number: i64, halves: &[[f64; 2]; 10]) {
    for (half, [first, second]) in (1..).zip(halves) {
        let end = EpochMs(number * 300_000 + half * 30_000);
        let zones = vec![level(*first), level(*second)];
        judge.hear(&Newest { end, venue: level(first + second), zones });
    }
}

/// Five minutes are heard, and close.
fn five(judge: &mut Judge, number: i64, halves: &[[f64; 2]; 10]) -> Vec<Figure> {
    hear(judge, number, halves);
    let [first, second] =
        [0, 1].map(|zone| halves.iter().map(|half| half[zone]).sum::<f64>() / halves.len() as f64);
    judge.judge(window(number, first, second))
}

fn window(number: i64, first: f64, second: f64) -> Closed {
    let covered = |people| Covered {
        coverage: 1.0,
        beating: 1.0,
        row: Occupancy {
            mean: level(people),
            peak: level(people + 1.0),
            root_mean: Some(people / 7.0),
            halves: 10,
        },
    };
    let rows = [
        (Place::Venue, first + second),
        (Place::Group(0), first + second),
        (Place::Zone(0), first),
        (Place::Zone(1), second),
    ];
    Closed::Crowd(ZoneWindow {
        step: Step::FiveMinutes,
        window: Window { from: EpochMs(number * 300_000), to: EpochMs((number + 1) * 300_000) },
        rows: rows.into_iter().map(|(place, people)| (place, covered(people))).collect(),
    })
}

/// Occupancy of the venue, the group and the two zones.
fn occupancy(figures: &[Figure]) -> Vec<Option<u32>> {
    figures.iter().filter(|f| f.metric() == Metric::Occupancy).map(|f| f.value().map(|b| b.value)).collect()
}

#[test]
fn the_venue_is_shown_from_2k_until_under_k_and_no_zone_without_it() {
    let mut judge = judge();
    let cases = [
        (0.0, 0.0, [None, None, None, None]),
        (12.0, 7.4, [None, None, None, None]),
        (12.0, 11.4, [Some(25), Some(23), Some(12), Some(11)]),
        (11.0, 0.4, [Some(15), Some(16), Some(11), None]),
        (9.4, 0.0, [None, None, None, None]),
        (15.0, 0.0, [None, None, None, None]),
    ];
    for (number, (first, second, expected)) in (0..).zip(cases) {
        let figures = five(&mut judge, number, &[[first, second]; 10]);
        assert_eq!(occupancy(&figures), expected, "{first} and {second}");
    }
}

#[test]
fn what_is_held_back_is_nothing_at_all() {
    let mut judge = judge();
    let figures = five(&mut judge, 0, &[[5.0, 6.0]; 10]);
    assert_eq!(figures.len(), 8);
    for figure in figures {
        assert_eq!((figure.value(), figure.root_mean_centi()), (None, None));
        assert_eq!(figure.state(), super::super::State::HeldBack);
    }
}

#[test]
fn a_shown_zone_keeps_its_v_and_its_band() {
    let mut judge = judge();
    let figures = five(&mut judge, 0, &[[14.0, 21.3]; 10]);
    let zone =
        figures.iter().find(|f| f.scope().id().is_some_and(|id| id.as_str() == "entrance-north")).unwrap();
    assert_eq!(zone.value(), Some(Banded { value: 14, low: 10, high: 18 }));
    assert_eq!(zone.root_mean_centi(), Some(200));
    assert_eq!(
        figures[0].value(),
        Some(Banded { value: 35, low: 25, high: 45 }),
        "the venue's band is rounded outward"
    );
    assert_eq!(figures[1].value().unwrap().value, 35, "its peak likewise");
}

#[test]
fn half_minutes_that_were_hidden_are_counted_as_half_of_k() {
    let mut judge = judge();
    let mut halves = [[40.0, 20.0]; 10];
    halves[7..].fill([40.0, 2.0]);
    let figures = five(&mut judge, 0, &halves);
    // (7·60 + 3·45) / 10 whatever there was; the zone itself is told whole or not at all.
    assert_eq!(occupancy(&figures), [Some(55), Some(56), Some(40), None]);
    assert_eq!(figures[7].value().unwrap().value, 20, "the peak of what was told");
    let of_zone = |figure: &Figure| figure.root_mean_centi();
    assert!(of_zone(&figures[4]).is_some() && of_zone(&figures[6]).is_none(), "v would tell of the hidden");
}

#[test]
fn flags_tell_silence_restarts_and_replays() {
    let mut judge = judge();
    let mut closed = window(1, 14.0, 21.0);
    if let Closed::Crowd(window) = &mut closed {
        window.rows[0].1.coverage = 0.9996;
        for (_, covered) in &mut window.rows {
            covered.row.mean =
                covered.row.mean.map(|mean| Level { calibrated: false, calibration: 0, ..mean });
        }
    }
    assert!(!judge.begins(EpochMs(400_000)), "no earlier run left anything");
    judge.begins(EpochMs(0));
    judge.earlier = Some(EpochMs(350_000));
    hear(&mut judge, 1, &[[14.0, 21.0]; 10]);
    let figures = judge.judge(closed);
    assert_eq!(figures[0].flags().words(), ["incomplete", "uncalibrated", "rekeyed"]);
    assert_eq!(figures[0].coverage_permille(), 999);
    assert_eq!(figures[2].flags().words(), ["uncalibrated", "rekeyed"]);
    judge.earlier = Some(EpochMs(300_000 - 1000 * RUN_ON_SECS));
    let figures = judge.judge(window(1, 14.0, 21.0));
    assert!(
        !figures[0].flags().rekeyed,
        "an earlier run that ended before the window left nothing out of it"
    );
}

fn beats(zone: &str) -> SensorLive {
    let id = |text| passant_wire::Id::parse(text).unwrap();
    SensorLive {
        sensor: id("sensor"),
        zone: id(zone),
        alive: true,
        last_heard: None,
        rate: super::super::RateBand::Normal,
        clock_error_ms: None,
        gaps: 0,
        repeats: 0,
        refused: Vec::new(),
    }
}

#[test]
fn live_follows_the_same_rules() {
    let mut judge = judge();
    let mut end = EpochMs(0);
    let mut shown = |venue: Option<Level>, zones: [Option<Level>; 2]| {
        end = EpochMs(end.0 + 30_000);
        let newest = Newest { end, venue, zones: zones.to_vec() };
        let live = judge.live(end, Some(&newest), MADE, vec![beats("entrance-north"), beats("food-court")]);
        (live.occupancy, live.zones[0].1, live.zones[1].1)
    };
    let people = |value, low, high| Shown::People(Banded { value, low, high });
    assert_eq!(
        shown(level(19.4), [level(19.0), level(0.4)]),
        (Shown::HeldBack, Shown::HeldBack, Shown::HeldBack)
    );
    assert_eq!(
        shown(level(40.0), [level(20.0), level(20.0)]),
        (people(40, 30, 50), people(20, 16, 24), people(20, 16, 24))
    );
    assert_eq!(
        shown(level(23.0), [level(20.0), level(3.0)]),
        (people(25, 15, 45), people(20, 16, 24), Shown::UnderK)
    );
    assert_eq!(shown(level(20.0), [level(20.0), None]).2, Shown::NoData);
    assert_eq!(
        shown(None, [None, None]),
        (Shown::HeldBack, Shown::HeldBack, Shown::HeldBack),
        "a sensor that beats hears nobody or few, and which is not said"
    );
}

/// The venue's visits of a window, each kind that many for every quarter of an hour in it.
fn visits(step: Step, from: i64, quarters: u64) -> Closed {
    let mut dwell = crate::aggregate::Dwell::default();
    (0..37 * quarters).for_each(|_| dwell.add(20));
    let row = Traffic {
        visits: 111 * quarters,
        passersby: 37 * quarters,
        bounces: 37 * quarters,
        engaged: 37 * quarters,
        visitors: 37.0 * quarters as f64,
        dwell,
        infrastructure: 0,
    };
    let window = Window { from: EpochMs(from), to: EpochMs(from + quarters as i64 * 900_000) };
    Closed::Visits(ZoneWindow {
        step,
        window,
        rows: vec![(Place::Venue, Covered { coverage: 1.0, beating: 1.0, row })],
    })
}

#[test]
fn an_hour_is_told_whole_though_chance_dropped_some_of_each_quarter() {
    let mut judge = judge();
    judge.set_chance_share(0.0125);
    // The example's day begins at four; so does an hour, wherever its zone lies.
    let hour = 1_764_000_000_000;
    for quarter in 0..4 {
        let _ = judge.judge(visits(Step::QuarterHour, hour + quarter * 900_000, 1));
    }
    let told = judge.judge(visits(Step::Hour, hour, 4));
    let told: Vec<_> = told.iter().map(|f| (f.metric(), f.value().map(|banded| banded.value))).collect();
    // 444 and 148 over 0.9875 are 449.6 and 149.9.
    assert!(told.contains(&(Metric::Visits, Some(450))), "{told:?}");
    assert!(
        told.contains(&(Metric::Passersby, Some(150))) && told.contains(&(Metric::Visitors, Some(150))),
        "{told:?}"
    );
    let bands = judge.judge(visits(Step::QuarterHour, hour + 4 * 900_000, 1));
    let visits = bands.iter().find(|f| f.metric() == Metric::Visits).and_then(Figure::value).unwrap();
    assert!(visits.low <= 111 && visits.high >= 111, "{visits:?}");
}
