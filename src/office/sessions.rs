//! Signing in and out, who a browser's cookie says it is, and a password that its owner changes.

use zeroize::Zeroizing;

use super::accounts::{Account, Accounts, spelled, within};
use super::secret::Kind;
use super::{Error, password, to_its_end};
use crate::clock::EpochMs;
use crate::ledger::StaffChange;
use crate::store::{AccountUpdate, Holders};

/// The longest that a session lasts from the sign-in on, seconds: a week.
pub const SESSION_SECS: i64 = 7 * 86_400;
/// The longest that a session lasts unused, seconds: half a day, so that a shift needs one sign-in.
pub const SESSION_IDLE_SECS: i64 = 12 * 3_600;
/// That a session is used is written down once in this many seconds.
const SEEN_STEP_SECS: i64 = 300;
/// Sessions of one account; its oldest goes when one more begins.
const SESSIONS_MAX: u32 = 20;

/// A session that has begun. It has no `Debug`: its secret is in it.
#[derive(Clone)]
pub struct Session {
    /// What the browser keeps.
    pub secret: Zeroizing<String>,
    /// Whose it is.
    pub account: Account,
}

/// A password in place of the one that its owner knows. It has no `Debug`: both are in it.
#[derive(Clone, Copy)]
pub struct OwnPassword<'a> {
    /// The one that the account has.
    pub known: &'a str,
    /// The one that it is to have.
    pub wanted: &'a str,
}

impl Accounts {
    /// Begins a session for a name and its password; `None` where they do not belong together. The same work is done
    /// whether or not there is such a name.
    ///
    /// # Errors
    /// When the store does not answer, or too many are signing in just now.
    pub async fn sign_in(&self, name: &str, password: &str, now: EpochMs) -> Result<Option<Session>, Error> {
        // No account has the empty name.
        let name = spelled(name).unwrap_or_default();
        let known = self.store.password_of(&name).await?;
        let fits = self.passwords.is(password, known.clone().map(|(_, hash)| hash)).await?;
        let Some((id, hash)) = known.filter(|_| fits) else { return Ok(None) };
        let _alone = self.one_at_a_time.lock().await;
        // A password that was changed meanwhile begins nothing any more.
        if self.store.password_of(&name).await? != Some((id, hash)) {
            return Ok(None);
        }
        Ok(Some(self.begin(self.known(id).await?, now).await?))
    }

    /// Makes the first account by the set-up link, and begins its session.
    ///
    /// # Errors
    /// When the link does not fit, or name or password are none.
    pub async fn set_up_and_sign_in(
        &self,
        said: &str,
        name: &str,
        password: &str,
        now: EpochMs,
    ) -> Result<Session, Error> {
        let account = self.set_up(said, name, password, now).await?;
        self.begin(account, now).await
    }

    /// Gives an account another password, for whoever knows the one it has. All its sessions end, and one begins in their
    /// place; `None` where the password is not the account's, and then nothing changes.
    ///
    /// # Errors
    /// When the new password is none, the account is gone, or too many are signing in just now.
    pub async fn change_own_password(
        &self,
        id: i64,
        OwnPassword { known, wanted }: OwnPassword<'_>,
        now: EpochMs,
    ) -> Result<Option<Session>, Error> {
        let account = self.known(id).await?;
        let kept = self.store.password_of(&account.name).await?;
        if !self.passwords.is(known, kept.clone().map(|(_, hash)| hash)).await? {
            return Ok(None);
        }
        password::check(&account.name, wanted)?;
        let hash = self.passwords.hash(wanted).await?;
        let office = self.clone();
        to_its_end(async move {
            let _alone = office.one_at_a_time.lock().await;
            // Of two who came with the same old password, one was faster.
            if office.store.password_of(&account.name).await? != kept {
                return Ok(None);
            }
            let update = AccountUpdate { password: Some(&hash), grants: None };
            if !office.store.change_account(id, update).await? {
                return Err(Error::NoAccount);
            }
            office.ended.send_replace(());
            office.write_down(StaffChange::AccountChanged, id, now).await?;
            let account = office.known(id).await?;
            Ok(Some(office.begin(account, now).await?))
        })
        .await
    }

    async fn known(&self, id: i64) -> Result<Account, Error> {
        let account = self.store.holder(Holders::Accounts, id).await?.map(Account::of_row);
        account.ok_or(Error::NoAccount)
    }

    async fn begin(&self, account: Account, now: EpochMs) -> Result<Session, Error> {
        let (secret, hash) = Kind::Session.draw()?;
        self.store.add_session(&hash, account.id, now, SESSIONS_MAX).await?;
        Ok(Session { secret, account })
    }

    /// Whose session a secret is, if it has not ended.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn of_session(&self, secret: &str, now: EpochMs) -> Result<Option<Account>, Error> {
        let Some(hash) = Kind::Session.hash_of(secret) else { return Ok(None) };
        let Some(session) = self.store.session(&hash).await? else { return Ok(None) };
        if !within(now, session.made_at, SESSION_SECS) || !within(now, session.seen_at, SESSION_IDLE_SECS) {
            return Ok(None);
        }
        if now.since(session.seen_at) >= SEEN_STEP_SECS * 1_000
            && let Err(error) = self.store.session_seen(&hash, now).await
        {
            // A full disk lets nobody's page go dark: what is published can be read without writing anything.
            tracing::warn!(%error, "that a session is in use was not written down; it may end early");
        }
        Ok(self.store.holder(Holders::Accounts, session.account).await?.map(Account::of_row))
    }

    /// Ends a session, if there is one of that secret.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sign_out(&self, secret: &str) -> Result<(), Error> {
        if let Some(hash) = Kind::Session.hash_of(secret)
            && self.store.delete_session(&hash).await?
        {
            self.ended.send_replace(());
        }
        Ok(())
    }

    /// Deletes the sessions that have ended by themselves. Gives how many went.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn forget_ended(&self, now: EpochMs) -> Result<u64, Error> {
        let before = |secs: i64| now.plus_secs(-secs);
        Ok(self.store.purge_sessions(before(SESSION_SECS), before(SESSION_IDLE_SECS)).await?)
    }
}
