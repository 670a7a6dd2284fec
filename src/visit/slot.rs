//! Ten seconds of stable footprints, kept flat and judged once.

use crate::pseudonym::Pseudonym;

/// The most readings of a slot; over it the repeated ones are dropped, and then the rest is refused and counted.
const READINGS_MAX: usize = 8_000_000;

/// A device as one sensor heard it once, within a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Reading {
    pub(super) sensor: u16,
    pub(super) offset_ms: u16,
    pub(super) rssi: i8,
}

/// Readings in the order they came, each with its pseudonym, as two numbers that sort as they should.
#[derive(Default)]
pub(super) struct Slot(pub(super) Vec<(Pseudonym, u64)>);

impl Slot {
    /// False when the slot is full.
    pub(super) fn push(&mut self, pseudonym: Pseudonym, reading: Reading) -> bool {
        if self.0.len() >= READINGS_MAX {
            self.settle();
            if self.0.len() >= READINGS_MAX {
                return false;
            }
        }
        self.0.push((pseudonym, reading.pack()));
        true
    }

    pub(super) fn forget(&mut self, pseudonym: Pseudonym) {
        self.0.retain(|(of, _)| *of != pseudonym);
    }

    /// Hands over the set of distinct readings of each device, in an order that does not depend on the order they came.
    pub(super) fn for_each_device(mut self, mut f: impl FnMut(Pseudonym, &[Reading])) {
        self.settle();
        let mut readings = Vec::new();
        for of_device in self.0.chunk_by(|a, b| a.0 == b.0) {
            readings.clear();
            readings.extend(of_device.iter().map(|(_, packed)| Reading::unpack(*packed)));
            f(of_device[0].0, &readings);
        }
    }

    fn settle(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
    }
}

impl Reading {
    fn pack(self) -> u64 {
        u64::from(self.offset_ms) << 32 | u64::from(self.sensor) << 16 | u64::from(self.rssi as u8)
    }

    fn unpack(packed: u64) -> Self {
        Self { offset_ms: (packed >> 32) as u16, sensor: (packed >> 16) as u16, rssi: packed as u8 as i8 }
    }
}
