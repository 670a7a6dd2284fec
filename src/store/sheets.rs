//! Sheets: written once with their cells, read by window; and what the days of tables of zone by zone add up to.

use std::collections::BTreeSet;

use passant_wire::Id;
use sqlx::{AssertSqlSafe, Sqlite, Transaction};

use super::cells::{self, CellSum, Sums};
use super::{Cutoffs, Error, Store, at_secs, secs};
use crate::clock::{EpochMs, Step, Window};
use crate::release::{Flags, Sheet, SheetCell, State, Subject};

/// The most sheets that one transaction deletes; each goes with its cells.
const PIECE_SHEETS_MAX: i64 = 32;
/// The days' sheets that start in so many seconds, counted from the epoch, are kept added up: 32 days. A year then is at most
/// eleven sums and 62 sheets.
const BLOCK_SECS: i64 = 32 * 86_400;

/// What is known of a sheet beside its cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetHead {
    /// Its window.
    pub window: Window,
    /// Final where any cell is told.
    pub state: State,
    /// How many are counted in cells that are not told; `None` where that is not told.
    pub held_back: Option<u32>,
    /// What a reader must know.
    pub flags: Flags,
    /// The share of the window in which its sensors were alive, in thousandths.
    pub coverage_permille: u16,
    /// The version of the thresholds it was made under.
    pub thresholds: u32,
}

/// A sheet as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedSheet {
    /// What is known of it.
    pub head: SheetHead,
    /// The cells that are told, in order.
    pub cells: Vec<SheetCell>,
}

/// Several days' sheets of a venue, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetTotal {
    /// What is known of each, in order of time.
    pub heads: Vec<SheetHead>,
    /// The sums of the cells that any of them tells, in order.
    pub cells: Vec<CellSum>,
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    from_secs: i64,
    to_secs: i64,
    is_told: bool,
    held_back: Option<u32>,
    flags: i64,
    coverage_permille: u16,
    thresholds_version: u32,
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: HeadRow,
    cells: String,
}

#[derive(sqlx::FromRow)]
struct SumRow {
    from_secs: i64,
    sheets: i64,
    cells: String,
}

#[derive(sqlx::FromRow)]
struct Name {
    zone: String,
    subject: String,
    step: String,
    from_secs: i64,
}

/// The columns of a `HeadRow`; the length of a text is known without reading it.
const HEAD: &str = "from_secs, to_secs, octet_length(cells) > 2 AS is_told, held_back, flags, coverage_permille, \
                    thresholds_version";

impl Store {
    /// Writes sheets with their cells in one transaction. A sheet that is there already stays as it is. Gives how many
    /// were new.
    ///
    /// # Errors
    /// When the database does not answer: none of them is written then, and the caller tries again.
    pub async fn append_sheets(&self, sheets: &[Sheet]) -> Result<u64, Error> {
        const DOING: &str = "writing sheets";
        let mut written = 0;
        let mut blocks = BTreeSet::new();
        let mut transaction = self.write(DOING).await?;
        // Asked under the lock: whoever erases a venue shuts it first, and then waits for the lock.
        for sheet in sheets.iter().filter(|sheet| !self.is_shut(sheet.venue())) {
            let is_new = insert(&mut transaction, sheet).await.map_err(Error::while_doing(DOING))?;
            written += u64::from(is_new);
            if is_new && is_summed(sheet) {
                blocks.insert((sheet.venue(), sheet.subject(), block_of(secs(sheet.window().from))));
            }
        }
        for (venue, subject, block) in blocks {
            add_up(&mut transaction, DOING, (venue, subject), block).await?;
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
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT {HEAD}, cells FROM sheet WHERE venue = $1 AND zone = $2 AND subject = $3 AND step = $4 \
             AND from_secs >= $5 AND from_secs < $6 ORDER BY from_secs"
        )))
        .bind(venue.as_str())
        .bind(zone.map_or("", Id::as_str))
        .bind(subject.as_str())
        .bind(step.as_str())
        .bind(secs(from))
        .bind(secs(to))
        .fetch_all(&self.pool)
        .await
        .map_err(Error::while_doing(DOING))?;
        rows.into_iter().map(|row| PublishedSheet::of(row).ok_or(Error::Unknown { doing: DOING })).collect()
    }

    /// The sheets of a venue's days that start in `[from, to)`, added up.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sheet_total(
        &self,
        venue: &Id,
        subject: Subject,
        (from, to): (EpochMs, EpochMs),
    ) -> Result<SheetTotal, Error> {
        const DOING: &str = "adding up sheets";
        let (from, to) = (secs(from), secs(to));
        // All is read in one transaction, so that a sum is of the sheets that are listed.
        let mut transaction = self.pool.begin().await.map_err(Error::while_doing(DOING))?;
        let heads: Vec<HeadRow> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT {HEAD} FROM sheet WHERE venue = $1 AND zone = '' AND subject = $2 AND step = '1d' \
             AND from_secs >= $3 AND from_secs < $4 ORDER BY from_secs"
        )))
        .bind(venue.as_str())
        .bind(subject.as_str())
        .bind(from)
        .bind(to)
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        let blocks: Vec<SumRow> = sqlx::query_as(
            "SELECT from_secs, sheets, cells FROM sheet_sum WHERE venue = $1 AND subject = $2 \
             AND from_secs >= $3 AND from_secs <= $4 ORDER BY from_secs",
        )
        .bind(venue.as_str())
        .bind(subject.as_str())
        .bind(from)
        .bind(to - BLOCK_SECS)
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        let mut sums = Sums::default();
        let mut rest = from;
        for block in blocks {
            let is_of_it = |head: &&HeadRow| block_of(head.from_secs) == block.from_secs;
            // A sum of other sheets than are there is none: of days that were written before sums were kept.
            if i64::try_from(heads.iter().filter(is_of_it).count()) != Ok(block.sheets) {
                continue;
            }
            add_days(&mut transaction, DOING, (venue, subject), (rest, block.from_secs), &mut sums).await?;
            sums.add_sums(&block.cells).ok_or(Error::Unknown { doing: DOING })?;
            rest = block.from_secs + BLOCK_SECS;
        }
        add_days(&mut transaction, DOING, (venue, subject), (rest, to), &mut sums).await?;
        Ok(SheetTotal { heads: heads.into_iter().map(SheetHead::from).collect(), cells: sums.into_cells() })
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
        // What some of them added up to goes with the first of them.
        sqlx::query("DELETE FROM sheet_sum WHERE venue = $1 AND from_secs < $2")
            .bind(venue.as_str())
            .bind(secs(before.coarse))
            .execute(&mut *transaction)
            .await
            .map_err(Error::while_doing(DOING))?;
        for name in &names {
            sqlx::query(
                "DELETE FROM sheet WHERE venue = $1 AND zone = $2 AND subject = $3 AND step = $4 AND from_secs = $5",
            )
            .bind(venue.as_str())
            .bind(&name.zone)
            .bind(&name.subject)
            .bind(&name.step)
            .bind(name.from_secs)
            .execute(&mut *transaction)
            .await
            .map_err(Error::while_doing(DOING))?;
        }
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        Ok(Some(names.len() as u64).filter(|gone| *gone > 0))
    }
}

/// Writes a sheet with its cells, if it is not there. Gives whether it was new.
async fn insert(transaction: &mut Transaction<'static, Sqlite>, sheet: &Sheet) -> Result<bool, sqlx::Error> {
    let window = sheet.window();
    let done = sqlx::query(
        "INSERT INTO sheet (venue, zone, subject, step, from_secs, to_secs, held_back, flags, coverage_permille, \
         thresholds_version, cells) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
    )
    .bind(sheet.venue().as_str())
    .bind(sheet.zone().map_or("", Id::as_str))
    .bind(sheet.subject().as_str())
    .bind(sheet.step().as_str())
    .bind(secs(window.from))
    .bind(secs(window.to))
    .bind(sheet.held_back())
    .bind(sheet.flags().bits())
    .bind(sheet.coverage_permille())
    .bind(sheet.thresholds())
    .bind(cells::to_text(sheet.cells()))
    .execute(&mut **transaction)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether what such sheets add up to is kept: tables of zone by zone are too large to be read day by day for a year.
fn is_summed(sheet: &Sheet) -> bool {
    let is_by_zones = matches!(sheet.subject(), Subject::Flows | Subject::CrossVisits);
    is_by_zones && sheet.step() == Step::Day && sheet.zone().is_none()
}

/// Where the block begins in which a sheet starts, s.
fn block_of(from_secs: i64) -> i64 {
    from_secs.div_euclid(BLOCK_SECS) * BLOCK_SECS
}

/// Writes anew what the sheets of a block add up to.
async fn add_up(
    transaction: &mut Transaction<'static, Sqlite>,
    doing: &'static str,
    (venue, subject): (&Id, Subject),
    block: i64,
) -> Result<(), Error> {
    let mut sums = Sums::default();
    let of = (block, block + BLOCK_SECS);
    let sheets = add_days(transaction, doing, (venue, subject), of, &mut sums).await?;
    sqlx::query(
        "INSERT INTO sheet_sum (venue, subject, from_secs, sheets, cells) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT DO UPDATE SET sheets = excluded.sheets, cells = excluded.cells",
    )
    .bind(venue.as_str())
    .bind(subject.as_str())
    .bind(block)
    .bind(sheets)
    .bind(sums.to_text())
    .execute(&mut **transaction)
    .await
    .map_err(Error::while_doing(doing))?;
    Ok(())
}

/// Adds a venue's daily sheets that start in `[from, to)`. Gives how many there are.
async fn add_days(
    transaction: &mut Transaction<'static, Sqlite>,
    doing: &'static str,
    (venue, subject): (&Id, Subject),
    (from, to): (i64, i64),
    sums: &mut Sums,
) -> Result<i64, Error> {
    let texts: Vec<String> = sqlx::query_scalar(
        "SELECT cells FROM sheet WHERE venue = $1 AND zone = '' AND subject = $2 AND step = '1d' \
         AND from_secs >= $3 AND from_secs < $4",
    )
    .bind(venue.as_str())
    .bind(subject.as_str())
    .bind(from)
    .bind(to)
    .fetch_all(&mut **transaction)
    .await
    .map_err(Error::while_doing(doing))?;
    for text in &texts {
        sums.add_sheet(text).ok_or(Error::Unknown { doing })?;
    }
    Ok(i64::try_from(texts.len()).unwrap_or(i64::MAX))
}

impl PublishedSheet {
    fn of(row: Row) -> Option<Self> {
        Some(Self { cells: cells::of_text(&row.cells)?, head: row.head.into() })
    }
}

impl From<HeadRow> for SheetHead {
    fn from(row: HeadRow) -> Self {
        Self {
            window: Window { from: at_secs(row.from_secs), to: at_secs(row.to_secs) },
            state: if row.is_told { State::Final } else { State::HeldBack },
            held_back: row.held_back,
            flags: Flags::from_bits(row.flags),
            coverage_permille: row.coverage_permille,
            thresholds: row.thresholds_version,
        }
    }
}

#[cfg(test)]
#[path = "sheets_tests.rs"]
mod tests;
