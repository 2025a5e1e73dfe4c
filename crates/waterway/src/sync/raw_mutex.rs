//! A mutual exclusion lock without data: the word, and who waits.
//!
//! # The lock word
//!
//! | bits | meaning |
//! | --- | --- |
//! | 0 | `WAITERS`: the queue may not be empty. Changed under the queue's lock only |
//! | 1.. | who holds the lock: a goroutine's number, a thread's id, or `TASK`; 0 if nobody |
//!
//! Uncontended, `lock` and `unlock` are one compare-and-swap each. An unlocker with waiters wakes the first, who tries
//! again among newcomers; if it has waited for a millisecond the lock is handed to it instead, so nobody starves (Go's
//! rule). An async task is told instead, and keeps its place until it has the lock or gives up; one that was told and has
//! not been polled since is passed over by the next unlocker.
//!
//! # Invariants
//!
//! - R1: the slot of a node in the queue, unless a task's, is the `Claim` of its waiter, which stays until the waiter has left
//!   or been woken.

use std::cell::Cell;
use std::panic::Location;
use std::ptr::NonNull;

use super::lazy_core::address;
use crate::primitives::{AtomicUsize, Lock, Ordering};
use crate::rt::clock::clock;
use crate::rt::core_box::CoreBox;
use crate::wait::{
    Claimed, Limit, Node, Stand, Turn, Wait, WaitKey, WaitQueue, WaitReason, WaitsAt,
};

pub(super) const WAITERS: usize = 1;
/// The holder is an async task: which one, nobody knows.
const TASK: usize = 1 << 62;
/// Who has waited for so long, in nanoseconds, is handed the lock.
const STARVING: u64 = 1_000_000;

#[derive(Default)]
pub(super) struct Core {
    queue: Lock<WaitQueue>,
}

/// The side of a waiter that is no task: its node's slot points here.
struct Claim {
    who: usize,
    since: u64,
    /// Set under the queue's lock by who hands the lock over.
    handed: Cell<bool>,
}

/// Takes the lock if nobody holds it or waits for it.
#[inline]
pub(super) fn take_idle(core: &CoreBox<Core>, who: usize) -> bool {
    core.header
        .senders
        .compare_exchange(0, who, Ordering::Acquire, Ordering::Relaxed)
        .is_ok()
}

/// Takes the lock if nobody holds it, leaving the waiters' bit as it is.
#[inline]
pub(super) fn take_free(word: &AtomicUsize, who: usize) -> bool {
    let mut now = word.load(Ordering::Relaxed);
    while now & !WAITERS == 0 {
        match word.compare_exchange_weak(now, who | now, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(other) => now = other,
        }
    }
    false
}

pub(super) fn key(
    core: &CoreBox<Core>,
    reason: WaitReason,
    site: &'static Location<'static>,
) -> WaitKey {
    WaitKey {
        reason,
        object: address(core),
        site,
    }
}

/// True once the caller has the lock; false if the limit came first.
#[cold]
pub(super) fn lock_slow(core: &CoreBox<Core>, who: usize, limit: Limit<'_>, key: WaitKey) -> bool {
    let word = &core.header.senders;
    let claim = Claim {
        who,
        since: clock(),
        handed: Cell::new(false),
    };
    let mut again = false;
    loop {
        if take_free(word, who) {
            return true;
        }
        let queue = core.value.queue.lock();
        word.fetch_or(WAITERS, Ordering::Relaxed);
        if take_free(word, who) {
            settle(&queue, word);
            return true;
        }
        let mut wait = Wait::new(key, &claim).within(limit);
        wait.again = again;
        let served = wait.park(&core.value.queue, queue, |queue| {
            settle(queue, word);
            Vec::new()
        });
        if !served || claim.handed.get() {
            return served;
        }
        again = true;
    }
}

/// Takes the waiters' bit back if nobody waits. Under the queue's lock.
fn settle(queue: &WaitQueue, word: &AtomicUsize) {
    if queue.is_empty() {
        word.fetch_and(!WAITERS, Ordering::Relaxed);
    }
}

/// Unlocks where somebody may wait: whom to wake then.
#[cold]
pub(super) fn unlock_slow(core: &CoreBox<Core>) -> Option<Claimed> {
    let mut queue = core.value.queue.lock();
    let (first, woken) = next(&mut queue);
    let mut word = if queue.is_empty() { 0 } else { WAITERS };
    if let Some(node) = first {
        // SAFETY: R1: claimed, and not woken yet; tasks are not popped.
        let claim = unsafe { &*node.as_ref().slot().cast::<Claim>() };
        if clock() - claim.since > STARVING {
            claim.handed.set(true);
            word |= claim.who;
        }
    }
    // Only the holder clears the holder's bits, and the waiters' bit changes under this lock.
    core.header.senders.store(word, Ordering::Release);
    woken
}

/// Whom to wake when the lock is free: a goroutine or thread, taken out of the queue, or a task that stays in it.
fn next(queue: &mut WaitQueue) -> (Option<NonNull<Node>>, Option<Claimed>) {
    let mut told = None;
    let popped = queue.pop_claim_by(|node| match node.waiter().is_task() {
        false => Turn::Now,
        true => {
            told = node.tell();
            match told {
                Some(_) => Turn::Stop,
                None => Turn::Pass,
            }
        }
    });
    match popped {
        Some((node, claimed)) => (Some(node), Some(claimed)),
        None => (None, told),
    }
}

/// A task that waits for the lock.
pub(super) struct LockTask<'a>(pub(super) &'a CoreBox<Core>);

impl LockTask<'_> {
    /// Takes the lock if nobody holds it.
    pub(super) fn try_take(&self) -> bool {
        take_free(&self.0.header.senders, TASK)
    }
}

impl WaitsAt for LockTask<'_> {
    type State = WaitQueue;
    type Slot = ();

    fn lock(&self) -> &Lock<WaitQueue> {
        &self.0.value.queue
    }

    fn slot(&self) {}

    fn take(&self, queue: &mut WaitQueue, stand: &Stand<'_>, _: &mut Vec<Claimed>) -> bool {
        let word = &self.0.header.senders;
        word.fetch_or(WAITERS, Ordering::Relaxed);
        let taken = self.try_take();
        if taken {
            stand.leave(queue);
            settle(queue, word);
        }
        taken
    }

    fn left(&self, queue: &mut WaitQueue, told: bool) -> Vec<Claimed> {
        let word = &self.0.header.senders;
        // It was told that the lock is free. If it still is, the next is told; else its holder will see to that.
        let free = told && word.load(Ordering::Relaxed) & !WAITERS == 0;
        let woken = free.then(|| next(queue).1).flatten();
        settle(queue, word);
        Vec::from_iter(woken)
    }
}
