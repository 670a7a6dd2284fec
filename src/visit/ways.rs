//! Which zone follows which, how long people are in each, and where they come in and go: counted from what is settled, of
//! everyone together.

use super::path::Loudest;

/// What is assumed of a zone before anybody was seen to leave it: that so many have, after so long each.
const LEFT_BEFORE: f32 = 2.0;
const STAYED_BEFORE_SECS: f32 = 120.0;
/// So many moves from each zone are assumed before any was seen, to all zones alike.
const WENT_BEFORE: f32 = 25.0;
/// So many moves through each zone are assumed, of which as many went straight back as went there from anywhere.
const PASSED_BEFORE: f32 = 10.0;
/// So many visits are assumed to have begun.
const BEGUN_BEFORE: f32 = 50.0;
/// So many times people in a zone are assumed to have gone on or home.
const ENDED_BEFORE: f32 = 20.0;
/// The share of visits that are first heard in an entrance, where it is known which zones are; the others are in any.
const FIRST_IN_ENTRANCE: f32 = 0.6;
/// Of those in an entrance, and of those in another zone, the share that go home from there, as far as they are heard.
const HOME_FROM_ENTRANCE: f32 = 0.5;
const HOME_FROM_ELSEWHERE: f32 = 0.02;
/// What the odds of going straight back are multiplied by: moves that were none are mostly there and back, and teach
/// themselves. With this, days of simulated malls were counted best.
const BACK_ODDS: f32 = 0.3;
/// In a gap of this length there was, more likely than not, a zone between, where there was a move at all, secs.
const FAR_SECS: f32 = 480.0;
/// A move seen over a longer gap may have led over zones between, and teaches nothing of what follows what, ms.
const NEXT_GAP_MS_MAX: i64 = 60_000;
/// No move is rarer.
const SHARE_MIN: f32 = 1e-4;
/// What was counted fewer times is forgotten with the venue day.
const KEPT_MIN: u32 = 20;

/// A settled change of zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// The zone before the one that was left, if the visit had one.
    pub(super) before: Option<u16>,
    pub(super) from: u16,
    pub(super) to: u16,
    /// Which zones were loudest in the zone that was left.
    pub(super) loudest: Loudest,
    /// From the first to the last sighting in the zone that was left.
    pub(super) stayed_ms: i64,
    /// From that to the first in the next.
    pub(super) gap_ms: i64,
}

/// The zones in which a visit was first and last near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) first: u16,
    pub(super) last: u16,
}

/// What is assumed of where visits begin and end, by zone.
pub(super) struct Assumed {
    begins: Vec<f32>,
    ends: Vec<f32>,
}

/// Counters of all moves of the day, and half of what the days before taught.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Ways {
    zones: usize,
    /// By zone that was left, and by zone that was next.
    next: Vec<u32>,
    /// By zone: how many were seen to go on to a next one, and their sum.
    went: Vec<u32>,
    /// By zone: how many of those had come from another, and how many of these went straight back to it.
    passed: Vec<u32>,
    back: Vec<u32>,
    /// By zone: how many came, left, and how long those stayed.
    came: Vec<u32>,
    came_anywhere: u32,
    left: Vec<u32>,
    stayed_ms: Vec<i64>,
    /// By zone: how many visits began and ended.
    begun: Vec<u32>,
    begun_anywhere: u32,
    ended: Vec<u32>,
}

impl Assumed {
    /// What is assumed of zones, of each of which is said whether people come into the venue there.
    pub(super) fn of(entrances: &[bool]) -> Self {
        let doors = entrances.iter().filter(|is| **is).count() as f32;
        let in_entrance = if doors > 0.0 { FIRST_IN_ENTRANCE } else { 0.0 };
        let anywhere = (1.0 - in_entrance) / entrances.len() as f32;
        Self {
            begins: entrances
                .iter()
                .map(|is| if *is { anywhere + in_entrance / doors } else { anywhere })
                .collect(),
            ends: entrances
                .iter()
                .map(|is| if *is { HOME_FROM_ENTRANCE } else { HOME_FROM_ELSEWHERE })
                .collect(),
        }
    }
}

impl Ways {
    /// Nobody was seen yet.
    pub(super) fn new(zones: usize) -> Self {
        Self {
            zones,
            next: vec![0; zones * zones],
            went: vec![0; zones],
            passed: vec![0; zones],
            back: vec![0; zones],
            came: vec![0; zones],
            came_anywhere: 0,
            left: vec![0; zones],
            stayed_ms: vec![0; zones],
            begun: vec![0; zones],
            begun_anywhere: 0,
            ended: vec![0; zones],
        }
    }

    /// What it costs to have come in in a zone, nats.
    pub(super) fn begin(&self, zone: u16, assumed: &Assumed) -> f32 {
        let zone = usize::from(zone);
        let begun = self.begun[zone] as f32 + BEGUN_BEFORE * assumed.begins[zone];
        -(begun / (self.begun_anywhere as f32 + BEGUN_BEFORE)).max(SHARE_MIN).ln()
    }

    /// What it costs to have gone home from a zone rather than on, nats.
    pub(super) fn end(&self, zone: u16, assumed: &Assumed) -> f32 {
        let zone = usize::from(zone);
        let (ended, left) = (self.ended[zone] as f32, self.left[zone] as f32);
        let share = (ended + ENDED_BEFORE * assumed.ends[zone]) / (ended + left + ENDED_BEFORE);
        -share.max(SHARE_MIN).ln()
    }

    /// What it costs to have stayed in a zone for a while, nats.
    pub(super) fn stay(&self, zone: u16, secs: f32) -> f32 {
        secs / self.mean_secs(usize::from(zone))
    }

    /// What it costs to have gone from one zone to another within a while, nats, when the one before was known or there
    /// was none.
    pub(super) fn go(&self, before: Option<u16>, from: u16, to: u16, secs: f32) -> f32 {
        let (from, to) = (usize::from(from), usize::from(to));
        let leaves = 1.0 - (-secs / self.mean_secs(from)).exp();
        let anywhere = share(self.came[to], self.came_anywhere, WENT_BEFORE, 1.0 / self.zones as f32);
        let goes = far(secs) * anywhere + (1.0 - far(secs)) * self.next(before.map(usize::from), from, to);
        -(leaves * goes).max(SHARE_MIN).ln()
    }

    /// The share of those who go on from a zone that go to another next. Who came from there seldom goes straight back,
    /// unless there is no other way: a walkway is crossed, and a shop is left by the door.
    fn next(&self, before: Option<usize>, from: usize, to: usize) -> f32 {
        let went = |to: usize| {
            share(self.next[from * self.zones + to], self.went[from], WENT_BEFORE, 1.0 / self.zones as f32)
        };
        let Some(before) = before else { return went(to) };
        let there = went(before).min(1.0 - SHARE_MIN);
        let seen = share(self.back[from], self.passed[from], PASSED_BEFORE, there).min(1.0 - SHARE_MIN);
        let back = seen * BACK_ODDS / (seen * BACK_ODDS + 1.0 - seen);
        if to == before { back } else { went(to) * (1.0 - back) / (1.0 - there) }
    }

    /// Whether it counts for so many zones.
    pub(super) fn is_of(&self, zones: usize) -> bool {
        self.zones == zones && self.next.len() == zones * zones
    }

    /// Counts a move.
    pub(super) fn learn(&mut self, moved: Move) {
        let (from, to) = (usize::from(moved.from), usize::from(moved.to));
        self.came[to] += 1;
        self.came_anywhere += 1;
        self.left[from] += 1;
        self.stayed_ms[from] += moved.stayed_ms;
        if moved.gap_ms < NEXT_GAP_MS_MAX {
            self.next[from * self.zones + to] += 1;
            self.went[from] += 1;
            if let Some(before) = moved.before {
                self.passed[from] += 1;
                self.back[from] += u32::from(before == moved.to);
            }
        }
    }

    /// Counts where a visit began and ended.
    pub(super) fn learn_ends(&mut self, ends: Ends) {
        self.begun[usize::from(ends.first)] += 1;
        self.begun_anywhere += 1;
        self.ended[usize::from(ends.last)] += 1;
    }

    /// A day is over: what it taught weighs half from now on, and what only few did is forgotten.
    pub(super) fn fade(&mut self) {
        for zone in 0..self.zones {
            let left = faded(self.left[zone]);
            self.stayed_ms[zone] = self.stayed_ms[zone] * i64::from(left) / i64::from(self.left[zone]).max(1);
        }
        let counters = [
            &mut self.next,
            &mut self.passed,
            &mut self.came,
            &mut self.left,
            &mut self.begun,
            &mut self.ended,
        ];
        counters.into_iter().flatten().for_each(|counter| *counter = faded(*counter));
        for (back, passed) in self.back.iter_mut().zip(&self.passed) {
            *back = (*back / 2).min(*passed);
        }
        for (went, next) in self.went.iter_mut().zip(self.next.chunks_exact(self.zones.max(1))) {
            *went = next.iter().sum();
        }
        self.came_anywhere = self.came.iter().sum();
        self.begun_anywhere = self.begun.iter().sum();
    }

    fn mean_secs(&self, zone: usize) -> f32 {
        let stayed_secs = self.stayed_ms[zone] as f32 / 1000.0 + STAYED_BEFORE_SECS * LEFT_BEFORE;
        stayed_secs / (self.left[zone] as f32 + LEFT_BEFORE)
    }
}

/// A share of what was seen, with so many assumed before of which a share was.
fn share(seen: u32, of: u32, before: f32, assumed: f32) -> f32 {
    (seen as f32 + before * assumed) / (of as f32 + before)
}

/// What a counter is when its day is over.
fn faded(counter: u32) -> u32 {
    if counter < KEPT_MIN { 0 } else { counter / 2 }
}

/// How likely it is that there were zones between, over a while: then where people go at all says more than where they go
/// next.
fn far(secs: f32) -> f32 {
    1.0 - (-secs / FAR_SECS).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(before: Option<u16>, from: u16, to: u16) -> Move {
        Move { before, from, to, loudest: Loudest::default(), stayed_ms: 60_000, gap_ms: 20_000 }
    }

    #[test]
    fn a_day_weighs_half_when_it_is_over_and_what_few_did_nothing() {
        let mut ways = Ways::new(3);
        for _ in 0..40 {
            ways.learn(moved(Some(0), 1, 2));
            ways.learn_ends(Ends { first: 0, last: 2 });
        }
        for _ in 0..KEPT_MIN - 1 {
            ways.learn(moved(Some(2), 1, 0));
            ways.learn_ends(Ends { first: 1, last: 0 });
        }
        ways.fade();
        let mut kept = Ways::new(3);
        // Half of 59 were a minute in the zone; in no other was anybody seen to leave it.
        kept.next[5] = 20;
        kept.went[1] = 20;
        (kept.came[2], kept.came_anywhere) = (20, 20);
        (kept.left[1], kept.stayed_ms[1]) = (29, 29 * 60_000);
        kept.passed[1] = 29;
        (kept.begun[0], kept.begun_anywhere) = (20, 20);
        kept.ended[2] = 20;
        assert_eq!(ways, kept);
        (0..5).for_each(|_| ways.fade());
        assert_eq!(ways, Ways::new(3));
    }

    #[test]
    fn who_came_from_a_zone_seldom_goes_straight_back_where_there_are_other_ways() {
        let mut ways = Ways::new(3);
        for _ in 0..100 {
            // Through the walkway, and into the shop and out again.
            ways.learn(moved(Some(0), 1, 2));
            ways.learn(moved(Some(1), 2, 1));
            ways.learn(moved(Some(2), 1, 0));
        }
        let (back, on) = (ways.go(Some(0), 1, 0, 20.0), ways.go(Some(2), 1, 0, 20.0));
        assert!(back > on + 2.0, "{back} nats for the way back, {on} for the way on");
        let out = ways.go(Some(1), 2, 1, 20.0);
        assert!(out < ways.go(None, 2, 1, 20.0) + 0.1, "there is no other way: {out}");
    }

    #[test]
    fn visits_begin_and_end_at_entrances_until_it_is_seen_where() {
        let assumed = Assumed::of(&[true, false, false, false]);
        assert!((assumed.begins.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        let mut ways = Ways::new(4);
        assert!(ways.begin(0, &assumed) < ways.begin(1, &assumed));
        assert!(ways.end(0, &assumed) < ways.end(1, &assumed));
        (0..1_000).for_each(|_| ways.learn_ends(Ends { first: 1, last: 1 }));
        assert!(ways.begin(1, &assumed) < ways.begin(0, &assumed));
        assert!(ways.end(1, &assumed) < ways.end(0, &assumed));
        // Where no zone is said to be one, all are alike.
        let nothing = Assumed::of(&[false; 4]);
        assert_eq!(nothing.begins, [0.25; 4]);
    }
}
