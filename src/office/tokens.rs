//! API tokens: how a program comes in. Each is shown once, when it is made, and only its hash is kept.

use zeroize::Zeroizing;

use super::accounts::{Accounts, HOLDERS_MAX};
use super::secret::Kind;
use super::{Error, Roles, to_its_end};
use crate::clock::EpochMs;
use crate::ledger::StaffChange;
use crate::store::{HolderRow, Holders};

/// The longest label, characters.
pub(super) const LABEL_CHARS_MAX: usize = 80;

/// An API token, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its number.
    pub id: i64,
    /// What it is for.
    pub label: String,
    /// What it may do.
    pub roles: Roles,
    /// When it was made, to the second.
    pub made_at: EpochMs,
}

/// An API token that was just made. It has no `Debug`: its secret is in it.
pub struct Known {
    /// What the program shows; nobody can ask for it again.
    pub secret: Zeroizing<String>,
    /// The token.
    pub token: ApiToken,
}

impl Accounts {
    /// Makes an API token, on the rights of whoever asks.
    ///
    /// # Errors
    /// When label or roles are not acceptable, or reach beyond those rights.
    pub async fn add_token(
        &self,
        by: &Roles,
        label: &str,
        roles: &Roles,
        now: EpochMs,
    ) -> Result<Known, Error> {
        let label = label.trim().to_owned();
        let is_text = !label.is_empty() && !label.chars().any(char::is_control);
        if !is_text || label.chars().count() > LABEL_CHARS_MAX {
            return Err(Error::Label);
        }
        self.may_give(by, roles)?;
        let (office, roles) = (self.clone(), roles.clone());
        to_its_end(async move {
            let _alone = office.one_at_a_time.lock().await;
            if office.store.holders(Holders::Tokens).await?.len() >= HOLDERS_MAX {
                return Err(Error::Crowded);
            }
            let (secret, hash) = Kind::Token.draw()?;
            let made_at = EpochMs(now.0.div_euclid(1000) * 1000);
            let id = office.store.add_token(&label, &hash, &roles.rows(), made_at).await?;
            office.write_down(StaffChange::TokenAdded, id, now).await?;
            Ok(Known { secret, token: ApiToken { id, label, roles, made_at } })
        })
        .await
    }

    /// The API tokens that somebody of these rights administers, by number.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn tokens(&self, by: &Roles) -> Result<Vec<ApiToken>, Error> {
        let tokens = self.store.holders(Holders::Tokens).await?.into_iter().map(ApiToken::of_row);
        Ok(tokens.filter(|token| by.may_manage(&token.roles)).collect())
    }

    /// Revokes an API token, on the rights of whoever asks.
    ///
    /// # Errors
    /// When there is none of that number among those they administer.
    pub async fn remove_token(&self, by: &Roles, id: i64, now: EpochMs) -> Result<ApiToken, Error> {
        let known = self.store.holder(Holders::Tokens, id).await?.map(ApiToken::of_row);
        let known = known.filter(|token| by.may_manage(&token.roles)).ok_or(Error::NoToken)?;
        let office = self.clone();
        to_its_end(async move {
            let _alone = office.one_at_a_time.lock().await;
            if !office.store.delete_holder(Holders::Tokens, id).await? {
                return Err(Error::NoToken);
            }
            office.ended.send_replace(());
            office.write_down(StaffChange::TokenRemoved, id, now).await?;
            Ok(known)
        })
        .await
    }

    /// The API token of a secret.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn of_token(&self, secret: &str) -> Result<Option<ApiToken>, Error> {
        let Some(hash) = Kind::Token.hash_of(secret) else { return Ok(None) };
        let Some(id) = self.store.token_of(&hash).await? else { return Ok(None) };
        Ok(self.store.holder(Holders::Tokens, id).await?.map(ApiToken::of_row))
    }
}

impl ApiToken {
    fn of_row(row: HolderRow) -> Self {
        let HolderRow { id, name, made_at, grants } = row;
        Self { id, label: name, roles: Roles::of_rows(&grants), made_at }
    }
}
