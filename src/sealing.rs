//! State on its way into the vault, or out of it.
//!
//! A room puts what must outlive a crash into a [`Sealing`], piece by piece; only the vault takes the bytes out again, and
//! seals them in the same place. So a key or a pseudonym need not be serialisable to be kept, and nobody else can keep
//! them. Both wipe themselves.

use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

/// What a new buffer holds before it must grow, bytes.
const ROOM_MIN: usize = 64 * 1_024;
/// The most pieces of one kind that are put in or taken out; far over what any lens holds at once.
const PIECES_MAX: usize = 1 << 25;

/// State in clear, on its way into the vault.
pub struct Sealing {
    bytes: Zeroizing<Vec<u8>>,
    /// A piece did not fit its form, so that nothing of this may be kept.
    broken: bool,
}

/// State in clear, out of the vault.
pub struct Unsealing {
    bytes: Zeroizing<Vec<u8>>,
    at: usize,
}

/// What was kept does not read as what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was kept does not read at byte {at}")]
pub struct Unread {
    /// How far it did.
    pub at: usize,
}

impl Sealing {
    /// Nothing yet, with room for about as many bytes as the last time, so that nothing is copied on the way.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(bytes.max(ROOM_MIN))), broken: false }
    }

    /// Puts a value in.
    pub fn put<T: Serialize + ?Sized>(&mut self, value: &T) {
        let Self { bytes, broken } = self;
        *broken |= postcard::serialize_with_flavor(value, Grow(bytes)).is_err();
    }

    /// Puts a key in, byte for byte.
    pub fn put_key(&mut self, key: &[u8; 32]) {
        self.put(key);
    }

    /// Puts some pieces in, with their number before them.
    pub fn put_all<P>(
        &mut self,
        pieces: impl ExactSizeIterator<Item = P>,
        mut put: impl FnMut(&mut Self, P),
    ) {
        self.put(&pieces.len());
        pieces.for_each(|piece| put(self, piece));
    }

    /// The bytes, for the vault alone; `None` when a piece did not fit its form.
    #[must_use]
    pub fn into_clear_bytes(self) -> Option<Zeroizing<Vec<u8>>> {
        (!self.broken).then_some(self.bytes)
    }
}

impl Unsealing {
    /// What the vault has opened, from some byte on.
    #[must_use]
    pub fn of_clear_bytes(bytes: Zeroizing<Vec<u8>>, at: usize) -> Self {
        Self { bytes, at }
    }

    /// Takes the next value out.
    ///
    /// # Errors
    /// When it is of another form.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<T, Unread> {
        let unread = Unread { at: self.at };
        let rest = self.bytes.get(self.at..).ok_or(unread)?;
        let (value, left) = postcard::take_from_bytes(rest).map_err(|_| unread)?;
        self.at = self.bytes.len() - left.len();
        Ok(value)
    }

    /// Takes a key out, straight to where it belongs.
    ///
    /// # Errors
    /// When there are not as many bytes.
    pub fn take_key(&mut self, place: &mut [u8]) -> Result<(), Unread> {
        let end = self.at + place.len();
        let bytes = self.bytes.get(self.at..end).ok_or(Unread { at: self.at })?;
        place.copy_from_slice(bytes);
        self.at = end;
        Ok(())
    }

    /// Takes pieces out, as many as were put in.
    ///
    /// # Errors
    /// When one does not read.
    pub fn take_all<E: From<Unread>>(
        &mut self,
        mut take: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let unread = self.unread();
        let count: usize = self.take()?;
        if count > PIECES_MAX {
            return Err(unread.into());
        }
        (0..count).try_for_each(|_| take(self))
    }

    /// That what comes next is not what is wanted.
    #[must_use]
    pub fn unread(&self) -> Unread {
        Unread { at: self.at }
    }

    /// Whether all was taken out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }
}

/// Grows by moving to a larger buffer and wiping the smaller one; a vector by itself would leave that to the allocator.
struct Grow<'a>(&'a mut Zeroizing<Vec<u8>>);

impl postcard::ser_flavors::Flavor for Grow<'_> {
    type Output = ();

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.try_extend(&[data])
    }

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        let needed = self.0.len() + data.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            larger.extend_from_slice(self.0);
            *self.0 = larger;
        }
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(Sealing: Clone, std::fmt::Debug, Serialize);
    assert_not_impl_any!(Unsealing: Clone, std::fmt::Debug, Serialize);

    #[test]
    fn what_was_put_in_comes_out_in_order_and_nothing_else_does() {
        let mut sealing = Sealing::with_room(0);
        sealing.put(&(7_u16, -3_i64));
        sealing.put_key(&[9; 32]);
        sealing.put_all((0..100_000_u32).map(|n| n % 777), |sealing, n| sealing.put(&n));
        let mut unsealing = Unsealing::of_clear_bytes(sealing.into_clear_bytes().unwrap(), 0);
        assert_eq!(unsealing.take(), Ok((7_u16, -3_i64)));
        let mut key = [0; 32];
        unsealing.take_key(&mut key).unwrap();
        assert_eq!(key, [9; 32]);
        let mut pieces = Vec::new();
        unsealing
            .take_all(|unsealing| {
                pieces.push(unsealing.take::<u32>()?);
                Ok::<_, Unread>(())
            })
            .unwrap();
        assert_eq!(pieces.len(), 100_000);
        assert!(unsealing.is_empty());
        assert!(unsealing.take::<u8>().is_err());
    }
}
