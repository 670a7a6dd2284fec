//! Who was inside, half-minute by half-minute.

use crate::mall::plan::{Plan, Sort};
use crate::mall::scenario::Scenario;

const HALF_MINUTE_MS: i64 = 30_000;

/// By row (each zone, then the venue) and half-minute, how many ms all that were there were there.
#[derive(Debug)]
pub(super) struct Presence {
    begin: i64,
    rows: Vec<Vec<Half>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Half {
    people_ms: i64,
    staff_ms: i64,
    stable_ms: i64,
}

/// The means of a window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Means {
    pub(super) people: f64,
    pub(super) people_peak: f64,
    pub(super) staff: f64,
    pub(super) stable: f64,
}

impl Presence {
    pub(super) fn of(scenario: &Scenario, plan: &Plan) -> Self {
        let (begin, end) = (plan.day.from, plan.day.to);
        let halves = ((end - begin) / HALF_MINUTE_MS) as usize;
        let mut rows = vec![vec![Half::default(); halves]; scenario.zones.len() + 1];
        for person in &plan.people {
            let (staff, stable) = match person.sort {
                Sort::Shopper => (0, i64::from(person.stable_devices)),
                Sort::Staff => (1, 0),
                Sort::PasserBy(_) | Sort::Car(_) | Sort::Fixture => continue,
            };
            for stay in &person.stays {
                let Some(zone) = stay.zone else { continue };
                for (half, ms) in spread(begin, stay.from, stay.to) {
                    for row in [zone, scenario.zones.len()] {
                        if let Some(cell) = rows[row].get_mut(half) {
                            cell.people_ms += ms;
                            cell.staff_ms += staff * ms;
                            cell.stable_ms += stable * ms;
                        }
                    }
                }
            }
        }
        Self { begin, rows }
    }

    /// The means of a row from one moment to another.
    pub(super) fn means(&self, row: usize, from: i64, to: i64) -> Means {
        let half = |at: i64| ((at - self.begin) / HALF_MINUTE_MS) as usize;
        let Some(cells) = self.rows[row].get(half(from)..half(to)) else { return Means::default() };
        let mean = |part: fn(&Half) -> i64| cells.iter().map(part).sum::<i64>() as f64 / (to - from) as f64;
        let peak = cells.iter().map(|cell| cell.people_ms).max().unwrap_or_default();
        Means {
            people: mean(|cell| cell.people_ms),
            people_peak: peak as f64 / HALF_MINUTE_MS as f64,
            staff: mean(|cell| cell.staff_ms),
            stable: mean(|cell| cell.stable_ms),
        }
    }
}

/// How much of a stay lies in each half-minute.
fn spread(begin: i64, from: i64, to: i64) -> impl Iterator<Item = (usize, i64)> {
    let (first, last) = ((from.max(begin) - begin) / HALF_MINUTE_MS, (to - 1 - begin) / HALF_MINUTE_MS);
    (first..=last).map(move |half| {
        let starts = begin + half * HALF_MINUTE_MS;
        (half as usize, to.min(starts + HALF_MINUTE_MS) - from.max(starts))
    })
}
