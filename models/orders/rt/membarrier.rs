//! The kernel's fence for all threads: whoever calls waits until each of the others has passed one, wherever it was between two of its
//! accesses. Who sleeps, has not begun, or has ended, has
//! passed one by that.

use std::cell::{Cell, RefCell};

use loom::thread::{self, JoinHandle, ThreadId};

use crate::primitives::{Ordering, fence};

/// So that models come to it.
pub(crate) const WORTH: u32 = 1;

struct Seen {
    thread: ThreadId,
    /// Of so many calls.
    calls: usize,
    asleep: bool,
}

thread_local! {
    /// Loom's threads are one thread of the system's.
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static THREADS: RefCell<Vec<Seen>> = const { RefCell::new(Vec::new()) };
}

/// A run of a model begins.
pub(crate) fn prepare() {
    CALLS.set(0);
    THREADS.take();
}

pub(crate) fn register() -> bool {
    true
}

fn own<R>(f: impl FnOnce(&mut Seen) -> R) -> Option<R> {
    let me = thread::current().id();
    THREADS.with_borrow_mut(|all| all.iter_mut().find(|seen| seen.thread == me).map(f))
}

/// Before each access.
pub(crate) fn pass() {
    let calls = CALLS.get();
    if calls > 0 && own(|seen| std::mem::replace(&mut seen.calls, calls) < calls) == Some(true) {
        fence(Ordering::SeqCst);
    }
}

pub(crate) fn call() {
    fence(Ordering::SeqCst);
    let calls = CALLS.get() + 1;
    CALLS.set(calls);
    own(|seen| seen.calls = calls);
    while THREADS.with_borrow(|all| all.iter().any(|seen| !seen.asleep && seen.calls < calls)) {
        thread::yield_now();
    }
    fence(Ordering::SeqCst);
}

/// The calling thread counts from now on.
pub(crate) fn enter() {
    let seen = Seen {
        thread: thread::current().id(),
        calls: CALLS.get(),
        asleep: false,
    };
    THREADS.with_borrow_mut(|all| all.push(seen));
    fence(Ordering::SeqCst);
}

fn leave() {
    fence(Ordering::SeqCst);
    let me = thread::current().id();
    THREADS.with_borrow_mut(|all| all.retain(|seen| seen.thread != me));
}

/// Starts a thread that counts until it ends.
pub(crate) fn spawn<R: 'static>(f: impl FnOnce() -> R + 'static) -> JoinHandle<R> {
    thread::spawn(move || {
        enter();
        let result = f();
        leave();
        result
    })
}

/// Runs `f`, in which the thread may sleep: going to sleep is a fence, and nobody waits for it until it goes on.
pub(crate) fn asleep<R>(f: impl FnOnce() -> R) -> R {
    if own(|seen| seen.asleep = true).is_none() {
        return f();
    }
    fence(Ordering::SeqCst);
    let result = f();
    own(|seen| seen.asleep = false);
    pass();
    result
}

pub(crate) fn join<R>(thread: JoinHandle<R>) -> R {
    asleep(|| thread.join()).unwrap()
}
