//! What stands in a worker's timer heap: waiters with a deadline, and what else happens at a time.

use std::ptr::NonNull;
use std::sync::Arc;

use super::arena::fetch;
use super::claimed::Claimed;
use super::park::{TIMED_OUT, Waiter};
use super::timer::{Timed, TimerSlot};

/// A waiter with a deadline, in a timer heap.
pub(crate) struct TimedWaiter {
    waiter: NonNull<Waiter>,
    slot: NonNull<TimerSlot>,
}

// SAFETY: used under the heap's lock only, which the waiter takes before it goes (`park` I3).
unsafe impl Send for TimedWaiter {}

impl TimedWaiter {
    /// # Safety
    ///
    /// It is used in a heap only, and both stay until it was taken out of that, under the heap's lock (`park` I3).
    pub(super) unsafe fn new(waiter: &Waiter, slot: &TimerSlot) -> TimedWaiter {
        TimedWaiter {
            waiter: NonNull::from(waiter),
            slot: NonNull::from(slot),
        }
    }

    /// The deadline has passed: claims the waiter, unless somebody has. Called under the heap's lock (`park` I1).
    pub(super) fn time_out(&self) -> Option<Claimed> {
        // SAFETY: `park` I3: it was in the heap a moment ago, and the heap's lock is still held.
        unsafe { self.waiter.as_ref() }.claim(TIMED_OUT)
    }
}

/// Something that happens at a time: it is called on a scheduler's stack or sysmon's, so it runs no user code.
pub(crate) trait TimerEvent: Send + Sync {
    /// Its place in the heap.
    fn slot(&self) -> &TimerSlot;
    /// The time has come: `now`, in nanoseconds of the runtime's clock. No lock of the runtime is held.
    fn fire(self: Arc<Self>, now: u64);
    /// True if nobody is woken when its time comes, now or later, as long as no goroutine runs. Called under the heap's lock.
    fn wakes_nobody(&self) -> bool {
        false
    }
}

/// What stands in a worker's timer heap.
pub(crate) enum TimerPayload {
    Waiter(TimedWaiter),
    Event(Arc<dyn TimerEvent>),
}

impl Timed for TimerPayload {
    fn slot(&self) -> &TimerSlot {
        match self {
            // SAFETY: the slot lies beside the waiter, which is there while it is in the heap (`park` I3).
            TimerPayload::Waiter(timed) => unsafe { timed.slot.as_ref() },
            TimerPayload::Event(event) => event.slot(),
        }
    }

    #[inline]
    fn fetch(&self) {
        if let TimerPayload::Waiter(timed) = self {
            fetch(timed.waiter.as_ptr() as usize, 1);
            fetch(timed.slot.as_ptr() as usize, 1);
        }
    }
}
