//! Wakers of async tasks: user code that is called in the middle of things. Its caller may just have entered a queue
//! and not sleep yet, so that whatever a waker does must end in it.
//!
//! # Invariants
//!
//! - F1: a panic of a waker ends in [`wake`].
//! - F2: inside a waker nothing switches, and a blocking call there sleeps on a parker that no wait outside it uses. So
//!   a wake that comes for the caller is never taken for the waker's own, and a goroutine that has two waits under way
//!   is suspended by the outer one only.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

thread_local! {
    /// How many wakers this thread is inside, each counted as [`WAKER`]; and [`HOOK`] inside the panic hook.
    static INSIDE: Cell<usize> = const { Cell::new(0) };
}

const HOOK: usize = 1;
const WAKER: usize = 2;

/// How many wakers this thread is inside, one called by the other.
pub(super) fn depth() -> usize {
    INSIDE.get() / WAKER
}

/// True where nothing may switch: inside a waker, or the panic hook.
#[inline]
pub(super) fn running() -> bool {
    INSIDE.get() != 0
}

/// The panic hook begins, or is over.
pub(super) fn set_in_hook(inside: bool) {
    INSIDE.set(INSIDE.get() & !HOOK | if inside { HOOK } else { 0 });
}

/// Wakes a task. Never unwinds (F1).
pub(super) fn wake(waker: Waker) {
    INSIDE.set(INSIDE.get() + WAKER);
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake()))
        && let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload)))
    {
        // Its own drop might go on like this for ever.
        std::mem::forget(second);
    }
    INSIDE.set(INSIDE.get() - WAKER);
}
