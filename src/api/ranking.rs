//! Ranking: the zones of a venue in order of a metric over a period.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use axum::extract;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use passant_wire::Id;

use super::asked::{Asked, named};
use super::figures::{self, StepWord};
use super::table::{Format, Table, answer, cell};
use super::{Problem, State};
use crate::clock::{Step, Window};
use crate::config::{Venue, Zone};
use crate::release::Metric;
use crate::store::{Told, Total};

/// What to rank the zones by.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// What is counted.
    #[param(required = true, value_type = Metric)]
    metric: Option<String>,
    /// The first moment, RFC 3339, on the edge of a window of the step.
    #[param(required = true, format = DateTime, value_type = String)]
    from: Option<String>,
    /// The first moment after the last window, RFC 3339, on the edge of a window of the step.
    #[param(required = true, format = DateTime, value_type = String)]
    to: Option<String>,
    /// The length of the windows that are added up: `1h` or `1d`.
    #[param(required = true, value_type = StepWord)]
    step: Option<String>,
    /// The ids of groups, with commas between: only their zones are ranked.
    groups: Option<String>,
    /// `windows` gives each row, as JSON, the value of each window: what two periods are compared by, window by window.
    values: Option<String>,
}

/// The most values of one answer, of all its rows together.
const VALUES_MAX: usize = 40_000;

/// Zones in order.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Ranking {
    /// The venue.
    venue: String,
    /// What is counted.
    metric: Metric,
    /// The period's first moment, RFC 3339.
    from: String,
    /// The first moment after it, RFC 3339.
    to: String,
    /// The largest first; those of which nothing is told come last.
    rows: Vec<Ranked>,
}

/// A zone in its place.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Ranked {
    /// Its place, from 1 on; null where nothing is told of it.
    #[schema(required = true)]
    rank: Option<usize>,
    /// The zone.
    zone: String,
    /// Its name.
    name: String,
    /// The sum of the windows that are told, of a metric that counts visits or visitors (a device counts in each window);
    /// of another their mean. In whole units of the metric; null where nothing is told.
    #[schema(required = true)]
    value: Option<u64>,
    /// The lower end of its band: the windows' bands together, as if all were wrong alike; null where nothing is told.
    #[schema(required = true)]
    low: Option<u64>,
    /// The upper end of its band; null where nothing is told.
    #[schema(required = true)]
    high: Option<u64>,
    /// How many windows are told.
    windows: u32,
    /// How many are not, of those of which any zone here has a figure: they are held back, and in no sum.
    missing: u32,
    /// Whether its band and the next zone's do not tell the two apart.
    tied_with_next: bool,
    /// The value of each window of the period, in order; null where nothing is told. Only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<Option<u32>>>,
}

/// The zones in order of a metric over a period. Made of published figures only.
#[utoipa::path(
    get, operation_id = "ranking",
    path = "/api/v1/venues/{venue}/ranking",
    params(("venue" = String, Path, description = "The venue's id"), Parameters),
    responses(
        (status = 200, description = "The zones in order", content((Ranking = "application/json"), (String = "text/csv"))),
        (status = 400, description = "What was asked does not read, or there is no such thing; the detail says what there is", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn ranking(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    parameters: Result<extract::Query<Parameters>, QueryRejection>,
    format: Format,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let extract::Query(parameters) = parameters.map_err(|_| {
        Problem::bad_request(
            "a parameter is unknown or named twice; there are metric, from, to, step, groups and values",
        )
    })?;
    let zones = zones(venue, parameters.groups.as_deref())?;
    // What there is of one zone there is of each.
    let series = figures::Parameters {
        metric: parameters.metric,
        zone: zones.first().map(|zone| zone.id.to_string()),
        from: parameters.from,
        to: parameters.to,
        step: parameters.step,
    };
    let asked = Asked::read(venue, &series)?;
    if !matches!(asked.step, Step::Hour | Step::Day) {
        return Err(Problem::bad_request("zones are ranked by hours or days; step is one of 1h, 1d"));
    }
    let with_values = with_values(parameters.values.as_deref(), zones.len() * asked.windows.len())?;
    let ids: Vec<&Id> = zones.iter().map(|zone| &zone.id).collect();
    let Asked { metric, step, from, to, .. } = asked;
    let totals = state.store.totals(&venue.id, &ids, metric, step, from, to).await?;
    let mut rows = rows(asked.metric, &zones, &totals);
    if with_values {
        let told = state.store.told(&venue.id, &ids, metric, step, from, to).await?;
        for row in &mut rows {
            row.values = Some(values(&told, &row.zone, &asked.windows));
        }
    }
    let ranking = Ranking {
        venue: venue.id.to_string(),
        metric: asked.metric,
        from: venue.calendar.rfc3339(asked.from),
        to: venue.calendar.rfc3339(asked.to),
        rows,
    };
    Ok(answer(format, &ranking))
}

/// The zones of some groups, or all.
fn zones<'a>(venue: &'a Venue, groups: Option<&str>) -> Result<Vec<&'a Zone>, Problem> {
    let Some(words) = groups else { return Ok(venue.zones.iter().collect()) };
    let number = |word: &str| venue.groups.iter().position(|group| group.as_str() == word);
    let numbers: Option<Vec<usize>> = words.split(',').map(number).collect();
    let numbers = numbers.ok_or_else(|| {
        let there_are = named(venue.groups.iter());
        Problem::bad_request(if there_are.is_empty() {
            "the venue has no groups; leave groups out".to_owned()
        } else {
            format!("there is no such group; groups is one or more of {there_are}, with commas between")
        })
    })?;
    Ok(venue.zones.iter().filter(|zone| zone.group.is_some_and(|group| numbers.contains(&group))).collect())
}

/// Whether rows shall have the value of each window, of which there would be so many.
fn with_values(word: Option<&str>, len: usize) -> Result<bool, Problem> {
    match word {
        None => Ok(false),
        Some("windows") if len <= VALUES_MAX => Ok(true),
        Some("windows") => Err(Problem::bad_request(format!(
            "that would be {len} values, and one answer has at most {VALUES_MAX}; ask for a shorter period or some groups, \
             or leave values out"
        ))),
        Some(_) => Err(Problem::bad_request("values is windows, or is left out")),
    }
}

/// What is told of each of some windows of a zone.
fn values(told: &[Told], zone: &str, windows: &[Window]) -> Vec<Option<u32>> {
    // They are in the order of their zones, and of time within each.
    let from = told.partition_point(|told| told.scope.as_str() < zone);
    let mine: BTreeMap<i64, u32> = told[from..]
        .iter()
        .take_while(|told| told.scope == zone)
        .map(|told| (told.from_secs, told.value))
        .collect();
    windows.iter().map(|window| mine.get(&(window.from.0 / 1_000)).copied()).collect()
}

fn rows(metric: Metric, zones: &[&Zone], totals: &[Total]) -> Vec<Ranked> {
    let of = |zone: &Zone| totals.iter().find(|total| total.scope == zone.id.as_str());
    let windows = zones.iter().filter_map(|zone| of(zone)).map(|total| total.windows).max().unwrap_or(0);
    let mut rows: Vec<Ranked> =
        zones.iter().map(|zone| Ranked::of(metric, zone, of(zone), windows)).collect();
    // The order of the configuration among equals.
    rows.sort_by_key(|row| Reverse(row.value));
    for place in 0..rows.len() {
        let next = rows.get(place + 1).and_then(|next| next.high);
        let row = &mut rows[place];
        row.rank = row.value.map(|_| place + 1);
        row.tied_with_next = row.low.zip(next).is_some_and(|(low, high)| low <= high);
    }
    rows
}

impl Ranked {
    fn of(metric: Metric, zone: &Zone, total: Option<&Total>, windows: u32) -> Self {
        let total = total.filter(|total| total.told > 0);
        let told = total.map_or(0, |total| total.told);
        let over = if metric.adds_up() { 1 } else { u64::from(told.max(1)) };
        Self {
            rank: None,
            zone: zone.id.to_string(),
            name: zone.name.clone(),
            value: total.map(|total| (total.value + over / 2) / over),
            low: total.map(|total| total.low / over),
            high: total.map(|total| total.high.div_ceil(over)),
            windows: told,
            missing: windows - told,
            tied_with_next: false,
            values: None,
        }
    }
}

impl Table for Ranking {
    const COLUMNS: &'static [&'static str] =
        &["rank", "zone", "name", "value", "low", "high", "windows", "missing", "tied_with_next"];

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |row: &Ranked| {
            vec![
                cell(row.rank),
                row.zone.clone(),
                row.name.clone(),
                cell(row.value),
                cell(row.low),
                cell(row.high),
                row.windows.to_string(),
                row.missing.to_string(),
                row.tied_with_next.to_string(),
            ]
        };
        self.rows.iter().map(row).collect()
    }
}

#[cfg(test)]
#[path = "ranking_tests.rs"]
mod tests;
