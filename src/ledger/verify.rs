//! Walks a ledger from its first line to its last.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::event::{
    CONTINUED, COUNTED_ANEW, DESTROYED, KEY_MADE, KEY_WIPED, OBJECTIONS, PURGED, RESUMED, STARTED,
};
use super::line::{self, Fault, LINE_BYTES_MAX, Line};
use super::{EARLIER_NAME, FILE_NAME, Facts, Head};
use crate::clock::EpochMs;

/// A ledger whose chain holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many lines were held against each other.
    pub lines: u64,
    /// Number and time of the first.
    pub first: Option<(u64, EpochMs)>,
    /// Number and time of the last.
    pub last: Option<(u64, EpochMs)>,
    /// The number and the hash of the last.
    pub head: Head,
    /// Bytes after the last whole line: it is being written just now, or a crash cut it short.
    pub torn_bytes: u64,
}

/// Why a ledger does not hold.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A line is wrong.
    #[error("the ledger is broken at line {line} of {}: {fault}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line in it, from 1.
        line: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// The chain holds, and does not pass through the head that was given.
    #[error(
        "the ledger does not reach the head {head}: its lines were removed from the end, or it was written anew; \
         what it holds ends at line {last}"
    )]
    Head {
        /// The head that was given.
        head: String,
        /// The number of its last line.
        last: u64,
    },
    /// There is none.
    #[error("there is no ledger in {}", dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// It cannot be read.
    #[error("reading the ledger {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Verifies the ledger of a data directory, from its first line to its last.
///
/// # Errors
/// At the first line that does not hold.
pub fn verify(dir: &Path) -> Result<Verified, Broken> {
    Ok(Walk::along(dir, None)?.verified())
}

/// Verifies the ledger of a data directory, and that it passes through a head that somebody has seen.
///
/// # Errors
/// At the first line that does not hold, or when no line has that head.
pub fn verify_through(dir: &Path, head: [u8; 32]) -> Result<Verified, Broken> {
    let walk = Walk::along(dir, Some(head))?;
    let verified = walk.verified();
    if walk.passed {
        return Ok(verified);
    }
    Err(Broken::Head { head: Head::hex_of(&head), last: verified.head.number })
}

/// What a walk has seen.
pub(super) struct Walk {
    lines: u64,
    first: Option<(u64, EpochMs)>,
    last: Option<(u64, EpochMs)>,
    pub(super) head: Head,
    /// Lines of the newest file.
    pub(super) file_lines: u64,
    /// Bytes of the newest file's whole lines.
    pub(super) file_bytes: u64,
    /// What stands after them.
    pub(super) torn: Vec<u8>,
    pub(super) facts: BTreeMap<String, Facts>,
    /// When objections were last counted.
    pub(super) objections: Option<EpochMs>,
    /// The head that is looked for, and whether it was met.
    sought: Option<[u8; 32]>,
    passed: bool,
}

impl Walk {
    /// Walks along both files of a directory; a directory without any is an empty ledger only to whoever opens one.
    fn along(dir: &Path, sought: Option<[u8; 32]>) -> Result<Self, Broken> {
        let walk = Self::of(dir, sought)?;
        if walk.lines == 0 && walk.torn.is_empty() && !dir.join(FILE_NAME).exists() {
            return Err(Broken::Missing { dir: dir.into() });
        }
        Ok(walk)
    }

    pub(super) fn of(dir: &Path, sought: Option<[u8; 32]>) -> Result<Self, Broken> {
        let mut walk = Self {
            lines: 0,
            first: None,
            last: None,
            head: Head::default(),
            file_lines: 0,
            file_bytes: 0,
            torn: Vec::new(),
            facts: BTreeMap::new(),
            objections: None,
            sought,
            passed: false,
        };
        let earlier = dir.join(EARLIER_NAME);
        walk.file(&earlier)?;
        if !walk.torn.is_empty() {
            // Whoever put the file aside had finished its last line.
            return Err(Broken::Line { file: earlier, line: walk.file_lines + 1, fault: Fault::Short });
        }
        walk.file(&dir.join(FILE_NAME))?;
        Ok(walk)
    }

    fn verified(&self) -> Verified {
        let Self { lines, first, last, head, ref torn, .. } = *self;
        Verified { lines, first, last, head, torn_bytes: torn.len() as u64 }
    }

    /// Walks along one file; one that is not there has no line.
    fn file(&mut self, file: &Path) -> Result<(), Broken> {
        (self.file_lines, self.file_bytes) = (0, 0);
        let unread = |source| Broken::Read { file: file.into(), source };
        let mut reader = match File::open(file) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unread(error)),
        };
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes).map_err(unread)?;
            let broken = |fault| Broken::Line { file: file.into(), line: self.file_lines + 1, fault };
            match bytes.strip_suffix(b"\n") {
                None if bytes.len() as u64 == LINE_BYTES_MAX => return Err(broken(Fault::Long)),
                None => break self.torn = bytes,
                Some(line) => {
                    let line = line::read(line).map_err(broken)?;
                    self.step(&line).map_err(|fault| Broken::Line {
                        file: file.into(),
                        line: self.file_lines + 1,
                        fault,
                    })?;
                    self.file_lines += 1;
                    self.file_bytes += bytes.len() as u64;
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, line: &Line) -> Result<(), Fault> {
        // The oldest line there is may go on from a file that had its time.
        let continues = self.lines == 0 && line.event == CONTINUED && line.n > 1;
        if !continues && !line.follows(&self.head) {
            return Err(if self.lines == 0 { Fault::NoBeginning } else { Fault::Unchained });
        }
        let at = line.at().ok_or(Fault::Unread)?;
        self.head = Head { number: line.n, hash: line.hash };
        self.lines += 1;
        self.first.get_or_insert((line.n, at));
        self.last = Some((line.n, at));
        self.passed |= self.sought == Some(line.hash);
        if line.event == OBJECTIONS {
            self.objections = Some(at);
        }
        if line.event == STARTED {
            note_start(&mut self.facts);
        }
        if let Some(venue) = &line.venue {
            note(&mut self.facts, &line.event, venue, at);
        }
        Ok(())
    }
}

/// Whatever an earlier run held in memory is gone.
pub(super) fn note_start(facts: &mut BTreeMap<String, Facts>) {
    facts.values_mut().for_each(|of| of.keys = 0);
}

/// Notes what an event says of a venue.
pub(super) fn note(facts: &mut BTreeMap<String, Facts>, event: &str, venue: &str, at: EpochMs) {
    let of = facts.entry(venue.to_owned()).or_default();
    match event {
        KEY_MADE | RESUMED => of.keys += 1,
        KEY_WIPED => {
            of.last_key_wiped = Some(at);
            of.keys = of.keys.saturating_sub(1);
        }
        PURGED => of.last_purge = Some(at),
        DESTROYED => of.destroyed = Some(at),
        COUNTED_ANEW => of.destroyed = None,
        _ => {}
    }
}
