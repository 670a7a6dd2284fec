//! The model that no tuning has seen. Path loss by COST 231's multi-wall model: every wall of the plan on the straight
//! line counts. The shadow is a map of the place, the same for all who stand there, smooth over some metres. Each frame
//! fades by Rayleigh's law.

use super::place::contains;
use super::{Place, apart};
use crate::dice::{bell, mix};
use crate::mall::scenario::{self, Role, Scenario};

/// Losses by walls are kept for squares of the plan; no more than so many of them, all sensors and floors together.
const SQUARES_MAX: f64 = 4e6;

/// The squares are no smaller, metres.
const SQUARE_M_MIN: f64 = 2.0;

/// How far around the zones the squares reach, metres; who is farther is taken to be at the rim.
const RIM_M: f64 = 60.0;

/// Two outlines this near are one wall, metres.
const SAME_WALL_M: f64 = 0.5;

/// So many equally likely strengths of a frame.
const FADINGS: usize = 4096;

/// A wall, dB.
#[derive(Clone, Copy, Debug)]
struct Wall {
    ends: [[f64; 2]; 2],
    loss_db: f64,
}

#[derive(Clone, Debug)]
pub(super) struct MultiWall {
    model: scenario::MultiWall,
    /// By floor.
    walls: Vec<Vec<Wall>>,
    squares: Squares,
    /// By sensor, floor and square; NaN until somebody has stood there.
    loss_db: Vec<f32>,
    fadings_db: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
struct Squares {
    from: [f64; 2],
    side_m: f64,
    count: [usize; 2],
}

impl MultiWall {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let walls = (0..scenario.floors.len()).map(|floor| walls(scenario, floor)).collect();
        let squares = Squares::of(scenario);
        let [across, down] = squares.count;
        let all = scenario.sensors.len() * scenario.floors.len() * across * down;
        let even = |i: usize| (i as f64 + 0.5) / FADINGS as f64;
        Self {
            model: scenario.radio.multi_wall.clone(),
            walls,
            squares,
            loss_db: vec![f32::NAN; all],
            fadings_db: (0..FADINGS).map(|i| (10.0 * (-(1.0 - even(i)).ln()).log10()) as f32).collect(),
        }
    }

    pub(super) fn gain_max_db(&self) -> f32 {
        self.fadings_db[FADINGS - 1]
    }

    #[inline]
    pub(super) fn fading_db(&self, bits: u64) -> f32 {
        self.fadings_db[(bits >> 52) as usize]
    }

    /// What arrives at a sensor before bodies and fading, dBm of a Wi-Fi device.
    pub(super) fn level_dbm(&mut self, scenario: &Scenario, sensor: usize, place: Place) -> f32 {
        let (metres, floors) = apart(scenario, sensor, place);
        let free = scenario.radio.wifi_at_1_m_dbm - 10.0 * self.model.exponent * metres.log10();
        let power = (floors + 2.0) / (floors + 1.0) - self.model.floor_b;
        let through = if floors > 0.0 { self.model.floor_db * floors.powf(power) } else { 0.0 };
        let shadow = self.model.shadow_db as f32 * field(sensor, place, self.model.shadow_m);
        (free - through) as f32 - self.walls_db(scenario, sensor, place) + shadow
    }

    fn walls_db(&mut self, scenario: &Scenario, sensor: usize, place: Place) -> f32 {
        let [across, down] = self.squares.count;
        let [x, y] = self.squares.square(place.at);
        let known = ((sensor * self.walls.len() + place.floor) * down + y) * across + x;
        if self.loss_db[known].is_nan() {
            let middle = self.squares.middle([x, y]);
            self.loss_db[known] =
                crossed_db(&self.walls[place.floor], middle, scenario.sensors[sensor].at) as f32;
        }
        self.loss_db[known]
    }
}

impl Squares {
    fn of(scenario: &Scenario) -> Self {
        let outside = scenario.zones.iter().filter_map(|zone| zone.outside.as_ref());
        let corners = scenario.zones.iter().flat_map(|zone| &zone.polygon).chain(outside);
        let [mut low, mut high] = [[f64::MAX; 2], [f64::MIN; 2]];
        for corner in corners {
            for axis in [0, 1] {
                low[axis] = low[axis].min(corner[axis] - RIM_M);
                high[axis] = high[axis].max(corner[axis] + RIM_M);
            }
        }
        let area = (high[0] - low[0]) * (high[1] - low[1]);
        let layers = (scenario.sensors.len() * scenario.floors.len()) as f64;
        let side_m = (area * layers / SQUARES_MAX).sqrt().max(SQUARE_M_MIN);
        let count = [0, 1].map(|axis| ((high[axis] - low[axis]) / side_m).floor() as usize + 1);
        Self { from: low, side_m, count }
    }

    fn square(&self, at: [f64; 2]) -> [usize; 2] {
        [0, 1].map(|axis| {
            let square = ((at[axis] - self.from[axis]) / self.side_m).max(0.0) as usize;
            square.min(self.count[axis] - 1)
        })
    }

    fn middle(&self, square: [usize; 2]) -> [f64; 2] {
        [0, 1].map(|axis| self.from[axis] + (square[axis] as f64 + 0.5) * self.side_m)
    }
}

/// The outlines of shops are light walls and the building's own heavy ones; between a walkway and an entrance is nothing.
fn walls(scenario: &Scenario, floor: usize) -> Vec<Wall> {
    let model = &scenario.radio.multi_wall;
    let here = || scenario.zones.iter().filter(|zone| zone.floor == floor);
    let mut walls = Vec::new();
    for zone in here() {
        let mut before = zone.polygon.last().copied().unwrap_or_default();
        for &corner in &zone.polygon {
            let ends = [before, corner];
            before = corner;
            let outline = is_outline(ends, |at| here().any(|zone| contains(&zone.polygon, at)));
            if outline || zone.role == Role::Shop {
                let loss_db = if outline { model.heavy_wall_db } else { model.light_wall_db };
                walls.push(Wall { ends, loss_db });
            }
        }
    }
    walls
}

/// Whether nothing lies on one of the sides of an edge's middle.
fn is_outline([a, b]: [[f64; 2]; 2], built: impl Fn([f64; 2]) -> bool) -> bool {
    let along = [b[0] - a[0], b[1] - a[1]];
    let len = along[0].hypot(along[1]).max(f64::MIN_POSITIVE);
    let step = [-along[1] / len * SAME_WALL_M, along[0] / len * SAME_WALL_M];
    let side = |sign: f64| [0, 1].map(|axis| f64::midpoint(a[axis], b[axis]) + sign * step[axis]);
    !(built(side(1.0)) && built(side(-1.0)))
}

/// What the walls between two points cost; outlines that lie on each other are one wall, the heavier.
fn crossed_db(walls: &[Wall], from: [f64; 2], to: [f64; 2]) -> f64 {
    let metres = (to[0] - from[0]).hypot(to[1] - from[1]);
    let met = |wall: &Wall| Some((meeting(from, to, wall.ends)? * metres, wall.loss_db));
    let mut met: Vec<(f64, f64)> = walls.iter().filter_map(met).collect();
    met.sort_by(|a, b| a.0.total_cmp(&b.0));
    let same = |a: &(f64, f64), b: &(f64, f64)| b.0 - a.0 < SAME_WALL_M;
    met.chunk_by(same).map(|wall| wall.iter().map(|(_, loss_db)| *loss_db).fold(0.0, f64::max)).sum()
}

/// Where on the way from one point to another, 0 to 1, it crosses an edge.
fn meeting(from: [f64; 2], to: [f64; 2], [a, b]: [[f64; 2]; 2]) -> Option<f64> {
    let (way, edge) = ([to[0] - from[0], to[1] - from[1]], [b[0] - a[0], b[1] - a[1]]);
    let off = [a[0] - from[0], a[1] - from[1]];
    let cross = |u: [f64; 2], v: [f64; 2]| u[0] * v[1] - u[1] * v[0];
    let across = cross(way, edge);
    let (on_way, on_edge) = (cross(off, edge) / across, cross(off, way) / across);
    let within = |share: f64| (0.0..=1.0).contains(&share);
    (within(on_way) && within(on_edge)).then_some(on_way)
}

/// A smooth map of mean 0 and deviation 1, by sensor and floor: bells at the corners of squares, and between them their
/// mix, kept at one deviation.
fn field(sensor: usize, place: Place, metres: f64) -> f32 {
    let at = place.at.map(|m| m / metres);
    let corner = at.map(f64::floor);
    let [fx, fy] = [0, 1].map(|axis| (at[axis] - corner[axis]) as f32);
    let salt = mix((sensor as u64) << 16 | place.floor as u64);
    let bell = |dx: f64, dy: f64| {
        let [x, y] = [corner[0] + dx, corner[1] + dy].map(|index| index as i64 as u64);
        bell(mix(salt ^ mix(x.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ mix(y))))
    };
    let shares = [
        (0.0, 0.0, (1.0 - fx) * (1.0 - fy)),
        (1.0, 0.0, fx * (1.0 - fy)),
        (0.0, 1.0, (1.0 - fx) * fy),
        (1.0, 1.0, fx * fy),
    ];
    let sum: f32 = shares.iter().map(|(dx, dy, share)| share * bell(*dx, *dy)).sum();
    let squares: f32 = shares.iter().map(|(_, _, share)| share * share).sum();
    sum / squares.sqrt()
}

#[cfg(test)]
#[path = "multi_wall_tests.rs"]
mod tests;
