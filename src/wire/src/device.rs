//! The one type that holds a raw address.

use std::fmt;

/// A 48-bit device address as it was on the air.
///
/// It cannot be printed, cloned, compared in a log or serialised: whoever wants the bytes must say so by name
/// ([`DeviceId::octets`]), and a test lists the places that do.
///
/// The six bytes can be read:
/// ```
/// let id = passant_wire::DeviceId::parse("a4:c1:38:11:22:33").unwrap();
/// assert_eq!(id.octets()[0], 0xa4);
/// assert_eq!(format!("{id:?}"), "DeviceId(redacted)");
/// ```
/// They cannot be displayed:
/// ```compile_fail,E0277
/// let id = passant_wire::DeviceId::parse("a4:c1:38:11:22:33").unwrap();
/// println!("{id}");
/// ```
/// nor copied behind one's back:
/// ```compile_fail,E0599
/// let id = passant_wire::DeviceId::parse("a4:c1:38:11:22:33").unwrap();
/// let twin = id.clone();
/// ```
/// nor written out:
/// ```compile_fail,E0277
/// let id = passant_wire::DeviceId::parse("a4:c1:38:11:22:33").unwrap();
/// serde_json::to_string(&id).unwrap();
/// ```
pub struct DeviceId([u8; 6]);

/// The first bytes of the addresses that stand for no device, by which the way of an objection is tried out. They are
/// locally administered, so no maker gives them away; a phone that draws its address at random draws one of them once in
/// four million times.
pub const RESERVED_OCTETS: [u8; 3] = [0x02, 0x50, 0x53];

/// The first bytes of the addresses that a walk test is made with; the last byte is the walker's number. They are locally
/// administered on Wi-Fi and random static on Bluetooth, so no maker gives them away; a device that draws its address at
/// random draws one of them once in nine million million times.
pub const WALK_OCTETS: [u8; 5] = [0xc2, 0x50, 0x53, 0x77, 0x6b];

/// How many addresses a walk test may be made with, and so how many may walk at once.
pub const WALKERS_MAX: u8 = 8;

/// The number of an address that a walk test is made with, 1 to [`WALKERS_MAX`]. Only such an address has one: it cannot be
/// made from a number, so whoever is handed a walker is handed nobody's telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Walker(u8);

impl Walker {
    /// Its number.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

impl DeviceId {
    /// Reads an address in any usual spelling: `aabbccddeeff`, `AA:BB:…`, `aa-bb-…`, `aabb.ccdd.eeff`.
    ///
    /// `None` for anything else, and for the all-zero and all-one addresses, which belong to nobody.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() > 17 {
            return None;
        }
        let mut octets = [0u8; 6];
        let mut digits = 0;
        for &byte in bytes {
            if matches!(byte, b':' | b'-' | b'.') {
                // A separator stands between whole octets, never first, never doubled.
                if digits == 0 || digits % 2 != 0 {
                    return None;
                }
                continue;
            }
            let value = (byte as char).to_digit(16)?;
            if digits == 12 {
                return None;
            }
            octets[digits / 2] = octets[digits / 2] << 4 | value as u8;
            digits += 1;
        }
        if digits != 12 || !matches!(bytes.len(), 12 | 14 | 17) {
            return None;
        }
        Self::from_octets(octets)
    }

    /// Takes six bytes in the order they are written; `None` for the all-zero and all-one addresses.
    #[must_use]
    pub fn from_octets(octets: [u8; 6]) -> Option<Self> {
        (octets != [0; 6] && octets != [0xff; 6]).then_some(Self(octets))
    }

    /// Whether the group bit is set. On Wi-Fi no sender has it; on Bluetooth it means nothing.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.0[0] & 1 == 1
    }

    /// Whether it is one of the addresses that stand for no device.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with(&RESERVED_OCTETS)
    }

    /// Its number, if it is one of the addresses that a walk test is made with.
    #[must_use]
    pub fn walker(&self) -> Option<Walker> {
        let number = *self.0.strip_prefix(&WALK_OCTETS)?.first()?;
        (1..=WALKERS_MAX).contains(&number).then_some(Walker(number))
    }

    /// The raw bytes. Only the opt-out gate and the pseudonym stage have a use for them.
    #[must_use]
    pub fn octets(&self) -> &[u8; 6] {
        &self.0
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceId(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::{DeviceId, WALKERS_MAX, Walker};

    #[test]
    fn every_usual_spelling_reads_the_same() {
        for text in ["a4c138112233", "A4:C1:38:11:22:33", "a4-c1-38-11-22-33", "a4c1.3811.2233"] {
            assert_eq!(
                DeviceId::parse(text).unwrap().octets(),
                &[0xa4, 0xc1, 0x38, 0x11, 0x22, 0x33],
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "a4c13811223",
            "a4c1381122334",
            "a4:c1:38:11:22",
            "a4:c1:38:11:22:33:44:55",
            "::a4c138112233",
            "a4c13811223g",
            "000000000000",
            "ff:ff:ff:ff:ff:ff",
            "a4:c1:38:11:2:233",
            "é4c138112233",
        ] {
            assert!(DeviceId::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_reserved_address_is_of_no_maker_and_of_no_group() {
        let id = DeviceId::parse("02:50:53:11:22:33").unwrap();
        assert!(id.is_reserved() && !id.is_group() && id.octets()[0] & 0b10 != 0);
        assert!(!DeviceId::parse("02:50:54:11:22:33").unwrap().is_reserved());
        assert!(!DeviceId::parse("a4:c1:38:11:22:33").unwrap().is_reserved());
    }

    #[test]
    fn a_walkers_address_is_of_no_maker_and_nobody_elses_is_one() {
        for number in 1..=WALKERS_MAX {
            let id = DeviceId::parse(&format!("C2:50:53:77:6B:{number:02X}")).unwrap();
            assert_eq!(id.walker().map(Walker::number), Some(number));
            // Of no maker and no group on Wi-Fi, random static on Bluetooth, and none that the self-test draws.
            assert_eq!((id.octets()[0] & 0b11, id.octets()[0] >> 6, id.is_reserved()), (0b10, 0b11, false));
        }
        // One bit away is somebody else.
        let base = *DeviceId::parse("C2:50:53:77:6B:01").unwrap().octets();
        for bit in 0..40 {
            let mut octets = base;
            octets[bit / 8] ^= 1 << (bit % 8);
            assert!(DeviceId::from_octets(octets).unwrap().walker().is_none(), "bit {bit}");
        }
        for other in ["C2:50:53:77:6B:00", "C2:50:53:77:6B:09", "C2:50:53:77:6B:FF", "02:50:53:77:6B:01"] {
            assert!(DeviceId::parse(other).unwrap().walker().is_none(), "{other}");
        }
    }

    #[test]
    fn nothing_of_it_shows_in_debug() {
        let id = DeviceId::parse("a4c138112233").unwrap();
        assert_eq!(
            format!("{id:?} {:#?}", Some(&id)),
            "DeviceId(redacted) Some(\n    DeviceId(redacted),\n)"
        );
    }
}
