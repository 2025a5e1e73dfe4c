//! The first bytes of every core in the handle arena: what a dump tells of an object. Readable at any time, also while the
//! block is given back and made anew for another object.
//!
//! # Invariants
//!
//! - I1: a header is only ever written as atomics, over zeroes or what an older header left: every block of the arena
//!   begins with one, and stays mapped (arena I2). So no read of it races with a write that is not atomic.
//! - I2: `about` is 0 while the rest is written, and written last. Who finds it the same before and after a look at the
//!   rest, and not 0, has seen the header of one object.
//! - I3: `site` is the address of a `&'static` wherever `about` is not 0.
//! - I4: `capacity` of a lock's header is 0 or what `set_held_at` wrote.

use std::panic::Location;
use std::ptr::NonNull;

use crate::primitives::{AtomicU64, AtomicUsize, Ordering, fence, renew};

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
}

impl CoreKind {
    /// Every kind, in the order of its number, from 1 on.
    const ALL: [CoreKind; 9] = [
        CoreKind::Chan,
        CoreKind::Mutex,
        CoreKind::WaitGroup,
        CoreKind::RwLock,
        CoreKind::Condvar,
        CoreKind::Once,
        CoreKind::Barrier,
        CoreKind::Semaphore,
        CoreKind::Context,
    ];
}

/// See the module.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct CoreHeader {
    /// Number and kind of the object: `id << KIND_BITS | kind`.
    about: AtomicUsize,
    site: AtomicUsize,
    /// Of a channel: capacity, `usize::MAX` if unbounded. Of a lock: 0, or the address of a `&'static Location`, where it was
    /// last taken.
    pub(crate) capacity: AtomicUsize,
    /// Of a channel: live senders and receivers. Of a lock: `senders` is the lock word.
    pub(crate) senders: AtomicUsize,
    /// See `senders`. Of a mutex: not 0 if who unlocks is to see to those who wait.
    pub(crate) receivers: AtomicUsize,
}

const KIND_BITS: u32 = 8;

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
        let about = id << KIND_BITS | kind as usize;
        let at = this.as_ptr();
        // SAFETY: by the caller, and I1.
        unsafe {
            renew(&raw mut (*at).about, 0);
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
        if about == 0 {
            return None;
        }
        let seen = Seen {
            kind: CoreKind::ALL[(about & ((1 << KIND_BITS) - 1)) - 1],
            id: about >> KIND_BITS,
            site: header.site(),
            capacity: header.capacity.load(Ordering::Relaxed),
            senders: header.senders.load(Ordering::Relaxed),
            receivers: header.receivers.load(Ordering::Relaxed),
        };
        fence(Ordering::Acquire);
        (header.about.load(Ordering::Relaxed) == about).then_some(seen)
    }

    /// A lock was taken at `site`.
    #[inline]
    pub(crate) fn set_held_at(&self, site: &'static Location<'static>) {
        let address = std::ptr::from_ref(site) as usize;
        self.capacity.store(address, Ordering::Relaxed);
    }

    /// The number of the object, unique among objects of the process.
    pub(crate) fn id(&self) -> usize {
        self.about.load(Ordering::Relaxed) >> KIND_BITS
    }

    /// Where the object was made.
    pub(crate) fn site(&self) -> &'static Location<'static> {
        // SAFETY: I3: of an object, or looked at after an `about` that is not 0.
        unsafe { &*(self.site.load(Ordering::Relaxed) as *const Location<'static>) }
    }
}
