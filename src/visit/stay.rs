//! One device's open visit.

use super::slot::Reading;
use super::{Distinct, Kind, Place, Rules, SILENCE_MS, SLOT_MS, VisitEvent};
use crate::clock::EpochMs;

/// Slots that the zone is judged over.
const ZONE_SLOTS: i64 = 3;
/// A challenger this much stronger takes over at once, dB.
const HYSTERESIS_DB: f32 = 4.0;
/// Readings of one slot kept for the zone, spread evenly over the slot's set.
const ZONE_READINGS_MAX: usize = 32;

/// From a first to a last sighting.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Stay {
    first: EpochMs,
    last: EpochMs,
    sightings: u32,
}

/// What is remembered of a device while its visit is open.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Visit {
    whole: Stay,
    /// The newest stretch of it that was near, and the length of the longest before that, ms.
    near: Option<Stay>,
    near_before_ms: Option<i64>,
    zone: Option<(u16, Stay)>,
    /// The zone that was strongest in the slot before, if it was not the zone of the visit.
    challenger: Option<u16>,
    recent: Vec<(i64, Reading)>,
}

impl Stay {
    fn begins(at: EpochMs) -> Self {
        Self { first: at, last: at, sightings: 0 }
    }

    fn extend(&mut self, last: EpochMs, sightings: usize) {
        self.last = self.last.max(last);
        self.sightings = self.sightings.saturating_add(sightings as u32);
    }

    fn length_ms(&self) -> i64 {
        self.last.since(self.first)
    }

    /// Last minus first sighting plus the mean gap, in whole minutes.
    fn dwell_minutes(&self) -> u16 {
        let gap = self.length_ms() / i64::from(self.sightings.max(2) - 1);
        u16::try_from((self.length_ms() + gap + 30_000) / 60_000).unwrap_or(u16::MAX)
    }

    /// Says that a visitor was present since the last event, once the stay is long enough.
    fn present(
        &self,
        rules: &Rules,
        place: Place,
        who: Distinct,
        before: EpochMs,
        events: &mut Vec<VisitEvent>,
    ) {
        let qualifies = EpochMs(self.first.0 + rules.visitor_ms);
        if self.last >= qualifies {
            events.push(VisitEvent::Present { place, who, from: before.max(qualifies), to: self.last });
        }
    }
}

impl Visit {
    /// A visit that begins with the first of some readings.
    pub(super) fn begins(start: EpochMs, readings: &[Reading]) -> Self {
        let first = moment(start, readings.first());
        Self {
            whole: Stay::begins(first),
            near: None,
            near_before_ms: None,
            zone: None,
            challenger: None,
            recent: Vec::new(),
        }
    }

    /// Takes the set of readings of a slot, which is sorted by time and not empty.
    pub(super) fn take(
        &mut self,
        rules: &Rules,
        who: Distinct,
        start: EpochMs,
        readings: &[Reading],
        events: &mut Vec<VisitEvent>,
    ) {
        self.whole.extend(moment(start, readings.last()), readings.len());
        let is_near = |r: &&Reading| r.rssi >= rules.near_dbm_of[usize::from(r.sensor)];
        let near = readings.iter().filter(is_near).count();
        let (first_near, last_near) = (readings.iter().find(is_near), readings.iter().rfind(is_near));
        self.remember(start, readings);
        let (Some(first_near), Some(last_near)) = (first_near, last_near) else { return };
        let (first, last) = (moment(start, Some(first_near)), moment(start, Some(last_near)));
        if let Some(silent) = self.near.take_if(|stay| first.since(stay.last) >= SILENCE_MS) {
            // Heard all the while, but from outside: to be near again is a new stretch.
            self.near_before_ms = self.near_before_ms.max(Some(silent.length_ms()));
        }
        let stay = self.near.get_or_insert(Stay::begins(first));
        let before = stay.last;
        stay.extend(last, near);
        stay.present(rules, Place::Venue, who, before, events);

        self.end_silent_stay(rules, first, events);
        let Some(zone) = self.judge_zone(rules) else { return };
        if self.zone.is_some_and(|(current, _)| current != zone) {
            self.end_stay(rules, events);
        }
        let (zone, stay) = self.zone.get_or_insert((zone, Stay::begins(first)));
        let (zone, before) = (*zone, stay.last);
        stay.extend(last, near);
        stay.present(rules, Place::Zone(zone), who, before, events);
    }

    pub(super) fn is_over(&self, horizon: EpochMs, day_start: EpochMs) -> bool {
        horizon.since(self.whole.last) >= SILENCE_MS || self.whole.first < day_start
    }

    /// Ends the zone visit if the zone was silent for too long.
    pub(super) fn end_silent_stay(&mut self, rules: &Rules, horizon: EpochMs, events: &mut Vec<VisitEvent>) {
        if self.zone.is_some_and(|(_, stay)| horizon.since(stay.last) >= SILENCE_MS) {
            self.end_stay(rules, events);
        }
    }

    /// Ends the visit.
    pub(super) fn end(&mut self, rules: &Rules, events: &mut Vec<VisitEvent>) {
        self.end_stay(rules, events);
        let longest = self.near.map(|near| near.length_ms()).max(self.near_before_ms);
        let kind = longest.map_or(Kind::PasserBy, |near_ms| rules.kind(near_ms));
        let dwell_minutes = self.whole.dwell_minutes();
        events.push(VisitEvent::Ended { place: Place::Venue, last: self.whole.last, kind, dwell_minutes });
    }

    fn end_stay(&mut self, rules: &Rules, events: &mut Vec<VisitEvent>) {
        if let Some((zone, stay)) = self.zone.take() {
            let kind = rules.kind(stay.length_ms());
            let dwell_minutes = stay.dwell_minutes();
            events.push(VisitEvent::Ended { place: Place::Zone(zone), last: stay.last, kind, dwell_minutes });
        }
    }

    fn remember(&mut self, start: EpochMs, readings: &[Reading]) {
        let slot = start.0 / SLOT_MS;
        self.recent.retain(|(of, _)| slot - of < ZONE_SLOTS);
        let step = readings.len().div_ceil(ZONE_READINGS_MAX);
        self.recent.extend(readings.iter().step_by(step.max(1)).map(|r| (slot, *r)));
    }

    /// The zone after this slot; `None` while no sensor is near by its median.
    fn judge_zone(&mut self, rules: &Rules) -> Option<u16> {
        let medians = self.medians();
        let near =
            |(sensor, median): &&(u16, f32)| *median >= f32::from(rules.near_dbm_of[usize::from(*sensor)]);
        let strength = |zone: u16| {
            let of_zone = medians.iter().filter(|(sensor, _)| rules.zone_of[usize::from(*sensor)] == zone);
            of_zone.map(|(_, median)| *median).max_by(f32::total_cmp)
        };
        // The first of equals, so that the answer depends on the set alone.
        let best = medians.iter().filter(near).max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let current = self.zone.map(|(zone, _)| zone);
        let Some(&(sensor, loudest)) = best else { return current };
        let zone = rules.zone_of[usize::from(sensor)];
        let Some(current) = current.filter(|current| *current != zone) else {
            self.challenger = None;
            return Some(zone);
        };
        let wins = match strength(current) {
            None => true,
            Some(held) => loudest >= held + HYSTERESIS_DB || self.challenger == Some(zone),
        };
        self.challenger = (!wins).then_some(zone);
        Some(if wins { zone } else { current })
    }

    /// The median strength at each sensor over the last slots, by sensor.
    fn medians(&self) -> Vec<(u16, f32)> {
        let mut strengths: Vec<(u16, i8)> = self.recent.iter().map(|(_, r)| (r.sensor, r.rssi)).collect();
        strengths.sort_unstable();
        let median = |of: &[(u16, i8)]| {
            let (low, high) = (of[(of.len() - 1) / 2].1, of[of.len() / 2].1);
            f32::midpoint(f32::from(low), f32::from(high))
        };
        strengths.chunk_by(|a, b| a.0 == b.0).map(|of| (of[0].0, median(of))).collect()
    }
}

impl Rules {
    fn kind(&self, near_ms: i64) -> Kind {
        if near_ms >= self.engaged_ms {
            Kind::Engaged
        } else if near_ms >= self.visitor_ms {
            Kind::Visitor
        } else {
            Kind::Bounce
        }
    }
}

fn moment(start: EpochMs, reading: Option<&Reading>) -> EpochMs {
    EpochMs(start.0 + reading.map_or(0, |r| i64::from(r.offset_ms)))
}
