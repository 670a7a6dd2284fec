//! Alerts: what each rule says now.

use axum::extract;
use axum::response::Response;
use passant_wire::Id;

use super::asked::{place_of, steps};
use super::figures::StepWord;
use super::table::{Format, Table, answer, cell};
use super::{Problem, State};
use crate::clock::Step;
use crate::config::{Alert, Venue, Watch, When};
use crate::release::Metric;
use crate::store::{AlertRow, AlertState};

/// The alerts of a venue, in the order of the configuration.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(transparent)]
pub(super) struct AlertList(Vec<AlertItem>);

/// What a rule says.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct AlertItem {
    /// Its name.
    name: String,
    /// The zone or group it looks at; null is the venue.
    #[schema(required = true)]
    zone: Option<String>,
    /// The metric it looks at; null where it looks at sensors.
    #[schema(required = true)]
    metric: Option<String>,
    /// The rule in words.
    rule: String,
    /// What it watches for.
    when: WhenWord,
    /// The threshold of `over` and `under`, in whole units of the metric; null for the others.
    #[schema(required = true)]
    threshold: Option<u32>,
    /// The length of its windows; null where it looks at sensors, whose silence is counted in five minutes.
    #[schema(required = true)]
    step: Option<StepWord>,
    /// So many of them in a row.
    windows: u32,
    /// What it says; a figure that is held back is `no_data`, and never fires.
    state: AlertState,
    /// Since when, RFC 3339; null until the first figure.
    #[schema(required = true)]
    since: Option<String>,
    /// The newest figure, or the number of sensors that are gone; null when held back.
    #[schema(required = true)]
    value: Option<u32>,
    /// The lower end of its 80 % band.
    #[schema(required = true)]
    low: Option<u32>,
    /// The upper end of its 80 % band.
    #[schema(required = true)]
    high: Option<u32>,
}

/// What a rule watches for.
#[derive(Clone, Copy, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum WhenWord {
    /// The band lies over the threshold.
    Over,
    /// The band lies under it.
    Under,
    /// The band lies outside those of the same hours of the weeks before.
    UnlikeUsual,
    /// A sensor of the place is silent.
    SensorGone,
}

/// What every alert rule of a venue says now.
#[utoipa::path(
    get, operation_id = "alerts",
    path = "/api/v1/venues/{venue}/alerts",
    params(("venue" = String, Path, description = "The venue's id")),
    responses(
        (status = 200, description = "Every rule with its state", content((AlertList = "application/json"), (String = "text/csv"))),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    format: Format,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    Ok(answer(format, &AlertList::new(venue, &state.store.alerts(&venue.id).await?)))
}

impl AlertList {
    pub(super) fn new(venue: &Venue, rows: &[AlertRow]) -> Self {
        let item = |alert: &Alert| {
            let row = rows.iter().find(|row| row.name == alert.name);
            let figure = row.and_then(|row| row.figure);
            let (when, threshold) = WhenWord::of(&alert.watch);
            AlertItem {
                name: alert.name.to_string(),
                zone: alert.scope.as_ref().map(ToString::to_string),
                metric: alert.metric().map(ToOwned::to_owned),
                rule: alert.to_string(),
                when,
                threshold,
                step: step_of(venue, alert).map(StepWord::from),
                windows: alert.windows,
                state: row.map_or(AlertState::NoData, |row| row.state),
                since: row.map(|row| venue.calendar.rfc3339(row.since)),
                value: figure.map(|figure| figure.value),
                low: figure.map(|figure| figure.low),
                high: figure.map(|figure| figure.high),
            }
        };
        Self(venue.alerts.iter().map(item).collect())
    }
}

/// The length of the windows that a rule looks at: its own, or the shortest that its place has.
fn step_of(venue: &Venue, alert: &Alert) -> Option<Step> {
    let Watch::Figure { metric, step, .. } = &alert.watch else { return None };
    let (place, _) = place_of(venue, alert.scope.as_ref().map(Id::as_str)).ok()?;
    step.or_else(|| steps(Metric::parse(metric)?, place).next())
}

impl WhenWord {
    /// The word, and the threshold where there is one.
    fn of(watch: &Watch) -> (Self, Option<u32>) {
        match watch {
            Watch::SensorGone => (Self::SensorGone, None),
            Watch::Figure { when: When::Over(threshold), .. } => (Self::Over, Some(*threshold)),
            Watch::Figure { when: When::Under(threshold), .. } => (Self::Under, Some(*threshold)),
            Watch::Figure { when: When::UnlikeUsual, .. } => (Self::UnlikeUsual, None),
        }
    }
}

impl Table for AlertList {
    const COLUMNS: &'static [&'static str] =
        &["name", "zone", "metric", "rule", "state", "since", "value", "low", "high"];

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |item: &AlertItem| {
            vec![
                item.name.clone(),
                cell(item.zone.as_ref()),
                cell(item.metric.as_ref()),
                item.rule.clone(),
                item.state.as_str().to_owned(),
                cell(item.since.as_ref()),
                cell(item.value),
                cell(item.low),
                cell(item.high),
            ]
        };
        self.0.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::stage::{Stage, at, id};
    use crate::release::Banded;

    #[tokio::test]
    async fn every_rule_says_what_it_says_and_no_figure_is_no_data() {
        let stage = Stage::set().await;
        let antennas = json!({
            "name": "antennas", "zone": null, "metric": null, "rule": "sensor gone, minutes: 10",
            "when": "sensor_gone", "threshold": null, "step": null, "windows": 2,
            "state": "no_data", "since": null, "value": null, "low": null, "high": null,
        });
        let path = "/api/v1/venues/mall/alerts";
        let before = stage.get(path).await.json();
        assert_eq!((before.as_array().unwrap().len(), &before[0]["state"]), (2, &json!("no_data")));
        let row = AlertRow {
            venue: id("mall"),
            name: id("food-court-full"),
            rule: "as it was when it was kept".into(),
            state: AlertState::Firing,
            since: at("2026-11-20T12:10:00+01:00"),
            judged_to: at("2026-11-20T12:15:00+01:00"),
            beyond: 3,
            back: 0,
            figure: Some(Banded { value: 460, low: 410, high: 510 }),
        };
        stage.store.save_alert(&row).await.unwrap();
        let full = json!({
            "name": "food-court-full", "zone": "food-court", "metric": "occupancy",
            "rule": "occupancy over 400, windows: 2", "when": "over", "threshold": 400,
            // The rule names no step: it looks at the shortest that a zone has.
            "step": "5m", "windows": 2, "state": "firing",
            "since": "2026-11-20T12:10:00+01:00", "value": 460, "low": 410, "high": 510,
        });
        assert_eq!(stage.get(path).await.json(), json!([full, antennas]));
        let csv = stage.csv(path).await;
        assert_eq!(csv.lines().nth(2), Some("antennas,,,\"sensor gone, minutes: 10\",no_data,,,,"));
        assert_eq!(stage.get("/api/v1/venues/museum/alerts").await.status.as_u16(), 404);
    }
}
