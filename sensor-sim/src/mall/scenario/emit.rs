//! The server's configuration of a scenario's venue.

use std::fmt::Write as _;

use super::{Role, Scenario};

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub(super) fn venue(scenario: &Scenario) -> String {
    let mut out = String::from("[[venue]]\n");
    let _ = writeln!(out, "id = {}", quoted(scenario.venue.as_str()));
    let _ = writeln!(out, "name = {}", quoted(&scenario.name));
    let _ = writeln!(out, "timezone = {}", quoted(scenario.tz.name()));
    out.push_str("clock = \"sightings\"\n\n[venue.hours]\n");
    for (day, opening) in WEEKDAYS.iter().zip(scenario.hours) {
        let text = opening.map_or("closed".into(), |(from, to)| {
            let clock = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
            format!("{}-{}", clock(from), clock(to))
        });
        let _ = writeln!(out, "{day} = {}", quoted(&text));
    }
    for zone in &scenario.zones {
        let floor = &scenario.floors[zone.floor];
        let [dx, dy] = floor.drawn_at;
        let corners: Vec<String> =
            zone.polygon.iter().map(|[x, y]| format!("[{}, {}]", x + dx, y + dy)).collect();
        let _ = writeln!(out, "\n[[venue.zone]]\nid = {}", quoted(zone.id.as_str()));
        let _ = writeln!(out, "name = {}\ngroup = {}", quoted(&zone.name), quoted(&floor.id));
        if zone.role == Role::Entrance {
            out.push_str("entrance = true\n");
        }
        let _ = writeln!(out, "polygon = [{}]", corners.join(", "));
    }
    for sensor in &scenario.sensors {
        let zone = &scenario.zones[sensor.zone].id;
        let _ = writeln!(out, "\n[[venue.sensor]]\nid = {}", quoted(sensor.id.as_str()));
        let _ = writeln!(out, "zone = {}\nrssi_offset_db = {}", quoted(zone.as_str()), sensor.rssi_offset_db);
    }
    out
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.into()).to_string()
}
