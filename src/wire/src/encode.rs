//! Writing reports out, for simulated sensors only: their devices are invented, so nobody is written down.

use std::fmt::Write as _;

use crate::binary::{HAS_BOOT, HAS_NUMBER, HAS_TIME, MAGIC, VERSION};
use crate::{Heard, Kind, Report, Status};

/// The JSON form of a report.
#[must_use]
pub fn json(report: &Report) -> Vec<u8> {
    let mut out = String::with_capacity(64 + report.sightings.len() * 72);
    out.push('{');
    if let Some(n) = report.number {
        let _ = write!(out, "\"n\":{n},");
    }
    if let Some(boot) = &report.boot {
        let _ = write!(out, "\"b\":\"{}\",", boot.as_bytes().escape_ascii());
    }
    if let Some(t) = report.at {
        let _ = write!(out, "\"t\":{t},");
    }
    out.push_str("\"s\":[");
    for (i, heard) in report.sightings.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str("{\"id\":\"");
        for octet in heard.device.octets() {
            let _ = write!(out, "{octet:02x}");
        }
        let _ = write!(out, "\",\"rssi\":{}", heard.rssi);
        if let Some(t) = heard.at {
            let _ = write!(out, ",\"t\":{t}");
        }
        let _ = write!(out, ",\"k\":\"{}\"}}", word(heard.kind));
    }
    out.push_str("]}");
    out.into_bytes()
}

/// The compact binary form of a report.
///
/// A sighting's time is written relative to the message's; with none of the latter, the former must be `None` too.
/// Offsets beyond ± 24 days are cut to that.
#[must_use]
pub fn binary(report: &Report) -> Vec<u8> {
    let mut out = Vec::with_capacity(48 + report.sightings.len() * 12);
    out.extend(MAGIC);
    out.push(VERSION);
    let flag = |present: bool, bit: u8| if present { bit } else { 0 };
    out.push(
        flag(report.number.is_some(), HAS_NUMBER)
            | flag(report.boot.is_some(), HAS_BOOT)
            | flag(report.at.is_some(), HAS_TIME),
    );
    if let Some(n) = report.number {
        out.extend(n.to_le_bytes());
    }
    if let Some(boot) = &report.boot {
        out.push(boot.as_bytes().len() as u8);
        out.extend(boot.as_bytes());
    }
    if let Some(t) = report.at {
        out.extend(t.to_le_bytes());
    }
    out.extend((report.sightings.len() as u16).to_le_bytes());
    for heard in &report.sightings {
        out.push(heard.kind as u8);
        out.push(heard.rssi as u8);
        out.extend(offset(report.at, heard).to_le_bytes());
        out.extend(heard.device.octets());
    }
    out
}

/// The JSON form of a status.
#[must_use]
pub fn status(status: &Status) -> Vec<u8> {
    let mut out = format!("{{\"online\":{}", status.online);
    if let Some(t) = status.at {
        let _ = write!(out, ",\"t\":{t}");
    }
    if let Some(n) = status.number {
        let _ = write!(out, ",\"n\":{n}");
    }
    out.push('}');
    out.into_bytes()
}

fn offset(message_at: Option<i64>, heard: &Heard) -> i32 {
    let ms = match (message_at, heard.at) {
        (Some(message), Some(at)) => at - message,
        _ => 0,
    };
    ms.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Wifi => "wifi",
        Kind::Ble => "ble",
        Kind::BlePublic => "ble_public",
        Kind::BleRandom => "ble_random",
        Kind::Assoc => "assoc",
    }
}
