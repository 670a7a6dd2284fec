//! Sessions of those who have signed in: a hash, an account, two times.

use super::accounts::SecretHash;
use super::{Error, Store, at_secs, secs};
use crate::clock::EpochMs;

/// A session as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// The account's number.
    pub account: i64,
    /// When somebody signed in.
    pub made_at: EpochMs,
    /// When it was last used, to some minutes.
    pub seen_at: EpochMs,
}

impl Store {
    /// Keeps a session of an account, and lets its oldest ones go where there would be more than `most`.
    ///
    /// # Errors
    /// When the database does not answer, or there is no such account any more.
    pub async fn add_session(
        &self,
        hash: &SecretHash,
        account: i64,
        at: EpochMs,
        most: u32,
    ) -> Result<(), Error> {
        const DOING: &str = "keeping a session";
        let mut transaction = self.write(DOING).await?;
        sqlx::query(
            "INSERT INTO session (hash, account, made_at_secs, seen_at_secs) VALUES ($1, $2, $3, $3)",
        )
        .bind(hash.as_slice())
        .bind(account)
        .bind(secs(at))
        .execute(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        sqlx::query(
            "DELETE FROM session WHERE account = $1 AND hash <> $2 AND hash NOT IN (SELECT hash FROM session \
             WHERE account = $1 AND hash <> $2 ORDER BY seen_at_secs DESC, made_at_secs DESC LIMIT $3)",
        )
        .bind(account)
        .bind(hash.as_slice())
        .bind(most.saturating_sub(1))
        .execute(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        transaction.commit().await.map_err(Error::while_doing(DOING))
    }

    /// The session of a hash, whatever its age.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn session(&self, hash: &SecretHash) -> Result<Option<SessionRow>, Error> {
        let row: Option<(i64, i64, i64)> =
            sqlx::query_as("SELECT account, made_at_secs, seen_at_secs FROM session WHERE hash = $1")
                .bind(hash.as_slice())
                .fetch_optional(&self.pool)
                .await
                .map_err(Error::while_doing("looking a session up"))?;
        let read =
            |(account, made, seen)| SessionRow { account, made_at: at_secs(made), seen_at: at_secs(seen) };
        Ok(row.map(read))
    }

    /// Writes down that a session is in use.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn session_seen(&self, hash: &SecretHash, at: EpochMs) -> Result<(), Error> {
        sqlx::query("UPDATE session SET seen_at_secs = $2 WHERE hash = $1")
            .bind(hash.as_slice())
            .bind(secs(at))
            .execute(&self.pool)
            .await
            .map_err(Error::while_doing("keeping a session"))?;
        Ok(())
    }

    /// Ends a session; false when there is none of that hash.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_session(&self, hash: &SecretHash) -> Result<bool, Error> {
        let done = sqlx::query("DELETE FROM session WHERE hash = $1")
            .bind(hash.as_slice())
            .execute(&self.pool)
            .await
            .map_err(Error::while_doing("ending a session"))?;
        Ok(done.rows_affected() > 0)
    }

    /// Deletes the sessions that began, or were last used, before these moments. Gives how many went.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn purge_sessions(&self, made_before: EpochMs, seen_before: EpochMs) -> Result<u64, Error> {
        let done = sqlx::query("DELETE FROM session WHERE made_at_secs <= $1 OR seen_at_secs <= $2")
            .bind(secs(made_before))
            .bind(secs(seen_before))
            .execute(&self.pool)
            .await
            .map_err(Error::while_doing("deleting sessions that have ended"))?;
        Ok(done.rows_affected())
    }
}
