//! A venue in the time of its sightings, for whoever plays a capture. A test takes this file in with
//! `#[path = "support/venue.rs"] mod venue;`.

/// A venue of one room with one sensor, as text of a configuration.
macro_rules! venue {
    ($id:literal) => {
        concat!(
            "\n[[venue]]\nid = \"",
            $id,
            "\"\ntimezone = \"Europe/Prague\"\nclock = \"sightings\"\n\
             [[venue.zone]]\nid = \"room\"\n[[venue.sensor]]\nid = \"p1\"\nzone = \"room\"\n"
        )
    };
}
pub(crate) use venue;
