//! Rings of stamped slots, as a bounded channel has them, filled and emptied on one thread.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::crew::Crew;

const SLOTS: usize = 128;

/// Moves a position on as a ring must that two workers may share: false, if another was faster.
#[inline]
pub fn exchange(position: &AtomicUsize, from: usize, to: usize) -> bool {
    let moved = position.compare_exchange(from, to, Ordering::SeqCst, Ordering::Relaxed);
    moved.is_ok()
}

/// Moves a position on as a ring may that is one thread's own.
#[inline]
pub fn store(position: &AtomicUsize, _: usize, to: usize) -> bool {
    position.store(to, Ordering::Release);
    true
}

struct Slot {
    /// Twice the lap, and one more while there is a value.
    stamp: AtomicUsize,
    value: Cell<usize>,
}

#[repr(align(64))]
struct Line(AtomicUsize);

struct Ring {
    head: Line,
    tail: Line,
    slots: [Slot; SLOTS],
}

impl Ring {
    fn new() -> Ring {
        Ring {
            head: Line(AtomicUsize::new(0)),
            tail: Line(AtomicUsize::new(0)),
            slots: std::array::from_fn(|_| Slot {
                stamp: AtomicUsize::new(0),
                value: Cell::new(0),
            }),
        }
    }

    #[inline]
    fn push(&self, value: usize, advance: impl Fn(&AtomicUsize, usize, usize) -> bool) -> bool {
        let tail = self.tail.0.load(Ordering::SeqCst);
        let (slot, lap) = (&self.slots[tail % SLOTS], tail / SLOTS * 2);
        let free = slot.stamp.load(Ordering::Acquire) == lap;
        if !free || !advance(&self.tail.0, tail, tail + 1) {
            return false;
        }
        slot.value.set(value);
        slot.stamp.store(lap + 1, Ordering::Release);
        true
    }

    #[inline]
    fn pop(&self, advance: impl Fn(&AtomicUsize, usize, usize) -> bool) -> Option<usize> {
        let head = self.head.0.load(Ordering::SeqCst);
        let (slot, lap) = (&self.slots[head % SLOTS], head / SLOTS * 2);
        let full = slot.stamp.load(Ordering::Acquire) == lap + 1;
        if !full || !advance(&self.head.0, head, head + 1) {
            return None;
        }
        let value = slot.value.get();
        slot.stamp.store(lap + 2, Ordering::Release);
        Some(value)
    }
}

/// So many rings, each filled by a stack of its own, which gives way when it is full; one stack empties them all, in turn.
pub fn pass(
    n: usize,
    rings: usize,
    advance: impl Fn(&AtomicUsize, usize, usize) -> bool + Copy + 'static,
) {
    let mut crew = Crew::new(rings, 0);
    let all: Vec<Rc<Ring>> = (0..rings).map(|_| Rc::new(Ring::new())).collect();
    for ring in all.clone() {
        let mut next = 0;
        crew.add(move || {
            while ring.push(next, advance) {
                next += 1;
            }
            0
        });
    }
    let (mut received, mut sum) = (0, 0);
    while received < n {
        (1..=rings).for_each(|feeder| crew.run(feeder));
        for _ in 0..SLOTS {
            for ring in &all {
                sum += ring.pop(advance).expect("it was filled");
            }
        }
        received += SLOTS * rings;
    }
    let each = received / rings;
    assert_eq!(sum, each * (each - 1) / 2 * rings);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_takes_what_it_has_room_for_and_gives_it_in_order() {
        for advance in [exchange as fn(&AtomicUsize, usize, usize) -> bool, store] {
            let ring = Ring::new();
            for lap in 0..3 {
                assert_eq!(ring.pop(advance), None);
                assert!((0..SLOTS).all(|i| ring.push(lap + i, advance)));
                assert!(!ring.push(0, advance), "full");
                assert!((0..SLOTS).all(|i| ring.pop(advance) == Some(lap + i)));
            }
        }
    }

    #[test]
    fn all_that_is_sent_is_received() {
        pass(1000, 1, exchange);
        pass(1000, 8, store);
    }
}
