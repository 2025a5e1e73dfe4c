//! Memory for the cores of channels, locks and the like, from one reserved range of addresses: whether a word is a handle
//! is one subtraction and one comparison. A second range, which nothing scans, holds cells of goroutines.
//!
//! # Invariants
//!
//! - I1: a block is handed out once until it is given back, and has the size and alignment of its class.
//! - I2: the range stays mapped for ever, so reading a block that was given back reads stale bytes, never faults.

use std::alloc::Layout;
use std::ptr::NonNull;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

use crate::primitives::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Lock, Ordering};
use std::panic::Location;

/// Blocks are multiples of a cache line.
const LINE: usize = 64;
/// Up to here there is a class for every multiple of a line, above one for every power of two.
const FINE: usize = 1024;
const FINE_CLASSES: usize = FINE / LINE;
const CLASSES: usize = FINE_CLASSES + 32;

/// A range of addresses and its free blocks.
pub(crate) struct Arena {
    start: AtomicUsize,
    len: AtomicUsize,
    inner: Lock<Inner>,
}

struct Inner {
    next: usize,
    free: [Vec<usize>; CLASSES],
}

/// Cores of what goroutines wait on.
pub(crate) static HANDLES: Arena = Arena::new();
/// Cells of goroutines.
pub(crate) static CELLS: Arena = Arena::new();

impl Arena {
    const fn new() -> Arena {
        Arena {
            start: AtomicUsize::new(0),
            len: AtomicUsize::new(0),
            inner: Lock::new(Inner {
                next: 0,
                free: [const { Vec::new() }; CLASSES],
            }),
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

    fn class(size: usize) -> usize {
        match Self::block_size(size) {
            fine if fine <= FINE => fine.max(LINE) / LINE - 1,
            coarse => FINE_CLASSES + (coarse.trailing_zeros() - FINE.trailing_zeros()) as usize - 1,
        }
    }

    /// A block for `layout`, which asks for no more than the alignment of a cache line. Aborts as the global allocator
    /// does when there is no memory.
    pub(crate) fn alloc(&self, layout: Layout) -> NonNull<u8> {
        assert!(
            layout.align() <= LINE,
            "an arena block is aligned to {LINE} bytes at most"
        );
        let mut inner = self.inner.lock();
        if let Some(block) = inner.free[Self::class(layout.size())].pop() {
            return NonNull::new(block as *mut u8).expect("free blocks are not null");
        }
        if self.start.load(Ordering::Relaxed) == 0 {
            inner.next = self.reserve();
        }
        let end = self.start.load(Ordering::Relaxed) + self.len.load(Ordering::Relaxed);
        let block = inner.next;
        let size = Self::block_size(layout.size().max(1));
        if end - block < size {
            drop(inner);
            std::alloc::handle_alloc_error(layout);
        }
        inner.next = block + size;
        NonNull::new(block as *mut u8).expect("the range does not start at 0")
    }

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// `block` came from this arena's `alloc` with a layout of the same size, and nobody uses it as what it was.
    pub(crate) unsafe fn free(&self, block: NonNull<u8>, layout: Layout) {
        self.inner.lock().free[Self::class(layout.size())].push(block.as_ptr() as usize);
    }

    /// True if `word` points into the range.
    pub(crate) fn contains(&self, word: usize) -> bool {
        word.wrapping_sub(self.start.load(Ordering::Relaxed)) < self.len.load(Ordering::Relaxed)
    }

    /// Reserves the range: addresses only, memory comes with the first touch. Smaller where the address space is limited.
    #[cold]
    fn reserve(&self) -> usize {
        let mut len: usize = 1 << 36;
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
                Err(_) if len > 1 << 24 => len /= 2,
                Err(error) => {
                    panic!("waterway cannot reserve {len} bytes of address space: {error}")
                }
            }
        }
    }
}

/// What kind of object a core is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum CoreKind {
    Chan = 1,
    Mutex,
    WaitGroup,
}

/// The first bytes of every core in [`HANDLES`], readable at any time by dumps (atomics and `'static` data only).
#[derive(Debug)]
#[repr(C)]
pub(crate) struct CoreHeader {
    kind: AtomicU8,
    id: AtomicU32,
    site: AtomicPtr<Location<'static>>,
    /// Of a channel: capacity, `usize::MAX` if unbounded.
    pub(crate) capacity: AtomicUsize,
    /// Of a channel: live senders and receivers. Of a lock: `senders` is the holder's goroutine id.
    pub(crate) senders: AtomicUsize,
    /// See `senders`.
    pub(crate) receivers: AtomicUsize,
}

impl CoreHeader {
    /// A header for a new object made at `site`, with the next free number.
    pub(crate) fn new(kind: CoreKind, site: &'static Location<'static>) -> CoreHeader {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        CoreHeader {
            kind: AtomicU8::new(kind as u8),
            id: AtomicU32::new(NEXT.fetch_add(1, Ordering::Relaxed) as u32),
            site: AtomicPtr::new(std::ptr::from_ref(site).cast_mut()),
            capacity: AtomicUsize::new(0),
            senders: AtomicUsize::new(0),
            receivers: AtomicUsize::new(0),
        }
    }

    /// The number of the object, unique among objects of the process.
    pub(crate) fn id(&self) -> u32 {
        self.id.load(Ordering::Relaxed)
    }

    /// Where the object was made.
    pub(crate) fn site(&self) -> &'static Location<'static> {
        // SAFETY: only `new` stores here, a `&'static`.
        unsafe { &*self.site.load(Ordering::Relaxed) }
    }

    /// What kind of object it is.
    pub(crate) fn kind(&self) -> CoreKind {
        match self.kind.load(Ordering::Relaxed) {
            1 => CoreKind::Chan,
            2 => CoreKind::Mutex,
            _ => CoreKind::WaitGroup,
        }
    }
}
