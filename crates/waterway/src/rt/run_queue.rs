//! The goroutines of one worker that may go on: an intrusive list, first in, first out, that one thread uses.
//!
//! # Invariants
//!
//! - I1: a task in the list is alive and suspended, or about to be, and in no other queue; its `link` is the list's.

use std::ptr::NonNull;

use super::task::Task;

/// See the module.
#[derive(Default)]
pub(super) struct RunQueue {
    head: Option<NonNull<Task>>,
    tail: Option<NonNull<Task>>,
}

impl RunQueue {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// # Safety
    ///
    /// The task lives here, is suspended or about to be, and stands in no queue (I1).
    #[inline]
    pub(super) unsafe fn push_back(&mut self, task: NonNull<Task>) {
        // SAFETY: by the caller.
        unsafe { task.as_ref() }.link.set(None);
        match self.tail {
            // SAFETY: I1.
            Some(tail) => unsafe { tail.as_ref() }.link.set(Some(task)),
            None => self.head = Some(task),
        }
        self.tail = Some(task);
    }

    /// Adds a chain of goroutines, linked from `first` to `last`.
    ///
    /// # Safety
    ///
    /// As [`push_back`](Self::push_back), for each; `last` is linked to nobody.
    pub(super) unsafe fn append(&mut self, first: NonNull<Task>, last: NonNull<Task>) {
        match self.tail {
            // SAFETY: I1.
            Some(tail) => unsafe { tail.as_ref() }.link.set(Some(first)),
            None => self.head = Some(first),
        }
        self.tail = Some(last);
    }

    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<NonNull<Task>> {
        let task = self.head?;
        // SAFETY: I1.
        self.head = unsafe { task.as_ref() }.link.take();
        if self.head.is_none() {
            self.tail = None;
        }
        Some(task)
    }
}
