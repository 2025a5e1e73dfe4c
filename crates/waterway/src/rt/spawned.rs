//! What is spawned: counts of it, of a worker's goroutines and of all, and the queues of a worker that it comes to.
//!
//! # Invariants
//!
//! - I1: but for `pinned`, what is here of a worker is called on its own thread (`worker` I1).

use super::cell::Unstarted;
use super::fresh::move_to;
use super::sched::Runtime;
use super::worker::Worker;
use crate::primitives::Ordering;

impl Worker {
    /// How many goroutines the running one has spawned since it was resumed, this one included.
    pub(super) fn next_of_burst(&self) -> usize {
        // SAFETY: the worker's thread (I1).
        let own = unsafe { self.own() };
        own.burst += 1;
        own.burst
    }

    /// How many goroutines the running one has spawned since it was resumed.
    pub(crate) fn burst(&self) -> usize {
        // SAFETY: the worker's thread (I1).
        unsafe { self.own() }.burst
    }

    /// The running goroutine has finished, as far as others can tell.
    pub(crate) fn count_finish(&self) {
        self.finished
            .store(self.finished.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    pub(super) fn count_spawn(&self) {
        self.spawned
            .store(self.spawned.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// The running goroutine spawns one that is to stay here.
    pub(super) fn count_here(&self) {
        self.here
            .store(self.here.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Queues an unstarted goroutine here, from the worker's own thread.
    #[inline(always)]
    pub(super) fn push_own(&self, cell: Unstarted) {
        // SAFETY: the worker's thread (I1).
        let own = unsafe { self.own() };
        own.pushed += 1;
        let nth = own.pushed;
        // SAFETY: as above.
        unsafe { self.fresh.push(cell, nth) };
    }

    /// Calls `f` with the unstarted goroutine that was queued here last, if none was taken out since, while nobody can start it. From the
    /// worker's own thread.
    #[inline]
    pub(crate) fn with_newest(&self, f: impl FnOnce(&Unstarted) -> bool) -> bool {
        // SAFETY: the worker's thread (I1).
        unsafe { self.fresh.with_newest(f) }
    }

    /// Queues an unstarted goroutine that must start here, from the worker's own thread.
    pub(super) fn push_pinned(&self, cell: Unstarted) {
        // SAFETY: the worker's thread (I1), here and below.
        let pinned = || &mut unsafe { self.own() }.pinned;
        // Room is made apart, for the allocator may be the program's own, and come here (I1).
        while pinned().len() == pinned().capacity() {
            let larger = std::collections::VecDeque::with_capacity((pinned().len() * 2).max(16));
            let old = move_to(pinned(), larger);
            drop(old);
        }
        pinned().push_back(cell);
        self.pinned.store(pinned().len(), Ordering::Relaxed);
    }

    /// Unstarted goroutines that only this worker can start.
    pub(super) fn pinned(&self) -> usize {
        self.pinned.load(Ordering::Relaxed)
    }
}

impl Runtime {
    /// A goroutine on a thread of its own begins (true) or ends (false).
    pub(crate) fn count_dedicated(&self, begins: bool) {
        if begins {
            &self.spawned
        } else {
            &self.finished
        }
        .fetch_add(1, Ordering::Relaxed);
    }

    /// Goroutines that have been spawned and have not finished.
    pub(crate) fn num_goroutines(&self) -> usize {
        let (spawned, finished) = self.totals();
        spawned.saturating_sub(finished) as usize
    }

    /// Goroutines that were ever spawned.
    fn spawned(&self) -> u64 {
        let mut spawned = self.spawned.load(Ordering::Acquire);
        self.each_worker(|w| spawned += w.spawned.load(Ordering::Acquire));
        spawned
    }

    /// Those of them that were not spawned by `worker`. On its own thread.
    pub(super) fn spawned_by_others(&self, worker: &Worker) -> u64 {
        self.spawned() - worker.spawned.load(Ordering::Relaxed)
    }

    /// Goroutines that were ever spawned, and those that have finished.
    pub(crate) fn totals(&self) -> (u64, u64) {
        // Finished first: a goroutine is never counted as finished but not as spawned.
        let mut finished = self.finished.load(Ordering::Acquire);
        self.each_worker(|w| finished += w.finished.load(Ordering::Acquire));
        (self.spawned(), finished)
    }
}
