//! What is counted at a venue and what is kept, with the facts of this server: as a page, or as JSON.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State as From};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::words::PrivacyWords;
use super::{Chosen, Page, html};
use crate::api::{Problem, State};
use crate::config::Venue;

#[derive(Template)]
#[template(path = "privacy.html", config = ".askama.toml")]
struct Privacy<'a> {
    page: Page,
    w: &'a PrivacyWords,
    lead: String,
    who: Vec<(&'a str, &'a str)>,
    counted: Vec<String>,
    kept: Vec<String>,
    facts: Vec<(&'a str, String)>,
}

/// The same for programs.
#[derive(serde::Serialize)]
pub(super) struct Facts {
    venue: String,
    name: String,
    controller: Option<String>,
    contact: Option<String>,
    purpose: Option<String>,
    /// The least number of people a figure may be about.
    k: u32,
    visitor_secs: u32,
    engaged_secs: u32,
    outside_floor_dbm: i8,
    fine_days: u32,
    coarse_months: u32,
    last_key_wiped: Option<String>,
    last_purge: Option<String>,
    /// Rows of the list of objections to the nearest thousand, decoys among them.
    objections_about: u64,
    decoys_min: u64,
    decoys_max: u64,
    ledger_number: u64,
    ledger_hash: String,
}

pub(super) async fn page(
    From(state): From<State>,
    Path(venue): Path<String>,
    Query(chosen): Query<Chosen>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?;
    let facts = Facts::of(&state, venue).await?;
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accepts.contains("text/html") {
        return Ok(Json(facts).into_response());
    }
    let page = Page::of(&chosen, &headers, format!("/privacy/{}", venue.id));
    let (w, no_value) = (&page.language.words.privacy, page.language.words.no_value.as_str());
    let missing = w.missing.as_str();
    let shown = Privacy {
        lead: w.lead.replace("{venue}", &venue.name),
        who: vec![
            (&w.controller, venue.notice.controller.as_deref().unwrap_or(missing)),
            (&w.contact, venue.notice.contact.as_deref().unwrap_or(missing)),
            (&w.purpose, venue.notice.purpose.as_deref().unwrap_or(missing)),
        ],
        counted: facts.filled(&w.counted),
        kept: facts.filled(&w.kept),
        facts: facts.named(w, no_value),
        w,
        page,
    };
    Ok(html(StatusCode::OK, &shown))
}

impl Facts {
    pub(super) async fn of(state: &State, venue: &Venue) -> Result<Self, Problem> {
        let counted = state.desk.counted().await?;
        let (known, head) = (state.ledger.facts(&venue.id), state.ledger.head());
        let told = |at: Option<_>| at.map(|at| venue.calendar.rfc3339(at));
        Ok(Self {
            venue: venue.id.to_string(),
            name: venue.name.clone(),
            controller: venue.notice.controller.clone(),
            contact: venue.notice.contact.clone(),
            purpose: venue.notice.purpose.clone(),
            k: venue.thresholds.k,
            visitor_secs: venue.thresholds.visitor_secs,
            engaged_secs: venue.thresholds.engaged_secs,
            outside_floor_dbm: venue.thresholds.outside_floor_dbm,
            fine_days: state.retention.fine_days,
            coarse_months: state.retention.coarse_months,
            last_key_wiped: told(known.last_key_wiped),
            last_purge: told(known.last_purge),
            objections_about: counted.rows_about,
            decoys_min: counted.decoys_min,
            decoys_max: counted.decoys_max,
            ledger_number: head.number,
            ledger_hash: head.hex(),
        })
    }

    /// Sentences with their numbers in place.
    pub(super) fn filled(&self, sentences: &[String]) -> Vec<String> {
        let fill = |sentence: &String| {
            sentence
                .replace("{visitor_mins}", &self.visitor_secs.div_ceil(60).to_string())
                .replace("{floor}", &self.outside_floor_dbm.to_string().replace('-', "\u{2212}"))
                .replace("{k}", &self.k.to_string())
        };
        sentences.iter().map(fill).collect()
    }

    /// How long figures are kept.
    pub(super) fn retention(&self, w: &PrivacyWords) -> String {
        w.retention_value
            .replace("{fine_days}", &self.fine_days.to_string())
            .replace("{coarse_months}", &self.coarse_months.to_string())
    }

    /// The ledger's last line, where a text has a place for it.
    pub(super) fn ledger(&self, text: &str) -> String {
        text.replace("{number}", &self.ledger_number.to_string()).replace("{hash}", &self.ledger_hash)
    }

    fn named<'a>(&self, w: &'a PrivacyWords, no_value: &str) -> Vec<(&'a str, String)> {
        let or_none = |at: &Option<String>| at.as_deref().map_or(no_value.to_owned(), plainly);
        let objections = w
            .objections_value
            .replace("{rows}", &self.objections_about.to_string())
            .replace("{decoys_min}", &self.decoys_min.to_string())
            .replace("{decoys_max}", &self.decoys_max.to_string());
        vec![
            (&w.k, self.k.to_string()),
            (&w.retention, self.retention(w)),
            (&w.key_wiped, or_none(&self.last_key_wiped)),
            (&w.purged, or_none(&self.last_purge)),
            (&w.objections, objections),
            (&w.ledger, self.ledger(&w.ledger_value)),
        ]
    }
}

/// A moment as people write it down: the date, and hours and minutes of the venue's own clock.
fn plainly(rfc3339: &str) -> String {
    let (day, time) = rfc3339.split_once('T').unwrap_or((rfc3339, ""));
    format!("{day}, {}", time.get(..5).unwrap_or(time))
}
