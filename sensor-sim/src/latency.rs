//! How long things took, in few bytes: buckets that grow by an eighth, so a percentile is right within 6 %.

use std::time::Duration;

/// Buckets to each doubling.
const STEPS: u64 = 8;
/// 2^40 µs is 12 days; whatever takes longer falls in the last bucket.
const BUCKETS: usize = 40 * STEPS as usize;

/// A histogram of durations.
#[derive(Clone, Debug)]
pub struct Latency {
    buckets: [u64; BUCKETS],
    count: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS], count: 0 }
    }
}

impl Latency {
    /// Takes one duration down.
    pub fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(micros).min(BUCKETS - 1)] += 1;
        self.count += 1;
    }

    /// Takes another histogram in.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
    }

    /// The duration, in ms, that this share of all stayed under; `None` before the first.
    #[must_use]
    pub fn percentile_ms(&self, percent: u64) -> Option<f64> {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let place = self.buckets.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(middle_micros(place as u64) / 1000.0)
    }
}

fn bucket(micros: u64) -> usize {
    if micros < STEPS {
        return micros as usize;
    }
    let doublings = u64::from(micros.ilog2() - STEPS.ilog2());
    (doublings * STEPS + (micros >> doublings)) as usize
}

fn middle_micros(bucket: u64) -> f64 {
    if bucket < STEPS {
        return bucket as f64;
    }
    let doublings = bucket / STEPS - 1;
    ((bucket - doublings * STEPS) as f64 + 0.5) * (1u64 << doublings) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_right_within_a_sixteenth() {
        let mut latency = Latency::default();
        assert_eq!(latency.percentile_ms(50), None);
        for micros in 1..=100_000 {
            latency.add(Duration::from_micros(micros));
        }
        for percent in [1, 50, 95, 99, 100] {
            let (got, want) = (latency.percentile_ms(percent).unwrap(), percent as f64);
            assert!((got / want - 1.0).abs() < 1.0 / 16.0, "p{percent}: {got} ms");
        }
    }

    #[test]
    fn buckets_follow_each_other_and_the_longest_falls_in_the_last() {
        for micros in 0..10_000 {
            assert!(bucket(micros + 1) - bucket(micros) <= 1, "{micros}");
        }
        let mut latency = Latency::default();
        latency.add(Duration::MAX);
        assert!(latency.percentile_ms(50).unwrap() > 1e8);
    }
}
