#![doc = include_str!("README.md")]

mod file;
mod header;
mod keys;
mod place;

pub use place::look;

use std::path::{Path, PathBuf};

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use passant_wire::Id;
use zeroize::Zeroizing;

use crate::aggregate::CROWD_LATENESS_SECS;
use crate::chance::{self, NoChance};
use crate::clock::{EpochMs, SteadyMs, Window};
use crate::memory::NoLock;
use crate::sealing::{Sealing, Unsealing};
use header::{HEADER_BYTES, Header};
use keys::SealKey;

/// Nothing is taken out that was sealed longer ago than this in real time, ms: no key in it lives longer.
const LIFE_MS: i64 = 24 * 3_600_000;
/// A wall clock this much behind the one that sealed has been set back, ms; what was sealed then lies in its future.
const BACK_MS_MAX: i64 = 5 * 60_000;
/// The most that one venue's state may take, bytes; far over a million open visits.
const STATE_BYTES_MAX: u64 = 2 << 30;
/// The length of the seal's tag, bytes.
const TAG_BYTES: usize = 16;

/// A directory in memory that was found fit to hold a vault.
#[derive(Clone, Debug)]
pub struct Vault {
    dir: PathBuf,
    /// Of which start of the machine this is; memory does not outlive one.
    boot: [u8; 16],
}

/// One venue's state, sealed.
pub struct Strongbox {
    vault: Vault,
    venue: Id,
    terms: Terms,
    /// The key of the day that was last sealed.
    key: Option<(Window, SealKey)>,
    /// How many bytes the state took the last time.
    room: usize,
}

/// What must be the same for a state to be taken out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The form of what is inside: a program of another form does not read it.
    pub layout: u32,
    /// A hash of all that the state was made under: thresholds, zones, sensors, hours, time zone.
    pub made_under: [u8; 32],
}

/// A moment by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// The machine's wall clock.
    pub wall: EpochMs,
    /// The steady clock, which goes on over restarts of the program.
    pub steady: SteadyMs,
}

/// A state that was taken out.
pub struct Taken {
    /// The state.
    pub state: Unsealing,
    /// When it was sealed.
    pub sealed: When,
}

/// Why nothing was taken out. What lay there has been wiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gone {
    /// There is nothing.
    #[error("there is nothing in it")]
    Nothing,
    /// It is cut short, was changed, or its key is gone.
    #[error("what lies there does not open: it is cut short or changed, or its key is gone")]
    Broken,
    /// Another version of the program sealed it.
    #[error("another version of the program sealed it")]
    Layout,
    /// It was sealed under other thresholds, zones, sensors or hours.
    #[error("it was sealed under other thresholds, zones, sensors or hours")]
    Terms,
    /// It is of an earlier venue day, or over 24 hours old.
    #[error("it is of an earlier day, or over 24 hours old")]
    Over,
    /// The machine's clock stands before the moment at which it was sealed, or the machine was started anew.
    #[error("the machine's clock was set back, or the machine was started anew")]
    Clock,
    /// It is older than what has been published since.
    #[error("it is older than what was published after it")]
    Stale,
}

/// What the vault could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory is on a disk.
    #[error(
        "the vault {} is on {kind}, which is not memory: name a directory on a tmpfs or ramfs in [vault] dir, like one \
         under /run, or remove [vault] and a restart begins under a new key",
        dir.display()
    )]
    OnDisk {
        /// The directory.
        dir: PathBuf,
        /// What the file system calls itself, hexadecimal.
        kind: String,
    },
    /// The directory is on a tmpfs, and swap is on.
    #[error(
        "the vault {} is on a tmpfs and swap is on ({areas}), so the day's key may reach a disk: switch swap off \
         (swapoff -a), mount a ramfs there, or remove [vault]",
        dir.display()
    )]
    Swap {
        /// The directory.
        dir: PathBuf,
        /// The areas.
        areas: String,
    },
    /// Others may look into the directory.
    #[error("the vault {} is open to others: it must belong to the user that passant runs as, with mode 0700 \
             (chmod 700, chown)", dir.display())]
    Open {
        /// The directory.
        dir: PathBuf,
    },
    /// The system would not do it.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No random bytes for a seal.
    #[error(transparent)]
    NoChance(#[from] NoChance),
    /// No locked page for a sealing key.
    #[error(transparent)]
    NoLock(#[from] NoLock),
    /// The state does not fit its form, or its seal.
    #[error("the state of a venue could not be sealed; please report it")]
    Unsealable,
}

impl Error {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { doing, path: path.into(), source }
    }
}

impl Vault {
    /// Opens a directory, made if it is not there, for the program that holds the data directory's lock. `swap` names the
    /// swap areas that are on.
    ///
    /// # Errors
    /// When the directory is on a disk, on a tmpfs while swap is on, or open to others.
    pub fn open(dir: &Path, swap: &[String]) -> Result<Self, Error> {
        place::make(dir)?;
        look(dir, dir, swap)?;
        Ok(Self { dir: dir.into(), boot: place::boot()? })
    }

    /// A venue's strongbox.
    #[must_use]
    pub fn strongbox(&self, venue: Id, terms: Terms) -> Strongbox {
        Strongbox { vault: self.clone(), venue, terms, key: None, room: 0 }
    }

    /// Overwrites and removes all that lies here of other venues than these. Returns how many files went.
    ///
    /// # Errors
    /// When a file cannot be overwritten.
    pub fn wipe_others(&self, venues: &[&Id]) -> Result<usize, Error> {
        file::wipe_strangers(&self.dir, venues)
    }
}

/// Overwrites and removes all that lies in a directory of a venue, whether or not it is fit to hold a vault. Returns how many
/// files went.
///
/// # Errors
/// When a file cannot be overwritten.
pub fn wipe(dir: &Path, venue: &Id) -> Result<usize, Error> {
    file::wipe_all(dir, venue, |_| true)
}

/// How many files of a venue lie in a directory.
#[must_use]
pub fn files_of(dir: &Path, venue: &Id) -> usize {
    file::names(dir, venue).len()
}

impl Strongbox {
    /// A buffer for the state, as large as it was the last time and a little more.
    #[must_use]
    pub fn sealing(&self) -> Sealing {
        Sealing::with_room(self.room + self.room / 8)
    }

    /// Seals a state in place of the one before, which is overwritten. `day` is the newest day whose key is inside: with
    /// it the sealing key changes, and the one before is wiped. Returns the size in bytes.
    ///
    /// # Errors
    /// When it could not be sealed or written; the one before is still there then.
    pub fn keep(&mut self, state: Sealing, day: Window, now: When) -> Result<usize, Error> {
        let mut bytes = state.into_clear_bytes().ok_or(Error::Unsealable)?;
        self.room = bytes.len();
        let dir = self.vault.dir.clone();
        let key = match self.key.take() {
            Some((of, key)) if of == day => key,
            _ => keys::make(&dir, &self.venue)?,
        };
        let mut nonce = [0; 24];
        chance::fill(&mut nonce)?;
        let Terms { layout, made_under } = self.terms;
        let header =
            Header { layout, boot: self.vault.boot, made_under, key: key.number(), day, sealed: now, nonce };
        let head = header.write();
        let tag = cipher(&key)
            .encrypt_inout_detached(&XNonce::from(nonce), &head, bytes.as_mut_slice().into())
            .map_err(|_| Error::Unsealable)?;
        file::replace(&dir, &self.venue, &[&head, &bytes, &tag])?;
        // Keys of days before, and of a program before this one: what they sealed is overwritten by now.
        let current = key.name(&self.venue);
        file::wipe_all(&dir, &self.venue, |name| name.ends_with(".key") && name != current)?;
        self.key = Some((day, key));
        Ok(HEADER_BYTES + self.room + TAG_BYTES)
    }

    /// Takes out what was kept last, if it may go on now. What may not is wiped; what may stays until it is replaced.
    pub fn take_out(&mut self, now: When) -> Result<Taken, Gone> {
        let found = file::names(&self.vault.dir, &self.venue);
        // The new one first: a crash between overwriting the old one and taking its name leaves both.
        let newest = ["vault.new", "vault"].map(|ending| format!("{}.{ending}", self.venue));
        let mut why = Gone::Nothing;
        for name in newest.iter().filter(|name| found.contains(name)) {
            match self.open(name, now) {
                Ok((taken, day, key)) => {
                    self.key = Some((day, key));
                    return Ok(taken);
                }
                Err(gone) if why == Gone::Nothing => why = gone,
                Err(_) => {}
            }
        }
        self.wipe();
        Err(why)
    }

    /// Overwrites and removes all that lies here of the venue, and says so where it cannot.
    pub fn wipe(&mut self) {
        self.key = None;
        if let Err(error) = wipe(&self.vault.dir, &self.venue) {
            tracing::error!(%error, venue = %self.venue, "the vault could not be wiped; remove its files by hand");
        }
    }

    fn open(&self, name: &str, now: When) -> Result<(Taken, Window, SealKey), Gone> {
        let dir = &self.vault.dir;
        let mut bytes = Zeroizing::new(file::read(&dir.join(name), STATE_BYTES_MAX).ok_or(Gone::Broken)?);
        let header = bytes.first_chunk::<HEADER_BYTES>().and_then(Header::read).ok_or(Gone::Broken)?;
        let Header { layout, boot, made_under, key, day, sealed, nonce } = header;
        let Terms { layout: wanted, made_under: under } = self.terms;
        if layout != wanted {
            return Err(Gone::Layout);
        }
        if boot != self.vault.boot || now.steady < sealed.steady || sealed.wall.since(now.wall) > BACK_MS_MAX
        {
            return Err(Gone::Clock);
        }
        let over = now.steady.0 - sealed.steady.0 >= LIFE_MS
            || now.wall.since(sealed.wall) >= LIFE_MS
            || now.wall >= day.to.plus_secs(CROWD_LATENESS_SECS);
        if over {
            return Err(Gone::Over);
        }
        if made_under != under {
            return Err(Gone::Terms);
        }
        let key = SealKey::find(dir, &self.venue, key).ok_or(Gone::Broken)?;
        let (head, rest) = bytes.split_at_mut(HEADER_BYTES);
        let (sealed_bytes, tag) = rest.split_last_chunk_mut::<TAG_BYTES>().ok_or(Gone::Broken)?;
        cipher(&key)
            .decrypt_inout_detached(&XNonce::from(nonce), head, sealed_bytes.into(), &Tag::from(*tag))
            .map_err(|_| Gone::Broken)?;
        let length = bytes.len() - TAG_BYTES;
        bytes.truncate(length);
        Ok((Taken { state: Unsealing::of_clear_bytes(bytes, HEADER_BYTES), sealed }, day, key))
    }
}

impl Gone {
    /// The word of the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Broken => "broken",
            Self::Layout => "layout",
            Self::Terms => "terms",
            Self::Over => "over",
            Self::Clock => "clock",
            Self::Stale => "stale",
        }
    }
}

fn cipher(key: &SealKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

#[cfg(test)]
mod tests;
