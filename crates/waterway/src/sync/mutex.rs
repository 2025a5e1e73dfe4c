//! A mutual exclusion lock, and its guard.
//!
//! # Nobody sleeps on beside a free lock
//!
//! ```text
//!   who finds it taken, under the queue's lock      who unlocks
//!   1. sets the flag, for all                       1. flag down: the word becomes 0
//!   2. tries once more                              2. flag still down: done
//!   3. stands in the queue, unlocks that, parks     3. else, under the queue's lock: claims the first, unless the
//!                                                      word is not 0 any more
//! ```
//!
//! If 2 on the right does not see the flag of 1 on the left, then 1 on the right was seen by all before 2 on the left, which found the
//! lock taken: by another, later holder, for whom the same holds. So whoever held it when 2 on the left failed sees the flag, and
//! its 3 comes after 3 on the left. Who finds the flag at once (`unlock_in_line`) claims and unlocks under the queue's lock. Who was
//! claimed and comes back to a free lock sets the flag for the next, being the holder; to a taken one, begins at 1, or rests: then the flag
//! keeps others from claiming anybody, and a timer of its own brings it back, so the lock may be free for a millisecond at most while it and those behind it sleep; where its worker
//! is held meanwhile, the reminder sees to them (`raw_mutex` R2). Who leaves at its
//! deadline takes the flag down if it was the last; if it was claimed meanwhile, it was served, and comes back.
//! *One holder*: the word is changed from 0 by one exchange, or by the holder for who is handed the lock; who is has it once it has
//! exchanged its name with `HEIR` for its name, and whoever takes the lock back before exchanges that for 0.
//!
//! Models (`models/`): `mutex_..` in `blocking`. Memory orders are not among what they see: a lock takes by acquire and gives by
//! release, a hand-over goes through the claim, and of flag and word `rt::uneven` tells.
//!
//! # Invariants
//!
//! - I1: there is at most one guard, as long as it is there the word is not 0, and only through it the data is touched.
//!   (Whom the word names is told to dumps; a guard may be handed to another goroutine of its thread.)

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::time::{Duration, Instant};

use super::lazy_core::{LazyCore, guard_word};
use super::raw_mutex::{Core, key, lock_slow, take, unlock};
use crate::rt::checkpoint::whoami;
use crate::rt::core_box::CoreBox;
use crate::rt::header::CoreKind;
use crate::wait::{Claimed, Limit, WaitReason, lock_checkpoint};

/// A lock for data that goroutines, threads and async tasks share.
///
/// There is no poisoning: a panic while it is held unlocks it, and the next holder finds the data as it was left.
///
/// ```
/// use waterway::sync::Mutex;
/// static COUNT: Mutex<u32> = Mutex::new(0);
/// waterway::scope(|s| {
///     for _ in 0..10 {
///         s.go(|| *COUNT.lock() += 1);
///     }
/// });
/// assert_eq!(*COUNT.lock(), 10);
/// ```
///
/// Go: `sync.Mutex`.
pub struct Mutex<T: ?Sized> {
    core: LazyCore<Core>,
    data: UnsafeCell<T>,
}

// SAFETY: the lock lets one goroutine or thread at a time reach the data (I1).
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// A lock around `value`, free.
    ///
    /// ```
    /// static NAMES: waterway::sync::Mutex<Vec<&str>> = waterway::sync::Mutex::new(Vec::new());
    /// NAMES.lock().push("Ada");
    /// ```
    ///
    /// Go: the zero `sync.Mutex`.
    #[track_caller]
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            core: LazyCore::new(CoreKind::Mutex),
            data: UnsafeCell::new(value),
        }
    }

    /// The value, without a lock: nobody else can hold it.
    ///
    /// ```
    /// assert_eq!(waterway::sync::Mutex::new(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the lock is free and takes it.
    ///
    /// ```
    /// let count = waterway::sync::Mutex::new(1);
    /// *count.lock() += 1;
    /// assert_eq!(*count.lock(), 2);
    /// ```
    ///
    /// A goroutine that locks a mutex it holds already waits for ever, and so do those that wait for each other's locks. The runtime
    /// says so ([`watch::verdicts`](crate::watch::verdicts)).
    ///
    /// # Blocking
    ///
    /// Parks the caller while somebody else holds the lock.
    ///
    /// Go: `Mutex.Lock`.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let who = lock_checkpoint() << 1;
        let site = Location::caller();
        let core = self.core.get();
        if !take(core, who) {
            lock_slow(core, who, Limit::NONE, key(core, WaitReason::Mutex, site));
        }
        self.locked(core, site)
    }

    /// As [`lock`](Self::lock), for at most `timeout`; `None` if the time is over.
    ///
    /// ```
    /// use std::time::Duration;
    /// let lock = waterway::sync::Mutex::new(1);
    /// let guard = lock.lock();
    /// assert!(lock.lock_timeout(Duration::from_millis(1)).is_none());
    /// drop(guard);
    /// assert_eq!(*lock.lock_timeout(Duration::from_millis(1)).unwrap(), 1);
    /// ```
    ///
    /// # Blocking
    ///
    /// As `lock`, until the time is over.
    ///
    /// Go: none.
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Option<MutexGuard<'_, T>> {
        // Longer than a clock can count is for ever.
        let limit = Limit::at(Instant::now().checked_add(timeout));
        self.lock_within(limit, Location::caller())
    }

    /// As `lock`; `None` if the limit came first.
    pub(crate) fn lock_within(
        &self,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> Option<MutexGuard<'_, T>> {
        let who = lock_checkpoint() << 1;
        let core = self.core.get();
        let taken =
            take(core, who) || lock_slow(core, who, limit, key(core, WaitReason::Mutex, site));
        taken.then(|| self.locked(core, site))
    }

    /// Takes the lock if it is free. Never blocks.
    ///
    /// ```
    /// let lock = waterway::sync::Mutex::new(1);
    /// let guard = lock.lock();
    /// assert!(lock.try_lock().is_none());
    /// # drop(guard);
    /// ```
    ///
    /// Go: `Mutex.TryLock`.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let core = self.core.get();
        take(core, whoami() << 1).then(|| self.locked(core, Location::caller()))
    }

    /// The value, without a lock: nobody else can hold it.
    ///
    /// ```
    /// let mut lock = waterway::sync::Mutex::new(1);
    /// *lock.get_mut() = 2;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    pub(super) fn core(&self) -> &CoreBox<Core> {
        self.core.get()
    }

    #[inline]
    pub(super) fn locked<'a>(
        &'a self,
        core: &'a CoreBox<Core>,
        site: &'static Location<'static>,
    ) -> MutexGuard<'a, T> {
        core.header.set_held_at(site);
        MutexGuard {
            lock: self,
            word: guard_word(core),
            here: PhantomData,
        }
    }
}

/// The right to the data of a [`Mutex`]; dropping it unlocks. It stays on its thread.
///
/// ```
/// let lock = waterway::sync::Mutex::new(vec![1]);
/// let mut guard = lock.lock();
/// guard.push(2);
/// drop(guard); // unlocks
/// assert_eq!(lock.lock().len(), 2);
/// ```
///
/// Go: its drop is `Mutex.Unlock`.
#[must_use = "the mutex is unlocked again at once if the guard is not kept"]
pub struct MutexGuard<'a, T: ?Sized> {
    lock: &'a Mutex<T>,
    /// The word by which a scan of memory finds who holds the lock.
    word: *const (),
    here: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives shared access to the data.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the guard's own field. The read is volatile so that the word is in memory all the time, where a scan finds it.
        let word = unsafe { std::ptr::read_volatile(&raw const self.word) };
        if !word.is_null() {
            self.unlock();
        }
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn mutex(&self) -> &'a Mutex<T> {
        self.lock
    }

    #[inline]
    fn unlock(&mut self) {
        /// Apart, so that the drop of a guard is small enough to stand in its caller.
        #[cold]
        #[inline(never)]
        fn wake(next: Claimed) {
            next.wake();
        }
        if let Some(next) = self.release() {
            wake(next);
        }
    }

    /// Unlocks. Who comes next, if somebody waits, is for the caller to wake.
    #[inline]
    fn release(&mut self) -> Option<Claimed> {
        // SAFETY: it was locked, so the core has been made.
        let core = unsafe { self.lock.core.made() };
        // SAFETY: the guard's own field; no stale word may look like a held lock.
        unsafe { std::ptr::write_volatile(&raw mut self.word, std::ptr::null()) };
        unlock(core)
    }

    /// Runs `f` without the lock, and takes it again. `f` gets who is to be woken because the lock is free.
    pub(super) fn unlocked<R>(
        &mut self,
        site: &'static Location<'static>,
        f: impl FnOnce(Option<Claimed>) -> R,
    ) -> R {
        /// Locks again, also when `f` unwinds, for whoever has the guard may use it. This wait is never reaped.
        struct Relock<'g, 'a, T: ?Sized>(&'g mut MutexGuard<'a, T>, &'static Location<'static>);
        impl<T: ?Sized> Drop for Relock<'_, '_, T> {
            fn drop(&mut self) {
                let (core, who) = (self.0.lock.core.get(), whoami() << 1);
                if !take(core, who) {
                    lock_slow(
                        core,
                        who,
                        Limit::NONE,
                        key(core, WaitReason::Relock, self.1),
                    );
                }
                let guard = self.0.lock.locked(core, self.1);
                self.0.word = guard.word;
                std::mem::forget(guard);
            }
        }
        let next = self.release();
        let _relock = Relock(self, site);
        f(next)
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: I1: the guard is the right to the data.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: I1, and the guard is borrowed mutably.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.try_lock() {
            Some(data) => out.field("data", &&*data),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
