//! One worker: the home of all goroutines of a model, with its timers.

use std::cell::Cell;
use std::ptr::NonNull;

use super::park::TimerPayload;
use super::task::Task;
use super::timer::TimerHeap;
use crate::primitives::{AtomicBool, AtomicU64, Lock, Ordering};

pub(crate) struct Worker {
    pub(crate) index: usize,
    pub(super) timers: Lock<TimerHeap<TimerPayload>>,
    pub(super) next_timer: AtomicU64,
    pub(super) bed: Bed,
    /// One goroutine holds it: those that suspend meanwhile go on when that is over.
    pub(crate) held: AtomicBool,
    /// Sysmon has seen it.
    pub(crate) seen_held: AtomicBool,
}

/// Nobody sleeps in it: threads of a model fire timers whenever they like.
pub(super) struct Bed;

impl Bed {
    pub(super) fn wake(&self) -> bool {
        false
    }
}

thread_local! {
    static CURRENT: Cell<Option<&'static Task>> = const { Cell::new(None) };
}

pub(crate) fn this() -> Option<&'static Worker> {
    CURRENT.get().map(|task| task.home)
}

/// Each thread of a model is a worker of its own, as far as locks know: none is excluded by another's turn.
pub(crate) fn mark() -> usize {
    (usize::from(shuttle::current::me()) + 1) * 4
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
            next_timer: AtomicU64::new(u64::MAX),
            bed: Bed,
            held: AtomicBool::new(false),
            seen_held: AtomicBool::new(false),
        }))
    }

    /// The calling thread is a goroutine of this worker from now on.
    pub(crate) fn adopt(&'static self, id: u64, main: bool) {
        CURRENT.set(Some(Box::leak(Box::new(Task::new(id, main, self)))));
    }

    pub(super) fn is_held(&self) -> bool {
        self.seen_held.load(Ordering::SeqCst)
    }

    /// Who runs on the calling thread, which is this worker's.
    pub(crate) fn current(&self) -> Option<&'static Task> {
        current()
    }

    pub(crate) fn count_call(&self) {}

    pub(crate) fn is_timed(&self) -> bool {
        false
    }

    pub(crate) fn time_without<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
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

    /// Fires what is due, as the worker itself does, and sysmon.
    pub(crate) fn fire(&self) {
        self.fire_due();
    }
}
