//! Sensors that publish and are not configured.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// The most strangers that are remembered; beyond it they are only counted.
pub const STRANGERS_MAX: usize = 256;

/// The strangers so far. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct Strangers(Arc<Mutex<List>>);

#[derive(Debug, Default)]
struct List {
    /// Messages by sensor, by venue.
    messages: BTreeMap<Box<str>, BTreeMap<Box<str>, u64>>,
    len: usize,
    /// Messages of strangers that found the list full.
    others: u64,
}

impl Strangers {
    /// A message came from a sensor that is not configured.
    pub(super) fn note(&self, venue: &str, sensor: &str) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = list.messages.get_mut(venue).and_then(|sensors| sensors.get_mut(sensor)) {
            *count += 1;
        } else if list.len < STRANGERS_MAX {
            list.len += 1;
            list.messages.entry(venue.into()).or_default().insert(sensor.into(), 1);
        } else {
            list.others += 1;
        }
    }

    /// How many strangers are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len
    }

    /// Whether none has been heard.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Blocks to paste into the configuration, each under its own venue. The zone is left empty: a configuration with it
    /// is refused until somebody who knows says where the sensor stands.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (venue, sensors) in &list.messages {
            let _ = writeln!(text, "# Under the [[venue]] with id = \"{venue}\":");
            for (sensor, messages) in sensors {
                let remark = format!("Heard {messages} messages; name the zone it stands in.");
                text.push_str(&block(sensor, &remark));
            }
            text.push('\n');
        }
        if list.others > 0 {
            let _ = writeln!(
                text,
                "# And {} messages of others: only the first {STRANGERS_MAX} strangers are listed.",
                list.others
            );
        }
        text
    }

    /// The blocks of one venue; nothing where it has no stranger. How often each was heard is not told: whoever asked again
    /// and again could watch somebody walk past it.
    #[must_use]
    pub fn to_toml_of(&self, venue: &str) -> String {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sensors = list.messages.get(venue).into_iter().flat_map(BTreeMap::keys);
        sensors.map(|sensor| block(sensor, "Name the zone it stands in.")).collect()
    }
}

/// A block to paste, under a remark.
fn block(sensor: &str, remark: &str) -> String {
    format!("\n# {remark}\n[[venue.sensor]]\nid = \"{sensor}\"\nzone = \"\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_listed_ready_to_paste() {
        let strangers = Strangers::default();
        assert!(strangers.is_empty());
        for (venue, sensor) in [("mall", "new-2"), ("mall", "new-1"), ("mall", "new-2"), ("museum", "hall")] {
            strangers.note(venue, sensor);
        }
        assert_eq!(strangers.len(), 3);
        assert_eq!(strangers.to_toml_of("museum").matches("[[venue.sensor]]").count(), 1);
        let told = strangers.to_toml_of("mall");
        strangers.note("mall", "new-1");
        assert_eq!(strangers.to_toml_of("mall"), told, "one message more does not show");
        assert_eq!(strangers.to_toml_of("nowhere"), "");
        let text = strangers.to_toml();
        let parsed: toml::Table = text.replace("[[venue.sensor]]", "[[sensor]]").parse().unwrap();
        assert_eq!(parsed["sensor"].as_array().unwrap().len(), 3);
        assert!(
            text.contains(
                "# Heard 2 messages; name the zone it stands in.\n[[venue.sensor]]\nid = \"new-2\"\n"
            )
        );
    }

    #[test]
    fn the_list_stays_small_whatever_strangers_call_themselves() {
        let strangers = Strangers::default();
        for number in 0..2 * STRANGERS_MAX {
            strangers.note("mall", &number.to_string());
        }
        assert_eq!(strangers.len(), STRANGERS_MAX);
        assert!(strangers.to_toml().contains("And 256 messages of others"));
    }
}
