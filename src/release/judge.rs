//! The judge: what closed comes in once, and leaves as figures or as nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::bookings::Bookings;
use super::columns::{Candidate, Columns, Judged, Sum, Told};
use super::partners::{Part, hide_partners};
use super::traffic::Counts;
use super::{Banded, Figure, Flags, Label, Live, Metric, Scope, SensorLive, Shown, traffic};
use passant_wire::Id;

use crate::aggregate::{
    CROWD_LATENESS_SECS, Closed, Covered, Level, Newest, Occupancy, Place, Traffic, VISIT_LATENESS_SECS,
    ZoneWindow,
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
    pub(super) began: Option<EpochMs>,
    pub(super) earlier: Option<EpochMs>,
    /// Until when an earlier run may have heard under a key that this one does not have.
    pub(super) heard_until: Option<EpochMs>,
    /// When a day was given another key, newest last.
    pub(super) rekeyed: VecDeque<EpochMs>,
    /// By step: whether the venue's occupancy is shown.
    pub(super) shown: BTreeMap<Step, bool>,
    pub(super) columns: Columns,
    /// By row: what live told of the five-minute windows that have not been judged yet.
    pub(super) told: BTreeMap<EpochMs, Vec<Told>>,
    /// The end of the newest half-minute that live has told.
    pub(super) told_up_to: EpochMs,
    pub(super) bookings: BTreeMap<Place, Bookings>,
    pub(super) live_shown: bool,
    /// The share of devices that came past the gate, neither objected nor dropped by chance.
    passed: f64,
}

impl Judge {
    /// A judge for a venue. `thresholds` is the version of its thresholds; `earlier` the end of the newest figure that
    /// an earlier run published.
    #[must_use]
    pub fn new(venue: Arc<Venue>, thresholds: u32, earlier: Option<EpochMs>) -> Self {
        let columns = Columns::new(venue.zones.iter().map(|z| z.group).collect(), venue.groups.len());
        Self {
            venue,
            thresholds,
            began: None,
            earlier,
            heard_until: None,
            rekeyed: VecDeque::new(),
            shown: BTreeMap::new(),
            columns,
            told: BTreeMap::new(),
            told_up_to: EpochMs(i64::MIN),
            bookings: BTreeMap::new(),
            live_shown: false,
            passed: 1.0,
        }
    }

    /// The share of devices that the gate drops by chance, 0 to 1: what is told of visits is divided by the rest. What
    /// may be told is judged by what was heard, so no correction lifts a count to k.
    pub fn set_chance_share(&mut self, share: f64) {
        self.passed = 1.0 - share;
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

    /// Looks at the newest half-minute, `None` where none is new enough to be now. Returns whether the venue is quiet:
    /// its people are not shown, and nothing may move with whoever is there. A replay watches nobody.
    pub fn see(&mut self, newest: Option<&Newest>) -> bool {
        self.live_shown = self.is_shown(self.live_shown, newest.and_then(|newest| newest.venue));
        !self.live_shown && !self.is_replay()
    }

    /// Judges the newest half-minute; `None` where none is new enough to be now.
    #[must_use]
    pub fn live(
        &mut self,
        at: EpochMs,
        newest: Option<&Newest>,
        made: Made,
        sensors: Vec<SensorLive>,
    ) -> Live {
        let venue = newest.and_then(|newest| newest.venue);
        let nothing = vec![None; self.venue.zones.len()];
        let zones = newest.map_or(&nothing, |newest| &newest.zones);
        let is_quiet = self.see(newest);
        let parts = self.live_parts(zones);
        if let Some(newest) = newest {
            self.tell(newest, &parts);
        }
        // Of hidden zones it is said that they are under k only if that leaves each the chance to be empty.
        let hidden = zones.iter().zip(&parts).filter(|(level, part)| level.is_some() && !part.shown);
        let (count, people) = hidden.fold((0u32, 0), |(n, sum), (_, part)| (n + 1, sum + part.people));
        let may_say_under_k = people <= count.saturating_sub(1) * (self.k() - 1);
        // While nothing may move, whether there is data is told by the sensors' statuses.
        let beats = |id: &Id| sensors.iter().any(|sensor| sensor.alive && sensor.zone == *id);
        let zone = |(id, (level, part)): (&Id, (&Option<Level>, &Part))| match level {
            _ if is_quiet && newest.is_some() && beats(id) => Shown::HeldBack,
            _ if is_quiet => Shown::NoData,
            None => Shown::NoData,
            Some(_) if !self.live_shown => Shown::HeldBack,
            Some(level) if part.shown => Shown::People(banded(level)),
            Some(_) if part.people < self.k() && may_say_under_k => Shown::UnderK,
            Some(_) => Shown::HeldBack,
        };
        let occupancy = match venue {
            _ if is_quiet && newest.is_some() && sensors.iter().any(|sensor| sensor.alive) => Shown::HeldBack,
            _ if is_quiet => Shown::NoData,
            None => Shown::NoData,
            Some(level) if self.live_shown => Shown::People(coarse(&level)),
            Some(_) => Shown::HeldBack,
        };
        let ids: Vec<Id> = self.venue.zones.iter().map(|z| z.id.clone()).collect();
        let shown: Vec<Shown> = ids.iter().zip(zones.iter().zip(&parts)).map(zone).collect();
        Live {
            venue: self.venue.id.clone(),
            at,
            occupancy,
            zones: ids.into_iter().zip(shown).collect(),
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
        let shown = match window.step {
            Step::FiveMinutes => self.shown(window),
            _ => self.shown_of_longer(window),
        };
        let mut figures = Vec::with_capacity(window.rows.len() * 2);
        for ((place, covered), shown) in window.rows.iter().zip(shown) {
            let told = |level: Option<Level>| level.filter(|_| shown).map(|l| told(*place, &l));
            let of_zone = matches!(place, Place::Zone(_)) && window.step == Step::FiveMinutes;
            let root_mean = covered.row.root_mean.filter(|_| of_zone).map(|v| (v * 100.0).round() as u32);
            let made = covered
                .row
                .mean
                .map(|level| Made { calibration: level.calibration, calibrated: level.calibrated });
            let label = |metric| {
                self.label(
                    metric,
                    *place,
                    window.step,
                    window.window,
                    self.covered(window.step, covered),
                    made,
                )
            };
            let mean = told(covered.row.mean);
            // The peak is never below the mean, so it is over k wherever the mean is.
            let peak = mean.and(told(covered.row.peak));
            figures.push(Figure::judged(label(Metric::Occupancy), mean, root_mean));
            figures.push(Figure::judged(label(Metric::OccupancyPeak), peak, None));
        }
        figures
    }

    /// Which rows of a five-minute window may be shown.
    fn shown(&mut self, window: &ZoneWindow<Occupancy>) -> Vec<bool> {
        let (from, k) = (window.window.from, self.k());
        let told = self.told.remove(&from).unwrap_or_default();
        self.told = self.told.split_off(&from);
        let venue_shown = self.venue_is_shown(window);
        let (sum, told) = (
            |row: usize| window.rows.get(row).map(|(_, covered)| sum_of(&covered.row)).unwrap_or_default(),
            |row: usize| told.get(row).copied().unwrap_or_default(),
        );
        let (groups, zones) = (self.venue.groups.len(), self.venue.zones.len());
        // What an earlier run told live of a window that this one ends, nobody remembers.
        let forgot = self.began_inside(window.window);
        let part = |row: usize| {
            let people = people(window, row);
            let remembered = !forgot || row <= groups || told(row).halves() == sum(row).halves;
            let safe = remembered && sum(row).is_safe_beside(k, told(row));
            let known = sum(row).halves == 0 || sum(row).is_known(told(row));
            Part { people, shown: people >= k && safe, known }
        };
        let mut group_parts: Vec<Part> = (1..=groups).map(part).collect();
        let mut zone_parts: Vec<Part> = (1 + groups..=groups + zones).map(part).collect();
        let group_of: Vec<_> = self.venue.zones.iter().map(|z| z.group).collect();
        // What live hid together must not be cut by a group.
        for (zone, group) in group_of.iter().enumerate() {
            if let Some(group) = group.filter(|_| told(1 + groups + zone).is_tied()) {
                group_parts[group].shown = false;
            }
        }
        hide_partners(k, &mut zone_parts, &group_of, &mut group_parts);
        let venue = venue_shown && sum(0).is_safe_beside(k, told(0));
        let parts = group_parts.iter().chain(&zone_parts).map(|part| venue_shown && part.shown);
        let shown: Vec<bool> = std::iter::once(venue).chain(parts).take(window.rows.len()).collect();
        let judged = shown.iter().enumerate().map(|(row, shown)| Judged {
            sum: sum(row),
            told: told(row),
            shown: *shown,
            peak: window.rows[row].1.row.peak.map(|level| whole(level.people)),
        });
        self.columns.judged(from, &judged.collect::<Vec<_>>());
        shown
    }

    /// Which rows of a longer window may be shown beside the five-minute windows in it.
    fn shown_of_longer(&mut self, window: &ZoneWindow<Occupancy>) -> Vec<bool> {
        let venue_shown = self.venue_is_shown(window);
        let candidate = |(row, (place, covered)): (usize, &(Place, Covered<Occupancy>))| {
            let mean = covered.row.mean.filter(|mean| venue_shown && whole(mean.people) >= self.k())?;
            let half_grain = if *place == Place::Venue { f64::from(GRAIN) / 2.0 } else { 0.5 };
            let value = f64::from(told(*place, &mean).value);
            let peak = covered.row.peak.map(|level| whole(level.people));
            Some(Candidate { row, sum: sum_of(&covered.row), value, peak, half_grain })
        };
        let mut candidates: Vec<Candidate> = window.rows.iter().enumerate().filter_map(candidate).collect();
        // The venue first, then the largest.
        candidates.sort_by(|a, b| {
            (a.row != 0).cmp(&(b.row != 0)).then(b.value.total_cmp(&a.value)).then(a.row.cmp(&b.row))
        });
        let admitted = self.columns.admit(self.venue.thresholds.k, window.window, &candidates);
        self.columns.end(window.step, window.window, &self.venue.calendar);
        (0..window.rows.len()).map(|row| admitted.contains(&row)).collect()
    }

    /// Whether the venue's rule shows anything at all of a window.
    fn venue_is_shown(&mut self, window: &ZoneWindow<Occupancy>) -> bool {
        let of_venue = window.rows.first().and_then(|(_, covered)| covered.row.mean);
        let before = self.shown.get(&window.step).copied().unwrap_or(false);
        let shown = self.is_shown(before, of_venue);
        self.shown.insert(window.step, shown);
        shown
    }

    /// The zones of a half-minute, hidden so that none can be subtracted from the venue. Groups are not told live.
    fn live_parts(&self, zones: &[Option<Level>]) -> Vec<Part> {
        let mut parts: Vec<Part> = zones.iter().map(|level| self.part(*level)).collect();
        hide_partners(self.k(), &mut parts, &vec![None; zones.len()], &mut []);
        parts
    }

    /// Takes note of what live tells of a half-minute.
    fn tell(&mut self, newest: &Newest, parts: &[Part]) {
        let Newest { end, venue, zones } = newest;
        let Some(of_venue) = venue else { return };
        if self.told_up_to >= *end {
            return;
        }
        self.told_up_to = *end;
        let from = self.venue.calendar.window_of(EpochMs(end.0 - 1), Step::FiveMinutes).from;
        let groups = self.venue.groups.len();
        let rows = self.told.entry(from).or_insert_with(|| vec![Told::default(); 1 + groups + zones.len()]);
        rows[0].half(of_venue.people, self.live_shown, false);
        for (row, (level, part)) in rows.iter_mut().skip(1 + groups).zip(zones.iter().zip(parts)) {
            if let Some(level) = level {
                row.half(level.people, self.live_shown && part.shown, self.live_shown);
            }
        }
    }

    fn visits(&mut self, window: &ZoneWindow<Traffic>) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (place, covered) in &window.rows {
            // A group is not counted by this lens.
            let counts = Counts::of(&covered.row, matches!(place, Place::Zone(_)), self.passed);
            let (k, calendar) = (self.k(), self.venue.calendar);
            let bookings = self.bookings.entry(*place).or_default();
            let shown = bookings.judge(k, &calendar, window.step, window.window, counts);
            for (metric, value) in traffic::judge(&covered.row, &shown, k, self.passed) {
                let label = self.label(
                    metric,
                    *place,
                    window.step,
                    window.window,
                    self.covered(window.step, covered),
                    None,
                );
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

    fn part(&self, level: Option<Level>) -> Part {
        let people = level.map_or(0, |level| whole(level.people));
        Part { people, shown: people >= self.k(), known: level.is_none() }
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
                uncalibrated: of_crowd && !made.is_some_and(|made| made.calibrated),
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
    fn covered<Row>(&self, step: Step, covered: &Covered<Row>) -> f64 {
        let shown = self.shown.get(&step).copied().unwrap_or(false);
        if shown || self.is_replay() { covered.coverage } else { covered.beating }
    }

    fn is_replay(&self) -> bool {
        self.venue.clock == ClockKind::Sightings
    }

    fn k(&self) -> u32 {
        self.venue.thresholds.k
    }
}

fn people(window: &ZoneWindow<Occupancy>, row: usize) -> u32 {
    let mean = window.rows.get(row).and_then(|(_, covered)| covered.row.mean);
    mean.map_or(0, |level| whole(level.people))
}

/// What half-minutes add up to.
fn sum_of(row: &Occupancy) -> Sum {
    let people = row.mean.map_or(0.0, |mean| mean.people * f64::from(row.halves));
    Sum { people, halves: row.halves }
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
