//! Locking a reader-writer lock in an async task.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::raw_rw_lock::{Held, READ, RwLockTask, WRITE, Want};
use super::rw_lock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use crate::wait::TaskWait;

impl<T: ?Sized> RwLock<T> {
    /// Takes the lock for reading in an async task.
    ///
    /// Tasks stand in one line with goroutines and threads. A task is told when it may have the lock, and takes it in
    /// its next poll; nobody who would be in its way passes it until then. Dropping the future gives its place up. So a
    /// future that is neither polled nor dropped keeps those behind it waiting.
    ///
    /// # Blocking
    ///
    /// Never; the future is pending instead.
    ///
    /// ```
    /// use waterway::{block_on, sync::RwLock};
    /// let names = RwLock::new(vec!["Ada"]);
    /// assert_eq!(block_on(async { names.read_async().await.len() }), 1);
    /// ```
    ///
    /// Go: none; Go has no tasks.
    #[track_caller]
    pub fn read_async(&self) -> ReadFuture<'_, T> {
        ReadFuture {
            lock: self,
            site: Location::caller(),
            wait: self.task(READ),
        }
    }

    /// Takes the lock for writing in an async task. As [`read_async`](Self::read_async).
    ///
    /// # Blocking
    ///
    /// Never; the future is pending instead.
    ///
    /// ```
    /// use waterway::{block_on, sync::RwLock};
    /// let names = RwLock::new(vec!["Ada"]);
    /// block_on(async { names.write_async().await.push("Grace") });
    /// assert_eq!(names.read().len(), 2);
    /// ```
    ///
    /// Go: none; Go has no tasks.
    #[track_caller]
    pub fn write_async(&self) -> WriteFuture<'_, T> {
        WriteFuture {
            lock: self,
            site: Location::caller(),
            wait: self.task(WRITE),
        }
    }

    fn task(&self, want: Want) -> TaskWait<RwLockTask<'_>> {
        let core = self.core();
        TaskWait::new(RwLockTask { core, want })
    }
}

fn poll<'a>(
    wait: &mut TaskWait<RwLockTask<'a>>,
    site: &'static Location<'static>,
    cx: &Context<'_>,
) -> Poll<Held<'a>> {
    if !(wait.is_new() && wait.at().try_take()) && wait.poll(cx).is_pending() {
        return Poll::Pending;
    }
    let RwLockTask { core, want } = *wait.at();
    Poll::Ready(Held::taken_by_task(core, want, site))
}

/// A lock that is waited for: from [`RwLock::read_async`].
///
/// ```
/// use waterway::{block_on, sync::RwLock};
/// let table = RwLock::new(1);
/// assert_eq!(*block_on(table.read_async()), 1);
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct ReadFuture<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    site: &'static Location<'static>,
    wait: TaskWait<RwLockTask<'a>>,
}

impl<'a, T: ?Sized> Future for ReadFuture<'a, T> {
    type Output = AsyncRwLockReadGuard<'a, T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        poll(&mut this.wait, this.site, cx)
            .map(|held| AsyncRwLockReadGuard(RwLockReadGuard::new(this.lock, held)))
    }
}

impl<T: ?Sized> fmt::Debug for ReadFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadFuture").finish_non_exhaustive()
    }
}

/// A lock that is waited for: from [`RwLock::write_async`].
///
/// ```
/// use waterway::{block_on, sync::RwLock};
/// let table = RwLock::new(1);
/// *block_on(table.write_async()) = 2;
/// assert_eq!(*table.read(), 2);
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct WriteFuture<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    site: &'static Location<'static>,
    wait: TaskWait<RwLockTask<'a>>,
}

impl<'a, T: ?Sized> Future for WriteFuture<'a, T> {
    type Output = AsyncRwLockWriteGuard<'a, T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        poll(&mut this.wait, this.site, cx)
            .map(|held| AsyncRwLockWriteGuard(RwLockWriteGuard::new(this.lock, held)))
    }
}

impl<T: ?Sized> fmt::Debug for WriteFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteFuture").finish_non_exhaustive()
    }
}

/// The right to read the data of an [`RwLock`], for an async task: it may be held across an `.await`, and go to another
/// thread. Dropping it unlocks.
///
/// ```
/// use waterway::{block_on, sync::RwLock};
/// static TABLE: RwLock<u32> = RwLock::new(1);
/// let guard = block_on(TABLE.read_async());
/// std::thread::spawn(move || assert_eq!(*guard, 1)).join().unwrap();
/// ```
#[must_use = "the lock is free again at once if the guard is not kept"]
pub struct AsyncRwLockReadGuard<'a, T: ?Sized>(RwLockReadGuard<'a, T>);

/// The right to write the data of an [`RwLock`], for an async task: it may be held across an `.await`, and go to another
/// thread. Dropping it unlocks.
///
/// ```
/// use waterway::{block_on, sync::RwLock};
/// static TABLE: RwLock<u32> = RwLock::new(1);
/// let mut guard = block_on(TABLE.write_async());
/// std::thread::spawn(move || *guard = 2).join().unwrap();
/// assert_eq!(*TABLE.read(), 2);
/// ```
#[must_use = "the lock is free again at once if the guard is not kept"]
pub struct AsyncRwLockWriteGuard<'a, T: ?Sized>(RwLockWriteGuard<'a, T>);

// SAFETY: the lock counts holders and does not know them; unlocking works from any thread.
unsafe impl<T: ?Sized + Send + Sync> Send for AsyncRwLockReadGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Send for AsyncRwLockWriteGuard<'_, T> {}

impl<T: ?Sized> Deref for AsyncRwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> Deref for AsyncRwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> DerefMut for AsyncRwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for AsyncRwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for AsyncRwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
