//! Who is heard: the r-th most popular of n devices with a chance of 1/r over the sum of all.

/// Draws ranks 0 to n − 1 by Zipf's law of exponent 1, exactly but for the rounding of a chance to 32 bits, in one
/// throw and one look-up: Walker's alias table, built as Vose does.
#[derive(Debug)]
pub struct Zipf(Vec<Cell>);

/// A cell keeps its own rank with a chance of `keep` / 2³², and gives the rest to another.
#[derive(Clone, Copy, Debug)]
struct Cell {
    keep: u32,
    alias: u32,
}

impl Zipf {
    /// A table for so many devices, at least one.
    #[must_use]
    pub fn new(devices: u32) -> Self {
        let n = devices.max(1);
        let sum: f64 = (1..=n).rev().map(|rank| 1.0 / f64::from(rank)).sum();
        let mut share: Vec<f64> = (1..=n).map(|rank| f64::from(n) / (f64::from(rank) * sum)).collect();
        let mut cells: Vec<Cell> = (0..n).map(|rank| Cell { keep: u32::MAX, alias: rank }).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            (0..n).partition(|&rank| share[rank as usize] < 1.0);
        while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
            let kept = share[poor as usize];
            cells[poor as usize] = Cell { keep: (kept * 2f64.powi(32)) as u32, alias: rich };
            share[rich as usize] -= 1.0 - kept;
            if share[rich as usize] < 1.0 {
                large.pop();
                small.push(rich);
            }
        }
        // What rounding has left over keeps itself.
        Self(cells)
    }

    /// How many devices.
    #[must_use]
    pub fn devices(&self) -> u32 {
        self.0.len() as u32
    }

    /// The rank that 64 even bits stand for: the product's upper half is the cell, its lower half how far into it.
    #[inline]
    #[must_use]
    pub fn rank(&self, bits: u64) -> u32 {
        let product = u128::from(bits) * self.0.len() as u128;
        let place = (product >> 64) as u32;
        let cell = self.0[place as usize];
        if (product as u64 >> 32) as u32 <= cell.keep { place } else { cell.alias }
    }
}

#[cfg(test)]
mod tests {
    use super::Zipf;
    use crate::dice::Dice;

    const DEVICES: u32 = 600_000;
    const DRAWS: u32 = 2_000_000;

    /// Five standard deviations of a count: one seed in some two million misses by chance, and ours is fixed.
    #[test]
    fn shares_are_the_laws() {
        let zipf = Zipf::new(DEVICES);
        let mut dice = Dice::new(1, 0);
        let mut drawn = vec![0u32; DEVICES as usize];
        for _ in 0..DRAWS {
            drawn[zipf.rank(dice.throw()) as usize] += 1;
        }
        let sum: f64 = (1..=DEVICES).map(|rank| 1.0 / f64::from(rank)).sum();
        for ranks in [1..2, 2..3, 3..4, 10..11, 11..100, 100..10_000, 10_000..DEVICES + 1] {
            let share: f64 = ranks.clone().map(|rank| 1.0 / f64::from(rank) / sum).sum();
            let got: u32 = ranks.clone().map(|rank| drawn[rank as usize - 1]).sum();
            let want = share * f64::from(DRAWS);
            let tolerance = 5.0 * (want * (1.0 - share)).sqrt();
            assert!(
                (f64::from(got) - want).abs() < tolerance,
                "{ranks:?}: {got} of {want:.0} ± {tolerance:.0}"
            );
        }
    }

    /// The table's own arithmetic: adding up what each cell keeps and gives yields each rank's share.
    #[test]
    fn the_table_adds_up() {
        let zipf = Zipf::new(1000);
        let mut shares = vec![0.0; 1000];
        for (rank, cell) in zipf.0.iter().enumerate() {
            let kept = (f64::from(cell.keep) + 1.0) / 2f64.powi(32);
            shares[rank] += kept / 1000.0;
            shares[cell.alias as usize] += (1.0 - kept) / 1000.0;
        }
        let sum: f64 = (1..=1000).map(|rank| 1.0 / f64::from(rank)).sum();
        for (rank, got) in shares.iter().enumerate() {
            let want = 1.0 / (rank as f64 + 1.0) / sum;
            // Each of a thousand cells may be a rounding of 2⁻³² off.
            assert!((got - want).abs() < 1000.0 / 2f64.powi(32), "{rank}: {got} of {want}");
        }
    }

    #[test]
    fn the_last_bits_find_the_last_cell() {
        assert_eq!(Zipf::new(1).rank(u64::MAX), 0);
        let zipf = Zipf::new(7);
        assert!(zipf.rank(u64::MAX) < 7 && zipf.rank(0) < 7);
        assert_eq!(zipf.devices(), 7);
    }
}
