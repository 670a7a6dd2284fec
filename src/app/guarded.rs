//! What keeps the process and its directory to itself.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Nobody else on the machine may read this process's memory, and a crash leaves no image of it.
pub(super) fn keep_memory_to_ourselves() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the process can be dumped; run it where prctl is allowed");
    }
}

/// Holds a data directory for one program at a time, until it is dropped.
#[derive(Debug)]
pub(super) struct Held(#[expect(dead_code, reason = "it is held for its lock")] File);

/// Takes the lock of a data directory, which is made if it is not there.
///
/// # Errors
/// When another program holds it, or the directory cannot be made.
pub(super) fn hold(dir: &Path) -> Result<Held> {
    let what = || format!("opening the data directory {}", dir.display());
    std::fs::create_dir_all(dir).with_context(what)?;
    let file =
        File::options().create(true).truncate(false).write(true).open(dir.join("lock")).with_context(what)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        bail!(
            "the data directory {} is in use by another passant; stop it first, or give this one a directory of its own",
            dir.display()
        );
    }
    Ok(Held(file))
}

/// Swap areas that are on, from the kernel's list; a key or a device may be written to one.
pub(super) fn swap_areas() -> Vec<String> {
    let list = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    list.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}
