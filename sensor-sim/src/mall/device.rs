//! What people carry, under which addresses and how often it speaks.

use passant_wire::Kind;

use super::plan::Sort;
use super::scenario::{FixtureKind, Scenario};
use crate::dice::{Dice, mix};

/// The group bit and the bit of a locally administered address, in the first octet.
const GROUP: u8 = 1;
const LOCAL: u8 = 2;

/// The two highest bits tell the kinds of random Bluetooth addresses.
const BLE_KIND: u8 = 0xc0;
const BLE_RESOLVABLE: u8 = 0x40;
const BLE_STATIC: u8 = 0xc0;

/// Tells the dice of heavy talkers from others.
const HEAVY: u64 = 11;

/// One transmitter.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) owner: usize,
    pub(crate) kind: Kind,
    pub(crate) next_burst: i64,
    address: Address,
    rhythm: Rhythm,
    awake_until: i64,
    dice: Dice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    /// A new random one each burst.
    Fleeting,
    /// A new random one each frame.
    Scattered,
    /// Bluetooth resolvable: a new one at this moment.
    Rotating([u8; 6], i64),
    Stable([u8; 6]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rhythm {
    AndroidUnconnected,
    AndroidConnected,
    Ios,
    Associated,
    Ble,
    Fixture,
}

/// A frame of a burst: when, and under which address.
pub(crate) type Frame = (i64, [u8; 6]);

impl Device {
    /// A till or a television.
    pub(crate) fn fixture(owner: usize, kind: FixtureKind, salt: u64, from: i64) -> Self {
        let mut dice = Dice::new(salt, 7);
        let address = Address::Stable(global(dice.throw()));
        // The rest of its chance is the day's, or every night would be the same.
        let dice = Dice::new(salt, mix(from as u64));
        // Tills are joined to the venue's network, televisions look for one.
        let kind = if kind == FixtureKind::Till { Kind::Assoc } else { Kind::Wifi };
        Self::new(owner, kind, address, Rhythm::Fixture, (from, dice))
    }

    fn new(owner: usize, kind: Kind, address: Address, rhythm: Rhythm, (from, dice): (i64, Dice)) -> Self {
        Self { owner, kind, next_burst: from, address, rhythm, awake_until: i64::MIN, dice }
    }

    /// The address it keeps all day, if it does.
    pub(crate) fn stable_address(&self) -> Option<[u8; 6]> {
        match self.address {
            Address::Stable(octets) => Some(octets),
            Address::Fleeting | Address::Scattered | Address::Rotating(..) => None,
        }
    }

    /// Waits, from the moment it comes, for a first burst as from any other moment.
    pub(crate) fn begin(&mut self, scenario: &Scenario) {
        let from = self.next_burst;
        if self.sleeps() {
            let rhythms = &scenario.rhythms;
            if self.dice.chance(rhythms.awake_share) {
                self.wake(scenario, from);
            } else {
                self.next_burst = from + self.sleep_ms(scenario);
                self.wake(scenario, self.next_burst);
                return;
            }
        }
        self.next_burst = from + (self.interval_ms(scenario) as f64 * self.dice.unit()) as i64;
    }

    /// Writes the frames of the burst that is due, in order of time, after which the next one is.
    pub(crate) fn burst(&mut self, scenario: &Scenario, frames: &mut Vec<Frame>) {
        let (at, rhythms) = (self.next_burst, &scenario.rhythms);
        let octets = match self.address {
            Address::Fleeting | Address::Scattered => local(self.dice.throw()),
            Address::Rotating(octets, until) if at < until => octets,
            Address::Rotating(..) => {
                let octets = ble(self.dice.throw(), BLE_RESOLVABLE);
                let [low, high] = rhythms.ble_rotation_mins;
                let until = at + (self.dice.between(low, high) * 60_000.0) as i64;
                self.address = Address::Rotating(octets, until);
                octets
            }
            Address::Stable(octets) => octets,
        };
        frames.clear();
        frames.push((at, octets));
        if self.sleeps() {
            let scattered = self.address == Address::Scattered;
            let [low, high] =
                if scattered { scenario.devices.heavy_addresses_per_burst } else { rhythms.frames_per_burst };
            let more = self.dice.throw() % u64::from(high - low + 1) + u64::from(low) - 1;
            for _ in 0..more {
                let octets = if scattered { local(self.dice.throw()) } else { octets };
                frames.push((at + (self.dice.unit() * rhythms.burst_ms) as i64, octets));
            }
            frames.sort_unstable_by_key(|(at, _)| *at);
        }
        self.next_burst = at + self.interval_ms(scenario);
        if self.sleeps() && self.next_burst >= self.awake_until {
            self.next_burst = self.awake_until.max(at + rhythms.burst_ms as i64) + self.sleep_ms(scenario);
            self.wake(scenario, self.next_burst);
        }
    }

    /// Phones scan while they are awake; the rest never sleeps.
    fn sleeps(&self) -> bool {
        matches!(self.rhythm, Rhythm::AndroidUnconnected | Rhythm::AndroidConnected | Rhythm::Ios)
    }

    fn wake(&mut self, scenario: &Scenario, at: i64) {
        self.awake_until = at + (self.dice.exponential(scenario.rhythms.awake_secs) * 1000.0) as i64;
    }

    fn sleep_ms(&mut self, scenario: &Scenario) -> i64 {
        let rhythms = &scenario.rhythms;
        let mean_secs = rhythms.awake_secs * (1.0 / rhythms.awake_share - 1.0);
        (self.dice.exponential(mean_secs) * 1000.0) as i64
    }

    fn interval_ms(&mut self, scenario: &Scenario) -> i64 {
        let (rhythms, dice) = (&scenario.rhythms, &mut self.dice);
        let secs = match self.rhythm {
            // No clock is exact to the second, and phones must not fall into step.
            Rhythm::AndroidUnconnected => rhythms.android_unconnected_secs * dice.between(0.9, 1.1),
            Rhythm::AndroidConnected => rhythms.android_connected_secs * dice.between(0.9, 1.1),
            Rhythm::Ios => ios_secs(scenario, dice),
            Rhythm::Associated => 1.0 + dice.exponential(rhythms.associated_secs - 1.0),
            Rhythm::Ble => rhythms.ble_secs * dice.between(0.8, 1.2),
            Rhythm::Fixture => rhythms.fixture_secs * dice.between(0.8, 1.2),
        };
        ((secs * 1000.0) as i64).max(1)
    }
}

fn ios_secs(scenario: &Scenario, dice: &mut Dice) -> f64 {
    let rhythms = &scenario.rhythms;
    if !dice.chance(rhythms.ios_under_minute_share) {
        return dice.between(60.0, rhythms.ios_longest_secs.max(60.0));
    }
    if dice.chance(rhythms.ios_spike_share) {
        let [short, long] = rhythms.ios_spikes_secs;
        return if dice.chance(0.5) { short } else { long };
    }
    dice.between(rhythms.burst_ms / 1000.0, 60.0)
}

/// Gives somebody their devices.
pub(crate) fn outfit(
    scenario: &Scenario,
    sort: Sort,
    (owner, from): (usize, i64),
    dice: &mut Dice,
    devices: &mut Vec<Device>,
) {
    let mix = &scenario.devices;
    let mut add = |kind, address, rhythm, dice: &mut Dice| {
        let own = Dice::new(dice.throw(), from as u64);
        devices.push(Device::new(owner, kind, address, rhythm, (from, own)));
    };
    let phones = if !dice.chance(mix.phone_share) {
        0
    } else if dice.chance(mix.two_devices_share) {
        2
    } else {
        1
    };
    for _ in 0..phones {
        let bits = dice.throw();
        let rhythm = if dice.chance(mix.ios_share) {
            Rhythm::Ios
        } else if dice.chance(mix.android_connected_share) {
            Rhythm::AndroidConnected
        } else {
            Rhythm::AndroidUnconnected
        };
        if dice.chance(mix.random_share) {
            // Told by bits of its own, so that a crowd without heavy talkers stays the crowd it was.
            let heavy = Dice::new(bits, HEAVY).chance(mix.heavy_talker_share);
            let address = if heavy { Address::Scattered } else { Address::Fleeting };
            add(Kind::Wifi, address, rhythm, dice);
        } else if dice.chance(mix.associated_of_stable_share) && sort.comes_in() {
            add(Kind::Assoc, Address::Stable(local(bits)), Rhythm::Associated, dice);
        } else {
            add(Kind::Wifi, Address::Stable(global(bits)), rhythm, dice);
        }
    }
    if dice.chance(mix.ble_share) {
        let bits = dice.throw();
        let stable = Address::Stable(ble(bits, BLE_STATIC));
        let rotating = Address::Rotating(ble(bits, BLE_RESOLVABLE), i64::MIN);
        let address = if dice.chance(mix.ble_static_share) { stable } else { rotating };
        add(Kind::BleRandom, address, Rhythm::Ble, dice);
    }
    if sort == Sort::Staff && dice.chance(mix.staff_badge_share) {
        let address = Address::Stable(ble(dice.throw(), BLE_STATIC));
        add(Kind::BleRandom, address, Rhythm::Ble, dice);
    }
}

/// A random Wi-Fi address. The local bit keeps it from being nobody's, the missing group bit from being everybody's.
fn local(bits: u64) -> [u8; 6] {
    let [_, _, first, rest @ ..] = bits.to_be_bytes();
    octets(first & !GROUP | LOCAL, rest)
}

/// A global Wi-Fi address. No maker begins with 00:00:00, or an address of zeros would be nobody's.
fn global(bits: u64) -> [u8; 6] {
    let [_, _, first, rest @ ..] = bits.to_be_bytes();
    octets((first & !(GROUP | LOCAL)).max(4), rest)
}

/// A random Bluetooth address. Its lowest bit means nothing there, and is left out all the same.
fn ble(bits: u64, kind: u8) -> [u8; 6] {
    let [_, _, first, rest @ ..] = bits.to_be_bytes();
    octets(first & !(BLE_KIND | GROUP) | kind, rest)
}

fn octets(first: u8, [b, c, d, e, f]: [u8; 5]) -> [u8; 6] {
    [first, b, c, d, e, f]
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
