//! Draws of tables: flows between a few zones, or lengths in three sets of bands, over a few hours and their day. An attacker
//! is handed every sum that cells share with other figures, as if those told it exactly, what was drawn into every told cell, and what
//! bending lets through of the hidden. He asks how many there really were in a hidden cell, drawn or not.

use super::super::tables::{Part, Table, Tables};
use super::*;
use crate::aggregate::{Bands, Drawn, Moves, Side};

/// Hours of the day.
const HOURS: usize = 5;
/// Where any set of bands has an edge, minutes.
const EDGES: [u16; 10] = [5, 15, 20, 30, 60, 120, 240, 300, 360, 480];

/// The name of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Flow(Side, Side),
    Band(Bands, u8),
}

/// What a table is of: its cells, each as the numbers that it is the sum of, and the sums of such that are known.
#[derive(Clone)]
struct Form {
    zones: usize,
    numbers: usize,
    cells: Vec<(Name, Vec<usize>)>,
    sums: Vec<Vec<usize>>,
    /// Moves between zones.
    inner: Vec<usize>,
}

/// Hours as they were: the numbers, and what was drawn into each cell.
#[derive(Clone)]
struct Hours {
    form: Form,
    really: Vec<Vec<u64>>,
    drawn: Vec<Vec<u64>>,
    /// How many moves were drawn of all of an hour.
    moved: Vec<u64>,
}

impl Form {
    fn of_flows(zones: u16) -> Self {
        let sides: Vec<Side> = std::iter::once(None).chain((0..zones).map(Some)).collect();
        let pairs = sides.iter().flat_map(|from| sides.iter().map(move |to| (*from, *to)));
        let pairs: Vec<(Side, Side)> = pairs.filter(|(from, to)| from != to).collect();
        let of = |keep: &dyn Fn(Side, Side) -> bool| -> Vec<usize> {
            let kept = pairs.iter().enumerate().filter(|(_, (from, to))| keep(*from, *to));
            kept.map(|(n, _)| n).collect()
        };
        let is_inner = |from: Side, to: Side| from.is_some() && to.is_some();
        let ends = [of(&|from, _| from.is_none()), of(&|_, to| to.is_none())];
        let mut sums = ends.to_vec();
        // Visits to a zone are known: somebody came to each from another zone or stayed there first, and left it or stayed
        // there last. Where visits stayed first and last is told nowhere.
        let mut numbers = pairs.len();
        for zone in (0..zones).map(Some) {
            let into = of(&|from, to| is_inner(from, to) && to == zone);
            let out = of(&|from, to| is_inner(from, to) && from == zone);
            for moves in [into, out] {
                sums.push(moves.into_iter().chain([numbers]).collect());
                numbers += 1;
            }
        }
        let cells = pairs.iter().enumerate().map(|(n, (from, to))| (Name::Flow(*from, *to), vec![n]));
        Self { zones: usize::from(zones), numbers, cells: cells.collect(), sums, inner: of(&is_inner) }
    }

    fn of_dwell() -> Self {
        let mut cells = Vec::new();
        for bands in Bands::ALL {
            let starts = bands.starts();
            for (band, start) in starts.iter().enumerate() {
                let end = starts.get(band + 1).copied().unwrap_or(u16::MAX);
                let parts = (0..EDGES.len()).filter(|part| (*start..end).contains(&EDGES[*part]));
                cells.push((Name::Band(bands, band as u8), parts.collect()));
            }
        }
        let all = (0..EDGES.len()).collect();
        Self { zones: 1, numbers: EDGES.len(), cells, sums: vec![all], inner: Vec::new() }
    }

    fn random(&self, dice: &mut Dice) -> Hours {
        let size = [8, 20, 60, 200][dice.below(4) as usize];
        let some = |dice: &mut Dice| match dice.below(3) {
            0 => 0,
            1 => dice.below(8),
            _ => dice.below(size),
        };
        let mut really = Vec::new();
        for _ in 0..HOURS {
            let mut numbers: Vec<u64> = (0..self.numbers).map(|_| some(dice)).collect();
            // Of a sum under k nothing is told, here or elsewhere.
            for sum in &self.sums {
                let all: u64 = sum.iter().map(|n| numbers[*n]).sum();
                numbers[sum[dice.below(sum.len() as u64) as usize]] += u64::from(K).saturating_sub(all);
            }
            really.push(numbers);
        }
        let mut hours = Hours { form: self.clone(), really, drawn: Vec::new(), moved: Vec::new() };
        let spared = |dice: &mut Dice, all: u64| (0..all).filter(|_| dice.below(8) > 0).count() as u64;
        for hour in 0..HOURS {
            let all: Vec<u64> = (0..self.cells.len()).map(|cell| hours.all(hour, cell)).collect();
            hours.drawn.push(all.into_iter().map(|all| spared(dice, all)).collect());
            hours.moved.push(spared(dice, hours.moves_of(hour)));
        }
        hours
    }
}

impl Hours {
    fn all(&self, hour: usize, cell: usize) -> u64 {
        self.form.cells[cell].1.iter().map(|n| self.really[hour][*n]).sum()
    }

    /// Moves between zones in an hour.
    fn moves_of(&self, hour: usize) -> u64 {
        self.form.inner.iter().map(|n| self.really[hour][*n]).sum()
    }

    /// The tables of some hours together.
    fn moves(&self, range: std::ops::Range<usize>) -> Moves {
        let count = |all: u64, drawn: u64| Drawn { all, drawn, people: drawn as u32 };
        let mut moves = Moves::default();
        for (cell, (name, _)) in self.form.cells.iter().enumerate() {
            let all = range.clone().map(|hour| self.all(hour, cell)).sum();
            let drawn = range.clone().map(|hour| self.drawn[hour][cell]).sum();
            if all == 0 {
                continue;
            }
            match *name {
                Name::Flow(from, to) => {
                    moves.flows.insert((from, to), count(all, drawn));
                    moves.came.all += if from.is_none() { all } else { 0 };
                }
                Name::Band(bands, band) => _ = moves.dwell.insert((bands, band), count(all, drawn)),
            }
        }
        let ends = self.form.cells.len();
        for zone in 0..(self.form.numbers - ends.min(self.form.numbers)) / 2 {
            let of = |end: usize| range.clone().map(|hour| self.really[hour][ends + 2 * zone + end]).sum();
            moves.first.insert(zone as u16, of(0));
            moves.last.insert(zone as u16, of(1));
        }
        moves.came = count(moves.came.all, moves.came.all);
        let moved = range.clone().map(|hour| self.moved[hour]).sum();
        moves.moved = count(range.map(|hour| self.moves_of(hour)).sum(), moved);
        moves
    }

    /// Every window, in the order in which they close.
    fn windows(venue: &Venue) -> Vec<(Step, Window, std::ops::Range<usize>)> {
        let hour = |hour: usize| (Step::Hour, window(venue, Step::Hour, 12 * hour), hour..hour + 1);
        (0..HOURS).map(hour).chain([(Step::Day, window(venue, Step::Day, 0), 0..HOURS)]).collect()
    }

    fn published(&self, venue: &Arc<Venue>) -> Vec<String> {
        let mut judge = Judge::new(venue.clone(), 1, None);
        let mut lines = Vec::new();
        for (step, window, range) in Self::windows(venue) {
            let row = Covered { coverage: 1.0, beating: 1.0, row: self.moves(range) };
            let sheets = judge.tables(&ZoneWindow { step, window, rows: vec![(Place::Venue, row)] });
            lines.extend(sheets.iter().map(|sheet| format!("{sheet:?}")));
        }
        lines
    }
}

/// What is told of each cell of a window, by the place of the cell.
fn parts(tables: &Tables, window: Window, hours: &Hours, moves: &Moves) -> BTreeMap<usize, Part> {
    let mut told = BTreeMap::new();
    let flows = tables.flows.parts(K, window, &moves.flows, moves);
    let empty = Table::default();
    let lengths = tables.dwell.get(&Place::Venue).unwrap_or(&empty);
    let dwell = lengths.parts(K, window, &moves.dwell, moves);
    for (cell, (name, _)) in hours.form.cells.iter().enumerate() {
        let part = match *name {
            Name::Flow(from, to) => flows.get(&(from, to)),
            Name::Band(bands, band) => dwell.get(&(bands, band)),
        };
        told.extend(part.map(|part| (cell, *part)));
    }
    told
}

/// A draw with its unknowns.
struct Scene {
    hours: Hours,
    system: System,
    /// By hour: how many there really were, and what was drawn into each cell.
    really: Vec<Vec<usize>>,
    drawn: Vec<Vec<usize>>,
    /// By hour and cell: whether it is told.
    told: Vec<Vec<bool>>,
}

impl Scene {
    fn new(hours: Hours) -> Self {
        let mut system = System::default();
        let mut unknowns = |count: usize| -> Vec<Vec<usize>> {
            (0..HOURS).map(|_| (0..count).map(|_| system.cell(0.0, f64::INFINITY)).collect()).collect()
        };
        let cells = hours.form.cells.len();
        let (really, drawn) = (unknowns(hours.form.numbers), unknowns(cells));
        let told = vec![vec![false; cells]; HOURS];
        let mut scene = Self { hours, system, really, drawn, told };
        (0..HOURS).for_each(|hour| scene.hand_over_sums(hour));
        scene
    }

    fn terms(&self, hour: usize, numbers: &[usize]) -> Terms {
        numbers.iter().map(|n| (self.really[hour][*n], 1.0)).collect()
    }

    fn of_cell(&self, hour: usize, cell: usize) -> Terms {
        self.terms(hour, &self.hours.form.cells[cell].1)
    }

    /// Sums are handed over as they are, and that no more was drawn into a cell than there is.
    fn hand_over_sums(&mut self, hour: usize) {
        let Form { zones, cells, sums, inner, .. } = self.hours.form.clone();
        for sum in &sums {
            let all: u64 = sum.iter().map(|n| self.hours.really[hour][*n]).sum();
            self.system.between(self.terms(hour, sum), all as f64, all as f64);
        }
        // Between two zones it is not told how much is held back.
        if zones > 2 {
            let moved = self.hours.moved[hour] as f64;
            self.system.between(self.terms(hour, &inner), moved, f64::INFINITY);
        }
        for (cell, (_, numbers)) in cells.iter().enumerate() {
            let mut terms = self.terms(hour, numbers);
            terms.push((self.drawn[hour][cell], -1.0));
            self.system.between(terms, 0.0, f64::INFINITY);
        }
    }

    /// What was drawn into a told cell of an hour is handed over.
    fn hand_over_hour(&mut self, hour: usize, cell: usize, part: Option<&Part>) {
        self.told[hour][cell] = part.is_some();
        let bounds = part.map_or((0.0, f64::from(K - 1)), |part| (part.through.least, part.through.least));
        self.system.bounds[self.drawn[hour][cell]] = bounds;
    }

    /// Of the hidden hours of a day's cell what bending lets through is.
    fn hand_over_day(&mut self, cell: usize, part: Option<&Part>) {
        let hidden: Vec<usize> = (0..HOURS).filter(|hour| !self.told[*hour][cell]).collect();
        let terms: Terms = hidden.iter().map(|hour| (self.drawn[*hour][cell], 1.0)).collect();
        let count = hidden.len() as u32;
        match part {
            Some(part) if count > 0 => self.system.told(terms, count, part.through),
            None if count.saturating_sub(1) * (K - 1) > K => self.system.between(terms, 0.0, f64::from(K)),
            _ => {}
        }
    }

    fn world(self, venue: Arc<Venue>) -> (System, World) {
        let Self { hours, system, really, drawn, .. } = self;
        let world = move |solution: &[f64]| {
            let whole = |cells: &Vec<usize>| -> Option<Vec<u64>> {
                cells.iter().map(|cell| Some(whole_number(*solution.get(*cell)?)? as u64)).collect()
            };
            let really = really.iter().map(whole).collect::<Option<_>>()?;
            let drawn = drawn.iter().map(whole).collect::<Option<_>>()?;
            Some(Hours { really, drawn, ..hours.clone() }.published(&venue))
        };
        (system, Box::new(world))
    }
}

fn by_judge(hours: Hours, venue: &Arc<Venue>) -> Secret {
    let mut scene = Scene::new(hours);
    let (mut large, mut large_shown) = (0, 0);
    let mut targets: BTreeMap<Query, Vec<(String, Terms)>> = BTreeMap::new();
    let mut tables = Tables::default();
    for (step, window, range) in Hours::windows(venue) {
        let moves = scene.hours.moves(range.clone());
        let told = parts(&tables, window, &scene.hours, &moves);
        for cell in 0..scene.hours.form.cells.len() {
            let all: u64 = range.clone().map(|hour| scene.hours.all(hour, cell)).sum();
            let part = told.get(&cell);
            if all >= u64::from(2 * K) {
                large += 1;
                large_shown += usize::from(part.is_some());
            }
            // One of k and more may be told in another set.
            if part.is_none() && all < u64::from(K) {
                let terms = range.clone().flat_map(|hour| scene.of_cell(hour, cell)).collect();
                let name = format!("{:?} in {range:?} of {all}", scene.hours.form.cells[cell].0);
                targets.entry((Metric::Visits, step)).or_default().push((name, terms));
            }
            match step {
                Step::Hour => scene.hand_over_hour(range.start, cell, part),
                _ => scene.hand_over_day(cell, part),
            }
        }
        tables.flows(K, step, window, &moves);
        tables.dwell(K, step, window, Place::Venue, &moves);
    }
    let published = scene.hours.published(venue);
    let (system, world) = scene.world(venue.clone());
    Secret { system, targets, published, world: Some(world), large, large_shown, balanced: 0 }
}

/// The same hours told by k alone: whatever is k or more, all that there is of it.
fn by_k_alone(hours: &Hours) -> Secret {
    let mut system = System::default();
    let mut hidden = Vec::new();
    for hour in 0..HOURS {
        let really: Vec<usize> = hours.really[hour].iter().map(|_| system.cell(0.0, f64::INFINITY)).collect();
        let terms = |numbers: &[usize]| -> Terms { numbers.iter().map(|n| (really[*n], 1.0)).collect() };
        for sum in &hours.form.sums {
            let all: u64 = sum.iter().map(|n| hours.really[hour][*n]).sum();
            system.between(terms(sum), all as f64, all as f64);
        }
        for (cell, (name, numbers)) in hours.form.cells.iter().enumerate() {
            let all = hours.all(hour, cell) as f64;
            match super::by_k_alone(all) {
                Some(all) => system.between(terms(numbers), all, all),
                None => hidden.push((format!("{name:?} in {hour}"), terms(numbers))),
            }
        }
    }
    let targets = [((Metric::Visits, Step::Hour), hidden)];
    let targets = targets.into_iter().filter(|(_, cells)| !cells.is_empty()).collect();
    Secret { system, targets, published: Vec::new(), world: None, large: 0, large_shown: 0, balanced: 0 }
}

pub(super) fn draw(dice: &mut Dice, by: By) -> Secret {
    let form = match dice.below(2) {
        0 => Form::of_flows(2 + dice.below(4) as u16),
        _ => Form::of_dwell(),
    };
    let hours = form.random(dice);
    match by {
        By::Judge => by_judge(hours, &venue(form.zones, false)),
        By::KAlone => by_k_alone(&hours),
    }
}
