//! Whether a venue was open when somebody was heard, not when the news came.

use crate::clock::EpochMs;
use crate::config::Venue;

/// Hours begin and end on whole minutes, ms.
const MINUTE_MS: i64 = 60_000;

/// Opening hours made ready for every message of a second: the calendar is too dear to be asked for each sighting.
#[derive(Debug, Default)]
pub(super) struct Opening {
    second: Option<i64>,
    /// Whether the venue is open at every moment whose sightings are still taken, or closed at each; `None` where it
    /// opens or closes among them.
    all_along: Option<bool>,
}

impl Opening {
    /// Time has come to a moment; sightings are taken from so long before it on, ms.
    pub(super) fn pass(&mut self, now: EpochMs, behind_ms: i64, venue: &Venue) {
        let second = now.0.div_euclid(1000);
        if self.second == Some(second) {
            return;
        }
        self.second = Some(second);
        let is_open = venue.is_open(now);
        let (first, last) = ((now.0 - behind_ms).div_euclid(MINUTE_MS), now.0.div_euclid(MINUTE_MS));
        let alike = (first..=last).all(|minute| venue.is_open(EpochMs(minute * MINUTE_MS)) == is_open);
        self.all_along = alike.then_some(is_open);
    }

    /// Whether the venue is open at a moment whose sightings are still taken.
    pub(super) fn at(&self, at: EpochMs, venue: &Venue) -> bool {
        self.all_along.unwrap_or_else(|| venue.is_open(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, EXAMPLE};

    #[test]
    fn what_was_heard_before_opening_is_of_closed_hours_however_late_it_comes() {
        let venue = Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues.remove(0);
        // A Friday in Paris, open from 09:30 to 22:00.
        let moment = |text| EpochMs(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis());
        let mut opening = Opening::default();
        for (now, at, open) in [
            ("2026-11-20T09:29:59.999+01:00", "2026-11-20T09:29:00+01:00", false),
            ("2026-11-20T09:30:00+01:00", "2026-11-20T09:29:59.999+01:00", false),
            ("2026-11-20T09:30:00+01:00", "2026-11-20T09:30:00+01:00", true),
            ("2026-11-20T09:31:59+01:00", "2026-11-20T09:29:59.999+01:00", false),
            ("2026-11-20T09:33:00+01:00", "2026-11-20T09:31:00+01:00", true),
            ("2026-11-20T22:01:00+01:00", "2026-11-20T21:59:59.999+01:00", true),
            ("2026-11-20T22:01:00+01:00", "2026-11-20T22:00:00+01:00", false),
        ] {
            opening.pass(moment(now), 120_000, &venue);
            assert_eq!(opening.at(moment(at), &venue), open, "{now} {at}");
        }
    }
}
