//! Free blocks of an arena that a thread keeps for itself, so that most of what it makes and drops needs no lock (magazines,
//! as in Bonwick and Adams, "Magazines and Vmem", USENIX 2001).
//!
//! # Invariants
//!
//! - I1: the magazines of a thread are borrowed only within this module, and nothing is called meanwhile: the global
//!   allocator, which the shards of an arena use, may be the program's own, and may come here again.

use std::cell::UnsafeCell;

use super::arena::{Arena, FINE_CLASSES, LINE, fetch_to_write};

/// A thread keeps fewer blocks of a class than this, and fetches or gives back so many at a time.
const FULL: usize = 32;
pub(super) const BATCH: usize = FULL / 2;
/// A block is fetched when so many others are to be taken before it.
const AHEAD: usize = 4;
/// Of a block so much is fetched ahead.
const FETCHED: usize = 4 * LINE;

/// Free blocks of one class.
#[derive(Clone, Copy)]
struct Magazine {
    len: usize,
    blocks: [usize; FULL],
}

impl Magazine {
    /// Takes one out, of `size` bytes each. One of the next is fetched: who takes one mostly takes others soon, and fills them.
    #[inline]
    fn pop(&mut self, size: usize) -> Option<usize> {
        self.len = self.len.checked_sub(1)?;
        if self.len >= AHEAD {
            fetch_to_write(self.blocks[(self.len - AHEAD) % FULL], size.min(FETCHED));
        }
        Some(self.blocks[self.len % FULL])
    }

    /// Takes blocks of `size` bytes in where there was none. Those that are taken first are fetched.
    fn fill(&mut self, blocks: &[usize], size: usize) {
        self.blocks[..blocks.len()].copy_from_slice(blocks);
        self.len = blocks.len();
        for block in blocks.iter().rev().take(AHEAD) {
            fetch_to_write(*block, size.min(FETCHED));
        }
    }

    /// Takes a block in. True if there is no room for another one then: some must go back.
    #[inline]
    fn push(&mut self, block: usize) -> bool {
        self.blocks[self.len % FULL] = block;
        self.len += 1;
        self.len == FULL
    }

    /// What goes back of a full one.
    fn surplus(&mut self) -> [usize; BATCH] {
        self.len = FULL - BATCH;
        std::array::from_fn(|n| self.blocks[FULL - BATCH + n])
    }
}

/// The magazines of one thread for one arena, by class.
pub(super) struct Magazines(UnsafeCell<[Magazine; FINE_CLASSES]>);

impl Magazines {
    pub(super) const fn new() -> Magazines {
        let empty = Magazine {
            len: 0,
            blocks: [0; FULL],
        };
        Magazines(UnsafeCell::new([empty; FINE_CLASSES]))
    }

    /// Calls `f` with the magazine of a class; `None` if it has none.
    #[inline]
    fn with<R>(&self, class: usize, f: impl FnOnce(&mut Magazine) -> R) -> Option<R> {
        // SAFETY: one thread has this (it is not Sync), and I1.
        let all = unsafe { &mut *self.0.get() };
        all.get_mut(class).map(f)
    }

    /// A block of a class, if there is one here, or a batch of them in the arena.
    #[inline]
    pub(super) fn take(&self, class: usize, arena: &Arena) -> Option<usize> {
        match self.with(class, |magazine| magazine.pop((class + 1) * LINE))? {
            Some(block) => Some(block),
            None => self.refill(class, arena),
        }
    }

    #[cold]
    fn refill(&self, class: usize, arena: &Arena) -> Option<usize> {
        let mut batch = [0; BATCH];
        let fetched = arena.fetch(class, &mut batch);
        let (last, others) = batch[..fetched].split_last()?;
        self.with(class, |magazine| magazine.fill(others, (class + 1) * LINE));
        Some(*last)
    }

    /// Takes a block back; false if blocks of its class are not kept.
    #[inline]
    pub(super) fn give(&self, class: usize, block: usize, arena: &Arena) -> bool {
        let full = self.with(class, |magazine| magazine.push(block));
        if full == Some(true) {
            self.give_back(class, arena);
        }
        full.is_some()
    }

    #[cold]
    #[inline(never)]
    fn give_back(&self, class: usize, arena: &Arena) {
        if let Some(surplus) = self.with(class, Magazine::surplus) {
            arena.put_back(class, &surplus);
        }
    }

    /// Gives everything back: the thread ends.
    pub(super) fn empty(&self, arena: &Arena) {
        for class in 0..FINE_CLASSES {
            while let Some(block) = self.with(class, |magazine| magazine.pop(0)).flatten() {
                arena.put_back(class, &[block]);
            }
        }
    }
}
