//! One worker: the home of all goroutines of a model, with its timers.

use std::cell::Cell;
use std::ptr::NonNull;

use super::park::{Claimed, TimerPayload};
use super::task::Task;
use super::timer::{TimerHeap, TimerSlot};
use crate::primitives::Lock;

pub(crate) struct Worker {
    pub(crate) index: usize,
    timers: Lock<TimerHeap<TimerPayload>>,
}

thread_local! {
    static CURRENT: Cell<Option<&'static Task>> = const { Cell::new(None) };
}

pub(crate) fn this() -> Option<&'static Worker> {
    CURRENT.get().map(|task| task.home)
}

pub(crate) fn current() -> Option<&'static Task> {
    CURRENT.get()
}

pub(crate) fn on_scheduler_stack() -> bool {
    false
}

impl Worker {
    pub(crate) fn new() -> &'static Worker {
        Box::leak(Box::new(Worker {
            index: 0,
            timers: Lock::new(TimerHeap::new()),
        }))
    }

    /// The calling thread is a goroutine of this worker from now on.
    pub(crate) fn adopt(&'static self, id: u64, main: bool) {
        CURRENT.set(Some(Box::leak(Box::new(Task::new(id, main, self)))));
    }

    pub(crate) fn slice_is_over(&self) -> bool {
        false
    }

    pub(crate) fn give_way(&self) {}

    pub(crate) fn yield_now(&self) {
        shuttle::thread::yield_now();
    }

    /// # Safety
    ///
    /// As in the library.
    pub(crate) unsafe fn ready(&self, task: NonNull<Task>) {
        // SAFETY: tasks of models live for ever.
        unsafe { task.as_ref() }.ready();
    }

    pub(crate) fn add_timer(&self, when: u64, payload: TimerPayload) {
        self.timers.lock().insert(when, payload);
    }

    pub(crate) fn remove_timer(&self, slot: &TimerSlot) -> Option<TimerPayload> {
        self.timers.lock().remove(slot)
    }

    /// Fires the next timer, whenever it is due. True if there was one.
    pub(crate) fn fire(&self) -> bool {
        let mut heap = self.timers.lock();
        let Some(TimerPayload::Waiter(waiter)) = heap.pop_due(u64::MAX) else {
            return false;
        };
        let claimed = waiter.time_out();
        drop(heap);
        if let Some(claimed) = claimed {
            claimed.wake();
        }
        true
    }
}
