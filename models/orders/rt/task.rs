//! A woken goroutine: a link, and something that its waker left for it.

use std::ptr::NonNull;

use loom::cell::UnsafeCell;

/// Who reads a link must have seen its writer.
pub(crate) struct Link(UnsafeCell<Option<NonNull<Task>>>);

impl Link {
    pub(crate) fn get(&self) -> Option<NonNull<Task>> {
        // SAFETY: loom checks that nobody else is at it.
        self.0.with(|at| unsafe { *at })
    }

    pub(crate) fn set(&self, to: Option<NonNull<Task>>) {
        // SAFETY: as above.
        self.0.with_mut(|at| unsafe { *at = to });
    }
}

pub(crate) struct Task {
    pub(crate) link: Link,
    left: UnsafeCell<usize>,
}

impl Task {
    pub(crate) fn fetch_stack(&self, _: usize) {}

    pub(crate) fn fetch_descriptor(_: NonNull<Task>) {}

    /// A goroutine that nobody has woken. Models are short: it stays for ever.
    pub(crate) fn new() -> &'static Task {
        Box::leak(Box::new(Task {
            link: Link(UnsafeCell::new(None)),
            left: UnsafeCell::new(0),
        }))
    }

    pub(crate) fn leave(&self, n: usize) {
        // SAFETY: loom checks that nobody else is at it.
        self.left.with_mut(|at| unsafe { *at = n });
    }

    pub(crate) fn left(&self) -> usize {
        // SAFETY: as above.
        self.left.with(|at| unsafe { *at })
    }
}

/// A goroutine that is handed to a thread of the model.
#[derive(Clone, Copy)]
pub(crate) struct Handed(pub(crate) &'static Task);

// SAFETY: loom checks what is done with it.
unsafe impl Send for Handed {}
