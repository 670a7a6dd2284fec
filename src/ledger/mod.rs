#![doc = include_str!("README.md")]

mod event;
mod line;
mod verify;

pub use event::{Event, Refusal, StaffChange};
pub use line::Fault;
pub use verify::{Broken, Verified, verify, verify_through};

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use passant_wire::Id;

use crate::clock::EpochMs;
use verify::Walk;

/// The ledger's name in the data directory.
pub const FILE_NAME: &str = "ledger.jsonl";
/// The name of the file before it.
pub const EARLIER_NAME: &str = "ledger.earlier.jsonl";
/// What is left of lines that a crash cut short.
const TORN_NAME: &str = "ledger.torn";
/// A file of this many lines is put aside for a new one: some 30 MB.
const LINES_MAX: u64 = 100_000;
/// What was set aside is kept up to this; then it begins anew.
const TORN_BYTES_MAX: u64 = 64 * 1_024;

/// The last line: its number, and the hash that holds on to every line before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Lines are numbered from 1; 0 is before the first.
    pub number: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// What the ledger knows of a venue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// When the key of a day was last wiped.
    pub last_key_wiped: Option<EpochMs>,
    /// When rows were last purged.
    pub last_purge: Option<EpochMs>,
    /// Keys of days made and not wiped since the last start: more than none at a start says that the run before it crashed,
    /// or left them in the vault.
    pub keys: u32,
    /// When it was destroyed, unless somebody has asked to count there again since.
    pub destroyed: Option<EpochMs>,
}

/// The ledger of a data directory. Clones share it. Whoever opens it holds the directory's lock.
#[derive(Clone, Debug)]
pub struct Ledger(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    file: File,
    lines_max: u64,
    /// Lines of the file, and the bytes they take; what stands after those is not a line.
    lines: u64,
    bytes: u64,
    torn_bytes: u64,
    head: Head,
    facts: BTreeMap<String, Facts>,
    objections: Option<EpochMs>,
}

/// What the ledger could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The chain does not hold. It is not mended.
    #[error("{0}; keep it for whoever audits it, move it away, and start again: a new ledger begins then")]
    Broken(#[from] Broken),
    /// A file cannot be made or written. Try again.
    #[error("writing the ledger in {}", dir.display())]
    Write {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program was ending while a line waited for its turn. Try again.
    #[error("writing the ledger: it was broken off")]
    BrokenOff,
}

impl Ledger {
    /// Opens the ledger of a data directory and verifies all of it; makes one where there is none.
    ///
    /// # Errors
    /// When its chain does not hold, or its files cannot be made or read.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_tuned(dir, LINES_MAX)
    }

    fn open_tuned(dir: &Path, lines_max: u64) -> Result<Self, Error> {
        let walk = Walk::of(dir, None)?;
        let failed = |source| Error::Write { dir: dir.into(), source };
        if !walk.torn.is_empty() {
            set_aside(dir, &walk.torn).map_err(failed)?;
        }
        let file = make_file(dir).map_err(failed)?;
        let Walk { head, file_lines, file_bytes, torn, facts, objections, .. } = walk;
        let inner = Inner {
            dir: dir.into(),
            file,
            lines_max,
            lines: file_lines,
            bytes: file_bytes,
            torn_bytes: torn.len() as u64,
            head,
            facts,
            objections,
        };
        Ok(Self(Arc::new(Mutex::new(inner))))
    }

    /// Writes an event down. It is on the disk when this returns, so it is called where waiting for a disk is right.
    ///
    /// # Errors
    /// When the disk does not take it: nothing is written then, and the caller tries again.
    pub fn append(&self, at: EpochMs, event: &Event) -> Result<Head, Error> {
        let mut inner = self.inner();
        inner.append(at, event).map_err(|source| Error::Write { dir: inner.dir.clone(), source })
    }

    /// The last line.
    #[must_use]
    pub fn head(&self) -> Head {
        self.inner().head
    }

    /// What it knows of a venue.
    #[must_use]
    pub fn facts(&self, venue: &Id) -> Facts {
        self.inner().facts.get(venue.as_str()).copied().unwrap_or_default()
    }

    /// When objections were last counted.
    #[must_use]
    pub fn objections_told(&self) -> Option<EpochMs> {
        self.inner().objections
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic between two lines leaves the state of the earlier one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn append(&mut self, at: EpochMs, event: &Event) -> io::Result<Head> {
        if self.lines >= self.lines_max {
            self.turn_over()?;
        }
        if self.lines == 0 && self.head.number > 0 {
            self.write(at, &Event::Continued)?;
        }
        if self.torn_bytes > 0 {
            self.write(at, &Event::Torn { bytes: self.torn_bytes })?;
            self.torn_bytes = 0;
        }
        self.write(at, event)?;
        Ok(self.head)
    }

    fn write(&mut self, at: EpochMs, event: &Event) -> io::Result<()> {
        let (line, head) = line::write(&self.head, at, event)?;
        let bytes = self.bytes + line.len() as u64;
        // What a crash has left stands in this place, and goes.
        let taken = self.file.write_all_at(&line, self.bytes);
        if let Err(error) = taken.and_then(|()| self.file.set_len(bytes)).and_then(|()| self.file.sync_data())
        {
            // The next try begins in the same place, so nothing rests on this one.
            let _ = self.file.set_len(self.bytes);
            return Err(error);
        }
        (self.bytes, self.head) = (bytes, head);
        self.lines += 1;
        if let Event::Objections { .. } = event {
            self.objections = Some(at);
        }
        if let Event::Started = event {
            verify::note_start(&mut self.facts);
        }
        let said = event.said();
        if let Some(venue) = said.venue {
            verify::note(&mut self.facts, said.event, venue, EpochMs(at.0.div_euclid(1_000) * 1_000));
        }
        Ok(())
    }

    /// Puts the file aside, in place of the one before it, and begins a new one.
    fn turn_over(&mut self) -> io::Result<()> {
        std::fs::rename(self.dir.join(FILE_NAME), self.dir.join(EARLIER_NAME))?;
        self.file = make_file(&self.dir)?;
        (self.lines, self.bytes) = (0, 0);
        Ok(())
    }
}

impl Head {
    /// The hash as 64 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        Self::hex_of(&self.hash)
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn hash_of_hex(hex: &str) -> Option<[u8; 32]> {
        Some(*blake3::Hash::from_hex(hex).ok()?.as_bytes())
    }

    fn hex_of(hash: &[u8; 32]) -> String {
        blake3::Hash::from_bytes(*hash).to_hex().to_string()
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.hex())
    }
}

/// Opens the file, which only its owner can read, and makes it where it is not there.
fn make_file(dir: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    let file = options.open(dir.join(FILE_NAME))?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    File::open(dir)?.sync_all()?;
    Ok(file)
}

/// Keeps what is left of a line, before its place is taken.
fn set_aside(dir: &Path, torn: &[u8]) -> io::Result<()> {
    let path = dir.join(TORN_NAME);
    let full = std::fs::metadata(&path).is_ok_and(|file| file.len() >= TORN_BYTES_MAX);
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    let options = if full { options.write(true).truncate(true) } else { options.append(true) };
    let mut file = options.open(path)?;
    file.write_all(torn)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
