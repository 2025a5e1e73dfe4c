//! Functions on stacks of their own, between which a thread switches.
//!
//! # Invariants
//!
//! - I1: the range of addresses given to [`Fiber::new`] is the fiber's alone until it has finished.
//! - I2: a fiber is used by one thread at a time, and switched to while it does not run and has not finished.
//! - I3: `left` is what `switch` or `enter` wrote when the fiber was left last (`switch` I1), or of a new one where its closure
//!   lies.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(waterway_asan)]
use super::asan::Bounds;
use super::switch::{Start, enter, switch};

/// A function that runs on a stack of its own and can be left and come back to; or what a thread ran on first. Dropping one
/// that has begun and not finished leaks what is on its stack: it is never unwound.
#[derive(Debug)]
#[repr(C)]
pub struct Fiber {
    left: AtomicUsize,
    start: Start,
    #[cfg(waterway_asan)]
    bounds: Bounds,
}

/// Ends the process if it is dropped: by a panic that reached the bottom of a fiber.
struct NoUnwind;

impl Drop for NoUnwind {
    fn drop(&mut self) {
        // Not `eprintln!`, which panics where nobody reads.
        let text = "waterway: a panic reached the bottom of a goroutine's stack";
        let _ = writeln!(std::io::stderr(), "{text}");
        std::process::abort();
    }
}

/// Runs the closure at `at`, on its own stack.
unsafe extern "C" fn run<F: FnOnce() -> *const Fiber>(at: *mut ()) -> *mut usize {
    let no_unwind = NoUnwind;
    #[cfg(waterway_asan)]
    super::asan::arrive_new();
    // SAFETY: `Fiber::new` wrote it there, and this runs once (I2).
    let next = unsafe { at.cast::<F>().read() }();
    std::mem::forget(no_unwind);
    // SAFETY: by who made the closure: a fiber that waits to be switched to.
    let next = unsafe { &*next };
    #[cfg(waterway_asan)]
    next.bounds.leave_for_good();
    next.left.as_ptr()
}

unsafe extern "C" fn nothing(_: *mut ()) -> *mut usize {
    unreachable!("a thread's own stack has begun")
}

impl Fiber {
    /// For what the calling thread runs on: it can be left for another fiber, and come back to.
    pub const fn of_thread() -> Fiber {
        Fiber {
            left: AtomicUsize::new(0),
            start: nothing,
            #[cfg(waterway_asan)]
            bounds: Bounds::of_thread(),
        }
    }

    /// Puts `f` at the top of a stack, to run when it is [entered](Self::enter). It gives the fiber that goes on when it has
    /// finished.
    ///
    /// # Safety
    ///
    /// `bottom..top` is writable memory above a guard, at least 8 KiB, and the fiber's alone until it has finished (I1). What
    /// `f` borrows lives as long. The fiber that it gives may be switched to then.
    #[inline]
    pub unsafe fn new<F: FnOnce() -> *const Fiber>(top: usize, bottom: usize, f: F) -> Fiber {
        let align = align_of::<F>().max(16);
        let at = (top - size_of::<F>()) & !(align - 1);
        debug_assert!(at - bottom >= 4096, "no stack for a fiber");
        // SAFETY: by the caller; aligned as it must be.
        unsafe { (at as *mut F).write(f) };
        Fiber {
            left: AtomicUsize::new(at),
            start: run::<F>,
            #[cfg(waterway_asan)]
            bounds: Bounds::of(bottom..top),
        }
    }

    /// Where the stack of a fiber that was left ends; nothing while it runs. What lies there is as it was left as long as this stays the
    /// same, and the fiber has not run meanwhile. (Of a fiber that was not entered yet it is the address of its closure.)
    #[inline]
    pub fn left_at(&self) -> Option<usize> {
        let left = self.left.load(Ordering::Acquire);
        (left != 0).then_some(left)
    }

    /// Has the processor fetch what [`switch`](Self::switch) will take from the stack of a fiber that was left, while the caller does
    /// something else.
    #[inline]
    pub fn fetch(&self) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let left = self.left.load(Ordering::Relaxed) as *const i8;
            // What is saved, and where the functions that were left go on.
            for at in [left, left.wrapping_add(64)] {
                // SAFETY: a hint, for whatever address.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at) };
            }
        }
    }

    /// Leaves `self`, which runs, for a new fiber. Comes back when somebody switches to `self`.
    ///
    /// # Safety
    ///
    /// `self` is what the calling thread runs on, and `new` has not been entered.
    #[inline]
    pub unsafe fn enter(&self, new: &Fiber) {
        #[cfg(waterway_asan)]
        self.bounds.leave(&new.bounds);
        let top = new.left.load(Ordering::Relaxed);
        new.left.store(0, Ordering::Relaxed);
        // SAFETY: I1, I3.
        unsafe { enter(self.left.as_ptr(), top, new.start) };
        #[cfg(waterway_asan)]
        self.bounds.arrive();
    }

    /// Leaves `self`, which runs, for one that was left. Comes back when somebody switches to `self`.
    ///
    /// # Safety
    ///
    /// `self` is what the calling thread runs on; `to` was left on this thread, or by one that has handed it over, and has not
    /// been come back to (I2).
    #[inline(always)]
    pub unsafe fn switch(&self, to: &Fiber) {
        #[cfg(waterway_asan)]
        self.bounds.leave(&to.bounds);
        // SAFETY: I3, by the caller.
        unsafe { switch(self.left.as_ptr(), to.left.as_ptr()) };
        #[cfg(waterway_asan)]
        self.bounds.arrive();
    }
}
