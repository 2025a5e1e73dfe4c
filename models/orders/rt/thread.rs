//! Futexes. The kernel looks at the word and lets the thread sleep in one step, and sees the newest value; it orders nothing.

use std::cell::RefCell;
use std::time::Duration;

use crate::primitives::AtomicU32;

thread_local! {
    /// Who sleeps, on which word.
    static ASLEEP: RefCell<Vec<(*const AtomicU32, loom::thread::Thread)>> = const { RefCell::new(Vec::new()) };
}

/// Who sleeps with a time-out is not woken: the time is over when the others have gone on.
pub(crate) fn futex_wait(word: &AtomicU32, value: u32, timeout: Option<Duration>) {
    // After it has given way, a thread does not see again what it saw before, if there is something newer.
    if word.newest() != value || timeout.is_some() {
        return loom::thread::yield_now();
    }
    let at = std::ptr::from_ref(word);
    ASLEEP.with_borrow_mut(|asleep| asleep.push((at, loom::thread::current())));
    loom::thread::park();
}

/// All run on one here.
pub(crate) fn cpu() -> u32 {
    0
}

pub(crate) fn futex_wake(word: &AtomicU32) {
    let at = std::ptr::from_ref(word);
    let first = ASLEEP.with_borrow_mut(|asleep| {
        let first = asleep.iter().position(|(other, _)| *other == at)?;
        Some(asleep.remove(first).1)
    });
    if let Some(thread) = first {
        thread.unpark();
    }
}

/// A model that failed may have left some.
pub(crate) fn forget() {
    ASLEEP.take();
}

/// Nobody has had a CPU.
pub(crate) fn cpu_time(_tid: u32) -> u64 {
    0
}
