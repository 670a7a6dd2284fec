//! The journal: the open state of a venue, into the vault.

use crate::calibration::Summary;
use crate::clock::EpochMs;
use crate::config::Venue;
use crate::release::{Figure, Sheet};
use crate::sealing::{Sealing, Unread, Unsealing};
use crate::vault::{Gone, Strongbox, Terms, Vault, When};

use super::corridor::Write;
use super::venue_clock::Reading;

/// Open state is kept at least this often, ms. With the tick of the corridor and a batch it stays under the ten seconds of
/// acknowledged sightings that a crash may cost; what is not acknowledged the broker delivers again.
pub const JOURNAL_MS: i64 = 9_000;
/// The form of the state. It goes up with every change to what a room seals: a state of another form is not taken out, and
/// a restart begins under a new key.
pub(super) const LAYOUT: u32 = 6;
/// Writes that the store has not taken yet, kept beside the state, at most: as many as may wait for it.
pub(super) const UNWRITTEN_MAX: usize = super::run::WRITES_MAX + super::run::BACKLOG_MAX;

/// A venue's journal, and what an earlier run left in it.
pub struct Journal {
    pub(super) strongbox: Strongbox,
    pub(super) found: Result<Found, Gone>,
    /// When the state was last kept, by the steady clock; `None` when nothing is kept.
    pub(super) kept: Option<i64>,
    pub(super) failing: bool,
}

/// What an earlier run left, opened.
pub(super) struct Found {
    /// The rest of it: the lenses and the judge.
    pub(super) state: Unsealing,
    /// Where the venue's clock stood.
    pub(super) at: EpochMs,
    /// When it was sealed, and when it was opened.
    pub(super) sealed: When,
    pub(super) opened: Reading,
    /// The end of the newest figure that had been handed to the store.
    published: Option<EpochMs>,
    /// What the store had not said that it took.
    unwritten: Vec<Write>,
}

impl Journal {
    /// The journal of a venue, opened: what may go on from an earlier run is found, and the rest is wiped.
    ///
    /// # Errors
    /// When what the venue's figures are made under cannot be told.
    pub fn open(vault: &Vault, venue: &Venue, now: Reading) -> Result<Self, serde_json::Error> {
        let mut strongbox = vault.strongbox(venue.id.clone(), terms(venue)?);
        let when = When { wall: now.wall, steady: now.steady };
        let found = strongbox.take_out(when).and_then(|taken| {
            Found::read(taken.state, taken.sealed, now, venue).map_err(|Unread { .. }| Gone::Broken)
        });
        let mut journal = Self { strongbox, found, kept: None, failing: false };
        if matches!(journal.found, Err(Gone::Broken)) {
            journal.wipe();
        }
        Ok(journal)
    }

    /// What the store must take before anything goes on.
    #[must_use]
    pub fn unwritten(&self) -> &[Write] {
        self.found.as_ref().map_or(&[], |found| &found.unwritten)
    }

    /// Tells what the store holds. A state that is older than what was published after it may not go on.
    pub fn published(&mut self, newest_end: Option<EpochMs>) {
        if self.found.as_ref().is_ok_and(|found| newest_end > found.published) {
            self.found = Err(Gone::Stale);
            self.wipe();
        }
    }

    /// Whether an earlier run's state goes on.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.found.is_ok()
    }

    pub(super) fn wipe(&mut self) {
        self.kept = None;
        self.strongbox.wipe();
    }
}

impl Found {
    fn read(mut state: Unsealing, sealed: When, opened: Reading, venue: &Venue) -> Result<Self, Unread> {
        let (at, published) = state.take()?;
        let mut unwritten = Vec::new();
        state.take_all(|state| {
            unwritten.push(Write::unseal(state, venue)?);
            Ok::<_, Unread>(())
        })?;
        Ok(Self { state, at, sealed, opened, published, unwritten })
    }
}

/// A write of one venue, as the journal keeps it.
#[derive(serde::Serialize, serde::Deserialize)]
enum Sort {
    Figures,
    Sheets,
    Calibration,
}

impl Write {
    /// Whether it must not be lost, and is of a venue.
    pub(super) fn is_kept_of(&self, venue: &Venue) -> bool {
        match self {
            Self::Figures(figures) => figures.first().is_some_and(|figure| *figure.venue() == venue.id),
            Self::Sheets(sheets) => sheets.first().is_some_and(|sheet| *sheet.venue() == venue.id),
            Self::Calibration { venue: of, .. } => *of == venue.id,
            Self::Ledger { .. } => false,
        }
    }

    pub(super) fn seal(&self, into: &mut Sealing) {
        match self {
            Self::Figures(figures) => {
                into.put(&Sort::Figures);
                into.put_all(figures.iter(), |into, figure| figure.seal(into));
            }
            Self::Sheets(sheets) => {
                into.put(&Sort::Sheets);
                into.put_all(sheets.iter(), |into, sheet| sheet.seal(into));
            }
            Self::Calibration { summary, made_at, .. } => {
                into.put(&Sort::Calibration);
                into.put(&(summary, made_at));
            }
            Self::Ledger { .. } => {}
        }
    }

    fn unseal(from: &mut Unsealing, venue: &Venue) -> Result<Self, Unread> {
        match from.take()? {
            Sort::Figures => {
                let mut figures = Vec::new();
                from.take_all(|from| {
                    figures.push(Figure::unseal(from)?);
                    Ok::<_, Unread>(())
                })?;
                Ok(Self::Figures(figures))
            }
            Sort::Sheets => {
                let mut sheets = Vec::new();
                from.take_all(|from| {
                    sheets.push(Sheet::unseal(from)?);
                    Ok::<_, Unread>(())
                })?;
                Ok(Self::Sheets(sheets))
            }
            Sort::Calibration => {
                let (summary, made_at): (Summary, EpochMs) = from.take()?;
                Ok(Self::Calibration { venue: venue.id.clone(), summary, made_at })
            }
        }
    }
}

/// What must be the same for a state to go on.
fn terms(venue: &Venue) -> Result<Terms, serde_json::Error> {
    let under = format!("{}\n{}\n{:?}\n{}", venue.id, venue.timezone, venue.calendar, venue.made_under()?);
    Ok(Terms { layout: LAYOUT, made_under: *blake3::hash(under.as_bytes()).as_bytes() })
}
