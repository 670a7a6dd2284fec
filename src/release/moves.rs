//! The judge of tables: a closed window of them becomes sheets.

use std::collections::BTreeMap;

use super::judge::{Judge, to_grain};
use super::series::Said;
use super::sheet::{Sheet, SheetCell, Subject};
use super::tables::{Flows, Length, Together, together};
use super::traffic::{ROUNDING, SIGMAS};
use super::{Label, Metric};
use crate::aggregate::{Bands, DRAWN_OF, Moves, Place, Side, ZoneWindow};
use crate::clock::Step;

/// The share of visits that chance leaves in a cell.
const DRAWN: f64 = 1.0 - 1.0 / DRAWN_OF as f64;

impl Judge {
    /// Judges the tables of a closed window, after those of the windows in it.
    #[must_use]
    pub fn tables(&mut self, window: &ZoneWindow<Moves>) -> Vec<Sheet> {
        let mut sheets = Vec::new();
        for (place, covered) in &window.rows {
            let coverage = self.covered(window.step, covered);
            let label = self.label(Metric::Visits, *place, window.step, window.window, coverage, None);
            if *place == Place::Venue {
                let flows = self.tables.flows(self.k(), window.step, window.window, &covered.row);
                sheets.push(self.flows(&label, flows));
                if window.step == Step::Day {
                    sheets.push(self.cross_visits(&label, &together(self.k(), &covered.row)));
                }
            }
            let told = self.tables.dwell(self.k(), window.step, window.window, *place, &covered.row);
            sheets.extend(Bands::ALL.map(|bands| self.dwell(&label, bands, &told)));
        }
        sheets
    }

    fn flows(&self, label: &Label, Flows { cells, all }: Flows) -> Sheet {
        let cell = |((from, to), said): ((Side, Side), Said)| SheetCell {
            row: self.word(from),
            column: self.word(to),
            value: self.counted(said),
        };
        let cells: Vec<SheetCell> = cells.into_iter().map(cell).collect();
        let shown: u32 = cells.iter().map(|cell| cell.value.0).sum();
        // Between two zones there are two ways, and all moves less the one would be the other.
        let all = all.filter(|_| self.venue.zones.len() > 2);
        let all = all.map(|(came, moved)| to_grain((2.0 * came + moved / DRAWN) / self.passed));
        let held_back = all.map(|all| all.saturating_sub(shown));
        sheet(label, Subject::Flows, cells, held_back)
    }

    fn cross_visits(&self, label: &Label, told: &BTreeMap<(u16, u16), Together>) -> Sheet {
        let mut cells = Vec::new();
        for ((one, other), Together { both, one: in_one, other: in_other }) in told {
            for (zone, also, visits) in [(one, other, in_one), (other, one, in_other)] {
                let value = self.share(*both, *visits);
                cells.push(SheetCell { row: self.word(Some(*zone)), column: self.word(Some(*also)), value });
            }
        }
        cells.sort_by(|a, b| (&a.row, &a.column).cmp(&(&b.row, &b.column)));
        sheet(label, Subject::CrossVisits, cells, None)
    }

    fn dwell(&self, label: &Label, bands: Bands, told: &BTreeMap<Length, Said>) -> Sheet {
        let starts = bands.starts();
        let of_set = told.range((bands, 0)..=(bands, u8::MAX));
        let cell = |((_, band), said): (&Length, &Said)| SheetCell {
            row: starts[usize::from(*band)].to_string(),
            column: starts.get(usize::from(*band) + 1).map(ToString::to_string).unwrap_or_default(),
            value: self.counted(*said),
        };
        sheet(label, Subject::Dwell(bands), of_set.map(cell).collect(), None)
    }

    /// A count of which chance left out some, made whole. Its band holds what the rounding hides, how far chance may have
    /// strayed, and what is not told.
    fn counted(&self, said: Said) -> (u32, u32, u32) {
        let whole = |count: f64| f64::from(to_grain(count / DRAWN / self.passed));
        let (value, most) = (whole(said.least), whole(said.most));
        let spread = |count: f64| ROUNDING + strayed(count);
        let low = (value - spread(value)).floor().max(0.0);
        (value as u32, low as u32, (most + spread(most)).ceil() as u32)
    }

    /// A share in percent, from rounded counts. Its band holds what chance may have strayed, of this draw and of who came.
    fn share(&self, both: f64, visits: f64) -> (u32, u32, u32) {
        let visits = f64::from(to_grain(visits / self.passed)).max(1.0);
        let both = f64::from(to_grain(both / DRAWN / self.passed)).min(visits);
        let share = both / visits;
        let spread = (ROUNDING + strayed(both)) / visits + SIGMAS * (share * (1.0 - share) / visits).sqrt();
        let percent = |share: f64| 100.0 * share.clamp(0.0, 1.0);
        (
            percent(share).round() as u32,
            percent(share - spread).floor() as u32,
            percent(share + spread).ceil() as u32,
        )
    }

    fn word(&self, side: Side) -> String {
        side.map(|zone| self.venue.zones[usize::from(zone)].id.to_string()).unwrap_or_default()
    }
}

/// How far chance strays, within an 80 % band: each that was counted stands for the one in so many that was not.
fn strayed(count: f64) -> f64 {
    SIGMAS * (count / f64::from(DRAWN_OF - 1)).sqrt()
}

fn sheet(label: &Label, subject: Subject, cells: Vec<SheetCell>, held_back: Option<u32>) -> Sheet {
    Sheet {
        venue: label.venue.clone(),
        zone: label.scope.id().cloned(),
        subject,
        step: label.step,
        window: label.window,
        cells,
        held_back: held_back.filter(|count| *count > 0),
        flags: label.flags,
        coverage_permille: label.coverage_permille,
        thresholds: label.thresholds,
    }
}

#[cfg(test)]
#[path = "moves_tests.rs"]
mod tests;
