//! The key that a day's states are sealed under: a file of its own beside them, in the same memory.

use std::path::Path;

use passant_wire::Id;
use zeroize::Zeroizing;

use super::{Error, file};
use crate::chance;
use crate::memory::Page;

/// A sealing key, on a locked page: it cannot be printed or copied, and wipes itself.
pub(super) struct SealKey {
    number: u64,
    bytes: Page<32>,
}

/// Makes a key and its file.
pub(super) fn make(dir: &Path, venue: &Id) -> Result<SealKey, Error> {
    let mut number = [0; 8];
    chance::fill(&mut number)?;
    let mut bytes = Page::blank()?;
    chance::fill(bytes.fill())?;
    let key = SealKey { number: u64::from_le_bytes(number), bytes };
    let path = dir.join(key.name(venue));
    file::write(&path, &[key.bytes()]).map_err(Error::io("writing", &path))?;
    Ok(key)
}

impl SealKey {
    /// The key of a number; `None` when it is gone.
    pub(super) fn find(dir: &Path, venue: &Id, number: u64) -> Option<Self> {
        let mut bytes = Page::blank().ok()?;
        let read = Zeroizing::new(file::read(&dir.join(name(venue, number)), 32)?);
        bytes.fill().copy_from_slice(read.first_chunk::<32>()?);
        Some(Self { number, bytes })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        self.bytes.secret()
    }

    /// The name of its file.
    pub(super) fn name(&self, venue: &Id) -> String {
        name(venue, self.number)
    }
}

fn name(venue: &Id, number: u64) -> String {
    format!("{venue}.{number:016x}.key")
}
