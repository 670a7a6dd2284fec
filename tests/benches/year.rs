//! What a page asks for, with a year of published figures of 200 zones behind it: `cargo bench --bench year`. Each answer is
//! asked for many times, for other zones and periods each time, in this process and without a network. Fails when 95 of a
//! hundred do not come within 50 ms.
//!
//! The year takes some minutes to write. `PASSANT_YEAR_DIR` names a directory that keeps it for the next time,
//! `PASSANT_YEAR_DAYS` writes fewer days, and `PASSANT_YEAR_ZONES` makes a smaller venue.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use passant::api::{self, Access, State, Strangers};
use passant::clock::{EpochMs, Machine, Step};
use passant::config::{FINE_DAYS_MAX, Retention, Venue};
use passant::desk::{self, Desk};
use passant::ledger::Ledger;
use passant::office::{Accounts, HeadCounts};
use passant::optout::KeyFile;
use passant::store::{Kind, Store};
use passant::telemetry::Tally;
use tokio::sync::mpsc;
use tower::ServiceExt as _;

#[path = "../support/year.rs"]
mod year;

/// The venue's zones.
const ZONES: usize = 200;
/// How often each answer is asked for.
const TIMES: usize = 200;
/// What issue and promise ask for, ms.
const P95_MS_MAX: f64 = 50.0;

#[tokio::main]
async fn main() {
    let kept = std::env::var_os("PASSANT_YEAR_DIR");
    let temporary = tempfile::tempdir().expect("a directory");
    let dir = kept.as_deref().map_or(temporary.path(), Path::new);
    let set = |name: &str| std::env::var(name).ok().and_then(|number| number.parse().ok());
    let days = set("PASSANT_YEAR_DAYS").unwrap_or(365);
    let days = year::Days { all: days, fine: FINE_DAYS_MAX, tables: days };
    let zones = set("PASSANT_YEAR_ZONES").map_or(ZONES, |zones| zones as usize);
    let venue = Arc::new(year::read(&year::venue(zones)));
    // The figures of a bench can be written again, so the disk is not waited for.
    let store = Store::open(dir, Kind::Replay).await.expect("a store");
    if store.newest_end(&venue.id).await.expect("it answers").is_none() {
        let begun = stopwatch();
        let figures = year::publish(&store, &venue, days, |day| say(&format!("day {day}\r"))).await;
        say(&format!("{figures} figures of {} days in {:.0} s\n", days.all, begun.elapsed().as_secs_f64()));
    }
    let end = store.newest_end(&venue.id).await.expect("it answers").expect("there are figures");
    let router = api::router(state(dir, &store, vec![Venue::clone(&venue)]).await, Access::ThisMachine);
    let mut slow = Vec::new();
    for (name, path) in paths(&venue, end) {
        let mut times = Vec::new();
        let mut bytes = 0;
        for nth in 0..TIMES {
            let (took, len) = ask(&router, &path(nth)).await;
            times.push(took);
            bytes = bytes.max(len);
        }
        times.sort_unstable();
        let ms = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
        say(&format!(
            "{name:<44} median {:6.2} ms, p95 {:6.2} ms, at most {:6.2} ms, {bytes} bytes\n",
            ms(50),
            ms(95),
            ms(100)
        ));
        if ms(95) > P95_MS_MAX {
            slow.push(name);
        }
    }
    assert!(slow.is_empty(), "over {P95_MS_MAX} ms: {}", slow.join(", "));
}

/// A path by the number of its asking.
type Asking<'a> = Box<dyn Fn(usize) -> String + 'a>;

/// The year, as paths ask for it.
#[derive(Clone, Copy)]
struct Asked<'a> {
    venue: &'a Venue,
    /// The end of its newest window.
    end: EpochMs,
}

impl<'a> Asked<'a> {
    /// A moment on its last days, some way back, so that not the same pages of the database are read each time.
    fn late(self, nth: usize) -> EpochMs {
        self.end.plus_secs(-1 - (nth as i64 % 7) * 86_400)
    }

    /// A zone by the number of the asking, as a parameter, where every so many are asked for; or none.
    fn zone(self, of_zone: Option<usize>, nth: usize) -> String {
        of_zone.map_or(String::new(), |of| format!("&zone=z{}", (nth * of) % self.venue.zones.len()))
    }

    /// Some windows of a step.
    fn stretch(
        self,
        route: &'a str,
        metric: &'a str,
        step: Step,
        windows: i64,
        of_zone: Option<usize>,
    ) -> Asking<'a> {
        Box::new(move |nth| {
            let calendar = &self.venue.calendar;
            let to = calendar.window_of(self.late(nth), step).from;
            let from = calendar.window_of(to.plus_secs(-windows * step.secs()), step).from;
            let of_metric = if metric.is_empty() { String::new() } else { format!("&metric={metric}") };
            let (zone, word) = (self.zone(of_zone, nth), step.as_str());
            let (from, to) = (from.rfc3339(), to.rfc3339());
            format!("/api/v1/venues/mall/{route}?step={word}&from={from}&to={to}{of_metric}{zone}")
        })
    }

    /// Some days together.
    fn together(self, route: &'a str, days: i64) -> Asking<'a> {
        Box::new(move |nth| {
            let to = self.venue.calendar.day_of(self.late(nth)).window.from;
            let from = self.venue.calendar.day_of(to.plus_secs(-days * 86_400)).window.from;
            format!("/api/v1/venues/mall/{route}?from={}&to={}", from.rfc3339(), to.rfc3339())
        })
    }

    /// A usual day.
    fn typical(self, metric: &'a str, step: Step, of_zone: Option<usize>) -> Asking<'a> {
        Box::new(move |nth| {
            let day = self.venue.calendar.day_of(self.late(nth)).date;
            let (zone, word) = (self.zone(of_zone, nth), step.as_str());
            format!("/api/v1/venues/mall/typical?metric={metric}&day={day}&step={word}{zone}")
        })
    }
}

/// What pages ask for; each by the number of its asking, so that no answer is the one before.
fn paths(venue: &Venue, end: EpochMs) -> Vec<(&'static str, Asking<'_>)> {
    let year = Asked { venue, end };
    let of = |path: &'static str| -> Asking<'_> { Box::new(move |_| format!("/api/v1/venues/mall{path}")) };
    let series = |metric, step, windows, of_zone| year.stretch("figures", metric, step, windows, of_zone);
    vec![
        ("venues", Box::new(|_| "/api/v1/venues".to_owned())),
        ("the venue", of("")),
        ("live", of("/live")),
        ("sensors", of("/sensors")),
        ("alerts", of("/alerts")),
        ("head counts", of("/head-counts")),
        ("today's curve, 5 min", series("occupancy", Step::FiveMinutes, 288, None)),
        ("a zone's day, 5 min", series("occupancy", Step::FiveMinutes, 288, Some(37))),
        ("a zone's six days, 5 min (1,728 points)", series("occupancy", Step::FiveMinutes, 1_728, Some(37))),
        ("20 days by quarter-hours (1,920 points)", series("visits", Step::QuarterHour, 1_920, None)),
        ("a zone's month by hours", series("visitors", Step::Hour, 720, Some(37))),
        ("a zone's 80 days by hours (1,920 points)", series("visitors", Step::Hour, 1_920, Some(37))),
        ("a year by days", series("visitors", Step::Day, 350, None)),
        ("a zone's year by days", series("dwell_median", Step::Day, 350, Some(37))),
        ("ranking of a day's hours", year.stretch("ranking", "visitors", Step::Hour, 24, None)),
        ("ranking of a week's hours", year.stretch("ranking", "visitors", Step::Hour, 168, None)),
        ("ranking of a month by days", year.stretch("ranking", "visitors", Step::Day, 30, None)),
        ("ranking of a year by days", year.stretch("ranking", "visits", Step::Day, 350, None)),
        ("typical day, 5 min", year.typical("occupancy", Step::FiveMinutes, None)),
        ("typical day of a zone by hours", year.typical("visitors", Step::Hour, Some(37))),
        ("flows of a day", year.stretch("flows", "", Step::Day, 1, None)),
        ("flows of a day's hours", year.stretch("flows", "", Step::Hour, 24, None)),
        ("flows of a month together", year.together("flows/total", 30)),
        ("flows of a year together", year.together("flows/total", 365)),
        ("cross-visits of a day", year.stretch("cross-visits", "", Step::Day, 1, None)),
        ("cross-visits of a month together", year.together("cross-visits/mean", 30)),
        ("cross-visits of a year together", year.together("cross-visits/mean", 365)),
        ("dwell of a zone's day by hours", year.stretch("dwell", "", Step::Hour, 24, Some(37))),
        ("dwell of a zone's year by days", year.stretch("dwell", "", Step::Day, 365, Some(37))),
        ("dwell of the venue's month by days", year.stretch("dwell", "", Step::Day, 30, None)),
        ("dimension of zones", of("/export/dim_zone")),
        ("dimension of a year's dates", of("/export/dim_date?from=2025-11-24&to=2026-11-23")),
    ]
}

async fn ask(router: &axum::Router, path: &str) -> (Duration, usize) {
    let request = Request::builder().uri(path).header("host", "localhost").body(Body::empty());
    let begun = stopwatch();
    let response = router.clone().oneshot(request.expect("a request")).await.expect("an answer");
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let took = begun.elapsed();
    assert!(status.is_success(), "{path}: {}", String::from_utf8_lossy(&body));
    (took, body.len())
}

/// A server's state, with nobody in its venue just now.
async fn state(dir: &Path, store: &Store, venues: Vec<Venue>) -> State {
    let venues = Arc::new(venues);
    let key_file = KeyFile::new(dir.join("opt-out-key/key"));
    let (key, _) = desk::open(store, &key_file).await.expect("a list");
    let (lane, _) = mpsc::channel(1);
    let (changes, _) = mpsc::channel(1);
    let ledger = Ledger::open(dir).expect("a ledger");
    let accounts = Accounts::open(venues.clone(), store.clone(), ledger.clone());
    State {
        accounts: accounts.await.expect("accounts"),
        venues: venues.clone(),
        store: store.clone(),
        head_counts: HeadCounts::new(venues, store.clone(), changes),
        desk: Desk::new(key, store.clone(), lane),
        ledger,
        retention: Retention::default(),
        live: Arc::new(BTreeMap::new()),
        strangers: Strangers::default(),
        walks: Arc::default(),
        tally: Tally::default(),
        clock: Machine::clock(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench holds a stopwatch")]
fn stopwatch() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stderr, reason = "a bench tells what it measured")]
fn say(text: &str) {
    eprint!("{text}");
}
