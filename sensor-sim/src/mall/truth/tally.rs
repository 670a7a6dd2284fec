//! Counts by row (each zone, then the venue) and window of one length.

use super::presence::Presence;
use super::{People, Stable, Step, VISITOR_MS, Window, name, thousandths};
use crate::mall::plan::{Person, Plan, Sort};
use crate::mall::scenario::Scenario;

/// Visits so long are engaged, ms.
const ENGAGED_MS: i64 = 900_000;

/// The bands of dwell end here, minutes; the last is open.
const BANDS_MINS: [i64; 6] = [5, 15, 30, 60, 120, 240];
/// The open one among them.
pub(super) const BANDS: usize = BANDS_MINS.len() + 1;

#[derive(Debug)]
pub(super) struct Tally {
    step: Step,
    begin: i64,
    step_ms: i64,
    rows: Vec<Vec<Cell>>,
}

#[derive(Clone, Debug, Default)]
struct Cell {
    people: People,
    stable: Stable,
    /// How long visitors' visits were, ms.
    dwelt_ms: Vec<i64>,
}

impl Tally {
    pub(super) fn of(scenario: &Scenario, plan: &Plan, step: Step) -> Self {
        let (begin, end) = (plan.day.from, plan.day.to);
        let step_ms = step.ms().unwrap_or(end - begin);
        let windows = ((end - begin) / step_ms) as usize;
        let rows = vec![vec![Cell::default(); windows]; scenario.zones.len() + 1];
        let mut tally = Self { step, begin, step_ms, rows };
        for person in &plan.people {
            tally.count(person);
        }
        tally
    }

    /// The windows, with the means of those who were inside.
    pub(super) fn windows<'a>(
        self,
        scenario: &'a Scenario,
        presence: &'a Presence,
    ) -> impl Iterator<Item = Window> + 'a {
        let Self { step, begin, step_ms, rows } = self;
        let venue = scenario.zones.len();
        rows.into_iter().enumerate().flat_map(move |(row, cells)| {
            (0i64..).zip(cells).map(move |(window, cell)| {
                let from_ms = begin + window * step_ms;
                let to_ms = from_ms + step_ms;
                let means = presence.means(row, from_ms, to_ms);
                let shoppers = means.people - means.staff;
                let counts_stable = step >= Step::Hour || (step == Step::QuarterHour && row == venue);
                let people = People {
                    occupancy: thousandths(means.people),
                    occupancy_peak: thousandths(means.people_peak),
                    staff: thousandths(means.staff),
                    passersby: (row == venue).then(|| cell.people.passersby.unwrap_or_default()),
                    ..cell.people.clone()
                };
                let stable_devices =
                    counts_stable.then(|| Box::new(cell.stable_devices(means.stable, shoppers)));
                Window { step, from_ms, to_ms, zone: name(scenario, row), people, stable_devices }
            })
        })
    }

    fn count(&mut self, person: &Person) {
        let (venue, stable) = (self.rows.len() - 1, u64::from(person.stable_devices));
        let (came, left) = (person.arrive(), person.leave());
        match person.sort {
            Sort::Shopper => {}
            Sort::PasserBy(_) | Sort::Car(_) => {
                let on_foot = u64::from(!matches!(person.sort, Sort::Car(_)));
                self.at(venue, left - 1, |cell| {
                    *cell.people.passersby.get_or_insert_default() += on_foot;
                    cell.stable.passersby += stable;
                });
                return;
            }
            Sort::Staff | Sort::Fixture => {
                self.through([(venue, came, left)], |cell| cell.stable.infrastructure += stable);
                if person.sort == Sort::Staff {
                    self.through(stays(person, venue), |cell| cell.people.present += 1);
                }
                return;
            }
        }
        for (row, from, to) in stays(person, venue) {
            self.at(row, from, |cell| {
                cell.people.footfall += 1;
                cell.stable.footfall += stable;
            });
            self.at(row, to - 1, |cell| cell.visit(to - from, person.stable_devices));
            let whole = row == venue;
            self.at(row, from, |cell| cell.people.came_in += u64::from(whole || from == came));
            self.at(row, to - 1, |cell| cell.people.went_out += u64::from(whole || to == left));
        }
        self.through(stays(person, venue), |cell| {
            cell.people.present += 1;
            cell.stable.distinct += stable;
        });
        let long = stays(person, venue).filter(|(_, from, to)| to - from >= VISITOR_MS);
        let long = long.map(|(row, from, to)| (row, from + VISITOR_MS, (from + VISITOR_MS + 1).max(to)));
        self.through(long, |cell| cell.stable.visitors += stable);
    }

    fn window(&self, at: i64) -> usize {
        ((at - self.begin).max(0) / self.step_ms) as usize
    }

    fn at(&mut self, row: usize, at: i64, add: impl FnOnce(&mut Cell)) {
        let window = self.window(at);
        if let Some(cell) = self.rows[row].get_mut(window) {
            add(cell);
        }
    }

    /// Every window that any of some stays touches, once.
    fn through(
        &mut self,
        stays: impl IntoIterator<Item = (usize, i64, i64)>,
        mut add: impl FnMut(&mut Cell),
    ) {
        let mut touched: Vec<(usize, usize)> = Vec::new();
        for (row, from, to) in stays {
            touched.extend((self.window(from)..=self.window(to - 1)).map(|window| (row, window)));
        }
        touched.sort_unstable();
        touched.dedup();
        for (row, window) in touched {
            if let Some(cell) = self.rows[row].get_mut(window) {
                add(cell);
            }
        }
    }
}

/// A person's zone visits, and their visit to the venue.
fn stays(person: &Person, venue: usize) -> impl Iterator<Item = (usize, i64, i64)> {
    let zones = person.stays.iter().filter_map(|stay| Some((stay.zone?, stay.from, stay.to)));
    zones.chain([(venue, person.arrive(), person.leave())])
}

impl Cell {
    /// A visit of so many ms ended.
    fn visit(&mut self, ms: i64, stable_devices: u32) {
        self.people.exits += 1;
        let (stable, devices) = (&mut self.stable, u64::from(stable_devices));
        stable.visits += devices;
        stable.bounces += if ms < VISITOR_MS { devices } else { 0 };
        stable.engaged += if ms >= ENGAGED_MS { devices } else { 0 };
        stable.dwell_bands[BANDS_MINS.iter().take_while(|end| ms >= **end * 60_000).count()] += devices;
        if ms >= VISITOR_MS {
            self.dwelt_ms.extend(std::iter::repeat_n(ms, stable_devices as usize));
        }
    }

    fn stable_devices(mut self, present: f64, shoppers: f64) -> Stable {
        self.dwelt_ms.sort_unstable();
        let dwelt = &self.dwelt_ms;
        let mins = |ms: f64| thousandths(ms / 60_000.0);
        // The smallest length that so large a share does not exceed.
        let quartile = |quarters: usize| {
            let rank = (quarters * dwelt.len()).div_ceil(4);
            dwelt.get(rank.checked_sub(1)?).map(|ms| mins(*ms as f64))
        };
        let visits = dwelt.len() as f64;
        let passed = visits + self.stable.passersby as f64;
        Stable {
            present: thousandths(present),
            stable_share: (shoppers > 0.0).then(|| thousandths(100.0 * present / shoppers)),
            capture_rate: (passed > 0.0).then(|| thousandths(100.0 * visits / passed)),
            dwell_mean: (visits > 0.0).then(|| mins(dwelt.iter().sum::<i64>() as f64 / visits)),
            dwell_p25: quartile(1),
            dwell_median: quartile(2),
            dwell_p75: quartile(3),
            ..self.stable
        }
    }
}

impl Step {
    /// How long it is, ms; a day is as long as it is.
    fn ms(self) -> Option<i64> {
        match self {
            Self::FiveMinutes => Some(300_000),
            Self::QuarterHour => Some(900_000),
            Self::Hour => Some(3_600_000),
            Self::Day => None,
        }
    }
}
