//! What a sensor says, decoded: the same [`Report`] from both forms.

use crate::{BINARY_CONTENT_TYPE, DeviceId, PAYLOAD_BYTES_MAX, binary, json};

/// How the radio heard the device; the field `k`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A Wi-Fi frame of a device that is not joined to the venue's network.
    #[default]
    Wifi,
    /// A Bluetooth advertisement whose address type the gateway does not tell.
    Ble,
    /// A Bluetooth advertisement from a public address.
    BlePublic,
    /// A Bluetooth advertisement from a random address.
    BleRandom,
    /// A device joined to the venue's own Wi-Fi network.
    Assoc,
}

/// A boot of a sensor: 1 to 16 ASCII letters and digits. A new boot starts the message numbers again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BootId {
    len: u8,
    bytes: [u8; Self::BYTES_MAX],
}

impl BootId {
    pub(crate) const BYTES_MAX: usize = 16;

    /// Takes the text if it is a boot id.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.len() > Self::BYTES_MAX || !text.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let mut bytes = [0; Self::BYTES_MAX];
        bytes[..text.len()].copy_from_slice(text);
        Some(Self { len: text.len() as u8, bytes })
    }

    /// The id as its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// One sensor heard one device once.
#[derive(Debug)]
pub struct Heard {
    /// The device's raw address.
    pub device: DeviceId,
    /// How the radio heard it.
    pub kind: Kind,
    /// Received strength in dBm, −127 to 20, never 0 (gateways write 0 for "unknown").
    pub rssi: i8,
    /// Epoch ms; `None` means the message's time.
    pub at: Option<i64>,
}

/// One message of a sensor.
#[derive(Debug, Default)]
pub struct Report {
    /// The message's number since the sensor's boot.
    pub number: Option<u64>,
    /// The sensor's boot.
    pub boot: Option<BootId>,
    /// The message's time, epoch ms; `None` means the time it was received.
    pub at: Option<i64>,
    /// What was heard, in the order it was written.
    pub sightings: Vec<Heard>,
    /// How many sightings of the batch were refused, by reason.
    pub refused: ItemRefusals,
}

/// The state a sensor publishes of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// False in a last will.
    pub online: bool,
    /// Epoch ms by the sensor's clock.
    pub at: Option<i64>,
    /// The number of its last message.
    pub number: Option<u64>,
}

/// Why one sighting of a batch was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemRefusal {
    /// The id is missing or is no 48-bit address.
    Device,
    /// A Wi-Fi sender with the group bit: no such sender exists.
    GroupAddress,
    /// The strength is missing, 0 or outside −127 to 20 dBm.
    Rssi,
    /// The time is no number of ms between the years 1970 and 9999.
    Time,
    /// The kind is not one of the documented words.
    Kind,
}

impl ItemRefusal {
    /// Every reason, in the order of [`ItemRefusals`].
    pub const ALL: [Self; 5] = [Self::Device, Self::GroupAddress, Self::Rssi, Self::Time, Self::Kind];

    /// The word that counts it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Device => "bad_device",
            Self::GroupAddress => "group_address",
            Self::Rssi => "bad_rssi",
            Self::Time => "bad_time",
            Self::Kind => "bad_kind",
        }
    }
}

/// Sightings refused out of one batch, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemRefusals([u16; ItemRefusal::ALL.len()]);

impl ItemRefusals {
    pub(crate) fn add(&mut self, reason: ItemRefusal) {
        self.0[reason as usize] += 1;
    }

    /// How many were refused for this reason.
    #[must_use]
    pub fn of(&self, reason: ItemRefusal) -> u64 {
        u64::from(self.0[reason as usize])
    }

    /// How many were refused in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().map(|&n| u64::from(n)).sum()
    }
}

/// Why a whole message was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// More than [`PAYLOAD_BYTES_MAX`].
    TooLarge,
    /// More than [`crate::SIGHTINGS_MAX`].
    TooMany,
    /// Not JSON, or JSON cut short.
    Json,
    /// JSON of another shape than documented.
    Shape,
    /// The compact form cut short, too long, with a flag nobody knows or a time outside the years 1970 to 9999.
    Binary,
    /// The compact form in a version this program does not read.
    Version,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::TooLarge, Self::TooMany, Self::Json, Self::Shape, Self::Binary, Self::Version];

    /// The word that counts it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::TooMany => "too_many_sightings",
            Self::Json => "bad_json",
            Self::Shape => "bad_shape",
            Self::Binary => "bad_binary",
            Self::Version => "unknown_version",
        }
    }
}

/// A refused message: a reason and where, never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message refused: {} at byte {offset}", reason.as_str())]
pub struct DecodeError {
    /// Why.
    pub reason: Reason,
    /// About where in the payload, in bytes from its start.
    pub offset: usize,
}

/// Decodes a sightings message. The compact form is told by its content type or its first bytes; anything else is JSON.
///
/// # Errors
/// When the message breaks its framing or a limit; it is then refused whole.
pub fn decode(payload: &[u8], content_type: Option<&str>) -> Result<Report, DecodeError> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(DecodeError { reason: Reason::TooLarge, offset: PAYLOAD_BYTES_MAX });
    }
    if content_type == Some(BINARY_CONTENT_TYPE) || binary::is_binary(payload) {
        binary::decode(payload)
    } else {
        json::decode(payload)
    }
}

impl Status {
    /// Decodes a status message.
    ///
    /// # Errors
    /// When it is not JSON of the documented shape, or over the size limit.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(DecodeError { reason: Reason::TooLarge, offset: PAYLOAD_BYTES_MAX });
        }
        json::decode_status(payload)
    }
}

/// Epoch ms at which the year 10000 begins: no time is that late, nor before 1970. Far inside `i64`, so that two times
/// can always be subtracted.
pub(crate) const TIME_END_MS: i64 = 253_402_300_800_000;

/// The strength as this crate accepts it: whole dBm, −127 to 20, never 0.
pub(crate) fn rssi(value: f64) -> Option<i8> {
    let rounded = value.round();
    ((-127.0..=20.0).contains(&rounded) && rounded != 0.0).then_some(rounded as i8)
}

/// Puts the checks both forms share in one place: the group bit is bogus for a Wi-Fi sender, not for Bluetooth.
pub(crate) fn device(id: Option<DeviceId>, kind: Kind) -> Result<DeviceId, ItemRefusal> {
    let id = id.ok_or(ItemRefusal::Device)?;
    let wifi = matches!(kind, Kind::Wifi | Kind::Assoc);
    if wifi && id.is_group() { Err(ItemRefusal::GroupAddress) } else { Ok(id) }
}
