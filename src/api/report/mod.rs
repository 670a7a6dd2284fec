//! The weekly report of a venue: one page of A4, written by the server, from published figures alone.

mod chart;
#[cfg(test)]
mod tests;
mod week;
mod words;

use std::sync::LazyLock;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State as From};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use chrono::{Datelike, Days, NaiveDate, Weekday};

use self::week::{Row, Week};
use self::words::ReportWords;
use super::pages::{Asset, source};
use super::shopper::words::choose;
use super::{Problem, Served, State};
use crate::config::{CLOSED, Venue};

/// The style of the report: light, for paper.
const STYLE: &str = "/assets/report.css";

/// The most holidays and events that the page has room for.
const NAMED_SHOWN_MAX: usize = 5;

static STYLE_SHEET: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(STYLE, "text/css; charset=utf-8", source!("report/report.css").to_owned()));

/// Which week, and in which language.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// An ISO week, like `2026-W47`; without it the last one that is over.
    week: Option<String>,
    lang: Option<String>,
}

#[derive(Template)]
#[template(path = "report.html", config = ".askama.toml")]
struct Report<'a> {
    code: &'a str,
    w: &'a ReportWords,
    venue: &'a str,
    week: String,
    unfinished: bool,
    /// What the headline counts.
    counted: &'a str,
    headline: Option<Figure>,
    days: Vec<Line>,
    /// Drawn by the server.
    curve: String,
    zones: Vec<Line>,
    /// How many zones the page has no room for.
    zones_more: Option<String>,
    named: Vec<String>,
    notes: Vec<String>,
    printed: String,
}

/// A number as it is printed.
struct Figure {
    value: String,
    band: String,
    /// Against the usual.
    against: Option<String>,
}

/// A row of a table.
struct Line {
    name: String,
    figure: Option<Figure>,
    /// Width of its bar, thousandths of the widest.
    bar: u32,
    remark: String,
}

/// The routes of the report.
pub(super) fn routes() -> Router<Served> {
    Router::new()
        .route("/venues/{venue}/report", get(page))
        .route(STYLE, get(async |headers: HeaderMap| STYLE_SHEET.answer(&headers)))
}

async fn page(
    From(state): From<State>,
    Path(venue): Path<String>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let Query(asked) = asked.map_err(|_| {
        Problem::bad_request("a parameter is unknown or named twice; there are week and lang")
    })?;
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let (code, words) = words::of(&choose(asked.lang.as_deref(), accepted).code);
    let now = state.newest(venue).map_or_else(|| state.clock.now(), |live| live.at);
    let today = venue.calendar.day_of(now).date;
    let monday = monday(asked.week.as_deref(), today)?;
    let week = Week::read(&state.store, venue, monday).await?;
    let report = Report::new(venue, &week, today, (code, words));
    match report.render() {
        Ok(text) => Ok((StatusCode::OK, Html(text)).into_response()),
        Err(error) => {
            tracing::error!(%error, "a report could not be written");
            Err(Problem::of(StatusCode::INTERNAL_SERVER_ERROR))
        }
    }
}

/// The Monday of a week that has begun.
fn monday(asked: Option<&str>, today: NaiveDate) -> Result<NaiveDate, Problem> {
    let this = today.checked_sub_days(Days::new(today.weekday().num_days_from_monday().into()));
    let Some(this) = this else { return Err(Problem::of(StatusCode::BAD_REQUEST)) };
    let Some(text) = asked else {
        return Ok(this.checked_sub_days(Days::new(7)).unwrap_or(this));
    };
    let monday = text.split_once("-W").and_then(|(year, week)| {
        NaiveDate::from_isoywd_opt(year.parse().ok()?, week.parse().ok()?, Weekday::Mon)
    });
    let monday =
        monday.ok_or_else(|| Problem::bad_request("week must be an ISO week; ask like ?week=2026-W47"))?;
    if monday > this {
        return Err(Problem::bad_request("that week has not begun; ask for one that has"));
    }
    Ok(monday)
}

impl<'a> Report<'a> {
    fn new(venue: &'a Venue, week: &Week, today: NaiveDate, (code, w): (&'a str, &'a ReportWords)) -> Self {
        let days = week.days.iter().map(|day| {
            let mut line = Line::new(w, w.day(day.date), &day.row, week.largest_day());
            line.remark = remark(venue, day.date, &day.row, w);
            line
        });
        let shown: Vec<_> = week.zones.iter().take(week::ZONES_SHOWN_MAX).collect();
        let largest = shown.iter().filter_map(|(_, row)| row.sum.map(|sum| sum.value)).max();
        let zones = shown.iter().map(|(name, row)| Line::new(w, name.clone(), row, largest));
        let more = week.zones.len() - shown.len();
        Self {
            code,
            w,
            venue: &venue.name,
            week: w.week_of(week.monday),
            unfinished: today <= week.sunday(),
            counted: if week.is_footfall { &w.footfall } else { &w.visitors },
            headline: Figure::of(w, &week.total),
            days: days.collect(),
            curve: chart::draw(&week.hours, &w.weekdays, &w.curve, |number| w.number(number)),
            zones: zones.collect(),
            zones_more: (more > 0).then(|| w.zones_more.replace("{count}", &w.number(more as u32))),
            named: named(venue, week, w),
            notes: notes(venue, week, w),
            printed: w.printed.replace("{date}", &w.date(today)),
        }
    }
}

impl Figure {
    fn of(w: &ReportWords, row: &Row) -> Option<Self> {
        let sum = row.sum?;
        let band = w.band.replace("{low}", &w.number(sum.low)).replace("{high}", &w.number(sum.high));
        Some(Self {
            value: w.number(sum.value),
            band,
            against: row.against().map(|against| w.against(against)),
        })
    }
}

impl Line {
    fn new(w: &ReportWords, name: String, row: &Row, largest: Option<u32>) -> Self {
        let figure = Figure::of(w, row);
        let bar = row.sum.zip(largest.filter(|largest| *largest > 0));
        let bar = bar.map_or(0, |(sum, largest)| (u64::from(sum.value) * 1000 / u64::from(largest)) as u32);
        // A sum of some of the days is not of them all, and the page says of how many it is.
        let remark = match row.days_shown {
            shown if shown > 0 && shown < row.days => {
                w.days_of.replace("{shown}", &shown.to_string()).replace("{days}", &row.days.to_string())
            }
            _ => String::new(),
        };
        Self { name, figure, bar, remark }
    }
}

/// What there is to say about a day.
fn remark(venue: &Venue, date: NaiveDate, row: &Row, w: &ReportWords) -> String {
    let mut said: Vec<&str> =
        venue.events.iter().filter(|event| event.covers(date)).map(|event| event.name.as_str()).collect();
    match venue.hours.special_day(date).as_deref() {
        Some(CLOSED) => said.push(&w.closed),
        Some(_) => said.push(&w.other_hours),
        None => {}
    }
    if row.incomplete {
        said.push(&w.incomplete);
    }
    said.join(", ")
}

/// The holidays and events of the week, with their days.
fn named(venue: &Venue, week: &Week, w: &ReportWords) -> Vec<String> {
    let of_week = venue.events.iter().filter(|event| event.from <= week.sunday() && event.to >= week.monday);
    of_week
        .take(NAMED_SHOWN_MAX)
        .map(|event| match event.from == event.to {
            true => format!("{}: {}", event.name, w.date(event.from)),
            false => format!("{}: {} – {}", event.name, w.date(event.from), w.date(event.to)),
        })
        .collect()
}

/// What a reader must know about the numbers.
fn notes(venue: &Venue, week: &Week, w: &ReportWords) -> Vec<String> {
    let mut notes = vec![if week.is_footfall { w.footfall_note.clone() } else { w.visitors_note.clone() }];
    notes.push(
        w.held_back
            .replace("{held_back}", &w.number(week.held_back))
            .replace("{all}", &w.number(week.all))
            .replace("{k}", &venue.thresholds.k.to_string()),
    );
    notes.push(match week.total.days_compared {
        0 => w.no_usual.clone(),
        days => w.usual_note.replace("{days}", &days.to_string()),
    });
    if week.uncalibrated {
        notes.push(w.uncalibrated.clone());
    }
    notes
}
