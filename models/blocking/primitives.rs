//! The library's `primitives`, of shuttle's atoms: the same lock, which gives way where the other spins.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};

pub(crate) use shuttle::sync::Mutex as SleepingMutex;
pub(crate) use shuttle::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
/// Nothing is awaited while one is made.
pub(crate) use std::sync::OnceLock;

/// Shuttle's atoms are made, not stored to. Nobody reads here what is being written: the models have no dumps.
///
/// # Safety
///
/// As in the library.
pub(crate) unsafe fn renew(at: *mut AtomicUsize, value: usize) {
    // SAFETY: by the caller.
    unsafe { at.write(AtomicUsize::new(value)) };
}

pub(crate) struct Lock<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: one thread at a time reaches the value.
unsafe impl<T: Send> Send for Lock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Lock {
            taken: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    pub(crate) fn lock(&self) -> LockGuard<'_, T> {
        while self.taken.swap(true, Ordering::Acquire) {
            shuttle::thread::yield_now();
        }
        LockGuard(self)
    }
}

pub(crate) struct LockGuard<'a, T>(&'a Lock<T>);

impl<T> Drop for LockGuard<'_, T> {
    fn drop(&mut self) {
        self.0.taken.store(false, Ordering::Release);
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard is the right to the value.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed mutably.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Lock::new(T::default())
    }
}

impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lock")
    }
}

/// A lock in a `static`, which outlives the schedules: nobody gives way while it is held.
pub(crate) struct StaticLock<T>(std::sync::Mutex<T>);

impl<T> StaticLock<T> {
    pub(crate) const fn new(value: T) -> Self {
        StaticLock(std::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, T> {
        let locked = self.0.lock();
        locked.unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn by_chance() -> bool {
    shuttle::rand::Rng::r#gen::<bool>(&mut shuttle::rand::thread_rng())
}

/// One in four rests once, and others not at all: what follows on that is to be seen in few steps.
pub(crate) fn first_rest() -> u64 {
    if by_chance() && by_chance() {
        600_000
    } else {
        u64::MAX
    }
}

/// One look, or none: to look on is to be late, as any thread of a model may be.
pub(crate) fn for_a_moment(mut ready: impl FnMut() -> bool) -> bool {
    by_chance() && ready()
}

/// Somebody else has to go on.
pub(crate) struct Spin(());

impl Spin {
    pub(crate) const fn new() -> Spin {
        Spin(())
    }

    pub(crate) fn once(&mut self) {
        shuttle::thread::yield_now();
    }
}
