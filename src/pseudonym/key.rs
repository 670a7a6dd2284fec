//! Keys that nobody can print, copy or keep.

use crate::chance::{self, NoChance};
use crate::memory::{NoLock, Page};
use crate::sealing::{Sealing, Unread, Unsealing};

/// A random 256-bit key on a locked page; wiped when it is dropped.
pub struct Key(Page<32>);

/// Why no key could be made; without one nothing is hashed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No random bytes.
    #[error(transparent)]
    NoChance(#[from] NoChance),
    /// The system would not lock a page.
    #[error(transparent)]
    NoLock(#[from] NoLock),
    /// What the vault kept is no key.
    #[error(transparent)]
    Unread(#[from] Unread),
}

impl Key {
    /// A new random key.
    ///
    /// # Errors
    /// When the system gives no random bytes or no locked memory.
    pub fn random() -> Result<Self, KeyError> {
        let mut page = Page::blank()?;
        chance::fill(page.fill())?;
        Ok(Self(page))
    }

    /// Puts the key among what the vault keeps: the only way out of its page.
    pub(super) fn seal(&self, into: &mut Sealing) {
        into.put_key(self.0.secret());
    }

    /// Takes a key out of what the vault kept, straight onto a locked page.
    pub(super) fn unseal(from: &mut Unsealing) -> Result<Self, KeyError> {
        let mut page = Page::blank()?;
        from.take_key(page.fill())?;
        Ok(Self(page))
    }

    /// 64 bits of keyed BLAKE3 over length-framed parts.
    pub(super) fn hash(&self, context: &[u8; 16], radio: u8, octets: &[u8; 6]) -> u64 {
        let mut framed = [0; 1 + 16 + 1 + 1 + 1 + 6];
        framed[0] = 16;
        framed[1..17].copy_from_slice(context);
        framed[17] = 1;
        framed[18] = radio;
        framed[19] = 6;
        framed[20..].copy_from_slice(octets);
        let hash = blake3::keyed_hash(self.0.secret(), &framed);
        u64::from_le_bytes(*hash.as_bytes().first_chunk::<8>().unwrap_or(&[0; 8]))
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(Key: Clone, Copy, std::fmt::Debug, std::fmt::Display, serde::Serialize, PartialEq);

    #[test]
    fn keys_are_random_and_parts_are_framed() {
        let context = b"passant stable 1";
        let hash = |key: &Key, radio| key.hash(context, radio, &[1, 2, 3, 4, 5, 6]);
        let (a, b) = (Key::random().unwrap(), Key::random().unwrap());
        assert_ne!(hash(&a, 0), hash(&b, 0));
        assert_ne!(hash(&a, 0), hash(&a, 1));
        assert_eq!(hash(&a, 0), hash(&a, 0));
    }
}
