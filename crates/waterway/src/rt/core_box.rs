//! Cores in the handle arena, as locks and groups have them: the header, the object's state, and for those that are shared a count of
//! references.
//!
//! # Invariants
//!
//! - I1: a [`CoreRef`] is counted in `refs`; who is told that it was the last owns the core.

use std::alloc::Layout;
use std::mem::offset_of;
use std::panic::Location;
use std::ptr::NonNull;

use super::arena::{Arena, HANDLES, LINE};
use super::header::{CoreHeader, CoreKind, MOST_BYTES};
use super::refs::Refs;
use crate::primitives::AtomicUsize;

/// How far the word that guards of a core hold is from the core: beyond what it consists of, so that no pointer into it looks like
/// a guard, and within its block.
pub(crate) const GUARD_WORD: usize = 96;
/// The same, of guards that tasks have: those go from thread to thread.
pub(crate) const TASK_GUARD_WORD: usize = GUARD_WORD + 8;
/// So a core's block is at least as large as one of so many bytes, however small the core.
const LEAST: usize = LINE + 1;
const _: () = assert!(Arena::block_size(LEAST) > TASK_GUARD_WORD);

/// A core in [`HANDLES`] that has one owner: the header, and the object's own state.
#[repr(C)]
pub(crate) struct CoreBox<T> {
    pub(crate) header: CoreHeader,
    pub(crate) value: T,
}

/// A shared one.
#[repr(C)]
pub(crate) struct Counted<T> {
    pub(crate) header: CoreHeader,
    refs: Refs,
    pub(crate) value: T,
}

// Who gives a reference up touches the header's line, who makes one the next. (Atomics of models are larger.)
const _: () = assert!(
    size_of::<AtomicUsize>() != size_of::<usize>()
        || offset_of!(Counted<()>, refs) + offset_of!(Refs, made) == LINE
);

/// A reference to a [`Counted`] core; the last one frees it. What is stored is the core's address, so the word is a handle.
pub(crate) struct CoreRef<T>(NonNull<Counted<T>>);

// SAFETY: I1, as `Arc`: shared references to the value, and its drop on whichever thread comes last.
unsafe impl<T: Send + Sync> Send for CoreRef<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for CoreRef<T> {}

/// The memory of a core of type `C`.
const fn layout<C>() -> Layout {
    assert!(size_of::<C>() <= MOST_BYTES / 2);
    let bytes = if size_of::<C>() < LEAST {
        LEAST
    } else {
        size_of::<C>()
    };
    match Layout::from_size_align(bytes, align_of::<C>()) {
        Ok(layout) => layout,
        Err(_) => panic!("a core is small"),
    }
}

/// A new core of type `C`: `fill` writes what follows the header.
///
/// # Safety
///
/// `C` begins with a [`CoreHeader`], and `fill` writes all the rest.
unsafe fn make<C>(
    kind: CoreKind,
    site: &'static Location<'static>,
    fill: impl FnOnce(*mut C),
) -> NonNull<C> {
    let core = HANDLES.alloc(const { layout::<C>() }).cast();
    fill(core.as_ptr());
    // SAFETY: a fresh block of the right size and alignment (arena I1). Its header may be looked at, and is written apart.
    unsafe { CoreHeader::write(core.cast(), kind, site) };
    core
}

/// Drops and frees a core.
///
/// # Safety
///
/// It came from [`make`], and nobody can reach it any more.
unsafe fn free<C>(core: NonNull<C>) {
    // SAFETY: by the caller; it begins with a header.
    unsafe {
        core.cast::<CoreHeader>().as_ref().retire();
        core.drop_in_place();
        HANDLES.free(core.cast(), const { layout::<C>() });
    }
}

impl<T> CoreBox<T> {
    /// A core, which is the caller's.
    pub(crate) fn make(
        kind: CoreKind,
        site: &'static Location<'static>,
        value: T,
    ) -> NonNull<CoreBox<T>> {
        // SAFETY: all of a new one is written.
        let fill = |at: *mut CoreBox<T>| unsafe { (&raw mut (*at).value).write(value) };
        // SAFETY: as just seen.
        unsafe { make(kind, site, fill) }
    }

    /// Drops and frees a core.
    ///
    /// # Safety
    ///
    /// It came from `make`, and nobody can reach it any more.
    pub(crate) unsafe fn free(core: NonNull<CoreBox<T>>) {
        // SAFETY: by the caller.
        unsafe { free(core) };
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
        let fill = |at: *mut Counted<T>| {
            // SAFETY: all of a new one is written.
            unsafe {
                (&raw mut (*at).refs).write(Refs::new());
                (&raw mut (*at).value).write(value);
            }
        };
        // SAFETY: as just seen.
        CoreRef(unsafe { make(kind, site, fill) })
    }

    /// The core's address, by which waiters are told apart.
    pub(crate) fn address(&self) -> usize {
        self.0.as_ptr() as usize
    }
}

impl<T> std::ops::Deref for CoreRef<T> {
    type Target = Counted<T>;

    #[inline]
    fn deref(&self) -> &Counted<T> {
        // SAFETY: I1.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Clone for CoreRef<T> {
    fn clone(&self) -> CoreRef<T> {
        self.refs.add();
        CoreRef(self.0)
    }
}

impl<T> CoreRef<T> {
    /// The last reference has gone.
    #[cold]
    fn free(&mut self) {
        // SAFETY: I1: the last reference, by `drop`.
        unsafe { free(self.0) };
    }
}

impl<T> Drop for CoreRef<T> {
    #[inline]
    fn drop(&mut self) {
        if self.refs.give_up() {
            self.free();
        }
        // No stale word may look like a handle.
        // SAFETY: `self` is not used again; a dangling pointer is as good as any.
        unsafe { std::ptr::write_volatile(&raw mut self.0, NonNull::dangling()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_core_has_its_guard_words_to_itself() {
        assert!(size_of::<CoreBox<u8>>() < LINE);
        assert!(Arena::block_size(layout::<CoreBox<u8>>().size()) > TASK_GUARD_WORD);
    }
}
