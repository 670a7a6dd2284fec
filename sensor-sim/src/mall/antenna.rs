//! A sensor's sending: what it heard since it last spoke, in one message; and if that was nothing, that it lives.

use passant_wire::encode::{self, BinaryWriter};
use passant_wire::{BootId, Kind, Status, Subject, Topic};

use super::scenario::{Scenario, Sensor};
use super::{HEARTBEAT_MS, Message};

/// One sensor.
#[derive(Debug)]
pub(super) struct Antenna {
    sightings: String,
    status: String,
    boot: Option<BootId>,
    number: u64,
    spoke_at: i64,
    heard: Vec<Heard>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    kind: Kind,
    rssi: i8,
    at: i64,
    octets: [u8; 6],
}

impl Antenna {
    pub(super) fn new(scenario: &Scenario, sensor: &Sensor, boot: Option<BootId>) -> Self {
        let topic = |subject| {
            Topic { venue: scenario.venue.as_str(), sensor: sensor.id.as_str(), subject }.to_string()
        };
        Self {
            sightings: topic(Subject::Sightings),
            status: topic(Subject::Status),
            boot,
            number: 0,
            spoke_at: i64::MIN,
            heard: Vec::new(),
        }
    }

    /// How many sightings wait.
    pub(super) fn len(&self) -> usize {
        self.heard.len()
    }

    #[inline]
    pub(super) fn hear(&mut self, kind: Kind, rssi: i8, at: i64, octets: [u8; 6]) {
        self.heard.push(Heard { kind, rssi, at, octets });
    }

    /// What it says at a moment, if anything.
    pub(super) fn say(&mut self, now: i64) -> Option<Message> {
        let Some(last) = self.heard.last() else {
            return (now - self.spoke_at >= HEARTBEAT_MS).then(|| self.status(true, now));
        };
        let boot = self.boot?;
        self.number += 1;
        self.spoke_at = now;
        let len = BinaryWriter::HEAD_BYTES_MAX + self.heard.len() * BinaryWriter::SIGHTING_BYTES;
        let mut writer = BinaryWriter::begin(Vec::with_capacity(len), self.number, &boot, last.at);
        let sightings = self.heard.len();
        for heard in self.heard.drain(..) {
            writer.push(heard.kind, heard.rssi, heard.at, heard.octets);
        }
        let payload = writer.finish();
        Some(Message { at_ms: now, topic: self.sightings.clone(), payload, retain: false, sightings })
    }

    /// Its state, which the broker keeps.
    pub(super) fn status(&mut self, online: bool, now: i64) -> Message {
        self.spoke_at = now;
        let number = (self.number > 0).then_some(self.number);
        let payload = encode::status(&Status { online, at: Some(now), number });
        Message { at_ms: now, topic: self.status.clone(), payload, retain: true, sightings: 0 }
    }
}
