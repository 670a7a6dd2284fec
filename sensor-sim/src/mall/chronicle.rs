//! What truly happened on a day, device by device: for whoever judges a lens in its own process. It never leaves it: a
//! truth file has counts only.

use chrono::NaiveDate;
use passant_wire::Kind;

use super::calendar::VenueDay;
use super::device::Device;
use super::plan::{Person, Plan, Sort};
use super::scenario::Scenario;

/// A venue day as it was.
#[derive(Clone, Debug)]
pub struct Chronicle {
    plan: Plan,
}

/// Who, or what, carries a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Carrier {
    /// Comes in, and is what figures count.
    Shopper,
    /// Passes outside on foot.
    PasserBy,
    /// Passes outside in a car.
    Car,
    /// Works there or guards it: a person, but infrastructure as a device.
    Staff,
    /// A till or a television: infrastructure, and no person.
    Fixture,
}

/// A device of the day, and where it was.
#[derive(Clone, Copy, Debug)]
pub struct Carried<'a> {
    device: &'a Device,
    person: &'a Person,
}

/// Where a device was from one moment to another; what follows begins where this ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The place among [`Scenario::zones`]; nothing is outside.
    pub zone: Option<usize>,
    /// Epoch ms.
    pub from_ms: i64,
    /// Epoch ms, not included.
    pub to_ms: i64,
}

impl Chronicle {
    /// The venue day that begins on a date. Its devices are those that [`super::Hearings`] of the same seed and date names.
    #[must_use]
    pub fn of(scenario: &Scenario, seed: u64, date: NaiveDate) -> Self {
        Self { plan: Plan::draw(scenario, seed, VenueDay::of(scenario, date)) }
    }

    /// When the day begins, and the first moment after it, epoch ms.
    #[must_use]
    pub fn day_ms(&self) -> (i64, i64) {
        (self.plan.day.from, self.plan.day.to)
    }

    /// When the doors open and close, epoch ms; nothing on a closed day.
    #[must_use]
    pub fn open_ms(&self) -> Option<(i64, i64)> {
        self.plan.day.open.map(|open| (open.from, open.to))
    }

    /// Every device of the day; elsewhere one is told by its place among them.
    pub fn devices(&self) -> impl ExactSizeIterator<Item = Carried<'_>> {
        self.plan.devices.iter().map(|device| self.carried(device))
    }

    /// One device, as a [`super::Hearing`] names it.
    #[must_use]
    pub fn device(&self, device: usize) -> Option<Carried<'_>> {
        self.plan.devices.get(device).map(|device| self.carried(device))
    }

    fn carried<'a>(&'a self, device: &'a Device) -> Carried<'a> {
        Carried { device, person: &self.plan.people[device.owner] }
    }
}

impl<'a> Carried<'a> {
    /// Who carries it.
    #[must_use]
    pub fn carrier(self) -> Carrier {
        match self.person.sort {
            Sort::Shopper => Carrier::Shopper,
            Sort::PasserBy(_) => Carrier::PasserBy,
            Sort::Car(_) => Carrier::Car,
            Sort::Staff => Carrier::Staff,
            Sort::Fixture => Carrier::Fixture,
        }
    }

    /// The carrier's number in the day: devices of one person share it.
    #[must_use]
    pub fn owner(self) -> usize {
        self.device.owner
    }

    /// The radio, as a sensor names it.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.device.kind
    }

    /// The address it keeps all day, if it is stable.
    #[must_use]
    pub fn stable_address(self) -> Option<[u8; 6]> {
        self.device.stable_address()
    }

    /// Where it was, in order of time and without a gap: each stay in a zone is one true zone visit.
    pub fn stays(self) -> impl ExactSizeIterator<Item = Stay> + use<'a> {
        self.person.stays.iter().map(|stay| Stay { zone: stay.zone, from_ms: stay.from, to_ms: stay.to })
    }

    /// Its true visit to the venue, from coming in to going out, epoch ms; nothing of what only passes.
    #[must_use]
    pub fn visit_ms(self) -> Option<(i64, i64)> {
        self.person.sort.comes_in().then(|| (self.person.arrive(), self.person.leave()))
    }

    /// The zone it was in at a moment; nothing is outside.
    #[must_use]
    pub fn zone_at(self, at_ms: i64) -> Option<usize> {
        let stays = &self.person.stays;
        let after = stays.partition_point(|stay| stay.from <= at_ms);
        stays.get(after.checked_sub(1)?).filter(|stay| at_ms < stay.to)?.zone
    }
}
