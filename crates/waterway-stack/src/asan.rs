//! Tells AddressSanitizer of each switch, so that it knows which stack runs. Built with `--cfg waterway_asan` only, as `.ci/run`
//! does together with the sanitizer.
//!
//! # Invariants
//!
//! - I1: the sanitizer's runtime is linked in. `leave` is called on the stack that is left, right before the switch, `arrive` on
//!   the one that is come to, right after it.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::{null, null_mut};

unsafe extern "C" {
    fn __sanitizer_start_switch_fiber(save: *mut *mut c_void, bottom: *const c_void, size: usize);
    fn __sanitizer_finish_switch_fiber(
        save: *mut c_void,
        bottom: *mut *const c_void,
        size: *mut usize,
    );
}

/// Where a stack lies, and what the sanitizer keeps of it while another one runs.
#[derive(Debug)]
pub(crate) struct Bounds {
    range: Cell<(usize, usize)>,
    /// It is that of whichever thread leaves it.
    of_thread: bool,
    save: Cell<*mut c_void>,
}

impl Bounds {
    pub(crate) const fn of_thread() -> Bounds {
        Bounds {
            range: Cell::new((0, 0)),
            of_thread: true,
            save: Cell::new(null_mut()),
        }
    }

    pub(crate) fn of(range: Range<usize>) -> Bounds {
        Bounds {
            range: Cell::new((range.start, range.end)),
            of_thread: false,
            save: Cell::new(null_mut()),
        }
    }

    fn start(&self, save: *mut *mut c_void) {
        let (bottom, top) = self.range.get();
        // SAFETY: I1.
        unsafe { __sanitizer_start_switch_fiber(save, bottom as *const c_void, top - bottom) };
    }

    /// This stack is left for another.
    pub(crate) fn leave(&self, to: &Bounds) {
        if self.of_thread {
            self.range.set(thread_stack());
        }
        to.start(self.save.as_ptr());
    }

    /// The stack that runs has ended, and is left for this one.
    pub(crate) fn leave_for_good(&self) {
        self.start(null_mut());
    }

    /// This stack runs again.
    pub(crate) fn arrive(&self) {
        // SAFETY: I1; it asks for nothing.
        unsafe { __sanitizer_finish_switch_fiber(self.save.get(), null_mut(), null_mut()) };
    }
}

/// A new stack runs.
pub(crate) fn arrive_new() {
    // SAFETY: I1; it asks for nothing.
    unsafe { __sanitizer_finish_switch_fiber(null_mut(), null_mut(), null_mut()) };
}

/// Lowest and highest address of the calling thread's own stack.
fn thread_stack() -> (usize, usize) {
    let mut attr = MaybeUninit::uninit();
    let mut bottom = null::<c_void>().cast_mut();
    let mut size = 0;
    // SAFETY: writes what it is given; the attributes are destroyed once they have been read.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attr.as_mut_ptr()) == 0 {
            libc::pthread_attr_getstack(attr.as_ptr(), &mut bottom, &mut size);
            libc::pthread_attr_destroy(attr.as_mut_ptr());
        }
    }
    (bottom as usize, bottom as usize + size)
}
