//! Where a device was: the way through the zones that speaks best for what was heard.
//!
//! A way loses in each slot by how much less likely its zone is than the likeliest, and by what its moves cost
//! ([`Ways`]). Kept is the best way to each zone. What all of them agree on is settled; what they do not agree on waits,
//! at most [`LAG_MS`], and then goes by the best. So one slot in which another zone is louder makes no visit.

use super::SLOT_MS;
use super::near::Near;
use super::ways::{Assumed, Ways};
use crate::clock::EpochMs;

/// The most zones in which one device may be at once, as far as is known.
const PATHS_MAX: usize = 6;
/// The most stretches of one way that wait to be settled.
const STRETCHES_MAX: usize = 8;
/// A stretch is settled so long after its end, ms: with silence, slot, grace and sweep it stays under the 17 minutes
/// after which a window of visits closes.
const LAG_MS: i64 = 5 * 60_000;
/// A way this much less likely than the best is given up, nats.
const LOST_MAX: f32 = 12.0;

/// What a decibel says, nats: 2·8/7.5² = 0.28 where two zones are eight decibels apart on average with a deviation of
/// seven and a half; more counts more of the short visits, and days of simulated malls were counted best with this.
const NATS_PER_DB: f32 = 0.4;
/// No slot speaks more against a zone, nats, not even one in which the zone did not hear it.
const LOSS_MAX: f32 = 9.0;
/// Who stands still is heard through the same shadows: slots closer than this say the same again, secs.
const SHADOW_SECS: f32 = 30.0;

/// Of a stretch so many zones are remembered that were loudest in it; more are hardly ever.
const LOUDEST_MAX: usize = 4;

/// The zones that were loudest during a stretch, each with how many slots; 0 slots is no zone.
pub(super) type Loudest = [(u16, u16); LOUDEST_MAX];

/// A stretch of time in one zone.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Stretch {
    pub(super) zone: u16,
    pub(super) loudest: Loudest,
    /// Its first and last sighting.
    pub(super) first: EpochMs,
    pub(super) last: EpochMs,
    pub(super) near: Near,
}

/// A stretch that is settled, with the zone before it, if there was one, the zone after it and the first sighting there.
pub(super) struct Settled {
    pub(super) before: Option<u16>,
    pub(super) stretch: Stretch,
    pub(super) to: u16,
    pub(super) next: EpochMs,
}

/// What was heard of a device in one slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard<'a> {
    /// The first and last sighting.
    pub(super) first: EpochMs,
    pub(super) last: EpochMs,
    /// The first and last that was near.
    pub(super) near: Option<(EpochMs, EpochMs)>,
    /// How strong in each zone, dBm, by zone; never empty.
    pub(super) zones: &'a [(u16, f32)],
}

/// One way in which a device may have gone.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Path {
    lost: f32,
    /// Never empty.
    stretches: Vec<Stretch>,
}

/// Every way in which a device may have gone since what is settled, the likeliest first.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Paths {
    paths: Vec<Path>,
    heard: Option<EpochMs>,
    /// The zone before the first that is not settled.
    before: Option<u16>,
}

impl Heard<'_> {
    /// The zones that a device may have come into, by how loud they are.
    fn loudest(&self) -> impl Iterator<Item = u16> {
        let mut zones = self.zones.to_vec();
        // The first of equals, so that the answer depends on the set alone.
        zones.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        zones.into_iter().take(PATHS_MAX).map(|(zone, _)| zone)
    }
}

impl Stretch {
    fn begins(zone: u16, heard: &Heard<'_>) -> Self {
        let mut stretch = Self {
            zone,
            loudest: Loudest::default(),
            first: heard.first,
            last: heard.last,
            near: Near::default(),
        };
        stretch.extend(heard);
        stretch
    }

    fn extend(&mut self, heard: &Heard<'_>) {
        self.last = self.last.max(heard.last);
        if let Some(loudest) = heard.loudest().next()
            && let Some(known) = self.loudest.iter_mut().find(|(zone, n)| *zone == loudest || *n == 0)
        {
            *known = (loudest, known.1.saturating_add(1));
        }
        if let Some((first, last)) = heard.near {
            self.near.extend(first, last);
        }
    }
}

impl Path {
    fn begins(zone: u16, heard: &Heard<'_>, lost: f32) -> Self {
        Self { lost, stretches: vec![Stretch::begins(zone, heard)] }
    }

    fn here(&self) -> u16 {
        self.stretches.last().map_or(0, |stretch| stretch.zone)
    }

    /// The zone before, as far as it is not settled.
    fn before(&self) -> Option<u16> {
        self.stretches.iter().nth_back(1).map(|stretch| stretch.zone)
    }

    fn stays(&self, heard: &Heard<'_>, lost: f32) -> Self {
        let mut path = self.clone();
        path.lost += lost;
        if let Some(stretch) = path.stretches.last_mut() {
            stretch.extend(heard);
        }
        path
    }

    fn goes(&self, zone: u16, heard: &Heard<'_>, lost: f32) -> Self {
        let mut path = self.clone();
        path.lost += lost;
        path.stretches.push(Stretch::begins(zone, heard));
        path
    }
}

impl Paths {
    /// Takes what was heard in a slot.
    pub(super) fn take(&mut self, heard: &Heard<'_>, (ways, assumed): (&Ways, &Assumed)) {
        let settled = self.before;
        let gap_ms = self.heard.map(|before| heard.first.since(before).max(SLOT_MS));
        self.heard = Some(heard.last);
        let gap_secs = gap_ms.map_or(0.0, |ms| ms as f32 / 1000.0);
        let weight = gap_ms.map_or(1.0, |_| 1.0 - (-gap_secs / SHADOW_SECS).exp());
        let strongest = heard.zones.iter().map(|(_, dbm)| *dbm).fold(f32::MIN, f32::max);
        let loss = |zone: u16| {
            let dbm = heard.zones.iter().find(|(of, _)| *of == zone).map_or(f32::MIN, |(_, dbm)| *dbm);
            weight * (NATS_PER_DB * (strongest - dbm)).min(LOSS_MAX)
        };
        let stay = |path: &Path| path.stays(heard, loss(path.here()) + ways.stay(path.here(), gap_secs));
        let mut next: Vec<Path> = self.paths.iter().map(stay).collect();
        for zone in heard.loudest() {
            let lost = loss(zone);
            let from = self.paths.iter().filter(|path| path.here() != zone);
            let priced = from
                .map(|path| (path, lost + ways.go(path.before().or(settled), path.here(), zone, gap_secs)));
            let path = match priced.min_by(|(a, of_a), (b, of_b)| (a.lost + of_a).total_cmp(&(b.lost + of_b)))
            {
                Some((path, lost)) => path.goes(zone, heard, lost),
                None if self.paths.is_empty() => Path::begins(zone, heard, lost + ways.begin(zone, assumed)),
                None => continue,
            };
            match next.iter_mut().find(|other| other.here() == zone) {
                Some(other) if other.lost <= path.lost => {}
                Some(other) => *other = path,
                None => next.push(path),
            }
        }
        self.keep(next);
    }

    /// Keeps the best of the ways, each with what it lost over the best one.
    fn keep(&mut self, mut paths: Vec<Path>) {
        // The sort is stable and zones come in an order of their own, so that equals stand as the set alone decides.
        paths.sort_by(|a, b| a.lost.total_cmp(&b.lost));
        paths.truncate(PATHS_MAX);
        let least = paths.first().map_or(0.0, |path| path.lost);
        paths.iter_mut().for_each(|path| path.lost -= least);
        paths.retain(|path| path.lost <= LOST_MAX);
        self.paths = paths;
    }

    /// Takes out the next stretch that is settled by a moment.
    pub(super) fn settle(&mut self, now: EpochMs) -> Option<Settled> {
        let best = self.paths.first()?;
        let [stretch, next, ..] = best.stretches.as_slice() else { return None };
        let settled =
            Settled { before: self.before, stretch: stretch.clone(), to: next.zone, next: next.first };
        let over = now.since(stretch.last) >= LAG_MS || best.stretches.len() > STRETCHES_MAX;
        let agrees = |path: &Path| path.stretches.len() > 1 && path.stretches[0] == settled.stretch;
        if !self.paths.iter().all(agrees) {
            if !over {
                return None;
            }
            self.paths.retain(agrees);
        }
        for path in &mut self.paths {
            path.stretches.remove(0);
        }
        self.before = Some(settled.stretch.zone);
        Some(settled)
    }

    /// Ends every way: what was not settled goes by the likeliest, if its last zone is one from which people go home.
    pub(super) fn end(&mut self, (ways, assumed): (&Ways, &Assumed)) -> Vec<Stretch> {
        (self.heard, self.before) = (None, None);
        let lost = |path: &Path| path.lost + ways.end(path.here(), assumed);
        let likeliest =
            std::mem::take(&mut self.paths).into_iter().min_by(|a, b| lost(a).total_cmp(&lost(b)));
        likeliest.map(|path| path.stretches).unwrap_or_default()
    }

    /// The stretch that is not over, as far as all ways agree on it.
    pub(super) fn agreed(&self) -> Option<&Stretch> {
        let first = |path: &Path| (path.stretches[0].zone, path.stretches[0].first);
        let of_best = first(self.paths.first()?);
        let least = self.paths.iter().map(|path| &path.stretches[0]).min_by_key(|stretch| stretch.last)?;
        self.paths.iter().all(|path| first(path) == of_best).then_some(least)
    }
}
