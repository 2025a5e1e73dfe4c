//! Moves of a ring that its caller has to itself, by plain stores.
//!
//! Positions and stamps are kept as the others' ways have them, so whoever comes after (`chan/door.rs` says when) goes on by those.
//! But nothing is on its way meanwhile: a slot at `tail` or `head` is in the lap of that position, or still full from the lap before.
//! So its state tells all.

use super::{FREE, FULL, Ring, STATE, STEP, Slot};
use crate::primitives::Ordering;

/// The next slot to send into, which is free.
pub(crate) struct Room<'a, T> {
    slot: &'a Slot<T>,
    tail: usize,
    stamp: usize,
}

impl<T> Ring<T> {
    /// The slot for the next value, if it is free. (What is in the way may be no more than a void slot.)
    ///
    /// # Safety
    ///
    /// The caller has the ring to itself until the slot is filled, and the ring is open.
    #[inline]
    pub(crate) unsafe fn room_alone(&self) -> Option<Room<'_, T>> {
        let tail = self.tail.0.load(Ordering::Relaxed);
        let slot = self.slot(tail);
        let stamp = slot.stamp.load(Ordering::Relaxed);
        (stamp & STATE == FREE).then_some(Room { slot, tail, stamp })
    }

    /// Sends into that slot.
    ///
    /// # Safety
    ///
    /// As for `room_alone`, from which `room` is, of this ring.
    #[inline]
    pub(crate) unsafe fn push_alone(&self, room: Room<'_, T>, value: T) {
        let Room { slot, tail, stamp } = room;
        debug_assert_eq!(stamp, self.lap(tail) | FREE);
        let next = self.next_alone(tail);
        // SAFETY: R2: it is free, and `tail` is moved past it here, by the caller's word by nobody else.
        unsafe { (*slot.value.get()).write(value) };
        slot.stamp.store(stamp + FULL, Ordering::Relaxed);
        self.tail.0.store(next, Ordering::Relaxed);
    }

    /// Takes the oldest value, if one stands first. (Nothing may mean no more than that a void slot does.)
    ///
    /// # Safety
    ///
    /// The caller has the ring to itself.
    #[inline]
    pub(crate) unsafe fn pop_alone(&self) -> Option<T> {
        let head = self.head.0.load(Ordering::Relaxed);
        let slot = self.slot(head);
        let stamp = slot.stamp.load(Ordering::Relaxed);
        if stamp & STATE != FULL {
            return None;
        }
        debug_assert_eq!(stamp, self.lap(head) | FULL);
        let next = self.next_alone(head);
        // SAFETY: R1, R2: it is full, and `head` is moved past it here, by the caller's word by nobody else.
        let value = unsafe { (*slot.value.get()).assume_init_read() };
        let free = stamp.wrapping_add(self.one_lap - FULL);
        slot.stamp.store(free, Ordering::Relaxed);
        self.head.0.store(next, Ordering::Relaxed);
        Some(value)
    }

    /// As `next`, of a position whose two low bits are free: of an open ring. In fewer steps.
    #[inline]
    fn next_alone(&self, position: usize) -> usize {
        let in_lap = self.one_lap - 1;
        if position & in_lap == (self.cap - 1) * STEP {
            return (position | in_lap).wrapping_add(1);
        }
        position + STEP
    }
}
