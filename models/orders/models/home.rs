//! A lock of what is one worker's own, as others come from afar.

use std::sync::Arc;

use super::Model;
use super::owned::Count;
use crate::rt::home_lock::HomeLock;
use crate::rt::membarrier::{enter, join, spawn};
use crate::rt::uneven::prepare;

pub(super) const MODELS: &[Model] = &[
    ("home_lock_one_comes", 3, || one_comes(prepare, || {})),
    ("home_lock_without_the_call", 3, || one_comes(|| {}, || {})),
    ("home_lock_as_the_kernel_gets_ready", 2, || {
        one_comes(|| {}, prepare);
    }),
    ("home_lock_two_come", 2, two_come),
    ("home_lock_of_a_worker_that_changes_threads", 2, moves),
];

type Shared = Arc<HomeLock<Count>>;

/// Adds one at home.
fn home(lock: &Shared) {
    // SAFETY: one thread at a time is the home, as loom checks.
    unsafe { lock.home(|count| count.add()) };
}

/// Adds one from afar, on a thread of its own.
fn comes(lock: &Shared) -> loom::thread::JoinHandle<()> {
    let lock = lock.clone();
    spawn(move || lock.afar(|count| count.add()))
}

fn total(lock: &Shared) -> usize {
    lock.afar(|count| count.get())
}

/// The home is at it as another comes.
fn one_comes(before: fn(), beside: fn()) {
    enter();
    before();
    let lock = Arc::new(HomeLock::new(Count::new()));
    let other = comes(&lock);
    beside();
    home(&lock);
    home(&lock);
    join(other);
    assert_eq!(total(&lock), 3);
}

/// Two who come at once.
fn two_come() {
    enter();
    prepare();
    let lock = Arc::new(HomeLock::new(Count::new()));
    let others = [comes(&lock), comes(&lock)];
    home(&lock);
    others.into_iter().for_each(join);
    assert_eq!(total(&lock), 3);
}

/// The home goes on in another thread.
fn moves() {
    enter();
    prepare();
    let lock = Arc::new(HomeLock::new(Count::new()));
    let other = comes(&lock);
    home(&lock);
    let new = lock.clone();
    let new = spawn(move || home(&new));
    join(other);
    join(new);
    assert_eq!(total(&lock), 3);
}
