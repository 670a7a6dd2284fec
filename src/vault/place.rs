//! Whether a directory is in memory, and nobody else's.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::Error;

/// What Linux calls a tmpfs, which may be swapped out, and a ramfs, which may not.
const TMPFS: u64 = 0x0102_1994;
const RAMFS: u64 = 0x8584_58f6;
/// Where Linux tells which start of the machine this is.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// Makes the directory if it is not there; what it lies in must be.
pub(super) fn make(dir: &Path) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(Error::io("making the vault", dir)(error))
        }
        _ => Ok(()),
    }
}

/// Looks whether a directory may hold a vault, or whether one that is still to be made may, by the directory that is there
/// already. `swap` names the swap areas that are on.
///
/// # Errors
/// When it is on a disk, on a tmpfs while swap is on, open to others, or not there.
pub fn look(there: &Path, dir: &Path, swap: &[String]) -> Result<(), Error> {
    let found =
        rustix::fs::statfs(there).map_err(|error| Error::io("looking at the vault", there)(error.into()))?;
    let kind = found.f_type as u64 & 0xffff_ffff;
    match kind {
        RAMFS => {}
        TMPFS if swap.is_empty() => {}
        TMPFS => return Err(Error::Swap { dir: dir.into(), areas: swap.join(", ") }),
        _ => return Err(Error::OnDisk { dir: dir.into(), kind: format!("a file system of type {kind:#x}") }),
    }
    if there != dir {
        return Ok(());
    }
    let of = std::fs::symlink_metadata(dir).map_err(Error::io("looking at the vault", dir))?;
    let ours = of.uid() == rustix::process::geteuid().as_raw();
    if !of.is_dir() || !ours || of.permissions().mode() & 0o077 != 0 {
        return Err(Error::Open { dir: dir.into() });
    }
    Ok(())
}

/// Which start of the machine this is.
pub(super) fn boot() -> Result<[u8; 16], Error> {
    let path = Path::new(BOOT);
    let told = std::fs::read_to_string(path).map_err(Error::io("reading the machine's start from", path))?;
    let hash = blake3::hash(told.trim().as_bytes());
    Ok(*hash.as_bytes().first_chunk::<16>().unwrap_or(&[0; 16]))
}
