//! Occupancy: half-minutes are judged one by one, and every window is made of what was told of its half-minutes, so it
//! tells no more than they did.

use std::collections::BTreeMap;

use super::Banded;
use super::bend::Bent;
use super::judge::whole;
use crate::aggregate::{Level, Newest};
use crate::clock::{Calendar, EpochMs, Step};

/// How far the estimate of a hidden zone may be off, as a share of it, and in people: what the crowd lens gives a small
/// crowd. It must not be the hidden zone's own band, which would tell of it. Doubled where nobody counted heads.
const ERROR_SHARE: f64 = 0.5;
const ERROR_PEOPLE: f64 = 2.0;

/// What is told of a place: a number and its band, and how much of it is beyond doubt.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Said {
    /// At least so many: what lies in shown zones, and what may be told of the hidden.
    pub(super) least: f64,
    pub(super) people: f64,
    low: f64,
    high: f64,
}

/// A place in a half-minute.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) enum Heard {
    /// Nobody could be heard.
    NoData,
    /// It is hidden: under k, or the venue is.
    Hidden,
    /// It is told.
    Told(Said),
}

/// A judged half-minute.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Half {
    /// Its end.
    pub(super) end: EpochMs,
    /// Whether the venue is shown, and so anything is.
    pub(super) shown: bool,
    /// By row: the venue, the groups, the zones.
    pub(super) rows: Vec<Heard>,
}

/// The zones of a group, or those of none.
#[derive(Clone, Copy, Default)]
struct Block {
    heard: bool,
    shown: Said,
    hidden: u32,
    hidden_people: f64,
    calibrated: bool,
}

impl Said {
    fn of(level: &Level) -> Self {
        let Level { people, half_width, .. } = *level;
        Self { least: people, people, low: people - half_width, high: people + half_width }
    }

    /// What is told of hidden zones.
    fn of_hidden(count: u32, bent: Bent, calibrated: bool) -> Self {
        let doubled = if calibrated { 1.0 } else { 2.0 };
        let error = |people: f64| doubled * (ERROR_SHARE * people + ERROR_PEOPLE * f64::from(count));
        Self {
            least: bent.least,
            people: bent.middle(),
            low: (bent.least - error(bent.least)).max(0.0),
            high: if count == 0 { 0.0 } else { bent.most + error(bent.most) },
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            least: self.least + other.least,
            people: self.people + other.people,
            low: self.low + other.low,
            high: self.high + other.high,
        }
    }

    fn over(self, count: u32) -> Self {
        let over = |people: f64| people / f64::from(count);
        Self {
            least: over(self.least),
            people: over(self.people),
            low: over(self.low),
            high: over(self.high),
        }
    }

    /// In whole people.
    pub(super) fn banded(self) -> Banded {
        Banded { value: whole(self.people), low: whole(self.low), high: whole(self.high) }
    }
}

impl Block {
    fn take(&mut self, k: u32, level: &Level) {
        self.calibrated = level.calibrated && (self.calibrated || !self.heard);
        self.heard = true;
        if whole(level.people) >= k {
            self.shown = self.shown.plus(Said::of(level));
        } else {
            self.hidden += 1;
            self.hidden_people += level.people;
        }
    }

    fn said(&self, k: u32) -> Said {
        let bent = Bent::of(k, self.hidden, self.hidden_people, self.shown.people);
        self.shown.plus(Said::of_hidden(self.hidden, bent, self.calibrated))
    }
}

impl Half {
    /// Judges a half-minute. A zone is shown from k people on, and the others are under k. A group is the sum of its
    /// shown zones and of what may be told of the hidden; the venue is the sum of those. `before` is the half-minute
    /// before: the venue is shown from 2k people on until it falls under k.
    pub(super) fn judge(
        k: u32,
        group_of: &[Option<usize>],
        groups: usize,
        newest: &Newest,
        before: Option<&Self>,
    ) -> Self {
        let mut blocks = vec![Block::default(); groups + 1];
        for (level, group) in newest.zones.iter().zip(group_of) {
            if let Some(level) = level {
                blocks[group.unwrap_or(groups)].take(k, level);
            }
        }
        let said: Vec<Option<Said>> = blocks.iter().map(|b| b.heard.then(|| b.said(k))).collect();
        let venue = said.iter().flatten().copied().reduce(Said::plus);
        let enough = if before.is_some_and(|half| half.shown) { k } else { 2 * k };
        let shown = venue.is_some_and(|venue| whole(venue.least) >= enough);
        let told = |said: Option<Said>| match said {
            None => Heard::NoData,
            Some(said) if shown && whole(said.least) >= k => Heard::Told(said),
            Some(_) => Heard::Hidden,
        };
        let of_groups = said[..groups].iter().map(|said| told(*said));
        let zones = newest.zones.iter().map(|level| told(level.as_ref().map(Said::of)));
        let rows = std::iter::once(told(venue)).chain(of_groups).chain(zones).collect();
        Self { end: newest.end, shown, rows }
    }
}

/// What was told of the half-minutes of a window, added up.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Sum {
    said: Said,
    halves: u32,
    told: u32,
    peak: Option<Said>,
}

impl Sum {
    fn take(&mut self, k: u32, venue_shown: bool, heard: &Heard) {
        let said = match heard {
            Heard::NoData => return,
            Heard::Told(said) => {
                self.told += 1;
                self.peak = self.peak.filter(|peak| peak.people >= said.people).or(Some(*said));
                *said
            }
            // Whatever it was: the same number stands for it.
            Heard::Hidden => {
                let most = f64::from(if venue_shown { k } else { 2 * k });
                Said { least: 0.0, people: f64::from(k) / 2.0, low: 0.0, high: most }
            }
        };
        self.halves += 1;
        self.said = self.said.plus(said);
    }
}

/// What is told of a place in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Told {
    /// The mean of its half-minutes, those that were hidden counted as half of k.
    pub(super) mean: Option<Said>,
    /// The largest of its half-minutes that were told.
    pub(super) peak: Option<Said>,
    /// Whether all of them were told.
    pub(super) is_whole: bool,
}

/// The open windows of the crowd lens, as sums of what was told.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Halves(BTreeMap<(Step, EpochMs), Vec<Sum>>);

impl Halves {
    /// Takes a judged half-minute into the windows it lies in.
    pub(super) fn take(&mut self, k: u32, calendar: &Calendar, half: &Half) {
        let inside = EpochMs(half.end.0 - 1);
        for step in Step::ALL {
            let from = calendar.window_of(inside, step).from;
            let sums = self.0.entry((step, from)).or_insert_with(|| vec![Sum::default(); half.rows.len()]);
            for (sum, heard) in sums.iter_mut().zip(&half.rows) {
                sum.take(k, half.shown, heard);
            }
        }
    }

    /// What is told of a window that closes, by row. A mean is told where what is beyond doubt is k in the mean.
    pub(super) fn close(&mut self, k: u32, step: Step, from: EpochMs, rows: usize) -> Vec<Told> {
        let sums = self.0.remove(&(step, from)).unwrap_or_default();
        self.0.retain(|(of, at), _| *of != step || *at > from);
        let told = |sum: &Sum| {
            let mean = (sum.halves > 0).then(|| sum.said.over(sum.halves));
            Told {
                mean: mean.filter(|mean| whole(mean.least) >= k),
                peak: sum.peak,
                is_whole: sum.told == sum.halves,
            }
        };
        let mut all: Vec<Told> = sums.iter().map(told).collect();
        all.resize(rows, Told::default());
        all
    }
}
