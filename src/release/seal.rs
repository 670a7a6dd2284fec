//! What the judge remembers, and figures that the store has not taken yet, on their way into the vault and out of it.
//!
//! A judge that forgot what it had told could not judge beside it.

use passant_wire::Id;
use serde::{Deserialize, Serialize};

use super::judge::Judge;
use super::{Banded, Figure, Flags, Label, Metric, Scope};
use crate::clock::{Step, Window};
use crate::sealing::{Sealing, Unread, Unsealing};

impl Judge {
    /// Puts in what it remembers.
    pub fn seal(&self, into: &mut Sealing) {
        into.put(&(self.began, self.earlier, self.heard_until, &self.rekeyed, &self.shown));
        into.put(&(&self.half, self.heard_up_to, &self.halves, &self.visits, &self.tables, &self.footfall));
    }

    /// Takes it out: this run goes on where the earlier one was.
    ///
    /// # Errors
    /// When it does not read.
    pub fn unseal(&mut self, from: &mut Unsealing) -> Result<(), Unread> {
        (self.began, self.earlier, self.heard_until, self.rekeyed, self.shown) = from.take()?;
        (self.half, self.heard_up_to, self.halves, self.visits, self.tables, self.footfall) = from.take()?;
        Ok(())
    }
}

/// Where a figure is counted, and the name of it.
#[derive(Serialize, Deserialize)]
enum Where {
    Venue,
    Zone(String),
    Group(String),
}

/// A judged figure, word for word.
#[derive(Serialize, Deserialize)]
struct Told {
    venue: String,
    scope: Where,
    metric: Metric,
    step: Step,
    window: Window,
    value: Option<(u32, u32, u32)>,
    root_mean_centi: Option<u32>,
    flags: i64,
    coverage_permille: u16,
    thresholds: u32,
    calibration: u32,
}

impl Figure {
    /// Puts a judged figure in.
    pub fn seal(&self, into: &mut Sealing) {
        into.put(&Told {
            venue: self.venue.to_string(),
            scope: match &self.scope {
                Scope::Venue => Where::Venue,
                Scope::Zone(id) => Where::Zone(id.to_string()),
                Scope::Group(id) => Where::Group(id.to_string()),
            },
            metric: self.metric,
            step: self.step,
            window: self.window,
            value: self.value.map(|Banded { value, low, high }| (value, low, high)),
            root_mean_centi: self.root_mean_centi,
            flags: self.flags.bits(),
            coverage_permille: self.coverage_permille,
            thresholds: self.thresholds,
            calibration: self.calibration,
        });
    }

    /// Takes a judged figure out, as it was judged.
    ///
    /// # Errors
    /// When it does not read.
    pub fn unseal(from: &mut Unsealing) -> Result<Self, Unread> {
        let unread = from.unread();
        let told: Told = from.take()?;
        let id = |text: &str| Id::parse(text).ok_or(unread);
        let label = Label {
            venue: id(&told.venue)?,
            scope: match &told.scope {
                Where::Venue => Scope::Venue,
                Where::Zone(zone) => Scope::Zone(id(zone)?),
                Where::Group(group) => Scope::Group(id(group)?),
            },
            metric: told.metric,
            step: told.step,
            window: told.window,
            flags: Flags::from_bits(told.flags),
            coverage_permille: told.coverage_permille,
            thresholds: told.thresholds,
            calibration: told.calibration,
        };
        let value = told.value.map(|(value, low, high)| Banded { value, low, high });
        Ok(Self::judged(label, value, told.root_mean_centi))
    }
}
