#![doc = include_str!("README.md")]

mod crowd_cell;
mod moves;
mod seal;
mod visit_cell;

use std::collections::BTreeMap;

use crowd_cell::CrowdCell;
pub use crowd_cell::{Level, Occupancy};
use moves::MoveCell;
pub use moves::{Bands, DRAWN_OF, Drawn, Moves, PAIRS_MAX, Side};
use visit_cell::VisitCell;
pub use visit_cell::{Dwell, Traffic};

use crate::clock::{EpochMs, HALF_MS, Step, Window};
use crate::config::Venue;
use crate::crowd::Beat;
use crate::visit::{DayOver, Place as VisitPlace, VisitEvent};

/// The lateness: an occupancy window closes this long after its end, seconds.
pub const CROWD_LATENESS_SECS: i64 = passant_wire::LIFE_SECS as i64;
/// A window of visits closes this long after its end, seconds: the silence that ends a visit, and the lateness.
pub const VISIT_LATENESS_SECS: i64 = crate::visit::SILENCE_MS / 1000 + CROWD_LATENESS_SECS;

/// Where a row is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Place {
    /// The whole venue.
    Venue,
    /// The group at a place in the venue's list.
    Group(u16),
    /// The zone at a place in the venue's list.
    Zone(u16),
}

/// A closed window: one row a place.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneWindow<Row> {
    /// The length of the window.
    pub step: Step,
    /// The window.
    pub window: Window,
    /// Every place of the venue that has this step, the venue first, then groups, then zones.
    pub rows: Vec<(Place, Covered<Row>)>,
}

/// A row with how much of its window it saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Covered<Row> {
    /// The share of the window's open half-minutes in which the sensors were alive, 0 to 1.
    pub coverage: f64,
    /// The same by the sensors' statuses alone, which come whether anybody is there or not.
    pub beating: f64,
    /// The row.
    pub row: Row,
}

/// A closed window of either lens.
#[derive(Clone, Debug, PartialEq)]
pub enum Closed {
    /// Of the crowd lens.
    Crowd(ZoneWindow<Occupancy>),
    /// Of the visit lens.
    Visits(ZoneWindow<Traffic>),
}

/// The open windows of one venue.
pub struct Aggregate {
    crowd: BTreeMap<(Step, EpochMs), Open<CrowdCell>>,
    visits: BTreeMap<(Step, EpochMs), Open<VisitCell>>,
    moves: BTreeMap<(Step, EpochMs), Open<MoveCell>>,
    group_of: Vec<Option<u16>>,
    groups: usize,
    /// By zone: whether it has a sensor at all; one without has no figures and takes nothing from the others'.
    has_sensor: Vec<bool>,
    newest: Option<Newest>,
    closed_up_to: EpochMs,
}

/// What the venue and its zones hold in a half-minute; `None` where nobody could be heard.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Newest {
    /// The first moment after the half-minute.
    pub end: EpochMs,
    /// The whole venue.
    pub venue: Option<Level>,
    /// By zone.
    pub zones: Vec<Option<Level>>,
}

/// The zones of the venue, as sums over them need them.
struct Zones<'a> {
    group_of: &'a [Option<u16>],
    has_sensor: &'a [bool],
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Open<Cell> {
    window: Window,
    /// The venue, then groups, then zones.
    cells: Vec<Cell>,
    /// By zone: the summed share of sensors alive, over the half-minutes seen.
    alive: Vec<f64>,
    beating: Vec<f64>,
    /// Half-minutes seen, and open ones that passed before the first was.
    halves: u32,
    missed: u32,
}

impl Aggregate {
    /// No window is open yet.
    #[must_use]
    pub fn new(venue: &Venue) -> Self {
        Self {
            crowd: BTreeMap::new(),
            visits: BTreeMap::new(),
            moves: BTreeMap::new(),
            group_of: venue.zones.iter().map(|z| z.group.map(|g| g as u16)).collect(),
            groups: venue.groups.len(),
            newest: None,
            has_sensor: (0..venue.zones.len())
                .map(|zone| venue.sensors.iter().any(|s| s.zone == zone))
                .collect(),
            closed_up_to: EpochMs(i64::MIN),
        }
    }

    /// Opens the windows that an earlier run had begun and cannot close any more: those that ended so shortly before
    /// `began` that they were still open. Nothing covers them, so that they close as no data, and not as silence.
    pub fn resume(&mut self, began: EpochMs, venue: &Venue) {
        let cells = 1 + self.groups;
        for step in Step::ALL {
            for window in ended(venue, step, began, CROWD_LATENESS_SECS) {
                open_window(&mut self.crowd, venue, step, window.to, window.from, cells);
            }
            if step != Step::FiveMinutes {
                for window in ended(venue, step, began, VISIT_LATENESS_SECS) {
                    open_window(&mut self.visits, venue, step, window.to, window.from, cells);
                    if has_tables(step) {
                        open_window(&mut self.moves, venue, step, window.to, window.from, cells);
                    }
                }
            }
        }
    }

    /// The newest half-minute, if there was any in open hours.
    #[must_use]
    pub fn newest(&self) -> Option<&Newest> {
        self.newest.as_ref()
    }

    /// Takes the beats of one or more half-minutes, zone by zone, in order of time, and gives what each holds.
    pub fn beats(&mut self, beats: &[Beat], venue: &Venue) -> Vec<Newest> {
        let mut halves = Vec::new();
        for half in beats.chunk_by(|a, b| a.at == b.at) {
            let at = half[0].at;
            let sums = self.sums(half);
            let end = EpochMs(at.0 + HALF_MS);
            let newest = Newest { end, venue: sums[0], zones: sums[1 + self.groups..].to_vec() };
            self.newest = Some(newest.clone());
            halves.push(newest);
            for step in Step::ALL {
                let open = open_window(&mut self.crowd, venue, step, at, at, 1 + self.groups);
                open.see(half);
                for (cell, level) in open.cells.iter_mut().zip(&sums) {
                    cell.take(*level);
                }
                if step != Step::FiveMinutes {
                    open_window(&mut self.visits, venue, step, at, at, 1 + self.groups).see(half);
                }
                if has_tables(step) {
                    open_window(&mut self.moves, venue, step, at, at, 1 + self.groups).see(half);
                }
            }
        }
        halves
    }

    /// Takes visit events.
    pub fn visits(&mut self, events: &[VisitEvent], venue: &Venue) {
        for event in events {
            for step in [Step::QuarterHour, Step::Hour, Step::Day] {
                match *event {
                    VisitEvent::Ended { place, who, last, kind, dwell_minutes, .. } => {
                        if let Some(cell) = self.visit_cell(place, step, last, venue) {
                            cell.ended(kind, dwell_minutes);
                        }
                        if let Some(cell) = self.move_cell(place, step, last, venue) {
                            cell.ended(who, kind, dwell_minutes, zone_of(place));
                        }
                    }
                    VisitEvent::Went { who, last, ref route } => {
                        if let Some(cell) = self.move_cell(VisitPlace::Venue, step, last, venue) {
                            cell.went(who, route, step == Step::Day);
                        }
                    }
                    VisitEvent::Present { place, who, from, to } => {
                        let mut at = from;
                        // A stretch of presence is shorter than the silence that ends a visit, so it meets few windows.
                        while at <= to {
                            if let Some(cell) = self.visit_cell(place, step, at, venue) {
                                cell.present(who);
                            }
                            at = venue.calendar.window_of(at, step).to;
                        }
                    }
                }
            }
        }
    }

    /// Closes the tables of every window whose time has come, as [`Self::close`] closes the counts. It must be asked with
    /// the same times.
    pub fn close_moves(&mut self, now: EpochMs) -> Vec<ZoneWindow<Moves>> {
        let groups = self.groups;
        let zones = Zones { group_of: &self.group_of, has_sensor: &self.has_sensor };
        let is_over = |open: &Window| open.to.plus_secs(VISIT_LATENESS_SECS) <= now;
        let closed = self.moves.extract_if(.., |_, open| is_over(&open.window));
        let has_row = |place| !matches!(place, Place::Group(_));
        closed.map(|((step, _), open)| open.finish(step, groups, &zones, has_row, MoveCell::finish)).collect()
    }

    /// Takes how many devices of a venue day were no visitor's. A day in which the venue never opened has no window, and
    /// no figure.
    pub fn infrastructure(&mut self, of: DayOver) {
        let open = self.visits.get_mut(&(Step::Day, of.day));
        if let Some(cell) = open.and_then(|open| open.cells.first_mut()) {
            cell.infrastructure(of.infrastructure);
        }
    }

    /// Closes every window whose time has come by the venue's clock, in order of step and time.
    pub fn close(&mut self, now: EpochMs) -> Vec<Closed> {
        let groups = self.groups;
        let zones = Zones { group_of: &self.group_of, has_sensor: &self.has_sensor };
        self.closed_up_to = self.closed_up_to.max(now.plus_secs(-VISIT_LATENESS_SECS));
        let over = |open: &Window, lateness_secs| open.to.plus_secs(lateness_secs) <= now;
        let mut closed = Vec::new();
        for ((step, _), open) in self.crowd.extract_if(.., |_, open| over(&open.window, CROWD_LATENESS_SECS))
        {
            closed.push(Closed::Crowd(open.finish(step, groups, &zones, |_| true, CrowdCell::finish)));
        }
        for ((step, _), open) in self.visits.extract_if(.., |_, open| over(&open.window, VISIT_LATENESS_SECS))
        {
            let has_step = |place| match place {
                Place::Venue => true,
                Place::Group(_) => false,
                Place::Zone(_) => step != Step::QuarterHour,
            };
            closed.push(Closed::Visits(open.finish(step, groups, &zones, has_step, VisitCell::finish)));
        }
        closed
    }

    /// What the venue, each group and each zone hold in a half-minute; `None` where no zone has data.
    fn sums(&self, half: &[Beat]) -> Vec<Option<Level>> {
        let mut sums = vec![None; 1 + self.groups + self.group_of.len()];
        for beat in half {
            let Some(estimate) = beat.estimate else { continue };
            let level = Level::of(&estimate);
            let zone = usize::from(beat.zone);
            let group = self.group_of[zone].map(|group| 1 + usize::from(group));
            for place in [Some(0), group, Some(1 + self.groups + zone)].into_iter().flatten() {
                sums[place] = Some(sums[place].map_or(level, |sum: Level| sum.plus(level)));
            }
        }
        sums
    }

    fn visit_cell(
        &mut self,
        place: VisitPlace,
        step: Step,
        at: EpochMs,
        venue: &Venue,
    ) -> Option<&mut VisitCell> {
        if step == Step::QuarterHour && place != VisitPlace::Venue {
            return None;
        }
        let cell = self.cell_of(place);
        open_cell(&mut self.visits, venue, step, at, (1 + self.groups, self.closed_up_to)).get_mut(cell)
    }

    fn move_cell(
        &mut self,
        place: VisitPlace,
        step: Step,
        at: EpochMs,
        venue: &Venue,
    ) -> Option<&mut MoveCell> {
        if !has_tables(step) {
            return None;
        }
        let cell = self.cell_of(place);
        open_cell(&mut self.moves, venue, step, at, (1 + self.groups, self.closed_up_to)).get_mut(cell)
    }

    fn cell_of(&self, place: VisitPlace) -> usize {
        zone_of(place).map_or(0, |zone| 1 + self.groups + usize::from(zone))
    }
}

/// Whether windows of a step have tables.
fn has_tables(step: Step) -> bool {
    matches!(step, Step::Hour | Step::Day)
}

fn zone_of(place: VisitPlace) -> Side {
    match place {
        VisitPlace::Venue => None,
        VisitPlace::Zone(zone) => Some(zone),
    }
}

/// The cells of the window that a moment lies in; none where it is closed: what is closed stays closed, whoever comes late.
fn open_cell<'a, Cell: Default>(
    map: &'a mut BTreeMap<(Step, EpochMs), Open<Cell>>,
    venue: &Venue,
    step: Step,
    at: EpochMs,
    (cells_before_zones, closed_up_to): (usize, EpochMs),
) -> &'a mut [Cell] {
    let is_open = newest_before(map, step, at).is_some();
    if !is_open && venue.calendar.window_of(at, step).to <= closed_up_to {
        return &mut [];
    }
    &mut open_window(map, venue, step, at, at, cells_before_zones).cells
}

/// The start of the open window of a step that a moment lies in, without asking the calendar, which is dear.
fn newest_before<Cell>(
    map: &BTreeMap<(Step, EpochMs), Open<Cell>>,
    step: Step,
    at: EpochMs,
) -> Option<EpochMs> {
    let ((_, from), open) = map.range((step, EpochMs(i64::MIN))..=(step, at)).next_back()?;
    open.window.contains(at).then_some(*from)
}

/// Windows of a step that ended within some seconds before a moment, and in which the venue was open.
fn ended(venue: &Venue, step: Step, before: EpochMs, within_secs: i64) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut window = venue.calendar.window_of(before.plus_secs(-within_secs), step);
    while window.to <= before {
        if open_halves(venue, window.from, window.to) > 0 {
            windows.push(window);
        }
        window = venue.calendar.window_of(window.to, step);
    }
    windows
}

/// The open window of a step that `at` lies in; begun if it is not open yet, with `first` as the first moment that is
/// seen of it.
fn open_window<'a, Cell: Default>(
    map: &'a mut BTreeMap<(Step, EpochMs), Open<Cell>>,
    venue: &Venue,
    step: Step,
    first: EpochMs,
    at: EpochMs,
    cells_before_zones: usize,
) -> &'a mut Open<Cell> {
    let from = newest_before(map, step, at).unwrap_or_else(|| venue.calendar.window_of(at, step).from);
    map.entry((step, from)).or_insert_with(|| {
        let window = venue.calendar.window_of(at, step);
        let zones = venue.zones.len();
        Open {
            window,
            cells: (0..cells_before_zones + zones).map(|_| Cell::default()).collect(),
            alive: vec![0.0; zones],
            beating: vec![0.0; zones],
            halves: 0,
            missed: open_halves(venue, window.from, first),
        }
    })
}

/// Open half-minutes from a window's start until the first one seen in it.
fn open_halves(venue: &Venue, from: EpochMs, first: EpochMs) -> u32 {
    let halves = (from.0..first.0.div_euclid(HALF_MS) * HALF_MS).step_by(HALF_MS as usize);
    halves.filter(|at| venue.is_open(EpochMs(*at))).count() as u32
}

impl<Cell> Open<Cell> {
    fn see(&mut self, half: &[Beat]) {
        self.halves += 1;
        for beat in half {
            self.alive[usize::from(beat.zone)] += beat.alive;
            self.beating[usize::from(beat.zone)] += beat.beating;
        }
    }

    fn finish<Row>(
        self,
        step: Step,
        groups: usize,
        zones: &Zones<'_>,
        has_step: impl Fn(Place) -> bool,
        row: impl Fn(Cell) -> Row,
    ) -> ZoneWindow<Row> {
        let expected = f64::from((self.halves + self.missed).max(1));
        let Zones { group_of, has_sensor } = zones;
        let of_zones = |shares: &[f64], zones: &mut dyn Iterator<Item = usize>| {
            let with_sensor = zones.filter(|zone| has_sensor[*zone]);
            let (sum, count) =
                with_sensor.fold((0.0, 0), |(sum, count), zone| (sum + shares[zone], count + 1));
            sum / expected / f64::from(count.max(1))
        };
        let coverage = |shares: &[f64], place| match place {
            Place::Venue => of_zones(shares, &mut (0..group_of.len())),
            Place::Group(group) => {
                of_zones(shares, &mut (0..group_of.len()).filter(|zone| group_of[*zone] == Some(group)))
            }
            Place::Zone(zone) => of_zones(shares, &mut std::iter::once(usize::from(zone))),
        };
        let places = std::iter::once(Place::Venue)
            .chain((0..groups).map(|group| Place::Group(group as u16)))
            .chain((0..group_of.len()).map(|zone| Place::Zone(zone as u16)));
        let coverages: Vec<_> = places
            .map(|place| (place, [&self.alive, &self.beating].map(|shares| coverage(shares, place))))
            .collect();
        let rows = coverages
            .into_iter()
            .zip(self.cells)
            .filter(|((place, _), _)| has_step(*place))
            .map(|((place, [coverage, beating]), cell)| {
                (place, Covered { coverage, beating, row: row(cell) })
            })
            .collect();
        ZoneWindow { step, window: self.window, rows }
    }
}

#[cfg(test)]
mod tests;
