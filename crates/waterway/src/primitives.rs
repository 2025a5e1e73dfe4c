//! The atoms that everything above is made of. All `std::sync` types used by the library come from here, so that a model
//! checker can take their place in one file.

pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

/// A mutex for short critical sections of the runtime. Nothing parks and no user code runs while one is held, so it is
/// never poisoned by a panic of a user; `lock` therefore gives the guard itself.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(std::sync::Mutex<T>);

pub(crate) type LockGuard<'a, T> = std::sync::MutexGuard<'a, T>;

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Lock(std::sync::Mutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> LockGuard<'_, T> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
