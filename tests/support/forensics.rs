//! Looks for secrets in everything that was written and in memory: in binary, in hex with any separators, in base64, and as
//! programs print bytes and numbers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;

/// Six bytes of a device.
pub(crate) type Needle = [u8; 6];

/// Letters that may stand between two digits of hex.
const SEPARATORS_MAX: u32 = 2;
/// Bytes of a needle that are compared in hex.
const HEX_BYTES: usize = 6;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What is looked for, in every form.
pub(crate) struct Needles {
    patterns: AhoCorasick,
    /// The form of each pattern.
    forms: Vec<&'static str>,
    /// The first bytes of each, and the last in reverse, as numbers.
    hex: HashSet<u64>,
}

#[derive(Default)]
struct Patterns {
    form_of: HashMap<Vec<u8>, &'static str>,
    hex: HashSet<u64>,
}

impl Needles {
    /// Looks for devices.
    pub(crate) fn devices(devices: impl IntoIterator<Item = Needle>) -> Self {
        Self::new(devices, [], [])
    }

    /// Looks for devices, for words of eight bytes, and for texts as they are.
    pub(crate) fn new(
        devices: impl IntoIterator<Item = Needle>,
        words: impl IntoIterator<Item = [u8; 8]>,
        texts: impl IntoIterator<Item = Vec<u8>>,
    ) -> Self {
        let mut patterns = Patterns::default();
        devices.into_iter().for_each(|device| patterns.bytes(&device));
        for word in words {
            patterns.bytes(&word);
            patterns.form_of.insert(u64::from_le_bytes(word).to_string().into_bytes(), "decimal");
        }
        patterns.form_of.extend(texts.into_iter().map(|text| (text, "text")));
        let (bytes, forms): (Vec<_>, Vec<_>) = patterns.form_of.into_iter().unzip();
        let built = AhoCorasick::new(&bytes).expect("the needles fit");
        Self { patterns: built, forms, hex: patterns.hex }
    }

    /// The forms in which some bytes hold any of them.
    pub(crate) fn forms(&self, bytes: &[u8]) -> Vec<&'static str> {
        self.places(bytes).into_keys().collect()
    }

    /// The same, each with the first place where it was found.
    pub(crate) fn places(&self, bytes: &[u8]) -> BTreeMap<&'static str, usize> {
        let mut found = BTreeMap::new();
        for hit in self.patterns.find_iter(bytes) {
            found.entry(self.forms[hit.pattern().as_usize()]).or_insert(hit.start());
        }
        if let Some(end) = self.hex_end(bytes) {
            found.insert("hex", end);
        }
        found
    }

    /// Where the first one in hex ends.
    fn hex_end(&self, bytes: &[u8]) -> Option<usize> {
        let mask = (1u64 << (8 * HEX_BYTES)) - 1;
        let (mut number, mut digits, mut separators) = (0u64, 0u32, 0u32);
        for (place, byte) in bytes.iter().enumerate() {
            let Some(digit) = (*byte as char).to_digit(16) else {
                separators += 1;
                if separators > SEPARATORS_MAX {
                    digits = 0;
                }
                continue;
            };
            separators = 0;
            number = (number << 4 | u64::from(digit)) & mask;
            digits += 1;
            if digits >= 2 * HEX_BYTES as u32 && self.hex.contains(&number) {
                return Some(place);
            }
        }
        None
    }
}

impl Patterns {
    /// Bytes in every form but as a number.
    fn bytes(&mut self, bytes: &[u8]) {
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        self.form_of.insert(format!("{bytes:?}").replace(['[', ']'], "").into_bytes(), "decimal");
        for alignment in 0..3 {
            let letters = base64(bytes, alignment);
            let url = letters.iter().map(|letter| match letter {
                b'+' => b'-',
                b'/' => b'_',
                letter => *letter,
            });
            self.form_of.insert(url.collect(), "base64");
            self.form_of.insert(letters, "base64");
        }
        for (order, form) in [(&reversed[..], "binary, reversed"), (bytes, "binary")] {
            self.form_of.insert(order.to_vec(), form);
            let number = order.iter().take(HEX_BYTES).fold(0, |number, byte| number << 8 | u64::from(*byte));
            self.hex.insert(number);
        }
    }
}

/// The letters of base64 that bytes have whatever stands around them, with so many bytes before them in their group.
fn base64(bytes: &[u8], before: usize) -> Vec<u8> {
    let padded: Vec<u8> = std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
    let bit = |at: usize| padded[at / 8] >> (7 - at % 8) & 1;
    let (first, last) = ((8 * before).div_ceil(6), 8 * padded.len() / 6);
    let letter = |place: usize| (0..6).fold(0, |six, at| six << 1 | bit(6 * place + at));
    (first..last).map(|place| ALPHABET[usize::from(letter(place))]).collect()
}

/// Files under some directories that hold any of the needles, each with the form it was found in.
pub(crate) fn hits(directories: &[&Path], needles: &Needles) -> Vec<(PathBuf, &'static str)> {
    let mut found = Vec::new();
    for directory in directories {
        for file in files(directory) {
            let bytes = std::fs::read(&file).expect("a file reads");
            found.extend(needles.forms(&bytes).into_iter().map(|form| (file.clone(), form)));
        }
    }
    found
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory reads") {
        let path = entry.expect("an entry").path();
        // A socket holds nothing.
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}
