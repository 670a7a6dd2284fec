//! Accounts of those who run the place: made, changed, removed, and the first one by a link that works once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use tokio::sync::{Mutex, watch};
use zeroize::Zeroizing;

use super::password::{self, Passwords};
use super::secret::Kind;
use super::{Error, Place, Role, Roles, to_its_end};
use crate::clock::EpochMs;
use crate::config::Venue;
use crate::ledger::{Event, Ledger, StaffChange};
use crate::store::{AccountUpdate, HolderRow, Holders, SecretHash, Store};

/// The longest name, bytes.
pub(super) const NAME_BYTES_MAX: usize = 64;
/// The most accounts, and the most API tokens, that are kept.
pub(super) const HOLDERS_MAX: usize = 1_000;
/// How long a set-up link works, seconds.
pub const SET_UP_SECS: i64 = 3_600;

/// The machine's clock may be set back by this much without anybody having to sign in again, seconds.
const SET_BACK_SECS_MAX: i64 = 300;

/// Who may come in. Clones share it.
#[derive(Clone, Debug)]
pub struct Accounts {
    venues: Arc<Vec<Venue>>,
    pub(super) store: Store,
    ledger: Ledger,
    pub(super) passwords: Passwords,
    /// Whether there is an account.
    any: Arc<AtomicBool>,
    set_up: Arc<std::sync::Mutex<Option<Link>>>,
    /// One change at a time, so that of two last administrators one stays.
    pub(super) one_at_a_time: Arc<Mutex<()>>,
    /// Told whenever somebody may do less than before.
    pub(super) ended: Arc<watch::Sender<()>>,
}

/// The set-up link that works now.
struct Link {
    hash: SecretHash,
    made_at: EpochMs,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: i64,
    /// What its holder signs in with.
    pub name: String,
    /// What its holder may do.
    pub roles: Roles,
    /// When it was made, to the second.
    pub made_at: EpochMs,
}

/// An account to make. It has no `Debug`: a password is in it.
#[derive(Clone, Copy)]
pub struct NewAccount<'a> {
    /// What its holder signs in with; capital letters are small ones.
    pub name: &'a str,
    /// The password.
    pub password: &'a str,
    /// What its holder may do.
    pub roles: &'a Roles,
}

/// What is to be different of an account; what is `None` stays. It has no `Debug`: a password is in it.
#[derive(Clone, Copy, Default)]
pub struct AccountChange<'a> {
    /// The new password.
    pub password: Option<&'a str>,
    /// All roles, in place of those it has.
    pub roles: Option<&'a Roles>,
}

impl Accounts {
    /// The accounts of a store.
    ///
    /// # Errors
    /// When the store does not answer, or there are no random bytes.
    pub async fn open(venues: Arc<Vec<Venue>>, store: Store, ledger: Ledger) -> Result<Self, Error> {
        Self::open_with(venues, store, ledger, Passwords::new()?).await
    }

    pub(super) async fn open_with(
        venues: Arc<Vec<Venue>>,
        store: Store,
        ledger: Ledger,
        passwords: Passwords,
    ) -> Result<Self, Error> {
        let any = Arc::new(AtomicBool::new(store.accounts_len().await? > 0));
        Ok(Self {
            venues,
            store,
            ledger,
            passwords,
            any,
            set_up: Arc::default(),
            one_at_a_time: Arc::default(),
            ended: Arc::new(watch::channel(()).0),
        })
    }

    /// The same for a test, whose passwords cost less.
    #[cfg(test)]
    pub(crate) async fn cheap(venues: Arc<Vec<Venue>>, store: Store, ledger: Ledger) -> Self {
        let cost = password::Cost { memory_kib: 8, passes: 1 };
        let passwords = Passwords::of_cost(cost).unwrap();
        Self::open_with(venues, store, ledger, passwords).await.unwrap()
    }

    /// Whether there is an account.
    #[must_use]
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Is told whenever somebody may do less than before: whoever answers for long looks again then.
    #[must_use]
    pub fn ended(&self) -> watch::Receiver<()> {
        self.ended.subscribe()
    }

    /// Draws the secret of a set-up link, in place of an earlier one; `None` once there is an account.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn draw_set_up(&self, now: EpochMs) -> Result<Option<Zeroizing<String>>, Error> {
        if self.any() {
            return Ok(None);
        }
        let (text, hash) = Kind::SetUp.draw()?;
        *self.link() = Some(Link { hash, made_at: now });
        Ok(Some(text))
    }

    /// Whether a set-up link works still.
    #[must_use]
    pub fn set_up_fits(&self, said: &str, now: EpochMs) -> bool {
        let Some(hash) = Kind::SetUp.hash_of(said) else { return false };
        let fits = |link: &Link| link.hash == hash && within(now, link.made_at, SET_UP_SECS);
        !self.any() && self.link().as_ref().is_some_and(fits)
    }

    /// Makes the first account, who administers everything, with the secret of the set-up link. That is over then.
    ///
    /// # Errors
    /// When the link does not fit, or name or password are none; the link works still then.
    pub async fn set_up(
        &self,
        said: &str,
        name: &str,
        password: &str,
        now: EpochMs,
    ) -> Result<Account, Error> {
        if !self.set_up_fits(said, now) {
            return Err(Error::SetUpOver);
        }
        let (name, roles) = (checked(name, password)?, Roles::everywhere(Role::Admin));
        let hash = self.passwords.hash(password).await?;
        let (office, said) = (self.clone(), Zeroizing::new(said.to_owned()));
        to_its_end(async move {
            let _alone = office.one_at_a_time.lock().await;
            // Of two who came at once, one was faster.
            if !office.set_up_fits(&said, now) {
                return Err(Error::SetUpOver);
            }
            office.keep(&name, &hash, roles, now).await
        })
        .await
    }

    /// Makes an account, on the rights of whoever asks.
    ///
    /// # Errors
    /// When name, password or roles are not acceptable, or reach beyond those rights.
    pub async fn add(&self, by: &Roles, wanted: NewAccount<'_>, now: EpochMs) -> Result<Account, Error> {
        let (name, roles) = (checked(wanted.name, wanted.password)?, wanted.roles.clone());
        self.may_give(by, &roles)?;
        let hash = self.passwords.hash(wanted.password).await?;
        let office = self.clone();
        to_its_end(async move {
            let _alone = office.one_at_a_time.lock().await;
            if office.store.accounts_len().await? >= HOLDERS_MAX as u64 {
                return Err(Error::Crowded);
            }
            office.keep(&name, &hash, roles, now).await
        })
        .await
    }

    /// The accounts that somebody of these rights administers, by name.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list(&self, by: &Roles) -> Result<Vec<Account>, Error> {
        let accounts = self.store.holders(Holders::Accounts).await?.into_iter().map(Account::of_row);
        Ok(accounts.filter(|account| by.may_manage(&account.roles)).collect())
    }

    /// Changes an account, on the rights of whoever asks. Its sessions end.
    ///
    /// # Errors
    /// When there is none of that number among those they administer, or the change is not acceptable.
    pub async fn change(
        &self,
        by: &Roles,
        id: i64,
        change: AccountChange<'_>,
        now: EpochMs,
    ) -> Result<Account, Error> {
        let known = self.managed(by, id).await?;
        if let Some(roles) = change.roles {
            self.may_give(by, roles)?;
        }
        let hash = match change.password {
            Some(password) => {
                password::check(&known.name, password)?;
                Some(self.passwords.hash(password).await?)
            }
            None => None,
        };
        let (office, roles) = (self.clone(), change.roles.cloned());
        to_its_end(async move {
            let _alone = office.one_at_a_time.lock().await;
            if roles.as_ref().is_some_and(|roles| roles.everywhere_role() != Some(Role::Admin)) {
                office.another_admin(id).await?;
            }
            let grants = roles.as_ref().map(Roles::rows);
            let update = AccountUpdate { password: hash.as_deref(), grants: grants.as_deref() };
            if !office.store.change_account(id, update).await? {
                return Err(Error::NoAccount);
            }
            office.ended.send_replace(());
            office.write_down(StaffChange::AccountChanged, id, now).await?;
            Ok(Account { roles: roles.unwrap_or(known.roles), ..known })
        })
        .await
    }

    /// Removes an account with its sessions, on the rights of whoever asks.
    ///
    /// # Errors
    /// When there is none of that number among those they administer, or nobody would be left who administers everything.
    pub async fn remove(&self, by: &Roles, id: i64, now: EpochMs) -> Result<Account, Error> {
        let known = self.managed(by, id).await?;
        let office = self.clone();
        to_its_end(async move {
            let _alone = office.one_at_a_time.lock().await;
            office.another_admin(id).await?;
            if !office.store.delete_holder(Holders::Accounts, id).await? {
                return Err(Error::NoAccount);
            }
            office.ended.send_replace(());
            office.write_down(StaffChange::AccountRemoved, id, now).await?;
            Ok(known)
        })
        .await
    }

    /// Whether roles may be given on these rights: they name configured venues, and none beyond the rights.
    pub(super) fn may_give(&self, by: &Roles, roles: &Roles) -> Result<(), Error> {
        let is_there = |place: &Place| match place {
            Place::Everywhere => true,
            Place::Venue(id) => self.venues.iter().any(|venue| venue.id == *id),
        };
        if !roles.iter().all(|(place, _)| is_there(place)) {
            return Err(Error::Place);
        }
        if by.may_manage(roles) { Ok(()) } else { Err(Error::Beyond) }
    }

    /// Writes a change of the staff down.
    pub(super) async fn write_down(&self, what: StaffChange, id: i64, now: EpochMs) -> Result<(), Error> {
        let ledger = self.ledger.clone();
        let written = tokio::task::spawn_blocking(move || ledger.append(now, &Event::Staff { what, id }));
        written.await.map_err(|_| Error::BrokenOff)??;
        Ok(())
    }

    async fn keep(&self, name: &str, hash: &str, roles: Roles, now: EpochMs) -> Result<Account, Error> {
        let made_at = EpochMs(now.0.div_euclid(1000) * 1000);
        let id = self.store.add_account(name, hash, &roles.rows(), made_at).await?.ok_or(Error::Taken)?;
        self.any.store(true, Ordering::Release);
        // From the first account on nobody comes in without one, and the link is over.
        *self.link() = None;
        self.ended.send_replace(());
        self.write_down(StaffChange::AccountAdded, id, now).await?;
        Ok(Account { id, name: name.to_owned(), roles, made_at })
    }

    async fn managed(&self, by: &Roles, id: i64) -> Result<Account, Error> {
        let account = self.store.holder(Holders::Accounts, id).await?.map(Account::of_row);
        account.filter(|account| by.may_manage(&account.roles)).ok_or(Error::NoAccount)
    }

    /// Refuses unless somebody else than this account administers everything, or it does not itself.
    async fn another_admin(&self, id: i64) -> Result<(), Error> {
        let mut accounts = self.store.holders(Holders::Accounts).await?.into_iter().map(Account::of_row);
        let administers = |account: &Account| account.roles.everywhere_role() == Some(Role::Admin);
        let (own, others): (Vec<_>, Vec<_>) = accounts.by_ref().partition(|account| account.id == id);
        if own.iter().any(administers) && !others.iter().any(administers) {
            return Err(Error::LastAdmin);
        }
        Ok(())
    }

    fn link(&self) -> std::sync::MutexGuard<'_, Option<Link>> {
        self.set_up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

impl Account {
    pub(super) fn of_row(row: HolderRow) -> Self {
        let HolderRow { id, name, made_at, grants } = row;
        Self { id, name, roles: Roles::of_rows(&grants), made_at }
    }
}

/// Whether a moment lies less than some seconds after another. Where the clock was set back by more than it may be, what
/// began after it is over.
pub(super) fn within(now: EpochMs, from: EpochMs, secs: i64) -> bool {
    (-SET_BACK_SECS_MAX * 1_000..secs * 1_000).contains(&now.since(from))
}

/// A name as it is kept.
pub(super) fn spelled(name: &str) -> Option<String> {
    let name = name.trim().to_lowercase();
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_@".contains(&byte);
    ((1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(fits)).then_some(name)
}

fn checked(name: &str, password: &str) -> Result<String, Error> {
    let name = spelled(name).ok_or(Error::Name)?;
    password::check(&name, password)?;
    Ok(name)
}

#[cfg(test)]
#[path = "accounts_tests.rs"]
mod tests;
