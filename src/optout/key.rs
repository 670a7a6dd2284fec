//! The opt-out key: its own file, apart from the database, used for marks and for nothing else.

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::{LONG_BITS, ObjectionMark, SHORT_BITS};
use crate::chance::{self, NoChance};
use crate::memory::{NoLock, Page};
use crate::sighting::DeviceId;

/// What the key is used for, framed into every hash.
const MARK: &[u8; 24] = b"passant opt-out marks v1";
/// The same of the value by which a list knows its key.
const CHECK: &[u8; 24] = b"passant opt-out check v1";
/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// A value by which a list knows its key. It says nothing about any mark.
pub type CheckValue = [u8; 16];

/// The opt-out key, on a locked page; wiped when it is dropped.
pub struct Key(Page<KEY_BYTES>);

/// The place of the opt-out key.
#[derive(Clone, Debug)]
pub struct KeyFile(PathBuf);

/// What is wrong with the key's file, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No random bytes.
    #[error(transparent)]
    NoChance(#[from] NoChance),
    /// The system would not lock a page.
    #[error(transparent)]
    NoLock(#[from] NoLock),
    /// The file cannot be read or made.
    #[error("opening the opt-out key {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others may read it.
    #[error("opening the opt-out key {}: others may read it; chmod 600 it, and ask who has", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// It is no key.
    #[error("opening the opt-out key {}: it is no key of {KEY_BYTES} bytes; restore it from a backup", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
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

    #[cfg(test)]
    pub(super) fn of(bytes: [u8; KEY_BYTES]) -> Self {
        let mut page = Page::blank().unwrap();
        page.fill().copy_from_slice(&bytes);
        Self(page)
    }

    /// The marks of a device: the short one, and the long one for when the short ones are many. They share no bit.
    #[must_use]
    pub fn marks(&self, device: &DeviceId) -> [ObjectionMark; 2] {
        let hash = self.hash(MARK, device.octets());
        let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
        let number = |bytes: [u8; 4], bits: u8| u32::from_le_bytes(bytes) >> (32 - bits);
        [
            ObjectionMark { bits: SHORT_BITS, number: number([a, b, c, d], SHORT_BITS) },
            ObjectionMark { bits: LONG_BITS, number: number([e, f, g, h], LONG_BITS) },
        ]
    }

    /// The value by which a list knows this key.
    #[must_use]
    pub fn check_value(&self) -> CheckValue {
        let hash = self.hash(CHECK, &[]);
        *hash.as_bytes().first_chunk().unwrap_or(&[0; 16])
    }

    fn hash(&self, context: &[u8; 24], what: &[u8]) -> blake3::Hash {
        let mut framed = [0; 1 + 24 + 1 + 6];
        framed[0] = 24;
        framed[1..25].copy_from_slice(context);
        framed[25] = what.len() as u8;
        framed[26..26 + what.len()].copy_from_slice(what);
        blake3::keyed_hash(self.0.secret(), &framed[..26 + what.len()])
    }
}

impl KeyFile {
    /// The key's place.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The key that lies there; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read, others may read it, or it is no key.
    pub fn read(&self) -> Result<Option<Key>, KeyError> {
        read(&self.0)
    }

    /// Writes a new key beside its place; [`KeyFile::settle`] puts it there. A start that breaks off between the two
    /// leaves a draft, and never a list without its key.
    ///
    /// # Errors
    /// When there are no random bytes, or the file cannot be made.
    pub fn draft(&self) -> Result<Key, KeyError> {
        let key = Key::random()?;
        let draft = self.draft_path();
        let write = || -> io::Result<()> {
            if let Some(dir) = self.0.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
            }
            let mut file =
                File::options().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
            file.write_all(key.0.secret())?;
            file.sync_all()
        };
        write().map_err(|source| KeyError::File { path: draft.clone(), source })?;
        Ok(key)
    }

    /// The key of a draft that was never put in its place.
    ///
    /// # Errors
    /// As [`KeyFile::read`].
    pub fn drafted(&self) -> Result<Option<Key>, KeyError> {
        read(&self.draft_path())
    }

    /// Puts the draft in its place.
    ///
    /// # Errors
    /// When the system does not.
    pub fn settle(&self) -> Result<(), KeyError> {
        std::fs::rename(self.draft_path(), &self.0)
            .map_err(|source| KeyError::File { path: self.0.clone(), source })
    }

    fn draft_path(&self) -> PathBuf {
        self.0.with_added_extension("draft")
    }
}

fn read(path: &Path) -> Result<Option<Key>, KeyError> {
    let failed = |source| KeyError::File { path: path.into(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    let about = file.metadata().map_err(failed)?;
    if about.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Open { path: path.into() });
    }
    if about.len() != KEY_BYTES as u64 {
        return Err(KeyError::NoKey { path: path.into() });
    }
    let mut page = Page::blank()?;
    file.read_exact(page.fill()).map_err(failed)?;
    Ok(Some(Key(page)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_for_its_owner_alone_and_comes_back() {
        let temp = tempfile::tempdir().unwrap();
        let file = KeyFile::new(temp.path().join("key/opt-out"));
        assert!(file.read().unwrap().is_none());
        let made = file.draft().unwrap();
        assert!(file.read().unwrap().is_none());
        assert_eq!(file.drafted().unwrap().unwrap().check_value(), made.check_value());
        file.settle().unwrap();
        assert_eq!(file.read().unwrap().unwrap().check_value(), made.check_value());
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(file.path()), mode(file.path().parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn a_key_that_others_may_read_or_that_is_none_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let file = KeyFile::new(temp.path().join("key"));
        file.draft().unwrap();
        file.settle().unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
        let said = file.read().err().unwrap().to_string();
        assert!(said.contains("others may read it"), "{said}");
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(file.path(), b"short").unwrap();
        assert!(matches!(file.read(), Err(KeyError::NoKey { .. })));
    }

    #[test]
    fn the_check_value_is_the_keys_and_no_marks() {
        let (a, b) = (Key::of([1; 32]), Key::of([2; 32]));
        assert_ne!(a.check_value(), b.check_value());
        let device = DeviceId::from_octets([1, 2, 3, 4, 5, 6]).unwrap();
        assert_ne!(a.hash(MARK, device.octets()), a.hash(CHECK, device.octets()));
    }
}
