//! Draws of occupancy: zones of plausible sizes that fill, hover and empty, told live and in windows.

use super::*;

/// Half-minutes in five minutes.
const PARTS: usize = 10;
/// Five-minute windows of the short day.
const FIVES: usize = 6;

/// A figure with what it is of: the first five minutes and those after the last, the place, and the truth.
type Judged = (usize, usize, Place, f64, Figure);

/// Whole people by half-minute and zone.
#[derive(Clone)]
struct Day {
    venue: Arc<Venue>,
    people: Vec<Vec<f64>>,
}

pub(super) fn level(people: f64) -> Level {
    let half_width = 1.28 * (1.5f64.powi(2) + (0.3 * people).powi(2)).sqrt();
    Level { people, half_width, root_mean: people / 7.0, calibration: 1, calibrated: true }
}

impl Day {
    fn random(dice: &mut Dice) -> Self {
        let zones = 3 + dice.below(4) as usize;
        let steps = FIVES * PARTS;
        let mut people = vec![vec![0.0; zones]; steps];
        for zone in 0..zones {
            let size = [4.0, 9.0, 12.0, 25.0, 40.0, 80.0, 150.0][dice.below(7) as usize];
            let opens = dice.below(steps as u64 / 3 + 1) as f64;
            for (t, people) in people.iter_mut().enumerate() {
                let risen = ((t as f64 - opens) / (steps as f64 / 5.0)).clamp(0.0, 1.0);
                people[zone] = (size * risen * (0.8 + 0.4 * dice.share())).round();
            }
        }
        Self { venue: venue(zones, dice.below(2) == 0), people }
    }

    fn zones_of(&self, place: Place) -> Vec<usize> {
        let zones = 0..self.venue.zones.len();
        match place {
            Place::Venue => zones.collect(),
            Place::Group(group) => zones.filter(|z| self.group_of(*z) == Some(usize::from(group))).collect(),
            Place::Zone(zone) => vec![usize::from(zone)],
        }
    }

    fn group_of(&self, zone: usize) -> Option<usize> {
        self.venue.zones[zone].group
    }

    fn places(&self) -> Vec<Place> {
        let groups = (0..self.venue.groups.len() as u16).map(Place::Group);
        let zones = (0..self.venue.zones.len() as u16).map(Place::Zone);
        std::iter::once(Place::Venue).chain(groups).chain(zones).collect()
    }

    fn sum(&self, place: Place, t: usize) -> f64 {
        self.zones_of(place).into_iter().map(|zone| self.people[t][zone]).sum()
    }

    fn window(&self, step: Step, first: usize, last: usize) -> ZoneWindow<Occupancy> {
        let row = |place: Place| {
            let levels: Vec<f64> = (first * PARTS..last * PARTS).map(|t| self.sum(place, t)).collect();
            let mean = levels.iter().sum::<f64>() / levels.len() as f64;
            let peak = levels.iter().copied().fold(0.0, f64::max);
            let row = Occupancy {
                mean: Some(level(mean)),
                peak: Some(level(peak)),
                root_mean: Some(mean / 7.0),
                halves: levels.len() as u32,
            };
            (place, Covered { coverage: 1.0, beating: 1.0, row })
        };
        let rows = self.places().into_iter().map(row).collect();
        ZoneWindow { step, window: super::window(&self.venue, step, first), rows }
    }

    /// Everything that is said of the day: live, half-minute by half-minute, and every window that closes.
    fn said(&self) -> (Vec<Live>, Vec<Judged>) {
        let mut judge = Judge::new(self.venue.clone(), 1, None);
        let (mut live, mut figures) = (Vec::new(), Vec::new());
        for (step, first, last) in windows(FIVES) {
            if step == Step::FiveMinutes {
                live.extend((first * PARTS..last * PARTS).map(|t| self.live(&mut judge, t)));
            }
            let window = self.window(step, first, last);
            let truths: Vec<(Place, f64)> = window
                .rows
                .iter()
                .flat_map(|(place, c)| [(*place, c.row.mean), (*place, c.row.peak)])
                .map(|(place, level)| (place, level.unwrap().people))
                .collect();
            let judged = judge.judge(Closed::Crowd(window));
            assert_eq!(judged.len(), truths.len());
            figures
                .extend(truths.into_iter().zip(judged).map(|((p, n), figure)| (first, last, p, n, figure)));
        }
        (live, figures)
    }

    fn live(&self, judge: &mut Judge, t: usize) -> Live {
        let zones: Vec<Option<Level>> = self.people[t].iter().map(|people| Some(level(*people))).collect();
        let end = EpochMs((t as i64 + 1) * 30_000);
        let newest = Newest { end, venue: Some(level(self.sum(Place::Venue, t))), zones };
        judge.live(end, Some(&newest), Made { calibration: 1, calibrated: true }, Vec::new())
    }

    fn published(&self) -> Vec<String> {
        let (live, figures) = self.said();
        let figures = figures.iter().map(|(.., figure)| format!("{figure:?}"));
        live.iter().map(|live| format!("{live:?}")).chain(figures).collect()
    }
}

/// What an attacker is handed of a half-minute: the shown exactly, and of the hidden zones of each group what bending
/// lets through. Gives the groups of which something is told.
fn hand_over(
    day: &Day,
    t: usize,
    live: &Live,
    was_shown: bool,
    system: &mut System,
    cells: &[usize],
) -> Vec<usize> {
    let groups = day.venue.groups.len();
    if !matches!(live.occupancy, Shown::People(_)) {
        let under = if was_shown { K } else { 2 * K };
        let terms = cells.iter().map(|cell| (*cell, 1.0)).collect();
        cells.iter().for_each(|cell| system.bounds[*cell] = (0.0, f64::from(under - 1)));
        system.between(terms, 0.0, f64::from(under - 1));
        return Vec::new();
    }
    let mut told = Vec::new();
    for block in 0..=groups {
        let zones = (0..cells.len()).filter(|zone| day.group_of(*zone).unwrap_or(groups) == block);
        let (shown, hidden): (Vec<usize>, Vec<usize>) =
            zones.partition(|zone| matches!(live.zones[*zone].1, Shown::People(_)));
        let sum = |zones: &[usize]| zones.iter().map(|zone| day.people[t][*zone]).sum::<f64>();
        for zone in &shown {
            system.bounds[cells[*zone]] = (day.people[t][*zone], day.people[t][*zone]);
        }
        for zone in &hidden {
            assert_eq!(live.zones[*zone].1, Shown::UnderK, "the word says it");
            system.bounds[cells[*zone]] = (0.0, f64::from(K - 1));
        }
        let count = hidden.len() as u32;
        let bent = Bent::of(K, count, sum(&hidden), sum(&shown));
        system.told(hidden.iter().map(|zone| (cells[*zone], 1.0)).collect(), count, bent);
        if sum(&shown) + bent.least >= f64::from(K) {
            told.push(block);
        }
    }
    told
}

fn by_judge(day: Day) -> Secret {
    let (live, figures) = day.said();
    let mut system = System::default();
    let zones = day.venue.zones.len();
    let cells: Vec<Vec<usize>> =
        day.people.iter().map(|_| (0..zones).map(|_| system.cell(0.0, f64::INFINITY)).collect()).collect();
    let mut was_shown = false;
    let mut told = Vec::new();
    for (t, live) in live.iter().enumerate() {
        told.push(hand_over(&day, t, live, was_shown, &mut system, &cells[t]));
        was_shown = matches!(live.occupancy, Shown::People(_));
    }
    let mut targets: BTreeMap<Query, Vec<(String, Terms)>> = BTreeMap::new();
    let (mut large, mut large_shown) = (0, 0);
    for (first, last, place, truth, figure) in &figures {
        if *truth >= f64::from(2 * K) {
            large += 1;
            large_shown += usize::from(figure.value().is_some());
        }
        // What is hidden of a cell is what lies in no half-minute that was told.
        let is_hidden = |t: usize, zone: usize| {
            let shown = matches!(live[t].occupancy, Shown::People(_));
            !shown
                || match place {
                    Place::Venue => false,
                    Place::Group(group) => !told[t].contains(&usize::from(*group)),
                    Place::Zone(_) => !matches!(live[t].zones[zone].1, Shown::People(_)),
                }
        };
        let halves: Vec<(usize, Vec<usize>)> = (first * PARTS..last * PARTS)
            .map(|t| (t, day.zones_of(*place).into_iter().filter(|zone| is_hidden(t, *zone)).collect()))
            .filter(|(_, zones): &(usize, Vec<usize>)| !zones.is_empty())
            .collect();
        if figure.value().is_none() && !halves.is_empty() {
            let by = 1.0 / halves.len() as f64;
            let terms = halves
                .iter()
                .flat_map(|(t, zones)| zones.iter().map(|zone| (cells[*t][*zone], by)))
                .collect();
            let name = format!("{:?} of {place:?} in {first}..{last}, {truth:.1}", figure.metric());
            targets.entry((figure.metric(), figure.step())).or_default().push((name, terms));
        }
    }
    let published = day.published();
    let world = move |solution: &[f64]| {
        let mut other = day.clone();
        for (people, cells) in other.people.iter_mut().zip(&cells) {
            for (people, cell) in people.iter_mut().zip(cells) {
                *people = whole_number(*solution.get(*cell)?)?;
            }
        }
        Some(other.published())
    };
    Secret { system, targets, published, world: Some(Box::new(world)), large, large_shown, balanced: 0 }
}

/// The same day told by k alone: whatever is k or more, and exactly.
fn by_k_alone(day: &Day) -> Secret {
    let mut system = System::default();
    let zones = day.venue.zones.len();
    let cells: Vec<usize> = (0..day.people.len() * zones).map(|_| system.cell(0.0, f64::INFINITY)).collect();
    let mut hidden = Vec::new();
    for t in 0..day.people.len() {
        for place in day.places() {
            let sum = day.sum(place, t);
            let terms: Terms =
                day.zones_of(place).into_iter().map(|zone| (cells[t * zones + zone], 1.0)).collect();
            match super::by_k_alone(sum) {
                Some(told) => system.between(terms, told, told),
                None => hidden.push((format!("{place:?} in {t}"), terms)),
            }
        }
    }
    let targets = [((Metric::Occupancy, Step::FiveMinutes), hidden)];
    let targets = targets.into_iter().filter(|(_, cells)| !cells.is_empty()).collect();
    Secret { system, targets, published: Vec::new(), world: None, large: 0, large_shown: 0, balanced: 0 }
}

pub(super) fn draw(dice: &mut Dice, by: By) -> Secret {
    let day = Day::random(dice);
    match by {
        By::Judge => by_judge(day),
        By::KAlone => by_k_alone(&day),
    }
}
