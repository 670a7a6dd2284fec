use std::path::Path;

use tempfile::TempDir;

use super::*;

const START: i64 = 1_764_000_000_000;

fn id(word: &str) -> Id {
    Id::parse(word).unwrap()
}

fn events() -> Vec<Event> {
    vec![
        Event::Started,
        Event::KeyMade { venue: id("mall") },
        Event::KeyWiped { venue: id("mall") },
        Event::Purged { venue: id("mall"), rows: 288 },
        Event::Objections { rounded: 11_000 },
        Event::Refused { what: Refusal::Poster },
        Event::Stopped,
    ]
}

/// A directory with a ledger of seven lines, a second apart.
fn written() -> (TempDir, Ledger) {
    let temp = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(temp.path()).unwrap();
    for (second, event) in events().iter().enumerate() {
        ledger.append(EpochMs(START + 1_000 * second as i64), event).unwrap();
    }
    (temp, ledger)
}

fn file(dir: &Path) -> PathBuf {
    dir.join(FILE_NAME)
}

fn lines(dir: &Path) -> Vec<String> {
    std::fs::read_to_string(file(dir)).unwrap().lines().map(str::to_owned).collect()
}

fn put(dir: &Path, lines: &[String]) {
    std::fs::write(file(dir), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

fn broken_at(dir: &Path) -> (u64, Fault) {
    match verify(dir).unwrap_err() {
        Broken::Line { line, fault, .. } => (line, fault),
        other => panic!("{other}"),
    }
}

#[test]
fn a_ledger_is_read_back_as_it_was_written() {
    let (temp, ledger) = written();
    let verified = verify(temp.path()).unwrap();
    assert_eq!(verified.lines, 7);
    assert_eq!(verified.first, Some((1, EpochMs(START))));
    assert_eq!(verified.last, Some((7, EpochMs(START + 6_000))));
    assert_eq!((verified.head, verified.torn_bytes), (ledger.head(), 0));
    drop(ledger);
    let again = Ledger::open(temp.path()).unwrap();
    assert_eq!(again.head(), verified.head);
    again.append(EpochMs(START + 9_000), &Event::Started).unwrap();
    assert_eq!(verify(temp.path()).unwrap().lines, 8);
    let mode = std::fs::metadata(file(temp.path())).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_line_is_what_the_readme_says() {
    let (temp, ledger) = written();
    let last: serde_json::Value = serde_json::from_str(&lines(temp.path())[3]).unwrap();
    assert_eq!(last["n"], 4);
    assert_eq!(last["at"], "2025-11-24T16:00:03Z");
    assert_eq!(
        (&last["event"], &last["venue"], &last["rows"]),
        (&"purged".into(), &"mall".into(), &288.into())
    );
    let before: serde_json::Value = serde_json::from_str(&lines(temp.path())[2]).unwrap();
    assert_eq!(last["prev"], before["hash"]);
    assert_eq!(Head::hash_of_hex(&ledger.head().hex()), Some(ledger.head().hash));
    let first: serde_json::Value = serde_json::from_str(&lines(temp.path())[0]).unwrap();
    assert_eq!(first["prev"], "0".repeat(64));
}

#[test]
fn it_knows_when_a_venues_key_last_died_and_rows_last_went_though_it_is_opened_again() {
    let (temp, ledger) = written();
    let known = Facts {
        last_key_wiped: Some(EpochMs(START + 2_000)),
        last_purge: Some(EpochMs(START + 3_000)),
        keys: 0,
        destroyed: None,
    };
    assert_eq!(ledger.facts(&id("mall")), known);
    assert_eq!(ledger.facts(&id("museum")), Facts::default());
    ledger.append(EpochMs(START + 8_400), &Event::Destroyed { venue: id("mall") }).unwrap();
    drop(ledger);
    let ledger = Ledger::open(temp.path()).unwrap();
    assert_eq!(ledger.facts(&id("mall")), Facts { destroyed: Some(EpochMs(START + 8_000)), ..known });
    ledger.append(EpochMs(START + 9_000), &Event::CountedAnew { venue: id("mall") }).unwrap();
    assert_eq!(ledger.facts(&id("mall")), known);
}

#[test]
fn a_changed_byte_anywhere_breaks_the_chain_at_its_line() {
    let (temp, _) = written();
    let sound = std::fs::read(file(temp.path())).unwrap();
    let mut line = 1;
    for place in 0..sound.len() {
        if sound[place] == b'\n' {
            line += 1;
            continue;
        }
        let mut changed = sound.clone();
        changed[place] ^= 1;
        std::fs::write(file(temp.path()), &changed).unwrap();
        // A `prev` that was changed is found by the hash of its line, which rests on it.
        assert_eq!(broken_at(temp.path()).0, line, "byte {place}");
    }
}

#[test]
fn a_changed_line_with_its_hash_made_right_breaks_the_chain_after_it() {
    let (temp, _) = written();
    let mut lines = lines(temp.path());
    let before = Head { number: 3, hash: read_hash(&lines[2]) };
    let forged = Event::Purged { venue: id("mall"), rows: 0 };
    let (forged, _) = line::write(&before, EpochMs(START + 3_000), &forged).unwrap();
    lines[3] = String::from_utf8(forged).unwrap().trim_end().to_owned();
    put(temp.path(), &lines);
    assert_eq!(broken_at(temp.path()), (5, Fault::Unchained));
}

#[test]
fn removed_swapped_added_and_headless_lines_are_found() {
    let (temp, _) = written();
    let sound = lines(temp.path());
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = sound.clone();
        change(&mut lines);
        put(temp.path(), &lines);
        broken_at(temp.path())
    };
    assert_eq!(with(&|lines| drop(lines.remove(3))), (4, Fault::Unchained));
    assert_eq!(with(&|lines| lines.swap(2, 3)), (3, Fault::Unchained));
    assert_eq!(with(&|lines| lines.insert(3, sound[2].clone())), (4, Fault::Unchained));
    assert_eq!(with(&|lines| drop(lines.remove(0))), (1, Fault::NoBeginning));
    assert_eq!(with(&|lines| lines.insert(2, String::new())), (3, Fault::Unread));
    assert_eq!(with(&|lines| lines.insert(2, "x".repeat(5_000))), (3, Fault::Long));
    let error = Ledger::open(temp.path()).unwrap_err().to_string();
    assert!(error.contains("at line 3") && error.contains("move it away"), "{error}");
}

#[test]
fn an_end_cut_off_is_found_by_a_head_that_was_printed_before() {
    let (temp, ledger) = written();
    let (printed, all) = (ledger.head(), lines(temp.path()));
    assert!(verify_through(temp.path(), printed.hash).is_ok());
    ledger.append(EpochMs(START + 9_000), &Event::Started).unwrap();
    assert!(
        verify_through(temp.path(), printed.hash).is_ok(),
        "a later line does not take an earlier head away"
    );
    put(temp.path(), &all[..5]);
    assert!(verify(temp.path()).is_ok(), "in itself it is sound");
    let error = verify_through(temp.path(), printed.hash).unwrap_err().to_string();
    assert!(error.contains(&printed.hex()) && error.contains("line 5"), "{error}");
}

#[test]
fn a_ledger_written_anew_does_not_reach_the_old_head() {
    let (temp, ledger) = written();
    let printed = ledger.head();
    drop(ledger);
    std::fs::remove_file(file(temp.path())).unwrap();
    assert!(matches!(verify(temp.path()), Err(Broken::Missing { .. })));
    let ledger = Ledger::open(temp.path()).unwrap();
    for event in events() {
        ledger.append(EpochMs(START), &event).unwrap();
    }
    assert_eq!(verify(temp.path()).unwrap().lines, 7);
    assert!(matches!(verify_through(temp.path(), printed.hash), Err(Broken::Head { last: 7, .. })));
}

#[test]
fn a_line_that_a_crash_cut_short_is_set_aside_and_told_wherever_it_was_cut() {
    let (temp, _) = written();
    let sound = std::fs::read(file(temp.path())).unwrap();
    let before_last = sound[..sound.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for cut in before_last + 1..sound.len() {
        std::fs::write(file(temp.path()), &sound[..cut]).unwrap();
        let torn = (cut - before_last) as u64;
        assert_eq!(verify(temp.path()).unwrap().torn_bytes, torn);
        let ledger = Ledger::open(temp.path()).unwrap();
        assert_eq!(ledger.head().number, 6);
        ledger.append(EpochMs(START + 60_000), &Event::Started).unwrap();
        let told: serde_json::Value = serde_json::from_str(&lines(temp.path())[6]).unwrap();
        assert_eq!((&told["event"], &told["bytes"]), (&"torn".into(), &torn.into()));
        assert_eq!(verify(temp.path()).unwrap().lines, 8);
        let aside = std::fs::read(temp.path().join(TORN_NAME)).unwrap();
        assert!(aside.ends_with(&[&sound[before_last..cut], b"\n"].concat()));
    }
}

#[test]
fn a_full_file_is_put_aside_once_and_the_chain_goes_on() {
    let temp = tempfile::tempdir().unwrap();
    let mut printed = Vec::new();
    for number in 0..25 {
        // Opened anew for each, so that every place of the turn is one to begin at.
        let ledger = Ledger::open_tuned(temp.path(), 10).unwrap();
        printed.push(ledger.append(EpochMs(START + number), &Event::Started).unwrap());
    }
    // Two files were full; each new one began with a line of its own.
    let verified = verify(temp.path()).unwrap();
    assert_eq!((verified.first.unwrap().0, verified.head.number), (11, 27));
    assert!(verify_through(temp.path(), printed[24].hash).is_ok());
    assert!(verify_through(temp.path(), printed[12].hash).is_ok());
    assert!(verify_through(temp.path(), printed[2].hash).is_err(), "the first file had its time");
    // Between putting the old one aside and beginning the new one the power may go.
    std::fs::rename(file(temp.path()), temp.path().join(EARLIER_NAME)).unwrap();
    let ledger = Ledger::open_tuned(temp.path(), 10).unwrap();
    assert_eq!(ledger.append(EpochMs(START), &Event::Stopped).unwrap().number, 29);
    assert!(verify(temp.path()).is_ok());
}

#[test]
fn a_line_that_the_disk_did_not_take_leaves_nothing_behind() {
    let (temp, ledger) = written();
    // As a full disk would: a part of a longer line stands behind the last.
    let head = ledger.head();
    let mut bytes = std::fs::read(file(temp.path())).unwrap();
    bytes.extend([b'x'; 900]);
    std::fs::write(file(temp.path()), &bytes).unwrap();
    assert_eq!(ledger.append(EpochMs(START), &Event::Started).unwrap().number, head.number + 1);
    let verified = verify(temp.path()).unwrap();
    assert_eq!((verified.lines, verified.torn_bytes), (8, 0));
}

fn read_hash(line: &str) -> [u8; 32] {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    Head::hash_of_hex(line["hash"].as_str().unwrap()).unwrap()
}
