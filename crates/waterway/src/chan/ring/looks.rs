//! What a ring tells of itself to those who neither put a value nor take one.

use super::{Front, Ring, STATE, Ticket};
use crate::primitives::{Ordering, Spin};

impl<T> Ring<T> {
    /// True if a slot can be claimed.
    pub(crate) fn has_room(&self) -> bool {
        !self.is_full(self.tail() & !STATE, &mut Spin::new())
    }

    /// The position of the next receive. A ring without a value stays so until it has moved, seen backwards: if it is the same
    /// before and after a `pop` that found nothing, there was nothing all the time up to that `pop`.
    pub(crate) fn head(&self) -> usize {
        self.head.0.load(Ordering::SeqCst)
    }

    /// The position of the next send. As `head`, for a `claim` that found no room.
    pub(crate) fn tail(&self) -> usize {
        self.tail.0.load(Ordering::SeqCst)
    }

    /// A mark if the ring is open and empty: it was for as long as the mark stays the same.
    #[inline]
    pub(crate) fn is_bare(&self) -> Option<usize> {
        // In this order: `head` does not move back, nor pass `tail`, so at the second look both were the same.
        let head = self.head();
        (self.tail() == head).then_some(head)
    }

    /// True if a value can be taken now, or is just being put.
    pub(crate) fn has_value(&self) -> bool {
        let mut spin = Spin::new();
        while let Front::Value(head) = self.front(&mut spin) {
            if self.head() == head {
                return true;
            }
        }
        false
    }

    /// The place that the oldest value stands in, if that can be taken.
    pub(crate) fn first_place(&self) -> Option<usize> {
        match self.front(&mut Spin::new()) {
            Front::Value(head) => Some(self.index(head)),
            _ => None,
        }
    }

    /// The place of a claimed slot.
    pub(crate) fn place_of(&self, at: &Ticket) -> usize {
        self.index(at.0)
    }

    /// True if a reserved place stands first, which nobody can take a value from.
    pub(crate) fn is_reserved(&self) -> bool {
        matches!(self.front(&mut Spin::new()), Front::Reserved(_))
    }

    /// How many values were ever put, taken, and (among these) dropped by `clear`.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        // Before the positions that they count among.
        let cleared = self.cleared.load(Ordering::Acquire);
        let skipped = self.skipped.load(Ordering::Acquire);
        let (head, tail) = self.ends();
        (
            self.count(tail) - skipped,
            self.count(head) - skipped,
            cleared,
        )
    }

    /// How many slots were passed up to this position.
    fn count(&self, position: usize) -> u64 {
        (position / self.one_lap() * self.cap + self.index(position)) as u64
    }

    /// Slots in use, reserved ones included, and one that is just being skipped.
    pub(crate) fn len(&self) -> usize {
        while self.skip_void() {}
        let (head, tail) = self.ends();
        let (from, to) = (self.index(head), self.index(tail));
        if tail & !STATE == head {
            0
        } else if from < to {
            to - from
        } else {
            self.cap - from + to
        }
    }

    /// `head` and `tail`, as they stood together.
    fn ends(&self) -> (usize, usize) {
        loop {
            let tail = self.tail();
            let head = self.head();
            if self.tail() == tail {
                return (head, tail);
            }
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.cap
    }

    /// The address of `head`.
    pub(crate) fn gauge(&self) -> usize {
        std::ptr::from_ref(&self.head) as usize
    }
}
