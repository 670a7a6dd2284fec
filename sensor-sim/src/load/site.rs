//! Whose sensors a load test speaks for.

use passant_wire::Id;
use serde::Deserialize;

use crate::http::{self, ApiUrl};

/// The most sensors one load test speaks for.
pub const SENSORS_MAX: usize = 10_000;

/// The venue and the number of sensors of `load.toml`, for want of an API to ask.
const VENUE: &str = "load";
const SENSORS: usize = 120;

/// A venue and its sensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The venue.
    pub venue: Id,
    /// Its sensors, at least one.
    pub sensors: Vec<Id>,
}

/// Why there is nobody to speak for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server could not be asked.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// An answer of another shape than documented.
    #[error("the server's answer for {path} is not the documented one; check that both are of one version")]
    Answer {
        /// The page.
        path: String,
    },
    /// Several venues, or none.
    #[error("the server has {count} venues; name one of them with --venue")]
    WhichVenue {
        /// How many.
        count: usize,
    },
    /// Fewer sensors than asked for, or more than [`SENSORS_MAX`].
    #[error("{wanted} sensors asked for, {there} there; lower --sensors or configure more")]
    Sensors {
        /// How many were asked for.
        wanted: usize,
        /// How many there are.
        there: usize,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Venues {
    Plain(Vec<Named>),
    Wrapped { venues: Vec<Named> },
}

#[derive(Deserialize)]
struct Venue {
    sensors: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Site {
    /// The site of `load.toml`, or what was named instead of it.
    ///
    /// # Errors
    /// When more sensors are asked for than there are numbers.
    pub fn assumed(venue: Option<Id>, sensors: Option<usize>) -> Result<Self, Error> {
        let wanted = sensors.unwrap_or(SENSORS);
        let venue = venue.or_else(|| Id::parse(VENUE)).ok_or(Error::WhichVenue { count: 0 })?;
        let all = (1..=SENSORS_MAX).filter_map(|number| Id::parse(&format!("s{number:03}"))).collect();
        Self { venue, sensors: all }.first(wanted)
    }

    /// The site the server knows: the venue named, or its only one; all its sensors, or the first few.
    ///
    /// # Errors
    /// When the server cannot be asked, or has no such venue or too few sensors.
    pub async fn ask(api: ApiUrl, venue: Option<Id>, sensors: Option<usize>) -> Result<Self, Error> {
        let venue = match venue {
            Some(venue) => venue,
            None => only_venue(&api.get("/api/v1/venues").await?)?,
        };
        let path = format!("/api/v1/venues/{venue}");
        let sensors_there = sensors_of(&api.get(&path).await?, &path)?;
        let there = sensors_there.len();
        Self { venue, sensors: sensors_there }.first(sensors.unwrap_or(there))
    }

    fn first(mut self, wanted: usize) -> Result<Self, Error> {
        let there = self.sensors.len();
        if !(1..=there.min(SENSORS_MAX)).contains(&wanted) {
            return Err(Error::Sensors { wanted, there });
        }
        self.sensors.truncate(wanted);
        Ok(self)
    }
}

fn only_venue(answer: &str) -> Result<Id, Error> {
    let path = "/api/v1/venues";
    let venues = match serde_json::from_str(answer) {
        Ok(Venues::Plain(venues) | Venues::Wrapped { venues }) => venues,
        Err(_) => return Err(Error::Answer { path: path.into() }),
    };
    match &venues[..] {
        [only] => Id::parse(&only.id).ok_or_else(|| Error::Answer { path: path.into() }),
        several => Err(Error::WhichVenue { count: several.len() }),
    }
}

fn sensors_of(answer: &str, path: &str) -> Result<Vec<Id>, Error> {
    let venue: Option<Venue> = serde_json::from_str(answer).ok();
    let ids = venue.and_then(|venue| venue.sensors.iter().map(|sensor| Id::parse(&sensor.id)).collect());
    ids.ok_or_else(|| Error::Answer { path: path.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_venue_is_found_in_both_shapes() {
        for answer in [r#"[{"id":"load","name":"x"}]"#, r#"{"venues":[{"id":"load"}]}"#] {
            assert_eq!(only_venue(answer).unwrap().as_str(), "load", "{answer}");
        }
        let several = only_venue(r#"[{"id":"a"},{"id":"b"}]"#);
        assert!(matches!(several, Err(Error::WhichVenue { count: 2 })));
        for answer in ["", "{}", r#"[{"id":"not an id"}]"#] {
            assert!(matches!(only_venue(answer), Err(Error::Answer { .. })), "{answer}");
        }
    }

    #[test]
    fn sensors_are_the_configured_ones_or_those_of_the_load_configuration() {
        let answer = r#"{"id":"load","sensors":[{"id":"s001","zone":"z01"},{"id":"s002"}]}"#;
        let ids = sensors_of(answer, "/").unwrap();
        assert_eq!(ids.iter().map(Id::as_str).collect::<Vec<_>>(), ["s001", "s002"]);
        let site = Site::assumed(None, None).unwrap();
        assert_eq!((site.venue.as_str(), site.sensors.len()), ("load", 120));
        assert_eq!(site.sensors[119].as_str(), "s120");
        assert!(Site::assumed(None, Some(0)).is_err());
    }

    /// The configuration that ships for the load test has exactly the sensors that are assumed.
    #[test]
    fn the_shipped_configuration_knows_every_sensor() {
        let text = include_str!("../../load.toml");
        for sensor in Site::assumed(None, None).unwrap().sensors {
            assert!(text.contains(&format!("id = \"{sensor}\"\n")), "{sensor}");
        }
        assert_eq!(text.matches("[[venue.sensor]]").count(), 120);
        assert_eq!(text.matches("[[venue.zone]]").count(), 24);
    }
}
