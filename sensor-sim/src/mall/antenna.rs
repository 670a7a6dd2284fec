//! A sensor's sending: what it heard since it last spoke, in one message; and if that was nothing, that it lives. And what
//! may be wrong with it: a clock, a radio that listens now and then, messages lost, said twice or out of order, no power.

use std::collections::VecDeque;

use chrono::{DateTime, Timelike as _};
use chrono_tz::Tz;
use passant_wire::encode::{self, BinaryWriter};
use passant_wire::{BootId, Status, Subject, Topic};

use super::scenario::{Scenario, Sensor};
use super::{HEARTBEAT_MS, Hearing, Message};
use crate::dice::{Dice, mix};

/// Tells the dice of a sensor's faults from others.
const FAULTS: u64 = 6 << 40;

/// One sensor.
#[derive(Debug)]
pub(super) struct Antenna {
    sensor: Sensor,
    tz: Tz,
    sightings: String,
    status: String,
    boot: Option<BootId>,
    number: u64,
    spoke_at: i64,
    heard: Vec<Hearing>,
    dice: Dice,
    /// A message that comes after the next one, be it a heartbeat.
    overtaken: Option<Message>,
    is_out: bool,
}

impl Antenna {
    pub(super) fn new(scenario: &Scenario, sensor: usize, seed: u64, boot: Option<BootId>) -> Self {
        let number = sensor as u64;
        let sensor = scenario.sensors[sensor].clone();
        let topic = |subject| {
            Topic { venue: scenario.venue.as_str(), sensor: sensor.id.as_str(), subject }.to_string()
        };
        Self {
            tz: scenario.tz,
            sightings: topic(Subject::Sightings),
            status: topic(Subject::Status),
            boot,
            number: 0,
            spoke_at: i64::MIN,
            heard: Vec::new(),
            dice: Dice::new(seed, FAULTS | number),
            overtaken: None,
            is_out: false,
            sensor,
        }
    }

    /// It is switched on, if there is power.
    pub(super) fn begin(&mut self, now: i64, said: &mut VecDeque<Message>) {
        self.is_out = self.has_no_power(now);
        if !self.is_out {
            said.push_back(self.status(true, now));
        }
    }

    /// It hears a frame, unless it is deaf just then. Gives how many sightings wait.
    #[inline]
    pub(super) fn hear(&mut self, heard: Hearing) -> usize {
        let listens = self.sensor.cycle_ms.is_none_or(|(on, cycle)| heard.at_ms.rem_euclid(cycle) < on);
        if listens && !self.is_out {
            self.heard.push(heard);
        }
        self.heard.len()
    }

    /// What it says at a moment, if anything. A power cut is looked for when it would speak, so it begins and ends with a
    /// round; what it had heard by then is lost with it.
    pub(super) fn say(&mut self, now: i64, said: &mut VecDeque<Message>) {
        let is_out = self.has_no_power(now);
        let was_out = std::mem::replace(&mut self.is_out, is_out);
        if self.is_out {
            self.heard.clear();
            self.overtaken = None;
            return;
        }
        if was_out {
            let boot = format!("{:08x}", mix(now as u64 ^ self.dice.throw()) >> 32);
            (self.boot, self.number) = (BootId::parse(boot.as_bytes()), 0);
            said.push_back(self.status(true, now));
            return;
        }
        let report = self.report(now);
        if report.is_none() && now - self.spoke_at < HEARTBEAT_MS {
            return;
        }
        let overtaken = self.overtaken.take();
        match report {
            Some(report) => self.deliver(report, said),
            None => said.push_back(self.status(true, now)),
        }
        said.extend(overtaken.map(|message| Message { at_ms: now, ..message }));
    }

    fn report(&mut self, now: i64) -> Option<Message> {
        let (last, boot) = (self.heard.last()?.at_ms, self.boot?);
        self.number += 1;
        self.spoke_at = now;
        let error = self.sensor.clock_error_ms;
        let len = BinaryWriter::HEAD_BYTES_MAX + self.heard.len() * BinaryWriter::SIGHTING_BYTES;
        let mut writer = BinaryWriter::begin(Vec::with_capacity(len), self.number, &boot, last + error);
        let sightings = self.heard.len();
        for heard in self.heard.drain(..) {
            writer.push(heard.kind, heard.rssi_dbm, heard.at_ms + error, heard.octets);
        }
        let payload = writer.finish();
        Some(Message { at_ms: now, topic: self.sightings.clone(), payload, retain: false, sightings })
    }

    fn deliver(&mut self, report: Message, said: &mut VecDeque<Message>) {
        let Sensor { message_loss, duplicates, reordering, .. } = self.sensor;
        let [lost, twice, later] =
            [message_loss, duplicates, reordering].map(|share| self.dice.chance(share));
        if lost {
            return;
        }
        if twice {
            said.push_back(report.clone());
        }
        if later {
            self.overtaken = Some(report);
        } else {
            said.push_back(report);
        }
    }

    /// Its state, which the broker keeps.
    pub(super) fn status(&mut self, online: bool, now: i64) -> Message {
        self.spoke_at = now;
        let number = (self.number > 0).then_some(self.number);
        let at = Some(now + self.sensor.clock_error_ms);
        let payload = encode::status(&Status { online, at, number });
        Message { at_ms: now, topic: self.status.clone(), payload, retain: true, sightings: 0 }
    }

    fn has_no_power(&self, now: i64) -> bool {
        if self.sensor.outages.is_empty() {
            return false;
        }
        let local = DateTime::from_timestamp_millis(now).unwrap_or_default().with_timezone(&self.tz);
        let minute = local.hour() * 60 + local.minute();
        self.sensor.outages.iter().any(|(from, to)| (*from..*to).contains(&minute))
    }
}
