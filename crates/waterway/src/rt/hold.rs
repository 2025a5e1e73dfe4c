//! What a goroutine or thread holds reserved, and gives back before it goes to sleep: nobody waits for a sleeper.

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::ptr::NonNull;

/// Something that the running goroutine or thread holds reserved and that must be given back if it goes to sleep.
pub(crate) trait ReleaseOnPark {
    /// Gives it back. Called at most once, on the owner's own stack, with no lock held.
    fn release(&self);
}

type Link = Option<NonNull<Hold>>;

thread_local! {
    /// What whoever runs on this thread now holds reserved. Since a park releases all of it, it is never another
    /// goroutine's.
    static HELD: Cell<Link> = const { Cell::new(None) };
}

/// A place in the list of what the running goroutine or thread holds reserved. It lies in what is reserved.
pub(crate) struct Hold {
    what: Cell<Option<NonNull<dyn ReleaseOnPark>>>,
    outer: Cell<Link>,
    _pinned: PhantomPinned,
}

impl Hold {
    pub(crate) const fn new() -> Hold {
        Hold {
            what: Cell::new(None),
            outer: Cell::new(None),
            _pinned: PhantomPinned,
        }
    }

    /// From now on a park of the caller calls `what.release()` first. If it is in the list already it stays where it
    /// is.
    ///
    /// # Safety
    ///
    /// Both stay where they are, on this thread, until `end` was called.
    pub(crate) unsafe fn begin(&self, what: NonNull<dyn ReleaseOnPark + '_>) {
        // SAFETY: only the lifetime changes; the caller keeps `what` alive until `end`.
        let what = unsafe {
            std::mem::transmute::<NonNull<dyn ReleaseOnPark + '_>, NonNull<dyn ReleaseOnPark>>(what)
        };
        if self.what.replace(Some(what)).is_none() {
            self.outer.set(HELD.replace(Some(NonNull::from(self))));
        }
    }

    /// Takes it out of the list. True if it was in: then `release` was not, and will not be called.
    pub(crate) fn end(&self) -> bool {
        if self.what.take().is_none() {
            return false;
        }
        let this = Some(NonNull::from(self));
        let mut link = HELD.get();
        if link == this {
            HELD.set(self.outer.take());
            return true;
        }
        while let Some(hold) = link {
            // SAFETY: what is in the list stays where it is (`begin`).
            let hold = unsafe { hold.as_ref() };
            link = hold.outer.get();
            if link == this {
                hold.outer.set(self.outer.take());
            }
        }
        true
    }
}

/// Releases what the caller holds reserved. For everything that is about to suspend.
#[inline]
pub(crate) fn release_reservations() {
    if HELD.get().is_some() {
        release_all();
    }
}

#[cold]
fn release_all() {
    while let Some(hold) = HELD.get() {
        // SAFETY: what is in the list stays where it is (`begin`).
        let hold = unsafe { hold.as_ref() };
        HELD.set(hold.outer.take());
        if let Some(what) = hold.what.take() {
            // SAFETY: as above.
            unsafe { what.as_ref() }.release();
        }
    }
}
