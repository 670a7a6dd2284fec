use super::*;
use crate::clock::Step;
use crate::config::{Config, EXAMPLE};
use crate::optout::{Gate, Key as GateKey};
use crate::sighting::Sighting;

const HOUR_MS: i64 = 3_600_000;

fn venue() -> Venue {
    Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues.remove(0)
}

/// 2026-11-20 is a Friday; hours count from its 04:00 in Paris.
fn now(venue: &Venue, hours: f64) -> Now {
    let start = chrono::DateTime::parse_from_rfc3339("2026-11-20T04:00:00+01:00").unwrap().timestamp_millis();
    let ms = (hours * HOUR_MS as f64) as i64;
    let at = EpochMs(start + ms);
    Now { at, steady: SteadyMs(ms), day: venue.calendar.window_of(at, Step::Day), open: true }
}

fn trace(
    ring: &mut Keyring,
    address: &str,
    class: AddressClass,
    at: EpochMs,
    now: &Now,
) -> Result<Trace, NoFootprint> {
    let device = DeviceId::parse(address).unwrap();
    let gate = Gate::new(std::sync::Arc::new(GateKey::random().unwrap()));
    let admitted = gate.admit(Sighting { device, class, rssi: -60, at: None }).unwrap();
    ring.impress(admitted, 0, at, now).unwrap().map(|footprint| footprint.trace)
}

fn stable(ring: &mut Keyring, at: EpochMs, now: &Now) -> Option<u64> {
    match trace(ring, "a4:c1:38:11:22:33", AddressClass::Global, at, now) {
        Ok(Trace::Stable(Pseudonym(p))) => Some(p),
        _ => None,
    }
}

#[test]
fn a_stable_device_is_the_same_all_day_and_another_the_next() {
    let venue = venue();
    let mut ring = Keyring::new(&venue);
    let (morning, evening, next) = (now(&venue, 6.0), now(&venue, 16.0), now(&venue, 30.0));
    let first = stable(&mut ring, morning.at, &morning).unwrap();
    assert_eq!(stable(&mut ring, evening.at, &evening), Some(first));
    assert_ne!(stable(&mut ring, next.at, &next), Some(first));
    assert_eq!(ring.days.len(), 1, "yesterday's key is gone");
}

#[test]
fn two_venues_share_nothing() {
    let venue = venue();
    let now = now(&venue, 6.0);
    let (mut here, mut there) = (Keyring::new(&venue), Keyring::new(&venue));
    assert_ne!(stable(&mut here, now.at, &now), stable(&mut there, now.at, &now));
}

#[test]
fn a_class_does_not_change_the_pseudonym_and_a_radio_does() {
    let venue = venue();
    let now = now(&venue, 6.0);
    let mut ring = Keyring::new(&venue);
    let mut of = |class| match trace(&mut ring, "a4:c1:38:11:22:33", class, now.at, &now) {
        Ok(Trace::Stable(Pseudonym(p))) => p,
        _ => panic!("not stable"),
    };
    let wifi = of(AddressClass::Global);
    assert_eq!(of(AddressClass::Associated), wifi);
    assert_ne!(of(AddressClass::BlePublic), wifi);
}

#[test]
fn the_day_before_lives_two_minutes_longer_and_no_key_24_hours() {
    let venue = venue();
    let mut ring = Keyring::new(&venue);
    let evening = now(&venue, 16.0);
    let first = stable(&mut ring, evening.at, &evening);
    let last_moment = EpochMs(evening.day.to.0 - 1);
    let grace = now(&venue, 24.0 + 119.0 / 3600.0);
    assert_eq!(stable(&mut ring, last_moment, &grace), first);
    let over = now(&venue, 24.0 + 121.0 / 3600.0);
    assert_eq!(stable(&mut ring, last_moment, &over), None, "the key is gone and is not made again");

    let mut old = Keyring::new(&venue);
    let morning = now(&venue, 0.0);
    assert!(stable(&mut old, morning.at, &morning).is_some());
    let grace = now(&venue, 24.0 + 1.0 / 3600.0);
    assert_eq!(stable(&mut old, last_moment, &grace), None, "24 hours are over though the grace is not");
    assert_eq!(old.forget(&grace), Wiped { days: 1, stalled_halves: 0 });
}

#[test]
fn a_stalled_venue_clock_does_not_keep_a_key() {
    let venue = venue();
    let mut ring = Keyring::new(&venue);
    let morning = now(&venue, 1.0);
    let first = stable(&mut ring, morning.at, &morning);
    let stalled = Now { steady: SteadyMs(morning.steady.0 + KEY_LIFE_MS), ..morning };
    let second = stable(&mut ring, morning.at, &stalled);
    assert!(second.is_some() && second != first);
    assert!(trace(&mut ring, "9e9f057a6af1", AddressClass::Random, morning.at, &stalled).is_ok());
    let later = Now { steady: SteadyMs(stalled.steady.0 + KEY_LIFE_MS), ..morning };
    assert_eq!(ring.forget(&later), Wiped { days: 1, stalled_halves: 1 }, "they are wiped, not only unused");
}

#[test]
fn a_sensor_that_runs_ahead_makes_no_identity_live_longer() {
    let venue = venue();
    let mut ring = Keyring::new(&venue);
    let now = now(&venue, 6.0);
    let device = DeviceId::parse("9e9f057a6af1").unwrap();
    let gate = Gate::new(std::sync::Arc::new(GateKey::random().unwrap()));
    let sighting = Sighting { device, class: AddressClass::Random, rssi: -60, at: None };
    let ahead = EpochMs(now.at.0 + 29_999);
    let footprint = ring.impress(gate.admit(sighting).unwrap(), 0, ahead, &now).unwrap().unwrap();
    assert_eq!(footprint.at, now.at);
}

#[test]
fn a_fleeting_device_is_the_same_for_one_half_minute_and_its_key_dies_after_forty_seconds() {
    let venue = venue();
    let mut ring = Keyring::new(&venue);
    let now = now(&venue, 6.0);
    let mut tag = |ms: i64, now: &Now| {
        let at = EpochMs(now.at.0 + ms);
        let now = &Now { at: now.at.max(at), ..*now };
        match trace(&mut ring, "9e:9f:05:7a:6a:f1", AddressClass::Random, at, now) {
            Ok(Trace::Fleeting(Tag(tag))) => Some(tag),
            _ => None,
        }
    };
    let first = tag(0, &now);
    assert_eq!(tag(29_999, &now), first);
    assert_ne!(tag(30_000, &now), first);
    let later = Now { at: EpochMs(now.at.0 + 39_999), ..now };
    assert_eq!(tag(-39_999, &later), first);
    let over = Now { at: EpochMs(now.at.0 + 40_000), ..now };
    assert_eq!(tag(-40_000, &over), None);
    ring.forget(&over);
    assert_eq!(ring.halves.len(), 1);
}

#[test]
fn outside_and_closed_leave_nothing_to_follow() {
    let venue = venue();
    let mut ring = Keyring::new(&venue);
    let night = Now { open: false, ..now(&venue, 20.0) };
    let closed = trace(&mut Keyring::new(&venue), "a4c138112233", AddressClass::Global, night.at, &night);
    assert!(matches!(closed, Ok(Trace::Closed(_))), "that it is there, for the infrastructure set alone");
    assert!(trace(&mut ring, "9e9f057a6af1", AddressClass::Random, night.at, &night) == Ok(Trace::Night));
    assert_eq!(
        trace(&mut ring, "4e9f057a6af1", AddressClass::BleResolvable, night.at, &night).err(),
        Some(NoFootprint::OtherRadio)
    );
    ring.outside_floor_dbm = -50;
    let day = now(&venue, 6.0);
    assert_eq!(
        trace(&mut ring, "a4c138112233", AddressClass::Global, day.at, &day).err(),
        Some(NoFootprint::Outside)
    );
    assert!(ring.days.is_empty(), "no key is made for nobody");
}

#[test]
fn an_objection_finds_todays_pseudonym() {
    let venue = venue();
    let mut ring = Keyring::new(&venue);
    let now = now(&venue, 6.0);
    let seen = stable(&mut ring, now.at, &now).unwrap();
    let found = ring.pseudonyms_of(&DeviceId::parse("A4-C1-38-11-22-33").unwrap());
    assert!(found.contains(&Pseudonym(seen)));
}
