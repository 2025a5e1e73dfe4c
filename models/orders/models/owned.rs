//! Locks that one worker has made its own, and others come to; and the uneven fence below them.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread::JoinHandle;

use super::Model;
use crate::primitives::{AtomicUsize, Ordering};
use crate::rt::membarrier::{WORTH, enter, join, spawn};
use crate::rt::own_lock::{OwnGuard, OwnLock};
use crate::rt::uneven::{prepare, set_for_all, store_and_look};
use crate::rt::worker::become_worker;

pub(super) const MODELS: &[Model] = &[
    ("uneven_one_sees_the_other", 3, || meet(prepare, || {})),
    ("uneven_without_the_call", 3, || meet(|| {}, || {})),
    ("uneven_as_the_kernel_gets_ready", 3, || {
        meet(|| {}, prepare)
    }),
    ("own_lock_is_taken_away", 3, || taken_away(prepare, || {})),
    ("own_lock_without_the_call", 3, || taken_away(|| {}, || {})),
    ("own_lock_as_the_kernel_gets_ready", 2, || {
        taken_away(|| {}, prepare);
    }),
    ("own_lock_two_come", 2, two_come),
    ("own_lock_stays_everybodys", 3, stays),
    ("own_lock_becomes_own", 3, becomes_own),
    ("own_lock_of_threads", 2, of_threads),
    ("own_lock_of_a_worker_that_changes_threads", 2, moves),
];

/// Two workers, and who is none.
const ONE: usize = 4;
const OTHER: usize = 8;
const NONE: usize = 0;

/// Each stores and then looks at what the other stores; what was written before the light store is seen with it.
fn meet(before: fn(), beside: fn()) {
    static OFTEN: AtomicUsize = AtomicUsize::new(0);
    static SELDOM: AtomicUsize = AtomicUsize::new(0);
    enter();
    before();
    let written = Arc::new(Count::new());
    let light = written.clone();
    let light = spawn(move || {
        light.add();
        store_and_look(&OFTEN, 1, &SELDOM)
    });
    let asks = spawn(beside);
    set_for_all(&SELDOM, 1);
    let seen = OFTEN.load(Ordering::Acquire);
    if seen == 1 {
        assert_eq!(written.get(), 1);
    }
    join(asks);
    assert!(join(light) == 1 || seen == 1, "one sees the other");
}

/// What is guarded: loom checks that nobody else is at it.
pub(super) struct Count {
    number: UnsafeCell<usize>,
    /// Looked at between, so that who guards it can be put aside and pass a fence there.
    other: AtomicUsize,
}

// SAFETY: as said.
unsafe impl Sync for Count {}

impl Count {
    pub(super) fn new() -> Count {
        Count {
            number: UnsafeCell::new(0),
            other: AtomicUsize::new(0),
        }
    }

    pub(super) fn add(&self) {
        let _ = self.other.load(Ordering::Relaxed);
        // SAFETY: loom checks it.
        self.number.with_mut(|at| unsafe { *at += 1 });
    }

    pub(super) fn get(&self) -> usize {
        // SAFETY: as above.
        self.number.with(|at| unsafe { *at })
    }
}

type Shared = Arc<OwnLock<Count>>;

fn take(lock: &Shared) -> OwnGuard<'_, Count> {
    lock.lock_own().unwrap_or_else(|| lock.lock_shared())
}

fn add(lock: &Shared) {
    take(lock).add();
}

fn total(lock: &Shared) -> usize {
    take(lock).get()
}

fn lock() -> Shared {
    Arc::new(OwnLock::new(Count::new()))
}

/// One that the calling thread has made its own, as `ONE`. Nothing was counted yet.
fn owned() -> Shared {
    let lock = lock();
    become_worker(ONE);
    for _ in 0..=WORTH {
        drop(take(&lock));
    }
    lock
}

/// A thread that is `mark` and adds so many times.
fn adds(lock: &Shared, mark: usize, times: usize) -> JoinHandle<()> {
    let lock = lock.clone();
    spawn(move || {
        become_worker(mark);
        (0..times).for_each(|_| add(&lock));
    })
}

/// The owner is at it as another comes.
fn taken_away(before: fn(), beside: fn()) {
    enter();
    before();
    let lock = owned();
    let other = adds(&lock, OTHER, 1);
    beside();
    add(&lock);
    add(&lock);
    join(other);
    assert_eq!(total(&lock), 3);
}

/// Two who come at once: one takes it away, and the other waits for that too.
fn two_come() {
    enter();
    prepare();
    let lock = owned();
    let (other, none) = (adds(&lock, OTHER, 1), adds(&lock, NONE, 1));
    add(&lock);
    join(other);
    join(none);
    assert_eq!(total(&lock), 3);
}

/// Another takes it as often as would make it that one's own, while the owner is late: it does not become own again.
fn stays() {
    enter();
    prepare();
    let lock = owned();
    let times = WORTH as usize + 3;
    let other = adds(&lock, OTHER, times);
    add(&lock);
    join(other);
    assert_eq!(total(&lock), times + 1);
}

/// Another is in the lock as it becomes somebody's own.
fn becomes_own() {
    enter();
    prepare();
    let lock = lock();
    let other = adds(&lock, OTHER, 1);
    become_worker(ONE);
    (0..WORTH + 2).for_each(|_| add(&lock));
    join(other);
    assert_eq!(total(&lock), WORTH as usize + 3);
}

/// Those who are no workers are not told apart: it becomes nobody's own.
fn of_threads() {
    enter();
    prepare();
    let lock = lock();
    let other = adds(&lock, NONE, 2);
    become_worker(NONE);
    (0..WORTH + 2).for_each(|_| add(&lock));
    join(other);
    assert_eq!(total(&lock), WORTH as usize + 4);
}

/// The owner goes on in another thread.
fn moves() {
    enter();
    prepare();
    let lock = owned();
    let other = adds(&lock, OTHER, 1);
    add(&lock);
    become_worker(NONE);
    let new = adds(&lock, ONE, 2);
    join(other);
    join(new);
    assert_eq!(total(&lock), 4);
}
