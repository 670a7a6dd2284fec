//! Files that are overwritten before they are let go.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use passant_wire::Id;

use super::Error;

/// Zeros written at once.
static ZEROS: [u8; 64 * 1_024] = [0; 64 * 1_024];

/// The names of all files of a venue in a directory.
pub(super) fn names(dir: &Path, venue: &Id) -> Vec<String> {
    all(dir).filter(|name| is_of(name, venue)).collect()
}

fn all(dir: &Path) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}

/// Overwrites and removes the files of venues that are none of these. Returns how many.
pub(super) fn wipe_strangers(dir: &Path, venues: &[&Id]) -> Result<usize, Error> {
    let ours = |name: &String| [".vault", ".vault.new", ".key"].iter().any(|ending| name.ends_with(ending));
    let strangers = all(dir).filter(ours).filter(|name| !venues.iter().any(|venue| is_of(name, venue)));
    strangers.map(|name| wipe(&dir.join(name)).map(|()| 1)).sum()
}

/// An id may have dots in it, so what follows it must be read to the end.
fn is_of(name: &str, venue: &Id) -> bool {
    let Some(rest) = name.strip_prefix(venue.as_str()).and_then(|rest| rest.strip_prefix('.')) else {
        return false;
    };
    let number = rest.strip_suffix(".key");
    matches!(rest, "vault" | "vault.new")
        || number.is_some_and(|hex| hex.len() == 16 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Writes a new file, overwrites the old one with zeros, and gives the new one its name.
pub(super) fn replace(dir: &Path, venue: &Id, parts: &[&[u8]]) -> Result<(), Error> {
    let (new, old) = (dir.join(format!("{venue}.vault.new")), dir.join(format!("{venue}.vault")));
    // One that a crash or a full memory cut short.
    wipe(&new)?;
    let written = write(&new, parts).map_err(Error::io("writing", &new));
    if written.is_err() {
        wipe(&new)?;
    }
    written?;
    zero(&old)?;
    std::fs::rename(&new, &old).map_err(Error::io("renaming", &new))
}

/// Makes a file that only its owner can read.
pub(super) fn write(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    parts.iter().try_for_each(|part| file.write_all(part))?;
    file.sync_all()
}

/// The whole of a file; `None` when it cannot be read or is too long.
pub(super) fn read(path: &Path, bytes_max: u64) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    if length > bytes_max {
        return None;
    }
    // At its full length from the start, so that nothing is copied and left behind.
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// Overwrites and removes those files of a venue that are meant. Returns how many.
pub(super) fn wipe_all(dir: &Path, venue: &Id, meant: impl Fn(&str) -> bool) -> Result<usize, Error> {
    let mut wiped = 0;
    for name in names(dir, venue).iter().filter(|name| meant(name)) {
        wipe(&dir.join(name))?;
        wiped += 1;
    }
    Ok(wiped)
}

/// Overwrites a file and removes it; one that is not there is gone already.
pub(super) fn wipe(path: &Path) -> Result<(), Error> {
    zero(path)?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("removing", path)(error)),
        _ => Ok(()),
    }
}

/// Overwrites a file with zeros, at its length.
fn zero(path: &Path) -> Result<(), Error> {
    let file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("overwriting", path)(error)),
    };
    let zeros = || -> io::Result<()> {
        let length = file.metadata()?.len();
        for at in (0..length).step_by(ZEROS.len()) {
            let some = usize::try_from(length - at).unwrap_or(usize::MAX).min(ZEROS.len());
            file.write_all_at(&ZEROS[..some], at)?;
        }
        file.sync_data()
    };
    zeros().map_err(Error::io("overwriting", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_of_the_venue_whose_whole_id_it_names() {
        let (mall, dotted) = (Id::parse("mall").unwrap(), Id::parse("mall.vault").unwrap());
        for (name, of_mall, of_dotted) in [
            ("mall.vault", true, false),
            ("mall.vault.new", true, false),
            ("mall.0123456789abcdef.key", true, false),
            ("mall.vault.vault", false, true),
            ("mall.vault.0123456789abcdef.key", false, true),
            ("mall.key", false, false),
            ("mallet.vault", false, false),
        ] {
            assert_eq!((is_of(name, &mall), is_of(name, &dotted)), (of_mall, of_dotted), "{name}");
        }
    }

    #[test]
    fn a_file_is_zeros_before_it_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mall.vault");
        write(&path, &[&[7; 100_000]]).unwrap();
        let mut held = File::open(&path).unwrap();
        wipe(&path).unwrap();
        assert!(!path.exists());
        let mut left = Vec::new();
        held.read_to_end(&mut left).unwrap();
        assert_eq!(left, vec![0; 100_000]);
    }
}
