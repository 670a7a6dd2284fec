//! Draws of visits: the venue by quarters of an hour and a zone by hours, over a short day.

use super::*;

/// Visits that ended in one of the shortest windows of a place.
#[derive(Clone, Default)]
struct Ended {
    passersby: u64,
    bounces: u64,
    /// Minutes of each long visit.
    long: Vec<u16>,
    visitors: u64,
}

impl Ended {
    fn engaged(&self) -> u64 {
        self.long.iter().filter(|minutes| **minutes >= 15).count() as u64
    }

    fn visits(&self) -> u64 {
        self.passersby + self.bounces + self.long.len() as u64
    }

    fn of(&self, metric: Metric) -> u64 {
        match metric {
            Metric::Visits => self.visits(),
            Metric::Passersby => self.passersby,
            Metric::Bounces => self.bounces,
            Metric::Engaged => self.engaged(),
            _ => self.visitors,
        }
    }

    fn traffic(&self) -> Traffic {
        let mut dwell = Dwell::default();
        self.long.iter().for_each(|minutes| dwell.add(*minutes));
        Traffic {
            visits: self.visits(),
            passersby: self.passersby,
            bounces: self.bounces,
            engaged: self.engaged(),
            visitors: self.visitors as f64,
            dwell,
        }
    }
}

const COUNTS: [Metric; 5] =
    [Metric::Visits, Metric::Passersby, Metric::Bounces, Metric::Engaged, Metric::Visitors];
/// Hours of the short day.
const HOURS: usize = 8;

/// Visits that end by window: few at first, many later. Sizes are those of a mall's shops, courts and of itself: the
/// stable tenth of its devices.
fn random(dice: &mut Dice, place: Place) -> Vec<Ended> {
    let of_zone = matches!(place, Place::Zone(_));
    let windows = if of_zone { HOURS } else { 4 * HOURS };
    let size = if of_zone { [12, 30, 60, 200] } else { [30, 60, 200, 500] }[dice.below(4) as usize];
    let first = dice.below(windows as u64 / 4 + 1) as f64;
    let shares = [dice.share() * 0.5, dice.share() * 0.5];
    (0..windows)
        .map(|t| {
            let risen = ((t as f64 - first) / (windows as f64 / 6.0)).clamp(0.0, 1.0);
            let some = |dice: &mut Dice, share: f64| {
                (size as f64 * share * risen * (0.6 + 0.8 * dice.share())) as u64
            };
            let passersby = if of_zone { 0 } else { some(dice, shares[0]) };
            let bounces = some(dice, shares[1]);
            let long = some(dice, 1.0 - shares[0] - shares[1]);
            let long: Vec<u16> = (0..long).map(|_| 5 + dice.below(40) as u16).collect();
            let visitors = long.len() as u64 + dice.below(long.len() as u64 / 2 + 2);
            Ended { passersby, bounces, long, visitors }
        })
        .collect()
}

fn together(dice: &mut Dice, some: &[Ended]) -> Ended {
    let most = some.iter().map(|e| e.visitors).max().unwrap_or(0);
    let all: u64 = some.iter().map(|e| e.visitors).sum();
    Ended {
        passersby: some.iter().map(|e| e.passersby).sum(),
        bounces: some.iter().map(|e| e.bounces).sum(),
        long: some.iter().flat_map(|e| e.long.iter().copied()).collect(),
        // Many come in one window only, or everybody stays in all of them.
        visitors: most + dice.below(all - most + 1),
    }
}

/// The variables of one window: passers-by, bounces, long visits, engaged, visitors.
#[derive(Clone, Copy)]
struct Cells([usize; 5]);

impl Cells {
    fn new(system: &mut System, of_zone: bool) -> Self {
        let cells = [(); 5].map(|()| system.cell());
        if of_zone {
            system.bounds[cells[0]].1 = 0.0;
        }
        system.between(vec![(cells[2], 1.0), (cells[3], -1.0)], 0.0, f64::INFINITY);
        Self(cells)
    }

    fn terms(&self, metric: Metric) -> Vec<(usize, f64)> {
        let [passersby, bounces, long, engaged, visitors] = self.0.map(|cell| (cell, 1.0));
        match metric {
            Metric::Visits => vec![passersby, bounces, long],
            Metric::Passersby => vec![passersby],
            Metric::Bounces => vec![bounces],
            Metric::Engaged => vec![engaged],
            _ => vec![visitors],
        }
    }
}

struct Scene {
    place: Place,
    ended: Vec<Ended>,
    cells: Vec<Cells>,
    /// By the shortest window: which counts are shown.
    told: Vec<[bool; 5]>,
    system: System,
    targets: Vec<(String, Vec<(usize, f64)>)>,
    large: usize,
    large_shown: usize,
}

impl Scene {
    /// One window is judged, and an attacker takes note of all that is said of it.
    fn hear(
        &mut self,
        ended: &Ended,
        figures: &BTreeMap<Metric, u32>,
        by: By,
        range: std::ops::Range<usize>,
        distinct: usize,
    ) {
        let slack = if by == By::Judge { 2.0 } else { 0.0 };
        for (n, metric) in COUNTS.into_iter().enumerate() {
            // A zone has no passers-by, which is no secret.
            if metric == Metric::Passersby && matches!(self.place, Place::Zone(_)) {
                continue;
            }
            let truth = ended.of(metric);
            let value = match by {
                By::Judge => figures.get(&metric).copied().map(f64::from),
                By::KAlone => by_k_alone(truth as f64),
            };
            if truth as f64 >= 2.0 * K {
                self.large += 1;
                self.large_shown += usize::from(value.is_some());
            }
            let terms = match metric {
                Metric::Visitors => vec![(distinct, 1.0)],
                _ => range.clone().flat_map(|t| self.cells[t].terms(metric)).collect(),
            };
            if let Some(value) = value {
                self.system.between(terms, (value - slack).max(K), value + slack);
                // A longer window that is shown explains those in it.
                range.clone().for_each(|t| self.told[t][n] = true);
                continue;
            }
            let hidden = range.clone().filter(|t| !self.told[*t][n]);
            let terms: Vec<_> = match metric {
                Metric::Visitors if range.len() > 1 => Vec::new(),
                _ => hidden.flat_map(|t| self.cells[t].terms(metric)).collect(),
            };
            if !terms.is_empty() {
                self.targets.push((format!("{metric:?} in {range:?} of {truth}"), terms));
            }
        }
        self.hear_derived(ended, figures, by, range);
    }

    fn hear_derived(
        &mut self,
        ended: &Ended,
        figures: &BTreeMap<Metric, u32>,
        by: By,
        range: std::ops::Range<usize>,
    ) {
        let long = || range.clone().map(|t| (self.cells[t].0[2], 1.0)).collect::<Vec<_>>();
        if by == By::KAlone {
            return;
        }
        if figures.contains_key(&Metric::DwellMean) {
            let terms = long();
            self.system.between(terms, K, f64::INFINITY);
        }
        if let (Some(rate), Some(passersby)) =
            (figures.get(&Metric::CaptureRate), figures.get(&Metric::Passersby))
        {
            let passersby = f64::from(*passersby);
            let said = |long: f64| (100.0 * long / (long + passersby)).round() == f64::from(*rate);
            let possible: Vec<f64> =
                (0..2_000).map(|n| 5.0 * f64::from(n)).filter(|long| said(*long)).collect();
            let (least, most) = (possible[0], possible[possible.len() - 1]);
            assert!(possible.iter().any(|n| (n - ended.long.len() as f64).abs() <= 2.0));
            let terms = long();
            self.system.between(terms, least - 2.0, most + 2.0);
        }
    }
}

pub(super) fn draw(dice: &mut Dice, by: By) -> Secret {
    let place = if dice.below(2) == 0 { Place::Venue } else { Place::Zone(0) };
    let of_zone = place != Place::Venue;
    let venue = venue(1, false);
    let mut judge = Judge::new(venue.clone(), 1, None);
    let ended = random(dice, place);
    let mut system = System::default();
    let cells = ended.iter().map(|_| Cells::new(&mut system, of_zone)).collect();
    let told = vec![[false; 5]; ended.len()];
    let mut scene =
        Scene { place, ended, cells, told, system, targets: Vec::new(), large: 0, large_shown: 0 };
    // Distinct visitors of a window: at least those of each window inside, at most all of them.
    let mut inside: Vec<(std::ops::Range<usize>, usize, u64)> = Vec::new();
    let shortest = if of_zone { Step::Hour } else { Step::QuarterHour };
    let of_shortest = (shortest.secs() / 300) as usize;
    for (step, first, last) in windows(12 * HOURS) {
        if step < shortest {
            continue;
        }
        let range = first / of_shortest..last / of_shortest;
        let mut row = together(dice, &scene.ended[range.clone()]);
        let mut distinct = scene.cells[range.start].0[4];
        if step > shortest {
            let parts: Vec<_> = inside.iter().filter(|(of, ..)| range.contains(&of.start)).cloned().collect();
            let (most, all) =
                parts.iter().fold((0, 0), |(most, all), (.., n)| (n.max(&most).to_owned(), all + n));
            row.visitors = most + dice.below(all - most + 1);
            distinct = scene.system.cell();
            for (_, part, _) in &parts {
                scene.system.between(vec![(distinct, 1.0), (*part, -1.0)], 0.0, f64::INFINITY);
            }
            let mut terms: Vec<_> = parts.iter().map(|(_, part, _)| (*part, 1.0)).collect();
            terms.push((distinct, -1.0));
            scene.system.between(terms, 0.0, f64::INFINITY);
            inside.retain(|(of, ..)| !range.contains(&of.start));
        }
        inside.push((range.clone(), distinct, row.visitors));
        let rows = vec![(place, Covered { coverage: 1.0, row: row.traffic() })];
        let closed = Closed::Visits(ZoneWindow { step, window: window(&venue, step, first), rows });
        let figures = judge.judge(closed).into_iter();
        let figures = figures.filter_map(|f| Some((f.metric(), f.value()?.value))).collect();
        scene.hear(&row, &figures, by, range, distinct);
    }
    let Scene { system, targets, large, large_shown, .. } = scene;
    Secret { system, targets, large, large_shown }
}
