//! What a head count must be: alone, and among the others.

use super::{Asked, COUNT_MINUTES_MAX, COUNT_PEOPLE_MAX, COUNTS_MAX, Error};
use crate::clock::{EpochMs, Step};
use crate::config::Venue;
use crate::store::{HeadCountRow, NewHeadCount};

/// How many zones an error names.
const NAMED_MAX: usize = 20;

/// Checks a count against its venue; gives its zone's place.
pub(super) fn alone(venue: &Venue, asked: Asked<'_>) -> Result<usize, Error> {
    let zone = venue.zones.iter().position(|zone| zone.id.as_str() == asked.zone);
    let zone = zone.ok_or_else(|| Error::Zone(zones(venue)))?;
    if asked.from >= asked.to {
        return Err(Error::Backwards);
    }
    on_edge(venue, "from", asked.from)?;
    on_edge(venue, "to", asked.to)?;
    let minutes = asked.to.since(asked.from) / 60_000;
    if minutes > COUNT_MINUTES_MAX {
        return Err(Error::Long { minutes });
    }
    if asked.people > COUNT_PEOPLE_MAX {
        return Err(Error::People);
    }
    Ok(zone)
}

/// Checks a count against those that are kept.
pub(super) fn among(kept: &[HeadCountRow], count: &NewHeadCount) -> Result<(), Error> {
    if kept.len() >= COUNTS_MAX {
        return Err(Error::Full);
    }
    let overlap = |row: &&HeadCountRow| {
        row.count.zone == count.zone && row.count.from < count.to && count.from < row.count.to
    };
    kept.iter().find(overlap).map_or(Ok(()), |row| Err(Error::Overlap(row.id)))
}

fn on_edge(venue: &Venue, which: &'static str, at: EpochMs) -> Result<(), Error> {
    let window = venue.calendar.window_of(at, Step::FiveMinutes);
    if window.from == at {
        return Ok(());
    }
    let (before, after) = (venue.calendar.rfc3339(window.from), venue.calendar.rfc3339(window.to));
    Err(Error::Edge { which, before, after })
}

fn zones(venue: &Venue) -> String {
    let mut named: Vec<&str> = venue.zones.iter().take(NAMED_MAX).map(|zone| zone.id.as_str()).collect();
    if venue.zones.len() > NAMED_MAX {
        named.push("…");
    }
    named.join(", ")
}
