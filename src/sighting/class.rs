//! What kind of address a device showed, and what that means for how long it can be recognised.

use passant_wire::{DeviceId, Kind};

/// The class of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// Wi-Fi, universally administered: the same for years.
    Global,
    /// Wi-Fi, locally administered: often a new one for every scan.
    Random,
    /// Bluetooth, public: the same for years.
    BlePublic,
    /// Bluetooth, random static: the same until the device restarts.
    BleStatic,
    /// Bluetooth, random and resolvable by those who were paired: new every 5 to 15 minutes.
    BleResolvable,
    /// Bluetooth, random and not resolvable.
    BleNonresolvable,
    /// Joined to the venue's network: one address per network.
    Associated,
}

/// The radio a pseudonym is made for: the same six bytes on two radios are two devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Radio {
    /// Wi-Fi.
    Wifi,
    /// Bluetooth.
    Ble,
}

impl AddressClass {
    /// Tells the class from how the radio heard the address and from the address's own flag bits.
    ///
    /// Wi-Fi: the locally administered bit of IEEE 802. Bluetooth: the two top bits of a random address (Core
    /// Specification, vol 6 part B 1.3). Where a gateway does not tell public from random, the same two bits are a
    /// guess: `10` belongs to no random address and so is public.
    #[must_use]
    pub fn of(kind: Kind, device: &DeviceId) -> Self {
        let first = device.octets()[0];
        let random = match first >> 6 {
            0b11 => Self::BleStatic,
            0b01 => Self::BleResolvable,
            _ => Self::BleNonresolvable,
        };
        match kind {
            Kind::Assoc => Self::Associated,
            Kind::Wifi if first & 0b10 == 0 => Self::Global,
            Kind::Wifi => Self::Random,
            Kind::BlePublic => Self::BlePublic,
            Kind::BleRandom => random,
            Kind::Ble if first >> 6 == 0b10 => Self::BlePublic,
            Kind::Ble => random,
        }
    }

    /// The same all day, so that a visit can be seen; the rest is fleeting, good for half a minute.
    #[must_use]
    pub fn is_stable(self) -> bool {
        matches!(self, Self::Global | Self::BlePublic | Self::BleStatic | Self::Associated)
    }

    /// Which radio it is on.
    #[must_use]
    pub fn radio(self) -> Radio {
        match self {
            Self::Global | Self::Random | Self::Associated => Radio::Wifi,
            Self::BlePublic | Self::BleStatic | Self::BleResolvable | Self::BleNonresolvable => Radio::Ble,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_kind_and_flag_bits() {
        use AddressClass::*;
        for (kind, address, class, stable) in [
            (Kind::Wifi, "04:1a:c2:d6:91:f5", Global, true),
            (Kind::Wifi, "9e:9f:05:7a:6a:f1", Random, false),
            (Kind::Assoc, "9e:9f:05:7a:6a:f1", Associated, true),
            (Kind::BlePublic, "5e:9f:05:7a:6a:f1", BlePublic, true),
            (Kind::BleRandom, "de:9f:05:7a:6a:f1", BleStatic, true),
            (Kind::BleRandom, "5e:9f:05:7a:6a:f1", BleResolvable, false),
            (Kind::BleRandom, "1e:9f:05:7a:6a:f1", BleNonresolvable, false),
            (Kind::BleRandom, "9e:9f:05:7a:6a:f1", BleNonresolvable, false),
            (Kind::Ble, "9e:9f:05:7a:6a:f1", BlePublic, true),
            (Kind::Ble, "5e:9f:05:7a:6a:f1", BleResolvable, false),
        ] {
            let of = AddressClass::of(kind, &DeviceId::parse(address).unwrap());
            assert_eq!((of, of.is_stable()), (class, stable), "{kind:?} {address}");
        }
    }
}
