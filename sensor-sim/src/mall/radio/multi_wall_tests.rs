//! The model against the numbers it states.

use super::*;
use crate::mall::scenario::{MALL, Model};

fn mall(shadow_db: f64) -> Scenario {
    let text =
        format!("{MALL}\n[radio]\nmodel = \"multi_wall\"\nmulti_wall = {{ shadow_db = {shadow_db} }}\n");
    let mall = Scenario::parse(&text).unwrap();
    assert_eq!(mall.radio.model, Model::MultiWall);
    mall
}

/// A place on a floor; squares are two metres wide, so walls are told for the middle of one.
fn at(floor: usize, x: f64, y: f64) -> Place {
    Place { zone: None, floor, at: [x, y], loss_db: 0.0 }
}

/// Sensor 4 hangs in the fashion shop (12–44 m by 36–60 m) at 28, 50; electronics are next door from 44 m on, the home
/// shop after 76 m, the walkway under 36 m, and outside beyond 60 m.
#[test]
fn each_wall_on_the_line_costs_once() {
    let mall = mall(0.0);
    let mut walls = MultiWall::new(&mall);
    let mut lost = |place: Place| {
        let (metres, _) = apart(&mall, 4, place);
        -40.0 - 20.0 * metres.log10() - f64::from(walls.level_dbm(&mall, 4, place))
    };
    let mut near = |place: Place, want: f64| {
        let lost = lost(place);
        assert!((lost - want).abs() < 1e-3, "{place:?}: {lost} dB, not {want}");
    };
    near(at(0, 38.0, 50.0), 0.0);
    near(at(0, 60.0, 50.0), 3.4);
    near(at(0, 92.0, 50.0), 6.8);
    near(at(0, 28.0, 30.0), 3.4);
    near(at(0, 28.0, 70.0), 6.9);
    // The floor above: sensor 4 is under the food court, without a wall between.
    near(at(1, 28.0, 50.0), 18.3);
}

#[test]
fn a_further_floor_costs_less() {
    let text = MALL.replace("level = 1", "level = 3");
    let text = format!("{text}\n[radio]\nmodel = \"multi_wall\"\nmulti_wall = {{ shadow_db = 0 }}\n");
    let tower = Scenario::parse(&text).unwrap();
    let place = at(1, 28.0, 50.0);
    // Three floors of five metres, straight up.
    let want = -40.0 - 20.0 * 15f64.log10() - 18.3 * 3f64.powf(5.0 / 4.0 - 0.46);
    let level = f64::from(MultiWall::new(&tower).level_dbm(&tower, 4, place));
    assert!((level - want).abs() < 1e-3, "{level} dBm, not {want}");
}

/// Places a hundred metres apart are strangers; 40,000 of them have a mean within 5/√n = 0.025 of nothing and a variance
/// within 5·√(2/n) = 0.035 of one. Along the way from one it forgets itself over the stated metres.
#[test]
fn the_shadow_is_a_smooth_map_of_mean_nothing_and_deviation_one() {
    const METRES: f64 = 6.0;
    let strangers: Vec<[f64; 2]> =
        (0..40_000).map(|i| [f64::from(i % 200) * 101.3, f64::from(i / 200) * 97.7]).collect();
    let shadow = |[x, y]: [f64; 2]| f64::from(field(3, at(0, x, y), METRES));
    let mean = |of: &dyn Fn([f64; 2]) -> f64| strangers.iter().map(|at| of(*at)).sum::<f64>() / 40_000.0;
    assert!(mean(&shadow).abs() < 0.025);
    assert!((mean(&|at| shadow(at).powi(2)) - 1.0).abs() < 0.035);
    let alike = |metres: f64| mean(&|[x, y]| shadow([x, y]) * shadow([x + metres, y]));
    assert!(alike(1.0) > 0.85 && (0.3..0.75).contains(&alike(METRES / 2.0)), "{} {}", alike(1.0), alike(3.0));
    assert!(alike(2.0 * METRES).abs() < 0.025);
    // Another sensor and another floor have maps of their own.
    let others = [(4, 0), (3, 1)];
    for (sensor, floor) in others {
        let other = mean(&|[x, y]| shadow([x, y]) * f64::from(field(sensor, at(floor, x, y), METRES)));
        assert!(other.abs() < 0.025);
    }
}

/// In decibels Rayleigh's law has the mean -10 γ/ln 10 = -2.507 and the deviation 10 π/(√6 ln 10) = 5.570.
#[test]
fn frames_fade_by_rayleighs_law() {
    let walls = MultiWall::new(&mall(6.0));
    let (mut sum, mut squares) = (0.0, 0.0);
    for i in 0..FADINGS as u64 {
        let db = f64::from(walls.fading_db(i << 52));
        sum += db;
        squares += db * db;
    }
    let mean = sum / FADINGS as f64;
    let deviation = (squares / FADINGS as f64 - mean * mean).sqrt();
    assert!((mean - -2.507).abs() < 0.01 && (deviation - 5.570).abs() < 0.05, "{mean} {deviation}");
}
