//! A lock for many readers or one writer, and its guards.
//!
//! # Invariants
//!
//! - I1: the data is written only under `WRITER`, and read only by a counted reader or under `WRITER`.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::time::{Duration, Instant};

use super::lazy_core::{LazyCore, address};
use super::raw_rw_lock::{Core, Held, READ, WRITE, Want, enter, take_slow};
use crate::rt::core_box::CoreBox;
use crate::rt::header::CoreKind;
use crate::wait::{Limit, WaitKey, WaitReason, checkpoint};

/// A lock for data that is read by many and written by one at a time.
///
/// There is no poisoning: a panic while it is held unlocks it. A waiting writer stops new readers, so a goroutine that
/// reads and reads again, while another waits to write, waits for ever; the runtime says so
/// ([`watch::verdicts`](crate::watch::verdicts)).
///
/// ```
/// use waterway::sync::RwLock;
/// static NAMES: RwLock<Vec<String>> = RwLock::new(Vec::new());
/// NAMES.write().push("Ada".into());
/// assert_eq!(NAMES.read().len(), 1);
/// ```
///
/// Go: `sync.RWMutex`.
pub struct RwLock<T: ?Sized> {
    core: LazyCore<Core>,
    data: UnsafeCell<T>,
}

// SAFETY: readers share the data, writers have it to themselves, on any thread (I1).
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// A lock around `value`, free.
    ///
    /// ```
    /// static NAMES: waterway::sync::RwLock<Vec<&str>> = waterway::sync::RwLock::new(Vec::new());
    /// assert!(NAMES.read().is_empty());
    /// ```
    ///
    /// Go: the zero `sync.RWMutex`.
    #[track_caller]
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            core: LazyCore::new(CoreKind::RwLock),
            data: UnsafeCell::new(value),
        }
    }

    /// The value, without a lock: nobody else can hold it.
    ///
    /// ```
    /// assert_eq!(waterway::sync::RwLock::new(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until no writer holds the lock or waits for it, and takes it for reading.
    ///
    /// ```
    /// let lock = waterway::sync::RwLock::new(1);
    /// let (one, other) = (lock.read(), lock.read());
    /// assert_eq!(*one + *other, 2);
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks the caller while a writer holds the lock, or waits.
    ///
    /// Go: `RWMutex.RLock`.
    #[track_caller]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.read_within(Limit::NONE, Location::caller())
            .expect(SERVED)
    }

    /// Waits until nobody holds the lock, and takes it for writing.
    ///
    /// ```
    /// let lock = waterway::sync::RwLock::new(1);
    /// *lock.write() += 1;
    /// assert_eq!(*lock.read(), 2);
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks the caller while others hold the lock.
    ///
    /// Go: `RWMutex.Lock`.
    #[track_caller]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.write_within(Limit::NONE, Location::caller())
            .expect(SERVED)
    }

    /// As [`read`](Self::read), for at most `timeout`; `None` if the time is over.
    ///
    /// ```
    /// use std::time::Duration;
    /// let lock = waterway::sync::RwLock::new(1);
    /// let writer = lock.write();
    /// assert!(lock.read_timeout(Duration::from_millis(1)).is_none());
    /// drop(writer);
    /// assert_eq!(*lock.read_timeout(Duration::from_millis(1)).unwrap(), 1);
    /// ```
    ///
    /// # Blocking
    ///
    /// As `read`, until the time is over.
    ///
    /// Go: none.
    #[track_caller]
    pub fn read_timeout(&self, timeout: Duration) -> Option<RwLockReadGuard<'_, T>> {
        // Longer than a clock can count is for ever.
        let limit = Limit::at(Instant::now().checked_add(timeout));
        self.read_within(limit, Location::caller())
    }

    /// As [`write`](Self::write), for at most `timeout`; `None` if the time is over. Readers who waited behind it go on
    /// then.
    ///
    /// ```
    /// use std::time::Duration;
    /// let lock = waterway::sync::RwLock::new(1);
    /// let reader = lock.read();
    /// assert!(lock.write_timeout(Duration::from_millis(1)).is_none());
    /// drop(reader);
    /// *lock.write_timeout(Duration::from_millis(1)).unwrap() = 2;
    /// ```
    ///
    /// # Blocking
    ///
    /// As `write`, until the time is over.
    ///
    /// Go: none.
    #[track_caller]
    pub fn write_timeout(&self, timeout: Duration) -> Option<RwLockWriteGuard<'_, T>> {
        let limit = Limit::at(Instant::now().checked_add(timeout));
        self.write_within(limit, Location::caller())
    }

    /// Takes the lock for reading if that can be at once. Never blocks.
    ///
    /// ```
    /// let lock = waterway::sync::RwLock::new(1);
    /// let writer = lock.write();
    /// assert!(lock.try_read().is_none());
    /// # drop(writer);
    /// ```
    ///
    /// Go: `RWMutex.TryRLock`.
    #[track_caller]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        let core = self.core();
        enter(&core.header.senders, READ)
            .then(|| RwLockReadGuard::new(self, Held::taken(core, READ, Location::caller())))
    }

    /// Takes the lock for writing if that can be at once. Never blocks.
    ///
    /// ```
    /// let lock = waterway::sync::RwLock::new(1);
    /// let reader = lock.read();
    /// assert!(lock.try_write().is_none());
    /// # drop(reader);
    /// ```
    ///
    /// Go: `RWMutex.TryLock`.
    #[track_caller]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        let core = self.core();
        enter(&core.header.senders, WRITE)
            .then(|| RwLockWriteGuard::new(self, Held::taken(core, WRITE, Location::caller())))
    }

    /// The value, without a lock: nobody else can hold it.
    ///
    /// ```
    /// let mut lock = waterway::sync::RwLock::new(1);
    /// *lock.get_mut() = 2;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    pub(super) fn core(&self) -> &CoreBox<Core> {
        self.core.get()
    }

    /// As `read`; `None` if the limit came first.
    pub(crate) fn read_within(
        &self,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> Option<RwLockReadGuard<'_, T>> {
        let held = self.take(READ, limit, WaitReason::RwLockRead, site)?;
        Some(RwLockReadGuard::new(self, held))
    }

    /// As `write`; `None` if the limit came first.
    pub(crate) fn write_within(
        &self,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> Option<RwLockWriteGuard<'_, T>> {
        let held = self.take(WRITE, limit, WaitReason::RwLockWrite, site)?;
        Some(RwLockWriteGuard::new(self, held))
    }

    fn take(
        &self,
        want: Want,
        limit: Limit<'_>,
        reason: WaitReason,
        site: &'static Location<'static>,
    ) -> Option<Held<'_>> {
        checkpoint();
        let core = self.core();
        let key = WaitKey {
            reason,
            object: address(core),
            site,
        };
        let taken = enter(&core.header.senders, want) || take_slow(core, want, limit, key);
        taken.then(|| Held::taken(core, want, site))
    }
}

const SERVED: &str = "without a limit it waits until it is served";

/// The right to read the data of an [`RwLock`]; dropping it unlocks. It stays on its thread.
///
/// ```
/// let table = waterway::sync::RwLock::new(1);
/// let (one, other) = (table.read(), table.read());
/// assert_eq!(*one + *other, 2);
/// assert!(table.try_write().is_none());
/// ```
///
/// Go: its drop is `RWMutex.RUnlock`.
#[must_use = "the lock is free again at once if the guard is not kept"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    held: Held<'a>,
}

/// The right to write the data of an [`RwLock`]; dropping it unlocks. It stays on its thread.
///
/// ```
/// let table = waterway::sync::RwLock::new(1);
/// let mut guard = table.write();
/// *guard = 2;
/// assert!(table.try_read().is_none());
/// ```
///
/// Go: its drop is `RWMutex.Unlock`.
#[must_use = "the lock is free again at once if the guard is not kept"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    held: Held<'a>,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    pub(super) fn new(lock: &'a RwLock<T>, held: Held<'a>) -> Self {
        RwLockReadGuard { lock, held }
    }
}

// SAFETY: a shared guard gives shared access to the data.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        debug_assert!(self.held.want == READ);
        // SAFETY: I1: counted as a reader.
        unsafe { &*self.lock.data.get() }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    pub(super) fn new(lock: &'a RwLock<T>, held: Held<'a>) -> Self {
        RwLockWriteGuard { lock, held }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: I1: the writer.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        debug_assert!(self.held.want == WRITE);
        // SAFETY: I1: the writer, and its guard is borrowed mutably.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        match self.try_read() {
            Some(data) => out.field("data", &&*data),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
