//! A heap of timers. Generic over what is due: it hands payloads to its caller and calls nobody.
//!
//! What is in the heap are times and numbers. A table by number has the payload, which stays where it is, and tells where in the heap
//! the number stands. Its owner keeps the number in a [`TimerSlot`]: so taking a timer out is O(log n), and what moves in the heap on
//! the way touches neither payloads nor slots, which lie on as many stacks.

use super::arena::{LINE, fetch};
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
    /// Has the processor fetch the slot, and what else is touched as it is fired.
    fn fetch(&self) {}
}

#[derive(Clone, Copy)]
struct Entry {
    /// When it is to be fired at the latest.
    latest: u64,
    number: u32,
    /// By so much sooner it is due.
    leeway: u32,
}

impl Entry {
    fn when(&self) -> u64 {
        self.latest - u64::from(self.leeway)
    }

    fn due(&self) -> Due {
        let (when, latest) = (self.when(), self.latest);
        Due { when, latest }
    }
}

/// When a timer is due, and when it is to be fired at the latest, if who fires it waits for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) when: u64,
    pub(crate) latest: u64,
}

/// Timers by the time when they are due, in nanoseconds of the runtime's clock.
pub(crate) struct TimerHeap<P> {
    entries: Vec<Entry>,
    payloads: Vec<Option<P>>,
    /// Where each number stands in the heap. By themselves: they are written at each step, and so few bytes stay in a cache.
    places: Vec<u32>,
    /// Numbers without a payload.
    free: Vec<u32>,
}

impl<P: Timed> TimerHeap<P> {
    pub(crate) const fn new() -> Self {
        TimerHeap {
            entries: Vec::new(),
            payloads: Vec::new(),
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    /// The one that is to be fired first.
    pub(crate) fn first(&self) -> Option<Due> {
        self.entries.first().map(Entry::due)
    }

    /// Those that are to be fired first, in this order, as many as `to` has room for. How many.
    pub(crate) fn firsts<const MOST: usize>(&self, to: &mut [Due; MOST]) -> usize {
        // Where those stand that may come next, in order: each is a child of one that came.
        let mut next = [0; MOST];
        let mut known = self.entries.len().min(1);
        for (count, to) in to.iter_mut().enumerate() {
            if known == 0 {
                return count;
            }
            let at = next[0];
            *to = self.entries[at].due();
            next.copy_within(1..known, 0);
            known -= 1;
            let first = at * WIDTH + 1;
            for child in first..(first + WIDTH).min(self.entries.len()) {
                let latest = |at: usize| self.entries[at].latest;
                let place = next[..known].partition_point(|&at| latest(at) <= latest(child));
                if place < MOST {
                    known = (known + 1).min(MOST);
                    next.copy_within(place..known - 1, place + 1);
                    next[place] = child;
                }
            }
        }
        MOST
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Those that are set, in no order, each with the time when it is due.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &P)> {
        self.entries.iter().filter_map(|entry| {
            let payload = self.payloads[entry.number as usize].as_ref()?;
            Some((entry.when(), payload))
        })
    }

    /// Puts in a timer that is due at `when`, and may be fired by `leeway` later. True if it is the first to be fired.
    pub(crate) fn insert(&mut self, when: u64, leeway: u32, payload: P) -> bool {
        let latest = when.saturating_add(u64::from(leeway));
        let leeway = (latest - when) as u32;
        let number = self.free.pop().unwrap_or_else(|| {
            self.payloads.push(None);
            self.places.push(0);
            self.places.len() as u32 - 1
        });
        payload.slot().set(number as usize);
        self.payloads[number as usize] = Some(payload);
        let at = self.entries.len();
        self.entries.push(Entry {
            latest,
            number,
            leeway,
        });
        self.up(at);
        self.places[number as usize] == 0
    }

    /// Takes out the timer of `slot`, if it is still in.
    pub(crate) fn remove(&mut self, slot: &TimerSlot) -> Option<P> {
        let number = slot.get();
        if number == NOWHERE {
            return None;
        }
        slot.set(NOWHERE);
        self.take(self.places[number] as usize)
    }

    /// Takes out the first timers that are due at `now`, as many as `to` has room for. How many.
    ///
    /// Payloads are mostly in no cache, where many are set, and slots in none. So each is fetched while others are looked at.
    pub(crate) fn pop_due<const MOST: usize>(
        &mut self,
        now: u64,
        to: &mut [Option<P>; MOST],
    ) -> usize {
        let mut numbers = [0; MOST];
        let mut count = 0;
        while count < MOST && self.first().is_some_and(|first| first.when <= now) {
            let number = self.leave(0) as usize;
            fetch(&raw const self.payloads[number] as usize, 1);
            numbers[count] = number;
            count += 1;
        }
        for (to, &number) in to.iter_mut().zip(&numbers[..count]) {
            *to = self.free(number);
            if let Some(payload) = to {
                payload.fetch();
            }
        }
        for payload in to[..count].iter().flatten() {
            payload.slot().set(NOWHERE);
        }
        self.shrink();
        count
    }

    fn take(&mut self, at: usize) -> Option<P> {
        let number = self.leave(at) as usize;
        let payload = self.free(number);
        self.shrink();
        payload
    }

    /// Takes a number out of the heap.
    fn leave(&mut self, at: usize) -> u32 {
        let number = self.entries.swap_remove(at).number;
        if at < self.entries.len() {
            self.down(at);
            self.up(at);
        }
        number
    }

    /// Frees a number that has left the heap: what was set.
    fn free(&mut self, number: usize) -> Option<P> {
        self.free.push(number as u32);
        self.payloads[number].take()
    }

    /// Gives back the memory of a spike: numbers only once there are no timers.
    fn shrink(&mut self) {
        let len = self.entries.len();
        if self.entries.capacity() > SMALL && len * 8 < self.entries.capacity() {
            self.entries.shrink_to(len * 2);
        }
        if len == 0 && self.places.len() > SMALL {
            (self.payloads, self.places, self.free) = (Vec::new(), Vec::new(), Vec::new());
        }
    }

    /// Puts an entry there, which is the place of no other.
    fn put(&mut self, at: usize, entry: Entry) {
        self.entries[at] = entry;
        self.places[entry.number as usize] = at as u32;
    }

    /// Moves the entry that stands there up to where it belongs: the others go down into the hole that it leaves.
    fn up(&mut self, mut at: usize) {
        let entry = self.entries[at];
        while at > 0 {
            let parent = (at - 1) / WIDTH;
            let above = self.entries[parent];
            if above.latest <= entry.latest {
                break;
            }
            self.put(at, above);
            at = parent;
        }
        self.put(at, entry);
    }

    /// The same, down.
    fn down(&mut self, mut at: usize) {
        let entry = self.entries[at];
        loop {
            let first = at * WIDTH + 1;
            let last = (first + WIDTH).min(self.entries.len());
            self.fetch_below(first);
            let Some(least) = (first..last).min_by_key(|&child| self.entries[child].latest) else {
                break;
            };
            let below = self.entries[least];
            if entry.latest <= below.latest {
                break;
            }
            self.put(at, below);
            at = least;
        }
        self.put(at, entry);
    }

    /// Has the processor fetch the children of some that are side by side, while it is found which of those is the least: where many are set,
    /// each level is in no near cache.
    #[inline]
    fn fetch_below(&self, first: usize) {
        let children = first * WIDTH + 1;
        if children < self.entries.len() {
            let at = &raw const self.entries[children] as usize;
            fetch(at, WIDTH * WIDTH * size_of::<Entry>() + LINE - 1);
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
    fn the_first_are_told_in_order_and_stay() {
        let mut heap = TimerHeap::new();
        let mut firsts = [Due::default(); 5];
        assert_eq!(heap.firsts(&mut firsts), 0);
        let mut latest = Vec::new();
        for n in 1..200_u64 {
            let (when, leeway) = (n * 7919 % 499, n as u32 * 31 % 97);
            heap.insert(when, leeway, Rc::new((when, TimerSlot::new())));
            latest.push(when + u64::from(leeway));
            latest.sort_unstable();
            let count = heap.firsts(&mut firsts);
            assert_eq!(count, heap.len().min(5));
            let told: Vec<_> = firsts[..count].iter().map(|due| due.latest).collect();
            assert_eq!(told, latest[..count]);
        }
        assert_eq!(heap.len(), 199);
        assert_eq!(heap.first(), Some(firsts[0]));
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
            heap.insert(timer.0, 0, timer.clone());
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
                heap.insert(when, 0, timer.clone());
                timer
            })
            .collect();
        let mut most = 0;
        for timer in timers.iter().step_by(MANY as usize / 20) {
            let before = heap.places.clone();
            assert!(heap.remove(&timer.1).is_some());
            let moved = before
                .into_iter()
                .zip(heap.places.iter().copied())
                .filter(|(b, a)| a != b);
            most = most.max(moved.count());
        }
        // Ten levels of four, and the last one, which comes in.
        assert!((1..=10 + 1).contains(&most), "{most} entries have moved");
    }

    #[test]
    fn who_has_leeway_comes_later_and_is_due_as_ever() {
        let mut heap = TimerHeap::new();
        let timers: Vec<_> = (0..3).map(|n| Rc::new((n, TimerSlot::new()))).collect();
        assert!(heap.insert(10, 100, timers[0].clone()));
        assert!(heap.insert(20, 5, timers[1].clone()));
        assert!(!heap.insert(30, 90, timers[2].clone()));
        let first = Due {
            when: 20,
            latest: 25,
        };
        assert_eq!(heap.first(), Some(first));
        assert!(pop(&mut heap, 19).is_none(), "it has leeway until then");
        let order = std::iter::from_fn(|| pop(&mut heap, 30).map(|t| t.0));
        assert_eq!(order.collect::<Vec<_>>(), [1, 0, 2]);
        // None beyond what a clock can count.
        assert!(heap.insert(u64::MAX - 1, 100, timers[0].clone()));
        assert_eq!(heap.first().map(|first| first.when), Some(u64::MAX - 1));
    }

    #[test]
    fn numbers_are_used_again() {
        let mut heap = TimerHeap::new();
        let timers: Vec<_> = (0..3).map(|n| Rc::new((n, TimerSlot::new()))).collect();
        for _ in 0..100 {
            for timer in &timers {
                heap.insert(timer.0, 0, timer.clone());
            }
            assert!(heap.remove(&timers[1].1).is_some());
            heap.insert(timers[1].0, 0, timers[1].clone());
            while pop(&mut heap, 2).is_some() {}
        }
        assert_eq!(heap.places.len(), timers.len());
    }
}
