use super::*;
use crate::config::{Config, EXAMPLE};
use crate::pseudonym::Tag;

const START: i64 = 1_764_000_000_000;

fn venue(hours: &str) -> Venue {
    let (head, tail) = EXAMPLE.split_once("[venue.hours]").unwrap();
    let (_, tail) = tail.split_once("[venue.thresholds]").unwrap();
    let text = format!("{head}{hours}\n[venue.thresholds]{tail}");
    Config::parse(&text, std::iter::empty()).unwrap().venues.remove(0)
}

fn heard(sensor: u16, rssi: i8, at: i64, tag: u64) -> Footprint {
    Footprint { sensor, rssi, at: EpochMs(at), trace: Trace::Fleeting(Tag(tag)) }
}

fn close(crowd: &mut Crowd, venue: &Venue, now: i64) -> Vec<Beat> {
    close_with(crowd, venue, now, &Mixing::new(2))
}

fn close_with(crowd: &mut Crowd, venue: &Venue, now: i64, mixing: &Mixing) -> Vec<Beat> {
    crowd.close(EpochMs(now), venue, (&mut Calibrator::default(), mixing), |_, _| [1.0; 2])
}

#[test]
fn a_half_minute_closes_ten_seconds_after_its_end_and_later_is_late() {
    let venue = venue("");
    let mut crowd = Crowd::new(&venue);
    assert!(close(&mut crowd, &venue, START).is_empty());
    assert_eq!(crowd.hear(&heard(0, -60, START + 29_999, 1)), Heard::Counted);
    assert!(close(&mut crowd, &venue, START + 39_999).is_empty());
    assert_eq!(close(&mut crowd, &venue, START + 40_000).len(), 2, "one beat a zone");
    assert_eq!(crowd.hear(&heard(0, -60, START + 29_999, 1)), Heard::Late);
    assert_eq!(crowd.open.len(), 0, "its set is gone");
}

#[test]
fn each_address_counts_once_at_its_strongest_sensor_in_any_order() {
    let venue = venue("");
    let heard = [
        heard(0, -70, START, 1),
        heard(1, -60, START + 1, 1),
        heard(0, -60, START + 2, 1),
        heard(0, -74, START, 2),
        heard(1, -76, START, 3),
    ];
    let mut orders = [heard, heard, heard];
    orders[1].reverse();
    orders[2].rotate_left(2);
    for order in orders {
        let mut crowd = Crowd::new(&venue);
        close(&mut crowd, &venue, START);
        for footprint in order {
            crowd.hear(&footprint);
            crowd.hear(&footprint);
        }
        let counts = crowd.open.pop_front().unwrap().count(&crowd.zone_of, 2);
        assert_eq!(counts, [2, 0], "device 1 at the first of equals, device 2 over θ, device 3 under it");
    }
}

#[test]
fn twelve_live_half_minutes_make_an_estimate_and_silence_is_no_data() {
    let venue = venue("");
    let mut crowd = Crowd::new(&venue);
    close(&mut crowd, &venue, START);
    let mut last = Vec::new();
    for half in 0..12 {
        for tag in 0..4 {
            crowd.hear(&heard(0, -60, START + half * HALF_MS, 100 * half as u64 + tag));
        }
        last = close(&mut crowd, &venue, START + (half + 1) * HALF_MS + HALF_GRACE_MS);
        assert_eq!(last[0].estimate.is_some(), half == 11);
    }
    let estimate = last[0].estimate.unwrap();
    assert_eq!((estimate.root_mean, estimate.people), (2.0, 14.0));
    assert_eq!(last[1].estimate.unwrap().people, 0.0, "an alive sensor that hears nobody says nobody");
    let dead = crowd.close(
        EpochMs(START + 13 * HALF_MS + HALF_GRACE_MS),
        &venue,
        (&mut Calibrator::default(), &Mixing::new(2)),
        |_, _| [0.0; 2],
    );
    assert!(dead.iter().all(|beat| beat.estimate.is_none()), "a silent one says nothing");
}

#[test]
fn what_a_zone_hears_of_its_neighbours_people_is_given_back() {
    let venue = venue("");
    let mut mixing = Mixing::new(2);
    // Every other device of the first zone is loudest in the second.
    mixing.hear(0, 0, 10_000);
    mixing.hear(0, 1, 10_000);
    mixing.hear(1, 1, 20_000);
    let second = venue.sensors.iter().position(|sensor| sensor.zone == 1).unwrap() as u16;
    let mut crowd = Crowd::new(&venue);
    close_with(&mut crowd, &venue, START, &mixing);
    let mut last = Vec::new();
    for half in 0..12 {
        for tag in 0..16 {
            let sensor = if tag < 8 { 0 } else { second };
            crowd.hear(&heard(sensor, -60, START + half * HALF_MS, 100 * half as u64 + tag));
        }
        last = close_with(&mut crowd, &venue, START + (half + 1) * HALF_MS + HALF_GRACE_MS, &mixing);
    }
    let tags: Vec<f64> = last.iter().map(|beat| beat.estimate.unwrap().root_mean.powi(2)).collect();
    assert!((tags[0] + tags[1] - 16.0).abs() < 1e-9, "nobody is lost: {tags:?}");
    assert!(tags[0] > 14.0 && tags[1] < 2.0, "eight were heard in each, and all were in the first: {tags:?}");
}

#[test]
fn closed_hours_make_no_beat_and_teach_the_threshold() {
    let venue = venue("[venue.hours]\nmon = \"09:00-18:00\"\n");
    let mut crowd = Crowd::new(&venue);
    // A Sunday evening in Paris, then Monday from nine.
    let nine = chrono::DateTime::parse_from_rfc3339("2026-11-23T09:00:00+01:00").unwrap().timestamp_millis();
    assert!(close(&mut crowd, &venue, nine - 600 * HALF_MS).is_empty());
    assert!(close(&mut crowd, &venue, nine + HALF_GRACE_MS).is_empty());
    for _ in 0..200 {
        crowd.hear(&Footprint { sensor: 0, rssi: -70, at: EpochMs(nine), trace: Trace::Night });
    }
    let beats = close(&mut crowd, &venue, nine + HALF_MS + HALF_GRACE_MS);
    assert_eq!((beats.len(), beats[0].at.0), (2, nine));
    assert_eq!(crowd.threshold_dbm(), -70);
}

#[test]
fn a_long_silence_is_caught_up_within_its_limit() {
    let venue = venue("");
    let mut crowd = Crowd::new(&venue);
    close(&mut crowd, &venue, START);
    let beats = close(&mut crowd, &venue, START + 30 * 86_400_000);
    assert_eq!(beats.len(), 2 * CATCH_UP_HALVES_MAX as usize);
    assert!(close(&mut crowd, &venue, START + 30 * 86_400_000).is_empty());
}
