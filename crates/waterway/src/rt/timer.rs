//! A heap of timers. Generic over what is due: it hands payloads to its caller and calls nobody.
//!
//! What is in the heap are times and numbers. A table by number has the payload, which stays where it is, and tells where in the heap
//! the number stands. Its owner keeps the number in a [`TimerSlot`]: so taking a timer out is O(log n), and what moves in the heap on
//! the way touches neither payloads nor slots, which lie on as many stacks.

use crate::primitives::{AtomicUsize, Ordering};

const NOWHERE: usize = usize::MAX;
/// Children of a node: a wider heap is shallower, and a node's children share a cache line.
const WIDTH: usize = 4;
/// Memory for so many is kept, whatever is set.
const SMALL: usize = 4096;

/// The number of a timer in its heap. Read and written under the heap's lock.
#[derive(Debug)]
pub(crate) struct TimerSlot(AtomicUsize);

impl TimerSlot {
    pub(crate) const fn new() -> TimerSlot {
        TimerSlot(AtomicUsize::new(NOWHERE))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, number: usize) {
        self.0.store(number, Ordering::Relaxed);
    }
}

/// What a heap holds: something that keeps its slot reachable as long as it is in the heap.
pub(crate) trait Timed {
    fn slot(&self) -> &TimerSlot;
}

#[derive(Clone, Copy)]
struct Entry {
    when: u64,
    number: u32,
}

struct Kept<P> {
    payload: Option<P>,
    /// Where its number stands in the heap.
    place: u32,
}

/// Timers by the time when they are due, in nanoseconds of the runtime's clock.
pub(crate) struct TimerHeap<P> {
    entries: Vec<Entry>,
    kept: Vec<Kept<P>>,
    /// Numbers without a payload.
    free: Vec<u32>,
}

impl<P: Timed> TimerHeap<P> {
    pub(crate) const fn new() -> Self {
        TimerHeap {
            entries: Vec::new(),
            kept: Vec::new(),
            free: Vec::new(),
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
        self.entries.iter().filter_map(|entry| {
            let payload = self.kept[entry.number as usize].payload.as_ref()?;
            Some((entry.when, payload))
        })
    }

    pub(crate) fn insert(&mut self, when: u64, payload: P) {
        let number = self.free.pop().unwrap_or_else(|| {
            self.kept.push(Kept {
                payload: None,
                place: 0,
            });
            self.kept.len() as u32 - 1
        });
        payload.slot().set(number as usize);
        self.kept[number as usize].payload = Some(payload);
        let at = self.entries.len();
        self.entries.push(Entry { when, number });
        self.note_place(at);
        self.up(at);
    }

    /// Takes out the timer of `slot`, if it is still in.
    pub(crate) fn remove(&mut self, slot: &TimerSlot) -> Option<P> {
        let number = slot.get();
        if number == NOWHERE {
            return None;
        }
        slot.set(NOWHERE);
        self.take(self.kept[number].place as usize)
    }

    /// Takes out the first timers that are due at `now`, as many as `to` has room for. How many.
    pub(crate) fn pop_due(&mut self, now: u64, to: &mut [Option<P>]) -> usize {
        let mut count = 0;
        while count < to.len() && self.first().is_some_and(|when| when <= now) {
            to[count] = self.take(0);
            count += 1;
        }
        // Last, one right after the other: slots are mostly in no cache, and so they come at the same time.
        for payload in to[..count].iter().flatten() {
            payload.slot().set(NOWHERE);
        }
        count
    }

    fn take(&mut self, at: usize) -> Option<P> {
        let number = self.entries.swap_remove(at).number;
        self.free.push(number);
        let payload = self.kept[number as usize].payload.take();
        if at < self.entries.len() {
            self.note_place(at);
            self.down(at);
            self.up(at);
        } else {
            self.shrink();
        }
        payload
    }

    /// Gives back the memory of a spike: numbers only once there are no timers.
    fn shrink(&mut self) {
        let len = self.entries.len();
        if self.entries.capacity() > SMALL && len * 8 < self.entries.capacity() {
            self.entries.shrink_to(len * 2);
        }
        if len == 0 && self.kept.len() > SMALL {
            (self.kept, self.free) = (Vec::new(), Vec::new());
        }
    }

    fn note_place(&mut self, at: usize) {
        self.kept[self.entries[at].number as usize].place = at as u32;
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.entries.swap(a, b);
        self.note_place(a);
        self.note_place(b);
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

    fn pop<P: Timed>(heap: &mut TimerHeap<P>, now: u64) -> Option<P> {
        let mut first = [None];
        heap.pop_due(now, &mut first);
        let [first] = first;
        first
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
        assert!(pop(&mut heap, 0).is_none_or(|t| t.0 == 0));
        let mut last = 0;
        let mut count = 0;
        while let Some(timer) = pop(&mut heap, u64::MAX) {
            assert!(timer.0 >= last);
            last = timer.0;
            count += 1;
        }
        assert_eq!(count, 5000 - removed.len());
        assert!(heap.first().is_none());
    }

    /// A million are set; whichever is taken out, no more entries move than the heap is deep.
    #[test]
    fn a_timer_leaves_a_million_in_few_steps() {
        const MANY: u64 = 1_000_000;
        let mut heap = TimerHeap::new();
        let timers: Vec<_> = (0..MANY)
            .map(|n| {
                let when = n.wrapping_mul(0x9e37_79b9) % MANY;
                let timer = Rc::new((when, TimerSlot::new()));
                heap.insert(when, timer.clone());
                timer
            })
            .collect();
        let mut most = 0;
        for timer in timers.iter().step_by(MANY as usize / 20) {
            let places =
                |heap: &TimerHeap<_>| -> Vec<_> { heap.kept.iter().map(|k| k.place).collect() };
            let before = places(&heap);
            assert!(heap.remove(&timer.1).is_some());
            let moved = before
                .into_iter()
                .zip(places(&heap))
                .filter(|(b, a)| a != b);
            most = most.max(moved.count());
        }
        // Ten levels of four, and the last one, which comes in.
        assert!((1..=10 + 1).contains(&most), "{most} entries have moved");
    }

    #[test]
    fn numbers_are_used_again() {
        let mut heap = TimerHeap::new();
        let timers: Vec<_> = (0..3).map(|n| Rc::new((n, TimerSlot::new()))).collect();
        for _ in 0..100 {
            for timer in &timers {
                heap.insert(timer.0, timer.clone());
            }
            assert!(heap.remove(&timers[1].1).is_some());
            heap.insert(timers[1].0, timers[1].clone());
            while pop(&mut heap, 2).is_some() {}
        }
        assert_eq!(heap.kept.len(), timers.len());
    }
}
