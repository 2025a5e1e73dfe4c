//! A goroutine that has started. A `resume` is one step of its program, and of those who go on after it or take its place, on the
//! worker's own stack.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool as StdBool, AtomicUsize as StdUsize};

use super::cell::{Identity, Next, StartedCell, Unstarted};
use super::record::Record;
use super::stacks::Stack;
use super::worker::Worker;
use crate::primitives::{AtomicBool, Ordering};

/// The worker's own stack, which all runs on here.
pub(super) struct Base;

impl Base {
    pub(super) const fn new() -> Base {
        Base
    }
}

pub(crate) struct Task {
    pub(crate) link: Cell<Option<NonNull<Task>>>,
    pub(crate) home: &'static Worker,
    pub(crate) record: Record,
    identity: UnsafeCell<Identity>,
    pub(crate) runnable: AtomicBool,
    pub(crate) place: Cell<usize>,
    step: RefCell<StartedCell>,
    steps: Cell<usize>,
    /// Wakes that have not led to a step.
    wakes: StdUsize,
    running: StdBool,
}

// SAFETY: other threads of a model use what is atomic.
unsafe impl Sync for Task {}
// SAFETY: as above.
unsafe impl Send for Task {}

/// True while a thread is inside a goroutine of the worker with that index.
static RUN_BY: [StdBool; 16] = [const { StdBool::new(false) }; 16];

/// A new run begins.
pub(crate) fn forget() {
    for worker in &RUN_BY {
        worker.store(false, Ordering::Relaxed);
    }
}

impl Task {
    pub(super) fn fetch(&self) {}

    pub(super) fn fetch_stack(&self, _: usize) {}

    pub(super) fn fetch_descriptor(_: NonNull<Task>) {}

    pub(crate) fn identity(&self) -> &Identity {
        // SAFETY: as in the library.
        unsafe { &*self.identity.get() }
    }

    pub(super) fn is_usual(&self) -> bool {
        true
    }

    pub(crate) fn start(cell: Unstarted, _stack: Stack, home: &'static Worker) -> NonNull<Task> {
        let (identity, step) = cell.start();
        NonNull::from(Box::leak(Box::new(Task {
            link: Cell::new(None),
            home,
            record: Record::new(),
            identity: UnsafeCell::new(identity),
            runnable: AtomicBool::new(true),
            place: Cell::new(0),
            step: RefCell::new(step),
            steps: Cell::new(0),
            wakes: StdUsize::new(1),
            running: StdBool::new(false),
        })))
    }

    /// Steps of this goroutine, and of those that go on after it without the scheduler.
    ///
    /// # Safety
    ///
    /// As in the library.
    pub(crate) unsafe fn resume(&self, _new: bool) -> bool {
        let mut task = NonNull::from(self);
        loop {
            // SAFETY: tasks of models live for ever.
            match unsafe { task.as_ref() }.step() {
                Next::End => match self.home.follow(task) {
                    // SAFETY: as above.
                    Some(step) => unsafe { task.as_ref() }.begin(step),
                    None => return true,
                },
                Next::Suspend => match self.home.chain_on().or_else(|| self.home.go_on()) {
                    Some(next) => task = next,
                    None => return false,
                },
            }
        }
    }

    /// # Safety
    ///
    /// As in the library.
    pub(crate) unsafe fn replace(task: NonNull<Task>, cell: Unstarted) -> (Identity, StartedCell) {
        let (identity, step) = cell.start();
        // SAFETY: by the caller.
        let before = unsafe { task.as_ref().identity.get().replace(identity) };
        (before, step)
    }

    /// Another goroutine has its place.
    fn begin(&self, step: StartedCell) {
        *self.step.borrow_mut() = step;
        self.steps.set(0);
        let wakes = self.wakes.swap(1, Ordering::Relaxed);
        assert_eq!(wakes, 0, "who has ended is not woken");
    }

    fn step(&'static self) -> Next {
        assert!(!self.running.swap(true, Ordering::Relaxed), "on one thread");
        let others = RUN_BY[self.home.index].swap(true, Ordering::Relaxed);
        assert!(!others, "one thread runs a worker");
        let wakes = self.wakes.swap(0, Ordering::Relaxed);
        assert_eq!(wakes, 1, "one wake for each suspension");
        let next = self.step.borrow_mut()(self, self.steps.get());
        self.steps.set(self.steps.get() + 1);
        self.running.store(false, Ordering::Relaxed);
        RUN_BY[self.home.index].store(false, Ordering::Relaxed);
        next
    }

    /// Gives way: the worker's `yield_now` has queued it.
    ///
    /// # Safety
    ///
    /// As in the library.
    pub(crate) unsafe fn suspend(&self) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
    }

    /// # Safety
    ///
    /// As in the library.
    pub(crate) unsafe fn finish(task: NonNull<Task>) -> (Stack, Identity) {
        // SAFETY: tasks of models live for ever.
        let task = unsafe { task.as_ref() };
        let identity = Identity {
            name: None,
            ..*task.identity()
        };
        (Stack, identity)
    }

    /// Wakes it, by its one wake.
    pub(crate) fn wake(&'static self) {
        let before = self.wakes.fetch_add(1, Ordering::Relaxed);
        assert_eq!(before, 0, "one wake for each suspension");
        // SAFETY: as just seen.
        unsafe { self.home.ready(NonNull::from(self)) };
    }
}
