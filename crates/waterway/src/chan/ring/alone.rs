//! Moves of a ring that its caller has to itself, by plain stores.
//!
//! Positions and stamps are kept as the others' ways have them, so whoever comes after (`chan/door.rs` says when) goes on by those.
//! But nothing is on its way meanwhile: a slot at `tail` or `head` is in the lap of that position, or still full from the lap before.
//! So its state tells all.

use std::hint::cold_path;

use super::{FREE, FULL, Ring, STATE, STEP, Slot};
use crate::primitives::Ordering;

/// The next slot to send into, which is free.
pub(crate) struct Room<'a, T> {
    slot: &'a Slot<T>,
    tail: usize,
    /// `tail`, in its lap.
    at: usize,
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
        let at = tail & self.in_lap;
        // SAFETY: it is open, so the low bits of `tail` are free.
        let slot = unsafe { self.slot_alone(at) };
        let stamp = slot.stamp.load(Ordering::Relaxed);
        (stamp & STATE == FREE).then_some(Room {
            slot,
            tail,
            at,
            stamp,
        })
    }

    /// Sends into that slot.
    ///
    /// # Safety
    ///
    /// As for `room_alone`, from which `room` is, of this ring.
    #[inline]
    pub(crate) unsafe fn push_alone(&self, room: Room<'_, T>, value: T) {
        let Room {
            slot,
            tail,
            at,
            stamp,
        } = room;
        debug_assert_eq!(stamp, self.lap(tail) | FREE);
        let next = self.next_alone(tail, at);
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
        let at = head & self.in_lap;
        // SAFETY: the low bits of `head` are free.
        let slot = unsafe { self.slot_alone(at) };
        let stamp = slot.stamp.load(Ordering::Relaxed);
        if stamp & STATE != FULL {
            return None;
        }
        debug_assert_eq!(stamp, self.lap(head) | FULL);
        let next = self.next_alone(head, at);
        // SAFETY: R1, R2: it is full, and `head` is moved past it here, by the caller's word by nobody else.
        let value = unsafe { (*slot.value.get()).assume_init_read() };
        let free = stamp.wrapping_add(self.in_lap + 1 - FULL);
        slot.stamp.store(free, Ordering::Relaxed);
        self.head.0.store(next, Ordering::Relaxed);
        Some(value)
    }

    /// The slot at a position in its lap.
    ///
    /// # Safety
    ///
    /// The two low bits of the position are free.
    #[inline]
    unsafe fn slot_alone(&self, at: usize) -> &Slot<T> {
        // A slot begins with a word, so this is a whole number.
        const { assert!(size_of::<Slot<T>>().is_multiple_of(STEP)) };
        // SAFETY: as in `slot`: a slot's index is a position by `STEP`.
        unsafe {
            self.slots
                .byte_add(at * (size_of::<Slot<T>>() / STEP))
                .as_ref()
        }
    }

    /// As `next`, of a position whose two low bits are free: of an open ring. In fewer steps: where the places of a lap are a power
    /// of two, the next lap's first position is one step further, like any other.
    #[inline]
    fn next_alone(&self, position: usize, at: usize) -> usize {
        if at == self.short_at {
            cold_path();
            return (position | self.in_lap).wrapping_add(1);
        }
        position.wrapping_add(STEP)
    }
}
