use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;

use static_assertions::assert_not_impl_any;

use super::*;

assert_not_impl_any!(SealKey: Clone, std::fmt::Debug, serde::Serialize, PartialEq);
assert_not_impl_any!(Strongbox: Clone, std::fmt::Debug, serde::Serialize);

const HOUR_MS: i64 = 3_600_000;
const DAY: Window = Window { from: EpochMs(0), to: EpochMs(24 * HOUR_MS) };
const NEXT: Window = Window { from: EpochMs(24 * HOUR_MS), to: EpochMs(48 * HOUR_MS) };
const TERMS: Terms = Terms { layout: 1, made_under: [7; 32] };
/// A key and a pseudonym, as a state holds them.
const KEY: [u8; 32] = *b"a key of thirty-two bytes, you'd";
const PSEUDONYM: u64 = 0xfeed_face_cafe_beef;

fn memory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("vault-test-").tempdir_in("/dev/shm").unwrap()
}

fn vault(dir: &tempfile::TempDir) -> Vault {
    Vault::open(&dir.path().join("vault"), &[]).unwrap()
}

fn mall() -> Id {
    Id::parse("mall").unwrap()
}

fn when(hours: i64) -> When {
    When { wall: EpochMs(hours * HOUR_MS), steady: SteadyMs((100 + hours) * HOUR_MS) }
}

fn state(strongbox: &Strongbox) -> Sealing {
    let mut sealing = strongbox.sealing();
    sealing.put_key(&KEY);
    sealing.put(&PSEUDONYM);
    sealing
}

/// A strongbox that keeps a state of three o'clock.
fn kept(vault: &Vault) -> Strongbox {
    let mut strongbox = vault.strongbox(mall(), TERMS);
    strongbox.keep(state(&strongbox), DAY, when(3)).unwrap();
    strongbox
}

fn take_out(vault: &Vault, now: When) -> Result<Taken, Gone> {
    vault.strongbox(mall(), TERMS).take_out(now)
}

fn refused(taken: Result<Taken, Gone>) -> Gone {
    taken.err().expect("nothing comes out")
}

fn files(vault: &Vault) -> Vec<PathBuf> {
    std::fs::read_dir(&vault.dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Every file of it, held open.
fn held(vault: &Vault) -> Vec<File> {
    files(vault).iter().map(|path| File::open(path).unwrap()).collect()
}

fn assert_zeros(held: Vec<File>) {
    assert!(!held.is_empty());
    for mut file in held {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert!(bytes.len() >= 32 && bytes.iter().all(|byte| *byte == 0), "{} bytes are left", bytes.len());
    }
}

#[test]
fn what_was_kept_last_comes_out_once_more() {
    let dir = memory();
    let vault = vault(&dir);
    let mut strongbox = kept(&vault);
    let mut second = strongbox.sealing();
    second.put(&4_u8);
    strongbox.keep(second, DAY, when(4)).unwrap();
    let mut taken = take_out(&vault, when(5)).unwrap_or_else(|gone| panic!("{gone}"));
    assert_eq!((taken.sealed, taken.state.take()), (when(4), Ok(4_u8)));
    assert!(taken.state.is_empty());
    for path in files(&vault) {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    assert_eq!(vault.dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn nothing_in_a_file_is_in_clear() {
    let dir = memory();
    let vault = vault(&dir);
    let strongbox = kept(&vault);
    let clear = state(&strongbox).into_clear_bytes().unwrap();
    let mut number = Sealing::with_room(0);
    number.put(&PSEUDONYM);
    let number = number.into_clear_bytes().unwrap();
    let holds = |bytes: &[u8], needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
    let needles = [&KEY[..8], &number, &PSEUDONYM.to_le_bytes(), &PSEUDONYM.to_be_bytes()];
    assert!(
        holds(&clear, needles[0]) && holds(&clear, needles[1]),
        "the needles are looked for as they would stand"
    );
    for path in files(&vault) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(needles.iter().all(|needle| !holds(&bytes, needle)), "{}", path.display());
    }
}

#[test]
fn a_state_that_is_replaced_is_zeros_before_it_is_gone() {
    let dir = memory();
    let vault = vault(&dir);
    let mut strongbox = kept(&vault);
    let state_of = |vault: &Vault| File::open(vault.dir.join("mall.vault")).unwrap();
    let before = state_of(&vault);
    strongbox.keep(state(&strongbox), DAY, when(4)).unwrap();
    assert_zeros(vec![before]);
    // With the day the sealing key goes as well.
    let before = held(&vault);
    assert_eq!(before.len(), 2, "a state and its key");
    strongbox.keep(state(&strongbox), NEXT, when(24)).unwrap();
    assert_zeros(before);
    assert_eq!(files(&vault).len(), 2);
    let before = held(&vault);
    strongbox.wipe();
    assert_zeros(before);
    assert_eq!(files(&vault), [] as [PathBuf; 0]);
}

#[test]
fn what_may_not_go_on_is_refused_and_wiped() {
    let set_back = When { wall: EpochMs(2 * HOUR_MS), ..when(4) };
    let day_by_day = When { wall: EpochMs(4 * HOUR_MS), ..when(27) };
    let earlier_machine = When { steady: SteadyMs(1), ..when(4) };
    let other = |terms: Terms, now: When, expected: Gone| {
        let dir = memory();
        let vault = vault(&dir);
        drop(kept(&vault));
        let before = held(&vault);
        assert_eq!(refused(vault.strongbox(mall(), terms).take_out(now)), expected);
        assert_zeros(before);
        assert_eq!(files(&vault), [] as [PathBuf; 0], "{expected:?}");
    };
    other(Terms { made_under: [8; 32], ..TERMS }, when(4), Gone::Terms);
    other(Terms { layout: 2, ..TERMS }, when(4), Gone::Layout);
    other(TERMS, set_back, Gone::Clock);
    other(TERMS, earlier_machine, Gone::Clock);
    other(TERMS, day_by_day, Gone::Over);
    other(TERMS, When { wall: DAY.to.plus_secs(CROWD_LATENESS_SECS), ..when(23) }, Gone::Over);
}

#[test]
fn a_file_that_is_torn_or_changed_or_without_its_key_does_not_open() {
    let whole = {
        let dir = memory();
        let vault = vault(&dir);
        drop(kept(&vault));
        std::fs::read(vault.dir.join("mall.vault")).unwrap().len()
    };
    let faults: [&dyn Fn(&Path); 5] = [
        &|path| File::options().write(true).open(path).unwrap().set_len(whole as u64 - 1).unwrap(),
        &|path| File::options().write(true).open(path).unwrap().set_len(20).unwrap(),
        &|path| flip(path, HEADER_BYTES - 1),
        &|path| flip(path, HEADER_BYTES),
        &|path| {
            let key = std::fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
            let key = key.filter(|path| path.extension().is_some_and(|ending| ending == "key"));
            key.for_each(|path| std::fs::remove_file(path).unwrap());
        },
    ];
    for (number, fault) in faults.iter().enumerate() {
        let dir = memory();
        let vault = vault(&dir);
        drop(kept(&vault));
        fault(&vault.dir.join("mall.vault"));
        assert_eq!(refused(take_out(&vault, when(4))), Gone::Broken, "fault {number}");
        assert_eq!(files(&vault), [] as [PathBuf; 0]);
        assert_eq!(refused(take_out(&vault, when(4))), Gone::Nothing);
    }
}

fn flip(path: &Path, place: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[place] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_crash_between_two_states_loses_neither() {
    let dir = memory();
    let vault = vault(&dir);
    drop(kept(&vault));
    let (old, new) = (vault.dir.join("mall.vault"), vault.dir.join("mall.vault.new"));
    // The new one was cut short, and the old one stands.
    std::fs::write(&new, [1, 2, 3]).unwrap();
    assert!(take_out(&vault, when(4)).is_ok());
    // The old one was overwritten, and the new one had no name yet.
    std::fs::rename(&old, &new).unwrap();
    std::fs::write(&old, [0; 300]).unwrap();
    assert!(take_out(&vault, when(4)).is_ok());
}

#[test]
fn only_memory_of_our_own_holds_a_vault() {
    let proc = Path::new("/proc");
    assert!(matches!(look(proc, proc, &[]), Err(Error::OnDisk { .. })));
    let dir = memory();
    let ours = vault(&dir).dir;
    let swap = look(&ours, &ours, &["/dev/sda2".to_owned()]).unwrap_err().to_string();
    assert!(swap.contains("/dev/sda2") && swap.contains("swapoff"), "{swap}");
    std::fs::set_permissions(&ours, std::fs::Permissions::from_mode(0o750)).unwrap();
    let open = Vault::open(&ours, &[]).unwrap_err().to_string();
    assert!(open.contains("chmod 700"), "{open}");
    let on_disk = look(proc, Path::new("/var/lib/passant"), &[]).unwrap_err().to_string();
    assert!(on_disk.contains("/var/lib/passant") && on_disk.contains("[vault] dir"), "{on_disk}");
}

#[test]
fn a_venue_that_is_not_configured_leaves_nothing() {
    let dir = memory();
    let vault = vault(&dir);
    drop(kept(&vault));
    let museum = Id::parse("museum").unwrap();
    assert_eq!(vault.wipe_others(&[&mall(), &museum]).unwrap(), 0);
    assert_eq!(files_of(&vault.dir, &mall()), 2);
    assert_eq!(vault.wipe_others(&[&museum]).unwrap(), 2);
    assert_eq!(files_of(&vault.dir, &mall()), 0);
}
