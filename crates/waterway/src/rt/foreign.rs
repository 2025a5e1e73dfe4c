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

use super::hook;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// How many wakers this thread is inside, one called by the other.
#[inline]
pub(super) fn depth() -> usize {
    DEPTH.get()
}

/// True where nothing may switch: inside a waker, or the panic hook.
#[inline]
pub(super) fn running() -> bool {
    depth() != 0 || hook::running()
}

/// Wakes a task. Never unwinds (F1).
pub(super) fn wake(waker: Waker) {
    DEPTH.set(depth() + 1);
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake()))
        && let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload)))
    {
        // Its own drop might go on like this for ever.
        std::mem::forget(second);
    }
    DEPTH.set(depth() - 1);
}
