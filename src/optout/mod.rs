#![doc = include_str!("README.md")]

use zeroize::ZeroizeOnDrop;

use crate::chance::{self, NoChance};
use crate::sighting::{DeviceId, Sighting};

/// Bits of a mark.
const MARK_BITS: u32 = 20;
/// What the key is used for, framed into every hash.
const CONTEXT: &[u8] = b"passant opt-out mark v1";

/// The opt-out key: used for marks and nothing else.
#[derive(ZeroizeOnDrop)]
pub struct Key([u8; 32]);

/// A device's short mark under the opt-out key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mark(u32);

/// A sighting that nobody objected to.
#[derive(Debug)]
pub struct Admitted(Sighting);

/// The gate with its live set of marks.
pub struct Gate {
    key: Key,
    /// By mark: how many objections carry it.
    marks: Box<[u16]>,
    objections: u32,
}

impl Key {
    /// A new random key.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn random() -> Result<Self, NoChance> {
        let mut key = Self([0; 32]);
        chance::fill(&mut key.0)?;
        Ok(key)
    }

    fn mark(&self, device: &DeviceId) -> Mark {
        let mut framed = [0; 1 + CONTEXT.len() + 1 + 6];
        framed[0] = CONTEXT.len() as u8;
        framed[1..=CONTEXT.len()].copy_from_slice(CONTEXT);
        framed[1 + CONTEXT.len()] = 6;
        framed[2 + CONTEXT.len()..].copy_from_slice(device.octets());
        let hash = blake3::keyed_hash(&self.0, &framed);
        let [a, b, c, d, ..] = *hash.as_bytes();
        Mark(u32::from_le_bytes([a, b, c, d]) >> (32 - MARK_BITS))
    }
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
    pub fn new(key: Key) -> Self {
        Self { key, marks: vec![0; 1 << MARK_BITS].into_boxed_slice(), objections: 0 }
    }

    /// Lets a sighting through unless its device's owner objected; an objection's sighting ends here.
    #[must_use]
    pub fn admit(&self, sighting: Sighting) -> Option<Admitted> {
        // With no mark at all there is nothing to look up, and the hash can be saved.
        (self.objections == 0 || !self.holds(self.key.mark(&sighting.device))).then_some(Admitted(sighting))
    }

    /// Puts an objection in force; each one counts, so that two devices with one mark do not end each other's.
    pub fn object(&mut self, device: &DeviceId) {
        let Mark(mark) = self.key.mark(device);
        let here = &mut self.marks[mark as usize];
        if let Some(one_more) = here.checked_add(1) {
            *here = one_more;
            self.objections += 1;
        }
    }

    /// Takes one objection back; the mark goes with the last.
    pub fn withdraw(&mut self, device: &DeviceId) {
        let Mark(mark) = self.key.mark(device);
        let here = &mut self.marks[mark as usize];
        if let Some(one_less) = here.checked_sub(1) {
            *here = one_less;
            self.objections -= 1;
        }
    }

    fn holds(&self, Mark(mark): Mark) -> bool {
        self.marks[mark as usize] > 0
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

    fn sighting(address: &str) -> Sighting {
        Sighting {
            device: DeviceId::parse(address).unwrap(),
            class: AddressClass::Global,
            rssi: -60,
            at: None,
        }
    }

    #[test]
    fn an_objection_holds_until_it_is_withdrawn() {
        let mut gate = Gate::new(Key([7; 32]));
        let device = DeviceId::parse("a4c138112233").unwrap();
        assert!(gate.admit(sighting("a4c138112233")).is_some());
        gate.object(&device);
        gate.object(&device);
        assert!(gate.admit(sighting("a4:c1:38:11:22:33")).is_none());
        assert!(gate.admit(sighting("a4:c1:38:11:22:34")).is_some());
        gate.withdraw(&device);
        assert!(gate.admit(sighting("a4c138112233")).is_none(), "the second objection stands");
        gate.withdraw(&device);
        gate.withdraw(&device);
        assert!(gate.admit(sighting("a4c138112233")).is_some());
        assert_eq!(gate.objections, 0);
    }

    #[test]
    fn marks_fill_their_space_evenly_enough() {
        // 4,096 devices over 2^20 marks: the expected number of pairs sharing one is 4096²/2^21 = 8, and over 30 would
        // be more than seven standard deviations.
        let key = Key([9; 32]);
        let mut marks: Vec<u32> = (0..4096u32)
            .map(|i| {
                let [a, b, c, d] = i.to_le_bytes();
                key.mark(&DeviceId::from_octets([2, 0, a, b, c, d | 1]).unwrap()).0
            })
            .collect();
        marks.sort_unstable();
        assert!(marks.iter().all(|m| *m < 1 << 20));
        assert!(marks.windows(2).filter(|pair| pair[0] == pair[1]).count() < 30);
    }
}
