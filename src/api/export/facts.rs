//! The facts: what is published, read and sent in bounded pieces.

use std::io;

use axum::body::{Body, Bytes};
use chrono::{Days, NaiveDate};
use passant_wire::Id;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Fact, Period, WHOLE_VENUE, next, row};
use crate::api::State;
use crate::api::table::{cell, lines};
use crate::clock::{EpochMs, Step, Window};
use crate::config::Venue;
use crate::release::{Flags, Metric};
use crate::store::{Published, Store};

/// Pieces on their way to a client, at most; one that reads slowly holds up nobody but itself.
const PIECES_LEN_MAX: usize = 2;
/// The days of one piece: of five minutes that is 8,928 rows of one series.
const PIECE_DAYS: u64 = 31;

/// What a figure's row has.
pub(super) const COLUMNS: [&str; 17] = [
    "date",
    "from",
    "to",
    "zone",
    "metric",
    "step",
    "value",
    "low",
    "high",
    "state",
    "incomplete",
    "uncalibrated",
    "rekeyed",
    "replay",
    "coverage",
    "thresholds",
    "calibration",
];

/// What is written, and where it is read.
pub(super) struct Facts {
    pub(super) store: Store,
    pub(super) venue: Venue,
    pub(super) period: Period,
    pieces: mpsc::Sender<io::Result<Bytes>>,
    _place: OwnedSemaphorePermit,
}

/// A series of the venue.
struct Series {
    scope: Option<Id>,
    metric: Metric,
}

/// Begins to write the facts of a period.
pub(super) fn stream(
    state: &State,
    venue: &Venue,
    (fact, period): (Fact, Period),
    place: OwnedSemaphorePermit,
) -> Body {
    let (pieces, written) = mpsc::channel(PIECES_LEN_MAX);
    let facts = Facts { store: state.store.clone(), venue: venue.clone(), period, pieces, _place: place };
    tokio::spawn(facts.write(fact));
    Body::from_stream(ReceiverStream::new(written))
}

impl Facts {
    async fn write(self, fact: Fact) {
        let written = match fact {
            Fact::Figures => self.figures().await,
            Fact::Flows => self.flows().await,
            Fact::CrossVisits => self.cross_visits().await,
            Fact::Dwell(bands) => self.dwell(bands).await,
            Fact::HeadCounts => self.head_counts().await,
            Fact::DoorCounts => self.door_counts().await,
        };
        if let Err(error) = written {
            tracing::error!(error = &error as &dyn std::error::Error, "an export broke off");
            // The client sees a connection that ends early, and not a table that is short.
            let _ = self.pieces.send(Err(io::Error::other("the export broke off"))).await;
        }
    }

    async fn figures(&self) -> io::Result<()> {
        if !self.send(vec![row(COLUMNS)]).await? {
            return Ok(());
        }
        for series in series(&self.venue, self.period.step) {
            for (from, to) in self.pieces(PIECE_DAYS) {
                let figures = self.store.series(
                    &self.venue.id,
                    series.scope.as_ref(),
                    series.metric,
                    self.period.step,
                    from,
                    to,
                );
                let figures = figures.await.map_err(io::Error::other)?;
                let rows = figures.iter().map(|figure| self.row(&series, figure)).collect();
                if !self.send(rows).await? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Sends rows; false when the client has gone, or the venue was destroyed while they were read.
    pub(super) async fn send(&self, rows: Vec<Vec<String>>) -> io::Result<bool> {
        if self.store.is_shut(&self.venue.id) {
            return Ok(false);
        }
        if rows.is_empty() {
            return Ok(!self.pieces.is_closed());
        }
        let text = lines(rows).map_err(io::Error::other)?;
        Ok(self.pieces.send(Ok(text.into())).await.is_ok())
    }

    /// Stretches of the period, each of so many days and read at once.
    pub(super) fn pieces(&self, days: u64) -> impl Iterator<Item = (EpochMs, EpochMs)> + use<'_> {
        let Period { from, to, .. } = self.period;
        let mut first = from;
        std::iter::from_fn(move || {
            let begins = (first <= to).then_some(first)?;
            first = begins.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX).min(next(to));
            Some((self.venue.calendar.start_of(begins), self.venue.calendar.start_of(first)))
        })
    }

    fn row(&self, series: &Series, figure: &Published) -> Vec<String> {
        let Flags { incomplete, uncalibrated, rekeyed, replay } = figure.flags;
        let mut row = self.when(figure.window);
        row.extend([
            series.scope.as_ref().map_or(WHOLE_VENUE, Id::as_str).to_owned(),
            series.metric.as_str().to_owned(),
            self.period.step.as_str().to_owned(),
            cell(figure.value.map(|band| band.value)),
            cell(figure.value.map(|band| band.low)),
            cell(figure.value.map(|band| band.high)),
            figure.state().as_str().to_owned(),
            flag(incomplete),
            flag(uncalibrated),
            flag(rekeyed),
            flag(replay),
            (f64::from(figure.coverage_permille) / 1000.0).to_string(),
            figure.thresholds.to_string(),
            figure.calibration.to_string(),
        ]);
        row
    }

    /// The cells that say when: the venue day, and the window's ends.
    pub(super) fn when(&self, window: Window) -> Vec<String> {
        let calendar = &self.venue.calendar;
        vec![
            calendar.day_of(window.from).date.to_string(),
            calendar.rfc3339(window.from),
            calendar.rfc3339(window.to),
        ]
    }
}

/// A flag of a row.
pub(super) fn flag(set: bool) -> String {
    u8::from(set).to_string()
}

/// Every series that a venue has in a step: of the venue, of its groups, of its zones.
fn series(venue: &Venue, step: Step) -> impl Iterator<Item = Series> {
    let groups = venue.groups.iter().cloned().map(Some);
    let zones = venue.zones.iter().map(|zone| Some(zone.id.clone()));
    std::iter::once(None).chain(groups).chain(zones).flat_map(move |scope| {
        let metrics = Metric::ALL.into_iter().filter(move |metric| metric.has_step(step, true));
        metrics.map(move |metric| Series { scope: scope.clone(), metric })
    })
}
