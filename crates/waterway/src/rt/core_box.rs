//! What goroutines wait on, as far as the runtime and its dumps know it: a core in the handle arena, with a header in front.
//!
//! # Invariants
//!
//! - I1: a header is readable at any time, also after its core was freed (arena I2): it holds atomics only, and the
//!   address of a `&'static` once one was written.
//! - I2: a [`CoreRef`] is counted in `refs`; who takes the count to 0 owns the core.
//! - I3: a [`HeldAt`] holds null or the address of a `&'static` until its core is freed.

use std::alloc::Layout;
use std::panic::Location;
use std::ptr::NonNull;

use super::arena::HANDLES;
use crate::primitives::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

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
}

impl CoreKind {
    /// Every kind, in the order of its number, from 1 on.
    const ALL: [CoreKind; 8] = [
        CoreKind::Chan,
        CoreKind::Mutex,
        CoreKind::WaitGroup,
        CoreKind::RwLock,
        CoreKind::Condvar,
        CoreKind::Once,
        CoreKind::Barrier,
        CoreKind::Semaphore,
    ];
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
    /// Of a channel: live senders and receivers. Of a lock: `senders` is the lock word.
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
        // SAFETY: I1: only `new` stores here, a `&'static`.
        unsafe { &*self.site.load(Ordering::Relaxed) }
    }

    /// What kind of object it is.
    pub(crate) fn kind(&self) -> CoreKind {
        let number = self.kind.load(Ordering::Relaxed) as usize;
        *CoreKind::ALL
            .get(number.wrapping_sub(1))
            .unwrap_or(&CoreKind::Chan)
    }
}

/// A shared core in [`HANDLES`]: the header, a count of references, and the object's own state.
#[repr(C)]
pub(crate) struct CoreBox<T> {
    pub(crate) header: CoreHeader,
    refs: AtomicUsize,
    pub(crate) value: T,
}

/// Where the holder of a lock took it. The value of a lock's core begins with this, so that a dump finds it.
#[derive(Debug, Default)]
pub(crate) struct HeldAt(AtomicPtr<Location<'static>>);

impl HeldAt {
    #[inline]
    pub(crate) fn set(&self, site: &'static Location<'static>) {
        self.0
            .store(std::ptr::from_ref(site).cast_mut(), Ordering::Relaxed);
    }

    /// Where it was last taken: null or, as long as the lock lives (I3), a `&'static`.
    pub(crate) fn get(&self) -> *const Location<'static> {
        self.0.load(Ordering::Relaxed)
    }
}

/// A reference to a [`CoreBox`]; the last one frees it. What is stored is the core's address, so the word is a handle.
pub(crate) struct CoreRef<T>(NonNull<CoreBox<T>>);

// SAFETY: I2, as `Arc`: shared references to the value, and its drop on whichever thread comes last.
unsafe impl<T: Send + Sync> Send for CoreRef<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for CoreRef<T> {}

impl<T> CoreBox<T> {
    /// A core with one reference, which is the caller's.
    pub(crate) fn make(header: CoreHeader, value: T) -> NonNull<CoreBox<T>> {
        let core = HANDLES.alloc(Layout::new::<CoreBox<T>>()).cast();
        // SAFETY: a fresh block of the right size and alignment (arena I1).
        unsafe {
            core.write(CoreBox {
                header,
                refs: AtomicUsize::new(1),
                value,
            })
        };
        core
    }

    /// Drops and frees a core.
    ///
    /// # Safety
    ///
    /// It came from `make`, and nobody can reach it any more.
    pub(crate) unsafe fn free(core: NonNull<CoreBox<T>>) {
        // SAFETY: by the caller.
        unsafe {
            core.drop_in_place();
            HANDLES.free(core.cast(), Layout::new::<CoreBox<T>>());
        }
    }
}

impl<T> CoreRef<T> {
    pub(crate) fn new(header: CoreHeader, value: T) -> CoreRef<T> {
        CoreRef(CoreBox::make(header, value))
    }

    /// The core's address, by which waiters are told apart.
    pub(crate) fn address(&self) -> usize {
        self.0.as_ptr() as usize
    }
}

impl<T> std::ops::Deref for CoreRef<T> {
    type Target = CoreBox<T>;

    #[inline]
    fn deref(&self) -> &CoreBox<T> {
        // SAFETY: I2.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Clone for CoreRef<T> {
    fn clone(&self) -> CoreRef<T> {
        let before = self.refs.fetch_add(1, Ordering::Relaxed);
        assert!(before < usize::MAX / 2, "too many references to one object");
        CoreRef(self.0)
    }
}

impl<T> Drop for CoreRef<T> {
    fn drop(&mut self) {
        if self.refs.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            // SAFETY: I2: the last reference.
            unsafe { CoreBox::free(self.0) };
        }
        // No stale word may look like a handle.
        // SAFETY: `self` is not used again; a dangling pointer is as good as any.
        unsafe { std::ptr::write_volatile(&raw mut self.0, NonNull::dangling()) };
    }
}
