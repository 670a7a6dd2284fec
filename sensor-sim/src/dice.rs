//! Chance that can be repeated: the same seed throws the same dice. Good enough for a crowd, never for a key.

/// SplitMix64, by Steele, Lea and Flood: one addition and one mixing a throw.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed; `stream` tells apart those who throw side by side.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        Self(mix(seed ^ mix(stream)))
    }

    /// Sixty-four even bits.
    #[inline]
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Evenly from 0 up to, but not including, 1.
    pub fn unit(&mut self) -> f64 {
        (self.throw() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Evenly between two numbers.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Whether something of this chance happens.
    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Normal, of mean 0 and deviation 1: Box and Muller's way.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Exponential, of this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// How many come when so many are expected: Poisson's law, by adding up exponential gaps.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let (mut count, mut passed) = (0, self.exponential(1.0));
        while passed < mean {
            count += 1;
            passed += self.exponential(1.0);
        }
        count
    }

    /// An index in proportion to its weight; the last one if all weigh nothing.
    pub fn pick(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.unit() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (i, weight) in weights.enumerate() {
            last = i;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }
}

/// Nearly normal, of mean 0 and deviation exactly 1, out of sixty-four even bits: four even sixteenths added up. It
/// never strays over 3.5, and costs no root.
#[inline]
#[must_use]
pub fn bell(bits: u64) -> f32 {
    let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
    (sum as f32 / 65_536.0 - (2.0 - 2.0 / 65_536.0)) * 1.732_050_8
}

/// The mixing of SplitMix64: every bit in moves every bit out.
#[inline]
#[must_use]
pub fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Dice, bell};

    const DRAWS: u32 = 200_000;

    type Law = fn(&mut Dice) -> f64;

    /// Mean and variance of a law by sample.
    fn moments(mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..DRAWS {
            let x = draw();
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(DRAWS);
        (mean, squares / f64::from(DRAWS) - mean * mean)
    }

    /// Five standard errors of a mean of 200,000 are 0.011 deviations; of a variance, at most 0.032 of it
    /// (exponential: kurtosis 9).
    #[test]
    fn every_law_has_its_moments() {
        let mut dice = Dice::new(1, 0);
        let laws: [(&str, f64, f64, Law); 5] = [
            ("unit", 0.5, 1.0 / 12.0, Dice::unit),
            ("normal", 0.0, 1.0, Dice::normal),
            ("exponential", 3.0, 9.0, |dice| dice.exponential(3.0)),
            ("poisson", 7.5, 7.5, |dice| f64::from(dice.poisson(7.5))),
            ("bell", 0.0, 1.0, |dice| f64::from(bell(dice.throw()))),
        ];
        for (name, mean, variance, draw) in laws {
            let (got_mean, got_variance) = moments(|| draw(&mut dice));
            assert!((got_mean - mean).abs() < 0.012 * variance.sqrt(), "{name}: mean {got_mean}");
            assert!((got_variance / variance - 1.0).abs() < 0.035, "{name}: variance {got_variance}");
        }
    }

    #[test]
    fn weights_decide() {
        let mut dice = Dice::new(1, 0);
        let mut picked = [0u32; 3];
        for _ in 0..10_000 {
            picked[dice.pick([1.0, 0.0, 3.0].into_iter())] += 1;
        }
        // Five deviations of a share of a quarter in ten thousand are 217.
        assert!(picked[1] == 0 && picked[0].abs_diff(2500) < 217, "{picked:?}");
    }

    #[test]
    fn the_same_seed_throws_the_same() {
        let throws = |seed, stream| {
            let mut dice = Dice::new(seed, stream);
            [dice.throw(), dice.throw(), dice.throw()]
        };
        assert_eq!(throws(1, 0), throws(1, 0));
        assert_ne!(throws(1, 0), throws(1, 1));
        assert_ne!(throws(1, 0), throws(2, 0));
    }
}
