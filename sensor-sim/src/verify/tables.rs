//! What is told in tables: flows, cross-visits and dwell bands, beside their truth.

use std::collections::{BTreeMap, HashMap};

use chrono::DateTime;
use serde::Deserialize;

use super::score::{Said, Score, Sheet};
use super::series::{Scope, Table};
use super::{Error, Places, Server};
use crate::mall::truth::{CrossVisit, Flow, Step, Window};

/// The most windows that are asked for at once: of each an answer has up to six bands.
const DWELL_WINDOWS_MAX: usize = 300;

/// The most days of flows or cross-visits that are asked for at once.
const DAYS_MAX: usize = 7;

/// A zone has to have so many visits before a share of them is compared.
const VISITS_MIN: u64 = 30;

/// From what minute on the API's default bands are. Truth's own first band, of bounces, is none of them.
const BANDS_FROM_MIN: [u32; 6] = [5, 15, 30, 60, 120, 240];

/// Two zones of a cell; nothing is outside.
type Way = (Option<String>, Option<String>);

/// The tables of one venue's days that are true, by the day's first and last moment.
#[derive(Debug, Default)]
pub(super) struct Ways {
    flows: BTreeMap<(i64, i64), BTreeMap<Way, f64>>,
    cross_visits: BTreeMap<(i64, i64), BTreeMap<Way, f64>>,
}

impl Ways {
    pub(super) fn add_flow(&mut self, flow: Flow) {
        let day = self.flows.entry((flow.from_ms, flow.to_ms)).or_default();
        if flow.visitors.stable_devices > 0 {
            day.insert((flow.from_zone, flow.to_zone), flow.visitors.stable_devices as f64);
        }
    }

    pub(super) fn add_cross_visit(&mut self, cross: CrossVisit) {
        let day = self.cross_visits.entry((cross.from_ms, cross.to_ms)).or_default();
        if cross.visits >= VISITS_MIN {
            let share = 100.0 * cross.also_visits as f64 / cross.visits as f64;
            day.insert((Some(cross.zone), Some(cross.also)), share);
        }
    }
}

#[derive(Deserialize)]
struct Answer<W> {
    windows: Vec<W>,
}

#[derive(Deserialize)]
struct WaysSaid {
    from: String,
    state: String,
    cells: Vec<CellSaid>,
}

/// A cell of flows or of cross-visits.
#[derive(Deserialize)]
struct CellSaid {
    #[serde(alias = "zone")]
    from_zone: Option<String>,
    #[serde(alias = "also")]
    to_zone: Option<String>,
    value: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct DwellSaid {
    bands: Vec<BandSaid>,
    windows: Vec<LengthsSaid>,
}

#[derive(Deserialize)]
struct BandSaid {
    from_min: u32,
}

#[derive(Deserialize)]
struct LengthsSaid {
    from: String,
    state: String,
    values: Vec<ValueSaid>,
}

#[derive(Deserialize)]
struct ValueSaid {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

/// The score of a table, or nothing where the server does not offer it.
pub(super) async fn score(
    server: &Server<'_>,
    places: &Places,
    (table, step, scope): (Table, Step, Scope),
) -> Result<Option<Score>, Error> {
    match table {
        Table::Flows | Table::Entrances | Table::Exits => {
            let Some(sheets) = ways(server, table, &places.ways.flows).await? else { return Ok(None) };
            Ok(Some(Score::of_counts(&sheets, table.truth_min())))
        }
        Table::CrossVisits => {
            let sheets = ways(server, table, &places.ways.cross_visits).await?;
            Ok(sheets.map(|sheets| Score::of_shares(&sheets, table.truth_min())))
        }
        Table::Dwell => {
            let mut sheets = Vec::new();
            let about = places.windows.iter();
            for ((_, zone), windows) in
                about.filter(|((of, zone), _)| *of == step && zone.is_some() == (scope == Scope::Zones))
            {
                for part in windows.chunks(DWELL_WINDOWS_MAX) {
                    let Some(said) = lengths(server, step, zone.as_deref(), part).await? else {
                        return Ok(None);
                    };
                    sheets.extend(said);
                }
            }
            Ok(Some(Score::of_counts(&sheets, table.truth_min())))
        }
    }
}

/// Each day's ways, true and said.
async fn ways(
    server: &Server<'_>,
    table: Table,
    days: &BTreeMap<(i64, i64), BTreeMap<Way, f64>>,
) -> Result<Option<Vec<Sheet<Way>>>, Error> {
    let mut sheets = Vec::new();
    let days: Vec<_> = days.iter().collect();
    for part in days.chunks(DAYS_MAX) {
        let (Some(((from, _), _)), Some(((_, to), _))) = (part.first(), part.last()) else { continue };
        let path = server.path(table.page(), "", Step::Day, (*from, *to));
        let Some(text) = server.page(&path).await? else { return Ok(None) };
        let said = |text: &str| {
            let answer: Answer<WaysSaid> = serde_json::from_str(text).ok()?;
            answer.windows.into_iter().map(WaysSaid::said).collect::<Option<HashMap<_, _>>>()
        };
        let mut said = said(&text).ok_or(Error::Answer { path })?;
        sheets.extend(part.iter().map(|((from, _), truth)| Sheet {
            truth: of_table(table, (*truth).clone()),
            said: said.remove(from).flatten().map(|cells| of_table(table, cells)),
        }));
    }
    Ok(Some(sheets))
}

/// The cells of one table: what came from outside and went there is no flow from zone to zone.
fn of_table<V>(table: Table, mut cells: BTreeMap<Way, V>) -> BTreeMap<Way, V> {
    cells.retain(|(from, to), _| match table {
        Table::Entrances => from.is_none(),
        Table::Exits => to.is_none(),
        Table::Flows | Table::CrossVisits | Table::Dwell => from.is_some() && to.is_some(),
    });
    cells
}

/// Lengths of some windows of one place, true and said.
async fn lengths(
    server: &Server<'_>,
    step: Step,
    zone: Option<&str>,
    windows: &[Window],
) -> Result<Option<Vec<Sheet<usize>>>, Error> {
    let (Some(first), Some(last)) = (windows.first(), windows.last()) else { return Ok(Some(Vec::new())) };
    let zone = zone.map_or(String::new(), |zone| format!("zone={zone}&"));
    let path = server.path(Table::Dwell.page(), &zone, step, (first.from_ms, last.to_ms));
    let Some(text) = server.page(&path).await? else { return Ok(None) };
    let said = |text: &str| {
        let DwellSaid { bands, windows } = serde_json::from_str(text).ok()?;
        let has_ours = bands.iter().map(|band| band.from_min).eq(BANDS_FROM_MIN);
        let said = windows.into_iter().map(LengthsSaid::said);
        said.collect::<Option<HashMap<_, _>>>().filter(|_| has_ours)
    };
    let mut said = said(&text).ok_or(Error::Answer { path })?;
    let sheet = |window: &Window| {
        let stable = window.stable_devices.as_deref()?;
        let truth = stable.dwell_bands.iter().skip(1).map(|count| *count as f64).enumerate().collect();
        Some(Sheet { truth, said: said.remove(&window.from_ms).flatten() })
    };
    Ok(Some(windows.iter().filter_map(sheet).collect()))
}

/// The cells that are told of a window.
type Cells<K> = BTreeMap<K, Said>;

/// A window's first moment, and whether its state says that it is closed; nothing if it does not read.
fn head(from: &str, state: &str) -> Option<(i64, bool)> {
    let from = DateTime::parse_from_rfc3339(from).ok()?.timestamp_millis();
    match state {
        "final" | "held_back" => Some((from, true)),
        "open" => Some((from, false)),
        _ => None,
    }
}

impl WaysSaid {
    fn said(self) -> Option<(i64, Option<Cells<Way>>)> {
        let (from, is_closed) = head(&self.from, &self.state)?;
        let cell = |CellSaid { from_zone, to_zone, value, low, high }| {
            ((from_zone, to_zone), Said::Final { value, low, high })
        };
        Some((from, is_closed.then(|| self.cells.into_iter().map(cell).collect())))
    }
}

impl LengthsSaid {
    fn said(self) -> Option<(i64, Option<Cells<usize>>)> {
        let (from, is_closed) = head(&self.from, &self.state)?;
        let told = |(band, said): (usize, ValueSaid)| {
            Some((band, Said::Final { value: said.value?, low: said.low?, high: said.high? }))
        };
        Some((from, is_closed.then(|| self.values.into_iter().enumerate().filter_map(told).collect())))
    }
}
