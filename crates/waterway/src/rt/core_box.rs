//! A counted core in the handle arena, as locks and groups have it: the header, a count of references, the object's state.
//!
//! # Invariants
//!
//! - I1: a [`CoreRef`] is counted in `refs`; who takes the count to 0 owns the core.

use std::alloc::Layout;
use std::panic::Location;
use std::ptr::NonNull;

use super::arena::{Arena, HANDLES, LINE};
use super::header::{CoreHeader, CoreKind, MOST_BYTES};
use crate::primitives::{AtomicUsize, Ordering, fence};

/// How far the word that guards of a core hold is from the core: beyond what it consists of, so that no pointer into it looks like
/// a guard, and within its block.
pub(crate) const GUARD_WORD: usize = 96;
/// The same, of guards that tasks have: those go from thread to thread.
pub(crate) const TASK_GUARD_WORD: usize = GUARD_WORD + 8;
const _: () = assert!(Arena::block_size(LINE + 1) > TASK_GUARD_WORD);

/// A shared core in [`HANDLES`]: the header, a count of references, and the object's own state.
#[repr(C)]
pub(crate) struct CoreBox<T> {
    pub(crate) header: CoreHeader,
    refs: AtomicUsize,
    pub(crate) value: T,
}

/// A reference to a [`CoreBox`]; the last one frees it. What is stored is the core's address, so the word is a handle.
pub(crate) struct CoreRef<T>(NonNull<CoreBox<T>>);

// SAFETY: I1, as `Arc`: shared references to the value, and its drop on whichever thread comes last.
unsafe impl<T: Send + Sync> Send for CoreRef<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for CoreRef<T> {}

impl<T> CoreBox<T> {
    /// A core with one reference, which is the caller's.
    pub(crate) fn make(
        kind: CoreKind,
        site: &'static Location<'static>,
        value: T,
    ) -> NonNull<CoreBox<T>> {
        const { assert!(size_of::<CoreBox<T>>() <= MOST_BYTES / 2) };
        let core = HANDLES.alloc(Layout::new::<CoreBox<T>>()).cast();
        let at: *mut CoreBox<T> = core.as_ptr();
        // SAFETY: a fresh block of the right size and alignment (arena I1). Its header may be looked at, and is written
        // apart.
        unsafe {
            (&raw mut (*at).refs).write(AtomicUsize::new(1));
            (&raw mut (*at).value).write(value);
            CoreHeader::write(core.cast(), kind, site);
        }
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
            core.as_ref().header.retire();
            core.drop_in_place();
            HANDLES.free(core.cast(), Layout::new::<CoreBox<T>>());
        }
    }
}

impl<T> CoreRef<T> {
    #[track_caller]
    pub(crate) fn new(kind: CoreKind, value: T) -> CoreRef<T> {
        CoreRef::made_at(kind, Location::caller(), value)
    }

    /// As `new`, of an object that is made at `site`.
    pub(crate) fn made_at(
        kind: CoreKind,
        site: &'static Location<'static>,
        value: T,
    ) -> CoreRef<T> {
        CoreRef(CoreBox::make(kind, site, value))
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
        // SAFETY: I1.
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

impl<T> CoreRef<T> {
    /// The last reference has gone.
    #[cold]
    fn free(&mut self) {
        fence(Ordering::Acquire);
        // SAFETY: I1: the last reference, by `drop`.
        unsafe { CoreBox::free(self.0) };
    }
}

impl<T> Drop for CoreRef<T> {
    #[inline]
    fn drop(&mut self) {
        if self.refs.fetch_sub(1, Ordering::Release) == 1 {
            self.free();
        }
        // No stale word may look like a handle.
        // SAFETY: `self` is not used again; a dangling pointer is as good as any.
        unsafe { std::ptr::write_volatile(&raw mut self.0, NonNull::dangling()) };
    }
}
