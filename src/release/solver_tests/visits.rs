//! Draws of visits: the venue by quarters of an hour, or a zone by hours, over a short day.

use std::ops::Range;

use super::series::{Among, Said, Series, over};
use super::world::{Leaf, Lengths, Visited};
use super::*;

/// Hours of the short day.
pub(super) const HOURS: usize = 8;
/// From this length on a visit is engaged, minutes.
pub(super) const STAY: u16 = 15;

/// Visits that end by window: few at first, many later. Sizes are those of a mall's shops, courts and of itself: the
/// stable tenth of its devices.
fn random(dice: &mut Dice) -> Visited {
    let of_zone = dice.below(2) == 0;
    let windows = if of_zone { HOURS } else { 4 * HOURS };
    let size = if of_zone { [12, 30, 60, 200] } else { [20, 40, 120, 400] }[dice.below(4) as usize];
    let first = dice.below(windows as u64 / 4 + 1) as f64;
    let shares = [if of_zone { 0.0 } else { dice.share() }, dice.share(), dice.share()];
    let all: f64 = shares.iter().sum();
    let longest = 20 + dice.below(60);
    let leaf = |t: usize, dice: &mut Dice| {
        let risen = ((t as f64 - first) / (windows as f64 / 6.0)).clamp(0.0, 1.0);
        let some = |dice: &mut Dice, share: f64| {
            (f64::from(size) * share / all * risen * (0.6 + 0.8 * dice.share())) as u64
        };
        let [passersby, bounces, long] = shares.map(|share| some(dice, share));
        let mut lengths: Vec<u16> = (0..long).map(|_| 5 + dice.below(longest) as u16).collect();
        lengths.sort_unstable();
        let stays = lengths.split_off(lengths.partition_point(|minutes| *minutes < STAY));
        Leaf { passersby, bounces, shorter: lengths, stays, visitors: long + dice.below(long / 2 + 2) }
    };
    let leaves: Vec<Leaf> = (0..windows).map(|t| leaf(t, dice)).collect();
    // By dice of its own: the visits of a draw are the same with it and without.
    let infrastructure = Dice(dice.0).below(3 * u64::from(K));
    let mut visited = Visited { of_zone, leaves, visitors: BTreeMap::new(), infrastructure };
    // Everybody comes in one window only, or stays in all of them, or in some.
    for (step, range) in visited.windows() {
        let inside: Vec<u64> =
            visited.inside(step, &range).iter().map(|(of, at)| visited.visitors_of(*of, at)).collect();
        if let Some(most) = inside.iter().max() {
            let all: u64 = inside.iter().sum();
            let some = [0, all - most, dice.below(all - most + 1)][dice.below(3) as usize];
            visited.visitors.insert((step, range.start), most + some);
        }
    }
    visited
}

/// Cells of a leaf: passers-by, bounces, shorter visits, stays, visitors.
const CELLS: usize = 5;
const PASSERSBY: usize = 0;
const LONG: usize = 2;
const STAYS: usize = 3;
/// What is told of, by the cells that it is the sum of.
const KINDS: [&[usize]; 4] = [&[0], &[1], &[2, 3], &[3]];

type At = (Step, usize);

/// A draw with its cells.
struct Scene {
    visited: Visited,
    cells: Vec<[usize; CELLS]>,
    system: System,
    /// By kind and window: what is told.
    said: BTreeMap<(usize, At), Option<Said>>,
    /// By window: what the stays are counted among, and the most that there may be of them.
    among: BTreeMap<At, Among>,
    most: BTreeMap<At, f64>,
    /// By longer window: the cell of its visitors.
    visitors: BTreeMap<At, usize>,
    lengths: BTreeMap<At, Lengths>,
    /// The cell of the day's devices that are no visitor's.
    infrastructure: usize,
}

impl Scene {
    fn new(visited: Visited) -> Self {
        let mut system = System::default();
        let cells = visited.leaves.iter().map(|_| [(); CELLS].map(|()| system.cell(0.0, f64::INFINITY)));
        let cells: Vec<[usize; CELLS]> = cells.collect();
        if visited.of_zone {
            cells.iter().for_each(|cells| system.bounds[cells[PASSERSBY]] = (0.0, 0.0));
        }
        let infrastructure = system.cell(0.0, f64::from(3 * K));
        let (said, among, most, visitors, lengths) = Default::default();
        Self { visited, cells, system, said, among, most, visitors, lengths, infrastructure }
    }

    fn terms(&self, of: &[usize], range: &Range<usize>) -> Terms {
        range.clone().flat_map(|t| of.iter().map(move |cell| (self.cells[t][*cell], 1.0))).collect()
    }

    fn count(&self, of: &[usize], range: &Range<usize>) -> u64 {
        let counts = |t: usize| self.visited.leaves[t].counts();
        range.clone().map(|t| of.iter().map(|cell| counts(t)[*cell]).sum::<u64>()).sum()
    }

    fn fix(&mut self, of: &[usize], range: &Range<usize>) {
        let (terms, sum) = (self.terms(of, range), self.count(of, range) as f64);
        self.system.between(terms, sum, sum);
    }

    fn said(&self, kind: usize, step: Step, range: &Range<usize>) -> Option<Said> {
        self.said[&(kind, (step, range.start))]
    }

    /// An attacker is handed one kind of count: the shortest windows exactly where they are told, and of the hidden
    /// windows in one what bending lets through.
    fn hand_over(&mut self, kind: usize, venue: &Venue) {
        let of = KINDS[kind];
        let mut series = Series::default();
        for (step, range) in self.visited.windows() {
            let at = window(venue, step, self.visited.five(range.start));
            let sum = self.count(of, &range);
            let people = if kind < LONG { sum } else { self.visited.visitors_of(step, &range) };
            let among = self.among.get(&(step, range.start)).filter(|_| kind == STAYS).copied();
            let said = series.judge(K, step, at, (sum, people), among);
            self.said.insert((kind, (step, range.start)), said);
            match kind {
                LONG => _ = self.among.insert((step, range.start), series.as_among(said)),
                STAYS => _ = self.most.insert((step, range.start), series.most()),
                _ => {}
            }
            let inside = self.visited.inside(step, &range);
            if inside.is_empty() {
                match said {
                    Some(_) => self.fix(of, &range),
                    None => self.system.between(self.terms(of, &range), 0.0, f64::from(K - 1)),
                }
                continue;
            }
            if kind >= LONG && said.is_none() && people < u64::from(K) {
                // So few made them that nothing is told of how many they are.
                continue;
            }
            let (told, hidden): (Vec<_>, Vec<_>) =
                inside.into_iter().partition(|(step, at)| self.said(kind, *step, at).is_some());
            let hidden_sum: u64 = hidden.iter().map(|(_, at)| self.count(of, at)).sum();
            let beside = if told.is_empty() { 0.0 } else { 1.0 };
            let parts = hidden.len() as u32;
            let among_told =
                |(step, at): &&(Step, Range<usize>)| kind != STAYS || self.said(LONG, *step, at).is_some();
            let told = hidden.iter().filter(among_told).count() as u32;
            let most = among.map_or(f64::INFINITY, |among| among.hidden_most);
            let over = over(K, told, parts - told, most);
            let bent = Bent::up_to(over, K, parts, hidden_sum as f64, beside);
            let terms = hidden.iter().flat_map(|(_, at)| self.terms(of, at)).collect();
            self.system.told(terms, parts, bent);
        }
    }

    /// Lengths are told whole only where the number of stays is, and their shape is handed over with them.
    fn hand_over_lengths(&mut self) {
        for (step, range) in self.visited.windows() {
            let (long, stays) = (self.said(LONG, step, &range), self.said(STAYS, step, &range));
            let inside = self.visited.inside(step, &range);
            let has_inside = inside.iter().any(|(step, at)| self.lengths.contains_key(&(*step, at.start)));
            let lengths = match (long, stays) {
                (None, _) => continue,
                (Some(long), Some(stays)) if stays.is_exact() && long.is_exact() => Lengths::All,
                (Some(long), Some(stays)) if stays.is_of_hidden && long.is_of_hidden => {
                    Lengths::Spread(stays.least as usize)
                }
                _ if has_inside => Lengths::OfWindows,
                (Some(long), None) if long.least >= self.most[&(step, range.start)] + f64::from(K) => {
                    Lengths::Capped
                }
                _ => continue,
            };
            match lengths {
                Lengths::All => {
                    self.fix(&[2], &range);
                    self.fix(&[3], &range);
                }
                Lengths::Spread(_) | Lengths::OfWindows | Lengths::Capped => {}
            }
            self.lengths.insert((step, range.start), lengths);
        }
    }

    /// Distinct visitors of a longer window are at least those of each inside, and at most all of them.
    fn hand_over_visitors(&mut self, venue: &Venue) {
        let mut series = Series::default();
        for (step, range) in self.visited.windows() {
            let at = window(venue, step, self.visited.five(range.start));
            let truth = self.visited.visitors_of(step, &range);
            let told = series.judge_distinct(K, step, at, truth as f64);
            let bounds = told.map_or((0.0, f64::from(K - 1)), |told| (told, told));
            let inside = self.visited.inside(step, &range);
            let cell =
                if inside.is_empty() { self.cells[range.start][4] } else { self.system.cell(0.0, 0.0) };
            self.system.bounds[cell] = bounds;
            let mut all = vec![(cell, -1.0)];
            for (step, at) in inside {
                let part = self.visitors[&(step, at.start)];
                // A told part is known to be more than is told of it.
                if told.is_none() {
                    self.system.between(vec![(cell, 1.0), (part, -1.0)], 0.0, f64::INFINITY);
                }
                all.push((part, 1.0));
            }
            if all.len() > 1 {
                self.system.between(all, 0.0, f64::INFINITY);
            }
            self.visitors.insert((step, range.start), cell);
        }
    }

    /// Where the day's visitors are told, so are the devices that are no visitor's, or that they are under k; where they are
    /// not, nothing is told of either.
    fn hand_over_infrastructure(&mut self) {
        let day = self.visitors[&(Step::Day, 0)];
        if self.system.bounds[day].1 < f64::from(K) {
            return;
        }
        let devices = self.visited.infrastructure as f64;
        let is_told = devices >= f64::from(K);
        self.system.bounds[self.infrastructure] =
            if is_told { (devices, devices) } else { (0.0, f64::from(K - 1)) };
    }

    /// The cells of what a figure counts; `None` of a figure that is computed from others.
    fn counted(&self, metric: Metric, step: Step, range: &Range<usize>) -> Option<Terms> {
        Some(match metric {
            Metric::Visits => self.terms(&[0, 1, 2, 3], range),
            Metric::Passersby => self.terms(&[0], range),
            Metric::Bounces => self.terms(&[1], range),
            Metric::Engaged => self.terms(&[3], range),
            Metric::Visitors => vec![(self.visitors[&(step, range.start)], 1.0)],
            Metric::Infrastructure => vec![(self.infrastructure, 1.0)],
            _ => return None,
        })
    }

    /// What there really is of a figure.
    fn truth(&self, metric: Metric, step: Step, range: &Range<usize>) -> u64 {
        match metric {
            Metric::Visits => self.count(&[0, 1, 2, 3], range),
            Metric::Passersby => self.count(&[0], range),
            Metric::Bounces => self.count(&[1], range),
            Metric::Engaged => self.count(&[3], range),
            Metric::Visitors => self.visited.visitors_of(step, range),
            Metric::Infrastructure => self.visited.infrastructure,
            Metric::CaptureRate => self.count(&[0], range).min(self.count(&[2, 3], range)),
            _ => self.count(&[2, 3], range),
        }
    }
}

fn by_judge(visited: Visited, venue: Arc<Venue>) -> Secret {
    let mut scene = Scene::new(visited);
    (0..KINDS.len()).for_each(|kind| scene.hand_over(kind, &venue));
    scene.hand_over_lengths();
    scene.hand_over_visitors(&venue);
    scene.hand_over_infrastructure();
    let (mut large, mut large_shown, mut balanced) = (0, 0, 0);
    let mut targets: BTreeMap<Query, Vec<(String, Terms)>> = BTreeMap::new();
    for (step, range, figures) in scene.visited.figures(&venue) {
        for figure in figures {
            let metric = figure.metric();
            if metric == Metric::Passersby && scene.visited.of_zone {
                // A zone has none, which is no secret.
                continue;
            }
            if equation(metric.as_str()) == Some(Equation::Balance) {
                // Of what is computed from others nothing is asked but that it is the same in every world.
                balanced += usize::from(figure.value().is_some());
                continue;
            }
            let truth = scene.truth(metric, step, &range);
            if truth >= u64::from(2 * K) {
                large += 1;
                large_shown += usize::from(figure.value().is_some());
            }
            if let (None, Some(terms)) = (figure.value(), scene.counted(metric, step, &range)) {
                let name = format!("{metric:?} in {range:?} of {truth}");
                targets.entry((metric, step)).or_default().push((name, terms));
            }
        }
    }
    let published = scene.visited.published(&venue);
    let Scene { visited, cells, system, visitors, lengths, infrastructure, .. } = scene;
    let world = move |solution: &[f64]| {
        let count = |cell: usize| Some(whole_number(*solution.get(cell)?)? as usize);
        let counts = cells.iter().map(|cells| {
            let mut counts = [0; CELLS];
            for (count_of, cell) in counts.iter_mut().zip(cells) {
                *count_of = count(*cell)?;
            }
            Some(counts)
        });
        let mut other = visited.with(&counts.collect::<Option<Vec<_>>>()?, &lengths)?;
        for (at, visitors_of) in &mut other.visitors {
            *visitors_of = count(visitors[at])? as u64;
        }
        other.infrastructure = count(infrastructure)? as u64;
        Some(other.published(&venue))
    };
    Secret { system, targets, published, world: Some(Box::new(world)), large, large_shown, balanced }
}

/// The same day told by k alone: whatever is k or more, and exactly.
fn by_k_alone(visited: Visited) -> Secret {
    let mut scene = Scene::new(visited);
    let mut hidden = Vec::new();
    for (step, range) in scene.visited.windows() {
        for of in [&[0, 1, 2, 3][..], &[0], &[1], &[3]] {
            let sum = scene.count(of, &range);
            match super::by_k_alone(sum as f64) {
                Some(_) => scene.fix(of, &range),
                None if scene.visited.of_zone && of == [0] => {}
                None => hidden.push((format!("{of:?} in {range:?} {step:?}"), scene.terms(of, &range))),
            }
        }
    }
    let targets = [((Metric::Visits, Step::Hour), hidden)];
    let targets = targets.into_iter().filter(|(_, cells)| !cells.is_empty()).collect();
    Secret {
        system: scene.system,
        targets,
        published: Vec::new(),
        world: None,
        large: 0,
        large_shown: 0,
        balanced: 0,
    }
}

pub(super) fn draw(dice: &mut Dice, by: By) -> Secret {
    let visited = random(dice);
    match by {
        By::Judge => by_judge(visited, venue(1, false)),
        By::KAlone => by_k_alone(visited),
    }
}
