//! The judge: what closed comes in once, and leaves as figures or as nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::partners::{Part, hide_partners};
use super::{Banded, Figure, Flags, Label, Live, Metric, Scope, SensorLive, Shown, traffic};
use crate::aggregate::{Closed, Covered, Level, Occupancy, Place, Traffic, ZoneWindow};
use crate::clock::{EpochMs, Step, Window};
use crate::config::{ClockKind, Venue};

/// Counts that could be told apart by one are rounded to multiples of this.
pub(super) const GRAIN: u32 = 5;

/// The calibration that figures are made under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its version.
    pub calibration: u32,
    /// Whether a head count stands behind it.
    pub calibrated: bool,
}

/// Judges the windows of one venue.
pub struct Judge {
    venue: Arc<Venue>,
    thresholds: u32,
    /// When this run began to hear, and the end of the newest figure of an earlier run.
    began: Option<EpochMs>,
    earlier: Option<EpochMs>,
    /// By step: whether the venue's occupancy is shown.
    shown: BTreeMap<Step, bool>,
    live_shown: bool,
}

impl Judge {
    /// A judge for a venue. `thresholds` is the version of its thresholds; `earlier` the end of the newest figure that
    /// an earlier run published.
    #[must_use]
    pub fn new(venue: Arc<Venue>, thresholds: u32, earlier: Option<EpochMs>) -> Self {
        Self { venue, thresholds, began: None, earlier, shown: BTreeMap::new(), live_shown: false }
    }

    /// This run begins to hear; what it says of a later moment changes nothing.
    pub fn begins(&mut self, at: EpochMs) {
        self.began.get_or_insert(at);
    }

    /// Judges a closed window.
    #[must_use]
    pub fn judge(&mut self, closed: Closed, made: Made) -> Vec<Figure> {
        match closed {
            Closed::Crowd(window) => self.crowd(&window, made),
            Closed::Visits(window) => self.visits(&window, made),
        }
    }

    /// Judges the newest half-minute, given as the venue and its zones.
    #[must_use]
    pub fn live(
        &mut self,
        at: EpochMs,
        venue: Option<Level>,
        zones: &[Option<Level>],
        made: Made,
        sensors: Vec<SensorLive>,
    ) -> Live {
        self.live_shown = self.is_shown(self.live_shown, venue);
        let mut parts = self.parts(zones.iter().copied());
        hide_partners(self.k(), &mut parts, &vec![None; zones.len()], &mut []);
        let zone = |(level, part): (&Option<Level>, &Part)| match level {
            None => Shown::NoData,
            Some(_) if !self.live_shown => Shown::HeldBack,
            Some(level) if part.shown => Shown::People(banded(level)),
            Some(_) if part.people < self.k() => Shown::UnderK,
            Some(_) => Shown::HeldBack,
        };
        let occupancy = match venue {
            None => Shown::NoData,
            Some(level) if self.live_shown => Shown::People(coarse(&level)),
            Some(_) => Shown::HeldBack,
        };
        let ids = self.venue.zones.iter().map(|z| z.id.clone());
        Live {
            venue: self.venue.id.clone(),
            at,
            occupancy,
            zones: ids.zip(zones.iter().zip(&parts).map(zone)).collect(),
            flags: Flags {
                incomplete: sensors.iter().any(|s| !s.alive),
                uncalibrated: !made.calibrated,
                rekeyed: false,
                replay: self.is_replay(),
            },
            calibration: made.calibration,
            sensors,
        }
    }

    fn crowd(&mut self, window: &ZoneWindow<Occupancy>, made: Made) -> Vec<Figure> {
        let level = |of: &Covered<Occupancy>| of.row.mean;
        let of_venue =
            window.rows.iter().find(|(place, _)| *place == Place::Venue).and_then(|(_, row)| level(row));
        let before = self.shown.get(&window.step).copied().unwrap_or(false);
        let venue_shown = self.is_shown(before, of_venue);
        self.shown.insert(window.step, venue_shown);

        let of = |want: fn(&Place) -> bool| {
            window.rows.iter().filter(move |(p, _)| want(p)).map(|(_, row)| level(row))
        };
        let mut zones = self.parts(of(|p| matches!(p, Place::Zone(_))));
        let mut groups = self.parts(of(|p| matches!(p, Place::Group(_))));
        let group_of: Vec<_> = self.venue.zones.iter().map(|z| z.group).collect();
        hide_partners(self.k(), &mut zones, &group_of, &mut groups);

        let mut figures = Vec::with_capacity(window.rows.len() * 2);
        for (place, covered) in &window.rows {
            let shown = venue_shown
                && match place {
                    Place::Venue => true,
                    Place::Group(group) => groups[usize::from(*group)].shown,
                    Place::Zone(zone) => zones[usize::from(*zone)].shown,
                };
            let told = |level: Option<Level>| level.filter(|_| shown).map(|l| told(*place, &l));
            let of_zone = matches!(place, Place::Zone(_)) && window.step == Step::FiveMinutes;
            let root_mean = covered.row.root_mean.filter(|_| of_zone).map(|v| (v * 100.0).round() as u32);
            let label =
                |metric| self.label(metric, *place, window.step, window.window, covered.coverage, made);
            let mean = told(covered.row.mean);
            // The peak is never below the mean, so it is over k wherever the mean is.
            let peak = mean.and(told(covered.row.peak));
            figures.push(Figure::judged(label(Metric::Occupancy), mean, root_mean));
            figures.push(Figure::judged(label(Metric::OccupancyPeak), peak, None));
        }
        figures
    }

    fn visits(&self, window: &ZoneWindow<Traffic>, made: Made) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (place, covered) in &window.rows {
            for (metric, value) in traffic::judge(&covered.row, self.k()) {
                let label = self.label(metric, *place, window.step, window.window, covered.coverage, made);
                figures.push(Figure::judged(label, value, None));
            }
        }
        figures
    }

    /// Shown from 2k people on until under k.
    fn is_shown(&self, before: bool, venue: Option<Level>) -> bool {
        let least = if before { self.k() } else { 2 * self.k() };
        venue.is_some_and(|level| whole(level.people) >= least)
    }

    fn parts(&self, levels: impl Iterator<Item = Option<Level>>) -> Vec<Part> {
        levels
            .map(|level| level.map_or(0, |level| whole(level.people)))
            .map(|people| Part { people, shown: people >= self.k() })
            .collect()
    }

    fn label(
        &self,
        metric: Metric,
        place: Place,
        step: Step,
        window: Window,
        coverage: f64,
        made: Made,
    ) -> Label {
        let of_crowd = metric.is_of_the_crowd();
        let scope = match place {
            Place::Venue => Scope::Venue,
            Place::Group(group) => Scope::Group(self.venue.groups[usize::from(group)].clone()),
            Place::Zone(zone) => Scope::Zone(self.venue.zones[usize::from(zone)].id.clone()),
        };
        let coverage_permille = (coverage.clamp(0.0, 1.0) * 1000.0).floor() as u16;
        let began_inside = self.began.is_some_and(|began| window.from < began)
            && self.earlier.is_some_and(|end| end > window.from);
        Label {
            venue: self.venue.id.clone(),
            scope,
            metric,
            step,
            window,
            flags: Flags {
                incomplete: coverage_permille < 1000,
                uncalibrated: of_crowd && !made.calibrated,
                rekeyed: began_inside,
                replay: self.is_replay(),
            },
            coverage_permille,
            thresholds: self.thresholds,
            calibration: if of_crowd { made.calibration } else { 0 },
        }
    }

    fn is_replay(&self) -> bool {
        self.venue.clock == ClockKind::Sightings
    }

    fn k(&self) -> u32 {
        self.venue.thresholds.k
    }
}

/// A venue's number is coarse, a zone's or group's is whole.
fn told(place: Place, level: &Level) -> Banded {
    if place == Place::Venue { coarse(level) } else { banded(level) }
}

fn banded(level: &Level) -> Banded {
    let (low, high) = (level.people - level.half_width, level.people + level.half_width);
    Banded { value: whole(level.people), low: whole(low), high: whole(high) }
}

/// Rounded to the grain, its band outward.
fn coarse(level: &Level) -> Banded {
    let Banded { low, high, .. } = banded(level);
    Banded { value: to_grain(level.people), low: low / GRAIN * GRAIN, high: high.div_ceil(GRAIN) * GRAIN }
}

pub(super) fn to_grain(value: f64) -> u32 {
    whole(value / f64::from(GRAIN)) * GRAIN
}

fn whole(value: f64) -> u32 {
    value.round().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests;
