//! Time: the one place that asks the machine for it, and the calendar of a venue.

mod calendar;

pub use calendar::{Calendar, Day, Step, Window};

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

/// A moment, in milliseconds since 1970-01-01T00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct EpochMs(pub i64);

/// The length of a half-minute, ms; half-minutes begin at whole multiples of it since 1970.
pub const HALF_MS: i64 = 30_000;

impl EpochMs {
    /// This moment moved by some whole seconds, which may be negative.
    #[must_use]
    pub fn plus_secs(self, secs: i64) -> Self {
        Self(self.0 + secs * 1000)
    }

    /// Milliseconds from `earlier` to this moment; negative if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// This moment in universal time, RFC 3339, to the second.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.utc().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

impl fmt::Display for EpochMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// The machine's clock: wall time, and a steady time that no administrator can set.
///
/// It is handed down as a value; a test hands down one it drives.
#[derive(Clone, Copy, Debug)]
pub struct Machine(());

/// A moment of the steady clock, in ms since the machine started. It goes on while the machine sleeps and over restarts of
/// the program, so that a key's age is real time.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct SteadyMs(pub i64);

impl Machine {
    /// The machine's clock.
    #[must_use]
    pub fn clock() -> Self {
        Self(())
    }

    /// Wall time now.
    #[must_use]
    pub fn now(self) -> EpochMs {
        #[expect(clippy::disallowed_methods, reason = "this is the file that asks the machine")]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        EpochMs(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Steady time now.
    #[must_use]
    pub fn steady(self) -> SteadyMs {
        let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        SteadyMs(since.tv_sec.saturating_mul(1_000).saturating_add(since.tv_nsec / 1_000_000))
    }
}
