//! Where people are loudest, by where they are: learnt of those who keep one address, and undone for everyone.
//!
//! A sensor hears through walls. Somebody near the edge of a shop is louder at the walkway's sensor than at the shop's,
//! and a walkway between shops is given more of their people than it has of its own. How often that happens is seen on
//! stable devices, whose zone the visit lens tells by all that was heard before and after.

/// Every zone is assumed to have been loudest itself this many times before anything was seen.
const OWN_BEFORE: f64 = 50.0;
/// How many times the shares are gone through; after ten nothing much moves, and noise is not yet blown up.
const ROUNDS: usize = 10;

/// How often which zone was the loudest for devices in each zone. Counters of everyone together.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mixing {
    zones: usize,
    /// By the zone that a device was in, and by the loudest.
    loudest: Vec<u32>,
}

/// The shares of a [`Mixing`], ready to be undone.
#[derive(Clone, Debug)]
pub struct Unmixing {
    zones: usize,
    /// The share of those in a zone who are loudest in each; every zone's sum to 1.
    shares: Vec<f64>,
}

impl Mixing {
    /// Nobody was heard yet.
    #[must_use]
    pub fn new(zones: usize) -> Self {
        Self { zones, loudest: vec![0; zones * zones] }
    }

    /// A device that was in one zone was loudest in another, or in the same, so many times.
    pub fn hear(&mut self, zone: u16, loudest: u16, times: u16) {
        let place = usize::from(zone) * self.zones + usize::from(loudest);
        if let Some(counter) = self.loudest.get_mut(place) {
            *counter = counter.saturating_add(u32::from(times));
        }
    }

    /// A day is over: what it taught weighs half from now on.
    pub fn fade(&mut self) {
        self.loudest.iter_mut().for_each(|counter| *counter /= 2);
    }

    /// Whether it counts for so many zones.
    #[must_use]
    pub fn is_of(&self, zones: usize) -> bool {
        self.zones == zones && self.loudest.len() == zones * zones
    }

    /// The shares, as they are known by now.
    #[must_use]
    pub fn unmixing(&self) -> Unmixing {
        let mut shares: Vec<f64> = self.loudest.iter().map(|counter| f64::from(*counter)).collect();
        for (zone, of_zone) in shares.chunks_exact_mut(self.zones.max(1)).enumerate() {
            of_zone[zone] += OWN_BEFORE;
            let sum: f64 = of_zone.iter().sum();
            of_zone.iter_mut().for_each(|share| *share /= sum);
        }
        Unmixing { zones: self.zones, shares }
    }
}

impl Unmixing {
    /// How much is in each zone, from how much was loudest in each: what, mixed again, comes nearest to what was heard.
    /// Nothing is ever less than nothing, and all zones together stay as much as they were (Richardson 1972, Lucy 1974).
    #[must_use]
    pub fn undo(&self, heard: &[f64]) -> Vec<f64> {
        let mut within = heard.to_vec();
        // With one zone there is nothing to undo, and its number stays the same to the last bit.
        if self.zones < 2 || heard.len() != self.zones {
            return within;
        }
        for _ in 0..ROUNDS {
            let mut mixed = vec![0.0; self.zones];
            for (amount, of_zone) in within.iter().zip(self.shares.chunks_exact(self.zones)) {
                for (sum, share) in mixed.iter_mut().zip(of_zone) {
                    *sum += amount * share;
                }
            }
            let missing: Vec<f64> = heard
                .iter()
                .zip(&mixed)
                .map(|(heard, mixed)| if *mixed > 0.0 { heard / mixed } else { 0.0 })
                .collect();
            for (amount, of_zone) in within.iter_mut().zip(self.shares.chunks_exact(self.zones)) {
                *amount *= of_zone.iter().zip(&missing).map(|(share, missing)| share * missing).sum::<f64>();
            }
        }
        within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A walkway between two shops: every fifth of a shop's people is loudest in the walkway.
    fn walkway() -> Mixing {
        let mut mixing = Mixing::new(3);
        for shop in [0, 2] {
            mixing.hear(shop, shop, 40_000);
            mixing.hear(shop, 1, 10_000);
        }
        mixing.hear(1, 1, 50_000);
        mixing
    }

    #[test]
    fn a_walkway_is_not_given_the_people_of_its_shops() {
        let within = walkway().unmixing().undo(&[80.0, 45.0, 80.0]);
        assert!((within[0] - 100.0).abs() < 3.0 && (within[1] - 5.0).abs() < 5.0, "{within:?}");
        assert!((within.iter().sum::<f64>() - 205.0).abs() < 1e-9, "nobody is lost: {within:?}");
        assert!(within.iter().all(|amount| *amount >= 0.0), "{within:?}");
    }

    #[test]
    fn before_anything_was_seen_and_with_one_zone_nothing_is_undone() {
        let heard = [3.7, 0.0, 12.1];
        assert_eq!(Mixing::new(3).unmixing().undo(&heard), heard);
        let mut one = Mixing::new(1);
        one.hear(0, 0, 7);
        assert_eq!(one.unmixing().undo(&[0.3]), [0.3]);
    }

    #[test]
    fn what_a_day_taught_fades_with_the_next() {
        let mut mixing = walkway();
        mixing.fade();
        assert_eq!(mixing.loudest[0], 20_000);
        assert!(mixing.is_of(3) && !mixing.is_of(2));
    }
}
