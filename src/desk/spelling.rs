//! Reads an address as people type it, and says kindly what is wrong with one.

use crate::sighting::DeviceId;

/// Letters read at most; no address is nearly as long.
const LETTERS_MAX: usize = 64;
/// Hexadecimal digits of an address.
const DIGITS: usize = 12;

/// Why what was typed is no address of a device. The words quote nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAddress {
    /// Nothing was typed.
    #[error("reading an address: none was given; it is twelve letters and digits, like AA:BB:CC:DD:EE:FF")]
    Empty,
    /// Not twelve digits.
    #[error("reading an address: it has {0} digits and an address has twelve, like AA:BB:CC:DD:EE:FF")]
    Digits(usize),
    /// A letter that no address has.
    #[error("reading an address: only 0 to 9 and A to F are in one, with : or - between; an O may be a 0")]
    Letter,
    /// An address of a group, of everybody or of nobody.
    #[error("reading an address: no device has this one; copy it from the settings of your own device")]
    Nobody,
}

impl NotAnAddress {
    /// A word for it that pages can translate.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Digits(_) => "digits",
            Self::Letter => "letter",
            Self::Nobody => "nobody",
        }
    }
}

/// Reads an address in any usual spelling: with colons, hyphens, dashes, dots or blanks between, or with nothing.
///
/// # Errors
/// When it is none.
pub(super) fn read(spelled: &str) -> Result<DeviceId, NotAnAddress> {
    let mut octets = [0u8; 6];
    let mut digits = 0;
    for letter in spelled.trim().chars().take(LETTERS_MAX) {
        // Telephones put dashes of their own for a hyphen, and blanks that do not break.
        if letter.is_whitespace() || matches!(letter, ':' | '.' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
        {
            continue;
        }
        let value = letter.to_digit(16).ok_or(NotAnAddress::Letter)?;
        if digits < DIGITS {
            octets[digits / 2] = octets[digits / 2] << 4 | value as u8;
        }
        digits += 1;
    }
    match digits {
        0 => return Err(NotAnAddress::Empty),
        DIGITS => {}
        other => return Err(NotAnAddress::Digits(other)),
    }
    // A resolvable Bluetooth address may have the group bit, and so it is let pass; everybody's and nobody's are not.
    DeviceId::from_octets(octets).ok_or(NotAnAddress::Nobody)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_spelling_is_read() {
        for spelled in [
            "a4c138112233",
            " A4:C1:38:11:22:33\n",
            "a4-c1-38-11-22-33",
            "a4c1.3811.2233",
            "A4 C1 38 11 22 33",
            "a4\u{2013}c1\u{2013}38\u{2013}11\u{2013}22\u{2013}33",
            "A4C138-112233",
        ] {
            let device = read(spelled).unwrap();
            assert_eq!(device.octets(), &[0xa4, 0xc1, 0x38, 0x11, 0x22, 0x33], "{spelled}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting_it() {
        let long = "a".repeat(1000);
        for (spelled, expected) in [
            ("", NotAnAddress::Empty),
            (" : - ", NotAnAddress::Empty),
            ("a4:c1:38:11:22", NotAnAddress::Digits(10)),
            (long.as_str(), NotAnAddress::Digits(64)),
            ("a4:c1:38:11:22:3O", NotAnAddress::Letter),
            ("192.168.1.20/24", NotAnAddress::Letter),
            ("00:00:00:00:00:00", NotAnAddress::Nobody),
            ("ff:ff:ff:ff:ff:ff", NotAnAddress::Nobody),
        ] {
            let said = read(spelled).unwrap_err();
            assert_eq!(said, expected);
            assert!(spelled.trim().is_empty() || !said.to_string().contains(spelled.trim()));
        }
    }
}
