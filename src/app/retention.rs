//! Forgetting: once a venue day, when the venue sleeps, what has outlived its time goes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chrono::NaiveDate;
use passant_wire::Id;
use tokio::sync::watch;

use crate::clock::{EpochMs, Machine};
use crate::config::{self, Venue};
use crate::desk::Desk;
use crate::ledger::{Event, Ledger};
use crate::office::Accounts;
use crate::release::Live;
use crate::store::{Cutoffs, Series, Store};
use crate::telemetry::Tally;

/// Venues' clocks are looked at this often.
const LOOK: Duration = Duration::from_secs(60);
/// The day before is closed and written this long after a day has begun, seconds: visits close 17 minutes after it.
const SLEEP_SECS: i64 = 30 * 60;
/// Between two pieces the writer of figures gets its turn.
const BREATH: Duration = Duration::from_millis(20);

/// The stage.
pub(super) struct Retention {
    pub(super) venues: Arc<Vec<Venue>>,
    pub(super) keep: config::Retention,
    pub(super) store: Store,
    pub(super) ledger: Ledger,
    pub(super) tally: Tally,
    pub(super) clock: Machine,
    pub(super) desk: Desk,
    pub(super) accounts: Accounts,
}

/// Where the newest judged moment of each venue is told.
pub(super) type Clocks = BTreeMap<Id, watch::Receiver<Option<Arc<Live>>>>;

impl Retention {
    /// Forgets for as long as the program runs.
    pub(super) async fn run(self, clocks: Arc<Clocks>) {
        let mut done: BTreeMap<Id, NaiveDate> = BTreeMap::new();
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if let Err(error) = self.count_objections().await {
                tracing::error!(%error, "the day's count of objections was not written down; trying again in a minute");
            }
            if let Err(error) = self.accounts.forget_ended(self.clock.now()).await {
                tracing::error!(%error, "sessions that have ended could not be deleted; trying again in a minute");
            }
            for venue in self.venues.iter() {
                let live = clocks.get(&venue.id).and_then(|live| live.borrow().clone());
                let Some(date) = live.and_then(|live| due(venue, live.at, done.get(&venue.id))) else {
                    continue;
                };
                match self.forget(venue, date.1).await {
                    Ok(_) => drop(done.insert(venue.id.clone(), date.0)),
                    Err(error) => {
                        tracing::error!(%error, venue = %venue.id, "old figures could not be deleted; trying again in a minute");
                    }
                }
            }
        }
    }

    /// Writes down how many objections are in force, rounded and with the decoys, once a day.
    async fn count_objections(&self) -> Result<()> {
        let now = self.clock.now();
        let day = |at: EpochMs| at.0.div_euclid(86_400_000);
        if self.ledger.objections_told().is_some_and(|told| day(told) == day(now)) {
            return Ok(());
        }
        let event = Event::Objections { rounded: self.desk.counted().await?.rows_about };
        let ledger = self.ledger.clone();
        tokio::task::spawn_blocking(move || ledger.append(now, &event)).await??;
        Ok(())
    }

    /// Deletes what a venue no longer keeps at a moment of its clock. Gives how many rows went.
    async fn forget(&self, venue: &Venue, at: EpochMs) -> Result<u64> {
        if self.store.is_shut(&venue.id) {
            return Ok(0);
        }
        let before = cutoffs(venue, self.keep, at);
        let (mut figures, mut place) = (0, Some(Series::default()));
        while let Some(from) = place {
            let piece = self.store.purge_piece(&venue.id, &before, from).await?;
            self.tally.purged(piece.figures);
            figures += piece.figures;
            place = piece.next;
            tokio::time::sleep(BREATH).await;
        }
        let mut sheets = 0;
        while let Some(gone) = self.store.purge_sheets(&venue.id, &before).await? {
            sheets += gone;
            tokio::time::sleep(BREATH).await;
        }
        let mut doors = 0;
        while let Some(gone) = self.store.purge_door_counts(&venue.id, before.coarse).await? {
            doors += gone;
            tokio::time::sleep(BREATH).await;
        }
        let rows = figures + sheets + doors + self.store.purge_head_counts(&venue.id, before.coarse).await?;
        if rows > 0 && !self.store.cut_log().await? {
            tracing::warn!("the database's log still holds deleted figures; it is cut after the next purge");
        }
        let (ledger, at) = (self.ledger.clone(), self.clock.now());
        let event = Event::Purged { venue: venue.id.clone(), rows };
        tokio::task::spawn_blocking(move || ledger.append(at, &event)).await??;
        tracing::info!(venue = %venue.id, rows, "what had outlived its time was deleted");
        Ok(rows)
    }
}

/// The date for which a venue has to forget at a moment of its clock, if it has not yet.
fn due(venue: &Venue, at: EpochMs, done: Option<&NaiveDate>) -> Option<(NaiveDate, EpochMs)> {
    let day = venue.calendar.day_of(at);
    let asleep = at >= day.window.from.plus_secs(SLEEP_SECS);
    (asleep && done != Some(&day.date)).then_some((day.date, at))
}

/// Where what is kept begins, by the venue's calendar.
fn cutoffs(venue: &Venue, keep: config::Retention, at: EpochMs) -> Cutoffs {
    Cutoffs {
        fine: venue.calendar.days_before(at, keep.fine_days),
        coarse: venue.calendar.months_before(at, keep.coarse_months),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Step, Window};
    use crate::config::Config;
    use crate::release::{Banded, Figure, Flags, Label, Metric, Scope};
    use crate::store::{Kind, NewHeadCount};

    fn at(text: &str) -> EpochMs {
        EpochMs(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    fn venue() -> Venue {
        Config::parse(config::EXAMPLE, std::iter::empty()).unwrap().venues.remove(0)
    }

    fn figure(step: Step, from: EpochMs) -> Figure {
        let venue = venue();
        let label = Label {
            venue: venue.id.clone(),
            scope: Scope::Venue,
            metric: Metric::Occupancy,
            step,
            window: venue.calendar.window_of(from, step),
            flags: Flags::default(),
            coverage_permille: 1000,
            thresholds: 1,
            calibration: 0,
        };
        Figure::for_tests(label, Some(Banded { value: 20, low: 10, high: 30 }), None)
    }

    async fn kept(store: &Store, step: Step) -> Vec<String> {
        let venue = venue();
        let (from, to) = (EpochMs(0), EpochMs(1 << 60));
        let series = store.series(&venue.id, None, Metric::Occupancy, step, from, to).await.unwrap();
        series.iter().map(|figure| venue.calendar.rfc3339(figure.window.from)).collect()
    }

    async fn retention(dir: &std::path::Path, store: Store) -> Retention {
        let (key, _) =
            crate::desk::open(&store, &crate::optout::KeyFile::new(dir.join("key"))).await.unwrap();
        let (venues, ledger) = (Arc::new(vec![venue()]), Ledger::open(dir).unwrap());
        Retention {
            desk: Desk::without_server(key, store.clone()),
            accounts: Accounts::open(venues.clone(), store.clone(), ledger.clone()).await.unwrap(),
            venues,
            keep: config::Retention::default(),
            store,
            ledger,
            tally: Tally::default(),
            clock: Machine::clock(),
        }
    }

    #[tokio::test]
    async fn minutes_go_after_ninety_days_and_hours_after_twenty_five_months_by_the_venues_calendar() {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(temp.path(), Kind::Real).await.unwrap();
        let venue = venue();
        // Around both edges, of which the first lies in summer time and the second too.
        let edges = ["2026-08-26T03:55:00+02:00", "2026-08-26T04:00:00+02:00"];
        let hours = ["2024-10-24T03:00:00+02:00", "2024-10-24T04:00:00+02:00"];
        let mut figures: Vec<Figure> = edges.iter().map(|edge| figure(Step::FiveMinutes, at(edge))).collect();
        figures.extend(edges.iter().map(|edge| figure(Step::QuarterHour, at(edge))));
        figures.extend(edges.iter().chain(&hours).map(|edge| figure(Step::Hour, at(edge))));
        figures.extend(hours.iter().map(|edge| figure(Step::Day, at(edge))));
        store.append(&figures).await.unwrap();
        for edge in hours {
            let to = at(edge);
            let count = NewHeadCount {
                venue: venue.id.clone(),
                zone: venue.zones[0].id.clone(),
                from: to.plus_secs(-300),
                to: to.plus_secs(300),
                people: 3,
                entered_at: to,
            };
            store.add_head_count(count).await.unwrap();
        }
        let stage = retention(temp.path(), store.clone()).await;
        let now = at("2026-11-24T04:30:00+01:00");
        assert_eq!(stage.forget(&venue, now).await.unwrap(), 5);
        assert_eq!(kept(&store, Step::FiveMinutes).await, [edges[1]]);
        assert_eq!(kept(&store, Step::QuarterHour).await, [edges[1]]);
        assert_eq!(kept(&store, Step::Hour).await, [hours[1], "2026-08-26T03:00:00+02:00", edges[1]]);
        assert_eq!(kept(&store, Step::Day).await, ["2024-10-24T04:00:00+02:00"]);
        assert_eq!(store.head_counts(&venue.id).await.unwrap().len(), 1);
        // Four figures and a head count; figures are counted, and the ledger knows of all of it.
        assert!(stage.tally.encode().contains("passant_purged_figures_total 4"));
        assert!(stage.ledger.facts(&venue.id).last_purge.is_some());
        let ledger = std::fs::read_to_string(temp.path().join("ledger.jsonl")).unwrap();
        assert!(ledger.contains("\"purged\",\"venue\":\"mall\",\"rows\":5"), "{ledger}");
        // Objections are told once a day, in thousands with the decoys.
        stage.count_objections().await.unwrap();
        stage.count_objections().await.unwrap();
        let ledger = std::fs::read_to_string(temp.path().join("ledger.jsonl")).unwrap();
        assert_eq!(ledger.matches("\"objections\",\"objections\":1").count(), 1, "{ledger}");
        // A day later the next ones are over, and not before.
        assert_eq!(stage.forget(&venue, at("2026-11-25T03:59:59+01:00")).await.unwrap(), 0);
        assert_eq!(stage.forget(&venue, at("2026-11-25T04:00:00+01:00")).await.unwrap(), 5);
    }

    #[test]
    fn it_is_due_once_a_venue_day_when_the_day_before_is_closed() {
        let venue = venue();
        let due = |now: &str, done: Option<&str>| {
            let done = done.map(|date| date.parse().unwrap());
            super::due(&venue, at(now), done.as_ref()).map(|(date, _)| date.to_string())
        };
        assert_eq!(due("2026-11-24T04:29:59+01:00", Some("2026-11-23")), None);
        assert_eq!(due("2026-11-24T04:30:00+01:00", Some("2026-11-23")).as_deref(), Some("2026-11-24"));
        assert_eq!(due("2026-11-24T23:00:00+01:00", Some("2026-11-24")), None);
        assert_eq!(due("2026-11-25T03:59:59+01:00", Some("2026-11-24")), None);
        // After a start in the middle of the day nobody knows of an earlier one.
        assert_eq!(due("2026-11-24T15:00:00+01:00", None).as_deref(), Some("2026-11-24"));
    }

    #[test]
    fn a_window_that_crosses_no_edge_is_kept_whole() {
        let venue = venue();
        let before = cutoffs(&venue, config::Retention::default(), at("2026-11-24T12:00:00+01:00"));
        for edge in [before.fine, before.coarse] {
            for step in Step::ALL {
                let Window { from, .. } = venue.calendar.window_of(edge, step);
                assert_eq!(from, edge, "{step:?}: a day's edge is the edge of every window");
            }
        }
    }
}
