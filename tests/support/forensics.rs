//! Looks for devices in everything that was written, in binary and in hex with any separator.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Six bytes of a device.
pub(crate) type Needle = [u8; 6];

/// Files under some directories that hold any of the devices, each with the form it was found in.
pub(crate) fn hits(directories: &[&Path], needles: &HashSet<Needle>) -> Vec<(PathBuf, &'static str)> {
    let mut found = Vec::new();
    for directory in directories {
        for file in files(directory) {
            let bytes = std::fs::read(&file).expect("a file reads");
            found.extend(forms(&bytes, needles).into_iter().map(|form| (file.clone(), form)));
        }
    }
    found
}

/// The forms in which some bytes hold any of the devices.
pub(crate) fn forms(bytes: &[u8], needles: &HashSet<Needle>) -> Vec<&'static str> {
    let mut found = Vec::new();
    if bytes.windows(6).any(|six| six.try_into().is_ok_and(|six: Needle| needles.contains(&six))) {
        found.push("binary");
    }
    if bytes.windows(6).any(|six| {
        let mut six: Needle = six.try_into().unwrap_or_default();
        six.reverse();
        needles.contains(&six)
    }) {
        found.push("binary, reversed");
    }
    // One separator may stand between any two octets.
    let mut digits = Vec::with_capacity(bytes.len());
    let mut separators = 0;
    for byte in bytes.iter().chain(b"\n") {
        match (*byte as char).to_digit(16) {
            Some(digit) => {
                digits.push(digit as u8);
                separators = 0;
            }
            None if separators == 0 && !digits.is_empty() => separators = 1,
            None => {
                if holds_hex(&digits, needles) {
                    found.push("hex");
                }
                digits.clear();
                separators = 0;
            }
        }
    }
    if holds_hex(&digits, needles) {
        found.push("hex");
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn holds_hex(digits: &[u8], needles: &HashSet<Needle>) -> bool {
    digits.windows(12).any(|twelve| {
        let mut six = Needle::default();
        twelve
            .as_chunks::<2>()
            .0
            .iter()
            .zip(&mut six)
            .for_each(|([high, low], octet)| *octet = high << 4 | low);
        needles.contains(&six)
    })
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
