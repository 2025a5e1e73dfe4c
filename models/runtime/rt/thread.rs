//! Threads and futexes. Whoever sleeps with a time-out wakes when chance wants it.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::primitives::{AtomicU32, Ordering};

thread_local! {
    static INTERNAL: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn mark_internal() {
    INTERNAL.set(true);
}

pub(crate) fn is_internal() -> bool {
    INTERNAL.get()
}

/// No thread of the kernel has such a number.
pub(crate) fn tid() -> u32 {
    1 << 30 | usize::from(shuttle::current::me()) as u32
}

/// Threads wait for nothing here.
pub(crate) fn epochs() -> u64 {
    0
}

/// A thread has had a CPU all the time, or none: by chance.
pub(crate) fn cpu_time(_tid: u32) -> u64 {
    if chance() { super::clock::clock() } else { 0 }
}

/// What a thread without a CPU does is as uncertain.
pub(crate) fn asleep_in_kernel(_tid: u32) -> Option<bool> {
    Some(chance())
}

pub(crate) fn chance() -> bool {
    shuttle::rand::Rng::r#gen::<bool>(&mut shuttle::rand::thread_rng())
}

/// Nobody waits behind it.
pub(crate) struct ClosedGate;

pub(crate) fn close_gate() -> ClosedGate {
    ClosedGate
}

/// Who sleeps, on which word. No switch happens while it is locked.
static ASLEEP: Mutex<Vec<(usize, shuttle::thread::Thread)>> = Mutex::new(Vec::new());

fn asleep<R>(f: impl FnOnce(&mut Vec<(usize, shuttle::thread::Thread)>) -> R) -> R {
    f(&mut ASLEEP.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A new run begins.
pub(crate) fn forget() {
    asleep(Vec::clear);
}

pub(crate) fn futex_wait(word: &AtomicU32, value: u32, timeout: Option<Duration>) {
    if timeout.is_some() {
        while word.load(Ordering::SeqCst) == value && chance() {
            shuttle::thread::yield_now();
        }
        return;
    }
    let (at, me) = (
        std::ptr::from_ref(word) as usize,
        shuttle::thread::current(),
    );
    let id = me.id();
    asleep(|all| all.push((at, me)));
    let there = || asleep(|all| all.iter().any(|(word, who)| *word == at && who.id() == id));
    if word.load(Ordering::SeqCst) != value {
        return asleep(|all| all.retain(|(word, who)| *word != at || who.id() != id));
    }
    while there() {
        shuttle::thread::park();
    }
}

/// All run on one here.
pub(crate) fn cpu() -> u32 {
    0
}

pub(crate) fn futex_wake(word: &AtomicU32) {
    let at = std::ptr::from_ref(word) as usize;
    let first = asleep(|all| {
        let first = all.iter().position(|(word, _)| *word == at)?;
        Some(all.remove(first).1)
    });
    if let Some(thread) = first {
        thread.unpark();
    }
}
