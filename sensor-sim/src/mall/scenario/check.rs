//! From a file to a mall: every name is looked up, every number has its bounds.

use chrono_tz::Tz;
use passant_wire::{Id, SIGHTINGS_MAX};

use super::file::{self, File, Role};
use super::{Error, Fixture, ITEMS_MAX, Opening, PEOPLE_MAX, Scenario, Sensor, Zone};

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The venue day begins here, so a mall must not be open then; the server's default.
pub(crate) const DAY_STARTS_MIN: u32 = 4 * 60;

pub(super) fn check(file: File) -> Result<Scenario, Error> {
    numbers(&file)?;
    let tz: Tz =
        file.venue.timezone.parse().map_err(|_| wrong("venue.timezone", "name a zone like Europe/Paris"))?;
    for (what, len) in
        [("floor", file.floors.len()), ("zone", file.zones.len()), ("sensor", file.sensors.len())]
    {
        require(
            (1..=ITEMS_MAX).contains(&len),
            what,
            &format!("{len} of them; 1 to {ITEMS_MAX} are possible"),
        )?;
    }
    let zones = zones(&file)?;
    let (sensors, fixtures) = (sensors(&file, &zones)?, fixtures(&file, &zones)?);
    Ok(Scenario {
        venue: id("venue.id", &file.venue.id)?,
        name: file.venue.name,
        tz,
        hours: hours(&file.hours)?,
        arrivals: file.arrivals,
        people: file.people,
        devices: file.devices,
        rhythms: file.rhythms,
        radio: file.radio,
        sending: file.sending,
        floors: file.floors,
        zones,
        sensors,
        fixtures,
    })
}

fn numbers(file: &File) -> Result<(), Error> {
    let File { arrivals, people, devices, rhythms, radio, sending, .. } = file;
    let within = |at: &str, values: &[f64], low: f64, high: f64| {
        let good = values.iter().all(|value| (low..=high).contains(value));
        require(good, at, &format!("give {low} to {high}"))
    };
    within("arrivals.people_by_weekday", &arrivals.people_by_weekday, 0.0, PEOPLE_MAX)?;
    for hours in [&arrivals.weekday_by_hour, &arrivals.weekend_by_hour] {
        within("arrivals, by hour", hours, 0.0, 1e6)?;
    }
    within("arrivals.passersby_per_person", &[arrivals.passersby_per_person], 0.0, 100.0)?;
    within("people.group_size_weights", &people.group_size_weights, 0.0, 1e6)?;
    let sizes = &people.group_size_weights;
    require(
        sizes.len() <= 20 && sizes.iter().sum::<f64>() > 0.0,
        "people.group_size_weights",
        "give 1 to 20 sizes",
    )?;
    within("people.stops_mean", &[people.stops_mean], 1.0, 20.0)?;
    within("people.walk_m_per_sec", &[people.walk_m_per_sec], 0.1, 5.0)?;
    within("people", &[people.near_m, people.stairs_m, people.spot_secs], 1.0, 1e4)?;
    within(
        "people, minutes",
        &[people.leaving_mins, people.staff_before_mins, people.staff_after_mins],
        0.0,
        120.0,
    )?;
    within("devices, shares", &shares(devices), 0.0, 1.0)?;
    within("rhythms, shares", &[rhythms.ios_under_minute_share, rhythms.ios_spike_share], 0.0, 1.0)?;
    within("rhythms.awake_share", &[rhythms.awake_share], 0.01, 1.0)?;
    within("rhythms, seconds", &intervals(rhythms), 1.0, 3600.0)?;
    within("rhythms.burst_ms", &[rhythms.burst_ms], 1.0, 2000.0)?;
    within("rhythms.frames_per_burst", &rhythms.frames_per_burst.map(f64::from), 1.0, 50.0)?;
    within("radio, at 1 m", &[radio.wifi_at_1_m_dbm, radio.ble_at_1_m_dbm], -100.0, 0.0)?;
    within("radio.exponent", &[radio.exponent], 1.0, 6.0)?;
    within("radio, losses", &[radio.wall_loss_db, radio.floor_loss_db, radio.sigma_db], 0.0, 40.0)?;
    within("radio.body_loss_db", &radio.body_loss_db, 0.0, 40.0)?;
    within("radio.weakest_dbm", &[radio.weakest_dbm], -120.0, -40.0)?;
    within("radio.floor_height_m", &[radio.floor_height_m], 1.0, 30.0)?;
    within("radio.shadow_shares", &radio.shadow_shares, 0.0, 1.0)?;
    let whole = (radio.shadow_shares.iter().sum::<f64>() - 1.0).abs() < 1e-9;
    require(whole, "radio.shadow_shares", "make them add up to 1")?;
    within("sending.batch_secs", &[f64::from(sending.batch_secs)], 1.0, 10.0)?;
    let batch = (1..=SIGHTINGS_MAX).contains(&sending.batch_sightings_max);
    require(batch, "sending.batch_sightings_max", &format!("give 1 to {SIGHTINGS_MAX}"))?;
    for (at, [low, high]) in [
        ("arrivals.passing_secs", arrivals.passing_secs),
        ("rhythms.ble_rotation_mins", rhythms.ble_rotation_mins),
        ("rhythms.frames_per_burst", rhythms.frames_per_burst.map(f64::from)),
        ("radio.body_loss_db", radio.body_loss_db),
    ] {
        require(low <= high && high <= 3600.0 && low >= 0.0, at, "give the lower number first")?;
    }
    Ok(())
}

fn shares(devices: &file::Devices) -> [f64; 9] {
    [
        devices.phone_share,
        devices.two_devices_share,
        devices.random_share,
        devices.associated_of_stable_share,
        devices.ios_share,
        devices.android_connected_share,
        devices.ble_share,
        devices.ble_static_share,
        devices.staff_badge_share,
    ]
}

fn intervals(rhythms: &file::Rhythms) -> [f64; 9] {
    [
        rhythms.android_unconnected_secs,
        rhythms.android_connected_secs,
        rhythms.ios_spikes_secs[0],
        rhythms.ios_spikes_secs[1],
        rhythms.ios_longest_secs.max(60.0),
        rhythms.awake_secs,
        rhythms.associated_secs,
        rhythms.ble_secs,
        rhythms.fixture_secs,
    ]
}

fn hours(table: &std::collections::BTreeMap<String, String>) -> Result<[Option<Opening>; 7], Error> {
    let mut hours = [None; 7];
    for (day, text) in table {
        let at = format!("hours.{day}");
        let place = WEEKDAYS.iter().position(|weekday| weekday == day);
        let place = place.ok_or_else(|| wrong(&at, "name a weekday, mon to sun"))?;
        if text == "closed" {
            continue;
        }
        let opening = text.split_once('-').and_then(|(from, to)| Some((minutes(from)?, minutes(to)?)));
        let opening = opening.filter(|(from, to)| from < to && *from > DAY_STARTS_MIN + 120);
        hours[place] = Some(opening.ok_or_else(|| wrong(&at, "write it as 09:30-20:00, after 06:00"))?);
    }
    Ok(hours)
}

fn minutes(text: &str) -> Option<u32> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour * 60 + minute)
}

fn zones(file: &File) -> Result<Vec<Zone>, Error> {
    let mut zones: Vec<Zone> = Vec::with_capacity(file.zones.len());
    for zone in &file.zones {
        let at = format!("zone {}", zone.id);
        let floor = file.floors.iter().position(|floor| floor.id == zone.floor);
        let floor = floor.ok_or_else(|| wrong(&at, "its floor is not one of the [[floor]]s"))?;
        let id = id(&at, &zone.id)?;
        require(zones.iter().all(|other| other.id != id), &at, "there is another zone of this id")?;
        let plan =
            (3..=100).contains(&zone.polygon.len()) && zone.polygon.iter().flatten().all(|m| m.abs() <= 1e4);
        require(plan, &at, "its polygon needs 3 to 100 corners within 10 km")?;
        let walkway = zone.role == Role::Walkway;
        require(walkway || zone.attraction > 0.0, &at, "its attraction must be over 0")?;
        let dwell =
            (0.1..=600.0).contains(&zone.dwell_median_mins) && (0.0..=3.0).contains(&zone.dwell_sigma);
        require(walkway || dwell, &at, "give a dwell median of 0.1 to 600 min and a sigma of 0 to 3")?;
        let passed = zone.outside.is_some() == (zone.role == Role::Entrance);
        require(passed, &at, "an entrance, and nothing else, has a place outside")?;
        let corners = zone.polygon.len() as f64;
        let middle = [0, 1].map(|axis| zone.polygon.iter().map(|corner| corner[axis]).sum::<f64>() / corners);
        zones.push(Zone {
            id,
            name: zone.name.clone(),
            floor,
            role: zone.role,
            polygon: zone.polygon.clone(),
            middle,
            attraction: zone.attraction,
            dwell_median_mins: zone.dwell_median_mins,
            dwell_sigma: zone.dwell_sigma,
            staff: zone.staff,
            outside: zone.outside,
        });
    }
    for role in [Role::Entrance, Role::Shop] {
        require(
            zones.iter().any(|zone| zone.role == role),
            "zone",
            "at least one entrance and one shop are needed",
        )?;
    }
    for (i, floor) in file.floors.iter().enumerate() {
        id(&format!("floor {}", floor.id), &floor.id)?;
        let walkways = zones.iter().filter(|zone| zone.floor == i && zone.role == Role::Walkway).count();
        require(walkways == 1, &format!("floor {}", floor.id), "a floor has exactly one walkway")?;
    }
    Ok(zones)
}

fn sensors(file: &File, zones: &[Zone]) -> Result<Vec<Sensor>, Error> {
    let mut sensors: Vec<Sensor> = Vec::with_capacity(file.sensors.len());
    for sensor in &file.sensors {
        let at = format!("sensor {}", sensor.id);
        let id = id(&at, &sensor.id)?;
        require(sensors.iter().all(|other| other.id != id), &at, "there is another sensor of this id")?;
        let shares = [sensor.duty, sensor.loss].iter().all(|share| (0.0..=1.0).contains(share));
        require(shares, &at, "duty and loss are shares, 0 to 1")?;
        require((-20..=20).contains(&sensor.rssi_offset_db), &at, "its offset is at most 20 dB either way")?;
        require(sensor.at.iter().all(|m| m.abs() <= 1e4), &at, "hang it within 10 km")?;
        sensors.push(Sensor {
            id,
            zone: find(&at, &sensor.zone, zones)?,
            at: sensor.at,
            rssi_offset_db: sensor.rssi_offset_db,
            heard_share: sensor.duty * (1.0 - sensor.loss),
        });
    }
    Ok(sensors)
}

fn fixtures(file: &File, zones: &[Zone]) -> Result<Vec<Fixture>, Error> {
    let fixture = |fixture: &file::Fixture| {
        let zone = find("fixture", &fixture.zone, zones)?;
        require(
            usize::from(fixture.count) <= ITEMS_MAX,
            "fixture",
            &format!("at most {ITEMS_MAX} of a kind"),
        )?;
        Ok(Fixture { zone, kind: fixture.kind, count: fixture.count })
    };
    file.fixtures.iter().map(fixture).collect()
}

fn find(at: &str, zone: &str, zones: &[Zone]) -> Result<usize, Error> {
    let place = zones.iter().position(|other| other.id.as_str() == zone);
    place.ok_or_else(|| wrong(at, "its zone is not one of the [[zone]]s"))
}

fn id(at: &str, text: &str) -> Result<Id, Error> {
    Id::parse(text).ok_or_else(|| wrong(at, "an id is 1 to 64 letters, digits, - _ or ."))
}

fn require(good: bool, at: &str, what: &str) -> Result<(), Error> {
    if good { Ok(()) } else { Err(wrong(at, what)) }
}

fn wrong(at: &str, what: &str) -> Error {
    Error::Value { at: at.into(), what: what.into() }
}
