//! Locking a mutex in an async task.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::mutex::{Mutex, MutexGuard};
use super::raw_mutex::LockTask;
use crate::wait::TaskWait;

impl<T: ?Sized> Mutex<T> {
    /// Takes the lock in an async task. Goroutines, threads and tasks may share one mutex.
    ///
    /// A task is told when the lock is free and takes it in its next poll; others may come before it then. Dropping the
    /// future gives its place up, and a lock that it was told of goes to the next. So a future that is neither polled
    /// nor dropped may keep others waiting.
    ///
    /// # Blocking
    ///
    /// Never; the future is pending instead.
    ///
    /// ```
    /// use waterway::{block_on, sync::Mutex};
    /// let count = Mutex::new(1);
    /// block_on(async {
    ///     *count.lock_async().await += 1;
    /// });
    /// assert_eq!(*count.lock(), 2);
    /// ```
    ///
    /// Go: none; Go has no tasks.
    #[track_caller]
    pub fn lock_async(&self) -> LockFuture<'_, T> {
        self.lock_async_at(Location::caller())
    }

    /// As `lock_async`, called at `site`.
    pub(super) fn lock_async_at(&self, site: &'static Location<'static>) -> LockFuture<'_, T> {
        LockFuture {
            lock: self,
            site,
            wait: TaskWait::new(LockTask(self.core())),
        }
    }
}

/// A lock that is waited for: from [`Mutex::lock_async`].
///
/// ```
/// use waterway::{block_on, sync::Mutex};
/// let lock = Mutex::new(1);
/// let future = lock.lock_async(); // nothing is locked yet
/// assert!(lock.try_lock().is_some());
/// assert_eq!(*block_on(future), 1);
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct LockFuture<'a, T: ?Sized> {
    lock: &'a Mutex<T>,
    site: &'static Location<'static>,
    wait: TaskWait<LockTask<'a>>,
}

impl<'a, T: ?Sized> Future for LockFuture<'a, T> {
    type Output = AsyncMutexGuard<'a, T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !(this.wait.is_new() && this.wait.at().try_take()) && this.wait.poll(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(AsyncMutexGuard(
            this.lock.locked(this.lock.core(), this.site),
        ))
    }
}

impl<T: ?Sized> fmt::Debug for LockFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockFuture").finish_non_exhaustive()
    }
}

/// The right to the data of a [`Mutex`], for an async task: it may be held across an `.await`, and go to another thread.
/// Dropping it unlocks.
///
/// It goes to another thread only if the data may:
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
/// use waterway::sync::{AsyncMutexGuard, Mutex};
/// fn send<T: Send>(_: T) {}
/// let lock = Mutex::new(Rc::new(1));
/// send(waterway::block_on(lock.lock_async()));
/// ```
#[must_use = "the mutex is unlocked again at once if the guard is not kept"]
pub struct AsyncMutexGuard<'a, T: ?Sized>(MutexGuard<'a, T>);

// SAFETY: whom the lock word names is told to dumps only, and here it names no thread; unlocking works from any.
unsafe impl<T: ?Sized + Send> Send for AsyncMutexGuard<'_, T> {}

impl<'a, T: ?Sized> AsyncMutexGuard<'a, T> {
    pub(super) fn mutex(&self) -> &'a Mutex<T> {
        self.0.mutex()
    }
}

impl<T: ?Sized> Deref for AsyncMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> DerefMut for AsyncMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for AsyncMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
