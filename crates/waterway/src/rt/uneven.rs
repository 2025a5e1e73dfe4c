//! A fence in two uneven halves: next to nothing for who stores and then looks, a system call for who wants to be sure that
//! they see what he has stored.
//!
//! # Protocol
//!
//! Of two that each store and then look at what the other stores, one must see the other. With full fences that costs both
//! some 3 ns; here it costs the one who does it all the time a jump, and the other 0.5 to 1.5 us.
//!
//! ```text
//!   light (often)                                   heavy (seldom)
//!   1. word = value                                 1. flag = set
//!   2. looks at flag                                2. every thread of the process passes a full fence (membarrier)
//!                                                   3. looks at word
//! ```
//!
//! If 2 on the left came before the fence of 2 on the right on that thread, so did 1, and 3 sees it; else it sees the flag.
//!
//! *Until the kernel is ready* (asking takes it some 14 ms in a process with threads) both sides pass a full fence themselves. Who finds
//! it not ready on the right has set the flag before that; so who finds it ready on the left after that sees the flag (`READY` and
//! `flag` are sequentially consistent). Where the kernel knows no such call it stays so.
//!
//! Models (`models/`): `uneven_..` in `orders`, and `own_lock_..` there.

use std::os::unix::fs::MetadataExt;

use super::membarrier;
use crate::primitives::{AtomicBool, AtomicUsize, Ordering, compiler_fence, fence};

static READY: AtomicBool = AtomicBool::new(false);

/// Asks the kernel for the heavy half. Takes long if the process has threads.
pub(super) fn prepare() {
    if !READY.load(Ordering::Relaxed) && membarrier::register() {
        READY.store(true, Ordering::SeqCst);
    }
}

/// True if the calling thread is the process's only one, as far as can be told.
pub(super) fn alone() -> bool {
    // The directory's own two links, and one for each thread.
    std::fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() == 3)
}

/// True once the kernel is ready, and from then on.
pub(crate) fn is_ready() -> bool {
    READY.load(Ordering::SeqCst)
}

/// Stores `value`, releasing, and then looks at `flag`.
#[inline]
pub(crate) fn store_and_look(word: &AtomicUsize, value: usize, flag: &AtomicUsize) -> usize {
    if is_ready() {
        return store_and_look_ready(word, value, flag);
    }
    word.store(value, Ordering::Release);
    fence(Ordering::SeqCst);
    flag.load(Ordering::SeqCst)
}

/// As `store_and_look`, for who has seen that the kernel `is_ready`, where whoever sets the flag has seen it too.
#[inline]
pub(crate) fn store_and_look_ready(word: &AtomicUsize, value: usize, flag: &AtomicUsize) -> usize {
    word.store(value, Ordering::Release);
    compiler_fence(Ordering::SeqCst);
    flag.load(Ordering::SeqCst)
}

/// Sets `flag` to `state`. What the caller looks at now was stored before the flag is seen, by whoever does not see it.
pub(crate) fn set_for_all(flag: &AtomicUsize, state: usize) {
    flag.swap(state, Ordering::SeqCst);
    match READY.load(Ordering::SeqCst) {
        true => membarrier::call(),
        false => fence(Ordering::SeqCst),
    }
}
