//! What stands before a sealed state, in clear and under the seal's protection: nothing about anyone.

use super::When;
use crate::clock::{EpochMs, SteadyMs, Window};

/// The first bytes of every file.
const MAGIC: &[u8; 16] = b"passant vault 1\n";
/// The length of a header, bytes.
pub(super) const HEADER_BYTES: usize = 16 + 4 + 16 + 32 + 8 + 4 * 8 + 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) layout: u32,
    pub(super) boot: [u8; 16],
    pub(super) made_under: [u8; 32],
    /// The number of the sealing key.
    pub(super) key: u64,
    pub(super) day: Window,
    pub(super) sealed: When,
    pub(super) nonce: [u8; 24],
}

impl Header {
    pub(super) fn write(&self) -> [u8; HEADER_BYTES] {
        let numbers = [self.day.from.0, self.day.to.0, self.sealed.wall.0, self.sealed.steady.0];
        let (layout, key) = (self.layout.to_le_bytes(), self.key.to_le_bytes());
        let numbers = numbers.map(i64::to_le_bytes);
        let parts: [&[u8]; 7] = [
            MAGIC.as_slice(),
            &layout,
            &self.boot,
            &self.made_under,
            &key,
            numbers.as_flattened(),
            &self.nonce,
        ];
        let mut bytes = [0; HEADER_BYTES];
        let mut rest = &mut bytes[..];
        for part in parts {
            let (place, left) = rest.split_at_mut(part.len());
            place.copy_from_slice(part);
            rest = left;
        }
        bytes
    }

    /// `None` when it is no header.
    pub(super) fn read(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (layout, rest) = rest.split_first_chunk::<4>()?;
        let (boot, rest) = rest.split_first_chunk::<16>()?;
        let (made_under, rest) = rest.split_first_chunk::<32>()?;
        let (key, rest) = rest.split_first_chunk::<8>()?;
        let (numbers, rest) = rest.split_at_checked(4 * 8)?;
        let nonce = *rest.first_chunk::<24>()?;
        let number = |place: usize| Some(i64::from_le_bytes(*numbers.get(8 * place..)?.first_chunk::<8>()?));
        Some(Self {
            layout: u32::from_le_bytes(*layout),
            boot: *boot,
            made_under: *made_under,
            key: u64::from_le_bytes(*key),
            day: Window { from: EpochMs(number(0)?), to: EpochMs(number(1)?) },
            sealed: When { wall: EpochMs(number(2)?), steady: SteadyMs(number(3)?) },
            nonce,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_as_it_was_written_and_nothing_else_reads() {
        let header = Header {
            layout: 7,
            boot: [1; 16],
            made_under: [2; 32],
            key: 3,
            day: Window { from: EpochMs(-4), to: EpochMs(5) },
            sealed: When { wall: EpochMs(6), steady: SteadyMs(7) },
            nonce: [8; 24],
        };
        let mut bytes = header.write();
        assert_eq!(Header::read(&bytes), Some(header));
        bytes[0] ^= 1;
        assert_eq!(Header::read(&bytes), None);
    }
}
