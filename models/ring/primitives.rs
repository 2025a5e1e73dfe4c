//! The library's `primitives`, of loom's atoms. A ring's memory comes zeroed from the system; so all zeroes are an atom that
//! holds 0, and it gets one of loom's, made before the threads of the model, when it is first looked at.

use std::cell::{Cell, RefCell};

pub(crate) use loom::sync::atomic::{Ordering, fence};
/// Numbers objects, which orders nothing.
pub(crate) use std::sync::atomic::AtomicU64;

thread_local! {
    /// Loom's threads are one thread of the system's.
    static ALL: Cell<*const loom::sync::atomic::AtomicUsize> = const { Cell::new(std::ptr::null()) };
    static POOL: RefCell<Vec<*const loom::sync::atomic::AtomicUsize>> = const { RefCell::new(Vec::new()) };
}

/// Makes `n` atoms that hold 0, for a run of a model.
pub(crate) fn prepare(n: usize) {
    let atom = || Box::into_raw(Box::new(loom::sync::atomic::AtomicUsize::new(0))).cast_const();
    ALL.set(atom());
    POOL.set((0..n).map(|_| atom()).collect());
}

/// A place where another thread may go on. Loom by itself tries both orders of two accesses only if one of them is the last
/// access to its atom before the other: a load before a thread's own compare-and-swap hides those of others. So every access
/// comes after one to an atom of all, which orders nothing.
fn switch() {
    let all = ALL.get();
    // SAFETY: from `prepare`, as the others.
    unsafe { &*all }.fetch_add(1, Ordering::Relaxed);
}

/// As the library's: a store. The block was zeroed.
///
/// # Safety
///
/// As in the library.
pub(crate) unsafe fn renew(at: *mut AtomicUsize, value: usize) {
    // SAFETY: by the caller.
    unsafe { &*at }.store(value, Ordering::Relaxed);
}

#[derive(Debug)]
pub(crate) struct AtomicUsize {
    made: Cell<*const loom::sync::atomic::AtomicUsize>,
}

// SAFETY: loom runs one thread at a time, and does not switch between the look at `made` and its change.
unsafe impl Sync for AtomicUsize {}
// SAFETY: as above.
unsafe impl Send for AtomicUsize {}

/// Sequential consistency is taken for `weak`, acquire and release: loom lets all such accesses synchronise with each other,
/// more than the language says, and an order too weak elsewhere would hide behind them.
fn weaker(order: Ordering, weak: Ordering) -> Ordering {
    match order {
        Ordering::SeqCst => weak,
        order => order,
    }
}

impl AtomicUsize {
    pub(crate) fn new(zero: usize) -> AtomicUsize {
        assert_eq!(zero, 0);
        AtomicUsize {
            made: Cell::new(std::ptr::null()),
        }
    }

    fn atom(&self) -> &loom::sync::atomic::AtomicUsize {
        if self.made.get().is_null() {
            let atom = POOL.with_borrow_mut(Vec::pop);
            self.made
                .set(atom.expect("as many atoms as the model needs"));
        }
        switch();
        // SAFETY: from `prepare`, and never freed: a model is short.
        unsafe { &*self.made.get() }
    }

    pub(crate) fn load(&self, order: Ordering) -> usize {
        self.atom().load(weaker(order, Ordering::Acquire))
    }

    pub(crate) fn store(&self, value: usize, order: Ordering) {
        self.atom().store(value, weaker(order, Ordering::Release));
    }

    pub(crate) fn swap(&self, value: usize, order: Ordering) -> usize {
        self.atom().swap(value, weaker(order, Ordering::AcqRel))
    }

    pub(crate) fn fetch_or(&self, value: usize, order: Ordering) -> usize {
        self.atom().fetch_or(value, weaker(order, Ordering::AcqRel))
    }

    pub(crate) fn compare_exchange(
        &self,
        now: usize,
        next: usize,
        success: Ordering,
        failure: Ordering,
    ) -> Result<usize, usize> {
        self.atom().compare_exchange(
            now,
            next,
            weaker(success, Ordering::AcqRel),
            weaker(failure, Ordering::Acquire),
        )
    }

    /// Never fails by itself here: that would be one schedule more for each try, and the callers look again anyway.
    pub(crate) fn compare_exchange_weak(
        &self,
        now: usize,
        next: usize,
        success: Ordering,
        failure: Ordering,
    ) -> Result<usize, usize> {
        self.compare_exchange(now, next, success, failure)
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
