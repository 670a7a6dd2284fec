//! Facts that were counted without phones: heads by eye, and people by doors.

use std::io;

use super::facts::Facts;
use super::{DOOR_IN, DOOR_OUT, HEAD_COUNT, row};
use crate::api::asked::POINTS_MAX;
use crate::api::table::cell;
use crate::clock::{Step, Window};
use crate::office::DoorCounts;
use crate::release::State;

/// The days of one piece of door counts: every hour of as many doors as a venue may have is fewer than an answer's most.
const PIECE_DAYS: u64 = 1;

/// What a row of head counts has.
pub(super) const HEAD_COLUMNS: [&str; 9] =
    ["date", "from", "to", "zone", "metric", "value", "state", "head_count", "entered_at"];
/// What a row of door counts has.
pub(super) const DOOR_COLUMNS: [&str; 8] = ["date", "from", "to", "door", "metric", "step", "value", "state"];

impl Facts {
    /// Head counts that begin in the period. Their number is bounded by the office.
    pub(super) async fn head_counts(&self) -> io::Result<()> {
        let counts = self.store.head_counts(&self.venue.id).await.map_err(io::Error::other)?;
        let calendar = &self.venue.calendar;
        let is_asked_for = |date| self.period.from <= date && date <= self.period.to;
        let mut rows = vec![row(HEAD_COLUMNS)];
        for row in counts.iter().filter(|row| is_asked_for(calendar.day_of(row.count.from).date)) {
            let mut cells = self.when(Window { from: row.count.from, to: row.count.to });
            cells.extend([
                row.count.zone.to_string(),
                HEAD_COUNT.to_owned(),
                row.count.people.to_string(),
                State::Final.as_str().to_owned(),
                row.id.to_string(),
                calendar.rfc3339(row.count.entered_at),
            ]);
            rows.push(cells);
        }
        self.send(rows).await?;
        Ok(())
    }

    /// Hours of door counters: a row an hour and direction. What is fewer than k was never kept.
    pub(super) async fn door_counts(&self) -> io::Result<()> {
        if !self.send(vec![row(DOOR_COLUMNS)]).await? {
            return Ok(());
        }
        let office = DoorCounts::of(&self.venue, &self.store);
        for (from, to) in self.pieces(PIECE_DAYS) {
            let hours = office.list(from, to, POINTS_MAX + 1).await.map_err(io::Error::other)?;
            if hours.len() > POINTS_MAX {
                return Err(io::Error::other("a day has more door counts than doors and hours allow"));
            }
            let mut rows = Vec::new();
            for hour in &hours {
                for (metric, people) in [(DOOR_IN, hour.people_in), (DOOR_OUT, hour.people_out)] {
                    let state = if people.is_some() { State::Final } else { State::HeldBack };
                    let mut cells = self.when(hour.window);
                    cells.extend([hour.door.to_string(), metric.to_owned(), Step::Hour.as_str().to_owned()]);
                    cells.extend([cell(people), state.as_str().to_owned()]);
                    rows.push(cells);
                }
            }
            if !self.send(rows).await? {
                return Ok(());
            }
        }
        Ok(())
    }
}
