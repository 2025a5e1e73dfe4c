//! Memory of cores, from the heap: valgrind and the sanitizers see a use after free there.

use std::alloc::Layout;
use std::ptr::NonNull;

pub(crate) static HANDLES: Arena = Arena;

pub(crate) const LINE: usize = 64;

pub(crate) fn fetch(_at: usize, _bytes: usize) {}

pub(crate) struct Arena;

impl Arena {
    pub(crate) const fn block_size(size: usize) -> usize {
        size.next_multiple_of(LINE)
    }

    pub(crate) fn alloc(&self, layout: Layout) -> NonNull<u8> {
        // Zeroed, as a block of the arena that was never used is but for its size.
        // SAFETY: no core is of size zero.
        let block = unsafe { std::alloc::alloc_zeroed(layout) };
        NonNull::new(block).expect("memory")
    }

    /// # Safety
    ///
    /// As in the library.
    pub(crate) unsafe fn free(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: by the caller.
        unsafe { std::alloc::dealloc(block.as_ptr(), layout) };
    }

    pub(crate) fn contains(&self, _word: usize) -> bool {
        false
    }
}
