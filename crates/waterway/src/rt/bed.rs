//! Where a worker sleeps, and how it is woken.
//!
//! # Protocol
//!
//! ```text
//!         lie_down            ring, by one of those who wake
//!  AWAKE ----------> ASLEEP ---------------------------------> RUNG
//!    ^                  | get_up, leave                          | get_up
//!    +------------------+----------------------------------------+
//! ```
//!
//! The worker alone makes all steps but the ring. A ring lasts until `get_up`: one that comes before `sleep` keeps the futex from
//! sleeping. `leave` and the ring are both exchanges of `ASLEEP`, so one of them wins. That no wake is lost is shown in `idle`.
//!
//! Models (`models/`): `wakers_ring_one_worker_once`, `spare_is_rung_as_it_retires`, and all of `idle_worker_..`.

use std::time::Duration;

use super::thread::{cpu, futex_wait, futex_wake};
use crate::primitives::{AtomicU32, Ordering};

const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;
/// This and the number of the CPU of who rang.
const RUNG: u32 = 2;

/// Where a worker sleeps. A futex today; whatever comes later (an epoll set) keeps `lie_down`, `sleep`, `wake`.
pub(super) struct Bed(AtomicU32);

impl Bed {
    pub(super) const fn new() -> Bed {
        Bed(AtomicU32::new(AWAKE))
    }

    pub(super) fn lie_down(&self) {
        self.0.swap(ASLEEP, Ordering::SeqCst);
    }

    pub(super) fn get_up(&self) {
        self.0.store(AWAKE, Ordering::SeqCst);
    }

    /// Gets up to go away, unless rung: who rang counts on this worker.
    pub(super) fn leave(&self) -> bool {
        self.0
            .compare_exchange(ASLEEP, AWAKE, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }

    /// Sleeps until rung, at most for `timeout`. True if rung.
    pub(super) fn sleep(&self, timeout: Option<Duration>) -> bool {
        futex_wait(&self.0, ASLEEP, timeout);
        self.0.load(Ordering::SeqCst) >= RUNG
    }

    /// The CPU on which who rang ran, before `get_up`.
    pub(super) fn rung_on(&self) -> Option<u32> {
        self.0.load(Ordering::Relaxed).checked_sub(RUNG)
    }

    /// Wakes the worker if it sleeps. True if it did.
    #[inline]
    pub(super) fn wake(&self) -> bool {
        self.0.load(Ordering::SeqCst) == ASLEEP && self.ring()
    }

    #[cold]
    fn ring(&self) -> bool {
        let rings = self
            .0
            .compare_exchange(ASLEEP, RUNG + cpu(), Ordering::SeqCst, Ordering::Relaxed)
            .is_ok();
        if rings {
            futex_wake(&self.0);
        }
        rings
    }

    pub(super) fn asleep(&self) -> bool {
        self.0.load(Ordering::SeqCst) == ASLEEP
    }

    /// A short sleep of an awake worker that something it needs is missing for.
    pub(super) fn nap(&self, time: Duration) {
        self.lie_down();
        self.sleep(Some(time));
        self.get_up();
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn who_rings_says_from_which_cpu() {
        let bed = super::Bed::new();
        bed.lie_down();
        assert_eq!(bed.rung_on(), None);
        assert!(bed.wake() && bed.sleep(None));
        assert!(bed.rung_on().is_some());
        bed.get_up();
        assert_eq!(bed.rung_on(), None);
    }
}
