#![doc = include_str!("README.md")]

mod accounts;
mod alerts;
mod calibrations;
mod cells;
mod door_counts;
mod figures;
mod forgetting;
mod head_counts;
mod objections;
#[cfg(test)]
mod schema;
mod sessions;
mod sheets;

pub use accounts::{AccountUpdate, GrantRow, HolderRow, Holders, SecretHash};
pub use alerts::{AlertRow, AlertState};
pub use calibrations::CalibrationRow;
pub use cells::CellSum;
pub use door_counts::{DoorCount, DoorLimits, DoorsTaken};
pub use figures::{Published, Released, Told, Total};
pub use forgetting::{Cutoffs, Erased, Purged, Series};
pub use head_counts::{HeadCountRow, NewHeadCount};
pub use sessions::SessionRow;
pub use sheets::{PublishedSheet, SheetHead, SheetTotal};

use std::collections::BTreeSet;
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use passant_wire::Id;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Sqlite, Transaction};

use crate::clock::EpochMs;
use crate::config::ClockKind;

/// The database's name in the data directory.
pub const FILE_NAME: &str = "passant.db";

/// How many connections read at once; SQLite writes with one at a time whatever their number.
const CONNECTIONS_MAX: u32 = 4;
/// How long a statement waits for another's lock before it is an error.
const LOCK_WAIT_MS: u64 = 5_000;
/// How long a caller waits for a free connection before it is an error.
const CONNECTION_WAIT_SECS: u64 = 10;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations");

/// The database. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    /// Venues that were destroyed: nothing of them is taken any more.
    shut: Arc<RwLock<BTreeSet<Id>>>,
    listeners: figures::Listeners,
}

/// Whose figures a data directory holds. It is decided when the directory is first opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A venue in the server's own time.
    Real,
    /// A replay or the demo, in the time of its messages.
    Replay,
}

/// What the store could not do. The words name no statement and no value; the source is for the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory or the file in it cannot be made.
    #[error("making the database in {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory belongs to the other kind.
    #[error(
        "opening the data directory {}: it holds figures of a {} venue and was asked for as a {} one; \
         give the other its own data_dir",
        path.display(), is.as_str(), asked.as_str()
    )]
    OtherKind {
        /// The directory.
        path: PathBuf,
        /// What it is.
        is: Kind,
        /// What was asked for.
        asked: Kind,
    },
    /// The tables could not be brought to this program's version.
    #[error("bringing the database's tables up to date")]
    Migration(#[source] Box<sqlx::migrate::MigrateError>),
    /// The database did not answer: it is locked, the disk is full, or worse. Try again.
    #[error("{doing}: the database did not answer")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// A value in the database is not one this program writes.
    #[error("{doing}: the database holds a value that this version of the program does not know")]
    Unknown {
        /// What was being done.
        doing: &'static str,
    },
    /// The venue was destroyed.
    #[error("{doing}: the venue was destroyed, and nothing of it is taken any more")]
    Shut {
        /// What was being done.
        doing: &'static str,
    },
    /// The other database's objections are not of this list.
    #[error(
        "merging a list of objections: it was made under another key; take the database that was backed up together with this installation's key"
    )]
    ForeignObjections,
    /// A version of the calibration that is there with other numbers.
    #[error(
        "saving a calibration: version {version} is there with other numbers, and a version never changes"
    )]
    CalibrationTaken {
        /// The version.
        version: u32,
    },
}

/// What a test may tighten.
struct Tuning {
    lock_wait: Duration,
    pages_max: Option<u32>,
}

impl Store {
    /// Opens the database of a data directory; makes both, and says whose they are, when they are not there.
    ///
    /// # Errors
    /// When the directory cannot be made or read, or when it belongs to the other kind.
    pub async fn open(dir: &Path, kind: Kind) -> Result<Self, Error> {
        Self::open_tuned(
            dir,
            kind,
            Tuning { lock_wait: Duration::from_millis(LOCK_WAIT_MS), pages_max: None },
        )
        .await
    }

    async fn open_tuned(dir: &Path, kind: Kind, tuning: Tuning) -> Result<Self, Error> {
        let file = make_file(dir).map_err(|source| Error::Directory { path: dir.into(), source })?;
        // A replay can be played again; a real figure, once published, must survive a power cut.
        let synchronous = match kind {
            Kind::Real => SqliteSynchronous::Full,
            Kind::Replay => SqliteSynchronous::Normal,
        };
        let mut options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .foreign_keys(true)
            .busy_timeout(tuning.lock_wait)
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY")
            .disable_statement_logging();
        if let Some(pages) = tuning.pages_max {
            options = options.pragma("max_page_count", pages.to_string());
        }
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(Duration::from_secs(CONNECTION_WAIT_SECS))
            .connect_with(options)
            .await
            .map_err(Error::while_doing("opening the database"))?;
        MIGRATIONS.run(&pool).await.map_err(|e| Error::Migration(Box::new(e)))?;
        let store = Self { pool, shut: Arc::default(), listeners: figures::Listeners::default() };
        store.belongs_to(dir, kind).await?;
        Ok(store)
    }

    /// Whether the database answers, for the readiness page.
    ///
    /// # Errors
    /// When it does not.
    pub async fn answers(&self) -> Result<(), Error> {
        sqlx::query_scalar::<_, String>("SELECT value FROM meta WHERE key = 'kind'")
            .fetch_one(&self.pool)
            .await
            .map_err(Error::while_doing("asking the database for a word"))?;
        Ok(())
    }

    /// Closes the connections, which folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn belongs_to(&self, dir: &Path, asked: Kind) -> Result<(), Error> {
        const DOING: &str = "reading whose data directory this is";
        sqlx::query("INSERT INTO meta (key, value) VALUES ('kind', $1) ON CONFLICT DO NOTHING")
            .bind(asked.as_str())
            .execute(&self.pool)
            .await
            .map_err(Error::while_doing(DOING))?;
        let word: String = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'kind'")
            .fetch_one(&self.pool)
            .await
            .map_err(Error::while_doing(DOING))?;
        match Kind::parse(&word) {
            Some(is) if is == asked => Ok(()),
            Some(is) => Err(Error::OtherKind { path: dir.into(), is, asked }),
            None => Err(Error::Unknown { doing: DOING }),
        }
    }

    /// Takes nothing of a venue any more, for it is being destroyed.
    pub fn shut(&self, venue: &Id) {
        self.shut.write().unwrap_or_else(PoisonError::into_inner).insert(venue.clone());
    }

    /// Whether a venue was destroyed.
    #[must_use]
    pub fn is_shut(&self, venue: &Id) -> bool {
        self.shut.read().unwrap_or_else(PoisonError::into_inner).contains(venue)
    }

    /// A transaction that takes the write lock at once: one that read first could not get it any more.
    async fn write(&self, doing: &'static str) -> Result<Transaction<'static, Sqlite>, Error> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(Error::while_doing(doing))
    }
}

impl Kind {
    /// The word that the database keeps.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Replay => "replay",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Real, Self::Replay].into_iter().find(|kind| kind.as_str() == word)
    }
}

impl From<ClockKind> for Kind {
    fn from(clock: ClockKind) -> Self {
        match clock {
            ClockKind::Wall => Self::Real,
            ClockKind::Sightings => Self::Replay,
        }
    }
}

impl Error {
    fn while_doing(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { doing, source }
    }
}

/// Makes the directory and an empty file that only their owner can read; SQLite gives its log the file's mode.
fn make_file(dir: &Path) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let path = dir.join(FILE_NAME);
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(path)
}

fn secs(at: EpochMs) -> i64 {
    at.0.div_euclid(1000)
}

fn at_secs(secs: i64) -> EpochMs {
    EpochMs(secs.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_data_directory_is_its_owners_and_of_one_kind() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("data");
        let store = Store::open(&dir, Kind::Replay).await.unwrap();
        store.answers().await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir), 0o700);
        for entry in std::fs::read_dir(&dir).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
        store.close().await;
        assert!(store.answers().await.is_err());
        Store::open(&dir, Kind::Replay).await.unwrap();
        let error = Store::open(&dir, Kind::Real).await.unwrap_err().to_string();
        assert!(error.contains("figures of a replay venue") && error.contains("its own data_dir"), "{error}");
    }

    #[tokio::test]
    async fn it_is_set_up_as_it_says() {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(temp.path(), Kind::Real).await.unwrap();
        let numbers = [
            ("PRAGMA secure_delete", 1),
            ("PRAGMA synchronous", 2),
            ("PRAGMA foreign_keys", 1),
            ("PRAGMA busy_timeout", 5000),
        ];
        for (pragma, expected) in numbers {
            let is: i64 = sqlx::query_scalar(pragma).fetch_one(&store.pool).await.unwrap();
            assert_eq!(is, expected, "{pragma}");
        }
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&store.pool).await.unwrap();
        assert_eq!(journal, "wal");
    }
}
