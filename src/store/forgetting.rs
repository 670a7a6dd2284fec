//! What goes again: rows that have outlived their time, and everything of a venue that is destroyed.
//!
//! Rows go in bounded pieces, so that the writer of figures gets its turn between them. What is deleted is overwritten
//! in the file (`secure_delete`); the write-ahead log, which still holds the pages as they were, is cut to nothing after.

use passant_wire::Id;
use sqlx::{AssertSqlSafe, Sqlite, Transaction};

use super::{Error, FILE_NAME, Store, secs};
use crate::clock::{EpochMs, Step};

/// Rows that one transaction deletes, at most; it holds the write lock for some milliseconds.
const PIECE_ROWS_MAX: u64 = 1_000;
/// Series that one transaction looks at, at most.
const PIECE_SERIES_MAX: usize = 256;
/// A file larger than this is not rewritten when a venue is destroyed: the copy is made in memory.
const REWRITE_BYTES_MAX: u64 = 1 << 30;
/// Tries to cut the log; each waits for readers as long as any statement waits for a lock.
const CUT_TRIES_MAX: u32 = 3;

/// Figures whose windows began before these moments go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoffs {
    /// Windows of less than an hour.
    pub fine: EpochMs,
    /// Windows of hours and days, head counts and door counts.
    pub coarse: EpochMs,
}

/// A place among the series of a venue.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Series {
    scope: String,
    metric: String,
    step: String,
}

/// What one piece of a purge has done.
#[derive(Debug, PartialEq, Eq)]
pub struct Purged {
    /// Figures that went.
    pub figures: u64,
    /// Where the next piece begins; `None` when all are gone.
    pub next: Option<Series>,
}

/// What became of a venue that was erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Rows that went, by table.
    pub rows: Vec<(String, u64)>,
    /// Rows of the venue that were read back afterwards: none, or it has failed.
    pub left: u64,
    /// The database's log was cut to nothing.
    pub log_cut: bool,
    /// The database's file was written anew without what had been deleted; without that it is overwritten in place only.
    pub rewritten: bool,
}

impl Store {
    /// Deletes some figures of a venue that have outlived their time, from a place on.
    ///
    /// # Errors
    /// When the database does not answer; what earlier pieces deleted stays deleted.
    pub async fn purge_piece(&self, venue: &Id, before: &Cutoffs, from: Series) -> Result<Purged, Error> {
        const DOING: &str = "deleting figures that have outlived their time";
        let mut transaction = self.write(DOING).await?;
        let (mut after, mut figures) = (from, 0);
        let mut next = None;
        for looked_at in 0..=PIECE_SERIES_MAX {
            let series = series_after(&mut transaction, venue, &after).await;
            let Some(series) = series.map_err(Error::while_doing(DOING))? else { break };
            if looked_at == PIECE_SERIES_MAX {
                next = Some(after);
                break;
            }
            let step = Step::parse(&series.step).ok_or(Error::Unknown { doing: DOING })?;
            let cutoff = if step < Step::Hour { before.fine } else { before.coarse };
            let most = PIECE_ROWS_MAX - figures;
            let gone = delete(&mut transaction, venue, &series, cutoff, most).await;
            let gone = gone.map_err(Error::while_doing(DOING))?;
            figures += gone;
            if gone == most {
                // There may be more of the same.
                next = Some(after);
                break;
            }
            after = series;
        }
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        Ok(Purged { figures, next })
    }

    /// Deletes head counts of a venue that ended before a moment: what they taught is in the calibration.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn purge_head_counts(&self, venue: &Id, before: EpochMs) -> Result<u64, Error> {
        let done = sqlx::query("DELETE FROM head_count WHERE venue = $1 AND to_secs <= $2")
            .bind(venue.as_str())
            .bind(secs(before))
            .execute(&self.pool)
            .await
            .map_err(Error::while_doing("deleting head counts that have outlived their time"))?;
        Ok(done.rows_affected())
    }

    /// Folds the write-ahead log into the file and cuts it to nothing. Gives whether nobody stood in the way.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn cut_log(&self) -> Result<bool, Error> {
        for _ in 0..CUT_TRIES_MAX {
            let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
                .fetch_one(&self.pool)
                .await
                .map_err(Error::while_doing("cutting the database's log"))?;
            if busy == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Erases everything of a venue, for good: nothing of it is taken afterwards. To do it again changes nothing.
    ///
    /// # Errors
    /// When the database does not answer. What is gone stays gone; do it again.
    pub async fn erase(&self, venue: &Id) -> Result<Erased, Error> {
        const DOING: &str = "erasing a venue";
        self.shut(venue);
        let everything = Cutoffs { fine: EpochMs(i64::MAX), coarse: EpochMs(i64::MAX) };
        let mut figures = 0;
        let mut place = Some(Series::default());
        while let Some(from) = place {
            let piece = self.purge_piece(venue, &everything, from).await?;
            figures += piece.figures;
            place = piece.next;
        }
        let mut sheets = 0;
        while let Some(gone) = self.purge_sheets(venue, &everything).await? {
            sheets += gone;
        }
        let mut doors = 0;
        while let Some(gone) = self.purge_door_counts(venue, everything.coarse).await? {
            doors += gone;
        }
        let mut erased = Erased::default();
        for table in self.tables_of_venues().await? {
            let statement = format!("DELETE FROM {table} WHERE venue = $1");
            let done = sqlx::query(AssertSqlSafe(statement))
                .bind(venue.as_str())
                .execute(&self.pool)
                .await
                .map_err(Error::while_doing(DOING))?;
            let pieces = match table.as_str() {
                "figure" => figures,
                "sheet" => sheets,
                "door_count" => doors,
                _ => 0,
            };
            erased.rows.push((table, pieces + done.rows_affected()));
        }
        erased.rewritten = self.rewrite().await;
        erased.log_cut = self.cut_log().await?;
        erased.left = self.rows_of(venue).await?;
        Ok(erased)
    }

    /// How many rows of a venue there are, in all tables together.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rows_of(&self, venue: &Id) -> Result<u64, Error> {
        let mut rows = 0;
        for table in self.tables_of_venues().await? {
            let statement = format!("SELECT COUNT(*) FROM {table} WHERE venue = $1");
            let of_table: i64 = sqlx::query_scalar(AssertSqlSafe(statement))
                .bind(venue.as_str())
                .fetch_one(&self.pool)
                .await
                .map_err(Error::while_doing("counting the rows of a venue"))?;
            rows += of_table.unsigned_abs();
        }
        Ok(rows)
    }

    /// Every table with a column of that name, read from the database itself so that none is forgotten.
    async fn tables_of_venues(&self) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(
            "SELECT t.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c \
             WHERE t.type = 'table' AND c.name = 'venue' ORDER BY t.name",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(Error::while_doing("reading which tables speak of venues"))
    }

    /// Writes the file anew without its free pages. Gives whether that was done: a large file, or a disk without room,
    /// stays as it is, with what was deleted overwritten in place.
    async fn rewrite(&self) -> bool {
        let bytes: Result<i64, _> = sqlx::query_scalar(
            "SELECT c.page_count * s.page_size FROM pragma_page_count AS c, pragma_page_size AS s",
        )
        .fetch_one(&self.pool)
        .await;
        if bytes.map_or(true, |bytes| bytes.unsigned_abs() > REWRITE_BYTES_MAX) {
            tracing::warn!(
                "{FILE_NAME} is too large to be written anew; what was deleted is overwritten in place"
            );
            return false;
        }
        match sqlx::query("VACUUM").execute(&self.pool).await {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(%error, "{FILE_NAME} could not be written anew; what was deleted is overwritten in place");
                false
            }
        }
    }
}

/// The next series of a venue, found without reading its rows.
async fn series_after(
    transaction: &mut Transaction<'static, Sqlite>,
    venue: &Id,
    after: &Series,
) -> Result<Option<Series>, sqlx::Error> {
    sqlx::query_as(
        "SELECT scope, metric, step FROM figure WHERE venue = $1 AND (scope, metric, step) > ($2, $3, $4) \
         ORDER BY scope, metric, step LIMIT 1",
    )
    .bind(venue.as_str())
    .bind(&after.scope)
    .bind(&after.metric)
    .bind(&after.step)
    .fetch_optional(&mut **transaction)
    .await
}

/// Deletes at most so many figures of a series whose windows began before a moment.
async fn delete(
    transaction: &mut Transaction<'static, Sqlite>,
    venue: &Id,
    series: &Series,
    before: EpochMs,
    most: u64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "DELETE FROM figure WHERE venue = $1 AND scope = $2 AND metric = $3 AND step = $4 AND from_secs IN \
         (SELECT from_secs FROM figure WHERE venue = $1 AND scope = $2 AND metric = $3 AND step = $4 \
          AND from_secs < $5 ORDER BY from_secs LIMIT $6)",
    )
    .bind(venue.as_str())
    .bind(&series.scope)
    .bind(&series.metric)
    .bind(&series.step)
    .bind(secs(before))
    .bind(most.cast_signed())
    .execute(&mut **transaction)
    .await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
#[path = "forgetting_tests.rs"]
mod tests;
