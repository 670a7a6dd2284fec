#![doc = include_str!("README.md")]

mod page;

pub use page::{NoLock, Page};

use std::alloc::System;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use zeroize::Zeroize as _;
use zeroizing_alloc::ZeroAlloc;

/// Every block is zeroed as it is freed, here and in every program that this library is part of.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// Words of stack wiped at once. The deepest calls below a message or a key take a few KiB, and a build without
/// optimisation several times that.
const STACK_WORDS: usize = if cfg!(debug_assertions) { 8 * 1024 } else { 2 * 1024 };

/// The limit under which not all of the process is locked, bytes; 0 while all of it is.
static LIMIT_BYTES: AtomicU64 = AtomicU64::new(u64::MAX);

/// How much of the process is locked in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    /// All of it, now and later.
    Wholly,
    /// The pages of keys, for the system allows so many bytes and the process may need more.
    Keys {
        /// The limit, bytes.
        limit_bytes: u64,
    },
}

/// Locks the process in memory where the system allows it for good: with no limit, or with the capability to pass it.
/// Under a limit a later allocation would fail, and so only the pages of keys are locked there.
pub fn lock() {
    let limit = getrlimit(Resource::Memlock);
    let all = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    let done = match limit.current {
        None => mlockall(all).is_ok(),
        // Under a limit of nothing only the capability locks a page, so this tells whether it counts here.
        Some(_) => {
            let nothing = Rlimit { current: Some(0), ..limit };
            let done = setrlimit(Resource::Memlock, nothing).is_ok() && mlockall(all).is_ok();
            setrlimit(Resource::Memlock, limit).is_ok() && done
        }
    };
    let limit_bytes = limit.current.unwrap_or(u64::MAX);
    LIMIT_BYTES.store(if done { 0 } else { limit_bytes.max(1) }, Ordering::Relaxed);
}

/// How much of the process is locked.
#[must_use]
pub fn locked() -> Locked {
    match LIMIT_BYTES.load(Ordering::Relaxed) {
        0 => Locked::Wholly,
        limit_bytes => Locked::Keys { limit_bytes },
    }
}

/// Wipes the stack below the caller, where calls that have returned left their words. It goes to the same depth from
/// wherever it is called, so it is called where the call that handled a device or a key was.
#[inline(never)]
pub fn wipe_stack() {
    let mut words = [0u64; STACK_WORDS];
    words.zeroize();
    black_box(&mut words);
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;

    use super::*;

    /// Bytes of stack that are looked at.
    const BELOW_BYTES: usize = 8 * STACK_WORDS;
    /// A word that is nowhere else.
    const WORD: u64 = 0x5ec7_e7a4_c138_1122;

    /// Leaves a word all over a dead frame of half the depth that is wiped.
    #[inline(never)]
    fn leave(word: u64) -> u64 {
        let mut frame = [0u64; STACK_WORDS / 2];
        frame.fill(word);
        black_box(&mut frame)[0]
    }

    /// How often the word stands in the stack below a frame, read as a stranger would read it.
    fn found(below: usize) -> usize {
        let mut stack = vec![0; BELOW_BYTES];
        let memory = File::open("/proc/self/mem").unwrap();
        memory.read_exact_at(&mut stack, (below - BELOW_BYTES) as u64).unwrap();
        stack.as_chunks::<8>().0.iter().filter(|word| **word == WORD.to_ne_bytes()).count()
    }

    #[test]
    fn what_a_call_left_on_the_stack_is_wiped() {
        let here = 0u64;
        let place = std::ptr::from_ref(black_box(&here)).addr();
        leave(black_box(WORD));
        assert!(found(place) > 64, "a call that has returned leaves its words");
        wipe_stack();
        assert_eq!(found(place), 0);
    }
}
