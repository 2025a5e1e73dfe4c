//! A goroutine that has started: its descriptor, at the top of its own stack.
//!
//! # Invariants
//!
//! - I1: a task lives from `Task::start` to `Task::finish`, both called by its home worker, which alone resumes it.
//! - I2: while a task is alive its descriptor does not move: it lies on the stack that it owns.
//! - I3: a suspended task has at most one wake under way (`park` I2), so its `link` has one writer at a time.
//! - I4: `stack` is there from `Task::start` to `Task::finish`.
//! - I5: whoever looks at the goroutine of a task is that goroutine, or has the lock of the list that the task is in, or knows that it
//!   cannot finish meanwhile. When it has, another one may take its place (`replace`): under that lock, on the worker's own thread.
//! - I6: of the fibers of one worker, its base and its tasks', one runs, on the worker's thread. A task's was left by `suspend`,
//!   or is new; while a task runs, the base was left by `resume`.

use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use waterway_stack::{Fiber, Stack};

use super::arena::fetch;
use super::cell::{CellAt, Identity, Owned, StartedCell, Unstarted};
use super::record::Record;
use super::run_queue::STACK_BYTES;
use super::worker::Worker;
use crate::primitives::AtomicBool;

/// Descriptor of a started goroutine. What a wake and a switch touch lies in its first line of the cache.
#[repr(C)]
pub(crate) struct Task {
    /// The worker that the goroutine lives on.
    pub(super) home: &'static Worker,
    fiber: Fiber,
    /// In the inbox: the one that came before.
    pub(super) link: Cell<Option<NonNull<Task>>>,
    /// Woken, or gave way, and not resumed yet. A fact for reports: written by who holds the one wake.
    pub(crate) runnable: AtomicBool,
    /// Its epoch comes first.
    pub(crate) record: Record,
    /// Place in the home worker's list of live tasks, guarded by its lock.
    pub(super) place: Cell<usize>,
    identity: UnsafeCell<Identity>,
    stack: UnsafeCell<MaybeUninit<Stack>>,
    /// Its stack is of the default size.
    usual: bool,
    /// Where its cell lies. Set before the goroutine runs, and so before it waits: who has claimed its wake may read it, on any thread.
    cell: Cell<CellAt>,
}

/// The descriptor is aligned as a cache line.
const ALIGN: usize = 64;

impl Task {
    /// Puts a goroutine onto a stack, ready for its first `resume`.
    pub(super) fn start(cell: Unstarted, stack: Stack, home: &'static Worker) -> NonNull<Task> {
        let usual = cell.stack_size() == 0;
        let (identity, cell) = cell.start();
        let cell_at = cell.at();
        let at = (stack.top() - size_of::<Task>()) & !(ALIGN - 1);
        let task = NonNull::new(at as *mut Task).expect("a stack is not at address 0");
        // SAFETY: the range below the descriptor is the rest of the stack, which is ours (stack pool I1) and then the task's until
        // it has finished (I1). What the body borrows, the descriptor and the cell, lives as long (I2, `cell` I4), and it ends
        // in its worker's base, which was left (I6).
        let fiber = unsafe { Fiber::new(at, stack.bottom(), move || body(task, cell)) };
        // SAFETY: unused memory of the stack, which is larger than a descriptor; `at` is aligned and within it.
        unsafe {
            task.write(Task {
                link: Cell::new(None),
                home,
                record: Record::new(),
                identity: UnsafeCell::new(identity),
                runnable: AtomicBool::new(true),
                place: Cell::new(0),
                fiber,
                stack: UnsafeCell::new(MaybeUninit::new(stack)),
                usual,
                cell: Cell::new(cell_at),
            });
        }
        task
    }

    /// Runs the goroutine, which is `new` or was suspended, and those that go on after it without the scheduler. True if the last
    /// of them has finished.
    ///
    /// # Safety
    ///
    /// Called by the home worker's scheduler, of a task that is suspended or new.
    #[inline]
    pub(super) unsafe fn resume(&self, new: bool) -> bool {
        let base = &self.home.base;
        // SAFETY: I6: this is the base, and the task is not run; by the caller it is new, or not.
        unsafe {
            match new {
                true => base.fiber.enter(&self.fiber),
                false => base.fiber.switch(&self.fiber),
            }
        }
        base.ended.take()
    }

    /// Switches from the goroutine, which is queued, to whoever goes on: the next one, or its worker's scheduler. Comes back when it is
    /// resumed.
    ///
    /// # Safety
    ///
    /// Called on the goroutine's own stack.
    #[inline(never)]
    pub(super) unsafe fn suspend(&self) {
        if let Some(departure) = self.departure(self.home.go_on()) {
            // SAFETY: by the caller, and at once.
            unsafe { departure.go() };
        }
    }

    /// Begins the turn of who goes on after the running goroutine, this one: the switch is to be made at once. `None` if it goes on
    /// itself.
    #[inline(never)]
    pub(super) fn depart(&self) -> Option<Departure> {
        match self.home.chain_on() {
            Some(next) => self.departure(Some(next)),
            // Apart, so that the short way saves no registers.
            None => self.depart_otherwise(),
        }
    }

    #[inline(never)]
    fn depart_otherwise(&self) -> Option<Departure> {
        self.departure(self.home.go_on())
    }

    #[inline]
    fn departure(&self, next: Option<NonNull<Task>>) -> Option<Departure> {
        let to = match next {
            Some(next) if next == NonNull::from(self) => return None,
            // SAFETY: it was queued, so it has not finished (I1).
            Some(next) => unsafe { NonNull::from(&next.as_ref().fiber) },
            None => NonNull::from(&self.home.base.fiber),
        };
        let from = NonNull::from(&self.fiber);
        Some(Departure { from, to })
    }

    /// Another goroutine takes the place of one that has finished: gives what that one had, and what runs next.
    ///
    /// # Safety
    ///
    /// Called on the task's stack, when the goroutine's cell has run, and under the lock of the list that it is in (I5).
    #[inline]
    pub(super) unsafe fn replace(task: NonNull<Task>, cell: Unstarted) -> (Owned, StartedCell) {
        let (identity, cell) = cell.start();
        // SAFETY: by the caller: alive.
        unsafe { task.as_ref() }.cell.set(cell.at());
        // SAFETY: I5: nobody else looks at it now.
        let before = unsafe { &mut *task.as_ref().identity.get() };
        (before.replace(identity), cell)
    }

    /// Who the goroutine is.
    #[inline]
    pub(crate) fn identity(&self) -> &Identity {
        // SAFETY: I5.
        unsafe { &*self.identity.get() }
    }

    /// True if its stack is of the default size.
    #[inline]
    pub(super) fn is_usual(&self) -> bool {
        self.usual
    }

    /// Takes apart a goroutine that has finished: its stack, and who it was.
    ///
    /// # Safety
    ///
    /// `resume` has returned true, the task is in no list, and is not used again.
    pub(super) unsafe fn finish(task: NonNull<Task>) -> (Stack, Identity) {
        let task = task.as_ptr();
        // SAFETY: by the caller the task is given up, and each is read once; the rest needs no drop. I4.
        unsafe {
            (
                (&raw const (*task).stack).read().into_inner().assume_init(),
                (&raw const (*task).identity).read().into_inner(),
            )
        }
    }

    /// See [`Fiber::fetch`].
    #[inline]
    pub(super) fn fetch(&self) {
        self.fiber.fetch();
    }

    /// The same of all of the stack that is in use, up to `most` bytes.
    pub(super) fn fetch_stack(&self, most: usize) {
        if let Some(left) = self.left_at() {
            fetch(left, most.min(std::ptr::from_ref(self) as usize - left));
        }
    }

    /// Has the processor fetch what the goroutine goes on with, and the cell, which its end touches.
    pub(super) fn fetch_rest(&self) {
        self.fetch_stack(STACK_BYTES);
        self.cell.get().fetch();
    }

    /// Has the processor fetch what a wake touches.
    #[inline]
    pub(super) fn fetch_line(task: NonNull<Task>) {
        fetch(task.as_ptr() as usize, 1);
    }

    /// The same of all of the descriptor.
    #[inline]
    pub(super) fn fetch_descriptor(task: NonNull<Task>) {
        fetch(task.as_ptr() as usize, size_of::<Task>());
    }

    /// See [`Fiber::left_at`].
    pub(super) fn left_at(&self) -> Option<usize> {
        self.fiber.left_at()
    }

    /// The addresses of the goroutine's stack below its descriptor.
    pub(crate) fn stack_range(&self) -> std::ops::Range<usize> {
        // SAFETY: I4.
        let stack = unsafe { (*self.stack.get()).assume_init_ref() };
        stack.bottom()..std::ptr::from_ref(self) as usize
    }
}

impl Task {
    /// The part of the goroutine's stack that is in use, its descriptor and what lies above included; all of it, if it runs. It stays so
    /// while its worker is halted.
    pub(crate) fn used_stack(&self) -> std::ops::Range<usize> {
        let range = self.stack_range();
        self.left_at().unwrap_or(range.start)..range.end + size_of::<Task>()
    }
}

/// A switch from a goroutine to who goes on after it, whose turn has begun.
#[must_use = "somebody else has his turn"]
pub(crate) struct Departure {
    from: NonNull<Fiber>,
    to: NonNull<Fiber>,
}

impl Departure {
    /// Makes the switch. Comes back when the goroutine is resumed.
    ///
    /// # Safety
    ///
    /// On the stack of the goroutine that departs, with its one wake arranged for, and before anything else is done that could switch.
    #[inline(always)]
    pub(crate) unsafe fn go(self) {
        // SAFETY: I6: by the caller the one runs; who goes on was suspended, or is the base, and is in no queue any more. I1.
        unsafe { self.from.as_ref().switch(self.to.as_ref()) };
    }
}

/// Runs a goroutine, and those that take its place, on their stack.
fn body(task: NonNull<Task>, mut cell: StartedCell) -> *const Fiber {
    // SAFETY: I1: it runs.
    let home = unsafe { task.as_ref() }.home;
    loop {
        // SAFETY: the fiber was given this stack for one goroutine after the other.
        unsafe { cell.run() };
        match home.follow(task) {
            Some(next) => cell = next,
            None => break,
        }
    }
    home.base.ended.set(true);
    &raw const home.base.fiber
}

/// Where a worker's scheduler runs: its thread's own stack.
pub(super) struct Base {
    fiber: Fiber,
    /// The goroutine that ran last has finished.
    ended: Cell<bool>,
}

impl Base {
    pub(super) const fn new() -> Base {
        Base {
            fiber: Fiber::of_thread(),
            ended: Cell::new(false),
        }
    }
}
