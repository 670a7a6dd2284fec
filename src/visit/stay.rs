//! One device's open visit.

use super::near::Near;
use super::path::{Heard, Paths, Settled, Stretch};
use super::route::Legs;
use super::slot::Reading;
use super::ways::{Ends, Move, Ways};
use super::{Distinct, Kind, Place, Rules, VisitEvent};
use crate::clock::EpochMs;

/// What is remembered of a device while its visit is open.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Visit {
    first: EpochMs,
    last: EpochMs,
    gaps: Gaps,
    near: Near,
    paths: Paths,
    /// The last sighting in the zone before, if there was one in this visit.
    left: Option<EpochMs>,
    /// Until when it was said to be present, in the zone and in the venue.
    said_zone: Option<EpochMs>,
    said_venue: Option<EpochMs>,
    /// Which way it went, as far as that is settled.
    legs: Legs,
}

/// Times between one slot in which a device was heard and the next.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Gaps {
    sum_ms: i64,
    /// In ms and s, so that a day of them fits.
    squares_ms_secs: i64,
}

impl Gaps {
    fn add(&mut self, ms: i64) {
        self.sum_ms += ms;
        self.squares_ms_secs += ms * ms / 1000;
    }

    /// The mean gap as the visit's moments meet it: a moment lies in a long gap more often than in a short one. 0 without
    /// any.
    fn mean_ms(self) -> i64 {
        self.squares_ms_secs * 1000 / self.sum_ms.max(1)
    }
}

impl Visit {
    /// A visit that begins with the first of some readings.
    pub(super) fn begins(start: EpochMs, readings: &[Reading]) -> Self {
        let first = moment(start, readings.first());
        Self {
            first,
            last: first,
            gaps: Gaps::default(),
            near: Near::default(),
            paths: Paths::default(),
            left: None,
            said_zone: None,
            said_venue: None,
            legs: Legs::default(),
        }
    }

    /// Takes the set of readings of a slot, which is sorted by time and not empty.
    pub(super) fn take(
        &mut self,
        (rules, ways, moves): (&Rules, &Ways, &mut Vec<Move>),
        who: Distinct,
        start: EpochMs,
        readings: &[Reading],
        events: &mut Vec<VisitEvent>,
    ) {
        let (first, last) = (moment(start, readings.first()), moment(start, readings.last()));
        if first > self.last {
            self.gaps.add(first.since(self.last));
        }
        self.last = last;
        let is_near = |r: &&Reading| r.rssi >= rules.near_dbm_of[usize::from(r.sensor)];
        let near = readings.iter().find(is_near).zip(readings.iter().rfind(is_near));
        let near = near.map(|(first, last)| (moment(start, Some(first)), moment(start, Some(last))));
        if let Some((first, last)) = near {
            self.near.extend(first, last);
            present(rules, &self.near, &mut self.said_venue, Place::Venue, who, events);
        }
        self.paths.take(
            &Heard {
                first,
                last,
                near,
                zones: &zones(&rules.zone_of, readings.iter().map(|r| (r.sensor, r.rssi))),
            },
            (ways, &rules.assumed),
        );
        self.settle(rules, who, last, moves, events);
    }

    /// From the first to the last sighting, ms.
    pub(super) fn length_ms(&self) -> i64 {
        self.last.since(self.first)
    }

    pub(super) fn is_over(&self, horizon: EpochMs, day_start: EpochMs) -> bool {
        horizon.since(self.last) >= super::SILENCE_MS || self.first < day_start
    }

    /// Ends the zone visits that are settled by a moment.
    pub(super) fn settle(
        &mut self,
        rules: &Rules,
        who: Distinct,
        now: EpochMs,
        moves: &mut Vec<Move>,
        events: &mut Vec<VisitEvent>,
    ) {
        while let Some(Settled { before, stretch, to, next }) = self.paths.settle(now) {
            moves.push(Move {
                before,
                from: stretch.zone,
                to,
                loudest: stretch.loudest,
                stayed_ms: stretch.last.since(stretch.first),
                gap_ms: next.since(stretch.last),
            });
            self.end_stay(rules, &stretch, Some(next), who, events);
        }
        if let Some(stretch) = self.paths.agreed() {
            present(rules, &stretch.near, &mut self.said_zone, Place::Zone(stretch.zone), who, events);
        }
    }

    /// Ends the visit. One that was near says in which zones first and last.
    pub(super) fn end(
        &mut self,
        (rules, ways): (&Rules, &Ways),
        who: Distinct,
        events: &mut Vec<VisitEvent>,
    ) -> Option<Ends> {
        let stretches = self.paths.end((ways, &rules.assumed));
        for (i, stretch) in stretches.iter().enumerate() {
            self.end_stay(rules, stretch, stretches.get(i + 1).map(|next| next.first), who, events);
        }
        let (first, last) = (self.first, self.last);
        let dwell_minutes = whole_minutes(last.since(first) + self.gaps.mean_ms());
        let kind = self.near.longest_ms().map_or(Kind::PasserBy, |ms| rules.kind(ms));
        events.push(VisitEvent::Ended { place: Place::Venue, who, first, last, kind, dwell_minutes });
        let route = self.legs.end()?;
        events.push(VisitEvent::Went { who, last, route });
        Some(Ends { first: route.entered(), last: route.left() })
    }

    /// Ends a zone visit, after which there was a first sighting in the next zone, or none. One that was never near is
    /// none.
    fn end_stay(
        &mut self,
        rules: &Rules,
        stretch: &Stretch,
        next: Option<EpochMs>,
        who: Distinct,
        events: &mut Vec<VisitEvent>,
    ) {
        let Stretch { zone, first, last, ref near, .. } = *stretch;
        let before = self.left.replace(last);
        let Some(near_ms) = near.longest_ms() else { return };
        let place = Place::Zone(zone);
        present(rules, near, &mut self.said_zone, place, who, events);
        self.said_zone = None;
        // What lies between two zones is half the one's and half the other's.
        let gaps_ms = [before.map(|before| first.since(before)), next.map(|next| next.since(last))];
        let gap_ms: i64 = gaps_ms.map(|gap| gap.unwrap_or(self.gaps.mean_ms())).iter().sum();
        let dwell_minutes = whole_minutes(last.since(first) + gap_ms / 2);
        let kind = rules.kind(near_ms);
        self.legs.add(zone, kind);
        events.push(VisitEvent::Ended { place, who, first, last, kind, dwell_minutes });
    }
}

/// Says that a visitor was present since it was said last, once near for long enough.
fn present(
    rules: &Rules,
    near: &Near,
    said: &mut Option<EpochMs>,
    place: Place,
    who: Distinct,
    events: &mut Vec<VisitEvent>,
) {
    let Some((first, last)) = near.newest else { return };
    let qualifies = EpochMs(first.0 + rules.visitor_ms);
    if last >= qualifies && *said != Some(last) {
        events.push(VisitEvent::Present {
            place,
            who,
            from: said.map_or(qualifies, |said| said.max(qualifies)),
            to: last,
        });
        *said = Some(last);
    }
}

/// How strong each zone heard a device by the sensors and strengths of a slot, dBm, by zone: the strongest of its sensors by
/// the median.
pub(crate) fn zones(zone_of: &[u16], readings: impl Iterator<Item = (u16, i8)>) -> Vec<(u16, f32)> {
    let mut sorted: Vec<(u16, i8)> = readings.collect();
    sorted.sort_unstable();
    let mut zones: Vec<(u16, f32)> = Vec::new();
    for of in sorted.chunk_by(|a, b| a.0 == b.0) {
        let (low, high) = (of[(of.len() - 1) / 2].1, of[of.len() / 2].1);
        let median = f32::midpoint(f32::from(low), f32::from(high));
        let zone = zone_of[usize::from(of[0].0)];
        match zones.iter_mut().find(|(known, _)| *known == zone) {
            Some((_, strongest)) => *strongest = strongest.max(median),
            None => zones.push((zone, median)),
        }
    }
    zones.sort_unstable_by_key(|(zone, _)| *zone);
    zones
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

fn whole_minutes(ms: i64) -> u16 {
    u16::try_from((ms + 30_000) / 60_000).unwrap_or(u16::MAX)
}

fn moment(start: EpochMs, reading: Option<&Reading>) -> EpochMs {
    EpochMs(start.0 + reading.map_or(0, |r| i64::from(r.offset_ms)))
}
