//! Head counts, as the office was told them.

use passant_wire::Id;

use super::{Error, Store, at_secs, secs};
use crate::clock::EpochMs;

/// A head count to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHeadCount {
    /// The venue.
    pub venue: Id,
    /// The zone.
    pub zone: Id,
    /// The first moment of the count.
    pub from: EpochMs,
    /// The first moment after it.
    pub to: EpochMs,
    /// People counted.
    pub people: u32,
    /// When it was entered, by the machine's clock, to the second.
    pub entered_at: EpochMs,
}

/// A head count that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadCountRow {
    /// Its number: never given twice.
    pub id: i64,
    /// The count.
    pub count: NewHeadCount,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    zone: String,
    from_secs: i64,
    to_secs: i64,
    people: u32,
    entered_at_secs: i64,
}

impl Store {
    /// Keeps a head count.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_head_count(&self, count: NewHeadCount) -> Result<HeadCountRow, Error> {
        const DOING: &str = "keeping a head count";
        let mut transaction = self.write(DOING).await?;
        if self.is_shut(&count.venue) {
            return Err(Error::Shut { doing: DOING });
        }
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO head_count (venue, zone, from_secs, to_secs, people, entered_at_secs) \
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        )
        .bind(count.venue.as_str())
        .bind(count.zone.as_str())
        .bind(secs(count.from))
        .bind(secs(count.to))
        .bind(count.people)
        .bind(secs(count.entered_at))
        .fetch_one(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        Ok(HeadCountRow { id, count })
    }

    /// The head counts of a venue in order of time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn head_counts(&self, venue: &Id) -> Result<Vec<HeadCountRow>, Error> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, zone, from_secs, to_secs, people, entered_at_secs FROM head_count \
             WHERE venue = $1 ORDER BY from_secs, zone, id",
        )
        .bind(venue.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(Error::while_doing("reading head counts"))?;
        rows.into_iter().map(|row| row.read(venue)).collect()
    }

    /// Removes a head count of a venue and gives it back; `None` if there is none of that number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_head_count(&self, venue: &Id, id: i64) -> Result<Option<HeadCountRow>, Error> {
        let row: Option<Row> = sqlx::query_as(
            "DELETE FROM head_count WHERE venue = $1 AND id = $2 \
             RETURNING id, zone, from_secs, to_secs, people, entered_at_secs",
        )
        .bind(venue.as_str())
        .bind(id)
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::while_doing("removing a head count"))?;
        row.map(|row| row.read(venue)).transpose()
    }
}

impl Row {
    fn read(self, venue: &Id) -> Result<HeadCountRow, Error> {
        let zone = Id::parse(&self.zone).ok_or(Error::Unknown { doing: "reading head counts" })?;
        let count = NewHeadCount {
            venue: venue.clone(),
            zone,
            from: at_secs(self.from_secs),
            to: at_secs(self.to_secs),
            people: self.people,
            entered_at: at_secs(self.entered_at_secs),
        };
        Ok(HeadCountRow { id: self.id, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;

    #[tokio::test]
    async fn head_counts_come_back_in_order_and_a_number_is_never_given_twice() {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(temp.path(), Kind::Real).await.unwrap();
        let (mall, museum) = (Id::parse("mall").unwrap(), Id::parse("museum").unwrap());
        let count = |from: i64, people| NewHeadCount {
            venue: mall.clone(),
            zone: Id::parse("hall").unwrap(),
            from: EpochMs(from * 1000),
            to: EpochMs((from + 300) * 1000),
            people,
            entered_at: EpochMs(5_000),
        };
        let late = store.add_head_count(count(600, 12)).await.unwrap();
        let early = store.add_head_count(count(0, 7)).await.unwrap();
        assert_eq!(store.head_counts(&mall).await.unwrap(), [early.clone(), late]);
        assert_eq!(store.head_counts(&museum).await.unwrap(), []);
        assert_eq!(store.delete_head_count(&museum, early.id).await.unwrap(), None);
        assert_eq!(store.delete_head_count(&mall, early.id).await.unwrap(), Some(early.clone()));
        assert_eq!(store.delete_head_count(&mall, early.id).await.unwrap(), None);
        assert!(store.add_head_count(count(0, 7)).await.unwrap().id > early.id);
    }
}
