//! The office's accounts, and the API tokens beside them: who may come in, and with which role where.

use std::collections::BTreeMap;

use sqlx::{Sqlite, Transaction};

use super::{Error, Store, at_secs, secs};
use crate::clock::EpochMs;

/// The hash of a secret.
pub type SecretHash = [u8; 32];

/// A role in a place, in the words that are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// The id of a venue, or `*`.
    pub venue: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
}

/// An account, or an API token, as far as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderRow {
    /// Its number.
    pub id: i64,
    /// The account's name, or the token's label.
    pub name: String,
    /// When it was made, to the second.
    pub made_at: EpochMs,
    /// Its roles, in the order of the venues' ids.
    pub grants: Vec<GrantRow>,
}

/// Which of the two tables of holders is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holders {
    /// Accounts, which sign in with a password.
    Accounts,
    /// API tokens.
    Tokens,
}

/// What a change of an account leaves or replaces.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountUpdate<'a> {
    /// The new password's hash, as a PHC string.
    pub password: Option<&'a str>,
    /// All roles, in place of those it has.
    pub grants: Option<&'a [GrantRow]>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    made_at_secs: i64,
}

#[derive(sqlx::FromRow)]
struct Granted {
    holder: i64,
    venue: String,
    role: String,
}

impl Holders {
    /// The statements that read all of them, or one, and their roles.
    fn statements(self) -> [&'static str; 2] {
        match self {
            Self::Accounts => [
                "SELECT id, name, made_at_secs FROM account WHERE $1 IS NULL OR id = $1 ORDER BY name",
                "SELECT account AS holder, venue, role FROM account_role WHERE $1 IS NULL OR account = $1 ORDER BY account, venue",
            ],
            Self::Tokens => [
                "SELECT id, label AS name, made_at_secs FROM api_token WHERE $1 IS NULL OR id = $1 ORDER BY id",
                "SELECT token AS holder, venue, role FROM api_token_role WHERE $1 IS NULL OR token = $1 ORDER BY token, venue",
            ],
        }
    }

    fn deletion(self) -> &'static str {
        match self {
            Self::Accounts => "DELETE FROM account WHERE id = $1",
            Self::Tokens => "DELETE FROM api_token WHERE id = $1",
        }
    }

    fn granting(self) -> &'static str {
        match self {
            Self::Accounts => "INSERT INTO account_role (account, venue, role) VALUES ($1, $2, $3)",
            Self::Tokens => "INSERT INTO api_token_role (token, venue, role) VALUES ($1, $2, $3)",
        }
    }
}

impl Store {
    /// Keeps an account; `None` when its name is another's already.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_account(
        &self,
        name: &str,
        password: &str,
        grants: &[GrantRow],
        made_at: EpochMs,
    ) -> Result<Option<i64>, Error> {
        const DOING: &str = "keeping an account";
        let mut transaction = self.write(DOING).await?;
        let id: Option<i64> = sqlx::query_scalar(
            "INSERT INTO account (name, password, made_at_secs) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO NOTHING RETURNING id",
        )
        .bind(name)
        .bind(password)
        .bind(secs(made_at))
        .fetch_optional(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        let Some(id) = id else { return Ok(None) };
        grant(&mut transaction, Holders::Accounts, id, grants).await.map_err(Error::while_doing(DOING))?;
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        Ok(Some(id))
    }

    /// Changes an account and ends its sessions; false when there is none of that number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn change_account(&self, id: i64, update: AccountUpdate<'_>) -> Result<bool, Error> {
        const DOING: &str = "changing an account";
        let mut transaction = self.write(DOING).await?;
        let known = sqlx::query("UPDATE account SET password = coalesce($2, password) WHERE id = $1")
            .bind(id)
            .bind(update.password)
            .execute(&mut *transaction)
            .await
            .map_err(Error::while_doing(DOING))?;
        if known.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(grants) = update.grants {
            sqlx::query("DELETE FROM account_role WHERE account = $1")
                .bind(id)
                .execute(&mut *transaction)
                .await
                .map_err(Error::while_doing(DOING))?;
            grant(&mut transaction, Holders::Accounts, id, grants)
                .await
                .map_err(Error::while_doing(DOING))?;
        }
        sqlx::query("DELETE FROM session WHERE account = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::while_doing(DOING))?;
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        Ok(true)
    }

    /// The number and the password's hash of the account of a name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn password_of(&self, name: &str) -> Result<Option<(i64, String)>, Error> {
        sqlx::query_as("SELECT id, password FROM account WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::while_doing("looking an account up"))
    }

    /// Keeps an API token's hash. Gives its number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_token(
        &self,
        label: &str,
        hash: &SecretHash,
        grants: &[GrantRow],
        made_at: EpochMs,
    ) -> Result<i64, Error> {
        const DOING: &str = "keeping an API token";
        let mut transaction = self.write(DOING).await?;
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO api_token (label, hash, made_at_secs) VALUES ($1, $2, $3) RETURNING id",
        )
        .bind(label)
        .bind(hash.as_slice())
        .bind(secs(made_at))
        .fetch_one(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        grant(&mut transaction, Holders::Tokens, id, grants).await.map_err(Error::while_doing(DOING))?;
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        Ok(id)
    }

    /// The number of the API token of a hash.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn token_of(&self, hash: &SecretHash) -> Result<Option<i64>, Error> {
        sqlx::query_scalar("SELECT id FROM api_token WHERE hash = $1")
            .bind(hash.as_slice())
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::while_doing("looking an API token up"))
    }

    /// All accounts by name, or all API tokens by number, with their roles.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn holders(&self, which: Holders) -> Result<Vec<HolderRow>, Error> {
        self.holders_of(which, None).await
    }

    /// The account, or the API token, of a number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn holder(&self, which: Holders, id: i64) -> Result<Option<HolderRow>, Error> {
        Ok(self.holders_of(which, Some(id)).await?.pop())
    }

    async fn holders_of(&self, which: Holders, only: Option<i64>) -> Result<Vec<HolderRow>, Error> {
        const DOING: &str = "reading who may come in";
        let [holders, roles] = which.statements();
        // Both are read at one moment: nobody is seen with another's roles, or with half of them.
        let mut transaction = self.pool.begin().await.map_err(Error::while_doing(DOING))?;
        let rows: Vec<Row> = sqlx::query_as(holders)
            .bind(only)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::while_doing(DOING))?;
        let granted: Vec<Granted> = sqlx::query_as(roles)
            .bind(only)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::while_doing(DOING))?;
        let mut grants: BTreeMap<i64, Vec<GrantRow>> = BTreeMap::new();
        for Granted { holder, venue, role } in granted {
            grants.entry(holder).or_default().push(GrantRow { venue, role });
        }
        let read = |Row { id, name, made_at_secs }| {
            let grants = grants.remove(&id).unwrap_or_default();
            HolderRow { id, name, made_at: at_secs(made_at_secs), grants }
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// How many accounts there are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn accounts_len(&self) -> Result<u64, Error> {
        sqlx::query_scalar("SELECT count(*) FROM account")
            .fetch_one(&self.pool)
            .await
            .map_err(Error::while_doing("counting accounts"))
    }

    /// Deletes an account with its sessions, or an API token; false when there is none of that number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_holder(&self, which: Holders, id: i64) -> Result<bool, Error> {
        let done = sqlx::query(which.deletion())
            .bind(id)
            .execute(&self.pool)
            .await
            .map_err(Error::while_doing("deleting who may come in"))?;
        Ok(done.rows_affected() > 0)
    }
}

async fn grant(
    transaction: &mut Transaction<'static, Sqlite>,
    which: Holders,
    holder: i64,
    grants: &[GrantRow],
) -> Result<(), sqlx::Error> {
    for GrantRow { venue, role } in grants {
        sqlx::query(which.granting()).bind(holder).bind(venue).bind(role).execute(&mut **transaction).await?;
    }
    Ok(())
}
