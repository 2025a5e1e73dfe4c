//! The library's `primitives`, of loom's atoms. A ring's memory comes zeroed from the system; so these atoms are made when
//! they are first looked at, and all zeroes are one that holds 0.

use std::cell::Cell;

pub(crate) use loom::sync::atomic::Ordering;

pub(crate) struct AtomicUsize {
    initial: usize,
    made: Cell<*const loom::sync::atomic::AtomicUsize>,
}

// SAFETY: loom runs one thread at a time, and does not switch between the look at `made` and its change.
unsafe impl Sync for AtomicUsize {}
// SAFETY: as above.
unsafe impl Send for AtomicUsize {}

impl AtomicUsize {
    pub(crate) fn new(initial: usize) -> AtomicUsize {
        AtomicUsize {
            initial,
            made: Cell::new(std::ptr::null()),
        }
    }

    fn atom(&self) -> &loom::sync::atomic::AtomicUsize {
        if self.made.get().is_null() {
            let atom = loom::sync::atomic::AtomicUsize::new(self.initial);
            self.made.set(Box::into_raw(Box::new(atom)));
        }
        // SAFETY: made above or before, and never freed: a model is short.
        unsafe { &*self.made.get() }
    }

    pub(crate) fn load(&self, order: Ordering) -> usize {
        self.atom().load(order)
    }

    pub(crate) fn store(&self, value: usize, order: Ordering) {
        self.atom().store(value, order);
    }

    pub(crate) fn swap(&self, value: usize, order: Ordering) -> usize {
        self.atom().swap(value, order)
    }

    pub(crate) fn fetch_or(&self, value: usize, order: Ordering) -> usize {
        self.atom().fetch_or(value, order)
    }

    pub(crate) fn compare_exchange(
        &self,
        now: usize,
        next: usize,
        success: Ordering,
        failure: Ordering,
    ) -> Result<usize, usize> {
        self.atom().compare_exchange(now, next, success, failure)
    }

    /// Never fails by itself here: that would be one schedule more for each try, and the callers look again anyway.
    pub(crate) fn compare_exchange_weak(
        &self,
        now: usize,
        next: usize,
        success: Ordering,
        failure: Ordering,
    ) -> Result<usize, usize> {
        self.atom().compare_exchange(now, next, success, failure)
    }
}

/// Somebody else has to go on.
pub(crate) struct Spin(());

impl Spin {
    pub(crate) const fn new() -> Spin {
        Spin(())
    }

    pub(crate) fn once(&mut self) {
        loom::thread::yield_now();
    }
}
