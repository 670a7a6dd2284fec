//! A day of visits as it may have been, and what is published of it.

use std::ops::Range;

use super::visits::{HOURS, STAY};
use super::*;

/// Points that the shape of capped lengths is told by.
const POINTS: usize = 5;

/// People in the venue, and how many stable devices are usual for each hundred of them.
const CROWD: f64 = 400.0;
const USUAL_SHARE: u32 = 12;

/// Visits that ended in one of the shortest windows of a place.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaf {
    pub(super) passersby: u64,
    pub(super) bounces: u64,
    /// Minutes of each long visit that did not stay, and of each that did.
    pub(super) shorter: Vec<u16>,
    pub(super) stays: Vec<u16>,
    pub(super) visitors: u64,
}

/// How lengths are told of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lengths {
    /// All of them.
    All,
    /// So many points of those that stayed.
    Spread(usize),
    /// Those of the windows in it.
    OfWindows,
    /// The shape of the shorter ones.
    Capped,
}

/// A day of the venue, or of a zone.
#[derive(Clone)]
pub(super) struct Visited {
    pub(super) of_zone: bool,
    pub(super) leaves: Vec<Leaf>,
    /// By longer window: its distinct visitors.
    pub(super) visitors: BTreeMap<(Step, usize), u64>,
    /// Devices of the day that are no visitor's.
    pub(super) infrastructure: u64,
}

impl Leaf {
    pub(super) fn counts(&self) -> [u64; 5] {
        let Self { passersby, bounces, shorter, stays, visitors } = self;
        [*passersby, *bounces, shorter.len() as u64, stays.len() as u64, *visitors]
    }
}

impl Visited {
    fn shortest(&self) -> Step {
        if self.of_zone { Step::Hour } else { Step::QuarterHour }
    }

    /// The five-minute window that a leaf begins with.
    pub(super) fn five(&self, leaf: usize) -> usize {
        leaf * (self.shortest().secs() / 300) as usize
    }

    /// Every window as leaves, in the order in which they close.
    pub(super) fn windows(&self) -> Vec<(Step, Range<usize>)> {
        let length = self.five(1);
        let all = windows(12 * HOURS).into_iter().filter(|(step, ..)| *step >= self.shortest());
        all.map(|(step, first, last)| (step, first / length..last / length)).collect()
    }

    /// The windows of the next shorter step in one.
    pub(super) fn inside(&self, step: Step, range: &Range<usize>) -> Vec<(Step, Range<usize>)> {
        let windows = self.windows();
        let finer = windows.iter().map(|(of, _)| *of).filter(|of| *of < step).max();
        let lies_in = |at: &Range<usize>| range.start <= at.start && at.end <= range.end;
        windows.into_iter().filter(|(of, at)| Some(*of) == finer && lies_in(at)).collect()
    }

    pub(super) fn visitors_of(&self, step: Step, range: &Range<usize>) -> u64 {
        self.visitors.get(&(step, range.start)).copied().unwrap_or(self.leaves[range.start].visitors)
    }

    fn traffic(&self, step: Step, range: &Range<usize>) -> Traffic {
        let leaves = &self.leaves[range.clone()];
        let sum = |of: fn(&Leaf) -> u64| leaves.iter().map(of).sum::<u64>();
        let mut dwell = Dwell::default();
        leaves.iter().flat_map(|leaf| leaf.shorter.iter().chain(&leaf.stays)).for_each(|at| dwell.add(*at));
        let (passersby, bounces) = (sum(|leaf| leaf.passersby), sum(|leaf| leaf.bounces));
        Traffic {
            visits: passersby + bounces + dwell.count(),
            passersby,
            bounces,
            engaged: sum(|leaf| leaf.stays.len() as u64),
            visitors: self.visitors_of(step, range) as f64,
            dwell,
            infrastructure: if step == Step::Day { self.infrastructure } else { 0 },
        }
    }

    /// What is told of every window.
    pub(super) fn figures(&self, venue: &Arc<Venue>) -> Vec<(Step, Range<usize>, Vec<Figure>)> {
        let mut judge = Judge::new(venue.clone(), 1, None);
        judge.usual([(EpochMs(-7 * Step::Day.secs() * 1000), USUAL_SHARE)]);
        let mut heard = 0;
        let mut all = Vec::new();
        for (step, range) in self.windows() {
            hear_crowd(&mut judge, venue, &mut heard, (step, self.five(range.start), self.five(range.end)));
            let covered = |row| Covered { coverage: 1.0, beating: 1.0, row };
            let traffic = self.traffic(step, &range);
            // A zone stands in a venue where much goes on besides.
            let rows = if self.of_zone {
                let of_venue = Traffic { visitors: 10_000.0, ..traffic.clone() };
                vec![(Place::Venue, covered(of_venue)), (Place::Zone(0), covered(traffic))]
            } else {
                vec![(Place::Venue, covered(traffic))]
            };
            let window = super::window(venue, step, self.five(range.start));
            let figures = judge.judge(Closed::Visits(ZoneWindow { step, window, rows }));
            let of_place = figures.into_iter().filter(|figure| figure.scope().id().is_some() == self.of_zone);
            all.push((step, range, of_place.collect()));
        }
        all
    }

    pub(super) fn published(&self, venue: &Arc<Venue>) -> Vec<String> {
        let figures = self.figures(venue);
        figures.iter().flat_map(|(.., figures)| figures).map(|figure| format!("{figure:?}")).collect()
    }

    /// The same day with other counts, and with lengths that look the same where they are told; `None` where one window
    /// tells the shape of what another tells all of, for which this builder knows no other world.
    pub(super) fn with(
        &self,
        counts: &[[usize; 5]],
        lengths: &BTreeMap<(Step, usize), Lengths>,
    ) -> Option<Self> {
        let mut other = self.clone();
        let mut free: Vec<bool> = vec![true; counts.len()];
        for (leaf, counts) in other.leaves.iter_mut().zip(counts) {
            (leaf.passersby, leaf.bounces, leaf.visitors) =
                (counts[0] as u64, counts[1] as u64, counts[4] as u64);
            (leaf.shorter, leaf.stays) = (vec![7; counts[2]], vec![STAY + 5; counts[3]]);
        }
        for (step, range) in self.windows() {
            let Some(told) = lengths.get(&(step, range.start)) else { continue };
            if *told == Lengths::OfWindows {
                continue;
            }
            let leaves: Vec<usize> = range.filter(|t| free[*t]).collect();
            let pool = |of: fn(&Leaf) -> &Vec<u16>| {
                let mut pool: Vec<u16> = leaves.iter().flat_map(|t| of(&self.leaves[*t]).clone()).collect();
                pool.sort_unstable();
                pool
            };
            let (mut shorter, mut stays) = (pool(|leaf| &leaf.shorter), pool(|leaf| &leaf.stays));
            let all = |cell: usize| leaves.iter().map(|t| counts[*t][cell]).sum::<usize>();
            match told {
                Lengths::Spread(points) => {
                    stays = stretch(&stays, *points, all(3));
                    shorter = vec![7; all(2)];
                }
                Lengths::Capped => {
                    shorter = stretch(&shorter, POINTS, all(2));
                    stays = vec![STAY + 5; all(3)];
                }
                Lengths::All | Lengths::OfWindows => {}
            }
            if (shorter.len(), stays.len()) != (all(2), all(3)) {
                return None;
            }
            for t in leaves {
                free[t] = false;
                other.leaves[t].shorter = shorter.drain(..counts[t][2]).collect();
                other.leaves[t].stays = stays.drain(..counts[t][3]).collect();
            }
        }
        Some(other)
    }
}

/// A crowd that is always told, so that what is computed from it and from the visits is told as well.
fn hear_crowd(
    judge: &mut Judge,
    venue: &Venue,
    heard: &mut usize,
    (step, first, last): (Step, usize, usize),
) {
    const PARTS: usize = 10;
    let level = crowd::level(CROWD);
    for half in *heard..(last * PARTS).max(*heard) {
        let end = EpochMs((half as i64 + 1) * FIVE_MS / PARTS as i64);
        judge.hear(&Newest { end, venue: Some(level), zones: vec![Some(level)] });
        *heard = half + 1;
    }
    let row = Occupancy { mean: Some(level), peak: Some(level), root_mean: None, halves: 1 };
    let rows =
        [Place::Venue, Place::Zone(0)].map(|place| (place, Covered { coverage: 1.0, beating: 1.0, row }));
    let window = super::window(venue, step, first);
    let _ = judge.judge(Closed::Crowd(ZoneWindow { step, window, rows: rows.to_vec() }));
}

/// As many lengths as are wanted, whose evenly spread points are those of some others.
fn stretch(of: &[u16], points: usize, wanted: usize) -> Vec<u16> {
    let rank = |point: usize, length: usize| ((2 * point + 1) * length).div_ceil(2 * points) - 1;
    let mut point = 0;
    let mut stretched = Vec::with_capacity(wanted);
    for n in 0..wanted {
        while point + 1 < points && rank(point, wanted) < n {
            point += 1;
        }
        stretched.push(of[rank(point, of.len())]);
    }
    stretched
}
