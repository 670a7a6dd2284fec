//! Which rows share a message: those of at most a second, and at most a hundred.

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::capture::Row;

/// The capture time one message spans at most, ms.
pub const BATCH_MS_MAX: i64 = 1000;

/// The sightings one message of a replay carries at most.
pub const BATCH_ROWS_MAX: usize = 100;

/// Rows in order of time, cut into batches.
#[derive(Debug)]
pub struct Batches(Peekable<IntoIter<Row>>);

impl Batches {
    /// Cuts rows that are in order of time.
    #[must_use]
    pub fn of(rows: Vec<Row>) -> Self {
        Self(rows.into_iter().peekable())
    }
}

impl Iterator for Batches {
    type Item = Vec<Row>;

    fn next(&mut self) -> Option<Vec<Row>> {
        let first = self.0.next()?;
        let end = first.at + BATCH_MS_MAX;
        let mut batch = vec![first];
        while batch.len() < BATCH_ROWS_MAX {
            let Some(row) = self.0.next_if(|row| row.at <= end) else { break };
            batch.push(row);
        }
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use passant_wire::DeviceId;

    use super::*;

    fn cut(times: impl IntoIterator<Item = i64>) -> Vec<Vec<i64>> {
        let row = |at| Row { at, rssi: -60, device: DeviceId::parse("a4c138112233").unwrap() };
        let batches = Batches::of(times.into_iter().map(row).collect());
        batches.map(|batch| batch.iter().map(|row| row.at).collect()).collect()
    }

    #[test]
    fn a_second_is_the_most_a_batch_spans() {
        assert_eq!(
            cut([0, 400, 1000, 1001, 1900, 2001, 2002]),
            [vec![0, 400, 1000], vec![1001, 1900, 2001], vec![2002]]
        );
        assert!(cut([]).is_empty());
    }

    #[test]
    fn a_hundred_rows_are_the_most_a_batch_holds() {
        let lens: Vec<_> = cut(std::iter::repeat_n(7, 250)).iter().map(Vec::len).collect();
        assert_eq!(lens, [100, 100, 50]);
    }
}
