//! Goroutines that were spawned on a worker and have not started.
//!
//! The last ones come first: who spawns and then waits mostly waits for those, and their children for theirs. So a tree of goroutines is
//! gone through in depth, with few alive at a time, and a pair meets before the next one is made. What one goroutine spawns beyond
//! some hundreds in one turn is a crowd, first in, first out, of which thieves take many at once. So that nobody waits for ever
//! behind others' children, the oldest comes first now and then.

use std::cell::Cell;

use crossbeam_deque::{Injector, Steal, Stealer, Worker as Deque};

use super::cell::Unstarted;
use super::worker::take;

/// What one goroutine spawns in one turn beyond this many is a crowd.
const LAST_MOST: usize = 256;

/// The owner's end.
pub(super) struct Fresh {
    last: Deque<Unstarted>,
    crowd: Deque<Unstarted>,
    /// False if nothing has come since the owner found both empty. So who only asks need not look at what thieves write.
    any: Cell<bool>,
}

/// Everybody's end.
pub(super) struct FreshStealer {
    last: Stealer<Unstarted>,
    crowd: Stealer<Unstarted>,
}

impl Fresh {
    pub(super) fn new() -> Fresh {
        Fresh {
            last: Deque::new_lifo(),
            crowd: Deque::new_fifo(),
            any: Cell::new(false),
        }
    }

    pub(super) fn stealer(&self) -> FreshStealer {
        FreshStealer {
            last: self.last.stealer(),
            crowd: self.crowd.stealer(),
        }
    }

    /// Adds one, the `nth` that the running goroutine spawns in this turn.
    #[inline]
    pub(super) fn push(&self, cell: Unstarted, nth: usize) {
        self.any.set(true);
        if nth <= LAST_MOST {
            self.last.push(cell);
        } else {
            self.crowd.push(cell);
        }
    }

    /// True if there is surely none. Where thieves took the last one it is false until the next `pop`.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        !self.any.get()
    }

    #[inline]
    pub(super) fn pop(&self) -> Option<Unstarted> {
        if self.is_empty() {
            return None;
        }
        let popped = self.last.pop().or_else(|| self.crowd.pop());
        self.any.set(popped.is_some());
        popped
    }

    /// The first of the crowd.
    pub(super) fn pop_crowd(&self) -> Option<Unstarted> {
        self.crowd.pop()
    }

    /// Takes up to `most` from elsewhere: the first of them, and the others into the crowd.
    pub(super) fn take_many(&self, from: &Injector<Unstarted>, most: usize) -> Option<Unstarted> {
        self.any.set(true);
        take(|| from.steal_batch_with_limit_and_pop(&self.crowd, most))
    }
}

impl FreshStealer {
    pub(super) fn len(&self) -> usize {
        self.last.len() + self.crowd.len()
    }

    /// The oldest, or the first of the crowd.
    pub(super) fn steal(&self) -> Steal<Unstarted> {
        self.last.steal().or_else(|| self.crowd.steal())
    }

    /// Takes up to `most`: the first of them, and the others into the thief's crowd.
    pub(super) fn steal_many(&self, thief: &Fresh, most: usize) -> Option<Unstarted> {
        thief.any.set(true);
        let to = &thief.crowd;
        let batch =
            |from: &Stealer<Unstarted>| take(|| from.steal_batch_with_limit_and_pop(to, most));
        batch(&self.crowd).or_else(|| batch(&self.last))
    }
}
