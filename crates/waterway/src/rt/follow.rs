//! Who starts in the place of a goroutine that has ended.
//!
//! Most goroutines that are over in one turn are followed by others of their kind. Then the next one takes what the one before it
//! had, the stack, the descriptor and the place among those that live here, and begins without a way by the scheduler, as one that
//! was woken does when another suspends (`pick`).
//!
//! # Invariants
//!
//! - I1: what is here is called on the worker's own thread (`worker` I1), on the stack of a goroutine that has ended, as its last act.

use std::ptr::NonNull;

use super::cell::{StartedCell, Unstarted};
use super::task::Task;
use super::worker::{Party, Worker};
use crate::primitives::Ordering;

impl Worker {
    /// Starts another goroutine in the place of the running one, which has ended. `None` if there is more to do than that: then
    /// the scheduler goes on.
    #[inline]
    pub(super) fn follow(&'static self, task: NonNull<Task>) -> Option<StartedCell> {
        // SAFETY: it runs (I1).
        if !unsafe { task.as_ref() }.is_usual() {
            return None;
        }
        let cell = self.pick_follower()?;
        if self.stopwatch.runs() {
            self.stopwatch.stop(true);
        }
        cell.set_worker(self.index);
        // SAFETY: I1. Who looks at those that live here does so under the lock, and sees one of the two.
        let (before, cell) = unsafe { self.live.home(|_| Task::replace(task, cell)) };
        drop(before);
        self.begin_turn(task, true);
        Some(cell)
    }

    /// The next of those that were spawned here, if nothing comes before it: as `pick` finds it, where that is simple.
    #[inline]
    fn pick_follower(&self) -> Option<Unstarted> {
        // SAFETY: I1.
        let turn = unsafe { self.own() }.turn + 1;
        // By way of `own`, so before the reference that stays (`worker` I1).
        let new_first = self.new_comes_first(turn);
        // SAFETY: I1; not used after `next_turn`.
        let own = unsafe { self.own() };
        let simple = !self.preempt.load(Ordering::Relaxed)
            && self.hand.holds()
            && own.next.is_none()
            && self.party == Party::Common
            && self.inbox.is_empty()
            && own.pinned.is_empty()
            && own.line.is_empty()
            && new_first
            && !self.looks_outside(turn)
            && !self.others_come_first(own.looks.wrapping_add(1));
        if !simple {
            return None;
        }
        // SAFETY: I1.
        let cell = unsafe { self.fresh.pop_usual() }?;
        own.looks = own.looks.wrapping_add(1);
        own.gave_way = false;
        own.starts.count();
        self.next_turn();
        Some(cell)
    }
}
