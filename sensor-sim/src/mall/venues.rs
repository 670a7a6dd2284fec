//! Several venues at once: what all their sensors say, in order of time.

use super::{Mall, Message, Scenario};
use crate::dice::mix;

/// The most venues of one run.
pub const VENUES_MAX: usize = 64;

/// Venues that live side by side, each with a crowd of its own.
#[derive(Debug)]
pub struct Venues(Vec<Venue>);

#[derive(Debug)]
struct Venue {
    mall: Mall,
    next: Option<Message>,
}

impl Venues {
    /// The venues from a moment on.
    #[must_use]
    pub fn new(scenarios: &[Scenario], seed: u64, from_ms: i64) -> Self {
        let venue =
            |(i, scenario)| Venue { mall: Mall::new(scenario, seed_of(seed, i), from_ms), next: None };
        Self(scenarios.iter().enumerate().map(venue).collect())
    }

    /// The next message of any sensor; of those of one moment the first venue's.
    pub fn next_message(&mut self) -> Option<Message> {
        for venue in &mut self.0 {
            if venue.next.is_none() {
                venue.next = venue.mall.next_message();
            }
        }
        let at = |venue: &&mut Venue| venue.next.as_ref().map_or(i64::MAX, |message| message.at_ms);
        self.0.iter_mut().min_by_key(at)?.next.take()
    }

    /// What the sensors say when they are switched off.
    pub fn goodbyes(&mut self) -> Vec<Message> {
        self.0.iter_mut().flat_map(|venue| venue.mall.goodbyes()).collect()
    }
}

/// The seed of a run's venue: the first one's is the run's, and no two venues have the same crowd.
#[must_use]
pub fn seed_of(seed: u64, venue: usize) -> u64 {
    if venue == 0 { seed } else { mix(seed ^ mix(venue as u64)) }
}
