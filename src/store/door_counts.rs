//! Door counts, as the office was told them.

use passant_wire::Id;
use sqlx::{Sqlite, Transaction};

use super::{Error, Store, at_secs, secs};
use crate::clock::{EpochMs, Window};

/// Hours that one transaction deletes, at most.
const PIECE_HOURS_MAX: i64 = 1_000;

/// An hour of a door counter to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorCount {
    /// The counter.
    pub door: Id,
    /// The hour.
    pub window: Window,
    /// People who came in; `None` is fewer than k.
    pub people_in: Option<u32>,
    /// People who went out; `None` is fewer than k.
    pub people_out: Option<u32>,
}

/// How much may be kept of a venue's doors.
#[derive(Clone, Copy, Debug)]
pub struct DoorLimits {
    /// Counters.
    pub doors: usize,
    /// Hours of each.
    pub hours: usize,
}

/// What became of hours that were to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoorsTaken {
    /// They are kept: so many are new, and so many were there with the same numbers.
    Kept {
        /// New ones.
        new: usize,
        /// Known ones.
        known: usize,
    },
    /// The hour that begins at this moment is there with other numbers; nothing was kept.
    Differs(EpochMs),
    /// There are too many counters; nothing was kept.
    TooManyDoors,
    /// There are too many hours of this counter; nothing was kept.
    TooManyHours,
}

#[derive(sqlx::FromRow)]
struct Row {
    door: String,
    from_secs: i64,
    to_secs: i64,
    people_in: Option<u32>,
    people_out: Option<u32>,
}

impl Store {
    /// Keeps hours of one door counter, all of them or none. An hour that is there with the same numbers stays as it is.
    ///
    /// # Errors
    /// When the database does not answer, or the venue was destroyed.
    pub async fn take_door_counts(
        &self,
        venue: &Id,
        counts: &[DoorCount],
        limits: DoorLimits,
        entered_at: EpochMs,
    ) -> Result<DoorsTaken, Error> {
        const DOING: &str = "keeping door counts";
        let mut transaction = self.write(DOING).await?;
        if self.is_shut(venue) {
            return Err(Error::Shut { doing: DOING });
        }
        let mut new = 0;
        for count in counts {
            if insert(&mut transaction, venue, count, entered_at).await.map_err(Error::while_doing(DOING))? {
                new += 1;
            } else if !is_there(&mut transaction, venue, count).await.map_err(Error::while_doing(DOING))? {
                return Ok(DoorsTaken::Differs(count.window.from));
            }
        }
        if let Some(beyond) = beyond(&mut transaction, venue, counts, limits).await? {
            return Ok(beyond);
        }
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        Ok(DoorsTaken::Kept { new, known: counts.len() - new })
    }

    /// The hours of a venue's doors that begin in a stretch of time, in order of time and then of the doors; at most so many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn door_counts(
        &self,
        venue: &Id,
        from: EpochMs,
        to: EpochMs,
        most: usize,
    ) -> Result<Vec<DoorCount>, Error> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT door, from_secs, to_secs, people_in, people_out FROM door_count \
             WHERE venue = $1 AND from_secs >= $2 AND from_secs < $3 ORDER BY from_secs, door LIMIT $4",
        )
        .bind(venue.as_str())
        .bind(secs(from))
        .bind(secs(to))
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await
        .map_err(Error::while_doing("reading door counts"))?;
        rows.into_iter().map(Row::read).collect()
    }

    /// The door counters of a venue of which anything is kept, in order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn doors(&self, venue: &Id) -> Result<Vec<Id>, Error> {
        const DOING: &str = "reading which doors there are";
        let words: Vec<String> = sqlx::query_scalar(DOORS)
            .bind(venue.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(Error::while_doing(DOING))?;
        words.iter().map(|word| Id::parse(word).ok_or(Error::Unknown { doing: DOING })).collect()
    }

    /// Removes the hours of a door counter that begin in a stretch of time. Gives how many went.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_door_counts(
        &self,
        venue: &Id,
        door: &Id,
        from: EpochMs,
        to: EpochMs,
    ) -> Result<u64, Error> {
        let done = sqlx::query(
            "DELETE FROM door_count WHERE venue = $1 AND door = $2 AND from_secs >= $3 AND from_secs < $4",
        )
        .bind(venue.as_str())
        .bind(door.as_str())
        .bind(secs(from))
        .bind(secs(to))
        .execute(&self.pool)
        .await
        .map_err(Error::while_doing("removing door counts"))?;
        Ok(done.rows_affected())
    }

    /// Deletes some door counts of a venue that began before a moment; `None` when none is left.
    ///
    /// # Errors
    /// When the database does not answer; what earlier pieces deleted stays deleted.
    pub async fn purge_door_counts(&self, venue: &Id, before: EpochMs) -> Result<Option<u64>, Error> {
        let done = sqlx::query(
            "DELETE FROM door_count WHERE venue = $1 AND (door, from_secs) IN \
             (SELECT door, from_secs FROM door_count WHERE venue = $1 AND from_secs < $2 \
              ORDER BY from_secs, door LIMIT $3)",
        )
        .bind(venue.as_str())
        .bind(secs(before))
        .bind(PIECE_HOURS_MAX)
        .execute(&self.pool)
        .await
        .map_err(Error::while_doing("deleting door counts that have outlived their time"))?;
        Ok(Some(done.rows_affected()).filter(|gone| *gone > 0))
    }
}

/// The doors of a venue, found without reading their hours.
const DOORS: &str = "WITH RECURSIVE known (door) AS ( \
     SELECT MIN(door) FROM door_count WHERE venue = $1 UNION ALL \
     SELECT (SELECT MIN(door) FROM door_count WHERE venue = $1 AND door > known.door) FROM known \
     WHERE known.door IS NOT NULL) \
     SELECT door FROM known WHERE door IS NOT NULL";

async fn insert(
    transaction: &mut Transaction<'static, Sqlite>,
    venue: &Id,
    count: &DoorCount,
    entered_at: EpochMs,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO door_count (venue, door, from_secs, to_secs, people_in, people_out, entered_at_secs) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(venue.as_str())
    .bind(count.door.as_str())
    .bind(secs(count.window.from))
    .bind(secs(count.window.to))
    .bind(count.people_in)
    .bind(count.people_out)
    .bind(secs(entered_at))
    .execute(&mut **transaction)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn is_there(
    transaction: &mut Transaction<'static, Sqlite>,
    venue: &Id,
    count: &DoorCount,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM door_count WHERE venue = $1 AND door = $2 AND from_secs = $3 \
         AND people_in IS $4 AND people_out IS $5)",
    )
    .bind(venue.as_str())
    .bind(count.door.as_str())
    .bind(secs(count.window.from))
    .bind(count.people_in)
    .bind(count.people_out)
    .fetch_one(&mut **transaction)
    .await
}

/// What is too many, with these counts among the others.
async fn beyond(
    transaction: &mut Transaction<'static, Sqlite>,
    venue: &Id,
    counts: &[DoorCount],
    limits: DoorLimits,
) -> Result<Option<DoorsTaken>, Error> {
    const DOING: &str = "counting what is kept of doors";
    let doors: Vec<String> = sqlx::query_scalar(DOORS)
        .bind(venue.as_str())
        .fetch_all(&mut **transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
    if doors.len() > limits.doors {
        return Ok(Some(DoorsTaken::TooManyDoors));
    }
    let Some(door) = counts.first().map(|count| &count.door) else { return Ok(None) };
    let hours: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM door_count WHERE venue = $1 AND door = $2")
        .bind(venue.as_str())
        .bind(door.as_str())
        .fetch_one(&mut **transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
    Ok(usize::try_from(hours).is_ok_and(|hours| hours > limits.hours).then_some(DoorsTaken::TooManyHours))
}

impl Row {
    fn read(self) -> Result<DoorCount, Error> {
        let door = Id::parse(&self.door).ok_or(Error::Unknown { doing: "reading door counts" })?;
        let window = Window { from: at_secs(self.from_secs), to: at_secs(self.to_secs) };
        Ok(DoorCount { door, window, people_in: self.people_in, people_out: self.people_out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;

    const LIMITS: DoorLimits = DoorLimits { doors: 2, hours: 3 };

    fn id(text: &str) -> Id {
        Id::parse(text).unwrap()
    }

    fn hour(door: &str, nth: i64, people_in: Option<u32>) -> DoorCount {
        let window = Window { from: EpochMs(nth * 3_600_000), to: EpochMs((nth + 1) * 3_600_000) };
        DoorCount { door: id(door), window, people_in, people_out: Some(40) }
    }

    async fn take(store: &Store, counts: &[DoorCount]) -> DoorsTaken {
        store.take_door_counts(&id("mall"), counts, LIMITS, EpochMs(5_000)).await.unwrap()
    }

    async fn kept(store: &Store) -> Vec<DoorCount> {
        store.door_counts(&id("mall"), EpochMs(0), EpochMs(1 << 60), 100).await.unwrap()
    }

    #[tokio::test]
    async fn an_hour_is_kept_once_and_with_other_numbers_nothing_is() {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(temp.path(), Kind::Real).await.unwrap();
        let first = [hour("north", 0, Some(50)), hour("north", 1, None)];
        assert_eq!(take(&store, &first).await, DoorsTaken::Kept { new: 2, known: 0 });
        let again = [hour("north", 1, None), hour("north", 2, Some(12))];
        assert_eq!(take(&store, &again).await, DoorsTaken::Kept { new: 1, known: 1 });
        for other in [Some(11), None] {
            let differs = [hour("south", 2, Some(1)), hour("north", 2, other)];
            assert_eq!(take(&store, &differs).await, DoorsTaken::Differs(EpochMs(7_200_000)), "{other:?}");
        }
        assert_eq!(kept(&store).await, [first[0].clone(), first[1].clone(), again[1].clone()]);
        assert_eq!(store.doors(&id("mall")).await.unwrap(), [id("north")], "the other door's hour went back");
    }

    #[tokio::test]
    async fn of_too_many_none_is_kept() {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(temp.path(), Kind::Real).await.unwrap();
        let hours: Vec<DoorCount> = (0..4).map(|nth| hour("north", nth, Some(50))).collect();
        assert_eq!(take(&store, &hours).await, DoorsTaken::TooManyHours);
        take(&store, &hours[..3]).await;
        take(&store, &[hour("south", 0, Some(50))]).await;
        assert_eq!(take(&store, &[hour("west", 0, Some(50))]).await, DoorsTaken::TooManyDoors);
        assert_eq!(store.doors(&id("mall")).await.unwrap(), [id("north"), id("south")]);
        assert_eq!(store.doors(&id("museum")).await.unwrap(), []);
        assert_eq!(kept(&store).await.len(), 4);
    }

    #[tokio::test]
    async fn hours_go_by_door_and_by_age_and_with_their_venue() {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(temp.path(), Kind::Real).await.unwrap();
        let mall = id("mall");
        for door in ["north", "south"] {
            take(&store, &(0..3).map(|nth| hour(door, nth, Some(50))).collect::<Vec<_>>()).await;
        }
        let second = hour("north", 1, None).window;
        let gone = store.delete_door_counts(&mall, &id("north"), second.from, second.to).await.unwrap();
        assert_eq!((gone, kept(&store).await.len()), (1, 5));
        assert_eq!(store.purge_door_counts(&mall, second.from).await.unwrap(), Some(2));
        assert_eq!(store.purge_door_counts(&mall, second.from).await.unwrap(), None);
        let erased = store.erase(&mall).await.unwrap();
        assert!(erased.rows.contains(&("door_count".to_owned(), 3)), "{:?}", erased.rows);
        assert_eq!((erased.left, kept(&store).await), (0, vec![]));
        let shut = store.take_door_counts(&mall, &[hour("north", 9, None)], LIMITS, EpochMs(0)).await;
        assert!(shut.unwrap_err().to_string().contains("was destroyed"));
    }
}
