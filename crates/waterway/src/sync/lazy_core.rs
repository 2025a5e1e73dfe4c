//! A core that is made by its first use, so that what it belongs to can be a `static`.
//!
//! # Invariants
//!
//! - I1: the core, once made, stays until its owner is dropped.

use std::panic::Location;
use std::ptr::NonNull;

use crate::primitives::{AtomicPtr, Ordering};
use crate::rt::core_box::{CoreBox, GUARD_WORD, TASK_GUARD_WORD};
use crate::rt::header::CoreKind;

pub(super) struct LazyCore<S> {
    core: AtomicPtr<CoreBox<S>>,
    kind: CoreKind,
    made_at: &'static Location<'static>,
}

impl<S: Default> LazyCore<S> {
    #[track_caller]
    pub(super) const fn new(kind: CoreKind) -> LazyCore<S> {
        LazyCore {
            core: AtomicPtr::new(std::ptr::null_mut()),
            kind,
            made_at: Location::caller(),
        }
    }

    #[inline]
    pub(super) fn get(&self) -> &CoreBox<S> {
        let mut core = self.core.load(Ordering::Acquire);
        if core.is_null() {
            core = self.make();
        }
        // SAFETY: I1.
        unsafe { &*core }
    }

    /// # Safety
    ///
    /// `get` was called before.
    #[inline]
    pub(super) unsafe fn made(&self) -> &CoreBox<S> {
        // SAFETY: by the caller, so it is not null, and stays (I1).
        unsafe { &*self.core.load(Ordering::Acquire) }
    }

    /// Where what it belongs to was made.
    pub(super) fn made_at(&self) -> &'static Location<'static> {
        self.made_at
    }

    #[cold]
    fn make(&self) -> *mut CoreBox<S> {
        let new = CoreBox::make(self.kind, self.made_at, S::default());
        let null = std::ptr::null_mut();
        match self
            .core
            .compare_exchange(null, new.as_ptr(), Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => new.as_ptr(),
            Err(other) => {
                // SAFETY: it was never shown to anyone.
                unsafe { CoreBox::free(new) };
                other
            }
        }
    }
}

impl<S> Drop for LazyCore<S> {
    fn drop(&mut self) {
        if let Some(core) = NonNull::new(*self.core.get_mut()) {
            // SAFETY: its owner is not borrowed, so nobody uses it.
            unsafe { CoreBox::free(core) };
        }
    }
}

/// The address by which waiters on a core are told apart.
pub(super) fn address<S>(core: &CoreBox<S>) -> usize {
    std::ptr::from_ref(core) as usize
}

/// The word of a guard: an address in the core's block that is nothing else's. A scan of memory finds by it who holds what.
pub(super) fn guard_word<S>(core: &CoreBox<S>) -> *const () {
    word_at(core, GUARD_WORD)
}

/// The word of a guard that may go to another thread.
pub(super) fn task_guard_word<S>(core: &CoreBox<S>) -> *const () {
    word_at(core, TASK_GUARD_WORD)
}

fn word_at<S>(core: &CoreBox<S>, offset: usize) -> *const () {
    std::ptr::from_ref(core)
        .cast::<u8>()
        .wrapping_add(offset)
        .cast()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{raw_mutex, raw_rw_lock};

    #[test]
    fn the_word_of_a_guard_is_no_address_of_anything_in_a_core() {
        assert!(size_of::<CoreBox<raw_mutex::Core>>() <= GUARD_WORD);
        assert!(size_of::<CoreBox<raw_rw_lock::Core>>() <= GUARD_WORD);
    }
}
