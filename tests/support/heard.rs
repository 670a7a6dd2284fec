//! What was heard in a venue's day, and what was made of it: every device, and the keys, pseudonyms and tags that were found
//! in the server's memory while the day was alive.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use passant::sighting::AddressClass;

use super::forensics::Needles;
use super::inside::Region;

/// Different bytes that 32 random ones have at least, but once in 10^9 times.
const DIFFERENT_MIN: usize = 20;
const PAGE_BYTES: usize = 4096;

/// The program's two contexts: a device that keeps its address, and one that changes it.
const STABLE: &[u8; 16] = b"passant stable 1";
const FLEETING: &[u8; 16] = b"passant fleet. 1";

pub(crate) type Key = [u8; 32];

/// A device as the server tells it from others: its radio and its bytes.
pub(crate) type Device = (u8, [u8; 6]);

/// All that was on the air, and what was typed.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) devices: BTreeSet<[u8; 6]>,
    pub(crate) stable: BTreeSet<Device>,
    /// With the moment of their message.
    pub(crate) fleeting: Vec<(i64, Device)>,
    pub(crate) typed: Vec<Vec<u8>>,
}

/// What the buyer got hold of while the day was alive.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) of_day: BTreeSet<Key>,
    pub(crate) of_halves: BTreeSet<Key>,
    /// Tags under keys of half-minutes.
    pub(crate) tags: BTreeSet<[u8; 8]>,
}

impl Heard {
    pub(crate) fn take(&mut self, at: i64, payload: &[u8]) {
        let Ok(report) = passant_wire::decode(payload, None) else { return };
        for heard in report.sightings {
            let class = AddressClass::of(heard.kind, &heard.device);
            let device = (class.radio() as u8, *heard.device.octets());
            self.devices.insert(device.1);
            match class.is_stable() {
                true => drop(self.stable.insert(device)),
                false => self.fleeting.push((at, device)),
            }
        }
    }

    /// A stable Wi-Fi device that nobody else takes, most of them heard that day.
    pub(crate) fn stable(&self, place: usize) -> [u8; 6] {
        self.stable.iter().filter(|(radio, _)| *radio == 0).nth(place).expect("enough devices").1
    }

    pub(crate) fn pseudonyms(&self, key: &Key) -> Vec<[u8; 8]> {
        self.stable.iter().map(|device| hash(key, STABLE, *device)).collect()
    }

    /// Tags of those heard in the minute and a half before a moment.
    pub(crate) fn tags(&self, key: &Key, at: i64) -> Vec<[u8; 8]> {
        let newest = self.fleeting.iter().rev().take_while(|(heard, _)| at - heard < 90_000);
        newest.map(|(_, device)| hash(key, FLEETING, *device)).collect()
    }

    /// Everything that must be gone.
    pub(crate) fn needles(&self, keys: &Keys) -> Needles {
        let parts = keys.of_day.iter().chain(&keys.of_halves).flat_map(parts);
        let pseudonyms = keys.of_day.iter().flat_map(|key| self.pseudonyms(key));
        let words = parts.chain(pseudonyms).chain(keys.tags.iter().copied());
        Needles::new(self.devices.iter().copied(), words, self.typed.iter().cloned())
    }
}

/// A pseudonym or a tag, as the program makes them: keyed BLAKE3 over framed parts.
pub(crate) fn hash(key: &Key, context: &[u8; 16], (radio, octets): Device) -> [u8; 8] {
    let framed = [&[16], &context[..], &[1, radio, 6], &octets].concat();
    *blake3::keyed_hash(key, &framed).as_bytes().first_chunk().expect("a hash is longer")
}

/// A key in four parts: one that was half written over must be found as well.
pub(crate) fn parts(key: &Key) -> [[u8; 8]; 4] {
    std::array::from_fn(|part| *key[8 * part..].first_chunk().expect("a part"))
}

/// What may be keys: 32 random bytes alone on a page.
pub(crate) fn candidates(memory: &[Region]) -> BTreeSet<Key> {
    let pages = memory.iter().flat_map(|region| region.bytes.chunks_exact(PAGE_BYTES));
    let keys = pages.filter_map(|page| {
        let (key, rest) = page.split_first_chunk::<32>()?;
        let different = key.iter().collect::<BTreeSet<_>>().len();
        (different >= DIFFERENT_MIN && rest.iter().all(|byte| *byte == 0)).then_some(*key)
    });
    keys.collect()
}

pub(crate) fn is_in(memory: &[Region], words: &[[u8; 8]]) -> bool {
    let words = AhoCorasick::new(words).expect("they fit");
    memory.iter().any(|region| words.is_match(&region.bytes))
}
