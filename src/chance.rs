//! Chance: the one file that asks the operating system for random bytes. Keys always come from here.

use zeroize::Zeroizing;

/// The operating system would not give random bytes; nothing may be hashed without them.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct NoChance(getrandom::Error);

/// Fills a buffer with random bytes from the operating system.
///
/// # Errors
/// When the operating system has none to give.
pub fn fill(buffer: &mut [u8]) -> Result<(), NoChance> {
    #[expect(clippy::disallowed_methods, reason = "this is the file that asks the operating system")]
    getrandom::fill(buffer).map_err(NoChance)
}

/// A word nobody guesses: random bytes from the operating system in hex digits, wiped when it is dropped.
///
/// # Errors
/// When the operating system has none to give.
pub fn word<const BYTES: usize>() -> Result<Zeroizing<String>, NoChance> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    fill(&mut *bytes)?;
    let mut word = Zeroizing::new(String::with_capacity(2 * BYTES));
    for byte in *bytes {
        for digit in [byte >> 4, byte & 15] {
            word.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    Ok(word)
}

/// A random share from 0 to 1, for the jitter of retries; 0.5 when the operating system has none to give.
#[must_use]
pub fn share() -> f64 {
    let mut bytes = [0; 4];
    match fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}
