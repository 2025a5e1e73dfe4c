//! A crowd whose goroutines stay is shared out before all of it has started: where they start they live for life, and an idle
//! worker's thread may need longer to wake up than the rest of the crowd to start.
//!
//! Goroutines that are over in their first turn are left alone: they are faster done than moved. So a worker looks, every so many
//! starts, how many of those that it has started have ended meanwhile.
//!
//! # Invariants
//!
//! - I1: `count_start` and `share_out` are called on the worker's own thread (`worker` I1).

use super::cell::Unstarted;
use super::idle::CROWD;
use super::sched::Runtime;
use super::worker::{Party, Worker, take};
use crate::primitives::{Ordering, fence};

/// A worker looks after so many starts, or some more.
const EVERY: u32 = 32;
/// Most that are handed out at one look, to each.
const MOST: usize = 1024;

/// What a worker knows of those that it has started.
#[derive(Default)]
pub(super) struct Starts {
    count: u32,
    /// How many goroutines had finished here at the last look.
    finished: u64,
}

impl Starts {
    /// A goroutine starts, of which the worker takes no look.
    #[inline]
    pub(super) fn count(&mut self) {
        self.count += 1;
    }
}

impl Worker {
    /// A goroutine starts here. If most of the last ones have stayed and a crowd is behind them, those who have nothing to do
    /// get their part of it.
    #[inline]
    pub(super) fn count_start(&'static self, rt: &'static Runtime) {
        // SAFETY: I1.
        let starts = unsafe { &mut self.own().starts };
        starts.count += 1;
        if starts.count < EVERY {
            return;
        }
        let started = std::mem::take(&mut starts.count);
        let finished = self.finished.load(Ordering::Relaxed);
        let ended = finished - std::mem::replace(&mut starts.finished, finished);
        if ended * 2 < u64::from(started) && self.fresh.len() > CROWD {
            self.share_out(rt, u64::from(started) - ended);
        }
    }

    /// Of the crowd, so many have started here already, and stay.
    #[cold]
    fn share_out(&'static self, rt: &'static Runtime, stayed: u64) {
        let mut idle = Vec::new();
        rt.each_usual(|other| {
            let takes = other.party == Party::Common;
            if takes && !std::ptr::eq(self, other) && other.has_little() {
                idle.push(other);
            }
        });
        let helpers = idle.len() + 1;
        for other in idle {
            let part = self.excess_over(other, stayed) / helpers;
            // SAFETY: I1.
            let own = || unsafe { self.fresh.pop_oldest() };
            let next = || own().or_else(|| take(|| self.incoming.steal()));
            other.push_many(std::iter::from_fn(next).take(part.min(MOST)));
        }
    }

    /// How many goroutines more than `other` this worker has, if all that wait in its queues stay with it; at most as many as the crowd
    /// is, of which `stayed` have started here.
    pub(super) fn excess_over(&self, other: &Worker, stayed: u64) -> usize {
        let (lives, backlog) = (self.lives(), self.backlog());
        let others = other.lives() + other.backlog();
        excess(lives, backlog, stayed as usize, others)
    }

    /// Queues unstarted goroutines here, from any thread.
    fn push_many(&self, cells: impl Iterator<Item = Unstarted>) {
        self.given.fetch_add(1, Ordering::Relaxed);
        for cell in cells {
            cell.set_worker(self.index);
            self.incoming.push(cell);
        }
        fence(Ordering::SeqCst);
        self.bed.wake();
    }

    /// True if the worker is inside no goroutine, and no crowd waits for it. As it seems from another thread.
    fn has_little(&self) -> bool {
        !self.busy.load(Ordering::Relaxed) && self.backlog() < CROWD && self.inbox.is_empty()
    }
}

/// Who was here before the crowd came may have nothing to do, and gives it no more room elsewhere than it has members.
fn excess(lives: usize, backlog: usize, stayed: usize, others: usize) -> usize {
    (lives + backlog)
        .saturating_sub(others)
        .min(backlog + stayed)
}

#[cfg(test)]
mod tests {
    use super::excess;

    #[test]
    fn those_who_have_started_here_are_of_the_crowd() {
        // Of 1,000 that were spawned here 8 went elsewhere at once, and 32 have started beside their spawner.
        let moves = excess(1 + 32, 960, 32, 8) / 2;
        assert_eq!(8 + moves, 500);
    }

    #[test]
    fn who_was_here_before_is_not() {
        assert_eq!(excess(10_000, 100, 0, 0), 100);
        assert_eq!(excess(0, 100, 0, 10_000), 0);
    }
}
