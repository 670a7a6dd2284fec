//! One line: how it is written, and how it is read and held against its chain.

use chrono::DateTime;

use super::Head;
use super::event::{Event, Said};
use crate::clock::EpochMs;

/// No line is longer, its end included: the longest there is, with an id of the longest, has under 400 bytes.
pub(super) const LINE_BYTES_MAX: u64 = 1_024;

/// It separates these hashes from every other use of the function.
const CONTEXT: &str = "passant ledger line 1";
/// What stands between what is hashed and the hash.
const BEFORE_HASH: &[u8] = b",\"hash\":\"";
const AFTER_HASH: &[u8] = b"\"}";
const HEX_LEN: usize = 64;

#[derive(serde::Serialize)]
struct Written<'a> {
    n: u64,
    at: String,
    #[serde(flatten)]
    said: Said<'a>,
    prev: String,
}

/// A line that holds on to the one before it.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Line {
    pub(super) n: u64,
    at: String,
    pub(super) event: String,
    pub(super) venue: Option<String>,
    prev: String,
    #[serde(skip)]
    pub(super) hash: [u8; 32],
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is too long.
    #[error("it is longer than any line of a ledger")]
    Long,
    /// Its hash is not that of its words.
    #[error("its hash is not that of its words: it was changed")]
    Changed,
    /// It is no line of a ledger though its hash is right.
    #[error("it does not read as a line of a ledger")]
    Unread,
    /// It does not hold on to the line before it.
    #[error("it does not follow the line before it: one was changed, removed, added or moved")]
    Unchained,
    /// The first line there is begins nothing and continues nothing.
    #[error("it is the first and not the beginning: lines before it were removed")]
    NoBeginning,
    /// It was cut short where no crash can have done it.
    #[error("it is cut short")]
    Short,
}

/// Writes the line after `head`; gives it with its end, and the new head.
pub(super) fn write(head: &Head, at: EpochMs, event: &Event) -> Result<(Vec<u8>, Head), serde_json::Error> {
    let n = head.number + 1;
    let mut line =
        serde_json::to_vec(&Written { n, at: at.rfc3339(), said: event.said(), prev: head.hex() })?;
    line.pop();
    let hash = hash(&head.hash, &line);
    let head = Head { number: n, hash };
    line.extend_from_slice(BEFORE_HASH);
    line.extend_from_slice(head.hex().as_bytes());
    line.extend_from_slice(AFTER_HASH);
    line.push(b'\n');
    Ok((line, head))
}

/// Reads a line without its end and holds its words against its hash.
pub(super) fn read(line: &[u8]) -> Result<Line, Fault> {
    let tail = BEFORE_HASH.len() + HEX_LEN + AFTER_HASH.len();
    let (words, tail) = line.split_at_checked(line.len().saturating_sub(tail)).ok_or(Fault::Unread)?;
    let stated = tail.strip_prefix(BEFORE_HASH).and_then(|tail| tail.strip_suffix(AFTER_HASH));
    let stated = stated.and_then(|hex| std::str::from_utf8(hex).ok()).ok_or(Fault::Unread)?;
    let mut read: Line = serde_json::from_slice(line).map_err(|_| Fault::Unread)?;
    let prev = Head::hash_of_hex(&read.prev).ok_or(Fault::Unread)?;
    read.hash = hash(&prev, words);
    if Head::hex_of(&read.hash) != stated {
        return Err(Fault::Changed);
    }
    if read.at().is_none() { Err(Fault::Unread) } else { Ok(read) }
}

impl Line {
    /// Whether it holds on to this line before it.
    pub(super) fn follows(&self, head: &Head) -> bool {
        self.n == head.number + 1 && self.prev == head.hex()
    }

    /// When it was written.
    pub(super) fn at(&self) -> Option<EpochMs> {
        Some(EpochMs(DateTime::parse_from_rfc3339(&self.at).ok()?.timestamp_millis()))
    }
}

fn hash(prev: &[u8; 32], words: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    for part in [prev.as_slice(), words] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}
