//! Goroutines that were spawned on a worker and have not started.
//!
//! The last ones come first: who spawns and then waits mostly waits for those, and their children for theirs. So a tree of goroutines is
//! gone through in depth, with few alive at a time, and a pair meets before the next one is made. What one goroutine spawns beyond
//! some hundreds in one turn is a crowd, first in, first out, of which thieves take many at once. So that nobody waits for ever
//! behind others' children, the oldest comes first now and then.
//!
//! Thieves come seldom (`steal`), the worker with every spawn and start: hence the kind of lock.
//!
//! # Invariants
//!
//! - I1: nothing is allocated or freed under the lock: the allocator may be the program's own, and may come here again.

use std::collections::VecDeque;

use super::cell::{CellHeader, Unstarted};
use super::home_lock::HomeLock;
use crate::primitives::{AtomicUsize, Ordering};

/// What one goroutine spawns in one turn beyond this many is a crowd.
const LAST_MOST: usize = 256;
/// A thief takes no more at once. Many, for what it pays to come here may be the time of a hundred spawns.
const STOLEN_MOST: usize = 4096;
/// Who has so many of a crowd before it is fetched: the cells of many are in no cache.
const AHEAD: usize = 3;
/// Who is to be taken out is looked for among so many.
const LOOKED_AT: usize = 32;
/// Room for so many is kept over a long sleep.
const COOL: usize = 1024;

/// See the module.
pub(super) struct Fresh {
    queues: HomeLock<Queues>,
    /// How many there are. Written under the lock.
    len: AtomicUsize,
}

#[derive(Default)]
struct Queues {
    last: VecDeque<Unstarted>,
    crowd: VecDeque<Unstarted>,
    /// Who came last, unless somebody was taken out since.
    newest: Option<Unstarted>,
}

impl Queues {
    fn len(&self) -> usize {
        self.last.len() + self.crowd.len()
    }

    fn queue(&mut self, crowd: bool) -> &mut VecDeque<Unstarted> {
        match crowd {
            false => &mut self.last,
            true => &mut self.crowd,
        }
    }

    /// Adds one, if there is room.
    #[inline]
    fn push(&mut self, crowd: bool, cell: Unstarted) -> bool {
        let queue = self.queue(crowd);
        let room = queue.len() < queue.capacity();
        if room {
            queue.push_back(cell);
            self.newest = Some(cell);
        }
        room
    }

    /// The last that came, or the first of the crowd, if it is such a one. The next one is fetched.
    #[inline]
    fn pop_if(&mut self, f: impl Fn(&Unstarted) -> bool) -> Option<Unstarted> {
        let next = self.last.back().or_else(|| self.crowd.front());
        if !next.is_some_and(f) {
            return None;
        }
        self.newest = None;
        let cell = self.last.pop_back().or_else(|| self.crowd.pop_front());
        if let Some(next) = self.last.back().or_else(|| self.crowd.get(AHEAD)) {
            next.fetch();
        }
        cell
    }

    /// The oldest, or the first of the crowd.
    fn pop_oldest(&mut self) -> Option<Unstarted> {
        self.newest = None;
        self.last.pop_front().or_else(|| self.crowd.pop_front())
    }

    /// One of the last that came.
    fn take_out(&mut self, cell: *const CellHeader) -> Option<Unstarted> {
        let last = self.last.iter().enumerate().rev().take(LOOKED_AT);
        let (at, _) = last.into_iter().find(|(_, other)| other.is(cell))?;
        self.newest = None;
        self.last.remove(at)
    }

    /// The first of the crowd.
    fn pop_crowd(&mut self) -> Option<Unstarted> {
        self.newest = None;
        self.crowd.pop_front()
    }

    /// Puts a queue into a larger room, and gives the old one, to be freed later. Nothing if `larger` is too small.
    fn move_to(&mut self, crowd: bool, larger: VecDeque<Unstarted>) -> VecDeque<Unstarted> {
        move_to(self.queue(crowd), larger)
    }
}

/// See [`Queues::move_to`].
pub(super) fn move_to(
    queue: &mut VecDeque<Unstarted>,
    mut larger: VecDeque<Unstarted>,
) -> VecDeque<Unstarted> {
    if larger.capacity() > queue.len() {
        larger.extend(queue.drain(..));
        std::mem::swap(queue, &mut larger);
    }
    larger
}

/// For any thread.
impl Fresh {
    pub(super) fn new() -> Fresh {
        Fresh {
            queues: HomeLock::new(Queues::default()),
            len: AtomicUsize::new(0),
        }
    }

    /// How many there are; exact for the worker's own thread unless a thief is at it.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Does something from afar.
    fn afar<R>(&self, f: impl FnOnce(&mut Queues) -> R) -> R {
        self.queues.afar(move |queues| {
            let done = f(queues);
            self.len.store(queues.len(), Ordering::Relaxed);
            done
        })
    }

    /// Takes the oldest away, or the first of the crowd.
    pub(super) fn steal(&self) -> Option<Unstarted> {
        if self.is_empty() {
            return None;
        }
        self.afar(Queues::pop_oldest)
    }

    /// Takes some away, up to `most` and half of them: of the crowd, or else the oldest.
    pub(super) fn steal_many(&self, most: usize) -> Vec<Unstarted> {
        let mut taken = Vec::with_capacity(most.min(STOLEN_MOST).min(self.len().div_ceil(2)));
        if taken.capacity() > 0 {
            self.afar(|queues| {
                queues.newest = None;
                let crowd = !queues.crowd.is_empty();
                let queue = queues.queue(crowd);
                let count = queue.len().div_ceil(2).min(taken.capacity());
                taken.extend(queue.drain(..count));
            });
        }
        taken
    }
}

/// For the worker's own thread.
impl Fresh {
    /// # Safety
    ///
    /// On the worker's thread; `f` does not come here again.
    #[inline]
    unsafe fn home<R>(&self, f: impl FnOnce(&mut Queues) -> R) -> R {
        // SAFETY: by the caller.
        unsafe {
            self.queues.home(move |queues| {
                let done = f(queues);
                self.len.store(queues.len(), Ordering::Relaxed);
                done
            })
        }
    }

    /// Adds one, the `nth` that the running goroutine spawns in this turn.
    ///
    /// # Safety
    ///
    /// On the worker's thread.
    #[inline]
    pub(super) unsafe fn push(&self, cell: Unstarted, nth: usize) {
        // SAFETY: by the caller.
        unsafe { self.push_to(nth > LAST_MOST, cell) };
    }

    /// Adds some to the crowd.
    ///
    /// # Safety
    ///
    /// On the worker's thread.
    pub(super) unsafe fn push_crowd(&self, cells: impl Iterator<Item = Unstarted>) {
        for cell in cells {
            // SAFETY: by the caller.
            unsafe { self.push_to(true, cell) };
        }
    }

    /// # Safety
    ///
    /// On the worker's thread.
    #[inline]
    unsafe fn push_to(&self, crowd: bool, cell: Unstarted) {
        // SAFETY: by the caller.
        if !unsafe { self.home(move |queues| queues.push(crowd, cell)) } {
            // SAFETY: by the caller.
            unsafe { self.push_slow(crowd, cell) };
        }
    }

    /// # Safety
    ///
    /// On the worker's thread.
    #[cold]
    #[inline(never)]
    unsafe fn push_slow(&self, crowd: bool, cell: Unstarted) {
        // SAFETY: by the caller.
        while !unsafe { self.home(move |queues| queues.push(crowd, cell)) } {
            // SAFETY: by the caller.
            unsafe { self.grow(crowd) };
        }
    }

    /// Makes room for twice as many.
    ///
    /// # Safety
    ///
    /// On the worker's thread.
    unsafe fn grow(&self, crowd: bool) {
        // SAFETY: by the caller.
        let many = unsafe { self.home(|queues| queues.queue(crowd).capacity()) };
        let larger = VecDeque::with_capacity((many * 2).max(64));
        // SAFETY: by the caller.
        let old = unsafe { self.home(|queues| queues.move_to(crowd, larger)) };
        drop(old);
    }

    /// The last that came, or the first of the crowd.
    ///
    /// # Safety
    ///
    /// On the worker's thread.
    #[inline]
    pub(super) unsafe fn pop(&self) -> Option<Unstarted> {
        // SAFETY: by the caller.
        unsafe { self.pop_if(|_| true) }
    }

    /// The same, if it is to have a stack of the default size.
    ///
    /// # Safety
    ///
    /// On the worker's thread.
    #[inline]
    pub(super) unsafe fn pop_usual(&self) -> Option<Unstarted> {
        // SAFETY: by the caller.
        unsafe { self.pop_if(|cell| cell.stack_size() == 0) }
    }

    /// # Safety
    ///
    /// On the worker's thread; `f` does not come here again.
    #[inline]
    unsafe fn pop_if(&self, f: impl Fn(&Unstarted) -> bool) -> Option<Unstarted> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: by the caller.
        unsafe { self.home(move |queues| queues.pop_if(f)) }
    }

    /// The oldest, or the first of the crowd.
    ///
    /// # Safety
    ///
    /// On the worker's thread.
    pub(super) unsafe fn pop_oldest(&self) -> Option<Unstarted> {
        // SAFETY: by the caller.
        unsafe { self.home(Queues::pop_oldest) }
    }

    /// The one with this cell, if it is among the last that came.
    ///
    /// # Safety
    ///
    /// On the worker's thread.
    pub(super) unsafe fn take_out(&self, cell: *const CellHeader) -> Option<Unstarted> {
        // SAFETY: by the caller.
        unsafe { self.home(|queues| queues.take_out(cell)) }
    }

    /// The first of the crowd.
    ///
    /// # Safety
    ///
    /// On the worker's thread.
    pub(super) unsafe fn pop_crowd(&self) -> Option<Unstarted> {
        // SAFETY: by the caller.
        unsafe { self.home(Queues::pop_crowd) }
    }

    /// Calls `f` with who came last, if nobody was taken out since, while nobody can take it.
    ///
    /// # Safety
    ///
    /// On the worker's thread; `f` does not come here again.
    #[inline]
    pub(super) unsafe fn with_newest(&self, f: impl FnOnce(&Unstarted) -> bool) -> bool {
        // SAFETY: by the caller.
        unsafe {
            self.queues
                .home(move |queues| queues.newest.as_ref().is_some_and(f))
        }
    }

    /// Before a long sleep: gives the room back that a spike has left.
    ///
    /// # Safety
    ///
    /// On the worker's thread.
    pub(super) unsafe fn cool_down(&self) {
        for crowd in [false, true] {
            // SAFETY: by the caller.
            let large = unsafe { self.home(|queues| queues.queue(crowd).capacity() > COOL) };
            if large {
                let smaller = VecDeque::with_capacity(COOL);
                // SAFETY: by the caller.
                let old = unsafe { self.home(|queues| queues.move_to(crowd, smaller)) };
                drop(old);
            }
        }
    }
}
