//! The judge: what closed comes in once, and leaves as figures or as nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::footfall::{Footfall, Visited};
use super::halves::{Half, Halves, Heard, Said, Told};
use super::tables::Tables;
use super::traffic::{Rules, Visits};
use super::usual::Usual;
use super::{Banded, Figure, Flags, Label, Live, Metric, Scope, SensorLive, Shown};
use passant_wire::Id;

use crate::aggregate::{
    CROWD_LATENESS_SECS, Closed, Covered, Newest, Occupancy, Place, Traffic, VISIT_LATENESS_SECS, ZoneWindow,
};
use crate::clock::{EpochMs, Step, Window};
use crate::config::{ClockKind, Venue};

/// Counts that could be told apart by one are rounded to multiples of this.
pub(super) const GRAIN: u32 = 5;

/// A run may have heard this much more than the end of its newest figure, seconds: five minutes and their lateness.
const RUN_ON_SECS: i64 = 300 + CROWD_LATENESS_SECS;

/// Changes of a key inside a day that are remembered: a day has one at most, and two days are open at once.
const REKEYED_MAX: usize = 4;

/// The calibration that figures are made under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Made {
    /// Its version.
    pub calibration: u32,
    /// Whether a head count stands behind it.
    pub calibrated: bool,
}

/// Judges the windows of one venue.
pub struct Judge {
    pub(super) venue: Arc<Venue>,
    thresholds: u32,
    /// When this run began to hear, and the end of the newest figure of an earlier run.
    pub(super) began: Option<EpochMs>,
    pub(super) earlier: Option<EpochMs>,
    /// Until when an earlier run may have heard under a key that this one does not have.
    pub(super) heard_until: Option<EpochMs>,
    /// When a day was given another key, newest last.
    pub(super) rekeyed: VecDeque<EpochMs>,
    /// By zone: the group it is in.
    group_of: Vec<Option<usize>>,
    /// By step: whether the venue's occupancy is shown.
    pub(super) shown: BTreeMap<Step, bool>,
    /// The newest half-minute, while it is now, and the end of the newest that was judged at all. Boxed, for where there
    /// is none an unboxed one keeps room for whatever lay on the stack when it went.
    pub(super) half: Option<Box<Half>>,
    pub(super) heard_up_to: EpochMs,
    pub(super) halves: Halves,
    pub(super) visits: BTreeMap<Place, Visits>,
    pub(super) tables: Tables,
    pub(super) footfall: Footfall,
    /// What earlier runs published, and this one: it is handed down again at the next start.
    usual: Usual,
    /// The share of devices that came past the gate, neither objected nor dropped by chance.
    pub(super) passed: f64,
}

impl Judge {
    /// A judge for a venue. `thresholds` is the version of its thresholds; `earlier` the end of the newest figure that
    /// an earlier run published.
    #[must_use]
    pub fn new(venue: Arc<Venue>, thresholds: u32, earlier: Option<EpochMs>) -> Self {
        Self {
            group_of: venue.zones.iter().map(|z| z.group).collect(),
            venue,
            thresholds,
            began: None,
            earlier,
            heard_until: None,
            rekeyed: VecDeque::new(),
            shown: BTreeMap::new(),
            half: None,
            heard_up_to: EpochMs(i64::MIN),
            halves: Halves::default(),
            visits: BTreeMap::new(),
            tables: Tables::default(),
            footfall: Footfall::default(),
            usual: Usual::default(),
            passed: 1.0,
        }
    }

    /// The share of devices that the gate drops by chance, 0 to 1: what is told of visits is divided by the rest. What
    /// may be told is judged by what was heard, so no correction lifts a count to k.
    pub fn set_chance_share(&mut self, share: f64) {
        self.passed = 1.0 - share;
    }

    /// Takes which share of people was published of days before, by the days' starts, in percent.
    pub fn usual(&mut self, stable_shares: impl IntoIterator<Item = (EpochMs, u32)>) {
        stable_shares.into_iter().for_each(|(day, share)| self.usual.take(day, share));
    }

    /// An earlier run may have heard until then, under a key that is lost: what it published tells only how far it came.
    pub fn heard_before(&mut self, until: Option<EpochMs>) {
        self.heard_until = until;
    }

    /// A day was given another key: whoever is heard on both sides of this moment is two.
    pub fn rekeyed(&mut self, at: EpochMs) {
        if self.rekeyed.len() == REKEYED_MAX {
            self.rekeyed.pop_front();
        }
        self.rekeyed.push_back(at);
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

    /// Judges a half-minute. Each must come before the windows it lies in close, in order of time; one that has been
    /// judged stays as it is.
    pub fn hear(&mut self, newest: &Newest) {
        if self.heard_up_to >= newest.end {
            return;
        }
        self.heard_up_to = newest.end;
        let (k, groups) = (self.k(), self.venue.groups.len());
        let half = Half::judge(k, &self.group_of, groups, newest, self.half.as_deref());
        self.halves.take(k, &self.venue.calendar, &half);
        self.half = Some(Box::new(half));
    }

    /// Looks at the newest half-minute, `None` where none is new enough to be now. Returns whether the venue is quiet:
    /// its people are not shown, and nothing may move with whoever is there. A replay watches nobody.
    pub fn see(&mut self, newest: Option<&Newest>) -> bool {
        match newest {
            Some(newest) => self.hear(newest),
            None => self.half = None,
        }
        !self.half.as_ref().is_some_and(|half| half.shown) && !self.is_replay()
    }

    /// Tells the newest half-minute; `None` where none is new enough to be now.
    #[must_use]
    pub fn live(
        &mut self,
        at: EpochMs,
        newest: Option<&Newest>,
        made: Made,
        sensors: Vec<SensorLive>,
    ) -> Live {
        let is_quiet = self.see(newest);
        let shown = self.half.as_ref().is_some_and(|half| half.shown);
        let row = |row: usize| self.half.as_ref().map_or(&Heard::NoData, |half| &half.rows[row]);
        // While nothing may move, whether there is data is told by the sensors' statuses.
        let quiet = |beats: bool| if self.half.is_some() && beats { Shown::HeldBack } else { Shown::NoData };
        let zone = |(number, id): (usize, &Id)| match row(1 + self.venue.groups.len() + number) {
            _ if is_quiet => quiet(sensors.iter().any(|sensor| sensor.alive && sensor.zone == *id)),
            Heard::NoData => Shown::NoData,
            Heard::Told(said) => Shown::People(said.banded()),
            Heard::Hidden if shown => Shown::UnderK,
            Heard::Hidden => Shown::HeldBack,
        };
        let occupancy = match row(0) {
            _ if is_quiet => quiet(sensors.iter().any(|sensor| sensor.alive)),
            Heard::NoData => Shown::NoData,
            Heard::Told(said) => Shown::People(coarse(said.banded())),
            Heard::Hidden => Shown::HeldBack,
        };
        let ids = self.venue.zones.iter().map(|zone| &zone.id).enumerate();
        Live {
            venue: self.venue.id.clone(),
            at,
            occupancy,
            zones: ids.map(|(number, id)| (id.clone(), zone((number, id)))).collect(),
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
        let told = self.halves.close(self.k(), window.step, window.window.from, window.rows.len());
        let before = self.shown.get(&window.step).copied().unwrap_or(false);
        let enough = if before { self.k() } else { 2 * self.k() };
        let of_venue = told.first().and_then(|venue| venue.mean);
        let shown = of_venue.is_some_and(|mean| whole(mean.least) >= enough);
        self.shown.insert(window.step, shown);
        let mut figures = Vec::with_capacity(window.rows.len() * 2);
        for ((place, covered), told) in window.rows.iter().zip(told) {
            let Told { mean, peak, is_whole } = told;
            // A zone's five minutes are told whole or not at all, so that they are what the crowd lens says; which of their
            // half-minutes were hidden live has told. A peak is of a half-minute in which the venue was shown.
            let is_of_zone = matches!(place, Place::Zone(_)) && window.step == Step::FiveMinutes;
            let mean = mean.filter(|_| shown && (is_whole || !is_of_zone));
            // A venue's number is coarse, a zone's or group's is whole.
            let number = |said: Said| match place {
                Place::Venue => coarse(said.banded()),
                Place::Group(_) | Place::Zone(_) => said.banded(),
            };
            // What was heard over all half-minutes would tell of those that were hidden.
            let root_mean =
                covered.row.root_mean.filter(|_| is_of_zone && is_whole).map(|v| (v * 100.0).round() as u32);
            let level = covered.row.mean;
            let made = level.map(|of| Made { calibration: of.calibration, calibrated: of.calibrated });
            let coverage = self.covered(window.step, covered);
            let label = |metric| self.label(metric, *place, window.step, window.window, coverage, made);
            let mean = mean.map(number);
            figures.push(Figure::judged(label(Metric::Occupancy), mean, root_mean));
            figures.push(Figure::judged(label(Metric::OccupancyPeak), peak.map(number), None));
            if *place == Place::Venue {
                self.footfall.take(window.step, window.window, mean, made);
            }
        }
        figures
    }

    fn visits(&mut self, window: &ZoneWindow<Traffic>) -> Vec<Figure> {
        let mut figures = Vec::new();
        let minutes = |secs: u32| u16::try_from(secs / 60).unwrap_or(u16::MAX);
        let thresholds = &self.venue.thresholds;
        let rules = Rules {
            k: thresholds.k,
            visitor_minutes: minutes(thresholds.visitor_secs),
            stay_minutes: minutes(thresholds.engaged_secs),
        };
        let mut of_venue = 0.0;
        for (place, covered) in &window.rows {
            // The venue's row is the first.
            let visitors_max = (*place != Place::Venue).then_some(of_venue);
            let visits = self.visits.entry(*place).or_default();
            let told = visits.judge(rules, window.step, window.window, &covered.row, visitors_max);
            if *place == Place::Venue {
                of_venue = told.visitors.unwrap_or(0.0);
            }
            let coverage = self.covered(window.step, covered);
            for (metric, value) in told.figures(self.passed) {
                let label = self.label(metric, *place, window.step, window.window, coverage, None);
                figures.push(Figure::judged(label, value, None));
            }
            if *place == Place::Venue {
                let visited = told.visited(self.passed);
                let infrastructure = told.infrastructure(rules.k, &covered.row, self.passed);
                figures.extend(self.of_venue(window.step, window.window, coverage, visited, infrastructure));
            }
        }
        figures
    }

    /// What only a venue has.
    fn of_venue(
        &mut self,
        step: Step,
        window: Window,
        coverage: f64,
        visited: Visited,
        infrastructure: Option<Banded>,
    ) -> Vec<Figure> {
        let told = self.footfall.judge(&self.venue, &self.usual, step, window, visited);
        let made = told.made;
        let mut values = told.figures().to_vec();
        if step == Step::Day {
            let share = values.iter().find(|(metric, _)| *metric == Metric::StableShare);
            if let Some((_, Some(share))) = share {
                self.usual.take(window.from, share.value);
            }
            values.push((Metric::Infrastructure, infrastructure));
        }
        let figure = |(metric, value)| {
            let label = self.label(metric, Place::Venue, step, window, coverage, made);
            Figure::judged(label, value, None)
        };
        values.into_iter().map(figure).collect()
    }

    pub(super) fn label(
        &self,
        metric: Metric,
        place: Place,
        step: Step,
        window: Window,
        coverage: f64,
        made: Option<Made>,
    ) -> Label {
        let made = made.filter(|_| metric.counts_people());
        let scope = match place {
            Place::Venue => Scope::Venue,
            Place::Group(group) => Scope::Group(self.venue.groups[usize::from(group)].clone()),
            Place::Zone(zone) => Scope::Zone(self.venue.zones[usize::from(zone)].id.clone()),
        };
        let coverage_permille = (coverage.clamp(0.0, 1.0) * 1000.0).floor() as u16;
        let within = |at: &EpochMs| window.from < *at && *at < window.to;
        let rekeyed = self.began_inside(window) || self.rekeyed.iter().any(within);
        Label {
            venue: self.venue.id.clone(),
            scope,
            metric,
            step,
            window,
            flags: Flags {
                incomplete: coverage_permille < 1000,
                uncalibrated: metric.counts_people() && !made.is_some_and(|made| made.calibrated),
                rekeyed,
                replay: self.is_replay(),
            },
            coverage_permille,
            thresholds: self.thresholds,
            calibration: made.map_or(0, |made| made.calibration),
        }
    }

    /// A window that this run did not hear from its start, and an earlier run may have heard some of.
    fn began_inside(&self, window: Window) -> bool {
        self.began.is_some_and(|began| window.from < began)
            && (self.heard_until.is_some_and(|until| until > window.from)
                || self.earlier.is_some_and(|end| end.plus_secs(RUN_ON_SECS) > window.from))
    }

    /// What is said to have been covered: while the venue is not shown, by the sensors' statuses alone.
    pub(super) fn covered<Row>(&self, step: Step, covered: &Covered<Row>) -> f64 {
        let shown = self.shown.get(&step).copied().unwrap_or(false);
        if shown || self.is_replay() { covered.coverage } else { covered.beating }
    }

    fn is_replay(&self) -> bool {
        self.venue.clock == ClockKind::Sightings
    }

    pub(super) fn k(&self) -> u32 {
        self.venue.thresholds.k
    }
}

/// Rounded to the grain, its band outward.
fn coarse(Banded { value, low, high }: Banded) -> Banded {
    Banded { value: to_grain(f64::from(value)), low: low / GRAIN * GRAIN, high: high.div_ceil(GRAIN) * GRAIN }
}

pub(super) fn to_grain(value: f64) -> u32 {
    whole(value / f64::from(GRAIN)) * GRAIN
}

/// In whole people.
pub(super) fn whole(value: f64) -> u32 {
    value.round().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests;
