//! Which sensors are configured, by the names in their topics.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Probes;
use crate::config::Config;
use crate::sighting::SensorRef;

/// Finds a configured sensor by its names. Clones share it, so a reloaded configuration reaches a running intake.
#[derive(Clone, Debug)]
pub struct Directory {
    venues: Arc<RwLock<Venues>>,
    /// What the sensor that does not exist is waited for with.
    probes: Probes,
}

/// Two maps rather than one, so that a look-up borrows its two names and allocates nothing.
type Venues = HashMap<Box<str>, HashMap<Box<str>, SensorRef>>;

impl Directory {
    /// The sensors of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self { venues: Arc::new(RwLock::new(venues(config))), probes: Probes::default() }
    }

    /// Puts a reloaded configuration in the place of the old one, from the next message on.
    pub fn replace(&self, config: &Config) {
        *self.venues.write().unwrap_or_else(PoisonError::into_inner) = venues(config);
    }

    /// The probe that is waited for.
    #[must_use]
    pub fn probes(&self) -> &Probes {
        &self.probes
    }

    /// A sensor's place in the configuration.
    #[must_use]
    pub fn find(&self, venue: &str, sensor: &str) -> Option<SensorRef> {
        self.venues.read().unwrap_or_else(PoisonError::into_inner).get(venue)?.get(sensor).copied()
    }
}

fn venues(config: &Config) -> Venues {
    // The configuration's own limits keep both places under 65,536.
    let numbered = |place: usize| u16::try_from(place).ok();
    let sensors = |venue: u16, venue_of: &crate::config::Venue| {
        let places = venue_of.sensors.iter().enumerate();
        places
            .filter_map(|(place, sensor)| {
                Some((Box::from(sensor.id.as_str()), SensorRef { venue, sensor: numbered(place)? }))
            })
            .collect()
    };
    let places = config.venues.iter().enumerate();
    places
        .filter_map(|(place, venue)| Some((Box::from(venue.id.as_str()), sensors(numbered(place)?, venue))))
        .collect()
}
