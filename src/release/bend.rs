//! What may be told of hidden parts of a sum, so that the sum can be told beside its shown parts.

/// What is told of the sum of some hidden parts: that it lies between two numbers, which are often the same.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bent {
    /// It is at least this.
    pub(super) least: f64,
    /// And at most this, or near it: a part under k may be half a person over k − 1.
    pub(super) most: f64,
}

impl Bent {
    /// Bends the sum of `count` hidden parts, each under k, until each of them could be nothing and could be half of k.
    ///
    /// All but one of them hold (count − 1)·(k − 1) at most, so a sum up to there leaves each the chance to be nothing,
    /// and one over half of k leaves each the chance to be that. In between the sum is told as it is; over and under,
    /// that it is over and under. `beside` is the sum of the shown parts: where there is none, the whole is what is
    /// hidden, and no more is told of it than that it is under k, until it is over.
    pub(super) fn of(k: u32, count: u32, sum: f64, beside: f64) -> Self {
        Self::up_to(f64::from(count.saturating_sub(1) * (k - 1)), k, count, sum, beside)
    }

    /// The same where all parts but any one hold `over` at most.
    pub(super) fn up_to(over: f64, k: u32, count: u32, sum: f64, beside: f64) -> Self {
        let (under, all) = (f64::from(if beside > 0.0 { k.div_ceil(2) } else { k }), f64::from(count * k));
        match sum {
            _ if count == 0 => Self::default(),
            _ if over <= under => Self { least: 0.0, most: all },
            sum if sum <= under => Self { least: 0.0, most: under },
            sum if sum >= over => Self { least: over, most: all },
            sum => Self { least: sum, most: sum },
        }
    }

    /// The middle of what it may be, which stands for it in a sum.
    pub(super) fn middle(self) -> f64 {
        f64::midpoint(self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_told_where_each_part_could_be_nothing() {
        let of = |count, sum, beside| {
            let Bent { least, most } = Bent::of(10, count, sum, beside);
            (least, most)
        };
        assert_eq!(of(0, 0.0, 40.0), (0.0, 0.0));
        for sum in [0.0, 5.0, 9.0] {
            assert_eq!(of(1, sum, 40.0), (0.0, 10.0), "one part alone would be told");
        }
        assert_eq!(of(2, 4.0, 40.0), (0.0, 5.0));
        assert_eq!(of(2, 7.0, 40.0), (7.0, 7.0));
        assert_eq!(of(2, 17.0, 40.0), (9.0, 20.0), "neither could be nothing");
        assert_eq!(of(2, 17.0, 0.0), (0.0, 20.0), "all there is of it is hidden");
        assert_eq!(of(5, 9.0, 0.0), (0.0, 10.0));
        assert_eq!(of(5, 31.0, 0.0), (31.0, 31.0));
    }

    #[test]
    fn whatever_is_told_each_part_could_be_nothing_and_could_be_half_of_k() {
        for k in 5u32..=12 {
            for count in 1..=6u32 {
                for sum in 0..=count * (k - 1) {
                    for beside in [0.0, 50.0] {
                        let told = |sum: u32| Bent::of(k, count, f64::from(sum), beside);
                        let same = |n: u32| told(n) == told(sum);
                        let could = |part: u32| (part..=part + (count - 1) * (k - 1)).any(same);
                        assert!(could(0), "k {k}, {count} parts, {sum} together, beside {beside}");
                        assert!((k.div_ceil(2)..k).any(could), "k {k}, {count} parts, {sum}, {beside}");
                    }
                }
            }
        }
    }
}
