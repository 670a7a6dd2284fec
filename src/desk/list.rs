//! The list and its key, brought together at a start: a lost key or a foreign list stops the counting, since objections
//! must not be void in silence.

use std::path::PathBuf;

use crate::chance::NoChance;
use crate::optout::{self, Gate, Key, KeyError, KeyFile};
use crate::store::{self, Store};
use std::sync::Arc;

/// Why the list of objections cannot be put in force, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// No random bytes for decoys.
    #[error(transparent)]
    NoChance(#[from] NoChance),
    /// The key's file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The list is there and its key is not.
    #[error(
        "opening the list of objections: its key {} is gone, and without it every objection would be void; restore the key from its backup. Nothing is counted until then",
        key.display()
    )]
    KeyLost {
        /// Where the key was looked for.
        key: PathBuf,
    },
    /// The list was made under another key.
    #[error(
        "opening the list of objections: it was made under another key than {}, so every objection in it would be void; restore the database and the key that belong together. Nothing is counted until then",
        key.display()
    )]
    ForeignList {
        /// The key that was found.
        key: PathBuf,
    },
    /// The key is there and its list is not.
    #[error(
        "opening the list of objections: the key {} is there and its list is gone, so objections may be lost; restore the database, or, if there has never been one here, move the key away. Nothing is counted until then",
        key.display()
    )]
    ListLost {
        /// The key that was found.
        key: PathBuf,
    },
}

/// Opens the list with its key, or begins both where there is neither. Returns the key and the gate with all marks.
///
/// # Errors
/// When one of the two is missing or belongs to another, or cannot be read: nothing may be counted then.
pub async fn open(store: &Store, file: &KeyFile) -> Result<(Arc<Key>, Gate), ListError> {
    let key = || file.path().to_owned();
    let found = match (file.read()?, store.objections_check().await?) {
        (Some(found), Some(check)) if found.check_value() == check => found,
        (Some(_), Some(_)) => return Err(ListError::ForeignList { key: key() }),
        (Some(_), None) => return Err(ListError::ListLost { key: key() }),
        (None, Some(check)) => match file.drafted()? {
            // The first start broke off between the list and its key.
            Some(drafted) if drafted.check_value() == check => {
                file.settle()?;
                drafted
            }
            _ => return Err(ListError::KeyLost { key: key() }),
        },
        (None, None) => {
            let made = file.draft()?;
            store.begin_objections(&made.check_value(), &optout::decoys()?).await?;
            file.settle()?;
            made
        }
    };
    let found = Arc::new(found);
    let mut gate = Gate::new(found.clone());
    store.objections().await?.into_iter().for_each(|mark| gate.object(mark));
    Ok((found, gate))
}
