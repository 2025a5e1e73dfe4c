//! What timers hold, in the models where nobody waits with a deadline: those are of `blocking`.

use std::sync::Arc;

use super::timer::{Timed, TimerSlot};

pub(crate) struct Claimed;

impl Claimed {
    pub(crate) fn wake(self) {}
}

/// Nobody waits with a deadline here.
pub(crate) struct TimedWaiter(pub(crate) TimerSlot);

impl TimedWaiter {
    pub(crate) fn time_out(&self) -> Option<Claimed> {
        None
    }
}

pub(crate) trait TimerEvent: Send + Sync {
    fn slot(&self) -> &TimerSlot;
    fn fire(self: Arc<Self>, now: u64);
    fn wakes_nobody(&self) -> bool {
        false
    }
}

pub(crate) enum TimerPayload {
    Waiter(TimedWaiter),
    Event(Arc<dyn TimerEvent>),
}

impl Timed for TimerPayload {
    fn slot(&self) -> &TimerSlot {
        match self {
            TimerPayload::Waiter(waiter) => &waiter.0,
            TimerPayload::Event(event) => event.slot(),
        }
    }
}
