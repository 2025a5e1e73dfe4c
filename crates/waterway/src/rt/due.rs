//! The timers of a worker: set from any thread, fired by the worker itself, or by sysmon while it is held.
//!
//! A timer is taken out once, under the heap's lock: by who fires it or by who cancels it. A waiter's is claimed under the same hold,
//! so that who waits and comes to cancel it finds it in the heap, or is claimed already and waits for its wake. An event is called
//! after the lock, and its owner sees for itself whether it still wants it (`time::timer`).
//!
//! # Leeway
//!
//! A timer may be fired later than it is due by as long as it was set ahead, at most by a millisecond, so that others are fired with it.
//! So what is first in the heap is what is to be fired first at the latest; when it is due is what `next_timer` tells. One behind
//! it may be due sooner: it has leeway until the first is fired.
//!
//! Models (`models/`): `.._with_deadlines`, `timer_..` and `sleepers_of_one_heap` in `blocking`, with two that fire;
//! `idle_worker_is_set_a_timer`; `timers_wake_their_worker` and `a_held_worker_has_its_timers_fired` in `runtime`.

use std::sync::Arc;

use super::clock::clock;
use super::park::{Claimed, TimerEvent, TimerPayload};
use super::timer::{TimerHeap, TimerSlot};
use super::worker::{Worker, this};
use crate::primitives::Ordering;

/// So many are fired with one hold of the lock.
const AT_ONCE: usize = 16;
/// No timer is fired later than this, in nanoseconds, for the sake of others.
const MOST_LEEWAY: u64 = 1_000_000;

impl Worker {
    /// True if a timer is set here that may wake somebody.
    pub(crate) fn has_timer(&self) -> bool {
        self.next_timer() != u64::MAX && self.timers.lock().iter().any(|(_, timer)| may_wake(timer))
    }

    /// How many such timers are set here, and when the first of them is due, by the runtime's clock.
    pub(crate) fn alarms(&self) -> (usize, Option<u64>) {
        let timers = self.timers.lock();
        let due = || (timers.iter()).filter_map(|(when, timer)| may_wake(timer).then_some(when));
        (due().count(), due().min())
    }

    /// When the first timer is due; `u64::MAX` if there is none.
    pub(super) fn next_timer(&self) -> u64 {
        self.next_timer.load(Ordering::SeqCst)
    }

    /// Sets a timer on this worker's heap, from any thread.
    pub(crate) fn add_timer(&self, when: u64, payload: TimerPayload) {
        let leeway = leeway(when.saturating_sub(clock()));
        let mut heap = self.timers.lock();
        let first = heap.insert(when, leeway, payload);
        if first {
            self.next_timer.store(when, Ordering::SeqCst);
        }
        drop(heap);
        if first && this().is_none_or(|w| !std::ptr::eq(w, self)) {
            self.bed.wake();
        }
    }

    /// Takes a timer out. What it held comes back, to be dropped outside the lock.
    pub(crate) fn remove_timer(&self, slot: &TimerSlot) -> Option<TimerPayload> {
        let mut heap = self.timers.lock();
        let payload = heap.remove(slot);
        self.next_timer.store(first_of(&heap), Ordering::Relaxed);
        payload
    }

    /// Fires the timers that are due, and says how many: by the worker itself, or by sysmon while it is held.
    pub(super) fn fire_due(&self) -> usize {
        if self.next_timer.load(Ordering::Relaxed) == u64::MAX {
            return 0;
        }
        let now = clock();
        let mut fired = 0;
        while self.next_timer.load(Ordering::Relaxed) <= now {
            fired += self.fire_some(now);
        }
        fired
    }

    /// Fires some of those that are due at `now`. How many.
    fn fire_some(&self, now: u64) -> usize {
        let mut due = [const { None }; AT_ONCE];
        let mut fired = [const { None }; AT_ONCE];
        let mut heap = self.timers.lock();
        let count = heap.pop_due(now, &mut due);
        for (due, fired) in due[..count].iter_mut().zip(&mut fired) {
            *fired = match due.take() {
                // Under the lock, which the waiter takes before it goes: see `park` I1.
                Some(TimerPayload::Waiter(waiter)) => {
                    let claimed = waiter.time_out();
                    let fired = claimed.inspect(Claimed::fetch_descriptor);
                    fired.map(Fired::Waiter)
                }
                Some(TimerPayload::Event(event)) => Some(Fired::Event(event)),
                None => None,
            };
        }
        self.next_timer.store(first_of(&heap), Ordering::Relaxed);
        drop(heap);
        for fired in &fired[..count] {
            if let Some(Fired::Waiter(claimed)) = fired {
                claimed.fetch_rest();
            }
        }
        for fired in &mut fired[..count] {
            match fired.take() {
                Some(Fired::Waiter(claimed)) => claimed.wake(),
                Some(Fired::Event(event)) => event.fire(now),
                None => {}
            }
        }
        count
    }
}

/// By how much later than it is due a timer may be fired that is set so long ahead, so that others are fired with it.
fn leeway(ahead: u64) -> u32 {
    ahead.min(MOST_LEEWAY) as u32
}

fn first_of(heap: &TimerHeap<TimerPayload>) -> u64 {
    heap.first().map_or(u64::MAX, |first| first.when)
}

fn may_wake(timer: &TimerPayload) -> bool {
    match timer {
        TimerPayload::Waiter(_) => true,
        TimerPayload::Event(event) => !event.wakes_nobody(),
    }
}

enum Fired {
    Waiter(Claimed),
    Event(Arc<dyn TimerEvent>),
}
