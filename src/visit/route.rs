//! The way of a visit from zone to zone, as much of it as is counted when the visit ends.

use super::Kind;

/// The most zone visits of visitors that one visit is counted with, and so one more than the most moves it adds. A visit
/// that has more of them is counted with its first ones.
pub const STAYS_MAX: usize = 32;

/// Where a visit went: the zone it was first near in, those it stayed in as a visitor, in order, and the zone it was last
/// near in. Two stays in a row are in different zones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Route {
    entered: u16,
    left: u16,
    stays: [u16; STAYS_MAX],
    count: u8,
}

/// A way in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Legs {
    /// The zones it was first and last near in.
    ends: Option<(u16, u16)>,
    stays: Vec<u16>,
}

impl Legs {
    /// A zone visit ended, near and of this kind.
    pub(super) fn add(&mut self, zone: u16, kind: Kind) {
        self.ends = Some((self.ends.map_or(zone, |(entered, _)| entered), zone));
        // Back where it was, with only zones crossed between, is no way to another zone.
        let stayed = matches!(kind, Kind::Visitor | Kind::Engaged) && self.stays.last() != Some(&zone);
        if stayed && self.stays.len() < STAYS_MAX {
            self.stays.push(zone);
        }
    }

    /// The whole of it; `None` of a visit that was near in no zone.
    pub(super) fn end(&self) -> Option<Route> {
        let (entered, left) = self.ends?;
        Some(Route::of(entered, &self.stays, left))
    }
}

impl Route {
    /// A way from the zone it was first near in over the zones it stayed in, the first [`STAYS_MAX`] of them, to the zone
    /// it was last near in.
    #[must_use]
    pub fn of(entered: u16, stayed: &[u16], left: u16) -> Self {
        let mut stays = [0; STAYS_MAX];
        let count = stayed.len().min(STAYS_MAX);
        stays[..count].copy_from_slice(&stayed[..count]);
        Self { entered, left, stays, count: count as u8 }
    }

    /// The zone it was first near in.
    #[must_use]
    pub fn entered(&self) -> u16 {
        self.entered
    }

    /// The zone it was last near in.
    #[must_use]
    pub fn left(&self) -> u16 {
        self.left
    }

    /// From which zone it went to which next, each pair once however often it went so.
    #[must_use]
    pub fn moves(&self) -> Vec<(u16, u16)> {
        let mut moves: Vec<(u16, u16)> = self.stays().windows(2).map(|pair| (pair[0], pair[1])).collect();
        moves.sort_unstable();
        moves.dedup();
        moves
    }

    /// The zones it stayed in, each once, in order of their numbers.
    #[must_use]
    pub fn touched(&self) -> Vec<u16> {
        let mut zones = self.stays().to_vec();
        zones.sort_unstable();
        zones.dedup();
        zones
    }

    /// The first and last zone it stayed in, if there was any.
    #[must_use]
    pub fn stayed(&self) -> Option<(u16, u16)> {
        self.stays().first().copied().zip(self.stays().last().copied())
    }

    fn stays(&self) -> &[u16] {
        &self.stays[..usize::from(self.count)]
    }
}
