//! The one place of the simulator that asks the machine for the time.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Wall time now, epoch ms.
#[must_use]
pub fn now_ms() -> i64 {
    i64::try_from(since_epoch().as_millis()).unwrap_or(i64::MAX)
}

/// Steady time since the program first asked, which nobody can set.
#[must_use]
pub fn steady() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "this is the file that asks the machine")]
    let now = Instant::now();
    now.saturating_duration_since(*START.get_or_init(|| now))
}

/// Eight letters and digits that no other start of a simulated sensor has: made of the time and the process.
#[must_use]
pub fn fresh_boot() -> String {
    let nanos = since_epoch().as_nanos() as u64;
    let mixed = crate::dice::mix(nanos ^ u64::from(std::process::id()).rotate_left(40));
    format!("{:08x}", mixed >> 32)
}

fn since_epoch() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "this is the file that asks the machine")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}
