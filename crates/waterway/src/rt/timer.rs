//! A heap of timers. Generic over what is due: it hands payloads to its caller and calls nobody.
//!
//! Each entry knows its place in the heap through a [`TimerSlot`] that its owner keeps, so taking one out is O(log n).

use crate::primitives::{AtomicUsize, Ordering};

const NOWHERE: usize = usize::MAX;
/// Children of a node: a wider heap is shallower, and a node's children share cache lines.
const WIDTH: usize = 4;

/// Where an entry stands in its heap. Read and written under the heap's lock.
#[derive(Debug)]
pub(crate) struct TimerSlot(AtomicUsize);

impl TimerSlot {
    pub(crate) const fn new() -> TimerSlot {
        TimerSlot(AtomicUsize::new(NOWHERE))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, at: usize) {
        self.0.store(at, Ordering::Relaxed);
    }
}

/// What a heap holds: something that keeps its slot reachable as long as it is in the heap.
pub(crate) trait Timed {
    fn slot(&self) -> &TimerSlot;
}

struct Entry<P> {
    when: u64,
    payload: P,
}

/// Timers by the time when they are due, in nanoseconds of the runtime's clock.
pub(crate) struct TimerHeap<P> {
    entries: Vec<Entry<P>>,
}

impl<P: Timed> TimerHeap<P> {
    pub(crate) const fn new() -> Self {
        TimerHeap {
            entries: Vec::new(),
        }
    }

    /// When the first timer is due.
    pub(crate) fn first(&self) -> Option<u64> {
        self.entries.first().map(|e| e.when)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Those that are set, in no order, each with the time when it is due.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &P)> {
        self.entries
            .iter()
            .map(|entry| (entry.when, &entry.payload))
    }

    pub(crate) fn insert(&mut self, when: u64, payload: P) {
        let at = self.entries.len();
        payload.slot().set(at);
        self.entries.push(Entry { when, payload });
        self.up(at);
    }

    /// Takes out the timer of `slot`, if it is still in.
    pub(crate) fn remove(&mut self, slot: &TimerSlot) -> Option<P> {
        let at = slot.get();
        (at != NOWHERE).then(|| self.take(at))
    }

    /// Takes out the first timer if it is due at `now`.
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<P> {
        (self.first()? <= now).then(|| self.take(0))
    }

    fn take(&mut self, at: usize) -> P {
        let entry = self.entries.swap_remove(at);
        entry.payload.slot().set(NOWHERE);
        if at < self.entries.len() {
            self.entries[at].payload.slot().set(at);
            self.down(at);
            self.up(at);
        } else if self.entries.capacity() > 4096 && self.entries.len() * 8 < self.entries.capacity()
        {
            self.entries.shrink_to(self.entries.len() * 2);
        }
        entry.payload
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.entries.swap(a, b);
        self.entries[a].payload.slot().set(a);
        self.entries[b].payload.slot().set(b);
    }

    fn up(&mut self, mut at: usize) {
        while at > 0 {
            let parent = (at - 1) / WIDTH;
            if self.entries[parent].when <= self.entries[at].when {
                break;
            }
            self.swap(at, parent);
            at = parent;
        }
    }

    fn down(&mut self, mut at: usize) {
        loop {
            let first = at * WIDTH + 1;
            let last = (first + WIDTH).min(self.entries.len());
            let Some(least) = (first..last).min_by_key(|&child| self.entries[child].when) else {
                break;
            };
            if self.entries[at].when <= self.entries[least].when {
                break;
            }
            self.swap(at, least);
            at = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    impl Timed for Rc<(u64, TimerSlot)> {
        fn slot(&self) -> &TimerSlot {
            &self.1
        }
    }

    #[test]
    fn timers_come_out_in_order_and_leave_from_anywhere() {
        let mut heap = TimerHeap::new();
        let mut seed = 0x9e37_79b9_u64;
        let mut kept: Vec<Rc<(u64, TimerSlot)>> = Vec::new();
        for _ in 0..5000 {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let timer = Rc::new((seed >> 44, TimerSlot::new()));
            heap.insert(timer.0, timer.clone());
            kept.push(timer);
        }
        let removed: Vec<_> = kept.iter().skip(1).step_by(3).cloned().collect();
        for timer in &removed {
            assert!(Rc::ptr_eq(&heap.remove(&timer.1).unwrap(), timer));
            assert!(heap.remove(&timer.1).is_none(), "a timer leaves once");
        }
        assert!(heap.pop_due(0).is_none_or(|t| t.0 == 0));
        let mut last = 0;
        let mut count = 0;
        while let Some(timer) = heap.pop_due(u64::MAX) {
            assert!(timer.0 >= last);
            last = timer.0;
            count += 1;
        }
        assert_eq!(count, 5000 - removed.len());
        assert!(heap.first().is_none());
    }

    /// A timer that counts how often its heap looks for its slot: once for each move in the heap.
    struct Counting<'a>(TimerSlot, &'a std::cell::Cell<usize>);

    impl Timed for Rc<Counting<'_>> {
        fn slot(&self) -> &TimerSlot {
            self.1.set(self.1.get() + 1);
            &self.0
        }
    }

    /// A million are set; whichever is taken out, no more entries move than the heap is deep.
    #[test]
    fn a_timer_leaves_a_million_in_few_steps() {
        const MANY: u64 = 1_000_000;
        let moves = std::cell::Cell::new(0);
        let mut heap = TimerHeap::new();
        let timers: Vec<_> = (0..MANY)
            .map(|n| {
                let when = n.wrapping_mul(0x9e37_79b9) % MANY;
                let timer = Rc::new(Counting(TimerSlot::new(), &moves));
                heap.insert(when, timer.clone());
                timer
            })
            .collect();
        let mut most = 0;
        for timer in timers.iter().step_by(97) {
            moves.set(0);
            assert!(heap.remove(&timer.0).is_some());
            most = most.max(moves.get());
        }
        // Ten levels of four, two slots for each swap, and the two that change places at first.
        assert!(
            (1..=2 * 10 + 2).contains(&most),
            "{most} slots were written"
        );
    }
}
