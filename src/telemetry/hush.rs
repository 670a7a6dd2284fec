//! What is counted of a venue whose people are not shown, kept until they are.

use std::collections::BTreeMap;

use super::Outcome;

/// More sightings than this in a half-minute are a crowd, or a load test: one phone beside twenty sensors makes a few
/// thousand.
const LOUD_SIGHTINGS: u64 = 10_000;
/// After those a venue is not quiet for this many half-minutes.
const LOUD_HALVES: u32 = 10;

/// Counts that have not been told.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) messages: u64,
    pub(super) sightings: BTreeMap<Outcome, u64>,
    pub(super) refusals: BTreeMap<(String, String, &'static str), u64>,
}

#[derive(Debug, Default)]
struct Venue {
    quiet: bool,
    heard_in_half: u64,
    loud_halves: u32,
    kept: Kept,
}

impl Venue {
    fn is_quiet(&self) -> bool {
        self.quiet && self.loud_halves == 0
    }
}

/// The venues that have ever been quiet, as many as are configured, and what belongs to none of them.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    venues: BTreeMap<String, Venue>,
    of_none: Kept,
}

impl Quiet {
    /// Whether a message is kept: its venue is not known yet, so it is while any venue is quiet.
    pub(super) fn keeps_message(&mut self) -> bool {
        let keeps = self.any();
        self.of_none.messages += u64::from(keeps);
        keeps
    }

    /// Whether a refusal is kept. A stranger may stand in any venue.
    pub(super) fn keeps_refusal(&mut self, venue: &str, sensor: &str, reason: &'static str) -> bool {
        let any = self.any();
        let kept = match self.venues.get_mut(venue) {
            Some(known) if known.is_quiet() => &mut known.kept,
            None if any => &mut self.of_none,
            _ => return false,
        };
        *kept.refusals.entry((venue.to_owned(), sensor.to_owned(), reason)).or_default() += 1;
        true
    }

    /// Takes sightings of a venue, and gives what there is to tell.
    pub(super) fn hear(&mut self, venue: &str, outcome: Outcome, count: u64) -> Kept {
        let Some(known) = self.venues.get_mut(venue) else {
            return Kept { sightings: [(outcome, count)].into(), ..Kept::default() };
        };
        known.heard_in_half += count;
        if known.heard_in_half > LOUD_SIGHTINGS {
            known.loud_halves = LOUD_HALVES;
        }
        *known.kept.sightings.entry(outcome).or_default() += count;
        self.settle(venue)
    }

    /// A half-minute of a venue has passed, and it is quiet from now on or not. Gives what there is to tell.
    pub(super) fn hush(&mut self, venue: &str, quiet: bool) -> Kept {
        let known = self.venues.entry(venue.to_owned()).or_default();
        known.quiet = quiet;
        known.heard_in_half = 0;
        known.loud_halves = known.loud_halves.saturating_sub(1);
        self.settle(venue)
    }

    pub(super) fn kept(&self, outcome: Outcome) -> u64 {
        self.venues.values().filter_map(|venue| venue.kept.sightings.get(&outcome)).sum()
    }

    fn any(&self) -> bool {
        self.venues.values().any(Venue::is_quiet)
    }

    fn settle(&mut self, venue: &str) -> Kept {
        let mut told = match self.venues.get_mut(venue) {
            Some(known) if !known.is_quiet() => std::mem::take(&mut known.kept),
            _ => Kept::default(),
        };
        if !self.any() {
            let Kept { messages, refusals, .. } = std::mem::take(&mut self.of_none);
            told.messages += messages;
            told.refusals.extend(refusals);
        }
        told
    }
}
