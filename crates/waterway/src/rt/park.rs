//! Waiters: the one place where goroutines, plain threads and async tasks go to sleep and are woken.
//!
//! # Protocol
//!
//! A [`Waiter`] is one blocking call. Its state goes `WAITING -> token` once, by the compare-and-swap in
//! [`Waiter::claim`]. Who wins owes the waiter exactly one [`Claimed::wake`].
//!
//! ```text
//!   who waits                                       who serves it
//!   1. stands in queues, under their locks          1. finds it in a queue, under that queue's lock
//!   2. record: epoch odd, what it waits for         2. claims it: of all who try, one
//!   3. suspends, or sleeps on its futex             3. takes it out of that queue, unlocks
//!   4. record: epoch even                           4. wakes it
//!   5. leaves the queues it still stands in
//! ```
//!
//! *No wake is lost*: one may come before 3. A goroutine is put into a queue or the inbox of the worker that it runs on, which comes
//! to that only after the goroutine has suspended; a thread finds its word changed, and does not sleep. *Deadlines*: a goroutine's
//! stands in its worker's heap and claims as anybody does. A thread claims itself; if it was claimed before, it sleeps on for the
//! wake that it is owed. *Epochs* (`record`): odd from before the suspension until after it, and written by the waiter alone, so who
//! sees the same odd epoch twice has seen one wait.
//!
//! Models (`models/`): all of `blocking`, where this file runs as it is, on threads; `.._with_deadlines` for the competition.
//!
//! # Invariants
//!
//! - I1: a waiter is claimed only under a lock that guards a queue (or timer heap) in which it stands; or while it
//!   stands in none, by its own call (a receiver that binds itself to a sender) or by the one job that it waits for
//!   (`blocking`). Its own call may also claim it instead of sleeping on (`claim_own`): who claims it through a queue then
//!   fails, under that queue's lock.
//! - I2: a blocked waiter does not return from `park` before it is claimed and, but for its own time-out, woken; so
//!   between claim and wake its stack, nodes and slots stay.
//! - I3: before its call returns, a waiter has left every queue under that queue's lock; so with I1 nobody can reach a
//!   waiter that is gone.
//! - I4: a task's waiter may go at any time, under its queue's lock. Its claimer has the waker out by then and touches
//!   neither waiter nor node after the lock.
//! - I5: from its entry into a queue until `park` has returned, a waiter's call neither unwinds nor suspends elsewhere.
//!   What could make it do so is done before (the runtime is started), left out (giving back a reservation drops no
//!   value), or ends in itself (wakers, `foreign` F1 and F2).
//! - I6: a sole waiter has one possible claimer at a time: it stands in one queue, which its claimer has locked and
//!   takes it out of, and neither timer nor reaper knows of it.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::Waker;
use std::time::Instant;

use super::checkpoint::THREAD;
pub(crate) use super::claimed::{Claimed, Won};
use super::clock::{coarse_clock, since_start};
use super::hold::release_reservations;
pub(crate) use super::payload::{TimedWaiter, TimerEvent, TimerPayload};
use super::record::WaitKey;
use super::task::Task;
use super::thread::ThreadParker;
use super::timer::TimerSlot;
use super::worker::{self, Worker};
use super::{foreign, fork, reap, sched, seldom};
use crate::primitives::{AtomicUsize, Ordering};

const WAITING: usize = 0;
pub(super) const TIMED_OUT: usize = usize::MAX;
const REAPED: usize = usize::MAX - 1;
/// The token of nodes whose owners are told that what they work for has ended.
pub(crate) const CANCELLED: usize = usize::MAX - 2;

/// Why a waiter runs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// It was claimed through the node with this token.
    Ready(usize),
    /// Its deadline passed first.
    TimedOut,
    /// What its caller works for ended first.
    Cancelled,
    /// Nothing will ever wake it: once it has left every queue, its call must [unwind](reap::unwind).
    Reaped,
}

/// Whom to wake.
pub(super) enum Target {
    /// And the worker that it lives on, so that who wakes it need not wait for its descriptor to know.
    Goroutine(NonNull<Task>, &'static Worker),
    Thread(&'static ThreadParker),
    /// The waker is guarded by the lock of the one queue that a task's waiter stands in. Whoever has the waiter drops it
    /// ([`Waiter::drop_waker`]), so that waiters of goroutines and threads have nothing to drop.
    Task(ManuallyDrop<Cell<Option<Waker>>>),
}

/// One blocking call of a goroutine or thread, or one pending operation of an async task.
pub(crate) struct Waiter {
    state: AtomicUsize,
    /// It stands in one queue and has no deadline, so claims take turns under one lock.
    sole: Cell<bool>,
    pub(super) target: Target,
}

impl Waiter {
    /// A waiter for whoever calls: the current goroutine, or the current thread.
    #[inline]
    #[track_caller]
    pub(crate) fn current() -> Waiter {
        let target = match worker::current() {
            Some(task) if !foreign::running() => Target::Goroutine(NonNull::from(task), task.home),
            _ => Target::Thread(Waiter::thread()),
        };
        Waiter {
            state: AtomicUsize::new(WAITING),
            sole: Cell::new(false),
            target,
        }
    }

    #[cold]
    #[track_caller]
    fn thread() -> &'static ThreadParker {
        fork::check();
        // The park needs it. If it can not start, that must show before anything stands in a queue.
        sched::runtime();
        ThreadParker::current()
    }

    /// The waiter will stand in one queue only, and be parked without a deadline: claiming it needs no competition,
    /// unless a reaper may claim it too. Said before it enters the queue. (Threads sleep for so long that it does not
    /// matter, and whether they may be reaped is known only when the runtime has started.)
    #[inline]
    pub(crate) fn set_sole(&self) {
        let goroutine = matches!(self.target, Target::Goroutine(..));
        self.sole.set(goroutine && !reap::concerns(self));
    }

    /// True for the waiters of the main goroutine and of the main thread.
    #[cold]
    pub(super) fn is_main(&self) -> bool {
        match &self.target {
            // SAFETY: the waiter was made by this goroutine, which has not finished.
            Target::Goroutine(task, _) => unsafe { task.as_ref() }.identity().main,
            Target::Thread(parker) => reap::is_main_thread(parker.tid()),
            Target::Task(_) => false,
        }
    }

    /// Whose it is, as [`whoami`](super::checkpoint::whoami) numbers them; 0 for a task's. Called by itself, or under the lock of a queue that it stands in.
    pub(crate) fn who(&self) -> usize {
        match &self.target {
            // SAFETY: the waiter was made by this goroutine, which waits in it or runs: it has not finished.
            Target::Goroutine(task, _) => unsafe { task.as_ref() }.identity().id as usize,
            Target::Thread(parker) => THREAD | parker.tid() as usize,
            Target::Task(_) => 0,
        }
    }

    /// True of a goroutine whose worker another one holds, as sysmon saw it last: it could not run now. Under the lock of a queue that
    /// it stands in.
    pub(crate) fn is_held_up(&self) -> bool {
        if !sched::runtime().sysmon.saw_held() {
            return false;
        }
        match &self.target {
            Target::Goroutine(_, home) => home.is_held(),
            _ => false,
        }
    }

    /// How often the goroutine or thread has begun or ended a wait. For its own call.
    pub(crate) fn own_epoch(&self) -> u64 {
        match &self.target {
            // SAFETY: as in `who`.
            Target::Goroutine(task, _) => unsafe { task.as_ref() }.record.epoch(),
            Target::Thread(parker) => parker.record().epoch(),
            Target::Task(_) => 0,
        }
    }

    /// Claims a waiter that nothing else will claim. Under the lock of `reap`'s list, in which it stands (I1).
    pub(super) fn reap(&self) -> Option<Claimed> {
        self.claim(REAPED)
    }

    /// A waiter for an async task. It is notified, never handed anything: after a claim the task tries again in `poll`.
    /// It stands in one queue at most; `waker` is replaced by [`set_waker`](Self::set_waker).
    pub(crate) fn task(waker: Waker) -> Waiter {
        Waiter {
            state: AtomicUsize::new(WAITING),
            sole: Cell::new(false),
            target: Target::Task(ManuallyDrop::new(Cell::new(Some(waker)))),
        }
    }

    /// A task's waiter goes, and stands in no queue: the last thing that is done with it.
    pub(crate) fn drop_waker(&self) {
        if let Target::Task(waker) = &self.target {
            drop(waker.take());
        }
    }

    /// True for an async task's waiter: its node has no slot, and nothing may be handed to it.
    pub(crate) fn is_task(&self) -> bool {
        matches!(self.target, Target::Task(_))
    }

    /// Gives a task's waiter a new waker and makes it claimable again. Called under the queue's lock; the old waker
    /// comes back to be dropped outside it.
    pub(crate) fn set_waker(&self, waker: Waker) -> Option<Waker> {
        self.state.store(WAITING, Ordering::Relaxed);
        match &self.target {
            Target::Task(cell) => cell.replace(Some(waker)),
            _ => unreachable!("only tasks have wakers"),
        }
    }

    /// The token that the waiter was claimed with, if it was.
    pub(crate) fn claimed(&self) -> Option<usize> {
        match self.state.load(Ordering::Acquire) {
            WAITING => None,
            token => Some(token),
        }
    }

    /// Wins the waiter, if nobody has. Call it under the lock of a queue that the waiter stands in (I1).
    #[inline]
    pub(crate) fn claim(&self, token: usize) -> Option<Claimed> {
        self.decide(token).then(|| Claimed::of(&self.target))
    }

    /// As [`claim`](Self::claim), of a blocked waiter: nobody wins a task's.
    #[inline]
    pub(crate) fn win(&self, token: usize) -> Option<Won> {
        (!self.is_task() && self.decide(token)).then(|| Won::of(self))
    }

    /// True if this is the one claim that wins the waiter.
    #[inline]
    fn decide(&self, token: usize) -> bool {
        if self.sole.get() {
            // I6: nobody else can be at it, and who comes to the queue later does not find it.
            self.state.store(token, Ordering::Release);
            return true;
        }
        self.claim_own(token)
    }

    /// The caller does without what it waits for, before it has parked. True if nobody has claimed its waiter: then it must
    /// not park, only leave its queues. Not for a sole waiter.
    pub(crate) fn forgo(&self) -> bool {
        debug_assert!(!self.sole.get());
        self.claim_own(CANCELLED)
    }

    fn claim_own(&self, token: usize) -> bool {
        self.state
            .compare_exchange(WAITING, token, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// What may end the wait besides its object: the address of a core, or 0. Noted before the park, and taken back after
    /// it.
    pub(crate) fn note_ending(&self, core: usize) {
        match &self.target {
            // SAFETY: the waiter was made by this goroutine, which is running, so its descriptor is alive.
            Target::Goroutine(task, _) => unsafe { task.as_ref() }.record.note_ending(core),
            Target::Thread(parker) => parker.record().note_ending(core),
            Target::Task(_) => unreachable!("a task's waiter is polled, not parked"),
        }
    }

    /// Sleeps until claimed and woken, or until `deadline`. Never unwinds. Reservations of the caller are released
    /// first.
    ///
    /// After `Ready(token)` the node of that token is in no queue; other nodes of this waiter must be removed by the
    /// caller. After `TimedOut`, `Cancelled` and `Reaped` all of them.
    #[inline]
    pub(crate) fn park(&self, key: &WaitKey, deadline: Option<Instant>) -> Wake {
        release_reservations();
        match (&self.target, deadline) {
            (Target::Goroutine(task, _), None) if !seldom::any() => self.sleep(*task, key, false),
            _ => self.park_otherwise(key, deadline),
        }
    }

    /// The same, where there is more to be done.
    #[inline(never)]
    fn park_otherwise(&self, key: &WaitKey, deadline: Option<Instant>) -> Wake {
        match (&self.target, deadline) {
            (Target::Goroutine(task, _), None) => self.park_goroutine(*task, key, false),
            (Target::Goroutine(task, _), Some(deadline)) => self.park_until(*task, key, deadline),
            (Target::Thread(parker), _) => self.park_thread(parker, key, deadline),
            (Target::Task(_), _) => unreachable!("a task's waiter is polled, not parked"),
        }
    }

    fn park_goroutine(&self, task: NonNull<Task>, key: &WaitKey, timed: bool) -> Wake {
        // SAFETY: as in `sleep`.
        super::tls_check::check(unsafe { task.as_ref() });
        let _place = reap::Place::of(self, key, timed);
        self.sleep(task, key, timed)
    }

    #[inline]
    fn sleep(&self, task: NonNull<Task>, key: &WaitKey, timed: bool) -> Wake {
        // SAFETY: the waiter was made by this goroutine, which is running, so its descriptor is alive.
        let task = unsafe { task.as_ref() };
        task.record.begin(key, timed, coarse_clock());
        if let Some(departure) = task.depart() {
            // It stands here, and in the caller's code where this is inlined: see `waterway_stack`'s `switch`.
            // SAFETY: on the goroutine's own stack, and at once. Its wake: the caller has put it into a queue, or the timer is set, or
            // it waits for ever.
            unsafe { departure.go() };
        }
        task.record.end();
        self.woken()
    }

    #[inline(never)]
    fn park_until(&self, task: NonNull<Task>, key: &WaitKey, deadline: Instant) -> Wake {
        // SAFETY: as in `park_goroutine`.
        let home = unsafe { task.as_ref() }.home;
        let slot = TimerSlot::new();
        // SAFETY: it goes into `home`'s heap, and was taken out when this returns: as it was fired, or below (I3).
        let timed = unsafe { TimedWaiter::new(self, &slot) };
        home.add_timer(since_start(deadline), TimerPayload::Waiter(timed));
        let woken = self.park_goroutine(task, key, true);
        if woken != Wake::TimedOut {
            home.remove_timer(&slot);
        }
        woken
    }

    /// Why a waiter runs again that was claimed.
    #[inline]
    fn woken(&self) -> Wake {
        match self.state.load(Ordering::Acquire) {
            TIMED_OUT => Wake::TimedOut,
            CANCELLED => Wake::Cancelled,
            REAPED => Wake::Reaped,
            token => Wake::Ready(token),
        }
    }

    #[cold]
    #[inline(never)]
    fn park_thread(&self, parker: &ThreadParker, key: &WaitKey, deadline: Option<Instant>) -> Wake {
        // Somebody must be there who may find that nothing will wake this thread.
        let rt = sched::runtime();
        let _place = reap::Place::of(self, key, deadline.is_some());
        parker.begin(key, deadline.is_some());
        rt.sysmon.rouse();
        if !parker.sleep(deadline) && !self.claim_own(TIMED_OUT) {
            // Claimed at the last moment: the wake is on its way (I2).
            parker.sleep(None);
        }
        parker.end();
        self.woken()
    }
}
