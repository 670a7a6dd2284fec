//! Draws of occupancy: zones of plausible sizes that fill, hover and empty.

use super::*;

/// Levels by half-minute (or five minutes, where live is not told) and zone, in whole people.
struct Day {
    venue: Arc<Venue>,
    /// Parts of a five-minute window: 1 or 10.
    parts: usize,
    people: Vec<Vec<f64>>,
}

fn level(people: f64) -> Level {
    let half_width = 1.28 * (1.5f64.powi(2) + (0.3 * people).powi(2)).sqrt();
    Level { people, half_width, root_mean: people / 7.0, calibration: 1, calibrated: true }
}

impl Day {
    fn random(dice: &mut Dice, zones: usize, five: usize, parts: usize) -> Self {
        let steps = five * parts;
        let mut people = vec![vec![0.0; zones]; steps];
        for zone in 0..zones {
            let size = [4.0, 9.0, 25.0, 40.0, 80.0, 150.0][dice.below(6) as usize];
            let opens = dice.below(steps as u64 / 3 + 1) as f64;
            for (t, people) in people.iter_mut().enumerate() {
                let risen = ((t as f64 - opens) / (steps as f64 / 5.0)).clamp(0.0, 1.0);
                people[zone] = (size * risen * (0.8 + 0.4 * dice.share())).round();
            }
        }
        Self { venue: venue(zones, dice.below(2) == 0), parts, people }
    }

    fn zones_of(&self, place: Place) -> Vec<usize> {
        let zones = 0..self.venue.zones.len();
        match place {
            Place::Venue => zones.collect(),
            Place::Group(group) => {
                zones.filter(|z| self.venue.zones[*z].group == Some(usize::from(group))).collect()
            }
            Place::Zone(zone) => vec![usize::from(zone)],
        }
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
        let steps = first * self.parts..last * self.parts;
        let row = |place: Place| {
            let levels: Vec<f64> = steps.clone().map(|t| self.sum(place, t)).collect();
            let mean = levels.iter().sum::<f64>() / levels.len() as f64;
            let peak = levels.iter().copied().fold(0.0, f64::max);
            let halves = (levels.len() * 10 / self.parts) as u32;
            let row = Occupancy { mean: Some(level(mean)), peak: Some(level(peak)), root_mean: None, halves };
            (place, Covered { coverage: 1.0, row })
        };
        let rows = self.places().into_iter().map(row).collect();
        ZoneWindow { step, window: super::window(&self.venue, step, first), rows }
    }
}

/// Something published: the place, the steps of time it is the mean of, the value and half of what rounding hides.
struct Said {
    place: Place,
    steps: std::ops::Range<usize>,
    value: Option<f64>,
    half_grain: f64,
}

fn grain(place: Place, by: By) -> f64 {
    match (by, place) {
        (By::KAlone, _) => 0.0,
        (By::Judge, Place::Venue) => 2.5,
        (By::Judge, _) => 0.5,
    }
}

/// Everything that is said of a day, in the order in which it is said.
fn say(day: &Day, by: By, five: usize) -> Vec<Said> {
    let mut judge = Judge::new(day.venue.clone(), 1, None);
    let mut said = Vec::new();
    for (step, first, last) in windows(five) {
        if step == Step::FiveMinutes && day.parts > 1 {
            for t in first * day.parts..last * day.parts {
                say_live(day, &mut judge, by, t, &mut said);
            }
        }
        let steps = first * day.parts..last * day.parts;
        let window = day.window(step, first, last);
        let means: Vec<(Place, f64)> =
            window.rows.iter().map(|(p, c)| (*p, c.row.mean.unwrap().people)).collect();
        let figures = judge.judge(Closed::Crowd(window));
        let figures = figures.iter().filter(|figure| figure.metric() == Metric::Occupancy);
        for ((place, mean), figure) in means.into_iter().zip(figures) {
            let value = match by {
                By::Judge => figure.value().map(|banded| f64::from(banded.value)),
                By::KAlone => by_k_alone(mean),
            };
            said.push(Said { place, steps: steps.clone(), value, half_grain: grain(place, by) });
        }
    }
    said
}

fn say_live(day: &Day, judge: &mut Judge, by: By, t: usize, said: &mut Vec<Said>) {
    let of = |place| day.sum(place, t);
    let zones: Vec<Option<Level>> = day.people[t].iter().map(|people| Some(level(*people))).collect();
    let end = EpochMs((t as i64 + 1) * 30_000);
    let newest = crate::aggregate::Newest { end, venue: Some(level(of(Place::Venue))), zones };
    let live = judge.live(end, Some(&newest), Made { calibration: 1, calibrated: true }, Vec::new());
    let value = |place: Place, shown: &super::Shown| match (by, shown) {
        (By::KAlone, _) => by_k_alone(of(place)),
        (By::Judge, super::Shown::People(banded)) => Some(f64::from(banded.value)),
        (By::Judge, _) => None,
    };
    let mut push = |place: Place, shown: &super::Shown| {
        said.push(Said { place, steps: t..t + 1, value: value(place, shown), half_grain: grain(place, by) });
    };
    push(Place::Venue, &live.occupancy);
    for (zone, (_, shown)) in live.zones.iter().enumerate() {
        push(Place::Zone(zone as u16), shown);
    }
}

fn secret(day: &Day, by: By, five: usize) -> Secret {
    let said = say(day, by, five);
    let mut system = System::default();
    let zones = day.venue.zones.len();
    let cells: Vec<usize> = (0..day.people.len() * zones).map(|_| system.cell()).collect();
    let cell = |t: usize, zone: usize| cells[t * zones + zone];
    let inside = |said: &Said| {
        let zones = day.zones_of(said.place);
        said.steps
            .clone()
            .flat_map(|t| zones.iter().map(move |zone| (t, *zone)).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    for said in said.iter().filter(|said| said.value.is_some()) {
        let length = said.steps.len() as f64;
        let value = said.value.unwrap_or_default();
        let terms = inside(said).into_iter().map(|(t, zone)| (cell(t, zone), 1.0)).collect();
        system.between(terms, (value - said.half_grain) * length, (value + said.half_grain) * length);
    }
    // What is hidden of a cell is what lies in no shown part of it.
    let is_part = |part: &Said, whole: &Said| {
        let places = day.zones_of(part.place).iter().all(|zone| day.zones_of(whole.place).contains(zone));
        places && whole.steps.start <= part.steps.start && part.steps.end <= whole.steps.end
    };
    let shown: Vec<(&Said, Vec<(usize, usize)>)> =
        said.iter().filter(|said| said.value.is_some()).map(|said| (said, inside(said))).collect();
    let mut targets = Vec::new();
    let (mut large, mut large_shown) = (0, 0);
    for said in &said {
        let all = inside(said);
        let mean = all.iter().map(|(t, zone)| day.people[*t][*zone]).sum::<f64>() / said.steps.len() as f64;
        if mean >= 2.0 * K {
            large += 1;
            large_shown += usize::from(said.value.is_some());
        }
        let mut hidden: BTreeSet<(usize, usize)> = all.into_iter().collect();
        for (_, cells) in shown.iter().filter(|(part, _)| is_part(part, said)) {
            cells.iter().for_each(|at| _ = hidden.remove(at));
        }
        // Hidden zones of one group alone are the venue without all others: two at least, and k together.
        if matches!(said.place, Place::Group(_)) {
            let of_group = day.zones_of(said.place);
            hidden.retain(|(t, _)| {
                let at = |place: Place| shown.iter().any(|(s, _)| s.place == place && s.steps == (*t..t + 1));
                let others = (0..zones).filter(|zone| !of_group.contains(zone));
                !at(Place::Venue) || !others.into_iter().all(|zone| at(Place::Zone(zone as u16)))
            });
        }
        let times = hidden.iter().map(|(t, _)| t).collect::<BTreeSet<_>>().len().max(1);
        if said.value.is_none() && !hidden.is_empty() {
            let terms = hidden.iter().map(|(t, zone)| (cell(*t, *zone), 1.0 / times as f64)).collect();
            targets.push((format!("{:?} {:?} of {mean:.1}", said.place, said.steps), terms));
        }
    }
    Secret { system, targets, large, large_shown }
}

pub(super) fn draw(dice: &mut Dice, by: By) -> Secret {
    let zones = 3 + dice.below(4) as usize;
    let day = Day::random(dice, zones, 24, 1);
    secret(&day, by, 24)
}

pub(super) fn draw_live(dice: &mut Dice, by: By) -> Secret {
    let zones = 3 + dice.below(3) as usize;
    let day = Day::random(dice, zones, 3, 10);
    secret(&day, by, 3)
}
