//! An async task's wait in one queue, over all its polls. Tasks are notified, never handed: what a task waits for it takes
//! in `poll`, and until then it keeps its place in the queue, told or not. Whoever serves the queue decides who may
//! pass it there. A task that goes tells those behind it.
//!
//! # Invariants
//!
//! - T1: the box is freed only by `drop`, before which the node has been taken out of its queue, under the lock.
//! - T2: node, waiter and slot are touched only under the queue's lock, but for reads by the future while they stand
//!   in no queue.
//! - T3: a [`TaskWait`] puts its node into the one queue that its `at` names, which `at` keeps alive.

use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use super::call::Waited;
use super::queue::{Node, WaitQueue};
use crate::primitives::Lock;
use crate::rt::park::{Claimed, Waiter};

struct Place<S> {
    waiter: Waiter,
    node: Option<Node>,
    slot: S,
}

/// A task's place in a queue: waiter, node and slot in one box.
pub(crate) struct Task<S>(NonNull<Place<S>>);

// SAFETY: T2: whatever thread the future is on, the lock orders all accesses. `S` is plain data, or the slot of a `T` beside
// which the future has an end of the channel, which keeps it on its thread unless `T` is Send.
unsafe impl<S> Send for Task<S> {}
// SAFETY: as for Send; a shared task gives nothing but its waiter's state.
unsafe impl<S> Sync for Task<S> {}

impl<S> Task<S> {
    /// A place with `slot` in it. `erase` says what the node's slot is.
    pub(crate) fn new(waker: Waker, slot: S, erase: fn(&S) -> *mut ()) -> Task<S> {
        let place = Box::new(Place {
            waiter: Waiter::task(waker),
            node: None,
            slot,
        });
        let place = NonNull::from(Box::leak(place));
        // SAFETY: just made, and nobody else has it. Only the one field is borrowed mutably: the node keeps pointers to
        // the others.
        unsafe {
            let node = Node::new(&place.as_ref().waiter, 1, erase(&place.as_ref().slot));
            (&raw mut (*place.as_ptr()).node).write(Some(node));
        }
        Task(place)
    }

    fn place(&self) -> &Place<S> {
        // SAFETY: T1.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn waiter(&self) -> &Waiter {
        &self.place().waiter
    }

    pub(crate) fn slot(&self) -> &S {
        &self.place().slot
    }

    pub(crate) fn node(&self) -> &Node {
        self.place().node.as_ref().expect("set in `new`")
    }
}

impl<S> Drop for Task<S> {
    fn drop(&mut self) {
        // SAFETY: T1; made by `Box`.
        let place = unsafe { Box::from_raw(self.0.as_ptr()) };
        place.waiter.drop_waker();
    }
}

/// Where a task waits, and for what. It names the same queue as long as it lives, and keeps it alive (T3).
pub(crate) trait WaitsAt {
    /// What the queue belongs to.
    type State: Waited;
    /// What those who serve the queue find in a node's slot.
    type Slot;

    /// The lock of the queue.
    fn lock(&self) -> &Lock<Self::State>;

    /// A slot for a task that must wait.
    fn slot(&self) -> Self::Slot;

    /// Takes what is waited for, if it is there for a task that stands so; pushes who else may go on because of that.
    fn take(&self, state: &mut Self::State, stand: &Stand<'_>, others: &mut Vec<Claimed>) -> bool;

    /// The task has left the queue with empty hands: who may go on now? `told`: it had been notified.
    fn left(&self, state: &mut Self::State, told: bool) -> Vec<Claimed>;
}

/// One wait of a task: from a poll that finds it must wait to its end.
pub(crate) struct TaskWait<W: WaitsAt> {
    at: W,
    task: Option<Task<W::Slot>>,
    over: bool,
}

/// How a task that is polled stands in the queue.
pub(crate) struct Stand<'a>(&'a Node);

impl Stand<'_> {
    /// It has been notified since it last found that it must wait.
    pub(crate) fn told(&self) -> bool {
        self.0.waiter().claimed().is_some()
    }

    /// It stands in the queue: it has been polled before, and has not been taken out since.
    pub(crate) fn is_queued(&self) -> bool {
        self.0.is_queued()
    }

    /// The next in line is this one, or nobody.
    pub(crate) fn is_next(&self, next: Option<&Node>) -> bool {
        next.is_none_or(|next| std::ptr::eq(next, self.0))
    }

    /// Takes it out of `queue`, if it is in.
    pub(crate) fn leave(&self, queue: &mut WaitQueue) {
        queue.remove(self.0);
    }
}

impl<W: WaitsAt> TaskWait<W> {
    pub(crate) fn new(at: W) -> TaskWait<W> {
        TaskWait {
            at,
            task: None,
            over: false,
        }
    }

    pub(crate) fn at(&self) -> &W {
        &self.at
    }

    /// True before the first poll that found that it must wait.
    pub(crate) fn is_new(&self) -> bool {
        self.task.is_none()
    }

    /// What it waited for it was told of, and did not find at once. Asked when it was ready.
    pub(crate) fn was_told(&self) -> bool {
        let told = |task: &Task<_>| task.waiter().claimed().is_some();
        self.task.as_ref().is_some_and(told)
    }

    /// Ready when it has been taken. Else the task stands in the queue, with the waker of `cx`.
    ///
    /// # Panics
    ///
    /// If it was ready before.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        assert!(!self.over, "a future was polled after it was ready");
        let waker = cx.waker().clone();
        let (task, fresh) = match &self.task {
            Some(task) => (task, Some(waker)),
            None => {
                let erase = |slot: &W::Slot| std::ptr::from_ref(slot).cast_mut().cast();
                let task = Task::new(waker, self.at.slot(), erase);
                (&*self.task.insert(task), None)
            }
        };
        let mut others = Vec::new();
        // The old waker is dropped when the lock is free: that is user code.
        let _old;
        let mut state = self.at.lock().lock();
        let taken = self.at.take(&mut state, &Stand(task.node()), &mut others);
        if taken {
            state.queue().remove(task.node());
            // The box stays: its waker is dropped with the future, when what was taken is in safe hands.
            self.over = true;
        } else {
            _old = fresh.and_then(|waker| task.waiter().set_waker(waker));
            if !task.node().is_queued() {
                // SAFETY: T1, T3: `drop` takes it out.
                unsafe { state.queue().push_back(task.node()) };
            }
        }
        drop(state);
        others.into_iter().for_each(Claimed::wake);
        match taken {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl<W: WaitsAt> Drop for TaskWait<W> {
    #[inline]
    fn drop(&mut self) {
        if let Some(task) = &self.task
            && !self.over
        {
            self.leave(task);
        }
    }
}

impl<W: WaitsAt> TaskWait<W> {
    /// The task does not wait to the end.
    #[cold]
    fn leave(&self, task: &Task<W::Slot>) {
        let others = {
            let mut state = self.at.lock().lock();
            state.queue().remove(task.node());
            self.at.left(&mut state, task.waiter().claimed().is_some())
        };
        others.into_iter().for_each(Claimed::wake);
    }
}
