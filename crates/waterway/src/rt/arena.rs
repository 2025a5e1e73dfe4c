//! Memory for the cores of channels, locks and the like, from one reserved range of addresses: whether a word is a
//! handle is one subtraction and one comparison. A second range, which nothing scans, holds cells of goroutines.
//!
//! # Invariants
//!
//! - I1: a block is handed out once until it is given back, and has the size and alignment of its class.
//! - I2: the range stays mapped for ever, so reading a block that was given back reads stale bytes, never faults.
//! - I3: blocks follow each other without gaps. The first word of each is its size, from before others can find it, until its user
//!   makes more of it: as an atomic, in such a way that the size can still be told. So the arena can be walked at any time.

use std::alloc::Layout;
use std::cell::Cell;
use std::ptr::NonNull;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use rustix::process::{Resource, getrlimit};

use super::magazine::{BATCH, Magazines};
use crate::primitives::{AtomicUsize, Lock, Ordering, renew};

/// Blocks are multiples of a cache line, and aligned to one.
pub(crate) const LINE: usize = 64;
/// Up to here there is a class for every multiple of a line, above one for every power of two.
const FINE: usize = 1024;
pub(super) const FINE_CLASSES: usize = FINE / LINE;
const CLASSES: usize = FINE_CLASSES + 32;

/// Bytes of address space for an arena: as many as can be had in between.
const LEAST: usize = 1 << 24;
const MOST: usize = 1 << 36;

/// Free blocks are kept in this many lists, so that threads seldom meet.
const SHARDS: usize = 8;

/// Has the processor fetch so many bytes into its nearest cache, while the caller does something else. The address may be anybody's.
#[inline]
pub(super) fn fetch(at: usize, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..bytes).step_by(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, for whatever address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.wrapping_add(line) as *const i8) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (at, bytes);
}

/// The same, to be written: other cores give their copies up now, not as the first store comes.
#[inline]
pub(super) fn fetch_to_write(at: usize, bytes: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for line in (0..bytes).step_by(LINE) {
        // SAFETY: a hint, for whatever address; processors that do not know it pass over it.
        unsafe {
            std::arch::asm!(
                "prefetchw [{}]",
                in(reg) at.wrapping_add(line),
                options(nostack, preserves_flags, nomem)
            );
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    fetch(at, bytes);
}

/// A range of addresses and its free blocks.
pub(crate) struct Arena {
    start: AtomicUsize,
    len: AtomicUsize,
    /// The end of what was ever handed out.
    next: Lock<usize>,
    shards: [Shard; SHARDS],
    /// Free blocks of each class in all shards, about: where there are none nobody looks for them.
    idle: [AtomicUsize; CLASSES],
}

/// Free blocks by class, of the threads that share this shard. Two cache lines, so that neighbours do not disturb.
#[repr(align(128))]
struct Shard(Lock<[Vec<usize>; CLASSES]>);

/// The shard of the calling thread.
fn own_shard() -> usize {
    thread_local!(static SHARD: Cell<usize> = const { Cell::new(usize::MAX) });
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    if SHARD.get() == usize::MAX {
        SHARD.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
    }
    SHARD.get()
}

/// What the calling thread keeps for itself of both arenas.
struct Own {
    handles: Magazines,
    cells: Magazines,
}

impl Own {
    #[inline]
    fn of(&self, arena: &Arena) -> &Magazines {
        match std::ptr::eq(arena, &CELLS) {
            true => &self.cells,
            false => &self.handles,
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.handles.empty(&HANDLES);
        self.cells.empty(&CELLS);
    }
}

thread_local!(static OWN: Own = const {
    Own {
        handles: Magazines::new(),
        cells: Magazines::new(),
    }
});

/// Cores of what goroutines wait on.
pub(crate) static HANDLES: Arena = Arena::new();
/// Cells of goroutines.
pub(crate) static CELLS: Arena = Arena::new();

impl Arena {
    const fn new() -> Arena {
        Arena {
            start: AtomicUsize::new(0),
            len: AtomicUsize::new(0),
            next: Lock::new(0),
            shards: [const { Shard(Lock::new([const { Vec::new() }; CLASSES])) }; SHARDS],
            idle: [const { AtomicUsize::new(0) }; CLASSES],
        }
    }

    /// The size that a block for `size` bytes has.
    pub(crate) const fn block_size(size: usize) -> usize {
        if size <= FINE {
            size.next_multiple_of(LINE)
        } else {
            size.next_power_of_two()
        }
    }

    #[inline]
    pub(super) fn class(size: usize) -> usize {
        Self::class_of_block(Self::block_size(size.max(1)))
    }

    /// The class of a block of that size.
    #[inline]
    fn class_of_block(size: usize) -> usize {
        match size {
            ..=FINE => size / LINE - 1,
            _ => FINE_CLASSES + (size.trailing_zeros() - FINE.trailing_zeros()) as usize - 1,
        }
    }

    /// A block for `layout`, which asks for no more than the alignment of a cache line. Aborts as the global allocator
    /// does when there is no memory.
    #[inline]
    pub(crate) fn alloc(&self, layout: Layout) -> NonNull<u8> {
        assert!(
            layout.align() <= LINE,
            "an arena block is aligned to {LINE} bytes at most"
        );
        let class = Self::class(layout.size());
        let own = OWN.try_with(|own| own.of(self).take(class, self));
        let block = match own.ok().flatten() {
            Some(block) => block,
            None => self.alloc_slow(class, layout),
        };
        NonNull::new(block as *mut u8).expect("no block is at address 0")
    }

    /// A block of a class that threads do not keep, or of one that there is none of in this shard, or in a thread that ends.
    #[cold]
    fn alloc_slow(&self, class: usize, layout: Layout) -> usize {
        if self.idle[class].load(Ordering::Relaxed) == 0 {
            return self.fresh(layout);
        }
        let own = &self.shards[own_shard()];
        let free = own.0.lock()[class].pop();
        match free.or_else(|| self.take_over(class, own)) {
            Some(block) => {
                self.idle[class].fetch_sub(1, Ordering::Relaxed);
                block
            }
            None => self.fresh(layout),
        }
    }

    /// Moves free blocks of a class from the calling thread's shard to `into`: how many.
    #[cold]
    pub(super) fn fetch(&self, class: usize, into: &mut [usize; BATCH]) -> usize {
        if self.idle[class].load(Ordering::Relaxed) == 0 {
            return 0;
        }
        let mut shard = self.shards[own_shard()].0.lock();
        let free = &mut shard[class];
        let rest = free.len().saturating_sub(BATCH);
        let count = free.len() - rest;
        into[..count].copy_from_slice(&free[rest..]);
        free.truncate(rest);
        self.idle[class].fetch_sub(count, Ordering::Relaxed);
        count
    }

    /// Takes back blocks of a class.
    #[cold]
    pub(super) fn put_back(&self, class: usize, blocks: &[usize]) {
        // Counted first: never less than there are.
        self.idle[class].fetch_add(blocks.len(), Ordering::Relaxed);
        self.shards[own_shard()].0.lock()[class].extend_from_slice(blocks);
    }

    /// Takes over the free blocks of another shard: what one thread gives back another may need.
    #[cold]
    fn take_over(&self, class: usize, own: &Shard) -> Option<usize> {
        for shard in self
            .shards
            .iter()
            .filter(|shard| !std::ptr::eq(*shard, own))
        {
            let mut taken = std::mem::take(&mut shard.0.lock()[class]);
            if let Some(block) = taken.pop() {
                own.0.lock()[class].append(&mut taken);
                return Some(block);
            }
        }
        None
    }

    /// A block that was never used.
    #[cold]
    fn fresh(&self, layout: Layout) -> usize {
        let mut next = self.next.lock();
        if *next == 0 {
            *next = self.reserve();
        }
        let end = self.start.load(Ordering::Relaxed) + self.len.load(Ordering::Relaxed);
        let (block, size) = (*next, Self::block_size(layout.size().max(1)));
        if end - block < size {
            drop(next);
            std::alloc::handle_alloc_error(layout);
        }
        // SAFETY: I1: it is in the range, aligned, and nobody's yet (I3).
        unsafe { renew(block as *mut AtomicUsize, size) };
        *next = block + size;
        block
    }

    /// Reserves the range now, while there are addresses to be had: threads take many.
    pub(super) fn prepare(&self) {
        let mut next = self.next.lock();
        if *next == 0 {
            *next = self.reserve();
        }
    }

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// `block` came from this arena's `alloc` with a layout of the same size, and nobody uses it as what it was.
    #[inline]
    pub(crate) unsafe fn free(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: by the caller.
        unsafe { self.free_block(block, Self::block_size(layout.size().max(1))) };
    }

    /// The same, for who knows the size of the block.
    ///
    /// # Safety
    ///
    /// As `free`; `size` is the block's.
    #[inline]
    pub(super) unsafe fn free_block(&self, block: NonNull<u8>, size: usize) {
        let (class, block) = (Self::class_of_block(size), block.as_ptr() as usize);
        let kept = OWN.try_with(|own| own.of(self).give(class, block, self));
        if !kept.unwrap_or(false) {
            self.put_back(class, &[block]);
        }
    }

    /// Walks the blocks from the first on: `f` gets each block's address and gives its size (I3).
    pub(crate) fn for_each_block(&self, mut f: impl FnMut(usize) -> usize) {
        let end = *self.next.lock();
        let mut at = self.start.load(Ordering::Relaxed);
        while at < end {
            at += f(at);
        }
    }

    /// The addresses that were never handed out.
    pub(crate) fn unused(&self) -> std::ops::Range<usize> {
        let next = *self.next.lock();
        next..self.start.load(Ordering::Relaxed) + self.len.load(Ordering::Relaxed)
    }

    /// How far into the range `word` points, if it does.
    #[inline]
    pub(crate) fn offset(&self, word: usize) -> Option<usize> {
        let offset = word.wrapping_sub(self.start.load(Ordering::Relaxed));
        (offset < self.len.load(Ordering::Relaxed)).then_some(offset)
    }

    /// Reserves the range: addresses only, memory comes with the first touch. Smaller where addresses or private memory
    /// are limited (`ulimit -v`, `ulimit -d`; both count what is reserved): the rest of the program needs most of it.
    #[cold]
    fn reserve(&self) -> usize {
        let limits = [Resource::As, Resource::Data].map(|limit| getrlimit(limit).current);
        let mut len = limits.into_iter().flatten().min().map_or(MOST, |n| {
            (n as usize / 16).next_power_of_two().clamp(LEAST, MOST)
        });
        loop {
            // SAFETY: a fresh anonymous mapping at an address of the kernel's choice.
            let mapped = unsafe {
                mmap_anonymous(
                    std::ptr::null_mut(),
                    len,
                    ProtFlags::READ | ProtFlags::WRITE,
                    MapFlags::PRIVATE | MapFlags::NORESERVE,
                )
            };
            match mapped {
                Ok(start) => {
                    self.len.store(len, Ordering::Relaxed);
                    self.start.store(start as usize, Ordering::Relaxed);
                    return start as usize;
                }
                Err(_) if len > LEAST => len /= 2,
                Err(error) => {
                    panic!("waterway cannot reserve {len} bytes of address space: {error}")
                }
            }
        }
    }
}
