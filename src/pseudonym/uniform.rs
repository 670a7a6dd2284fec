//! A hasher for what is a hash already.

use std::hash::Hasher;

/// Pseudonyms and tags are uniformly random 64-bit numbers, so each is its own hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uniform(u64);

impl Hasher for Uniform {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}
