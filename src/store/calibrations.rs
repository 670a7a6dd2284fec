//! The versions that figures refer to: thresholds and calibrations. A version never changes.

use passant_wire::Id;

use super::{Error, Store, at_secs, secs};
use crate::clock::EpochMs;

/// A calibration in plain numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalibrationRow {
    /// The venue.
    pub venue: Id,
    /// Its version, from 1.
    pub version: u32,
    /// A, people for one unit of v^p, thousandths.
    pub scale_milli: u32,
    /// p, the power of v that people grow with, thousandths.
    pub power_milli: u32,
    /// v* above which the law is square, hundredths; `None` while it is not frozen.
    pub knee_centi: Option<u32>,
    /// Relative width of the band, thousandths.
    pub kappa_permille: u32,
    /// How many head counts stand behind it.
    pub counts: u32,
    /// The sum of the head counts, people.
    pub people_sum: u64,
    /// The sum of v^p over the counted windows, hundredths.
    pub root_sum_centi: u64,
    /// When it was made, by the venue's clock, to the second.
    pub made_at: EpochMs,
}

#[derive(sqlx::FromRow)]
struct Row {
    version: u32,
    scale_milli: u32,
    power_milli: u32,
    knee_centi: Option<u32>,
    kappa_permille: u32,
    counts: u32,
    people_sum: i64,
    root_sum_centi: i64,
    made_at_secs: i64,
}

impl Store {
    /// The version of a venue's thresholds: the newest if they are the same text, else the next, from 1.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn thresholds_version(&self, venue: &Id, json: &str) -> Result<u32, Error> {
        const DOING: &str = "numbering the thresholds";
        let mut transaction = self.write(DOING).await?;
        let newest: Option<(u32, String)> = sqlx::query_as(
            "SELECT version, json FROM thresholds WHERE venue = $1 ORDER BY version DESC LIMIT 1",
        )
        .bind(venue.as_str())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        let version = match newest {
            Some((version, same)) if same == json => return Ok(version),
            Some((version, _)) => version + 1,
            None => 1,
        };
        sqlx::query("INSERT INTO thresholds (venue, version, json) VALUES ($1, $2, $3)")
            .bind(venue.as_str())
            .bind(version)
            .bind(json)
            .execute(&mut *transaction)
            .await
            .map_err(Error::while_doing(DOING))?;
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        Ok(version)
    }

    /// Keeps a calibration. To save the same one again changes nothing.
    ///
    /// # Errors
    /// When the database does not answer, or when the version is there with other numbers.
    pub async fn save_calibration(&self, row: &CalibrationRow) -> Result<(), Error> {
        const DOING: &str = "saving a calibration";
        let number = |sum: u64| i64::try_from(sum).map_err(|_| Error::Unknown { doing: DOING });
        let mut transaction = self.write(DOING).await?;
        if self.is_shut(&row.venue) {
            return Ok(());
        }
        let done = sqlx::query(
            "INSERT INTO calibration (venue, version, scale_milli, knee_centi, kappa_permille, counts, people_sum, \
             root_sum_centi, made_at_secs, power_milli) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        )
        .bind(row.venue.as_str())
        .bind(row.version)
        .bind(row.scale_milli)
        .bind(row.knee_centi)
        .bind(row.kappa_permille)
        .bind(row.counts)
        .bind(number(row.people_sum)?)
        .bind(number(row.root_sum_centi)?)
        .bind(secs(row.made_at))
        .bind(row.power_milli)
        .execute(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        if done.rows_affected() == 0
            && self.calibration(&row.venue, Some(row.version)).await?.as_ref() != Some(row)
        {
            return Err(Error::CalibrationTaken { version: row.version });
        }
        Ok(())
    }

    /// The newest calibration of a venue.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn newest_calibration(&self, venue: &Id) -> Result<Option<CalibrationRow>, Error> {
        self.calibration(venue, None).await
    }

    /// Every version of a venue's thresholds, with what it says as JSON.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn thresholds(&self, venue: &Id) -> Result<Vec<(u32, String)>, Error> {
        sqlx::query_as("SELECT version, json FROM thresholds WHERE venue = $1 ORDER BY version")
            .bind(venue.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(Error::while_doing("reading the versions of thresholds"))
    }

    /// The calibration of a version, or the newest.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn calibration(
        &self,
        venue: &Id,
        version: Option<u32>,
    ) -> Result<Option<CalibrationRow>, Error> {
        const DOING: &str = "reading a calibration";
        let row: Option<Row> = sqlx::query_as(
            "SELECT version, scale_milli, power_milli, knee_centi, kappa_permille, counts, people_sum, root_sum_centi, \
             made_at_secs \
             FROM calibration WHERE venue = $1 AND ($2 IS NULL OR version = $2) ORDER BY version DESC LIMIT 1",
        )
        .bind(venue.as_str())
        .bind(version)
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::while_doing(DOING))?;
        let number = |sum: i64| u64::try_from(sum).map_err(|_| Error::Unknown { doing: DOING });
        let read = |row: Row| -> Result<CalibrationRow, Error> {
            Ok(CalibrationRow {
                venue: venue.clone(),
                version: row.version,
                scale_milli: row.scale_milli,
                power_milli: row.power_milli,
                knee_centi: row.knee_centi,
                kappa_permille: row.kappa_permille,
                counts: row.counts,
                people_sum: number(row.people_sum)?,
                root_sum_centi: number(row.root_sum_centi)?,
                made_at: at_secs(row.made_at_secs),
            })
        };
        row.map(read).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;

    #[tokio::test]
    async fn thresholds_count_up_and_never_down() {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(temp.path(), Kind::Real).await.unwrap();
        let (mall, museum) = (Id::parse("mall").unwrap(), Id::parse("museum").unwrap());
        for (venue, json, version) in [
            (&mall, "{\"k\":10}", 1),
            (&mall, "{\"k\":10}", 1),
            (&mall, "{\"k\":20}", 2),
            (&museum, "{\"k\":20}", 1),
            (&mall, "{\"k\":10}", 3),
        ] {
            assert_eq!(store.thresholds_version(venue, json).await.unwrap(), version, "{venue} {json}");
        }
        store.close().await;
        let again = Store::open(temp.path(), Kind::Real).await.unwrap();
        assert_eq!(again.thresholds_version(&mall, "{\"k\":10}").await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_calibration_is_kept_and_its_version_never_changes() {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(temp.path(), Kind::Real).await.unwrap();
        let venue = Id::parse("mall").unwrap();
        assert_eq!(store.newest_calibration(&venue).await.unwrap(), None);
        let first = CalibrationRow {
            venue: venue.clone(),
            version: 1,
            scale_milli: 6_912,
            power_milli: 1_412,
            knee_centi: None,
            kappa_permille: 280,
            counts: 3,
            people_sum: 61,
            root_sum_centi: 882,
            made_at: EpochMs(1_764_018_000_000),
        };
        let second = CalibrationRow { version: 2, knee_centi: Some(412), counts: 12, ..first.clone() };
        store.save_calibration(&first).await.unwrap();
        store.save_calibration(&second).await.unwrap();
        store.save_calibration(&first).await.unwrap();
        assert_eq!(store.newest_calibration(&venue).await.unwrap(), Some(second));
        let changed = CalibrationRow { people_sum: 62, ..first };
        let error = store.save_calibration(&changed).await.unwrap_err();
        assert!(matches!(error, Error::CalibrationTaken { version: 1 }));
    }
}
