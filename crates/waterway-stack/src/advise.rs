//! What the kernel is told of many ranges of addresses by one call.

use std::ffi::c_void;
use std::io;

/// So many at once.
pub(crate) const AT_ONCE: usize = 64;
/// "This process" instead of the descriptor of one. Linux 6.15.
const PIDFD_SELF: i32 = -10000;

/// Gives an advice on `len` bytes from each of the addresses, [`AT_ONCE`] at most. How many bytes it was taken for, in their order.
///
/// # Safety
///
/// As for `madvise` with that advice, of each range.
pub(crate) unsafe fn advise_all(
    starts: impl Iterator<Item = usize>,
    len: usize,
    advice: i32,
) -> io::Result<usize> {
    let none = libc::iovec {
        iov_base: std::ptr::null_mut(),
        iov_len: 0,
    };
    let mut ranges = [none; AT_ONCE];
    let mut count = 0;
    for (range, at) in ranges.iter_mut().zip(starts) {
        range.iov_base = at as *mut c_void;
        range.iov_len = len;
        count += 1;
    }
    // SAFETY: by the caller. A kernel that does not know the call, or not for this process, does nothing.
    let advised = unsafe {
        libc::syscall(
            libc::SYS_process_madvise,
            PIDFD_SELF,
            ranges.as_ptr(),
            count,
            advice,
            0,
        )
    };
    usize::try_from(advised).map_err(|_| io::Error::last_os_error())
}
