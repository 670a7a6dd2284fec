//! What sensors hear of a day, before anything is sent: for whoever judges a lens in its own process.

use std::collections::VecDeque;

use chrono::NaiveDate;

use super::air::{Air, Hearing};
use super::calendar::VenueDay;
use super::scenario::Scenario;

/// What every sensor of a scenario hears on a venue day, in order of time. Faults that lie in listening (a duty share, a
/// loss of sightings) are in it; those of clocks, cycles, messages and power are the business of what is sent.
#[derive(Debug)]
pub struct Hearings {
    air: Air,
    to: i64,
    heard: VecDeque<Hearing>,
}

impl Hearings {
    /// The venue day that begins on a date.
    #[must_use]
    pub fn of(scenario: &Scenario, seed: u64, date: NaiveDate) -> Self {
        let day = VenueDay::of(scenario, date);
        Self { air: Air::new(scenario, seed, day.from), to: day.to, heard: VecDeque::new() }
    }

    /// The same, of the devices alone that keep one address all day.
    #[must_use]
    pub fn of_stable(scenario: &Scenario, seed: u64, date: NaiveDate) -> Self {
        let mut hearings = Self::of(scenario, seed, date);
        hearings.air.only_stable();
        hearings
    }
}

impl Iterator for Hearings {
    type Item = Hearing;

    fn next(&mut self) -> Option<Hearing> {
        while self.heard.is_empty() {
            self.air.due(self.to)?;
            let heard = &mut self.heard;
            self.air.happen(|hearing| heard.push_back(hearing));
        }
        self.heard.pop_front()
    }
}
