#![doc = include_str!("README.md")]

mod key;
mod list;

pub use crate::sighting::ObjectionMark;
pub use key::{CheckValue, Key, KeyError, KeyFile};
pub use list::{
    DECOYS_MAX, DECOYS_MIN, Decoy, LONG_BITS, Receipt, ReceiptHash, SHORT_BITS, SHORT_MARKS_MAX, decoys,
};

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::sighting::{DeviceId, Sighting};

/// Short marks there can be.
const SHORT_SPACE: usize = 1 << SHORT_BITS;
/// Long marks there can be.
const LONG_SPACE: f64 = (1u64 << LONG_BITS) as f64;

/// A sighting that nobody objected to.
#[derive(Debug)]
pub struct Admitted(Sighting);

/// The gate with its live set of marks.
pub struct Gate {
    key: Arc<Key>,
    /// A bit for each short mark: small enough to stay near the processor.
    short: Box<[u64]>,
    /// How many objections and decoys carry a short mark.
    short_of: BTreeMap<u32, u32>,
    /// The same of long marks, of which there are none until the short ones fill up.
    long_of: BTreeMap<u32, u32>,
}

impl Admitted {
    /// The sighting itself, for the stage that ends it.
    #[must_use]
    pub fn into_sighting(self) -> Sighting {
        self.0
    }
}

impl Gate {
    /// A gate that drops nobody yet.
    #[must_use]
    pub fn new(key: Arc<Key>) -> Self {
        Self {
            key,
            short: vec![0; SHORT_SPACE / 64].into_boxed_slice(),
            short_of: BTreeMap::new(),
            long_of: BTreeMap::new(),
        }
    }

    /// Lets a sighting through unless its device's owner objected; an objection's sighting ends here.
    #[must_use]
    pub fn admit(&self, sighting: Sighting) -> Option<Admitted> {
        (!self.holds(&sighting.device)).then_some(Admitted(sighting))
    }

    /// Whether a device would be dropped: somebody objected for it, or chance has it.
    #[must_use]
    pub fn holds(&self, device: &DeviceId) -> bool {
        // With no mark at all there is nothing to look up, and the hash can be saved.
        if self.short_of.is_empty() && self.long_of.is_empty() {
            return false;
        }
        let [short, long] = self.key.marks(device);
        let bit = self.short[short.number as usize / 64] >> (short.number % 64) & 1 == 1;
        bit || (!self.long_of.is_empty() && self.long_of.contains_key(&long.number))
    }

    /// Puts a mark in force; each one counts, so that two devices with one mark do not end each other's.
    pub fn object(&mut self, mark: ObjectionMark) {
        let ObjectionMark { bits, number } = mark;
        if bits == SHORT_BITS {
            self.short[number as usize / 64] |= 1 << (number % 64);
            *self.short_of.entry(number).or_default() += 1;
        } else {
            *self.long_of.entry(number).or_default() += 1;
        }
    }

    /// Takes one objection back; the mark goes with the last.
    pub fn withdraw(&mut self, mark: ObjectionMark) {
        let ObjectionMark { bits, number } = mark;
        let of = if bits == SHORT_BITS { &mut self.short_of } else { &mut self.long_of };
        let Some(count) = of.get_mut(&number) else { return };
        *count -= 1;
        if *count == 0 {
            of.remove(&number);
            if bits == SHORT_BITS {
                self.short[number as usize / 64] &= !(1 << (number % 64));
            }
        }
    }

    /// The share of devices that chance drops, 0 to 1: marks set over marks there are.
    #[must_use]
    pub fn chance_share(&self) -> f64 {
        let passed_short = 1.0 - self.short_of.len() as f64 / SHORT_SPACE as f64;
        let passed_long = 1.0 - self.long_of.len() as f64 / LONG_SPACE;
        1.0 - passed_short * passed_long
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;
    use crate::sighting::AddressClass;

    assert_not_impl_any!(Key: Clone, Copy, std::fmt::Debug, std::fmt::Display, serde::Serialize);
    assert_not_impl_any!(Admitted: Clone, Copy, serde::Serialize);

    fn device(address: &str) -> DeviceId {
        DeviceId::parse(address).unwrap()
    }

    fn sighting(address: &str) -> Sighting {
        Sighting { device: device(address), class: AddressClass::Global, rssi: -60, at: None }
    }

    #[test]
    fn an_objection_holds_until_it_is_withdrawn() {
        let key = Arc::new(Key::of([7; 32]));
        let mut gate = Gate::new(key.clone());
        for place in 0..2 {
            let mark = key.marks(&device("a4c138112233"))[place];
            assert!(gate.admit(sighting("a4c138112233")).is_some());
            gate.object(mark);
            gate.object(mark);
            assert!(gate.chance_share() > 0.0);
            assert!(gate.admit(sighting("a4:c1:38:11:22:33")).is_none());
            assert!(gate.admit(sighting("a4:c1:38:11:22:34")).is_some());
            gate.withdraw(mark);
            assert!(gate.admit(sighting("a4c138112233")).is_none(), "the second objection stands");
            gate.withdraw(mark);
            gate.withdraw(mark);
            assert!(gate.admit(sighting("a4c138112233")).is_some());
            assert!(gate.chance_share() < f64::EPSILON);
        }
    }

    #[test]
    fn marks_fill_their_space_evenly_enough() {
        // 4,096 devices over 2^20 marks: the expected number of pairs sharing one is 4096²/2^21 = 8, and over 30 would
        // be more than seven standard deviations. Over 2^28 it is 0.03, and three would be a chance of five in a million.
        let key = Key::of([9; 32]);
        for (place, space, pairs_max) in [(0, 1 << SHORT_BITS, 30), (1, 1 << LONG_BITS, 3)] {
            let mut marks: Vec<u32> = (0..4096u32)
                .map(|i| {
                    let [a, b, c, d] = i.to_le_bytes();
                    key.marks(&DeviceId::from_octets([2, 0, a, b, c, d | 1]).unwrap())[place].number
                })
                .collect();
            marks.sort_unstable();
            assert!(marks.iter().all(|m| *m < space));
            assert!(marks.windows(2).filter(|pair| pair[0] == pair[1]).count() < pairs_max);
        }
    }

    #[test]
    fn a_hit_is_mostly_chance_from_the_start() {
        let key = Arc::new(Key::of([5; 32]));
        let mut gate = Gate::new(key);
        let decoys = decoys().unwrap();
        decoys.iter().for_each(|decoy| gate.object(decoy.mark));
        assert!((DECOYS_MIN..=DECOYS_MAX).contains(&decoys.len()));
        // A few of ten thousand decoys fall on the same mark: the expected loss is n²/2^21, 52 to 82.
        let share = gate.chance_share();
        assert!((0.0098..0.0125).contains(&share), "{share}");
    }
}
