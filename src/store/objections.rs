//! The list of objections: marks among decoys, by the hash of a receipt.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection as _, QueryBuilder};

use super::{Error, Store};
use crate::optout::{CheckValue, Decoy, LONG_BITS, ObjectionMark, ReceiptHash, SHORT_BITS, SHORT_MARKS_MAX};

/// Rows of one statement, so that a long list is written in few.
const ROWS_PER_STATEMENT: usize = 500;

/// A mark as the database keeps it.
#[derive(sqlx::FromRow)]
struct MarkRow {
    bits: u8,
    mark: u32,
}

impl Store {
    /// The value by which the list knows its key; `None` when there is no list yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn objections_check(&self) -> Result<Option<CheckValue>, Error> {
        const DOING: &str = "reading whose list of objections this is";
        let kept: Option<Vec<u8>> = sqlx::query_scalar("SELECT check_value FROM objection_key")
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::while_doing(DOING))?;
        kept.map(|bytes| bytes.try_into().map_err(|_| Error::Unknown { doing: DOING })).transpose()
    }

    /// Begins the list: its key's check value and its decoys, in one transaction.
    ///
    /// # Errors
    /// When the database does not answer, or there is a list already.
    pub async fn begin_objections(&self, check: &CheckValue, decoys: &[Decoy]) -> Result<(), Error> {
        const DOING: &str = "beginning the list of objections";
        let mut transaction = self.write(DOING).await?;
        sqlx::query("INSERT INTO objection_key (only_row, check_value) VALUES (1, $1)")
            .bind(check.as_slice())
            .execute(&mut *transaction)
            .await
            .map_err(Error::while_doing(DOING))?;
        let rows: Vec<_> = decoys.iter().map(|decoy| (decoy.receipt, decoy.mark)).collect();
        insert(&mut transaction, &rows).await.map_err(Error::while_doing(DOING))?;
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        // The log's pages would tell which objection came last.
        self.cut_log().await?;
        Ok(())
    }

    /// Every mark, in no order of time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn objections(&self) -> Result<Vec<ObjectionMark>, Error> {
        let rows: Vec<MarkRow> = sqlx::query_as("SELECT bits, mark FROM objection")
            .fetch_all(&self.pool)
            .await
            .map_err(Error::while_doing("reading the list of objections"))?;
        Ok(rows.into_iter().map(MarkRow::read).collect())
    }

    /// How many rows the list has, decoys and all.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn objections_len(&self) -> Result<u64, Error> {
        sqlx::query_scalar("SELECT count(*) FROM objection")
            .fetch_one(&self.pool)
            .await
            .map_err(Error::while_doing("counting the list of objections"))
    }

    /// Keeps an objection under its receipt: the short mark, or the long one where the short ones are many. Returns
    /// which. The same statements run whatever the list holds.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_objection(
        &self,
        receipt: &ReceiptHash,
        [short, long]: [ObjectionMark; 2],
    ) -> Result<ObjectionMark, Error> {
        const DOING: &str = "keeping an objection";
        let row: MarkRow = sqlx::query_as(
            "INSERT INTO objection (receipt, bits, mark) \
             SELECT $1, CASE WHEN many THEN $2 ELSE $3 END, CASE WHEN many THEN $4 ELSE $5 END \
             FROM (SELECT count(DISTINCT mark) >= $6 AS many FROM objection WHERE bits = $3) \
             RETURNING bits, mark",
        )
        .bind(receipt.as_slice())
        .bind(LONG_BITS)
        .bind(SHORT_BITS)
        .bind(long.number)
        .bind(short.number)
        .bind(SHORT_MARKS_MAX)
        .fetch_one(&self.pool)
        .await
        .map_err(Error::while_doing(DOING))?;
        self.cut_log().await?;
        Ok(row.read())
    }

    /// The mark that is in force under a receipt; `None` when there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn objection(&self, receipt: &ReceiptHash) -> Result<Option<ObjectionMark>, Error> {
        let row: Option<MarkRow> = sqlx::query_as("SELECT bits, mark FROM objection WHERE receipt = $1")
            .bind(receipt.as_slice())
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::while_doing("looking up an objection"))?;
        Ok(row.map(MarkRow::read))
    }

    /// Takes an objection off the list. Returns its mark; `None` when there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_objection(&self, receipt: &ReceiptHash) -> Result<Option<ObjectionMark>, Error> {
        const DOING: &str = "withdrawing an objection";
        let row: Option<MarkRow> =
            sqlx::query_as("DELETE FROM objection WHERE receipt = $1 RETURNING bits, mark")
                .bind(receipt.as_slice())
                .fetch_optional(&self.pool)
                .await
                .map_err(Error::while_doing(DOING))?;
        self.cut_log().await?;
        Ok(row.map(MarkRow::read))
    }

    /// Adds the objections of another database's list, a restored backup's, where this list has none of that receipt.
    /// Returns the marks that came back.
    ///
    /// # Errors
    /// When either database does not answer, or the other's list was made under another key.
    pub async fn merge_objections(&self, other: &Path) -> Result<Vec<ObjectionMark>, Error> {
        const DOING: &str = "merging a list of objections";
        let mut theirs = SqliteConnectOptions::new()
            .filename(other)
            .read_only(true)
            .disable_statement_logging()
            .connect()
            .await
            .map_err(Error::while_doing("opening the other list of objections"))?;
        let check: Option<Vec<u8>> = sqlx::query_scalar("SELECT check_value FROM objection_key")
            .fetch_optional(&mut theirs)
            .await
            .map_err(Error::while_doing("reading the other list of objections"))?;
        if check.as_deref() != self.objections_check().await?.as_ref().map(<[u8; 16]>::as_slice) {
            return Err(Error::ForeignObjections);
        }
        let rows: Vec<(Vec<u8>, u8, u32)> = sqlx::query_as("SELECT receipt, bits, mark FROM objection")
            .fetch_all(&mut theirs)
            .await
            .map_err(Error::while_doing("reading the other list of objections"))?;
        let _ = theirs.close().await;
        let rows: Vec<(ReceiptHash, ObjectionMark)> = rows
            .into_iter()
            .filter_map(|(receipt, bits, number)| {
                Some((receipt.try_into().ok()?, ObjectionMark { bits, number }))
            })
            .collect();
        let mut transaction = self.write(DOING).await?;
        let back = insert(&mut transaction, &rows).await.map_err(Error::while_doing(DOING))?;
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        self.cut_log().await?;
        Ok(back)
    }
}

impl MarkRow {
    fn read(self) -> ObjectionMark {
        ObjectionMark { bits: self.bits, number: self.mark }
    }
}

/// Inserts rows whose receipt is not there. Returns the marks of those.
async fn insert(
    connection: &mut SqliteConnection,
    rows: &[(ReceiptHash, ObjectionMark)],
) -> Result<Vec<ObjectionMark>, sqlx::Error> {
    let mut inserted = Vec::new();
    for some in rows.chunks(ROWS_PER_STATEMENT) {
        let mut insert = QueryBuilder::new("INSERT INTO objection (receipt, bits, mark) ");
        insert.push_values(some, |mut row, (receipt, mark)| {
            row.push_bind(receipt.as_slice()).push_bind(mark.bits).push_bind(mark.number);
        });
        insert.push(" ON CONFLICT (receipt) DO NOTHING RETURNING bits, mark");
        let new: Vec<MarkRow> = insert.build_query_as().fetch_all(&mut *connection).await?;
        inserted.extend(new.into_iter().map(MarkRow::read));
    }
    Ok(inserted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;

    fn marks(number: u32) -> [ObjectionMark; 2] {
        [ObjectionMark { bits: SHORT_BITS, number }, ObjectionMark { bits: LONG_BITS, number: number + 7 }]
    }

    fn decoy(number: u32) -> Decoy {
        let mut receipt = [0; 32];
        receipt[..4].copy_from_slice(&number.to_le_bytes());
        Decoy { receipt, mark: marks(number)[0] }
    }

    async fn store(dir: &Path) -> Store {
        let store = Store::open(dir, Kind::Real).await.unwrap();
        store.begin_objections(&[3; 16], &[decoy(1), decoy(2)]).await.unwrap();
        store
    }

    #[tokio::test]
    async fn an_objection_is_kept_by_its_receipt_and_taken_off_by_it() {
        let temp = tempfile::tempdir().unwrap();
        let store = store(temp.path()).await;
        assert_eq!(store.objections_check().await.unwrap(), Some([3; 16]));
        assert!(store.begin_objections(&[4; 16], &[]).await.is_err(), "there is one list");
        let kept = store.add_objection(&[9; 32], marks(5)).await.unwrap();
        assert_eq!(kept, marks(5)[0]);
        assert_eq!(store.objection(&[9; 32]).await.unwrap(), Some(kept));
        assert_eq!(store.objections_len().await.unwrap(), 3);
        assert_eq!(store.remove_objection(&[9; 32]).await.unwrap(), Some(kept));
        assert_eq!(store.remove_objection(&[9; 32]).await.unwrap(), None);
        assert_eq!(store.objection(&[9; 32]).await.unwrap(), None);
    }

    #[tokio::test]
    async fn past_two_percent_a_mark_is_a_long_one_and_nobody_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(temp.path(), Kind::Real).await.unwrap();
        let many: Vec<Decoy> = (0..SHORT_MARKS_MAX - 1).map(decoy).collect();
        store.begin_objections(&[3; 16], &many).await.unwrap();
        let last = store.add_objection(&[8; 32], marks(1_000_000)).await.unwrap();
        assert_eq!(last.bits, SHORT_BITS);
        let long = store.add_objection(&[9; 32], marks(1_000_001)).await.unwrap();
        assert_eq!(long, marks(1_000_001)[1]);
        store.remove_objection(&[8; 32]).await.unwrap();
        assert_eq!(store.add_objection(&[10; 32], marks(1_000_002)).await.unwrap().bits, SHORT_BITS);
    }

    /// How many different statements one connection has prepared when an objection has been added to a list.
    async fn statements_of(list: &[u32], objection: u32) -> usize {
        let temp = tempfile::tempdir().unwrap();
        let opened = store(temp.path()).await;
        let options = opened.pool.connect_options().as_ref().clone();
        opened.close().await;
        let one = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
        let store = Store { pool: one.connect_with(options).await.unwrap(), ..opened };
        for number in list.iter().chain([&objection]) {
            let mut receipt = [0; 32];
            crate::chance::fill(&mut receipt).unwrap();
            store.add_objection(&receipt, marks(*number)).await.unwrap();
        }
        let connection = store.pool.acquire().await.unwrap();
        connection.cached_statements_size()
    }

    #[tokio::test]
    async fn the_same_statements_run_whether_or_not_a_mark_was_there() {
        // A statement that only one of them runs would be one more, or one less.
        let to_a_new_mark = statements_of(&[], 50).await;
        assert!(to_a_new_mark > 0, "statements are counted");
        for (list, what) in
            [(&[] as &[u32], "a decoy's"), (&[1], "one objected to before"), (&[50, 51], "among others")]
        {
            assert_eq!(statements_of(list, 1).await, to_a_new_mark, "{what}");
        }
    }

    #[tokio::test]
    async fn a_restored_list_is_merged_and_a_foreign_one_is_not() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (ours, theirs) = (store(here.path()).await, store(there.path()).await);
        theirs.add_objection(&[7; 32], marks(70)).await.unwrap();
        theirs.close().await;
        let file = there.path().join(crate::store::FILE_NAME);
        assert_eq!(ours.merge_objections(&file).await.unwrap(), [marks(70)[0]]);
        assert_eq!(ours.merge_objections(&file).await.unwrap(), []);
        let elsewhere = tempfile::tempdir().unwrap();
        let foreign = Store::open(elsewhere.path(), Kind::Real).await.unwrap();
        foreign.begin_objections(&[4; 16], &[]).await.unwrap();
        let refused = foreign.merge_objections(&file).await.unwrap_err().to_string();
        assert!(refused.contains("another key"), "{refused}");
    }

    #[tokio::test]
    async fn nothing_tells_which_objection_came_last() {
        let temp = tempfile::tempdir().unwrap();
        let store = store(temp.path()).await;
        for first in [200, 100, 150] {
            store.add_objection(&[first; 32], marks(u32::from(first))).await.unwrap();
        }
        let log = std::fs::metadata(temp.path().join("passant.db-wal")).map_or(0, |about| about.len());
        assert_eq!(log, 0, "the log would hold the last ones");
        let order: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT receipt FROM objection").fetch_all(&store.pool).await.unwrap();
        assert!(order.is_sorted(), "rows lie by the hash of their receipt");
    }
}
