//! The first bytes of every core in the handle arena: what a dump tells of an object. Readable at any time, also while the
//! block is given back and made anew for another object.
//!
//! # Invariants
//!
//! - I1: a header is only ever written as atomics, over zeroes or what an older header left: every block of the arena
//!   begins with one, and stays mapped (arena I2). So no read of it races with a write that is not atomic.
//! - I2: `about` names no kind while the rest is written, nor once the object has gone, and is written last. Who finds it the same
//!   before and after a look at the rest, with a kind, has seen the header of one object.
//! - I3: `site` is the address of a `&'static` wherever `about` names a kind.
//! - I4: `capacity` of a lock's header is 0 or what `set_held_at` wrote.
//! - I5: `about` always holds the size of its block (arena I3).

use std::panic::Location;
use std::ptr::NonNull;

use crate::primitives::{AtomicU64, AtomicUsize, Ordering, fence, renew};

/// `about` is the number of the object, and below it the size of the block, which is a multiple of a line, and the kind.
const ID_SHIFT: u32 = 16;
const KIND: usize = 0x3f;
const SIZE: usize = 0xffff & !KIND;
/// A block with a header is smaller than this.
pub(crate) const MOST_BYTES: usize = 1 << ID_SHIFT;

/// What kind of object a core is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum CoreKind {
    Chan = 1,
    Mutex,
    WaitGroup,
    RwLock,
    Condvar,
    Once,
    Barrier,
    Semaphore,
    Context,
    /// The channel that is closed when a context ends: its `capacity` is the context's number.
    Done,
    /// The semaphore of a gate.
    Gate,
}

impl CoreKind {
    /// Every kind, in the order of its number, from 1 on.
    const ALL: [CoreKind; 11] = [
        CoreKind::Chan,
        CoreKind::Mutex,
        CoreKind::WaitGroup,
        CoreKind::RwLock,
        CoreKind::Condvar,
        CoreKind::Once,
        CoreKind::Barrier,
        CoreKind::Semaphore,
        CoreKind::Context,
        CoreKind::Done,
        CoreKind::Gate,
    ];
}

/// See the module.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct CoreHeader {
    /// Number of the object, size of the block, kind (I5). 0 of a block that is not from an arena.
    about: AtomicUsize,
    site: AtomicUsize,
    /// Of a channel: see `CAPACITY_BITS`. Of a lock: 0, or the address of a `&'static Location`, where it was
    /// last taken.
    pub(crate) capacity: AtomicUsize,
    /// Of a channel: live senders and receivers. Of a lock: `senders` is the lock word. Of a once: who makes the call now. Of a wait
    /// group: `senders` is the count's word. Of a semaphore: `senders` are the free permits, `receivers` all.
    pub(crate) senders: AtomicUsize,
    /// See `senders`. Of a mutex: not 0 if who unlocks is to see to those who wait.
    pub(crate) receivers: AtomicUsize,
}

/// Of a channel's `capacity` so many bits are the capacity, all of them if there is no limit; above them stands the gauge: how many
/// words from the header on the ring's `head` is, with its `tail` a line further, or the length of an unbounded backlog. 0 if nothing
/// is ever in it.
const CAPACITY_BITS: u32 = 48;
const UNBOUNDED: usize = (1 << CAPACITY_BITS) - 1;

/// How many values lie in a ring of that capacity, by its positions as `chan/ring` counts them (four times the index, and above it
/// the lap), which were read one after the other.
pub(super) fn ring_len(capacity: usize, head: usize, tail: usize) -> usize {
    let (taken, put) = ring_counts(capacity, head, tail);
    let len = put.wrapping_sub(taken);
    // Not of one moment: a value that was taken between the looks counts for less than none.
    if len > isize::MAX as usize {
        0
    } else {
        len.min(capacity)
    }
}

/// How many values were taken out of such a ring, and put into it.
pub(super) fn ring_counts(capacity: usize, head: usize, tail: usize) -> (usize, usize) {
    let lap = capacity.next_power_of_two() * 4;
    let count = |position: usize| (position / lap) * capacity + position % lap / 4;
    (count(head), count(tail))
}

/// A header, as of a moment.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) kind: CoreKind,
    pub(crate) id: usize,
    /// Where the object was made.
    pub(crate) site: &'static Location<'static>,
    /// See [`CoreHeader`].
    pub(crate) capacity: usize,
    /// See [`CoreHeader`].
    pub(crate) senders: usize,
    /// See [`CoreHeader`].
    pub(crate) receivers: usize,
}

impl Seen {
    /// How many values a channel holds; `None` if there is no limit.
    pub(crate) fn channel_capacity(&self) -> Option<usize> {
        Some(self.capacity & UNBOUNDED).filter(|n| *n != UNBOUNDED)
    }

    /// How many bytes from the header on the gauge of a channel is, if it has one.
    pub(super) fn gauge(&self) -> Option<usize> {
        let words = self.capacity >> CAPACITY_BITS;
        (words != 0).then_some(words * size_of::<usize>())
    }

    /// The count of a wait group.
    pub(crate) fn count(&self) -> usize {
        // The highest bit says that somebody waits.
        self.senders & (usize::MAX >> 1)
    }

    /// Where a lock was last taken.
    pub(crate) fn held_at(&self) -> Option<&'static Location<'static>> {
        match self.kind {
            // SAFETY: I4: 0 or the address of a `&'static`, in the header of a lock.
            CoreKind::Mutex | CoreKind::RwLock => unsafe {
                (self.capacity as *const Location<'static>).as_ref()
            },
            _ => None,
        }
    }
}

impl CoreHeader {
    /// Writes the header of a new object made at `site`, with the next free number.
    ///
    /// # Safety
    ///
    /// A block of the handle arena begins at `this`, and is the caller's alone but for those who `read` its header.
    pub(crate) unsafe fn write(
        this: NonNull<CoreHeader>,
        kind: CoreKind,
        site: &'static Location<'static>,
    ) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed) as usize;
        let at = this.as_ptr();
        // SAFETY: by the caller, and I1.
        unsafe {
            let size = (*at).about.load(Ordering::Relaxed) & SIZE;
            let about = id << ID_SHIFT | size | kind as usize;
            renew(&raw mut (*at).about, size);
            // Who sees one of the following sees the 0 as well (I2).
            fence(Ordering::Release);
            renew(&raw mut (*at).site, std::ptr::from_ref(site) as usize);
            renew(&raw mut (*at).capacity, 0);
            renew(&raw mut (*at).senders, 0);
            renew(&raw mut (*at).receivers, 0);
            (*at).about.store(about, Ordering::Release);
        }
    }

    /// What the header at `this` says; nothing if there is none yet, or another one just now.
    ///
    /// # Safety
    ///
    /// A block of the handle arena begins at `this`, which has been an object's, whether it still is or not.
    pub(crate) unsafe fn read(this: *const CoreHeader) -> Option<Seen> {
        // SAFETY: by the caller, and I1: atomics in memory that stays.
        let header = unsafe { &*this };
        let about = header.about.load(Ordering::Acquire);
        let kind = *CoreKind::ALL.get((about & KIND).checked_sub(1)?)?;
        let seen = Seen {
            kind,
            id: about >> ID_SHIFT,
            site: header.site(),
            capacity: header.capacity.load(Ordering::Relaxed),
            senders: header.senders.load(Ordering::Relaxed),
            receivers: header.receivers.load(Ordering::Relaxed),
        };
        fence(Ordering::Acquire);
        (header.about.load(Ordering::Relaxed) == about).then_some(seen)
    }

    /// A channel holds up to so many values, if there is a limit. Where to read how many there are: the address of its gauge.
    pub(crate) fn set_capacity(&self, capacity: Option<usize>, gauge: Option<usize>) {
        let words = gauge.map_or(0, |at| {
            (at - std::ptr::from_ref(self) as usize) / size_of::<usize>()
        });
        let capacity = capacity.unwrap_or(UNBOUNDED);
        self.capacity
            .store(words << CAPACITY_BITS | capacity, Ordering::Relaxed);
    }

    /// A lock was taken at `site`.
    #[inline]
    pub(crate) fn set_held_at(&self, site: &'static Location<'static>) {
        let address = std::ptr::from_ref(site) as usize;
        self.capacity.store(address, Ordering::Relaxed);
    }

    /// The number of the object, unique among objects of the process.
    pub(crate) fn id(&self) -> usize {
        self.about.load(Ordering::Relaxed) >> ID_SHIFT
    }

    /// The object goes: nobody finds it here any more. For who owns its core, before it is taken apart.
    #[inline]
    pub(crate) fn retire(&self) {
        let size = self.about.load(Ordering::Relaxed) & SIZE;
        self.about.store(size, Ordering::Release);
    }

    /// A channel shows itself as the one that is closed when the context of that number ends.
    pub(crate) fn show_as_done(&self, context: usize) {
        self.capacity.store(context, Ordering::Relaxed);
        let about = self.about.load(Ordering::Relaxed) & !KIND;
        self.about
            .store(about | CoreKind::Done as usize, Ordering::Release);
    }

    /// Bytes of the block that the header stands in.
    pub(super) fn block(&self) -> usize {
        self.about.load(Ordering::Relaxed) & SIZE
    }

    /// Where the object was made.
    pub(crate) fn site(&self) -> &'static Location<'static> {
        // SAFETY: I3: of an object, or looked at after an `about` that is not 0.
        unsafe { &*(self.site.load(Ordering::Relaxed) as *const Location<'static>) }
    }
}
