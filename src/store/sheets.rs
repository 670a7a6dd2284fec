//! Sheets: written once with their cells, read by window.

use std::collections::BTreeMap;

use passant_wire::Id;
use sqlx::{QueryBuilder, Sqlite, Transaction};

use super::{Cutoffs, Error, Store, at_secs, secs};
use crate::clock::{EpochMs, Step, Window};
use crate::release::{Flags, Sheet, SheetCell, State, Subject};

/// How many cells one statement writes: ten values each, far below SQLite's 32,766.
const STATEMENT_ROWS_MAX: usize = 64;
/// The most sheets that one transaction deletes; each goes with its cells.
const PIECE_SHEETS_MAX: i64 = 32;

/// A sheet as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedSheet {
    /// Its window.
    pub window: Window,
    /// The cells that are told, in order.
    pub cells: Vec<SheetCell>,
    /// How many are counted in cells that are not told; `None` where that is not told.
    pub held_back: Option<u32>,
    /// What a reader must know.
    pub flags: Flags,
    /// The share of the window in which its sensors were alive, in thousandths.
    pub coverage_permille: u16,
    /// The version of the thresholds it was made under.
    pub thresholds: u32,
}

impl PublishedSheet {
    /// Final where any cell is told.
    #[must_use]
    pub fn state(&self) -> State {
        if self.cells.is_empty() { State::HeldBack } else { State::Final }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    from_secs: i64,
    to_secs: i64,
    held_back: Option<u32>,
    flags: i64,
    coverage_permille: u16,
    thresholds_version: u32,
}

#[derive(sqlx::FromRow)]
struct CellRow {
    from_secs: i64,
    cell_row: String,
    cell_column: String,
    value: u32,
    low: u32,
    high: u32,
}

#[derive(sqlx::FromRow)]
struct Name {
    zone: String,
    subject: String,
    step: String,
    from_secs: i64,
}

impl Store {
    /// Writes sheets with their cells in one transaction. A sheet that is there already stays as it is. Gives how many
    /// were new.
    ///
    /// # Errors
    /// When the database does not answer: none of them is written then, and the caller tries again.
    pub async fn append_sheets(&self, sheets: &[Sheet]) -> Result<u64, Error> {
        const DOING: &str = "writing sheets";
        let mut written = 0;
        let mut transaction = self.write(DOING).await?;
        // Asked under the lock: whoever erases a venue shuts it first, and then waits for the lock.
        for sheet in sheets.iter().filter(|sheet| !self.is_shut(sheet.venue())) {
            written += insert(&mut transaction, sheet).await.map_err(Error::while_doing(DOING))?;
        }
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        Ok(written)
    }

    /// The sheets of a zone or (`None`) the venue whose windows start in `[from, to)`, in order of time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sheets(
        &self,
        venue: &Id,
        zone: Option<&Id>,
        subject: Subject,
        step: Step,
        (from, to): (EpochMs, EpochMs),
    ) -> Result<Vec<PublishedSheet>, Error> {
        const DOING: &str = "reading sheets";
        // Both are read in one transaction, so that a sheet is not without its cells.
        let mut transaction = self.pool.begin().await.map_err(Error::while_doing(DOING))?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT from_secs, to_secs, held_back, flags, coverage_permille, thresholds_version FROM sheet \
             WHERE venue = $1 AND zone = $2 AND subject = $3 AND step = $4 AND from_secs >= $5 AND from_secs < $6 \
             ORDER BY from_secs",
        )
        .bind(venue.as_str())
        .bind(zone.map_or("", Id::as_str))
        .bind(subject.as_str())
        .bind(step.as_str())
        .bind(secs(from))
        .bind(secs(to))
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        let cells: Vec<CellRow> = sqlx::query_as(
            "SELECT from_secs, cell_row, cell_column, value, low, high FROM sheet_cell \
             WHERE venue = $1 AND zone = $2 AND subject = $3 AND step = $4 AND from_secs >= $5 AND from_secs < $6 \
             ORDER BY from_secs, cell_row, cell_column",
        )
        .bind(venue.as_str())
        .bind(zone.map_or("", Id::as_str))
        .bind(subject.as_str())
        .bind(step.as_str())
        .bind(secs(from))
        .bind(secs(to))
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        let mut of_window: BTreeMap<i64, Vec<SheetCell>> = BTreeMap::new();
        for cell in cells {
            of_window.entry(cell.from_secs).or_default().push(SheetCell::from(cell));
        }
        let sheet = |row: Row| {
            let cells = of_window.remove(&row.from_secs).unwrap_or_default();
            PublishedSheet::of(row, cells)
        };
        Ok(rows.into_iter().map(sheet).collect())
    }

    /// Deletes some sheets of a venue that have outlived their time, with their cells. Gives how many went, or that none is
    /// left to go.
    ///
    /// # Errors
    /// When the database does not answer; what earlier pieces deleted stays deleted.
    pub async fn purge_sheets(&self, venue: &Id, before: &Cutoffs) -> Result<Option<u64>, Error> {
        const DOING: &str = "deleting sheets that have outlived their time";
        let mut transaction = self.write(DOING).await?;
        let names: Vec<Name> = sqlx::query_as(
            "SELECT zone, subject, step, from_secs FROM sheet WHERE venue = $1 AND from_secs < $2 LIMIT $3",
        )
        .bind(venue.as_str())
        .bind(secs(before.coarse))
        .bind(PIECE_SHEETS_MAX)
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        for name in &names {
            for statement in [
                "DELETE FROM sheet_cell WHERE venue = $1 AND zone = $2 AND subject = $3 AND step = $4 AND from_secs = $5",
                "DELETE FROM sheet WHERE venue = $1 AND zone = $2 AND subject = $3 AND step = $4 AND from_secs = $5",
            ] {
                sqlx::query(statement)
                    .bind(venue.as_str())
                    .bind(&name.zone)
                    .bind(&name.subject)
                    .bind(&name.step)
                    .bind(name.from_secs)
                    .execute(&mut *transaction)
                    .await
                    .map_err(Error::while_doing(DOING))?;
            }
        }
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        Ok(Some(names.len() as u64).filter(|gone| *gone > 0))
    }
}

/// Writes a sheet with its cells, if it is not there. Gives how many sheets were new.
async fn insert(transaction: &mut Transaction<'static, Sqlite>, sheet: &Sheet) -> Result<u64, sqlx::Error> {
    let (window, zone) = (sheet.window(), sheet.zone().map_or("", Id::as_str));
    let new = sqlx::query(
        "INSERT INTO sheet (venue, zone, subject, step, from_secs, to_secs, held_back, flags, coverage_permille, \
         thresholds_version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
    )
    .bind(sheet.venue().as_str())
    .bind(zone)
    .bind(sheet.subject().as_str())
    .bind(sheet.step().as_str())
    .bind(secs(window.from))
    .bind(secs(window.to))
    .bind(sheet.held_back())
    .bind(sheet.flags().bits())
    .bind(sheet.coverage_permille())
    .bind(sheet.thresholds())
    .execute(&mut **transaction)
    .await?
    .rows_affected();
    if new == 0 {
        return Ok(0);
    }
    for some in sheet.cells().chunks(STATEMENT_ROWS_MAX) {
        let mut query = QueryBuilder::new(
            "INSERT INTO sheet_cell (venue, zone, subject, step, from_secs, cell_row, cell_column, value, low, high) ",
        );
        query.push_values(some, |mut row, cell| {
            let (value, low, high) = cell.value;
            row.push_bind(sheet.venue().as_str())
                .push_bind(zone)
                .push_bind(sheet.subject().as_str())
                .push_bind(sheet.step().as_str())
                .push_bind(secs(window.from))
                .push_bind(&cell.row)
                .push_bind(&cell.column)
                .push_bind(value)
                .push_bind(low)
                .push_bind(high);
        });
        query.build().execute(&mut **transaction).await?;
    }
    Ok(new)
}

impl PublishedSheet {
    fn of(row: Row, cells: Vec<SheetCell>) -> Self {
        Self {
            window: Window { from: at_secs(row.from_secs), to: at_secs(row.to_secs) },
            cells,
            held_back: row.held_back,
            flags: Flags::from_bits(row.flags),
            coverage_permille: row.coverage_permille,
            thresholds: row.thresholds_version,
        }
    }
}

impl From<CellRow> for SheetCell {
    fn from(row: CellRow) -> Self {
        let CellRow { cell_row, cell_column, value, low, high, .. } = row;
        Self { row: cell_row, column: cell_column, value: (value, low, high) }
    }
}

#[cfg(test)]
#[path = "sheets_tests.rs"]
mod tests;
