//! The compact form; its layout is in the crate's README.

use crate::report::{TIME_END_MS, device, rssi};
use crate::{BootId, DecodeError, DeviceId, Heard, ItemRefusal, Kind, Reason, Report, SIGHTINGS_MAX};

pub(crate) const MAGIC: [u8; 3] = [0xaf, b'P', b'S'];
pub(crate) const VERSION: u8 = 1;
pub(crate) const HAS_NUMBER: u8 = 1;
pub(crate) const HAS_BOOT: u8 = 2;
pub(crate) const HAS_TIME: u8 = 4;
const RECORD_BYTES: usize = 12;

pub(crate) fn is_binary(payload: &[u8]) -> bool {
    payload.starts_with(&MAGIC)
}

pub(crate) fn decode(payload: &[u8]) -> Result<Report, DecodeError> {
    let mut reader = Reader { payload, offset: 0 };
    if reader.take::<3>()? != MAGIC {
        return Err(DecodeError { reason: Reason::Binary, offset: 0 });
    }
    if reader.byte()? != VERSION {
        return Err(DecodeError { reason: Reason::Version, offset: MAGIC.len() });
    }
    let flags = reader.byte()?;
    if flags & !(HAS_NUMBER | HAS_BOOT | HAS_TIME) != 0 {
        return Err(reader.broken());
    }
    let number = if flags & HAS_NUMBER != 0 { Some(u64::from_le_bytes(reader.take()?)) } else { None };
    let boot = if flags & HAS_BOOT != 0 { Some(reader.boot()?) } else { None };
    let at = if flags & HAS_TIME != 0 { Some(reader.time()?) } else { None };
    let count = usize::from(u16::from_le_bytes(reader.take()?));
    if count > SIGHTINGS_MAX {
        return Err(DecodeError { reason: Reason::TooMany, offset: reader.offset });
    }
    let records = &payload[reader.offset..];
    if records.len() != count * RECORD_BYTES {
        return Err(reader.broken());
    }
    let mut report = Report { number, boot, at, ..Report::default() };
    report.sightings.reserve_exact(count);
    for record in records.as_chunks::<RECORD_BYTES>().0 {
        match heard(record, at) {
            Ok(heard) => report.sightings.push(heard),
            Err(reason) => report.refused.add(reason),
        }
    }
    Ok(report)
}

fn heard(record: &[u8; RECORD_BYTES], message_at: Option<i64>) -> Result<Heard, ItemRefusal> {
    let [k, strength, t0, t1, t2, t3, octets @ ..] = *record;
    let kind = match k {
        0 => Kind::Wifi,
        1 => Kind::Ble,
        2 => Kind::BlePublic,
        3 => Kind::BleRandom,
        4 => Kind::Assoc,
        _ => return Err(ItemRefusal::Kind),
    };
    let device = device(DeviceId::from_octets(octets), kind)?;
    let rssi = rssi(f64::from(strength as i8)).ok_or(ItemRefusal::Rssi)?;
    let offset = i32::from_le_bytes([t0, t1, t2, t3]);
    let at = match (message_at, offset) {
        (Some(ms), offset) => Some(time(ms + i64::from(offset)).ok_or(ItemRefusal::Time)?),
        (None, 0) => None,
        (None, _) => return Err(ItemRefusal::Time),
    };
    Ok(Heard { device, kind, rssi, at })
}

/// The same span of times as in JSON.
fn time(ms: i64) -> Option<i64> {
    (0..TIME_END_MS).contains(&ms).then_some(ms)
}

struct Reader<'a> {
    payload: &'a [u8],
    offset: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = self.payload.get(self.offset..).and_then(|rest| rest.first_chunk::<N>());
        let bytes = *bytes.ok_or_else(|| self.broken())?;
        self.offset += N;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn time(&mut self) -> Result<i64, DecodeError> {
        let broken = self.broken();
        self.take().and_then(|bytes| time(i64::from_le_bytes(bytes)).ok_or(broken))
    }

    fn boot(&mut self) -> Result<BootId, DecodeError> {
        let len = usize::from(self.byte()?);
        let text = self.payload.get(self.offset..self.offset + len).ok_or_else(|| self.broken())?;
        let boot = BootId::parse(text).ok_or_else(|| self.broken())?;
        self.offset += len;
        Ok(boot)
    }

    fn broken(&self) -> DecodeError {
        DecodeError { reason: Reason::Binary, offset: self.offset }
    }
}
