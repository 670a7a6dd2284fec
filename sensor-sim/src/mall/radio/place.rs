//! Where somebody stands.

use crate::dice::{Dice, mix};
use crate::mall::plan::{Person, Sort};
use crate::mall::scenario::{Scenario, Zone};

/// Throws for a spot inside a polygon, after which its middle is taken.
const SPOT_THROWS_MAX: u32 = 64;

/// How far from the place outside people pass, metres.
const PASSING_M: f64 = 6.0;

/// A spot.
#[derive(Clone, Copy, Debug)]
pub(in crate::mall) struct Place {
    pub(in crate::mall) zone: Option<usize>,
    pub(in crate::mall) floor: usize,
    pub(in crate::mall) at: [f64; 2],
    /// What surrounds the device there, besides a body, costs so much.
    pub(in crate::mall) loss_db: f64,
}

/// A spot of a person in a zone, or outside.
pub(in crate::mall) fn place(scenario: &Scenario, person: &Person, zone: Option<usize>, spot: u64) -> Place {
    let mut dice = Dice::new(person.salt, mix(spot) | 1);
    if let (Some(i), _) | (None, Sort::PasserBy(i)) = (zone, person.sort) {
        let there = &scenario.zones[i];
        let at = match there.outside.filter(|_| zone.is_none()) {
            Some([x, y]) => [x, y].map(|m| m + dice.between(-PASSING_M, PASSING_M)),
            None => inside(there, &mut dice),
        };
        return Place { zone, floor: there.floor, at, loss_db: 0.0 };
    }
    let (Sort::Car(speed), Some(traffic)) = (person.sort, &scenario.traffic) else {
        return Place { zone: None, floor: 0, at: [0.0; 2], loss_db: 0.0 };
    };
    // A car's spots are its seconds, as the lower half of the number counts them.
    let [from, to] = if speed.backward { [1, 0] } else { [0, 1] }.map(|end| traffic.street[end]);
    let metres = f64::from(spot as u32) * f64::from(speed.mm_per_sec) / 1000.0;
    let share = metres / (to[0] - from[0]).hypot(to[1] - from[1]).max(1.0);
    let at = [0, 1].map(|axis| from[axis] + share * (to[axis] - from[axis]));
    Place { zone: None, floor: 0, at, loss_db: traffic.car_loss_db }
}

fn inside(zone: &Zone, dice: &mut Dice) -> [f64; 2] {
    let corners = || zone.polygon.iter();
    let bounds = [0, 1].map(|axis| {
        corners()
            .fold((f64::MAX, f64::MIN), |(low, high), corner| (low.min(corner[axis]), high.max(corner[axis])))
    });
    let throws = (0..SPOT_THROWS_MAX).map(|_| bounds.map(|(low, high)| dice.between(low, high)));
    let mut spots = throws.filter(|spot| contains(&zone.polygon, *spot));
    spots.next().unwrap_or(zone.middle)
}

/// Whether a point lies in a polygon: a ray from it crosses the outline an odd number of times.
pub(super) fn contains(polygon: &[[f64; 2]], [x, y]: [f64; 2]) -> bool {
    let mut within = false;
    let mut before = polygon.last().copied().unwrap_or_default();
    for &corner in polygon {
        let ([x0, y0], [x1, y1]) = (before, corner);
        if (y0 > y) != (y1 > y) && x < (x1 - x0) * (y - y0) / (y1 - y0) + x0 {
            within = !within;
        }
        before = corner;
    }
    within
}
