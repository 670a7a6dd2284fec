//! What keeps the process and its directory to itself.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use crate::memory::{self, Locked};

/// Nobody else on the machine may read this process's memory, a crash leaves no image of it, and none of it is swapped
/// where the system allows that.
pub(super) fn keep_memory_to_ourselves() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the process can be dumped; run it where prctl is allowed");
    }
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "a crash may leave an image of memory; set LimitCORE=0");
    }
    memory::lock();
}

/// How much of the process is locked in memory, in words that say what to do about it.
pub(super) fn locked() -> Result<&'static str, String> {
    match memory::locked() {
        Locked::Wholly => Ok("the whole process is locked in memory"),
        Locked::Keys { limit_bytes } => Err(format!(
            "the pages of keys are locked, and the rest of the process is not: the system allows {limit_bytes} bytes; set \
             LimitMEMLOCK=infinity (systemd) or ulimit -l unlimited"
        )),
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
    DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(what)?;
    let mut lock = File::options();
    lock.create(true).truncate(false).write(true).mode(0o600);
    let file = lock.open(dir.join("lock")).with_context(what)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        bail!(
            "the data directory {} is in use by another passant; stop it first, or give this one a directory of its own",
            dir.display()
        );
    }
    Ok(Held(file))
}

/// A panic says where it happened and never what it was about: its words may quote a payload.
pub(super) fn keep_panics_to_their_place() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        tracing::error!(
            place,
            "a part of the program stopped by a fault of its own; please report the place"
        );
    }));
}

/// Swap areas that are on, from the kernel's list; a key or a device may be written to one.
pub(super) fn swap_areas() -> Vec<String> {
    let list = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    list.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}
