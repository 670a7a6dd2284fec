//! A page of memory for one secret.

use zeroize::Zeroize as _;

use super::Locked;

/// The size of a page, bytes.
const PAGE_BYTES: usize = 4096;

/// So aligned that unlocking one page never unlocks a neighbour.
#[repr(align(4096))]
struct Aligned([u8; PAGE_BYTES]);

/// The system would not lock a page.
#[derive(Debug, thiserror::Error)]
#[error("locking a page of memory for a key: {0}; allow it with LimitMEMLOCK= (systemd) or ulimit -l")]
pub struct NoLock(#[from] region::Error);

/// A locked page for one secret of `LEN` bytes; it is wiped when it is dropped.
pub struct Page<const LEN: usize> {
    // Fields are dropped in this order: the page is unlocked while it is still ours. The guard is in a block of its own, for
    // the place of one that is not there would take along whatever lay on the stack.
    _lock: Option<Box<region::LockGuard>>,
    page: Box<Aligned>,
}

impl<const LEN: usize> Page<LEN> {
    /// A page of zeros.
    ///
    /// # Errors
    /// When the system locks no more memory.
    pub fn blank() -> Result<Self, NoLock> {
        const { assert!(LEN <= PAGE_BYTES, "a secret has one page") };
        let page = Box::new(Aligned([0; PAGE_BYTES]));
        // In a process that is locked the page is so already, and must not be unlocked for whoever gets it next.
        let lock = match super::locked() {
            Locked::Wholly => None,
            Locked::Keys { .. } => Some(Box::new(region::lock(page.0.as_ptr(), PAGE_BYTES)?)),
        };
        Ok(Self { _lock: lock, page })
    }

    /// The secret.
    #[must_use]
    pub fn secret(&self) -> &[u8; LEN] {
        // A page is longer than any secret: see `blank`.
        self.page.0.first_chunk().unwrap_or(&[0; LEN])
    }

    /// The secret's place, to be filled.
    pub fn fill(&mut self) -> &mut [u8] {
        &mut self.page.0[..LEN]
    }
}

impl<const LEN: usize> Drop for Page<LEN> {
    fn drop(&mut self) {
        self.page.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(Page<32>: Clone, Copy, std::fmt::Debug, std::fmt::Display, serde::Serialize);

    #[test]
    fn a_page_begins_as_nothing_and_holds_its_secret() {
        let mut page = Page::<4>::blank().unwrap();
        assert_eq!(page.secret(), &[0; 4]);
        page.fill().copy_from_slice(b"word");
        assert_eq!(page.secret(), b"word");
    }
}
