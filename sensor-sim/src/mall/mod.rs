#![doc = include_str!("README.md")]

mod air;
mod antenna;
mod calendar;
pub mod chronicle;
mod device;
#[cfg(test)]
mod faults_tests;
mod hearings;
mod itinerary;
mod plan;
mod radio;
pub mod run;
mod scenario;
#[cfg(test)]
mod scenes_tests;
#[cfg(test)]
mod tests;
pub mod truth;
pub mod venues;
#[cfg(test)]
mod witness_tests;

use std::collections::VecDeque;

use passant_wire::BootId;

use self::air::Air;
pub use self::air::Hearing;
use self::antenna::Antenna;
pub use self::chronicle::{Carrier, Chronicle, Stay};
pub use self::hearings::Hearings;
pub use self::scenario::{Error, FILE_BYTES_MAX, ITEMS_MAX, LAYERS_MAX, MALL, PEOPLE_MAX, SHIPPED, Scenario};

/// A sensor that has nothing to say still says that it lives, this often.
pub const HEARTBEAT_MS: i64 = 1000 * passant_wire::HEARTBEAT_SECS as i64;

/// A message as a sensor would publish it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When the sensor sends it, epoch ms; never earlier than the message before.
    pub at_ms: i64,
    /// Where to.
    pub topic: String,
    /// What it says.
    pub payload: Vec<u8>,
    /// Whether the broker keeps it.
    pub retain: bool,
    /// How many sightings it carries.
    pub sightings: usize,
}

/// A simulated mall: what its sensors say, in order of time and without an end.
#[derive(Debug)]
pub struct Mall {
    air: Air,
    antennas: Vec<Antenna>,
    /// Everything before this has been said.
    round_from: i64,
    messages: VecDeque<Message>,
}

impl Mall {
    /// The mall from a moment on. The same seed makes the same crowd on the same dates, wherever one begins.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: u64, from_ms: i64) -> Self {
        let boot = format!("{:08x}", crate::dice::mix(seed ^ from_ms as u64) >> 32);
        let boot = BootId::parse(boot.as_bytes());
        let mut antennas: Vec<Antenna> =
            (0..scenario.sensors.len()).map(|sensor| Antenna::new(scenario, sensor, seed, boot)).collect();
        let mut messages = VecDeque::new();
        for antenna in &mut antennas {
            antenna.begin(from_ms, &mut messages);
        }
        Self { air: Air::new(scenario, seed, from_ms), antennas, round_from: from_ms, messages }
    }

    /// The next message of any sensor.
    pub fn next_message(&mut self) -> Option<Message> {
        // A silent mall still has its heartbeats, so some round brings a message; an outage ends with its day.
        while self.messages.is_empty() {
            self.round();
        }
        self.messages.pop_front()
    }

    /// What the sensors say when they are switched off.
    pub fn goodbyes(&mut self) -> Vec<Message> {
        let at = self.round_from;
        self.antennas.iter_mut().map(|antenna| antenna.status(false, at)).collect()
    }

    /// Lets everything happen until the sensors send, which they do together: so their messages are in order of time,
    /// however full one of them is.
    fn round(&mut self) {
        let sending = &self.air.scenario.sending;
        let (batch_ms, sightings_max) = (i64::from(sending.batch_secs) * 1000, sending.batch_sightings_max);
        let mut end = (self.round_from.div_euclid(batch_ms) + 1) * batch_ms;
        let mut fullest = 0;
        while let Some(at) = self.air.due(end) {
            // A frame is heard once by each sensor, so a batch that still has room before it has room for it.
            if fullest >= sightings_max {
                end = at;
                break;
            }
            let antennas = &mut self.antennas;
            self.air.happen(|heard| fullest = fullest.max(antennas[heard.sensor].hear(heard)));
        }
        for antenna in &mut self.antennas {
            antenna.say(end, &mut self.messages);
        }
        self.round_from = end;
    }
}
