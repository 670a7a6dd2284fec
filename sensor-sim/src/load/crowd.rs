//! The crowd's messages: whose turn it is to speak, about whom, and at which milliseconds.
//!
//! **Distinct times.** No two sightings of one device at one sensor share a millisecond. A message of a sensor covers
//! the milliseconds after its last message up to now, so two messages of one sensor share none. Within a message the
//! sightings are spread evenly over those milliseconds; at 2,000,000 a second over 120 sensors that is 16.7 sightings
//! a sensor and millisecond, and the most popular of 600,000 devices has 7 % of all draws, so repeats would happen.
//! Each device therefore remembers the last slot (one message's one millisecond) in which it was drawn, and a draw
//! that repeats is drawn again.
//!
//! **Times near now.** The server judges a slot of 10 s another 10 s after its end and counts what comes later as late.
//! A message covers [`SPAN_MS_MAX`] at most, so nothing leaves here older than a second, and nothing is ahead.

use std::sync::Arc;

use passant_wire::encode::{self, BinaryWriter};
use passant_wire::{BootId, DeviceId, Heard, Kind, Report};

use super::device::Addresses;
use super::zipf::Zipf;
use crate::dice::Dice;

/// The most milliseconds one message covers.
pub const SPAN_MS_MAX: i64 = 1000;

/// Draws of an already drawn device in a row, after which the next free rank is taken instead.
const REDRAWS_MAX: u32 = 64;

/// Strengths are spread evenly over these, dBm.
const RSSI_DBM: std::ops::RangeInclusive<i8> = -90..=-40;

/// The sensors one connection speaks for, and the crowd they hear.
#[derive(Debug)]
pub struct Crowd {
    zipf: Arc<Zipf>,
    addresses: Addresses,
    dice: Dice,
    sensors: Vec<Sensor>,
    turn: usize,
    boot: BootId,
    batch: usize,
    form: Form,
    /// By rank: the last slot in which it was drawn. A number that comes round again costs one more draw, no more.
    drawn_in: Vec<u32>,
    slot: u32,
}

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The compact one.
    Binary,
    /// JSON.
    Json,
}

#[derive(Debug)]
struct Sensor {
    topic: String,
    number: u64,
    spoke_at: i64,
}

impl Crowd {
    /// A crowd around the sensors of these topics. `stream` tells the connections of one seed apart.
    #[must_use]
    pub fn new(
        zipf: &Arc<Zipf>,
        (seed, stream): (u64, u64),
        topics: Vec<String>,
        boot: BootId,
        (batch, form): (usize, Form),
    ) -> Self {
        let sensor = |topic| Sensor { topic, number: 0, spoke_at: i64::MIN };
        Self {
            zipf: Arc::clone(zipf),
            addresses: Addresses::new(seed),
            dice: Dice::new(seed, stream),
            sensors: topics.into_iter().map(sensor).collect(),
            turn: 0,
            boot,
            batch,
            form,
            drawn_in: vec![0; zipf.devices() as usize],
            slot: 0,
        }
    }

    /// The next sensor's message, and its topic; `None` while every sensor has spoken about this millisecond.
    pub fn message(&mut self, now_ms: i64) -> Option<(&str, Vec<u8>)> {
        let turn = self.turn;
        let sensor = self.sensors.get_mut(turn)?;
        // In turn, so if this one has spoken in this millisecond, so have all.
        if sensor.spoke_at >= now_ms {
            return None;
        }
        let begin = sensor.spoke_at.max(now_ms - SPAN_MS_MAX);
        sensor.spoke_at = now_ms;
        sensor.number += 1;
        let number = sensor.number;
        self.turn = (turn + 1) % self.sensors.len();
        let payload = match self.form {
            Form::Binary => self.compact(number, begin, now_ms),
            Form::Json => self.json(number, begin, now_ms),
        };
        Some((&self.sensors[turn].topic, payload))
    }

    fn compact(&mut self, number: u64, begin: i64, end: i64) -> Vec<u8> {
        let len = BinaryWriter::HEAD_BYTES_MAX + self.batch * BinaryWriter::SIGHTING_BYTES;
        let mut writer = BinaryWriter::begin(Vec::with_capacity(len), number, &self.boot, end);
        self.sightings(begin, end, |at, rssi, octets| writer.push(Kind::Wifi, rssi, at, octets));
        writer.finish()
    }

    fn json(&mut self, number: u64, begin: i64, end: i64) -> Vec<u8> {
        let mut report =
            Report { number: Some(number), boot: Some(self.boot), at: Some(end), ..Report::default() };
        self.sightings(begin, end, |at, rssi, octets| {
            let device = DeviceId::from_octets(octets);
            report.sightings.extend(device.map(|device| Heard {
                device,
                kind: Kind::Wifi,
                rssi,
                at: Some(at),
            }));
        });
        encode::json(&report)
    }

    /// Draws a batch over the milliseconds after `begin` up to `end`.
    fn sightings(&mut self, begin: i64, end: i64, mut take: impl FnMut(i64, i8, [u8; 6])) {
        let (span, batch) = ((end - begin) as u64, self.batch as u64);
        let spread = (*RSSI_DBM.end() - *RSSI_DBM.start()) as u64 + 1;
        let mut last = begin;
        for i in 0..batch {
            let at = begin + 1 + (i * span / batch) as i64;
            if at != last {
                self.slot = self.slot.wrapping_add(1);
                last = at;
            }
            let rank = self.draw();
            let rssi = RSSI_DBM.start() + (((self.dice.throw() >> 32) * spread) >> 32) as i8;
            take(at, rssi, self.addresses.octets(rank));
        }
    }

    /// A device not yet drawn in this slot. A slot holds at most a batch, and there are more devices than that, so
    /// looking ends.
    #[inline]
    fn draw(&mut self) -> u32 {
        let mut rank = self.zipf.rank(self.dice.throw());
        let mut redraws = 0;
        while self.drawn_in[rank as usize] == self.slot {
            redraws += 1;
            rank = if redraws < REDRAWS_MAX {
                self.zipf.rank(self.dice.throw())
            } else {
                (rank + 1) % self.zipf.devices()
            };
        }
        self.drawn_in[rank as usize] = self.slot;
        rank
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use passant_wire::decode;

    use super::*;

    fn crowd(devices: u32, sensors: usize, batch: usize, form: Form) -> Crowd {
        let topics = (0..sensors).map(|i| format!("passant/v1/load/s{i}/sightings")).collect();
        Crowd::new(
            &Arc::new(Zipf::new(devices)),
            (1, 0),
            topics,
            BootId::parse(b"boot").unwrap(),
            (batch, form),
        )
    }

    /// Far denser than any load: three sensors speak every millisecond about a hundred of a thousand devices.
    #[test]
    fn no_device_is_heard_twice_by_one_sensor_in_one_millisecond() {
        let mut crowd = crowd(1000, 3, 100, Form::Binary);
        let mut seen = HashSet::new();
        let mut sent = 0;
        for now_ms in [1_000_000, 1_000_001, 1_000_002, 1_000_007, 1_009_000] {
            while let Some((topic, payload)) = crowd.message(now_ms) {
                let topic = topic.to_owned();
                for heard in decode(&payload, None).unwrap().sightings {
                    let at = heard.at.unwrap();
                    assert!(at <= now_ms && at > now_ms - SPAN_MS_MAX, "{at} at {now_ms}");
                    assert!((-90..=-40).contains(&heard.rssi));
                    assert!(seen.insert((topic.clone(), at, *heard.device.octets())), "{topic} {at}");
                    sent += 1;
                }
            }
        }
        assert_eq!((sent, seen.len()), (5 * 3 * 100, 1500));
    }

    #[test]
    fn a_slot_as_full_as_the_crowd_still_ends() {
        let mut crowd = crowd(100, 1, 100, Form::Binary);
        crowd.message(10_000).unwrap();
        let (_, payload) = crowd.message(10_001).unwrap();
        let report = decode(&payload, None).unwrap();
        let devices: HashSet<_> = report.sightings.iter().map(|heard| *heard.device.octets()).collect();
        assert_eq!(devices.len(), 100);
        assert!(report.sightings.iter().all(|heard| heard.at == Some(10_001)));
        assert!(crowd.message(10_001).is_none(), "this millisecond is spoken for");
    }

    #[test]
    fn both_forms_of_one_seed_say_the_same_and_count_up() {
        let mut pair = [crowd(1000, 2, 10, Form::Binary), crowd(1000, 2, 10, Form::Json)];
        for now_ms in [50_000, 50_010] {
            for number in [(now_ms - 50_000) as u64 / 10 + 1; 2] {
                let [a, b] = pair.each_mut().map(|crowd| {
                    let (topic, payload) = crowd.message(now_ms).unwrap();
                    let report = decode(&payload, None).unwrap();
                    assert_eq!((report.number, report.refused.total()), (Some(number), 0));
                    let heard = report.sightings.iter().map(|h| (h.at, h.rssi, *h.device.octets()));
                    (topic.to_owned(), heard.collect::<Vec<_>>())
                });
                assert_eq!(a, b);
            }
        }
    }
}
