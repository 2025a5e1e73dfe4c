//! Guards: pages below a stack whose touch is a fault.

use std::ffi::c_void;
use std::io;

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
    // SAFETY: by the caller.
    unsafe { mprotect(at as *mut c_void, GUARD_SIZE, MprotectFlags::empty()) }?;
    Ok(GuardMode::Mprotect)
}
