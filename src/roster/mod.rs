#![doc = include_str!("README.md")]

mod numbers;
mod seal;

use std::collections::BTreeMap;

pub use numbers::Freshness;
use numbers::Numbers;

use crate::clock::{EpochMs, HALF_MS};
use crate::config::Venue;
use crate::sighting::{Header, ItemRefusal, ItemRefusals, SensorStatus};

/// A sensor is alive for this long after it sent anything, in half-minutes: 60 s.
const ALIVE_HALVES: i64 = 2;
/// The rate is counted over windows of this length, ms.
const RATE_MS: i64 = 300_000;

/// The sensors of one venue.
#[derive(Debug)]
pub struct Roster {
    sensors: Vec<SensorLife>,
    of_zone: Vec<Vec<u16>>,
}

/// What is known of a sensor's health.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct SensorLife {
    /// When it last spoke, by the venue's clock.
    pub last_heard: Option<EpochMs>,
    /// When it last said a status, which it does whether it hears anybody or not.
    pub last_status: Option<EpochMs>,
    /// Its clock minus the venue's when its last message came, ms.
    pub clock_error_ms: Option<i64>,
    /// The same of its last status.
    pub status_clock_error_ms: Option<i64>,
    /// Sightings refused, by reason. The vault does not keep them.
    #[serde(skip)]
    pub refused: BTreeMap<&'static str, u64>,
    /// Sightings in the last closed five minutes.
    pub rate: u64,
    numbers: Numbers,
    /// The newest half-minute in which it spoke, and a bit for each of the 64 up to it.
    newest_half: i64,
    halves: u64,
    /// The same of its statuses.
    newest_beat: i64,
    beats: u64,
    rate_window: i64,
    rate_so_far: u64,
}

impl Roster {
    /// The configured sensors, none heard yet.
    #[must_use]
    pub fn new(venue: &Venue) -> Self {
        let mut of_zone = vec![Vec::new(); venue.zones.len()];
        for (place, sensor) in venue.sensors.iter().enumerate() {
            of_zone[sensor.zone].push(place as u16);
        }
        Self { sensors: venue.sensors.iter().map(|_| SensorLife::default()).collect(), of_zone }
    }

    /// Every sensor in the order of the configuration.
    #[must_use]
    pub fn sensors(&self) -> &[SensorLife] {
        &self.sensors
    }

    /// Takes a report's header: whether its number is new, and that the sensor lives.
    pub fn report(&mut self, sensor: u16, header: &Header, now: EpochMs) -> Freshness {
        let Some(life) = self.sensors.get_mut(usize::from(sensor)) else { return Freshness::New };
        life.spoke(now);
        if let Some(at) = header.at {
            life.clock_error_ms = Some(at.since(now));
        }
        life.numbers.take(header.boot, header.number)
    }

    /// A sighting of the sensor is that old or new: it was alive then.
    pub fn heard_at(&mut self, sensor: u16, at: EpochMs) {
        if let Some(life) = self.sensors.get_mut(usize::from(sensor)) {
            life.mark(at.0.div_euclid(HALF_MS));
        }
    }

    /// Sightings that were taken in, for the rate, and those refused while decoding.
    pub fn counted(&mut self, sensor: u16, sightings: u64, refused: &ItemRefusals, now: EpochMs) {
        let Some(life) = self.sensors.get_mut(usize::from(sensor)) else { return };
        life.roll(now);
        life.rate_so_far += sightings;
        if refused.total() > 0 {
            for reason in ItemRefusal::ALL {
                life.refuse(reason.as_str(), refused.of(reason));
            }
        }
    }

    /// Sightings of the sensor were refused.
    pub fn refused(&mut self, sensor: u16, reason: &'static str, count: u64) {
        if let Some(life) = self.sensors.get_mut(usize::from(sensor)) {
            life.refuse(reason, count);
        }
    }

    /// Takes a sensor's word about itself. A retained delivery or a last will is never a sign of life.
    pub fn status(&mut self, status: &SensorStatus, now: EpochMs) {
        if let Some(life) = self.sensors.get_mut(usize::from(status.from.sensor))
            && status.online
            && !status.retained
        {
            life.spoke(now);
            life.beat(now);
            if let Some(at) = status.at {
                life.clock_error_ms = Some(at.since(now));
                life.status_clock_error_ms = life.clock_error_ms;
            }
        }
    }

    /// The share of a zone's sensors that sent something in the 60 s before a half-minute's end.
    #[must_use]
    pub fn alive_share(&self, zone: u16, half_end: EpochMs) -> f64 {
        self.share(zone, half_end, SensorLife::spoke_in)
    }

    /// The share of them that said a status: what may be told of a zone while nobody's walk must show.
    #[must_use]
    pub fn beating_share(&self, zone: u16, half_end: EpochMs) -> f64 {
        self.share(zone, half_end, SensorLife::beat_in)
    }

    fn share(&self, zone: u16, half_end: EpochMs, is_alive: impl Fn(&SensorLife, i64) -> bool) -> f64 {
        let sensors = &self.of_zone[usize::from(zone)];
        if sensors.is_empty() {
            return 0.0;
        }
        let last = half_end.0.div_euclid(HALF_MS) - 1;
        let alive = sensors.iter().filter(|s| is_alive(&self.sensors[usize::from(**s)], last)).count();
        alive as f64 / sensors.len() as f64
    }

    /// Closes the five minutes of every sensor's rate that have passed.
    pub fn roll(&mut self, now: EpochMs) {
        self.sensors.iter_mut().for_each(|life| life.roll(now));
    }
}

impl SensorLife {
    /// Whether it sent anything in the last 60 s.
    #[must_use]
    pub fn is_alive(&self, now: EpochMs) -> bool {
        self.last_heard.is_some_and(|at| now.since(at) <= ALIVE_HALVES * HALF_MS)
    }

    /// Whether it said a status in the last 60 s.
    #[must_use]
    pub fn is_beating(&self, now: EpochMs) -> bool {
        self.last_status.is_some_and(|at| now.since(at) <= ALIVE_HALVES * HALF_MS)
    }

    /// Messages whose numbers were skipped and never came.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.numbers.gaps()
    }

    /// Messages whose number had been seen.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        self.numbers.repeats()
    }

    fn spoke(&mut self, now: EpochMs) {
        self.last_heard = self.last_heard.max(Some(now));
        self.mark(now.0.div_euclid(HALF_MS));
    }

    fn beat(&mut self, now: EpochMs) {
        self.last_status = self.last_status.max(Some(now));
        mark(&mut self.newest_beat, &mut self.beats, now.0.div_euclid(HALF_MS));
    }

    fn mark(&mut self, half: i64) {
        mark(&mut self.newest_half, &mut self.halves, half);
    }

    fn spoke_in(&self, last_half: i64) -> bool {
        is_marked(self.newest_half, self.halves, last_half)
    }

    fn beat_in(&self, last_half: i64) -> bool {
        is_marked(self.newest_beat, self.beats, last_half)
    }

    fn roll(&mut self, now: EpochMs) {
        let window = now.0.div_euclid(RATE_MS);
        if window != self.rate_window {
            self.rate = if window == self.rate_window + 1 { self.rate_so_far } else { 0 };
            self.rate_so_far = 0;
            self.rate_window = window;
        }
    }

    fn refuse(&mut self, reason: &'static str, count: u64) {
        if count > 0 {
            *self.refused.entry(reason).or_default() += count;
        }
    }
}

/// Sets the bit of a half-minute among the 64 up to the newest.
fn mark(newest: &mut i64, halves: &mut u64, half: i64) {
    match half - *newest {
        0 if *halves != 0 => *halves |= 1,
        ahead if ahead > 0 || *halves == 0 => {
            let kept = if (1..64).contains(&ahead) { *halves << ahead } else { 0 };
            *halves = kept | 1;
            *newest = half;
        }
        behind if behind > -64 => *halves |= 1 << -behind,
        _ => {}
    }
}

fn is_marked(newest: i64, halves: u64, last_half: i64) -> bool {
    (0..ALIVE_HALVES).any(|back| {
        let behind = newest - (last_half - back);
        (0..64).contains(&behind) && halves >> behind & 1 == 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, EXAMPLE};
    use crate::sighting::SensorRef;

    const START: i64 = 1_764_000_000_000;

    fn roster() -> Roster {
        Roster::new(&Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues[0])
    }

    fn alive_halves(roster: &Roster) -> Vec<bool> {
        (-1..5).map(|half| roster.alive_share(0, EpochMs(START + (half + 1) * HALF_MS)) > 0.0).collect()
    }

    #[test]
    fn a_sensor_is_alive_for_sixty_seconds_after_it_spoke() {
        let mut roster = roster();
        assert_eq!(alive_halves(&roster), [false; 6]);
        roster.report(0, &Header::default(), EpochMs(START + 5));
        assert_eq!(alive_halves(&roster), [false, true, true, false, false, false]);
        roster.report(0, &Header::default(), EpochMs(START + 4 * HALF_MS));
        assert_eq!(
            alive_halves(&roster),
            [false, true, true, false, false, true],
            "what was stays as it was"
        );
        assert!(roster.sensors()[0].is_alive(EpochMs(START + 6 * HALF_MS)));
        assert!(!roster.sensors()[0].is_alive(EpochMs(START + 6 * HALF_MS + 1)));
    }

    #[test]
    fn a_retained_status_and_a_last_will_are_no_life() {
        let mut roster = roster();
        let from = SensorRef { venue: 0, sensor: 0 };
        for (online, retained, alive) in [(true, true, false), (false, false, false), (true, false, true)] {
            roster.status(&SensorStatus { from, online, at: None, retained }, EpochMs(START));
            assert_eq!(
                roster.sensors()[0].is_alive(EpochMs(START)),
                alive,
                "online {online} retained {retained}"
            );
        }
    }

    #[test]
    fn the_rate_is_that_of_the_last_closed_five_minutes() {
        let mut roster = roster();
        roster.counted(0, 70, &ItemRefusals::default(), EpochMs(START));
        assert_eq!(roster.sensors()[0].rate, 0);
        roster.roll(EpochMs(START + RATE_MS));
        assert_eq!(roster.sensors()[0].rate, 70);
        roster.roll(EpochMs(START + 3 * RATE_MS));
        assert_eq!(roster.sensors()[0].rate, 0);
    }
}
