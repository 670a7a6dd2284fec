//! Writing reports out, for simulated sensors only: their devices are invented, so nobody is written down.

use std::fmt::Write as _;

use crate::binary::{HAS_BOOT, HAS_NUMBER, HAS_TIME, MAGIC, VERSION};
use crate::{BootId, Kind, Report, Status};

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

/// Writes the compact form sighting by sighting into a buffer of the caller's, for a generator in a hurry.
#[derive(Debug)]
pub struct BinaryWriter {
    out: Vec<u8>,
    count_at: usize,
    count: u16,
    at: i64,
}

impl BinaryWriter {
    /// The most bytes before the first sighting.
    pub const HEAD_BYTES_MAX: usize = 40;
    /// The length of one sighting in bytes.
    pub const SIGHTING_BYTES: usize = 12;

    /// Begins a message at the end of `out`, with everything a message may say of itself.
    #[must_use]
    pub fn begin(mut out: Vec<u8>, number: u64, boot: &BootId, at: i64) -> Self {
        head(&mut out, Some(number), Some(boot), Some(at));
        let count_at = out.len();
        out.extend([0; 2]);
        Self { out, count_at, count: 0, at }
    }

    /// Adds a sighting. The address is invented, so its bytes may be had plainly.
    pub fn push(&mut self, kind: Kind, rssi: i8, at: i64, octets: [u8; 6]) {
        record(&mut self.out, kind, rssi, offset(Some(self.at), Some(at)), &octets);
        self.count += 1;
    }

    /// Ends the message and gives the buffer back.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.out[self.count_at..self.count_at + 2].copy_from_slice(&self.count.to_le_bytes());
        self.out
    }
}

/// The compact binary form of a report.
///
/// A sighting's time is written relative to the message's; with none of the latter, the former must be `None` too.
/// Offsets beyond ± 24 days are cut to that.
#[must_use]
pub fn binary(report: &Report) -> Vec<u8> {
    let mut out = Vec::with_capacity(
        BinaryWriter::HEAD_BYTES_MAX + report.sightings.len() * BinaryWriter::SIGHTING_BYTES,
    );
    head(&mut out, report.number, report.boot.as_ref(), report.at);
    out.extend((report.sightings.len() as u16).to_le_bytes());
    for heard in &report.sightings {
        record(&mut out, heard.kind, heard.rssi, offset(report.at, heard.at), heard.device.octets());
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

fn head(out: &mut Vec<u8>, number: Option<u64>, boot: Option<&BootId>, at: Option<i64>) {
    let flag = |present: bool, bit: u8| if present { bit } else { 0 };
    out.extend(MAGIC);
    out.push(VERSION);
    out.push(
        flag(number.is_some(), HAS_NUMBER) | flag(boot.is_some(), HAS_BOOT) | flag(at.is_some(), HAS_TIME),
    );
    if let Some(n) = number {
        out.extend(n.to_le_bytes());
    }
    if let Some(boot) = boot {
        out.push(boot.as_bytes().len() as u8);
        out.extend(boot.as_bytes());
    }
    if let Some(t) = at {
        out.extend(t.to_le_bytes());
    }
}

fn record(out: &mut Vec<u8>, kind: Kind, rssi: i8, offset: i32, octets: &[u8; 6]) {
    let [t0, t1, t2, t3] = offset.to_le_bytes();
    let [a, b, c, d, e, f] = *octets;
    out.extend([kind as u8, rssi as u8, t0, t1, t2, t3, a, b, c, d, e, f]);
}

fn offset(message_at: Option<i64>, at: Option<i64>) -> i32 {
    let ms = match (message_at, at) {
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
