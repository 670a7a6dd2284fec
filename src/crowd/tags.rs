//! The distinct tags of one half-minute, each with the sensor that heard it loudest.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasherDefault;

use crate::pseudonym::{Tag, Uniform};

/// The most distinct tags of a half-minute; more are refused, and counted as such.
const TAGS_MAX: usize = 1 << 21;

/// A set that is dropped with its half-minute.
#[derive(Default)]
pub(super) struct Loudest(pub(super) HashMap<Tag, Loud, BuildHasherDefault<Uniform>>);

#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Loud {
    rssi: i8,
    sensor: u16,
}

impl Loudest {
    /// Keeps the loudest sensor of a tag, the first of equals, so that the order of hearing does not matter. False
    /// when the set is full.
    pub(super) fn hear(&mut self, tag: Tag, rssi: i8, sensor: u16) -> bool {
        let full = self.0.len() >= TAGS_MAX;
        match self.0.entry(tag) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                if rssi > known.rssi || (rssi == known.rssi && sensor < known.sensor) {
                    *known = Loud { rssi, sensor };
                }
                true
            }
            Entry::Vacant(_) if full => false,
            Entry::Vacant(place) => {
                place.insert(Loud { rssi, sensor });
                true
            }
        }
    }

    /// Distinct tags by zone; the set ends here.
    pub(super) fn count(self, zone_of: &[u16], zones: usize) -> Vec<u32> {
        let mut counts = vec![0; zones];
        for loud in self.0.into_values() {
            counts[usize::from(zone_of[usize::from(loud.sensor)])] += 1;
        }
        counts
    }
}
