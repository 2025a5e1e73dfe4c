//! Guards: pages below a stack whose touch is a fault.

use std::ffi::c_void;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::mm::{MprotectFlags, mprotect};

use crate::advise::{AT_ONCE, advise_all};

/// Bytes of guard below each stack. More than a page: a frame of C code may step over one.
pub const GUARD_SIZE: usize = 64 << 10;

/// `MADV_GUARD_INSTALL`, Linux 6.13. It marks page-table entries, so a million guards need no mappings of their own.
const MADV_GUARD_INSTALL: i32 = 102;
/// The least unit of memory that the kernel takes advice on.
const PAGE: usize = 4096;

/// How guards are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardMode {
    /// `MADV_GUARD_INSTALL`, or `mprotect` where the kernel does not know it.
    Auto,
    /// `mprotect`, which splits the mapping: two mappings for each stack.
    Mprotect,
}

/// Mappings that stacks leave to the rest of the program: without any left the next allocation would end it.
const SPARE_MAPPINGS: usize = 4096;

/// Guards made by `mprotect`, in all pools. Each splits off two mappings.
static SPLITS: AtomicUsize = AtomicUsize::new(0);

/// How many there may be: `vm.max_map_count` allows for so many, or nobody knows.
fn most_splits() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| {
        let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok();
        let limit = limit.and_then(|text| text.trim().parse::<usize>().ok());
        limit.map_or(usize::MAX, |n| {
            n.saturating_sub(SPARE_MAPPINGS.min(n / 2)) / 2
        })
    })
}

/// A slab with so many guards made by `mprotect` is gone.
pub(crate) fn forget(splits: usize) {
    SPLITS.fetch_sub(splits, Ordering::Relaxed);
}

/// What became of the guards of some slots.
pub(crate) struct Installed {
    /// So many slots have their guard, the first.
    pub(crate) done: usize,
    /// So many of them by `mprotect`.
    pub(crate) splits: usize,
    /// What worked.
    pub(crate) mode: GuardMode,
    /// Why the others have none.
    pub(crate) error: Option<io::Error>,
}

/// Guards the first `GUARD_SIZE` bytes of each slot.
///
/// # Safety
///
/// The slots are mapped by the caller, page-aligned, and unused.
pub(crate) unsafe fn install_all(slots: &[usize], mode: GuardMode) -> Installed {
    let mut installed = Installed {
        done: 0,
        splits: 0,
        mode,
        error: None,
    };
    // SAFETY: by the caller.
    if mode == GuardMode::Auto && slots.len() > 1 && unsafe { install_at_once(slots) } {
        installed.done = slots.len();
        return installed;
    }
    for &at in slots {
        // SAFETY: by the caller.
        match unsafe { install(at, installed.mode) } {
            Ok(mode) => {
                installed.mode = mode;
                installed.done += 1;
                installed.splits += usize::from(mode == GuardMode::Mprotect);
            }
            Err(error) => {
                installed.error = Some(error);
                break;
            }
        }
    }
    installed
}

/// True if one call to the kernel has made all guards: two thirds of the time of one call for each. If not, some may be there.
///
/// # Safety
///
/// As [`install_all`].
unsafe fn install_at_once(slots: &[usize]) -> bool {
    static REFUSED: AtomicBool = AtomicBool::new(false);
    if REFUSED.load(Ordering::Relaxed) || slots.len() > AT_ONCE {
        return false;
    }
    // SAFETY: by the caller; the advice only makes the ranges fault.
    let advised = unsafe { advise_all(slots.iter().copied(), GUARD_SIZE, MADV_GUARD_INSTALL) };
    let all = advised.is_ok_and(|bytes| bytes == slots.len() * GUARD_SIZE);
    if !all {
        REFUSED.store(true, Ordering::Relaxed);
    }
    all
}

/// Has the kernel put memory under the last page of each of some slots of `size` bytes, whose stacks are used soon: three quarters of the time
/// of a fault for each. Where that is not to be had, the faults come.
///
/// # Safety
///
/// As [`install_all`].
pub(crate) unsafe fn populate(slots: &[usize], size: usize) {
    static REFUSED: AtomicBool = AtomicBool::new(false);
    if REFUSED.load(Ordering::Relaxed) || slots.len() < 2 || slots.len() > AT_ONCE {
        return;
    }
    let tops = slots.iter().map(|low| low + size - PAGE);
    // SAFETY: by the caller; the advice does what a store would, and changes no byte.
    if unsafe { advise_all(tops, PAGE, libc::MADV_POPULATE_WRITE) }.is_err() {
        REFUSED.store(true, Ordering::Relaxed);
    }
}

/// Guards the first `GUARD_SIZE` bytes of a slot. Gives the mode that worked.
///
/// # Safety
///
/// The range is mapped by the caller, page-aligned, and unused.
unsafe fn install(at: usize, mode: GuardMode) -> io::Result<GuardMode> {
    if mode == GuardMode::Auto {
        // SAFETY: by the caller; the advice only makes the range fault.
        if unsafe { libc::madvise(at as *mut c_void, GUARD_SIZE, MADV_GUARD_INSTALL) } == 0 {
            return Ok(GuardMode::Auto);
        }
        let error = io::Error::last_os_error();
        // Old kernels say EINVAL, some sandboxes ENOSYS.
        if !matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS)) {
            return Err(error);
        }
    }
    if SPLITS.fetch_add(1, Ordering::Relaxed) >= most_splits() {
        forget(1);
        return Err(io::Error::from(rustix::io::Errno::NOMEM));
    }
    // SAFETY: by the caller.
    let split = unsafe { mprotect(at as *mut c_void, GUARD_SIZE, MprotectFlags::empty()) };
    if let Err(error) = split {
        forget(1);
        return Err(error.into());
    }
    Ok(GuardMode::Mprotect)
}
