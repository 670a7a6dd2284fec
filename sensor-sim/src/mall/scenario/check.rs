//! From a file to a mall: every name is looked up, every number has its bounds.

use chrono_tz::Tz;
use passant_wire::Id;

use super::file::{self, File, Role};
use super::numbers::numbers;
use super::ways::Ways;
use super::{Error, Fixture, Guard, ITEMS_MAX, Opening, Scenario, Sensor, Zone};

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
    let (guards, ways) = (guards(&file, &zones)?, Ways::of(&file, &zones)?);
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
        guards,
        traffic: file.traffic,
        ways,
    })
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
    for floor in &file.floors {
        id(&format!("floor {}", floor.id), &floor.id)?;
    }
    Ok(zones)
}

fn sensors(file: &File, zones: &[Zone]) -> Result<Vec<Sensor>, Error> {
    let mut sensors: Vec<Sensor> = Vec::with_capacity(file.sensors.len());
    for sensor in &file.sensors {
        let at = format!("sensor {}", sensor.id);
        let id = id(&at, &sensor.id)?;
        require(sensors.iter().all(|other| other.id != id), &at, "there is another sensor of this id")?;
        let shares = [sensor.duty, sensor.loss, sensor.message_loss, sensor.duplicates, sensor.reordering];
        let shares = shares.iter().all(|share| (0.0..=1.0).contains(share));
        require(shares, &at, "duty, loss, message_loss, duplicates and reordering are shares, 0 to 1")?;
        require((-20..=20).contains(&sensor.rssi_offset_db), &at, "its offset is at most 20 dB either way")?;
        require(sensor.at.iter().all(|m| m.abs() <= 1e4), &at, "hang it within 10 km")?;
        require(sensor.clock_error_ms.abs() <= 3_600_000, &at, "its clock is wrong by at most an hour")?;
        require((0.0..=3600.0).contains(&sensor.duty_cycle_secs), &at, "give a cycle of 0 to 3600 s")?;
        let cycle_ms = (sensor.duty_cycle_secs * 1000.0) as i64;
        let frames = if cycle_ms > 0 { 1.0 } else { sensor.duty };
        sensors.push(Sensor {
            zone: find(&at, &sensor.zone, zones)?,
            at: sensor.at,
            rssi_offset_db: sensor.rssi_offset_db,
            heard_share: frames * (1.0 - sensor.loss),
            cycle_ms: (cycle_ms > 0).then_some(((sensor.duty * cycle_ms as f64) as i64, cycle_ms)),
            clock_error_ms: sensor.clock_error_ms,
            message_loss: sensor.message_loss,
            duplicates: sensor.duplicates,
            reordering: sensor.reordering,
            outages: outages(file, &sensor.id)?,
            id,
        });
    }
    let nobodys = file.outages.iter().find(|outage| sensors.iter().all(|s| s.id.as_str() != outage.sensor));
    require(nobodys.is_none(), "outage", "its sensor is not one of the [[sensor]]s")?;
    Ok(sensors)
}

fn outages(file: &File, sensor: &str) -> Result<Vec<Opening>, Error> {
    let own = file.outages.iter().filter(|outage| outage.sensor == sensor);
    let span = |outage: &file::Outage| {
        let span = minutes(&outage.from).zip(minutes(&outage.to)).filter(|(from, to)| from < to);
        span.ok_or_else(|| wrong("outage", "write from and to as 14:00, on one day, the earlier first"))
    };
    own.map(span).collect()
}

fn guards(file: &File, zones: &[Zone]) -> Result<Vec<Guard>, Error> {
    let guard = |guard: &file::Guard| {
        let at = |text: &str| minutes(text).ok_or_else(|| wrong("guard", "write from and to as 22:00"));
        require((0.1..=120.0).contains(&guard.zone_mins), "guard.zone_mins", "give 0.1 to 120")?;
        require((2..=ITEMS_MAX).contains(&guard.round.len()), "guard.round", "a round has at least 2 zones")?;
        let round: Result<Vec<usize>, Error> =
            guard.round.iter().map(|zone| find("guard.round", zone, zones)).collect();
        Ok(Guard { from: at(&guard.from)?, to: at(&guard.to)?, round: round?, zone_mins: guard.zone_mins })
    };
    file.guards.iter().map(guard).collect()
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

pub(super) fn find(at: &str, zone: &str, zones: &[Zone]) -> Result<usize, Error> {
    let place = zones.iter().position(|other| other.id.as_str() == zone);
    place.ok_or_else(|| wrong(at, "its zone is not one of the [[zone]]s"))
}

fn id(at: &str, text: &str) -> Result<Id, Error> {
    Id::parse(text).ok_or_else(|| wrong(at, "an id is 1 to 64 letters, digits, - _ or ."))
}

pub(super) fn require(good: bool, at: &str, what: &str) -> Result<(), Error> {
    if good { Ok(()) } else { Err(wrong(at, what)) }
}

pub(super) fn wrong(at: &str, what: &str) -> Error {
    Error::Value { at: at.into(), what: what.into() }
}
