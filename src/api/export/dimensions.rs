//! The dimensions: what the keys of the facts mean.

use chrono::Datelike;

use super::{Period, TableName, WHOLE_VENUE, row};
use crate::api::table::cell;
use crate::api::{Problem, State};
use crate::config::Venue;
use crate::release::Metric;

/// A dimension whole, its header first.
pub(super) async fn rows(
    state: &State,
    venue: &Venue,
    table: TableName,
) -> Result<Vec<Vec<String>>, Problem> {
    Ok(match table {
        TableName::DimZone => zones(venue),
        TableName::DimSensor => sensors(venue),
        TableName::DimMetric => metrics(),
        TableName::DimThresholds => thresholds(state, venue).await?,
        TableName::DimCalibration => calibrations(state, venue).await?,
        // These two have a period, and are written by it.
        TableName::FactFigures | TableName::DimDate => Vec::new(),
    })
}

fn zones(venue: &Venue) -> Vec<Vec<String>> {
    let mut rows = vec![
        row(["zone", "kind", "name", "group", "venue", "venue_name"]),
        row([WHOLE_VENUE, "venue", &venue.name, "", venue.id.as_str(), &venue.name]),
    ];
    for group in &venue.groups {
        let id = group.as_str();
        rows.push(row([id, "group", id, id, venue.id.as_str(), &venue.name]));
    }
    for zone in &venue.zones {
        let group = zone.group.and_then(|group| venue.groups.get(group)).map_or("", |group| group.as_str());
        rows.push(row([zone.id.as_str(), "zone", &zone.name, group, venue.id.as_str(), &venue.name]));
    }
    rows
}

fn sensors(venue: &Venue) -> Vec<Vec<String>> {
    let mut rows = vec![row(["sensor", "zone", "rssi_offset_db"])];
    for sensor in &venue.sensors {
        let zone = venue.zones.get(sensor.zone).map_or("", |zone| zone.id.as_str());
        rows.push(row([sensor.id.as_str(), zone, &sensor.rssi_offset_db.to_string()]));
    }
    rows
}

fn metrics() -> Vec<Vec<String>> {
    let lens = |metric: Metric| if metric.is_of_the_crowd() { "crowd" } else { "visits" };
    let header = row(["metric", "lens"]);
    let metrics = Metric::ALL.into_iter().map(|metric| row([metric.as_str(), lens(metric)]));
    std::iter::once(header).chain(metrics).collect()
}

/// Venue days by the date on which they start, with what is special about them.
pub(super) fn dates(venue: &Venue, period: Period) -> Vec<Vec<String>> {
    let mut rows = vec![row([
        "date",
        "starts_at",
        "ends_at",
        "hours",
        "year",
        "quarter",
        "month",
        "iso_year",
        "iso_week",
        "weekday",
        "is_ordinary",
        "holiday",
        "event",
    ])];
    for date in period.days() {
        let day = venue.calendar.day_of(venue.calendar.start_of(date)).window;
        let named = |kind| {
            let names = venue.events.iter().filter(|event| event.kind == kind && event.covers(date));
            names.map(|event| event.name.as_str()).collect::<Vec<_>>().join("; ")
        };
        rows.push(vec![
            date.to_string(),
            venue.calendar.rfc3339(day.from),
            venue.calendar.rfc3339(day.to),
            (day.to.since(day.from) / 3_600_000).to_string(),
            date.year().to_string(),
            (date.month0() / 3 + 1).to_string(),
            date.month().to_string(),
            date.iso_week().year().to_string(),
            date.iso_week().week().to_string(),
            date.weekday().number_from_monday().to_string(),
            u8::from(venue.is_ordinary(date)).to_string(),
            named(crate::config::EventKind::Holiday),
            named(crate::config::EventKind::Event),
        ]);
    }
    rows
}

async fn thresholds(state: &State, venue: &Venue) -> Result<Vec<Vec<String>>, Problem> {
    let versions = state.store.thresholds(&venue.id).await?;
    let rows = versions.into_iter().map(|(version, json)| vec![version.to_string(), json]);
    Ok(std::iter::once(row(["thresholds", "json"])).chain(rows).collect())
}

async fn calibrations(state: &State, venue: &Venue) -> Result<Vec<Vec<String>>, Problem> {
    let newest = state.store.calibration(&venue.id, None).await?.map_or(0, |row| row.version);
    let mut rows =
        vec![row(["calibration", "made_at", "head_counts", "scale", "power", "knee", "relative_band"])];
    // Version 0 is none: what is made under it is uncalibrated.
    rows.push(row(["0", "", "0", "", "", "", ""]));
    for version in 1..=newest {
        let Some(made) = state.store.calibration(&venue.id, Some(version)).await? else { continue };
        let thousandths = |part: u32| (f64::from(part) / 1000.0).to_string();
        rows.push(vec![
            version.to_string(),
            venue.calendar.rfc3339(made.made_at),
            made.counts.to_string(),
            thousandths(made.scale_milli),
            thousandths(made.power_milli),
            cell(made.knee_centi.map(|knee| f64::from(knee) / 100.0)),
            thousandths(made.kappa_permille),
        ]);
    }
    Ok(rows)
}
