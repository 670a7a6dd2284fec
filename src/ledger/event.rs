//! What can be written down.

use passant_wire::Id;

/// Something that happened, without a word about anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server started.
    Started,
    /// The server stopped as it was told to.
    Stopped,
    /// The key of a venue's day was made.
    KeyMade {
        /// The venue.
        venue: Id,
    },
    /// The key of a venue's day was wiped.
    KeyWiped {
        /// The venue.
        venue: Id,
    },
    /// After a restart the day's key and all that was open went on from the vault.
    Resumed {
        /// The venue.
        venue: Id,
        /// Whole seconds since it was sealed.
        secs: u64,
    },
    /// What lay in the vault could not go on, and was wiped.
    NotResumed {
        /// The venue.
        venue: Id,
        /// Why, in a word.
        why: &'static str,
    },
    /// What had outlived its time was deleted.
    Purged {
        /// The venue.
        venue: Id,
        /// How many rows.
        rows: u64,
    },
    /// Something was refused.
    Refused {
        /// What.
        what: Refusal,
    },
    /// How many objections are in force, once a day.
    Objections {
        /// In whole thousands, decoys among them.
        rounded: u64,
    },
    /// A venue's data and keys were erased.
    Destroyed {
        /// The venue.
        venue: Id,
    },
    /// Somebody asked to count again in a venue that had been destroyed.
    CountedAnew {
        /// The venue.
        venue: Id,
    },
    /// Something became of an account or an API token of the staff's.
    Staff {
        /// What.
        what: StaffChange,
        /// Its number; a name is nobody's to read here.
        id: i64,
    },
    /// An address for walk tests was heard for the first time in a venue day.
    Walked {
        /// The venue.
        venue: Id,
        /// Its number.
        walker: u8,
    },
    /// A crash had cut the last line short.
    Torn {
        /// The length of what was left of it.
        bytes: u64,
    },
    /// A new file goes on where the old one ended.
    Continued,
}

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The server did not start.
    Start,
    /// The broker did not pass its check.
    Broker,
    /// The notice was not printed.
    Poster,
    /// The list of objections did not open: its key is lost, or it is another's.
    List,
}

/// What became of an account or an API token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaffChange {
    /// An account was made.
    AccountAdded,
    /// The password or the roles of an account were changed.
    AccountChanged,
    /// An account was removed.
    AccountRemoved,
    /// An API token was made.
    TokenAdded,
    /// An API token was revoked.
    TokenRemoved,
}

/// What a line says besides its number, its time and its chain.
#[derive(Default, serde::Serialize)]
pub(super) struct Said<'a> {
    pub(super) event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) venue: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    objections: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
}

/// Words that are read back.
pub(super) const STARTED: &str = "started";
pub(super) const RESUMED: &str = "resumed";
pub(super) const KEY_MADE: &str = "key_made";
pub(super) const KEY_WIPED: &str = "key_wiped";
pub(super) const OBJECTIONS: &str = "objections";
pub(super) const PURGED: &str = "purged";
pub(super) const DESTROYED: &str = "destroyed";
pub(super) const COUNTED_ANEW: &str = "counted_anew";
pub(super) const CONTINUED: &str = "continued";

impl Event {
    /// The event as a line says it.
    pub(super) fn said(&self) -> Said<'_> {
        let plain = |event| Said { event, ..Said::default() };
        match self {
            Self::Started => plain(STARTED),
            Self::Stopped => plain("stopped"),
            Self::KeyMade { venue } => Said { venue: Some(venue.as_str()), ..plain(KEY_MADE) },
            Self::KeyWiped { venue } => Said { venue: Some(venue.as_str()), ..plain(KEY_WIPED) },
            Self::Resumed { venue, secs } => {
                Said { venue: Some(venue.as_str()), secs: Some(*secs), ..plain(RESUMED) }
            }
            Self::NotResumed { venue, why } => {
                Said { venue: Some(venue.as_str()), what: Some(why), ..plain("not_resumed") }
            }
            Self::Purged { venue, rows } => {
                Said { venue: Some(venue.as_str()), rows: Some(*rows), ..plain(PURGED) }
            }
            Self::Refused { what } => Said { what: Some(what.as_str()), ..plain("refused") },
            Self::Objections { rounded } => Said { objections: Some(*rounded), ..plain(OBJECTIONS) },
            Self::Destroyed { venue } => Said { venue: Some(venue.as_str()), ..plain(DESTROYED) },
            Self::CountedAnew { venue } => Said { venue: Some(venue.as_str()), ..plain(COUNTED_ANEW) },
            Self::Staff { what, id } => Said { id: Some(*id), ..plain(what.as_str()) },
            Self::Walked { venue, walker } => {
                Said { venue: Some(venue.as_str()), id: Some(i64::from(*walker)), ..plain("walked") }
            }
            Self::Torn { bytes } => Said { bytes: Some(*bytes), ..plain("torn") },
            Self::Continued => plain(CONTINUED),
        }
    }
}

impl Refusal {
    fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Broker => "broker",
            Self::Poster => "poster",
            Self::List => "list",
        }
    }
}

impl StaffChange {
    fn as_str(self) -> &'static str {
        match self {
            Self::AccountAdded => "account_added",
            Self::AccountChanged => "account_changed",
            Self::AccountRemoved => "account_removed",
            Self::TokenAdded => "token_added",
            Self::TokenRemoved => "token_removed",
        }
    }
}
