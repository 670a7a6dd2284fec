//! The judge: what closed comes in once, and leaves as figures or as nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::nested::{Judged, Nested};
use super::partners::{Part, hide_partners};
use super::{Banded, Figure, Flags, Label, Live, Metric, Scope, SensorLive, Shown, traffic};
use crate::aggregate::{
    CROWD_LATENESS_SECS, Closed, Covered, Level, Occupancy, Place, Traffic, VISIT_LATENESS_SECS, ZoneWindow,
};
use crate::clock::{EpochMs, Step, Window};
use crate::config::{ClockKind, Venue};

/// Counts that could be told apart by one are rounded to multiples of this.
pub(super) const GRAIN: u32 = 5;

/// A run may have heard this much more than the end of its newest figure, seconds: five minutes and their lateness.
const RUN_ON_SECS: i64 = 300 + CROWD_LATENESS_SECS;

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
    nested: Nested,
    live_shown: bool,
}

impl Judge {
    /// A judge for a venue. `thresholds` is the version of its thresholds; `earlier` the end of the newest figure that
    /// an earlier run published.
    #[must_use]
    pub fn new(venue: Arc<Venue>, thresholds: u32, earlier: Option<EpochMs>) -> Self {
        Self {
            venue,
            thresholds,
            began: None,
            earlier,
            shown: BTreeMap::new(),
            nested: Nested::default(),
            live_shown: false,
        }
    }

    /// This run begins to hear. True the first time, if an earlier run ended so shortly before that it left windows
    /// that ended but had not closed.
    pub fn begins(&mut self, at: EpochMs) -> bool {
        let first = self.began.is_none();
        self.began.get_or_insert(at);
        first
            && self.earlier.is_some_and(|end| at.since(end.plus_secs(RUN_ON_SECS + VISIT_LATENESS_SECS)) <= 0)
    }

    /// Judges a closed window.
    #[must_use]
    pub fn judge(&mut self, closed: Closed) -> Vec<Figure> {
        match closed {
            Closed::Crowd(window) => self.crowd(&window),
            Closed::Visits(window) => self.visits(&window),
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

    fn crowd(&mut self, window: &ZoneWindow<Occupancy>) -> Vec<Figure> {
        let levels: Vec<Option<Level>> = window.rows.iter().map(|(_, covered)| covered.row.mean).collect();
        let shown = self.shown(window, &levels);
        let judged = |(shown, level): (&bool, &Option<Level>)| Judged {
            shown: *shown && level.is_some(),
            people: level.map(|level| whole(level.people)),
        };
        let judged: Vec<Judged> = shown.iter().zip(&levels).map(judged).collect();
        self.nested.judged(&self.venue.calendar, window.step, window.window, &judged);

        let mut figures = Vec::with_capacity(window.rows.len() * 2);
        for ((place, covered), shown) in window.rows.iter().zip(shown) {
            let told = |level: Option<Level>| level.filter(|_| shown).map(|l| told(*place, &l));
            let of_zone = matches!(place, Place::Zone(_)) && window.step == Step::FiveMinutes;
            let root_mean = covered.row.root_mean.filter(|_| of_zone).map(|v| (v * 100.0).round() as u32);
            let made = covered
                .row
                .mean
                .map(|level| Made { calibration: level.calibration, calibrated: level.calibrated });
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

    /// Which rows of a window may be shown.
    fn shown(&mut self, window: &ZoneWindow<Occupancy>, levels: &[Option<Level>]) -> Vec<bool> {
        let (step, from, k) = (window.step, window.window.from, self.k());
        let row_of = |want: Place| window.rows.iter().position(|(place, _)| *place == want);
        let of_venue = row_of(Place::Venue).and_then(|row| levels[row]);
        let before = self.shown.get(&step).copied().unwrap_or(false);
        let venue_shown = self.is_shown(before, of_venue);
        self.shown.insert(step, venue_shown);

        let part = |want: Place| {
            let row = row_of(want);
            let people = row.and_then(|row| levels[row]).map_or(0, |level| whole(level.people));
            let safe = row.is_none_or(|row| self.nested.is_safe(k, step, from, row));
            Part { people, shown: people >= k && safe }
        };
        let mut zones: Vec<Part> =
            (0..self.venue.zones.len()).map(|zone| part(Place::Zone(zone as u16))).collect();
        let mut groups: Vec<Part> =
            (0..self.venue.groups.len()).map(|g| part(Place::Group(g as u16))).collect();
        let group_of: Vec<_> = self.venue.zones.iter().map(|z| z.group).collect();
        hide_partners(k, &mut zones, &group_of, &mut groups);
        let place_shown = |(row, (place, _)): (usize, &(Place, Covered<Occupancy>))| {
            venue_shown
                && match place {
                    Place::Venue => self.nested.is_safe(k, step, from, row),
                    Place::Group(group) => groups[usize::from(*group)].shown,
                    Place::Zone(zone) => zones[usize::from(*zone)].shown,
                }
        };
        window.rows.iter().enumerate().map(place_shown).collect()
    }

    fn visits(&self, window: &ZoneWindow<Traffic>) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (place, covered) in &window.rows {
            for (metric, value) in traffic::judge(&covered.row, self.k()) {
                let label = self.label(metric, *place, window.step, window.window, covered.coverage, None);
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
        made: Option<Made>,
    ) -> Label {
        let of_crowd = metric.is_of_the_crowd();
        let scope = match place {
            Place::Venue => Scope::Venue,
            Place::Group(group) => Scope::Group(self.venue.groups[usize::from(group)].clone()),
            Place::Zone(zone) => Scope::Zone(self.venue.zones[usize::from(zone)].id.clone()),
        };
        let coverage_permille = (coverage.clamp(0.0, 1.0) * 1000.0).floor() as u16;
        // A window that this run did not hear from its start, and an earlier run may have heard some of.
        let began_inside = self.began.is_some_and(|began| window.from < began)
            && self.earlier.is_some_and(|end| end.plus_secs(RUN_ON_SECS) > window.from);
        Label {
            venue: self.venue.id.clone(),
            scope,
            metric,
            step,
            window,
            flags: Flags {
                incomplete: coverage_permille < 1000,
                uncalibrated: of_crowd && !made.is_some_and(|made| made.calibrated),
                rekeyed: began_inside,
                replay: self.is_replay(),
            },
            coverage_permille,
            thresholds: self.thresholds,
            calibration: made.map_or(0, |made| made.calibration),
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
