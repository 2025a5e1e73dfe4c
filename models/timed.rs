//! Waiters, in the models where nobody waits with a deadline: those are of `blocking`.

pub(crate) use super::payload::{TimedWaiter, TimerEvent, TimerPayload};

pub(super) const TIMED_OUT: usize = usize::MAX;

pub(crate) struct Waiter;

impl Waiter {
    pub(super) fn claim(&self, _token: usize) -> Option<Claimed> {
        None
    }
}

pub(crate) struct Claimed;

impl Claimed {
    pub(crate) fn wake(self) {}

    pub(crate) fn fetch_descriptor(&self) {}

    pub(crate) fn fetch_rest(&self) {}
}
