//! Secrets that the server makes and somebody else keeps: of a session, of an API token, of the set-up link. Here only
//! their hashes stay.

use zeroize::Zeroizing;

use crate::chance::{self, NoChance};
use crate::store::SecretHash;

/// Random bytes of a secret; nobody guesses that many.
const SECRET_BYTES: usize = 32;
/// The longest text that is taken for one, bytes.
const SAID_BYTES_MAX: usize = 256;

/// What a secret is for. A secret of one kind is none of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What a browser's cookie says.
    Session,
    /// What a program shows.
    Token,
    /// What stands in the set-up link.
    SetUp,
}

impl Kind {
    /// It separates these hashes from every other use of the function.
    fn context(self) -> &'static str {
        match self {
            Self::Session => "passant office session 1",
            Self::Token => "passant office api token 1",
            Self::SetUp => "passant office set-up link 1",
        }
    }

    /// What the text begins with, so that a search through files finds an API token that was left lying about.
    fn prefix(self) -> &'static str {
        match self {
            Self::Token => "passant_",
            Self::Session | Self::SetUp => "",
        }
    }

    /// Makes a secret: its text, which is given away, and its hash, which is kept.
    pub(super) fn draw(self) -> Result<(Zeroizing<String>, SecretHash), NoChance> {
        let word = chance::word::<SECRET_BYTES>()?;
        let text = Zeroizing::new(format!("{}{}", self.prefix(), *word));
        let hash = self.digest(&text);
        Ok((text, hash))
    }

    /// The hash under which a secret of this kind would be kept; `None` for what no secret looks like. Whoever finds a
    /// hash by it has the secret: its 256 random bits are not found by trying, nor by how long a comparison takes.
    pub(super) fn hash_of(self, said: &str) -> Option<SecretHash> {
        (said.len() <= SAID_BYTES_MAX && said.starts_with(self.prefix())).then(|| self.digest(said))
    }

    fn digest(self, text: &str) -> SecretHash {
        *blake3::Hasher::new_derive_key(self.context()).update(text.as_bytes()).finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_by_itself_and_is_none_of_another_kind() {
        let kinds = [Kind::Session, Kind::Token, Kind::SetUp];
        for kind in kinds {
            let (text, hash) = kind.draw().unwrap();
            assert_eq!(kind.hash_of(&text), Some(hash));
            assert!(text.len() >= 64 && !text.contains(';'));
            for other in kinds.into_iter().filter(|other| *other != kind) {
                assert_ne!(other.hash_of(&text), Some(hash));
            }
            assert_ne!(kind.draw().unwrap().1, hash);
            assert_eq!(kind.hash_of(&"x".repeat(SAID_BYTES_MAX + 1)), None);
        }
    }
}
