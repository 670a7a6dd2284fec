//! Facts of sheets: flows, cross-visits and dwell, a row a cell that is told.

use std::io;

use passant_wire::Id;

use super::facts::{Facts, flag};
use super::{CROSS_VISITS, DWELL, FLOWS, OUTSIDE, WHOLE_VENUE, band_key, row};
use crate::api::table::cell;
use crate::release::{Bands, Flags, SheetCell, State, Subject};
use crate::store::PublishedSheet;

/// The days of one piece: of hours that are as many tables as an answer of the API may have.
const PIECE_DAYS: u64 = 7;

/// What a row of flows has.
pub(super) const FLOW_COLUMNS: [&str; 18] = [
    "date",
    "from",
    "to",
    "from_zone",
    "to_zone",
    "kind",
    "metric",
    "step",
    "value",
    "low",
    "high",
    "state",
    "untold",
    "incomplete",
    "rekeyed",
    "replay",
    "coverage",
    "thresholds",
];
/// What a row of cross-visits has.
pub(super) const CROSS_COLUMNS: [&str; 16] = [
    "date",
    "from",
    "to",
    "zone",
    "also_zone",
    "metric",
    "step",
    "value",
    "low",
    "high",
    "state",
    "incomplete",
    "rekeyed",
    "replay",
    "coverage",
    "thresholds",
];
/// What a row of dwell has.
pub(super) const DWELL_COLUMNS: [&str; 16] = [
    "date",
    "from",
    "to",
    "zone",
    "band",
    "metric",
    "step",
    "value",
    "low",
    "high",
    "state",
    "incomplete",
    "rekeyed",
    "replay",
    "coverage",
    "thresholds",
];

impl Facts {
    /// Flows, with entrances and exits: a row a cell that is told, and one a window for all that are not.
    pub(super) async fn flows(&self) -> io::Result<()> {
        self.sheets(Subject::Flows, &[None], &FLOW_COLUMNS, |_, sheet| {
            let mut rows: Vec<_> = sheet.cells.iter().map(|cell| self.flow(sheet, Some(cell))).collect();
            if sheet.head.held_back.is_some() || sheet.cells.is_empty() {
                rows.push(self.flow(sheet, None));
            }
            rows
        })
        .await
    }

    /// Cross-visits: a row a cell that is told; a day without any has a row of its own.
    pub(super) async fn cross_visits(&self) -> io::Result<()> {
        self.sheets(Subject::CrossVisits, &[None], &CROSS_COLUMNS, |_, sheet| {
            if sheet.cells.is_empty() {
                return vec![self.cross(sheet, None)];
            }
            sheet.cells.iter().map(|cell| self.cross(sheet, Some(cell))).collect()
        })
        .await
    }

    /// Dwell: a row a band, told or held back, of the venue and of each zone.
    pub(super) async fn dwell(&self, bands: Bands) -> io::Result<()> {
        let zones = self.venue.zones.iter().map(|zone| Some(&zone.id));
        let places: Vec<_> = std::iter::once(None).chain(zones).collect();
        self.sheets(Subject::Dwell(bands), &places, &DWELL_COLUMNS, |place, sheet| {
            let place = place.map_or(WHOLE_VENUE, Id::as_str);
            bands.starts().iter().map(|start| self.band(sheet, place, bands, *start)).collect()
        })
        .await
    }

    /// Reads and sends the sheets of some places, one place after the other.
    async fn sheets<'a, const N: usize>(
        &self,
        subject: Subject,
        places: &[Option<&'a Id>],
        columns: &[&str; N],
        rows_of: impl Fn(Option<&'a Id>, &PublishedSheet) -> Vec<Vec<String>>,
    ) -> io::Result<()> {
        if !self.send(vec![row(*columns)]).await? {
            return Ok(());
        }
        for place in places {
            for stretch in self.pieces(PIECE_DAYS) {
                let sheets = self.store.sheets(&self.venue.id, *place, subject, self.period.step, stretch);
                let sheets = sheets.await.map_err(io::Error::other)?;
                if !self.send(sheets.iter().flat_map(|sheet| rows_of(*place, sheet)).collect()).await? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn flow(&self, sheet: &PublishedSheet, told: Option<&SheetCell>) -> Vec<String> {
        let side = |word: &String| if word.is_empty() { OUTSIDE } else { word }.to_owned();
        let of = |told: &SheetCell| match (told.row.is_empty(), told.column.is_empty()) {
            (true, _) => "entrance",
            (false, true) => "exit",
            (false, false) => "flow",
        };
        let whole = || WHOLE_VENUE.to_owned();
        let mut row = self.when(sheet.head.window);
        row.extend([
            told.map_or_else(whole, |told| side(&told.row)),
            told.map_or_else(whole, |told| side(&told.column)),
            told.map_or("untold", of).to_owned(),
            FLOWS.to_owned(),
            self.period.step.as_str().to_owned(),
        ]);
        row.extend(banded(told));
        // Said once a window, so that a sum over the rows is right.
        row.push(cell(sheet.head.held_back.filter(|_| told.is_none())));
        row.extend(known(sheet));
        row
    }

    fn cross(&self, sheet: &PublishedSheet, told: Option<&SheetCell>) -> Vec<String> {
        let whole = || WHOLE_VENUE.to_owned();
        let mut row = self.when(sheet.head.window);
        row.extend([
            told.map_or_else(whole, |told| told.row.clone()),
            told.map_or_else(whole, |told| told.column.clone()),
            CROSS_VISITS.to_owned(),
            self.period.step.as_str().to_owned(),
        ]);
        row.extend(banded(told));
        row.extend(known(sheet));
        row
    }

    fn band(&self, sheet: &PublishedSheet, place: &str, bands: Bands, start: u16) -> Vec<String> {
        let word = start.to_string();
        let mut row = self.when(sheet.head.window);
        row.extend([
            place.to_owned(),
            band_key(bands, start),
            DWELL.to_owned(),
            self.period.step.as_str().to_owned(),
        ]);
        row.extend(banded(sheet.cells.iter().find(|told| told.row == word)));
        row.extend(known(sheet));
        row
    }
}

/// Value, low, high and state; of what is not told only the state.
fn banded(told: Option<&SheetCell>) -> [String; 4] {
    let state = if told.is_some() { State::Final } else { State::HeldBack };
    [
        cell(told.map(|told| told.value.0)),
        cell(told.map(|told| told.value.1)),
        cell(told.map(|told| told.value.2)),
        state.as_str().to_owned(),
    ]
}

/// What a reader must know of a sheet.
fn known(sheet: &PublishedSheet) -> [String; 5] {
    // Visits are not scaled to people, so nothing here is uncalibrated.
    let Flags { incomplete, rekeyed, replay, uncalibrated: _ } = sheet.head.flags;
    [
        flag(incomplete),
        flag(rekeyed),
        flag(replay),
        (f64::from(sheet.head.coverage_permille) / 1000.0).to_string(),
        sheet.head.thresholds.to_string(),
    ]
}
