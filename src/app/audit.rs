//! `passant check --audit`: whether the ledger is the one that was written.

use std::path::Path;

use anyhow::{Context, Result};

use crate::ledger::{self, Head};

/// Verifies the ledger of a data directory, and that it passes through a head that somebody has seen. Gives lines to print.
pub(super) fn audit(dir: &Path, head: Option<&str>) -> Result<Vec<String>> {
    let verified = match head {
        None => ledger::verify(dir)?,
        Some(hex) => {
            let hash = Head::hash_of_hex(hex).context("--head takes the 64 hexadecimal digits of a head")?;
            ledger::verify_through(dir, hash)?
        }
    };
    let mut lines = vec![format!("ok    ledger: {} lines hold on to each other", verified.lines)];
    for (which, line) in [("first", verified.first), ("last", verified.last)] {
        lines.extend(
            line.map(|(number, at)| {
                format!("ok    ledger: the {which} is line {number} of {}", at.rfc3339())
            }),
        );
    }
    lines.extend(head.map(|_| "ok    ledger: it passes through the head that was given".to_owned()));
    lines.push(format!("ok    ledger: its head is {}", verified.head.hex()));
    if verified.torn_bytes > 0 {
        lines.push(format!(
            "note  ledger: {} bytes follow the last line; it is being written just now, or a crash cut a line short",
            verified.torn_bytes
        ));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::EpochMs;
    use crate::ledger::{Event, Ledger};

    #[test]
    fn an_audit_prints_what_it_verified_and_fails_at_the_first_broken_line() {
        let temp = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(temp.path()).unwrap();
        for second in 0..3 {
            ledger.append(EpochMs(1_764_000_000_000 + second * 1_000), &Event::Started).unwrap();
        }
        let head = ledger.head().hex();
        let said = audit(temp.path(), Some(&head)).unwrap().join("\n");
        for words in ["3 lines", "first is line 1 of 2025-11-24T16:00:00Z", "last is line 3", &head] {
            assert!(said.contains(words), "{words} in {said}");
        }
        assert!(audit(temp.path(), Some("short")).unwrap_err().to_string().contains("64 hexadecimal"));
        let file = temp.path().join(ledger::FILE_NAME);
        let text = std::fs::read_to_string(&file).unwrap().replacen("16:00:01Z", "16:00:09Z", 1);
        std::fs::write(&file, text).unwrap();
        let error = audit(temp.path(), None).unwrap_err().to_string();
        assert!(error.contains("broken at line 2"), "{error}");
    }
}
