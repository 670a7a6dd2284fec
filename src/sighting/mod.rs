//! What enters the house: sightings, and everything else that is news, through one front door.
//!
//! Nothing here can be cloned, printed or serialised that holds a device.

mod class;

pub use class::{AddressClass, Radio};
pub use passant_wire::{BootId, DeviceId, ItemRefusal, ItemRefusals, Walker};

use tokio::sync::oneshot;

use crate::clock::EpochMs;

/// A configured sensor, by its place in the configuration: which venue, and which of its sensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SensorRef {
    /// The venue's place in the configuration.
    pub venue: u16,
    /// The sensor's place in the venue.
    pub sensor: u16,
}

/// One sensor heard one device once.
#[derive(Debug)]
pub struct Sighting {
    /// The raw device: it ends at the pseudonym stage.
    pub device: DeviceId,
    /// What kind of address it is.
    pub class: AddressClass,
    /// Received strength in dBm, as the sensor said it.
    pub rssi: i8,
    /// When, by the sensor; `None` means the time of its message.
    pub at: Option<EpochMs>,
}

/// What a message says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Its number since the sensor's boot.
    pub number: Option<u64>,
    /// The sensor's boot.
    pub boot: Option<BootId>,
    /// Its time by the sensor's clock.
    pub at: Option<EpochMs>,
}

/// One message of sightings from a configured sensor.
#[derive(Debug)]
pub struct SensorReport {
    /// Who heard.
    pub from: SensorRef,
    /// The message's own words about itself.
    pub header: Header,
    /// What was heard.
    pub sightings: Vec<Sighting>,
    /// Sightings of the batch that were refused while decoding.
    pub refused: ItemRefusals,
}

/// A sensor's word about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SensorStatus {
    /// Who.
    pub from: SensorRef,
    /// False in a last will.
    pub online: bool,
    /// When, by the sensor's clock.
    pub at: Option<EpochMs>,
    /// A retained delivery is never a sign of life.
    pub retained: bool,
}

/// People counted by eye in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadCount {
    /// The venue's place in the configuration.
    pub venue: u16,
    /// The zone's place in the venue.
    pub zone: u16,
    /// Its row in the office; a count with a known row replaces that row's.
    pub row: i64,
    /// The first moment of the count.
    pub from: EpochMs,
    /// The first moment after it.
    pub to: EpochMs,
    /// How many people were there; `None` takes the row back.
    pub people: Option<u32>,
    /// The mean v of the window in hundredths, where its figures are published already.
    pub root_mean_centi: Option<u32>,
}

/// A mark of the list of objections: all that is kept of a device whose owner objected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectionMark {
    /// How many bits of a keyed hash it holds.
    pub bits: u8,
    /// Those bits.
    pub number: u32,
}

/// A sensor that does not exist heard a device that does not exist: what the gate does with it is told to whoever tries the
/// way of an objection out, and to nobody else.
#[derive(Debug)]
pub struct Probe {
    /// What the gate is asked to admit; it ends there, whatever the gate does.
    pub sighting: Sighting,
    /// Where the gate's verdict is waited for.
    pub verdict: oneshot::Sender<Verdict>,
}

/// What the gate did with a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Somebody objected for its address, or chance has its mark.
    Dropped,
    /// It was let through, as any phone's sighting would have been.
    Passed,
}

/// All news enters by one front door.
#[derive(Debug)]
pub enum Arrival {
    /// A sensor heard devices.
    Report(SensorReport),
    /// A sensor speaks of itself.
    Status(SensorStatus),
    /// A device's owner objects: the open visit is forgotten, the mark is in force from the next sighting.
    OptedOut {
        /// Whose open visit is forgotten. In a block of its own: a channel keeps the bytes of what has passed.
        device: Box<DeviceId>,
        /// What is put in force.
        mark: ObjectionMark,
    },
    /// An objection came back out of a backup.
    Restored(ObjectionMark),
    /// The objection was withdrawn.
    Withdrawn(ObjectionMark),
    /// People were counted by eye.
    HeadCount(HeadCount),
    /// The way of an objection is tried out; no lens, roster or counter hears of it.
    Probe(Probe),
    /// A venue is destroyed: nothing of it is heard any more.
    Destroyed {
        /// The venue's place in the configuration.
        venue: u16,
    },
}

/// Keeps a broker's copy of a message alive until the message has been taken in: dropping it acknowledges.
pub struct Ack(#[expect(dead_code, reason = "it is held for what its drop does")] Option<Box<dyn Send>>);

impl Ack {
    /// Nobody waits for an acknowledgement.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Acknowledges by dropping the guard.
    #[must_use]
    pub fn on_drop(guard: Box<dyn Send>) -> Self {
        Self(Some(guard))
    }
}

impl std::fmt::Debug for Ack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ack")
    }
}

/// An arrival with its acknowledgement.
#[derive(Debug)]
pub struct Delivery {
    /// The news.
    pub arrival: Arrival,
    /// Dropped when the news has been taken in.
    pub ack: Ack,
}

impl Delivery {
    /// News that somebody waits for: what comes with it ends when the news has been taken in. It never says a word.
    #[must_use]
    pub fn awaited(arrival: Arrival) -> (Self, oneshot::Receiver<()>) {
        let (guard, taken) = oneshot::channel();
        (Self { arrival, ack: Ack::on_drop(Box::new(guard)) }, taken)
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::{Arrival, DeviceId, SensorReport, Sighting};

    // A compile error here means that a raw device can be copied, shown or written.
    assert_not_impl_any!(DeviceId: Clone, Copy, std::fmt::Display, serde::Serialize, PartialEq, std::hash::Hash);
    assert_not_impl_any!(Sighting: Clone, Copy, std::fmt::Display, serde::Serialize, PartialEq);
    assert_not_impl_any!(SensorReport: Clone, serde::Serialize);
    assert_not_impl_any!(Arrival: Clone, serde::Serialize);
}
