//! A worker as other threads see it: what they bring it, and whether a thread is there to take it.
//!
//! # Retiring
//!
//! ```text
//!   the spare's thread                         who brings a goroutine
//!   1. leaves the bed, unless rung             1. pushes it
//!   2. `retired` is set                        2. rings the bed, if asleep
//!   3. looks at inbox and backlog              3. looks at `retired`: rings somebody else
//! ```
//!
//! Pushes, `retired` and the looks at both are sequentially consistent: either 3 on the left sees the goroutine, or 3 on the right
//! that nobody is there. A spare that finds one takes `retired` back, by the same swap as sysmon when it takes the worker up for a
//! new thread: one of them wins, so one thread runs the worker, and sees what the last one left. A thread that cannot be started
//! gives the worker back by steps 2 and 3.
//!
//! Models (`models/`): `spare_..` in `orders`, `spares_..` and `a_spare_..` in `runtime`.

use std::ptr::NonNull;

use super::cell::Unstarted;
use super::task::Task;
use super::worker::{Worker, take};
use crate::primitives::Ordering;

impl Worker {
    /// # Safety
    ///
    /// As [`ready`](Self::ready).
    #[inline(never)]
    pub(super) unsafe fn ready_from_afar(&self, task: NonNull<Task>) {
        // SAFETY: by the caller.
        unsafe { self.inbox.push(task) };
        self.bed.wake();
    }

    /// Queues an unstarted goroutine here, from any thread.
    pub(super) fn push_incoming(&self, cell: Unstarted) {
        if self.incoming.is_empty() {
            self.given.fetch_add(1, Ordering::Relaxed);
        }
        self.incoming.push(cell);
        crate::primitives::fence(Ordering::SeqCst);
        self.bed.wake();
    }

    /// Unstarted goroutines that others may take.
    pub(super) fn backlog(&self) -> usize {
        self.fresh.len() + self.incoming.len()
    }

    /// How long the worker's thread has had a CPU, in nanoseconds; 0 where that can not be told.
    pub(super) fn cpu_time(&self) -> u64 {
        super::thread::cpu_time(self.tid.load(Ordering::Relaxed))
    }

    /// Takes an unstarted goroutine away from this worker, from any thread.
    pub(super) fn rob(&self) -> Option<Unstarted> {
        self.fresh
            .steal()
            .or_else(|| take(|| self.incoming.steal()))
    }

    /// True if nothing lives here, so that the thread may end.
    pub(super) fn may_retire(&self) -> bool {
        self.lives() == 0 && self.next_timer() == u64::MAX
    }

    /// The thread ends: true, unless work came at the last moment. From then on the worker may be another thread's.
    pub(super) fn retire(&self) -> bool {
        let tid = self.tid.swap(0, Ordering::Relaxed);
        self.retired.store(true, Ordering::SeqCst);
        if self.inbox.is_empty() && self.backlog() == 0 {
            return true;
        }
        // Whoever pushed may count on this thread, unless sysmon has taken the worker up again.
        let stays = self.unretire();
        if stays {
            self.tid.store(tid, Ordering::Relaxed);
        }
        !stays
    }

    /// No thread could be started for the worker. True if goroutines came meanwhile, for which others must come.
    pub(super) fn has_no_thread(&self) -> bool {
        self.retired.store(true, Ordering::SeqCst);
        self.backlog() > 0
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::SeqCst)
    }

    /// Takes a retired worker up again: true for one caller.
    pub(super) fn unretire(&self) -> bool {
        self.retired.swap(false, Ordering::SeqCst)
    }

    /// True if the worker sleeps with nothing queued, or has no thread. Seen from any thread.
    pub(crate) fn is_at_rest(&self) -> bool {
        (self.bed.asleep() || self.is_retired())
            && self.inbox.is_empty()
            && self.backlog() == 0
            && self.pinned() == 0
    }
}
