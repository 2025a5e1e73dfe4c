//! Where a value waits to be fetched, or is put: the memory that a waiter's node points to.
//!
//! # Invariants
//!
//! - S1: while its node is queued, a slot is touched only under the channel's lock.
//! - S2: after a claim, and until its `wake`, a blocked waiter's slot belongs to the claimer; a task's slot is never
//!   touched outside the lock.
//! - S3: otherwise it belongs to its owner.
//! - S4: a receiver's slot is empty when its node enters a queue or its waiter is bound to a sender, and one claim
//!   fills it: nothing is dropped by filling it.

use std::cell::{Cell, UnsafeCell};
use std::panic::Location;
use std::ptr::NonNull;

use super::ring::Ticket;
use crate::wait::{Claimed, Node};

/// Where a receiver gets its value.
pub(crate) struct RecvSlot<T>(UnsafeCell<Option<T>>);

impl<T> RecvSlot<T> {
    pub(super) const fn new() -> RecvSlot<T> {
        RecvSlot(UnsafeCell::new(None))
    }

    /// The slot of a receiver's node.
    ///
    /// # Safety
    ///
    /// The node stands in a receivers' queue of a channel of `T`, and is used under that channel's lock or by its
    /// claimer.
    pub(super) unsafe fn of(node: NonNull<Node>) -> NonNull<RecvSlot<T>> {
        // SAFETY: the caller.
        let slot = unsafe { node.as_ref() }.slot();
        NonNull::new(slot.cast()).expect("the node of a blocked receiver has a slot")
    }

    /// # Safety
    ///
    /// By the claimer, or the owner (S2, S3).
    #[inline]
    pub(super) unsafe fn put(&self, value: T) {
        // SAFETY: the caller has the slot to itself. Nothing is dropped here (S4).
        unsafe { *self.0.get() = Some(value) };
    }

    /// Takes the value. For the owner, while its node is in no queue and nobody has it claimed (S3).
    #[inline]
    pub(super) fn take(&self) -> Option<T> {
        // SAFETY: S3.
        unsafe { (*self.0.get()).take() }
    }

    /// True if a value is there. As `take`.
    pub(super) fn is_filled(&self) -> bool {
        // SAFETY: S3.
        unsafe { (*self.0.get()).is_some() }
    }

    pub(super) fn erased(&self) -> *mut () {
        std::ptr::from_ref(self).cast_mut().cast()
    }
}

/// What a waiting `select` was given so that it can send.
pub(super) enum Grant<T> {
    /// A reserved slot of the ring.
    Slot(Ticket),
    /// A receiver that is claimed and waits for the value.
    Peer(Claimed, NonNull<RecvSlot<T>>),
    /// Nothing but the word to go ahead: the message is sent as a blocking send would.
    Plain,
}

/// Where a sender's value waits; for an arm of a `select` there is none yet, it gets a grant.
pub(super) struct SendSlot<T> {
    value: UnsafeCell<Option<T>>,
    grant: Cell<Option<Grant<T>>>,
    lazy: bool,
    /// Where the send was called; of a lazy one that is not known yet.
    site: Option<&'static Location<'static>>,
    /// Of a lazy one in a queue: somebody wanted the value at once, and went without it.
    wanted: Cell<bool>,
}

impl<T> SendSlot<T> {
    pub(super) const fn new(value: T, site: &'static Location<'static>) -> SendSlot<T> {
        SendSlot {
            value: UnsafeCell::new(Some(value)),
            grant: Cell::new(None),
            lazy: false,
            site: Some(site),
            wanted: Cell::new(false),
        }
    }

    /// A slot whose value does not exist yet.
    pub(super) const fn lazy() -> SendSlot<T> {
        SendSlot {
            value: UnsafeCell::new(None),
            grant: Cell::new(None),
            lazy: true,
            site: None,
            wanted: Cell::new(false),
        }
    }

    /// The slot of a sender's node.
    ///
    /// # Safety
    ///
    /// The node stands in a senders' queue of a channel of `T`, and is used under that channel's lock or by its
    /// claimer.
    pub(super) unsafe fn of<'a>(node: &Node) -> &'a SendSlot<T> {
        // SAFETY: the caller; senders' nodes always have a slot.
        unsafe { &*node.slot().cast::<SendSlot<T>>() }
    }

    pub(super) fn is_lazy(&self) -> bool {
        self.lazy
    }

    pub(super) fn site(&self) -> Option<&'static Location<'static>> {
        self.site
    }

    /// See `wanted`. Under the lock.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.get()
    }

    /// As `is_wanted`.
    pub(super) fn set_wanted(&self, wanted: bool) {
        self.wanted.set(wanted);
    }

    /// Takes the value, if it is still there: under the lock, or as the owner when it is in no queue (S1 to S3).
    #[inline]
    pub(super) fn take(&self) -> Option<T> {
        // SAFETY: S1 to S3.
        unsafe { (*self.value.get()).take() }
    }

    /// True if nobody has fetched the value. As `take`.
    #[inline]
    pub(super) fn is_filled(&self) -> bool {
        // SAFETY: S1 to S3.
        unsafe { (*self.value.get()).is_some() }
    }

    pub(super) fn give(&self, grant: Grant<T>) {
        self.grant.set(Some(grant));
    }

    pub(super) fn granted(&self) -> Option<Grant<T>> {
        self.grant.take()
    }

    pub(super) fn erased(&self) -> *mut () {
        std::ptr::from_ref(self).cast_mut().cast()
    }
}
