//! An async task's place in a queue: waiter, node and slot in one box.
//!
//! # Invariants
//!
//! - T1: the box is freed only by `drop`, before which the future has taken the node out of its queue, under the lock.
//! - T2: node, waiter and slot are touched only under the channel's lock, but for reads by the future while they stand
//!   in no queue.

use std::ptr::NonNull;
use std::task::Waker;

use crate::wait::{Node, Waiter};

struct Place<S> {
    waiter: Waiter,
    node: Option<Node>,
    slot: S,
}

/// Owns the place of one pending operation.
pub(super) struct Task<S>(NonNull<Place<S>>);

// SAFETY: T2: whatever thread the future is on, the lock orders all accesses. `S` is `()` or the slot of a `T`, and
// whoever holds the task has an end of the channel beside it, which keeps it on its thread unless `T` is Send.
unsafe impl<S> Send for Task<S> {}
// SAFETY: as for Send; a shared task gives nothing but its waiter's state.
unsafe impl<S> Sync for Task<S> {}

impl<S> Task<S> {
    /// A place with `slot` in it. `erase` says what the node's slot is.
    pub(super) fn new(waker: Waker, slot: S, erase: fn(&S) -> *mut ()) -> Task<S> {
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

    pub(super) fn waiter(&self) -> &Waiter {
        &self.place().waiter
    }

    pub(super) fn slot(&self) -> &S {
        &self.place().slot
    }

    pub(super) fn node(&self) -> &Node {
        self.place().node.as_ref().expect("set in `new`")
    }
}

impl<S> Drop for Task<S> {
    fn drop(&mut self) {
        // SAFETY: T1; made by `Box`.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}
