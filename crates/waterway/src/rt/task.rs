//! A goroutine that has started: its descriptor, at the top of its own stack.
//!
//! # Invariants
//!
//! - I1: a task lives from `Task::start` to `Task::finish`, both called by its home worker, which alone resumes it.
//! - I2: while a task is alive its descriptor does not move: it lies on the stack that it owns.
//! - I3: a suspended task has at most one wake under way (`park` I2), so its `link` has one writer at a time.
//! - I4: `stack` and `fiber` are there from `Task::start` to `Task::finish`; `suspender` from the first `resume` on.

use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use waterway_stack::{Fiber, Stack, Suspender};

use super::cell::{Identity, StartedCell, Unstarted};
use super::record::Record;
use super::worker::Worker;
use crate::primitives::AtomicBool;

/// Descriptor of a started goroutine.
pub(crate) struct Task {
    /// In the run queue or the inbox: the next one.
    pub(super) link: Cell<Option<NonNull<Task>>>,
    /// The worker that the goroutine lives on.
    pub(super) home: &'static Worker,
    pub(crate) record: Record,
    pub(crate) identity: Identity,
    /// Woken, or gave way, and not resumed yet. A fact for reports: written by who holds the one wake.
    pub(crate) runnable: AtomicBool,
    /// Place in the home worker's list of live tasks, guarded by its lock.
    pub(super) place: Cell<usize>,
    suspender: Cell<*const Suspender>,
    fiber: UnsafeCell<MaybeUninit<Fiber>>,
    stack: UnsafeCell<MaybeUninit<Stack>>,
}

/// The descriptor is aligned as a cache line.
const ALIGN: usize = 64;

impl Task {
    /// Puts a goroutine onto a stack, ready for its first `resume`.
    pub(super) fn start(cell: Unstarted, stack: Stack, home: &'static Worker) -> NonNull<Task> {
        let (identity, cell) = cell.start();
        let at = (stack.top() - size_of::<Task>()) & !(ALIGN - 1);
        let bottom = stack.bottom();
        let task = at as *mut Task;
        // SAFETY: the stack is ours (stack pool I1), unused, and larger than a descriptor; `at` is aligned and within
        // it.
        unsafe {
            task.write(Task {
                link: Cell::new(None),
                home,
                record: Record::new(),
                identity,
                runnable: AtomicBool::new(true),
                place: Cell::new(0),
                suspender: Cell::new(std::ptr::null()),
                fiber: UnsafeCell::new(MaybeUninit::uninit()),
                stack: UnsafeCell::new(MaybeUninit::new(stack)),
            });
        }
        let handle = NonNull::new(task).expect("a stack is not at address 0");
        // SAFETY: the range below the descriptor is the rest of the stack, which is the task's until it has finished
        // (I1). What the body borrows, the descriptor and the cell, lives as long (I2, `cell` I4).
        let fiber =
            unsafe { Fiber::new(at, bottom, move |suspender| body(handle, cell, suspender)) };
        // SAFETY: I1: nobody else has the task yet.
        unsafe { (*handle.as_ref().fiber.get()).write(fiber) };
        handle
    }

    /// Runs the goroutine until it suspends (false) or has finished (true).
    ///
    /// # Safety
    ///
    /// Called by the home worker's scheduler, of a task that is suspended or new.
    #[inline]
    pub(super) unsafe fn resume(&self) -> bool {
        // SAFETY: I1: only here is the fiber touched, by one thread, and never while it runs.
        unsafe { (*self.fiber.get()).assume_init_mut() }.resume()
    }

    /// Switches from the goroutine to its worker's scheduler. Comes back when it is resumed.
    ///
    /// # Safety
    ///
    /// Called on the goroutine's own stack, with its one wake arranged for.
    #[inline]
    pub(super) unsafe fn suspend(&self) {
        // SAFETY: I4: by the caller this is the goroutine itself, so it has begun; the suspender lies on its stack.
        unsafe { &*self.suspender.get() }.suspend();
    }

    /// Takes apart a goroutine that has finished: its stack, and who it was.
    ///
    /// # Safety
    ///
    /// `resume` has returned true, the task is in no list, and is not used again.
    pub(super) unsafe fn finish(task: NonNull<Task>) -> (Stack, Identity) {
        let task = task.as_ptr();
        // SAFETY: by the caller the task is given up, and each is read once; the rest (a finished fiber) needs no drop. I4.
        unsafe {
            (
                (&raw const (*task).stack).read().into_inner().assume_init(),
                (&raw const (*task).identity).read(),
            )
        }
    }

    /// The addresses of the goroutine's stack below its descriptor.
    pub(crate) fn stack_range(&self) -> std::ops::Range<usize> {
        // SAFETY: I4.
        let stack = unsafe { (*self.stack.get()).assume_init_ref() };
        stack.bottom()..std::ptr::from_ref(self) as usize
    }
}

fn body(task: NonNull<Task>, cell: StartedCell, suspender: &Suspender) {
    // SAFETY: I2: the descriptor is right above this stack.
    unsafe { task.as_ref() }.suspender.set(suspender);
    // SAFETY: the fiber was given this stack for this goroutine alone.
    unsafe { cell.run() };
}
