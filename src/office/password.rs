//! Passwords: what one must be, and how one is kept.

use std::sync::Arc;

use argon2::password_hash::{
    Output, ParamsString, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Salt, SaltString,
};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::Error;
use crate::chance;

/// The shortest password, characters. No mixture is asked for: length is what counts (NIST SP 800-63B, 5.1.1).
pub const PASSWORD_CHARS_MIN: usize = 12;
/// The longest password, bytes.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// The fewest letters of one that are not the same.
const DISTINCT_MIN: usize = 5;

/// The cost of argon2id: the first choice of OWASP's Password Storage Cheat Sheet, 19 MiB, two passes, one lane.
const COST: Cost = Cost { memory_kib: 19 * 1_024, passes: 2 };
const LANES: u32 = 1;
/// Passwords are worked on this many at once: with 19 MiB each that bounds memory and leaves the machine to the counting.
const AT_ONCE_MAX: usize = 2;
/// And this many wait for their turn; those beyond are asked to come again.
const WAITING_MAX: usize = 32;

/// What one try costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// Memory, KiB.
    pub(super) memory_kib: u32,
    /// Passes over it.
    pub(super) passes: u32,
}

/// Whoever works on passwords. Clones share their places.
#[derive(Clone)]
pub(super) struct Passwords {
    argon2: Argon2<'static>,
    /// What the password of a name that nobody has is held against: as much work, and nothing fits it.
    nobodys: Arc<str>,
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    #[cfg(test)]
    pub(super) tries: Arc<std::sync::atomic::AtomicU64>,
}

impl Passwords {
    pub(super) fn new() -> Result<Self, Error> {
        Self::of_cost(COST)
    }

    /// A test need not pay what a thief must.
    pub(super) fn of_cost(cost: Cost) -> Result<Self, Error> {
        let params = Params::new(cost.memory_kib, cost.passes, LANES, None).map_err(|_| Error::Hashing)?;
        let mut random = Zeroizing::new([0; Params::DEFAULT_OUTPUT_LEN]);
        chance::fill(&mut *random)?;
        let salt = salt()?;
        let nobodys = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(|_| Error::Hashing)?,
            salt: Some(salt.as_salt()),
            hash: Some(Output::new(&*random).map_err(|_| Error::Hashing)?),
        };
        Ok(Self {
            nobodys: nobodys.to_string().into(),
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            at_once: Arc::new(Semaphore::new(AT_ONCE_MAX)),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            #[cfg(test)]
            tries: Arc::default(),
        })
    }

    /// The hash of a password under a salt of its own, as a PHC string.
    pub(super) async fn hash(&self, password: &str) -> Result<String, Error> {
        let (argon2, salt) = (self.argon2.clone(), salt()?);
        let work = move |password: &str| {
            let hash = argon2.hash_password(password.as_bytes(), &salt).map_err(|_| Error::Hashing)?;
            Ok(hash.to_string())
        };
        self.in_turn(password, work).await
    }

    /// Whether a password is the one of a hash. Without a hash, or with one that does not read, it is none, after the same
    /// work.
    pub(super) async fn is(&self, password: &str, hash: Option<String>) -> Result<bool, Error> {
        let (argon2, nobodys) = (self.argon2.clone(), self.nobodys.clone());
        // More than any password has is the password of nobody.
        let hash = hash.filter(|_| password.len() <= PASSWORD_BYTES_MAX);
        let password = password.get(..PASSWORD_BYTES_MAX).unwrap_or(password);
        let work = move |password: &str| {
            let kept = hash.as_deref().and_then(|hash| PasswordHash::new(hash).ok());
            let nobodys = PasswordHash::new(&nobodys).map_err(|_| Error::Hashing)?;
            let fits = argon2.verify_password(password.as_bytes(), kept.as_ref().unwrap_or(&nobodys)).is_ok();
            Ok(fits && kept.is_some())
        };
        #[cfg(test)]
        self.tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.in_turn(password, work).await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        password: &str,
        work: impl FnOnce(&str) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _waiting = self.waiting.try_acquire().map_err(|_| Error::Busy)?;
        let turn = self.at_once.clone().acquire_owned().await.map_err(|_| Error::BrokenOff)?;
        let password = Zeroizing::new(password.to_owned());
        let worked = tokio::task::spawn_blocking(move || {
            // The turn is over when the work is, even if nobody waits for it any more.
            let _turn = turn;
            work(&password)
        });
        worked.await.unwrap_or(Err(Error::BrokenOff))
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passwords")
    }
}

/// Refuses what is too easy to guess, or too long to be one.
pub(super) fn check(name: &str, password: &str) -> Result<(), Error> {
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(Error::PasswordShort);
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Error::PasswordLong);
    }
    let mut letters: Vec<char> = password.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let is_of_name = !name.is_empty()
        && password.to_lowercase().replace(name, "").chars().count() < PASSWORD_CHARS_MIN / 2;
    if letters.len() < DISTINCT_MIN || is_of_name { Err(Error::PasswordEasy) } else { Ok(()) }
}

fn salt() -> Result<SaltString, Error> {
    let mut bytes = [0; Salt::RECOMMENDED_LENGTH];
    chance::fill(&mut bytes)?;
    SaltString::encode_b64(&bytes).map_err(|_| Error::Hashing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_kept_as_argon2id_of_the_named_cost_under_a_salt_of_its_own() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse battery").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.nobodys.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(passwords.nobodys.len(), hash.len());
        assert!(passwords.is("correct horse battery", Some(hash.clone())).await.unwrap());
        assert!(!passwords.is("correct horse batterz", Some(hash.clone())).await.unwrap());
        assert_ne!(passwords.hash("correct horse battery").await.unwrap(), hash);
    }

    #[tokio::test]
    async fn nothing_is_the_password_of_nobody() {
        let passwords = Passwords::of_cost(Cost { memory_kib: 8, passes: 1 }).unwrap();
        for hash in [None, Some("x".to_owned()), Some(String::new())] {
            assert!(!passwords.is("correct horse battery", hash).await.unwrap());
        }
        let long = "é".repeat(PASSWORD_BYTES_MAX);
        let hash = passwords.hash(&long).await.unwrap();
        assert!(!passwords.is(&long, Some(hash)).await.unwrap(), "no password is that long");
    }

    #[test]
    fn what_is_easy_to_guess_is_refused() {
        for (password, fits) in [
            ("correct horse", true),
            ("ünïcödé pässwörd", true),
            ("short", false),
            ("aaaaaaaaaaaaaaaa", false),
            ("anna.martin1", false),
            ("Anna.MartinAnna.Martin", false),
            ("anna.martin and the sea", true),
        ] {
            assert_eq!(check("anna.martin", password).is_ok(), fits, "{password}");
        }
        assert!(check("anna", &"correct horse ".repeat(20)).is_err());
    }
}
