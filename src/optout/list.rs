//! What the list is made of: receipts, marks, and the decoys among them.

use crate::chance::{self, NoChance};
use crate::sighting::ObjectionMark;

/// Bits of a mark.
pub const SHORT_BITS: u8 = 20;
/// Bits of a mark that is made when the short ones are many.
pub const LONG_BITS: u8 = 28;
/// With this many short marks set, 2 % of their space, a new mark is a long one: nobody is refused.
pub const SHORT_MARKS_MAX: u32 = (1 << SHORT_BITS) / 50;
/// The fewest decoys: 1 % of the space of short marks.
pub const DECOYS_MIN: usize = (1 << SHORT_BITS) / 100 + 1;
/// The most. How many there are is drawn once and kept nowhere, so that the list's size does not say how many objected.
pub const DECOYS_MAX: usize = DECOYS_MIN + DECOYS_MIN / 4;

/// Bytes of a receipt.
const RECEIPT_BYTES: usize = 16;
/// Crockford's base 32: no letter that is read as another.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Digits of a receipt: 26 of five bits hold 128.
const RECEIPT_DIGITS: usize = 26;
/// What is hashed when a receipt is, framed into every hash.
const CONTEXT: &str = "passant 2026-11 opt-out receipt";

/// What is kept of a receipt.
pub type ReceiptHash = [u8; 32];

/// 128 random bits: the only link to an objection, in the hands of whoever objected.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt([u8; RECEIPT_BYTES]);

/// A row that stands for nobody.
pub struct Decoy {
    /// The hash of a receipt that nobody has.
    pub receipt: ReceiptHash,
    /// A random short mark.
    pub mark: ObjectionMark,
}

impl Receipt {
    /// A new random receipt.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn random() -> Result<Self, NoChance> {
        let mut bytes = [0; RECEIPT_BYTES];
        chance::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads a code as a person may type it: in any case, with or without its hyphens, `O` for `0`, `I` and `L` for `1`.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let mut value: u128 = 0;
        let mut digits = 0;
        for letter in code.trim().chars() {
            let letter = match letter.to_ascii_uppercase() {
                '-' | ' ' => continue,
                'O' => '0',
                'I' | 'L' => '1',
                letter => letter,
            };
            let digit = DIGITS.iter().position(|digit| char::from(*digit) == letter)?;
            // Two bits of the first digit lie above the 128.
            if digits == RECEIPT_DIGITS || (digits == 0 && digit >= 8) {
                return None;
            }
            value = value << 5 | digit as u128;
            digits += 1;
        }
        (digits == RECEIPT_DIGITS).then_some(Self(value.to_be_bytes()))
    }

    /// The code, in groups that can be read aloud.
    #[must_use]
    pub fn code(&self) -> String {
        let value = u128::from_be_bytes(self.0);
        let mut code = String::with_capacity(RECEIPT_DIGITS + 6);
        for place in 0..RECEIPT_DIGITS {
            if place > 0 && place % 5 == 0 && place < 25 {
                code.push('-');
            }
            let digit = value >> (5 * (RECEIPT_DIGITS - 1 - place)) & 31;
            code.push(char::from(DIGITS[digit as usize]));
        }
        code
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> ReceiptHash {
        blake3::derive_key(CONTEXT, &self.0)
    }
}

/// The decoys of a new list.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn decoys() -> Result<Vec<Decoy>, NoChance> {
    let extra = random_below((DECOYS_MAX - DECOYS_MIN) as u32 + 1)?;
    (0..DECOYS_MIN + extra as usize)
        .map(|_| {
            let number = random_below(1 << SHORT_BITS)?;
            let mut receipt = [0; 32];
            chance::fill(&mut receipt)?;
            Ok(Decoy { receipt, mark: ObjectionMark { bits: SHORT_BITS, number } })
        })
        .collect()
}

/// A random number under a limit. 64 bits over a limit of 20 leave a bias of less than one in 2^44.
fn random_below(limit: u32) -> Result<u32, NoChance> {
    let mut bytes = [0; 8];
    chance::fill(&mut bytes)?;
    Ok((u64::from_le_bytes(bytes) % u64::from(limit)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for bytes in [[0; 16], [0xff; 16], *b"a receipt of six"] {
            let receipt = Receipt(bytes);
            let code = receipt.code();
            assert_eq!(code.len(), 30, "{code}");
            assert!(Receipt::parse(&code).unwrap() == receipt);
            let typed =
                format!("  {} ", code.to_lowercase().replace('-', "").replace('0', "o").replace('1', "l"));
            assert!(Receipt::parse(&typed).unwrap() == receipt);
        }
        for wrong in ["", "U", "8ZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZZ", "0000-0000", &"0".repeat(27)] {
            assert!(Receipt::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn receipts_differ_and_so_do_their_hashes() {
        let (a, b) = (Receipt::random().unwrap(), Receipt::random().unwrap());
        assert_ne!(a.hash(), b.hash());
        assert_eq!(a.hash(), a.clone().hash());
    }
}
