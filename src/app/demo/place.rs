//! Where the demo's mall stands in the world, and where its figures are kept.
//!
//! It stands where it is afternoon, so that there are people in it whenever the demo is started. Days begin elsewhere in
//! another zone, so figures of two zones never share a directory: each has one of its own, and a zone that was there
//! before is taken again as long as its shops are open.

use std::path::{Path, PathBuf};

use crate::clock::EpochMs;

const HOUR_MS: i64 = 3_600_000;
/// The local hour that the mall is moved to.
const AFTERNOON_HOUR: i64 = 15;
/// Local hours in which a zone that was there before is taken again: every day of the scenario is open then, and has
/// been long enough for people to be in it.
const BUSY_HOURS: std::ops::RangeInclusive<i64> = 11..=17;
/// The world's offsets of whole hours, east of Greenwich.
const OFFSETS_HOURS: std::ops::RangeInclusive<i64> = -12..=14;
/// What a zone's directory is called, before its offset.
const PREFIX: &str = "utc";

/// A zone of whole hours, and its directory.
pub(super) struct Place {
    /// Its IANA name.
    pub(super) zone: String,
    /// Where its figures are kept.
    pub(super) data_dir: PathBuf,
}

impl Place {
    /// The place to show at a moment, given the directory that the user named.
    pub(super) fn choose(data: &Path, now: EpochMs) -> Self {
        let hour = now.0.div_euclid(HOUR_MS).rem_euclid(24);
        let local = |offset: &i64| (hour + offset).rem_euclid(24);
        let from_afternoon = |offset: &i64| (local(offset) - AFTERNOON_HOUR).abs();
        let kept = OFFSETS_HOURS.filter(|offset| dir(data, *offset).is_dir());
        let busy = kept.filter(|offset| BUSY_HOURS.contains(&local(offset)));
        let offset = busy.min_by_key(from_afternoon);
        let offset = offset.or_else(|| OFFSETS_HOURS.min_by_key(from_afternoon)).unwrap_or_default();
        // The names of these zones count westward.
        let zone = if offset == 0 { "Etc/GMT".to_owned() } else { format!("Etc/GMT{:+}", -offset) };
        Self { zone, data_dir: dir(data, offset) }
    }
}

fn dir(data: &Path, offset: i64) -> PathBuf {
    data.join(format!("{PREFIX}{offset:+03}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDNIGHT: i64 = 1_764_028_800_000;

    fn at(hour: i64) -> EpochMs {
        EpochMs(MIDNIGHT + hour * HOUR_MS)
    }

    #[test]
    fn a_place_is_taken_again_while_its_shops_are_open() {
        let data = tempfile::tempdir().unwrap();
        let first = Place::choose(data.path(), at(11));
        assert_eq!((first.zone.as_str(), first.data_dir), ("Etc/GMT-4", data.path().join("utc+04")));
        // Nothing is there yet, so an hour later another would do as well.
        assert_eq!(Place::choose(data.path(), at(12)).zone, "Etc/GMT-3");
        std::fs::create_dir(data.path().join("utc+04")).unwrap();
        for (hour, zone) in [(7, "Etc/GMT-4"), (13, "Etc/GMT-4"), (24 + 12, "Etc/GMT-4"), (14, "Etc/GMT-1")] {
            assert_eq!(Place::choose(data.path(), at(hour)).zone, zone, "{hour}");
        }
        // Where two were there, the one that is nearer to its afternoon.
        std::fs::create_dir(data.path().join("utc+01")).unwrap();
        assert_eq!(Place::choose(data.path(), at(13)).zone, "Etc/GMT-1");
    }
}
