//! Who is speaking: `passant/v1/{venue}/{sensor}/sightings` or `…/status`.

use std::fmt;

const PREFIX: &str = "passant/v1/";
const ID_BYTES_MAX: usize = 64;

/// The id of a sensor that does not exist. The server publishes as it to try its own way from the broker to the gate out;
/// no sensor may be configured under it, and nothing it says is ever counted.
pub const PROBE_SENSOR: &str = "passant-probe";

/// The id of a venue, a zone or a sensor: 1 to 64 letters, digits, `-`, `_` or `.`; it is safe in a topic, a path and
/// a label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Box<str>);

impl Id {
    /// Takes the text if it is an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let good = (1..=ID_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        good.then(|| Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a sensor's topic is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A batch of sightings, never retained.
    Sightings,
    /// The sensor's own state, retained, with a last will.
    Status,
}

/// A sensor's topic, taken apart. The ids are borrowed so that a message costs no allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic<'a> {
    /// The venue's id.
    pub venue: &'a str,
    /// The sensor's id, unique in its venue.
    pub sensor: &'a str,
    /// What the topic is about.
    pub subject: Subject,
}

/// A topic that no sensor of ours publishes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a topic of the form passant/v1/{{venue}}/{{sensor}}/sightings or …/status")]
pub struct TopicError;

impl<'a> Topic<'a> {
    /// Takes a topic apart.
    ///
    /// # Errors
    /// When it is not of the documented form, or an id in it is not an [`Id`].
    pub fn parse(topic: &'a str) -> Result<Self, TopicError> {
        let mut parts = topic.strip_prefix(PREFIX).ok_or(TopicError)?.split('/');
        let (Some(venue), Some(sensor), Some(subject), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TopicError);
        };
        let subject = match subject {
            "sightings" => Subject::Sightings,
            "status" => Subject::Status,
            _ => return Err(TopicError),
        };
        if Id::parse(venue).is_none() || Id::parse(sensor).is_none() {
            return Err(TopicError);
        }
        Ok(Self { venue, sensor, subject })
    }

    /// The topic filters that hear every sensor of every venue.
    pub const FILTERS: [&'static str; 2] = ["passant/v1/+/+/sightings", "passant/v1/+/+/status"];
}

impl fmt::Display for Topic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = match self.subject {
            Subject::Sightings => "sightings",
            Subject::Status => "status",
        };
        write!(f, "{PREFIX}{}/{}/{subject}", self.venue, self.sensor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_survives_being_taken_apart_and_written() {
        for text in ["passant/v1/mall/door-1/sightings", "passant/v1/m.2/A_b/status"] {
            assert_eq!(Topic::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_topics_are_refused() {
        for text in [
            "passant/v2/mall/door/sightings",
            "passant/v1/mall/door",
            "passant/v1/mall/door/sightings/x",
            "passant/v1//door/sightings",
            "passant/v1/mall/do+r/sightings",
            "passant/v1/mall/door/telemetry",
            "mall/door/sightings",
        ] {
            assert_eq!(Topic::parse(text), Err(TopicError), "{text}");
        }
        assert!(Id::parse(&"x".repeat(65)).is_none());
    }
}
