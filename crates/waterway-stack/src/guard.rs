//! Guards: pages below a stack whose touch is a fault.

use std::ffi::c_void;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::mm::{MprotectFlags, mprotect};

/// Bytes of guard below each stack. More than a page: a frame of C code may step over one.
pub const GUARD_SIZE: usize = 64 << 10;

/// `MADV_GUARD_INSTALL`, Linux 6.13. It marks page-table entries, so a million guards need no mappings of their own.
const MADV_GUARD_INSTALL: i32 = 102;

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

/// Guards the first `GUARD_SIZE` bytes of a slot. Gives the mode that worked.
///
/// # Safety
///
/// The range is mapped by the caller, page-aligned, and unused.
pub(crate) unsafe fn install(at: usize, mode: GuardMode) -> io::Result<GuardMode> {
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
