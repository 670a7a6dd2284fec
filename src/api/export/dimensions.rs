//! The dimensions: what the keys of the facts mean.

use chrono::Datelike;

use super::{
    CROSS_VISITS, DOOR_IN, DOOR_OUT, DWELL, FLOWS, HEAD_COUNT, OUTSIDE, Period, TableName, WHOLE_VENUE,
    band_key, row,
};
use crate::api::dwell::Band;
use crate::api::table::cell;
use crate::api::{Problem, State};
use crate::config::Venue;
use crate::office::DoorCounts;
use crate::release::{Bands, Metric};

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
        TableName::DimBand => bands(),
        TableName::DimDoor => doors(state, venue).await?,
        TableName::DimThresholds => thresholds(state, venue).await?,
        TableName::DimCalibration => calibrations(state, venue).await?,
        // These have a period, and are written by it.
        TableName::FactFigures
        | TableName::FactFlows
        | TableName::FactCrossVisits
        | TableName::FactDwell
        | TableName::FactHeadCounts
        | TableName::FactDoorCounts
        | TableName::DimDate => Vec::new(),
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
    rows.push(row([OUTSIDE, "outside", "outside", "", venue.id.as_str(), &venue.name]));
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

/// What is counted, in which unit, and what kind of figure it is.
fn metrics() -> Vec<Vec<String>> {
    let mut rows = vec![row(["metric", "lens", "unit", "kind", "adds_up"])];
    for metric in Metric::ALL {
        let lens = if metric.is_of_the_crowd() { "crowd" } else { "visits" };
        let (unit, kind) = unit_and_kind(metric);
        rows.push(row([metric.as_str(), lens, unit, kind, if metric.adds_up() { "1" } else { "0" }]));
    }
    rows.extend([
        row([FLOWS, "visits", "visits", "count", "1"]),
        row([CROSS_VISITS, "visits", "percent", "share", "0"]),
        row([DWELL, "visits", "visits", "count", "1"]),
        row([HEAD_COUNT, "eye", "people", "mean", "0"]),
        row([DOOR_IN, "door", "people", "count", "1"]),
        row([DOOR_OUT, "door", "people", "count", "1"]),
    ]);
    rows
}

fn unit_and_kind(metric: Metric) -> (&'static str, &'static str) {
    match metric {
        Metric::Occupancy => ("people", "mean"),
        Metric::OccupancyPeak => ("people", "peak"),
        Metric::Footfall => ("people", "count"),
        Metric::Visits | Metric::Passersby | Metric::Bounces | Metric::Engaged => ("visits", "count"),
        Metric::Visitors | Metric::Infrastructure => ("devices", "count"),
        Metric::CaptureRate | Metric::StableShare => ("percent", "share"),
        Metric::DwellMean => ("minutes", "mean"),
        Metric::DwellP25 | Metric::DwellMedian | Metric::DwellP75 => ("minutes", "quantile"),
    }
}

/// The bands of every set; the last of each has no end.
fn bands() -> Vec<Vec<String>> {
    let mut rows = vec![row(["band", "bands", "from_min", "to_min"])];
    for set in Bands::ALL {
        for Band { from_min, to_min } in Band::all_of(set) {
            rows.push(row([&band_key(set, from_min), set.as_str(), &from_min.to_string(), &cell(to_min)]));
        }
    }
    rows
}

async fn doors(state: &State, venue: &Venue) -> Result<Vec<Vec<String>>, Problem> {
    let doors = DoorCounts::of(venue, &state.store).doors().await?;
    let rows = doors.iter().map(|door| row([door.as_str(), venue.id.as_str()]));
    Ok(std::iter::once(row(["door", "venue"])).chain(rows).collect())
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
