//! A sheet: the judged cells of a table in one window.

use passant_wire::Id;
use serde::{Deserialize, Serialize};

use super::Flags;
use crate::aggregate::Bands;
use crate::clock::{Step, Window};
use crate::sealing::{Sealing, Unread, Unsealing};

/// What the cells of a sheet count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// Visits that went from one zone to another next.
    Flows,
    /// Of the visits to one zone those that were in another as well, in percent.
    CrossVisits,
    /// Visitors' visits by length.
    Dwell(Bands),
}

/// A cell that is told. What it is of are words: a zone's id, or minutes; empty is outside the venue, or no end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetCell {
    /// Where from; the one zone; from how many minutes on.
    pub row: String,
    /// Where to; the other zone; up to how many minutes.
    pub column: String,
    /// How many, or how many percent: value, low and high.
    pub value: (u32, u32, u32),
}

/// A judged table of a closed window, with the cells that are told and no others. Only this room makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    pub(super) venue: Id,
    /// A zone; `None` is the venue.
    pub(super) zone: Option<Id>,
    pub(super) subject: Subject,
    pub(super) step: Step,
    pub(super) window: Window,
    pub(super) cells: Vec<SheetCell>,
    pub(super) held_back: Option<u32>,
    pub(super) flags: Flags,
    pub(super) coverage_permille: u16,
    pub(super) thresholds: u32,
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 5] = [
        Self::Flows,
        Self::CrossVisits,
        Self::Dwell(Bands::Default),
        Self::Dwell(Bands::Meraki),
        Self::Dwell(Bands::Cmx),
    ];

    /// The word of the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flows => "flows",
            Self::CrossVisits => "cross_visits",
            Self::Dwell(Bands::Default) => "dwell_default",
            Self::Dwell(Bands::Meraki) => "dwell_meraki",
            Self::Dwell(Bands::Cmx) => "dwell_cmx",
        }
    }

    /// Whether there are windows of this step.
    #[must_use]
    pub fn has_step(self, step: Step) -> bool {
        match self {
            Self::CrossVisits => step == Step::Day,
            Self::Flows | Self::Dwell(_) => matches!(step, Step::Hour | Step::Day),
        }
    }
}

impl Sheet {
    /// The venue.
    #[must_use]
    pub fn venue(&self) -> &Id {
        &self.venue
    }
    /// The zone; `None` is the venue.
    #[must_use]
    pub fn zone(&self) -> Option<&Id> {
        self.zone.as_ref()
    }
    /// What its cells count.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.subject
    }
    /// The length of its window.
    #[must_use]
    pub fn step(&self) -> Step {
        self.step
    }
    /// Its window.
    #[must_use]
    pub fn window(&self) -> Window {
        self.window
    }
    /// The cells that are told, in order.
    #[must_use]
    pub fn cells(&self) -> &[SheetCell] {
        &self.cells
    }
    /// How many are counted in cells that are not told, a multiple of 5; `None` where that may not be told, or is none.
    #[must_use]
    pub fn held_back(&self) -> Option<u32> {
        self.held_back
    }
    /// What a reader must know.
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.flags
    }
    /// The share of the window in which its sensors were alive, in thousandths.
    #[must_use]
    pub fn coverage_permille(&self) -> u16 {
        self.coverage_permille
    }
    /// The version of the thresholds it was made under.
    #[must_use]
    pub fn thresholds(&self) -> u32 {
        self.thresholds
    }

    /// A sheet for the tests of the rooms above, which no room above can make.
    #[cfg(test)]
    pub(crate) fn for_tests(
        (venue, zone): (Id, Option<Id>),
        subject: Subject,
        (step, window): (Step, Window),
        cells: Vec<SheetCell>,
    ) -> Self {
        let flags = Flags { incomplete: true, ..Flags::default() };
        let (held_back, coverage_permille, thresholds) = (Some(15), 970, 3);
        Self { venue, zone, subject, step, window, cells, held_back, flags, coverage_permille, thresholds }
    }

    /// Puts a judged sheet in.
    pub fn seal(&self, into: &mut Sealing) {
        let zone = self.zone.as_ref().map(ToString::to_string);
        into.put(&(self.venue.as_str(), zone, self.subject, self.step, self.window, &self.cells));
        into.put(&(self.held_back, self.flags.bits(), self.coverage_permille, self.thresholds));
    }

    /// Takes a judged sheet out, as it was judged.
    ///
    /// # Errors
    /// When it does not read.
    pub fn unseal(from: &mut Unsealing) -> Result<Self, Unread> {
        let unread = from.unread();
        let id = |text: &str| Id::parse(text).ok_or(unread);
        let (venue, zone, subject, step, window, cells): (String, Option<String>, _, _, _, _) =
            from.take()?;
        let (held_back, flags, coverage_permille, thresholds) = from.take()?;
        let zone = zone.as_deref().map(id).transpose()?;
        let flags = Flags::from_bits(flags);
        let venue = id(&venue)?;
        Ok(Self {
            venue,
            zone,
            subject,
            step,
            window,
            cells,
            held_back,
            flags,
            coverage_permille,
            thresholds,
        })
    }
}
