//! A mutual exclusion lock without data: the word, and who waits.
//!
//! # Two words
//!
//! | word | meaning |
//! | --- | --- |
//! | `senders`, the lock word | twice the number of who holds the lock: a goroutine's, a thread's id, or `TASK`; 0 if nobody. One more (`HEIR`) for one that was handed it and has not come yet |
//! | `receivers`, the flag | `DOWN`, `UP`: who unlocks is to see to those in the queue; or `COMING`. Set under the queue's lock only |
//!
//! Uncontended, `lock` is one compare-and-swap, and `unlock` a store between two looks at the flag. What would need a full fence
//! there, that nobody comes to wait between the second look and the store, is the matter of who comes (`rt::uneven`): he sets the flag
//! for all before he tries for the last time.
//!
//! An unlocker who finds the flag wakes the first in line, who tries again among newcomers; if it has waited for a millisecond
//! the lock is handed to it instead, so nobody starves (Go's rule). While one that was woken is `COMING` nobody else is woken,
//! and that one sees to the others when it has come; but it may live on a busy worker, so every `PASSES` unlocks it is asked whether the
//! next has waited for a millisecond. If it lives on a held worker, those behind it go on without it: it is passed over, where
//! that is known, and else a timer looks after the line (`reminder`), and takes back what was handed. An async task is told instead, and keeps its place until it has the lock or gives up; one that
//! was told and has not been polled since is passed over by the next unlocker.
//!
//! # Who finds it taken
//!
//! Most locks are held for less time than it takes to park. So who finds it taken looks for a moment whether it becomes free, as does who was
//! woken; but where there is one worker only, for the holder could not run meanwhile. Newcomers may be faster than one that was woken all the same: where one
//! takes the lock again and again, each unlock would wake somebody for nothing. So it rests in line, by a timer of its own and longer each time, and is `COMING` all the
//! while: nobody else is woken before it has tried once more, or starves.
//!
//! # Invariants
//!
//! - R1: the slot of a node in the queue, unless a task's, is the `Claim` of its waiter, which stays until the waiter has left
//!   or been woken.
//! - R2: while the flag is `COMING` the reminder is set: whoever is to come may live on a worker that is held meanwhile.

use std::cell::Cell;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::lazy_core::address;
use super::reminder::Reminder;
use super::soon::soon;
use crate::primitives::{AtomicU32, AtomicUsize, Lock, OnceLock, Ordering, first_rest};
use crate::rt::clock::clock;
use crate::rt::core_box::CoreBox;
use crate::rt::uneven::{set_for_all, store_and_look};
use crate::wait::{
    Claimed, Limit, Node, Stand, Turn, Wait, WaitKey, WaitQueue, WaitReason, WaitsAt,
};

/// The holder is an async task: which one, nobody knows.
const TASK: usize = 1 << 62;
/// Whom the word names has been handed the lock, and has not come yet.
const HEIR: usize = 1;
/// Who has waited for so long, in nanoseconds, is handed the lock.
const STARVING: u64 = 1_000_000;
/// Nobody waits, or who waits is seen to by the one that was woken last: a newcomer sets the flag.
const DOWN: usize = 0;
/// Who unlocks is to see to the queue.
const UP: usize = 1;
/// Some wait, and one that was woken is on its way, or rests in line before it tries again.
const COMING: usize = 2;
const PASSES: u32 = 32;

/// The line comes first, see `wait::line`.
#[derive(Default)]
#[repr(C)]
pub(super) struct Core {
    queue: Lock<WaitQueue>,
    /// Unlocks while somebody was coming. Changed by holders only.
    passes: AtomicU32,
    /// How many were taken out of the line to be woken. Changed under the queue's lock only.
    served: AtomicU32,
    reminder: OnceLock<Arc<Reminder>>,
}

impl Drop for Core {
    fn drop(&mut self) {
        if let Some(reminder) = self.reminder.get() {
            reminder.forget();
        }
    }
}

/// The side of a waiter that is no task: its node's slot points here.
struct Claim {
    who: usize,
    since: u64,
    /// Set under the queue's lock by who hands the lock over.
    handed: Cell<bool>,
}

fn word(core: &CoreBox<Core>) -> &AtomicUsize {
    &core.header.senders
}

fn flag(core: &CoreBox<Core>) -> &AtomicUsize {
    &core.header.receivers
}

/// Takes the lock if nobody holds it.
#[inline]
pub(super) fn take(core: &CoreBox<Core>, who: usize) -> bool {
    core.header
        .senders
        .compare_exchange(0, who, Ordering::Acquire, Ordering::Relaxed)
        .is_ok()
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
    if soon(|| is_free(core) && take(core, who)) {
        return true;
    }
    let claim = Claim {
        who,
        since: clock(),
        handed: Cell::new(false),
    };
    let mut again = false;
    let mut rest = first_rest();
    loop {
        let queue = core.value.queue.lock();
        if take_in_line(core, &queue, who, again) {
            return true;
        }
        let rests = again && limit.is_none() && rest < STARVING && !claim.starves();
        let mut wait = Wait::new(key, &claim).within(limit);
        if rests {
            wait = wait.within(rest_in_line(core, rest));
            rest *= 2;
        }
        wait.again = again;
        let served = wait.park(&core.value.queue, queue, |queue| {
            settle(core, queue);
            Vec::new()
        });
        if !served && !rests || claim.handed.get() && inherit(core, who) {
            return served;
        }
        again = true;
        if soon(|| is_free(core) && take(core, who)) {
            leave_to_holder(core, &core.value.queue.lock());
            return true;
        }
    }
}

fn is_free(core: &CoreBox<Core>) -> bool {
    word(core).load(Ordering::Relaxed) == 0
}

/// Who was woken in vain is coming all the time, but not before so many nanoseconds have passed. Under the queue's lock.
fn rest_in_line(core: &CoreBox<Core>, time: u64) -> Limit<'static> {
    flag(core).store(COMING, Ordering::Relaxed);
    expect(core);
    Limit::at(Instant::now().checked_add(Duration::from_nanos(time)))
}

/// Who was handed the lock has come. False if it was taken back meanwhile.
fn inherit(core: &CoreBox<Core>, who: usize) -> bool {
    word(core)
        .compare_exchange(who | HEIR, who, Ordering::Acquire, Ordering::Relaxed)
        .is_ok()
}

/// Takes the lock if nobody holds it. Else whoever holds it will see to the queue, in which the caller then stands.
fn take_in_line(core: &CoreBox<Core>, queue: &WaitQueue, who: usize, was_woken: bool) -> bool {
    let mut taken = take(core, who);
    if !taken && raise(core, was_woken) {
        taken = take(core, who);
    }
    if taken {
        leave_to_holder(core, queue);
    }
    taken
}

/// Sets the flag, unless it is there. True if it was not: somebody may have unlocked meanwhile without a look at it.
fn raise(core: &CoreBox<Core>, was_woken: bool) -> bool {
    let now = flag(core).load(Ordering::Relaxed);
    let there = now == UP || now == COMING && !was_woken;
    if !there {
        set_for_all(flag(core), UP);
    }
    !there
}

/// Who has the lock, or will have it, sees to the queue. Its own unlock comes after that.
fn leave_to_holder(core: &CoreBox<Core>, queue: &WaitQueue) {
    let state = if queue.is_empty() { DOWN } else { UP };
    flag(core).store(state, Ordering::Relaxed);
}

/// Takes the flag down if nobody waits. Under the queue's lock.
fn settle(core: &CoreBox<Core>, queue: &WaitQueue) {
    if queue.is_empty() {
        flag(core).store(DOWN, Ordering::Relaxed);
    }
}

/// Unlocks; whom to wake then.
#[inline]
pub(super) fn unlock(core: &CoreBox<Core>) -> Option<Claimed> {
    if core.header.receivers.load(Ordering::Relaxed) != DOWN {
        return unlock_in_line(core);
    }
    match store_and_look(&core.header.senders, 0, &core.header.receivers) {
        DOWN => None,
        _ => see_to_line(core),
    }
}

/// Unlocks where somebody may wait.
#[cold]
fn unlock_in_line(core: &CoreBox<Core>) -> Option<Claimed> {
    let passes = core.value.passes.load(Ordering::Relaxed).wrapping_add(1);
    core.value.passes.store(passes, Ordering::Relaxed);
    if !passes.is_multiple_of(PASSES) && flag(core).load(Ordering::Relaxed) == COMING {
        return match store_and_look(word(core), 0, flag(core)) {
            UP => see_to_line(core),
            _ => None,
        };
    }
    let mut queue = core.value.queue.lock();
    if flag(core).load(Ordering::Relaxed) == COMING && !starves(&queue) {
        word(core).store(0, Ordering::Release);
        return None;
    }
    let (first, woken) = next(core, &mut queue);
    let mut heir = 0;
    if let Some(node) = first {
        // SAFETY: R1: claimed, and not woken yet; tasks are not popped.
        let claim = unsafe { &*node.as_ref().slot().cast::<Claim>() };
        if claim.starves() {
            claim.handed.set(true);
            heir = claim.who | HEIR;
            leave_to_holder(core, &queue);
        }
    }
    word(core).store(heir, Ordering::Release);
    woken
}

/// Somebody came to wait while the caller unlocked. If another has the lock by now, that one will see to it.
#[cold]
fn see_to_line(core: &CoreBox<Core>) -> Option<Claimed> {
    let mut queue = core.value.queue.lock();
    let free = word(core).load(Ordering::Relaxed) == 0;
    if free && flag(core).load(Ordering::Relaxed) == UP {
        return next(core, &mut queue).1;
    }
    None
}

/// Whoever was served last has had time to come. If it has not, the line goes on without it: whom to wake, and whether to be
/// reminded again.
pub(super) fn remind(core: &CoreBox<Core>, reminder: &Reminder) -> (Option<Claimed>, bool) {
    let mut queue = core.value.queue.lock();
    let holder = word(core).load(Ordering::Relaxed);
    let handed = holder & HEIR != 0;
    if !handed && flag(core).load(Ordering::Relaxed) != COMING {
        reminder.rest();
        return (None, false);
    }
    if !reminder.has_seen(core.value.served.load(Ordering::Relaxed)) {
        return (None, true);
    }
    if handed {
        // If that fails it comes at this moment, and sees to the line when it unlocks.
        let (free, order) = (0, Ordering::Relaxed);
        let _ = word(core).compare_exchange(holder, free, order, order);
    }
    if !queue.is_empty() {
        raise(core, true);
    }
    let free = word(core).load(Ordering::Relaxed) == 0;
    (free.then(|| next(core, &mut queue).1).flatten(), true)
}

impl Claim {
    fn starves(&self) -> bool {
        clock() - self.since > STARVING
    }
}

/// Whether the first in line has waited for too long. (How long tasks have waited is not known.)
fn starves(queue: &WaitQueue) -> bool {
    let first = queue.find(|_| true);
    first.is_some_and(|node| {
        // SAFETY: R1: in the queue, under its lock.
        node.waiter().is_task() || unsafe { &*node.slot().cast::<Claim>() }.starves()
    })
}

/// Whom to wake when the lock is free: a goroutine or thread, taken out of the queue, or a task that stays in it. Who can not come
/// now is passed over, unless there is nobody else.
fn next(core: &CoreBox<Core>, queue: &mut WaitQueue) -> (Option<NonNull<Node>>, Option<Claimed>) {
    let mut found = pop(queue, |node| !node.waiter().is_held_up());
    if let (None, None) = found {
        found = pop(queue, |_| true);
    }
    let (popped, told) = found;
    match popped {
        Some((node, claimed)) => {
            // It sees to the others when it comes.
            let state = if queue.is_empty() { DOWN } else { COMING };
            flag(core).store(state, Ordering::Relaxed);
            expect(core);
            (Some(node), Some(claimed))
        }
        None => {
            settle(core, queue);
            (None, told)
        }
    }
}

/// The first whom `accept` accepts, taken out of the queue; or before that a task, which is told.
fn pop(
    queue: &mut WaitQueue,
    accept: impl Fn(&Node) -> bool,
) -> (Option<(NonNull<Node>, Claimed)>, Option<Claimed>) {
    let mut told = None;
    let popped = queue.pop_claim_by(|node| match node.waiter().is_task() {
        false if accept(node) => Turn::Now,
        false => Turn::Pass,
        true => {
            told = node.tell();
            match told {
                Some(_) => Turn::Stop,
                None => Turn::Pass,
            }
        }
    });
    (popped, told)
}

/// One more is to come (R2). Under the queue's lock.
fn expect(core: &CoreBox<Core>) {
    let served = core.value.served.load(Ordering::Relaxed).wrapping_add(1);
    core.value.served.store(served, Ordering::Relaxed);
    let reminder = core.value.reminder.get_or_init(|| Reminder::new(core));
    reminder.expect(served);
}

/// A task that waits for the lock.
pub(super) struct LockTask<'a>(pub(super) &'a CoreBox<Core>);

impl LockTask<'_> {
    /// Takes the lock if nobody holds it.
    pub(super) fn try_take(&self) -> bool {
        take(self.0, TASK)
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
        let taken = take_in_line(self.0, queue, TASK, false);
        if taken {
            stand.leave(queue);
            settle(self.0, queue);
        }
        taken
    }

    fn left(&self, queue: &mut WaitQueue, told: bool) -> Vec<Claimed> {
        // It was told that the lock is free. If it still is, the next is told; else its holder will see to that.
        let free = told && word(self.0).load(Ordering::Relaxed) == 0;
        let woken = free.then(|| next(self.0, queue).1).flatten();
        settle(self.0, queue);
        Vec::from_iter(woken)
    }
}
