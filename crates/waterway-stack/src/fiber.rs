//! The context switch: corosensei, wrapped whole.
//!
//! # Invariants
//!
//! - I1: the range of addresses given to [`Fiber::new`] is the fiber's alone until it has finished.
//! - I2: a fiber is resumed by one thread at a time, never while it runs.
//! - I3: a fiber that has begun and not finished is never dropped: that would unwind it, and free what others borrow.

use std::io::Write;
use std::mem::ManuallyDrop;

use corosensei::stack::{Stack, StackPointer};
use corosensei::{Coroutine, CoroutineResult, Yielder};

/// A part of a stack, as corosensei wants it.
struct Range {
    top: StackPointer,
    limit: StackPointer,
}

// SAFETY: I1, and what else `Fiber::new` asks for: mapped down to a guard, aligned, and larger than the minimum.
unsafe impl Stack for Range {
    fn base(&self) -> StackPointer {
        self.top
    }

    fn limit(&self) -> StackPointer {
        self.limit
    }
}

/// A function that runs on a stack of its own and can be suspended. It is not dropped before it has finished (I3): who
/// forgets one in between leaks its stack's contents.
pub struct Fiber(ManuallyDrop<Coroutine<(), (), (), Range>>);

/// The way out of a running fiber. Stays at its address while the fiber lives.
#[repr(transparent)]
pub struct Suspender(Yielder<(), ()>);

impl Suspender {
    /// Switches to whoever resumed the fiber. Comes back with the next `resume`.
    #[inline]
    pub fn suspend(&self) {
        self.0.suspend(());
    }
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

impl Fiber {
    /// Puts `f` at the top of a stack, to run with the first `resume`.
    ///
    /// # Safety
    ///
    /// `bottom..top` is writable memory above a guard, at least 8 KiB, `top` a multiple of 16, and the fiber's alone
    /// until it has finished (I1). What `f` borrows lives as long.
    #[inline]
    pub unsafe fn new<F: FnOnce(&Suspender)>(top: usize, bottom: usize, f: F) -> Fiber {
        // SAFETY: by the caller both lie in mapped memory, so neither is 0.
        let range = unsafe {
            Range {
                top: StackPointer::new_unchecked(top),
                limit: StackPointer::new_unchecked(bottom),
            }
        };
        let body = move |yielder: &Yielder<(), ()>, ()| {
            let no_unwind = NoUnwind;
            // SAFETY: `Suspender` is a transparent wrapper; the yielder stays where it is while the fiber lives.
            f(unsafe { &*std::ptr::from_ref(yielder).cast::<Suspender>() });
            std::mem::forget(no_unwind);
        };
        // SAFETY: I1 by the caller, and what the closure borrows lives until it has finished; I3: it is not dropped
        // before.
        Fiber(ManuallyDrop::new(unsafe {
            Coroutine::with_stack_unchecked(range, body)
        }))
    }

    /// Runs the fiber until it suspends (false) or has finished (true).
    ///
    /// # Panics
    ///
    /// If it has finished already.
    #[inline]
    pub fn resume(&mut self) -> bool {
        matches!(self.0.resume(()), CoroutineResult::Return(()))
    }
}
