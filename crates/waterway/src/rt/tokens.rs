//! Run tokens: the right to run goroutines. There are as many as workers that start, at most `max_procs`, so that no more
//! threads than that run goroutines at once, however many there are.
//!
//! A worker holds its token while it has something to run. Sysmon takes the token from a worker that one goroutine holds,
//! so that a spare may run; the held worker waits for a new one when its goroutine lets go. Who waits is served in order.
//!
//! # Protocol
//!
//! ```text
//!            acquire: one is free                      release, by the worker or sysmon
//!   EMPTY -------------------------------> HOLDS ------------------------------------> EMPTY
//!     | acquire: none is; stands in the queue, sleeps     ^
//!     |          release by another, which takes it out   | seen by its owner
//!     +-> WAITS -----------------------------> GIVEN -----+
//! ```
//!
//! *None is lost or doubled*: all steps but the last are made under the lock, and keep `free` and the hands that are `HOLDS` or
//! `GIVEN` together at the count. *Nobody sleeps on*: who waits stands in the queue until `GIVEN` is stored, and
//! is woken after that. Sysmon may take a token by a decision that is old. From `HOLDS` it takes it, and the worker queues for one when
//! it looks next; else it finds nothing to take. What a worker wrote with its token is seen by who gets it: by the lock, or by
//! the release and acquire of `GIVEN`.
//!
//! A worker runs on without a token from when sysmon takes it until its goroutine lets go: then it is one of those that are held,
//! and the bound is on those that are not.
//!
//! Models (`models/`): `tokens_..`, `token_just_given_is_not_taken`; `a_held_worker_..` for sysmon.

use std::collections::VecDeque;

use super::thread::{futex_wait, futex_wake};
use super::worker::Worker;
use crate::primitives::{AtomicU32, AtomicUsize, Lock, Ordering};

/// A worker's hand: [`EMPTY`], [`WAITS`], [`GIVEN`] or [`HOLDS`]. Also the word that it sleeps on while it waits for a token.
pub(super) struct Hand(AtomicU32);

const EMPTY: u32 = 0;
/// A token was put into it while its owner slept. Until the owner has seen it nobody takes it away again: the owner is not
/// in the queue any more, and would sleep on without its turn.
const GIVEN: u32 = 1;
const HOLDS: u32 = 2;
/// Its owner stands in the queue.
const WAITS: u32 = 3;

impl Hand {
    pub(super) const fn new() -> Hand {
        Hand(AtomicU32::new(EMPTY))
    }

    #[inline]
    pub(super) fn holds(&self) -> bool {
        self.0.load(Ordering::Relaxed) == HOLDS
    }

    /// True if its owner waits for a token, as others see it: it will have its turn.
    pub(super) fn waits(&self) -> bool {
        self.0.load(Ordering::Relaxed) == WAITS
    }
}

pub(super) struct Tokens {
    state: Lock<State>,
    wanted: AtomicUsize,
}

struct State {
    free: usize,
    queue: VecDeque<&'static Worker>,
}

impl Tokens {
    pub(super) fn new(count: usize) -> Tokens {
        Tokens {
            state: Lock::new(State {
                free: count,
                queue: VecDeque::new(),
            }),
            wanted: AtomicUsize::new(0),
        }
    }

    /// Workers that wait for a token.
    pub(super) fn wanted(&self) -> usize {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Waits until the calling worker has a token.
    pub(super) fn acquire(&self, worker: &'static Worker) {
        let mut state = self.state.lock();
        if worker.hand.holds() {
            return;
        }
        if state.free > 0 {
            state.free -= 1;
            worker.hand.0.store(HOLDS, Ordering::Relaxed);
            return;
        }
        state.queue.push_back(worker);
        worker.hand.0.store(WAITS, Ordering::Relaxed);
        self.wanted.fetch_add(1, Ordering::Relaxed);
        drop(state);
        while worker.hand.0.load(Ordering::Acquire) == WAITS {
            futex_wait(&worker.hand.0, WAITS, None);
        }
        worker.hand.0.store(HOLDS, Ordering::Relaxed);
    }

    /// Takes the token from a worker, if it holds one, for the next in line. By the worker itself, or by sysmon.
    pub(super) fn release(&self, worker: &Worker) {
        let mut state = self.state.lock();
        let hand = &worker.hand.0;
        let taken = hand.compare_exchange(HOLDS, EMPTY, Ordering::Relaxed, Ordering::Relaxed);
        if taken.is_err() {
            return;
        }
        match state.queue.pop_front() {
            Some(next) => {
                self.wanted.fetch_sub(1, Ordering::Relaxed);
                next.hand.0.store(GIVEN, Ordering::Release);
                drop(state);
                futex_wake(&next.hand.0);
            }
            None => state.free += 1,
        }
    }

    /// At the end of a time slice: lets others run first, if any wait.
    pub(super) fn pass_on(&self, worker: &'static Worker) {
        if self.wanted() > 0 {
            self.release(worker);
        }
        self.acquire(worker);
    }
}
