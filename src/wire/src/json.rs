//! The JSON form, read leniently where a gateway's habit is harmless and strictly where a number would be invented.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::report::{TIME_END_MS, device, rssi};
use crate::{BootId, DecodeError, DeviceId, Heard, ItemRefusal, Kind, Reason, Report, SIGHTINGS_MAX, Status};

#[derive(serde::Deserialize)]
struct RawReport<'a> {
    #[serde(default)]
    n: Option<u64>,
    #[serde(default, borrow)]
    b: Option<Cow<'a, str>>,
    #[serde(default)]
    t: Option<f64>,
    #[serde(borrow)]
    s: RawBatch<'a>,
}

/// The sightings of a message. One more than the limit is where reading them ends: the rest is skipped, so that a
/// message of nothing but braces costs no memory.
#[derive(Default)]
struct RawBatch<'a> {
    heard: Vec<RawHeard<'a>>,
    too_many: bool,
}

/// A sighting before it is judged: a wrong type in one field refuses this sighting, not its message.
#[derive(Default)]
struct RawHeard<'a> {
    id: Loose<'a>,
    rssi: Loose<'a>,
    t: Loose<'a>,
    k: Loose<'a>,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Id,
    Rssi,
    T,
    K,
    #[serde(other)]
    Unknown,
}

#[derive(serde::Deserialize)]
struct RawStatus {
    online: bool,
    #[serde(default)]
    t: Option<f64>,
    #[serde(default)]
    n: Option<u64>,
}

/// Any JSON value, kept only if it is text or a number.
#[derive(Default)]
enum Loose<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Number(f64),
    Other,
}

pub(crate) fn decode(payload: &[u8]) -> Result<Report, DecodeError> {
    let raw: RawReport<'_> = object(payload)?;
    if raw.s.too_many {
        return Err(DecodeError { reason: Reason::TooMany, offset: payload.len() });
    }
    let shape = DecodeError { reason: Reason::Shape, offset: 0 };
    let boot = match raw.b {
        Some(text) => Some(BootId::parse(text.as_bytes()).ok_or(shape)?),
        None => None,
    };
    let at = raw.t.map(millis).transpose().map_err(|()| shape)?;
    let mut report = Report { number: raw.n, boot, at, ..Report::default() };
    report.sightings.reserve_exact(raw.s.heard.len());
    for item in raw.s.heard {
        match item.judge() {
            Ok(heard) => report.sightings.push(heard),
            Err(reason) => report.refused.add(reason),
        }
    }
    Ok(report)
}

pub(crate) fn decode_status(payload: &[u8]) -> Result<Status, DecodeError> {
    let raw: RawStatus = object(payload)?;
    let at = raw.t.map(millis).transpose().map_err(|()| DecodeError { reason: Reason::Shape, offset: 0 })?;
    Ok(Status { online: raw.online, at, number: raw.n })
}

/// Reads an object. Serde would take a list in the order of the fields for one; no sensor may mean that.
fn object<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, DecodeError> {
    if payload.trim_ascii_start().first() == Some(&b'[') {
        // What is no JSON at all is still told apart from JSON of another shape.
        serde_json::from_slice::<IgnoredAny>(payload).map_err(|e| refusal(&e, payload))?;
        return Err(DecodeError { reason: Reason::Shape, offset: 0 });
    }
    serde_json::from_slice(payload).map_err(|e| refusal(&e, payload))
}

impl RawHeard<'_> {
    fn judge(self) -> Result<Heard, ItemRefusal> {
        let kind = match &self.k {
            Loose::Absent => Kind::default(),
            Loose::Text(word) => kind(word).ok_or(ItemRefusal::Kind)?,
            _ => return Err(ItemRefusal::Kind),
        };
        let id = match &self.id {
            Loose::Text(text) => DeviceId::parse(text),
            _ => None,
        };
        let device = device(id, kind)?;
        let Loose::Number(strength) = self.rssi else { return Err(ItemRefusal::Rssi) };
        let rssi = rssi(strength).ok_or(ItemRefusal::Rssi)?;
        let at = match self.t {
            Loose::Absent => None,
            Loose::Number(ms) => Some(millis(ms).map_err(|()| ItemRefusal::Time)?),
            _ => return Err(ItemRefusal::Time),
        };
        Ok(Heard { device, kind, rssi, at })
    }
}

fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "wifi" => Kind::Wifi,
        "ble" => Kind::Ble,
        "ble_public" => Kind::BlePublic,
        "ble_random" => Kind::BleRandom,
        "assoc" => Kind::Assoc,
        _ => return None,
    })
}

/// Epoch ms up to the year 9999; a fraction of a millisecond is dropped.
fn millis(value: f64) -> Result<i64, ()> {
    if (0.0..TIME_END_MS as f64).contains(&value) { Ok(value as i64) } else { Err(()) }
}

/// Keeps the place and the kind of a fault; serde's own words may quote the payload and are dropped.
fn refusal(error: &serde_json::Error, payload: &[u8]) -> DecodeError {
    let reason = if error.is_data() { Reason::Shape } else { Reason::Json };
    let before = payload.split_inclusive(|&b| b == b'\n').take(error.line().saturating_sub(1));
    let offset = before.map(<[u8]>::len).sum::<usize>() + error.column();
    DecodeError { reason, offset: offset.min(payload.len()) }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawBatch<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(BatchVisitor(PhantomData))
    }
}

struct BatchVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for BatchVisitor<'a> {
    type Value = RawBatch<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of sightings")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut batch = RawBatch::default();
        while batch.heard.len() < SIGHTINGS_MAX {
            let Some(heard) = seq.next_element()? else { return Ok(batch) };
            batch.heard.push(heard);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            batch.too_many = true;
        }
        Ok(batch)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawHeard<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeardVisitor(PhantomData))
    }
}

struct HeardVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for HeardVisitor<'a> {
    type Value = RawHeard<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sighting")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut heard = RawHeard::default();
        let mut seen = [false; Field::Unknown as usize];
        while let Some(field) = map.next_key()? {
            let place = match field {
                Field::Id => &mut heard.id,
                Field::Rssi => &mut heard.rssi,
                Field::T => &mut heard.t,
                Field::K => &mut heard.k,
                Field::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if std::mem::replace(&mut seen[field as usize], true) {
                return Err(A::Error::custom("a field twice"));
            }
            *place = map.next_value()?;
        }
        Ok(heard)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor(PhantomData))
    }
}

struct LooseVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for LooseVisitor<'a> {
    type Value = Loose<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Loose::Number(value as f64))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Loose::Number(value as f64))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Loose::Number(value))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Loose::Other)
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Loose::Absent)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }
}
