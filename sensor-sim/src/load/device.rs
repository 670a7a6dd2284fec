//! The invented addresses of a load test.

use crate::dice::mix;

/// The group bit and the bit of a locally administered address, in the first octet.
const GROUP: u8 = 1;
const LOCAL: u8 = 2;

/// Ranks whose last digit is this have a global address: a tenth of all devices, and under Zipf's law, where the few
/// first ranks are half of everything, very nearly a tenth of all sightings too.
const GLOBAL_DIGIT: u32 = 4;

/// Makes an address of a rank: another for every rank and every seed.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    salt: u64,
}

impl Addresses {
    /// The addresses of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { salt: mix(seed ^ 0x7061_7373_616e_7400) }
    }

    /// Whether a rank, counted from 0, has a global address.
    #[inline]
    #[must_use]
    pub fn is_global(rank: u32) -> bool {
        (rank + 1) % 10 == GLOBAL_DIGIT
    }

    /// The address of a rank, counted from 0. An odd factor only shuffles 32 bits, so no two ranks share the last
    /// four octets.
    #[inline]
    #[must_use]
    pub fn octets(self, rank: u32) -> [u8; 6] {
        let [a, b, c, d] = (rank ^ self.salt as u32).wrapping_mul(0x9e37_79b1).to_be_bytes();
        let [first, second, ..] = mix(self.salt ^ u64::from(rank)).to_be_bytes();
        // A second octet of neither 00 nor ff keeps clear of everybody's and nobody's address.
        let first = first & !(GROUP | LOCAL) | if Self::is_global(rank) { 0 } else { LOCAL };
        [first, second.clamp(1, 0xfe), a, b, c, d]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Addresses;

    const DEVICES: u32 = 600_000;

    #[test]
    fn addresses_differ_and_are_what_they_claim() {
        let addresses = Addresses::new(1);
        let all: HashSet<[u8; 6]> = (0..DEVICES).map(|rank| addresses.octets(rank)).collect();
        assert_eq!(all.len(), DEVICES as usize);
        for rank in 0..100 {
            let local = addresses.octets(rank)[0] & 3;
            assert_eq!(local, if Addresses::is_global(rank) { 0 } else { 2 }, "{rank}");
        }
        assert_ne!(addresses.octets(5), Addresses::new(2).octets(5));
    }

    #[test]
    fn a_tenth_of_the_devices_and_of_the_sightings_is_global() {
        let weight = |rank: u32| 1.0 / (f64::from(rank) + 1.0);
        let all: f64 = (0..DEVICES).map(weight).sum();
        let global: f64 = (0..DEVICES).filter(|&rank| Addresses::is_global(rank)).map(weight).sum();
        let devices = (0..DEVICES).filter(|&rank| Addresses::is_global(rank)).count();
        assert_eq!(devices, 60_000);
        assert!((0.095..0.105).contains(&(global / all)), "{}", global / all);
    }
}
