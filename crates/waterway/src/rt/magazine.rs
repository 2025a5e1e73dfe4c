//! A worker's own free blocks of an arena, so that what it spawns and ends needs no lock (a magazine, as in Bonwick and
//! Adams, "Magazines and Vmem", USENIX 2001).

use std::alloc::Layout;
use std::ptr::NonNull;

use super::arena::{Arena, FINE_CLASSES};

/// Blocks of one class that a worker keeps, and how many it fetches or gives back at a time.
const FULL: usize = 128;
const BATCH: usize = FULL / 2;

/// Free blocks by class, for the small classes.
pub(super) struct Magazine([Vec<usize>; FINE_CLASSES]);

impl Magazine {
    pub(super) const fn new() -> Magazine {
        Magazine([const { Vec::new() }; FINE_CLASSES])
    }

    /// A block for `layout`, as [`Arena::alloc`] gives it.
    #[inline]
    pub(super) fn alloc(&mut self, arena: &Arena, layout: Layout) -> NonNull<u8> {
        let class = Arena::class(layout.size());
        let Some(free) = self.0.get_mut(class) else {
            return arena.alloc(layout);
        };
        if free.is_empty() {
            arena.fetch(class, free, BATCH);
        }
        match free.pop() {
            Some(block) => NonNull::new(block as *mut u8).expect("no block is at address 0"),
            None => arena.alloc(layout),
        }
    }

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// As [`Arena::free`].
    #[inline]
    pub(super) unsafe fn free(&mut self, arena: &Arena, block: NonNull<u8>, layout: Layout) {
        let class = Arena::class(layout.size());
        let Some(free) = self.0.get_mut(class) else {
            // SAFETY: by the caller.
            return unsafe { arena.free(block, layout) };
        };
        free.push(block.as_ptr() as usize);
        if free.len() == FULL {
            arena.put_back(class, free, BATCH);
        }
    }
}
