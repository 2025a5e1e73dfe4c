//! Whose turn it is: the order in which a worker's goroutines run.
//!
//! Mostly who goes on is one that was started, and nothing else has come up. Then the one that suspends finds it, on its own
//! stack, and switches to it (`go_on`). Everything else is for the scheduler, on the thread's stack (`pick`).
//!
//! # Invariants
//!
//! - I1: what is here is called on the worker's own thread (`worker` I1).

use std::ptr::NonNull;

use super::cell::Unstarted;
use super::clock::{clock, coarse_clock};
use super::sched::Runtime;
use super::sysmon::SLICE;
use super::task::Task;
use super::worker::{Job, Party, Worker, take};
use crate::primitives::Ordering;

/// Every so many turns a worker looks outside (timers, steals) though it has work of its own.
const OUTSIDE_EVERY: u64 = 32;
/// In every so many turns, those that wait for a worker apart come before those that are here.
const APART_EVERY: u64 = 4;
/// In every so many, new goroutines of another queue come first.
const OTHERS_EVERY: u32 = 8;
/// In every so many the oldest of those that were spawned here, and in another one the first of a crowd.
const OLDEST_EVERY: u32 = 64;
/// So many goroutines may run one after the other because the last one woke them, before it is asked whether those who wait here
/// should have their turn.
const CHAIN: u32 = 32;
/// And so many, before it is asked though nobody waits here: a timer may be due.
const CHAIN_ALONE: u32 = 128;
const _: () = assert!(CHAIN_ALONE.is_multiple_of(CHAIN));

/// Which new goroutines come first at a look for one. Each of their queues may be full for ever, so now and then it is not the usual one.
enum First {
    Usual,
    Incoming,
    Oldest,
    Crowd,
}

impl First {
    #[inline]
    fn at(looks: u32) -> First {
        match looks % OTHERS_EVERY {
            0 => First::Incoming,
            1 if looks % OLDEST_EVERY == 1 => First::Oldest,
            1 if looks % OLDEST_EVERY == 1 + OLDEST_EVERY / 2 => First::Crowd,
            _ => First::Usual,
        }
    }
}

impl Worker {
    pub(super) fn pick(&'static self, rt: &'static Runtime) -> Option<Job> {
        if let Some(task) = self.pick_next() {
            return Some(Job::Resume(task));
        }
        if let Some(task) = self.take_next() {
            if self.goes_on() {
                return Some(Job::Resume(task));
            }
            self.push_back(task);
        }
        self.part_line(rt);
        let turn = self.next_turn();
        if self.looks_outside(turn) {
            self.gather.note_fired(self.fire_due());
        }
        if self.party == Party::Apart
            && turn.is_multiple_of(APART_EVERY)
            && let Some(cell) = rt.pop_apart()
        {
            return Some(Job::Start(cell));
        }
        self.pick_own(turn)
            .or_else(|| {
                self.gather.note_fired(self.fire_due());
                let woken = self.pick_next().map(Job::Resume);
                woken.or_else(|| self.pick_own(0))
            })
            .or_else(|| super::steal::steal(self, rt).map(Job::Start))
    }

    /// Who was woken by the goroutine that ran last, unless the chain is to be asked whether it goes on.
    #[inline]
    fn pick_next(&self) -> Option<NonNull<Task>> {
        // SAFETY: I1.
        let chain = unsafe { self.own() }.chain;
        if (chain + 1).is_multiple_of(CHAIN) {
            return None;
        }
        self.take_next()
    }

    /// The chain has one more.
    #[inline]
    fn take_next(&self) -> Option<NonNull<Task>> {
        // SAFETY: I1.
        let own = unsafe { self.own() };
        let task = own.next.take()?;
        own.chain += 1;
        Some(task)
    }

    /// The same where the chain is to be asked, and nobody waits here who could have a turn instead.
    fn pick_next_alone(&self) -> Option<NonNull<Task>> {
        // SAFETY: I1.
        let own = unsafe { self.own() };
        let asked = (own.chain + 1).is_multiple_of(CHAIN_ALONE);
        if asked || !own.queue.is_empty() || self.others_wait() {
            return None;
        }
        self.take_next()
    }

    /// True if somebody waits for a turn here who is not in the run queue yet.
    #[inline]
    fn others_wait(&self) -> bool {
        // SAFETY: I1.
        let pinned = unsafe { self.own() }.pinned.is_empty();
        !(pinned && self.inbox.is_empty() && self.fresh.is_empty() && self.incoming.is_empty())
    }

    /// True if timers are to be looked at before this turn of the queue.
    #[inline]
    pub(super) fn looks_outside(&self, turn: u64) -> bool {
        turn.is_multiple_of(OUTSIDE_EVERY) || self.next_timer() <= coarse_clock()
    }

    /// Who goes on if that is the one that was woken last, and nothing is to be looked at: without a call, as one goroutine hands over
    /// to another.
    #[inline]
    pub(super) fn chain_on(&self) -> Option<NonNull<Task>> {
        // Who takes the token says `preempt` after that.
        if self.preempt.load(Ordering::Relaxed) || self.stopwatch.runs() || self.is_to_be_timed() {
            return None;
        }
        let task = self.pick_next()?;
        self.begin_turn(task, false);
        Some(task)
    }

    /// The running goroutine is suspended, or will be: who goes on from its stack. `None` if there is more to do than to switch to
    /// one that was started: then the scheduler goes on.
    pub(super) fn go_on(&self) -> Option<NonNull<Task>> {
        if self.preempt.load(Ordering::Relaxed) || !self.hand.holds() {
            return None;
        }
        let task = self
            .pick_next()
            .or_else(|| self.pick_next_alone())
            .or_else(|| self.pick_queued())?;
        if self.stopwatch.runs() {
            self.stopwatch.stop(false);
        }
        self.begin_turn(task, false);
        Some(task)
    }

    /// The first of the queue, if nothing comes before it: as `pick` finds it, where that is simple.
    fn pick_queued(&self) -> Option<NonNull<Task>> {
        // SAFETY: I1.
        let own = unsafe { self.own() };
        let turn = own.turn + 1;
        let simple = own.next.is_none()
            && self.party == Party::Common
            && !self.others_wait()
            && !self.looks_outside(turn);
        if !simple {
            return None;
        }
        let task = own.queue.pop_front()?;
        own.gave_way = false;
        self.next_turn();
        Some(task)
    }

    /// A chain has gone on for a while: true if it has not had half of the time yet that others had before it. So those who
    /// take short turns get a share beside those who take long ones, and where all are short none goes on for long.
    fn goes_on(&self) -> bool {
        let now = clock();
        // SAFETY: I1.
        let own = unsafe { self.own() };
        if own.chain_asked != own.turn {
            own.chain_asked = own.turn;
            own.chain_until = now + ((now - own.chain_ended) / 2).min(SLICE);
        }
        let goes_on = now < own.chain_until && now < self.next_timer() && self.inbox.is_empty();
        if !goes_on {
            own.chain_ended = now;
        }
        goes_on
    }

    /// The queue has its turn. Gives the turn's number.
    #[inline]
    pub(super) fn next_turn(&self) -> u64 {
        // SAFETY: I1.
        let own = unsafe { self.own() };
        own.chain = 0;
        own.turn += 1;
        self.slices.store(own.turn, Ordering::Relaxed);
        own.turn
    }

    fn pick_own(&'static self, turn: u64) -> Option<Job> {
        if !self.inbox.is_empty() {
            // SAFETY: I1.
            self.inbox.take_all(&mut unsafe { self.own() }.queue);
        }
        let new_first = self.new_comes_first(turn);
        // SAFETY: I1.
        unsafe { self.own() }.gave_way = false;
        if new_first && let Some(cell) = self.pop_unstarted() {
            return Some(Job::Start(cell));
        }
        // SAFETY: I1.
        let woken = unsafe { self.own() }.queue.pop_front();
        woken.map(Job::Resume)
    }

    /// True if those that have not started come before those that wait for their turn: they take turns.
    #[inline]
    pub(super) fn new_comes_first(&self, turn: u64) -> bool {
        // SAFETY: I1.
        let own = unsafe { self.own() };
        turn.is_multiple_of(2) || own.gave_way || own.queue.is_empty()
    }

    /// True if at this look others come before the last that were spawned here.
    #[inline]
    pub(super) fn others_come_first(&self, looks: u32) -> bool {
        match First::at(looks) {
            First::Usual => false,
            First::Incoming => !self.incoming.is_empty(),
            First::Oldest | First::Crowd => true,
        }
    }

    /// A new goroutine: mostly of those that must stay here, then those that were spawned here, then those from elsewhere.
    fn pop_unstarted(&self) -> Option<Unstarted> {
        // SAFETY: I1.
        let own = unsafe { self.own() };
        own.looks = own.looks.wrapping_add(1);
        let first = match First::at(own.looks) {
            First::Usual => None,
            First::Incoming => self.pop_incoming(),
            // SAFETY: I1.
            First::Oldest => unsafe { self.fresh.pop_oldest() },
            // SAFETY: I1.
            First::Crowd => unsafe { self.fresh.pop_crowd() },
        };
        first
            .or_else(|| self.pop_pinned())
            // SAFETY: I1.
            .or_else(|| unsafe { self.fresh.pop() })
            .or_else(|| self.pop_incoming())
    }

    fn pop_pinned(&self) -> Option<Unstarted> {
        // SAFETY: I1.
        let pinned = &mut unsafe { self.own() }.pinned;
        let cell = pinned.pop_front()?;
        self.pinned.store(pinned.len(), Ordering::Relaxed);
        Some(cell)
    }

    fn pop_incoming(&self) -> Option<Unstarted> {
        if self.incoming.is_empty() {
            return None;
        }
        take(|| self.incoming.steal())
    }
}
