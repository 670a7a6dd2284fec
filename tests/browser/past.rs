//! Weeks that a mall has published before its day begins, with a story to find in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate};
use passant::aggregate::{Covered, Drawn, Moves, Place, ZoneWindow};
use passant::clock::{EpochMs, Step};
use passant::config::Venue;
use passant::release::Judge;
use passant::store::{Kind, Store};

use super::server::Server;
use super::year::{self, Days, Story};

/// What has a name in the mall's calendar.
pub(crate) const EVENTS: &str = r#"
[[venue.event]]
name = "Works at the north entrance"
from = "2025-11-03"
to = "2025-12-19"
[[venue.event]]
name = "New shop windows"
from = "2025-11-10"
to = "2025-11-16"
[[venue.event]]
name = "Christmas market"
from = "2025-11-17"
to = "2025-11-23"
[[venue.event]]
name = "Concert"
from = "2025-11-22"
"#;
/// The group of each zone.
pub(crate) const GROUPS: [(&str, &str); 9] = [
    ("north", "west-wing"),
    ("walk", "west-wing"),
    ("books", "west-wing"),
    ("court", "east-wing"),
    ("market", "east-wing"),
    ("garden", "east-wing"),
    ("shoes", "floor-2"),
    ("toys", "floor-2"),
    ("pets", "floor-2"),
];
/// Places of zones in the mall's list.
const NORTH: usize = 0;
const WEST: [usize; 3] = [NORTH, 1, 2];
const EAST: [usize; 3] = [4, 5, 7];
/// The food court, the market, and home and garden: where visits go from one to the other.
const COURT: u16 = 4;
const MARKET: u16 = 5;
const GARDEN: u16 = 7;
/// Zones hold so many times as many people as in a year of a large mall.
const FULL: f64 = 3.0;
/// Mondays at the venue's hour: seven weeks before the mall's day, and one week a year before its newest.
const WEEKS_FROM: EpochMs = EpochMs(1_759_716_000_000);
const WEEKS: u32 = 7;
const YEAR_BEFORE_FROM: EpochMs = EpochMs(1_731_898_800_000);

/// The date of a venue day that begins in the small hours.
fn date(day: EpochMs) -> NaiveDate {
    DateTime::from_timestamp_millis(day.0).expect("a time").date_naive()
}

fn is_between(day: EpochMs, first: &str, last: &str) -> bool {
    let edge = |text: &str| text.parse::<NaiveDate>().expect("a date");
    (edge(first)..=edge(last)).contains(&date(day))
}

/// How full a zone is: half as full a year before; the north entrance loses most by the works; the concert fills the west wing out of
/// the east one.
fn people(zone: usize, day: EpochMs) -> f64 {
    let year = if date(day) < date(WEEKS_FROM) { 0.5 } else { 1.0 };
    let works = if zone == NORTH && is_between(day, "2025-11-03", "2025-12-19") { 0.4 } else { 1.0 };
    let concert = match zone {
        _ if !is_between(day, "2025-11-22", "2025-11-22") => 1.0,
        zone if WEST.contains(&zone) => 2.0,
        zone if EAST.contains(&zone) => 0.25,
        _ => 1.0,
    };
    FULL * year * works * concert
}

/// While the shop windows are new fewer only pass by.
fn passing(day: EpochMs) -> f64 {
    if is_between(day, "2025-11-10", "2025-11-16") { 0.3 } else { 1.0 }
}

/// Stops a server, publishes the weeks, and starts it again.
pub(crate) fn publish(server: &mut Server, venues: &str) {
    server.stop();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(&server.directory().join("data"), Kind::Replay).await.expect("a store");
        let venue = Arc::new(year::read(venues));
        for (from, weeks) in [(YEAR_BEFORE_FROM, 1), (WEEKS_FROM, WEEKS)] {
            let (days, story) =
                (Days { all: 7 * weeks, fine: 0, tables: 0 }, Story { from, people, passing });
            assert!(year::publish_story(&store, &venue, days, story, |_| ()).await > 0);
        }
        publish_tables(&store, &venue).await;
        store.close().await;
    });
    server.start_again();
}

/// The tables of each day of the weeks: who visited the food court was in the market, and more often in home and garden.
async fn publish_tables(store: &Store, venue: &Arc<Venue>) {
    let mut judge = Judge::new(venue.clone(), 1, None);
    let mut at = WEEKS_FROM;
    for _ in 0..7 * WEEKS {
        let window = venue.calendar.day_of(at).window;
        let rows = vec![(Place::Venue, Covered { coverage: 1.0, beating: 1.0, row: moves() })];
        let sheets = judge.tables(&ZoneWindow { step: Step::Day, window, rows });
        store.append_sheets(&sheets).await.expect("the store takes it");
        at = window.to;
    }
}

fn moves() -> Moves {
    let drawn = |all: u64| Drawn { all, drawn: all * 7 / 8, people: (all * 7 / 8) as u32 };
    let flows = [
        ((None, Some(COURT)), 900),
        ((Some(COURT), Some(MARKET)), 200),
        ((Some(COURT), Some(GARDEN)), 500),
        ((Some(MARKET), None), 200),
        ((Some(GARDEN), None), 500),
        ((Some(COURT), None), 200),
    ];
    let together = [
        ((COURT, COURT), 900),
        ((COURT, MARKET), 200),
        ((COURT, GARDEN), 500),
        ((MARKET, MARKET), 200),
        ((GARDEN, GARDEN), 500),
    ];
    Moves {
        came: drawn(900),
        moved: drawn(700),
        flows: flows.map(|(way, all)| (way, drawn(all))).into(),
        first: BTreeMap::from([(COURT, 900)]),
        last: BTreeMap::from([(COURT, 200), (MARKET, 200), (GARDEN, 500)]),
        together: together.map(|(pair, all)| (pair, drawn(all))).into(),
        ..Moves::default()
    }
}
