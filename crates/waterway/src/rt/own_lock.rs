//! A lock that may become one worker's own: for that one it is two plain stores, for all others what [`Lock`] is.
//!
//! Goroutines stay on their worker, so a channel whose users live together is used by one thread, and an exchange guards it against
//! nobody. Who comes from elsewhere after all must find it guarded: that is what `uneven` is for.
//!
//! # Protocol
//!
//! A lock is *everybody's* at first, and then counts. When it was taken so many times in a row (`WORTH`) by one worker, it is that one's
//! *own*, until another comes: then it is everybody's for ever, so that `membarrier` is called once for a lock at most.
//!
//! ```text
//!   the owner                                       the first other
//!   1. inside = 1                                   1. takes `shared`
//!   2. owner is me? then it has the lock            2. owner = ALL, and every thread passes a fence
//!   3. inside = 0                                   3. waits until inside = 0; then it has the lock
//!   (or inside = 0, and by way of `shared`)
//! ```
//!
//! Of step 2 on the left and step 3 on the right one sees the other's store (`uneven`). So the owner that got in is waited for, and what
//! it did is acquired with its `inside = 0`; the owner that was late goes by `shared`, as everybody does from then on.
//!
//! Models (`models/`): `own_lock_..` in `orders`, with the memory orders; `own_lock_..` in `blocking`, where each thread is a worker, and all
//! that have channels.
//!
//! # Invariants
//!
//! - I1: the value of an [`OwnLock`] is touched only by the holder of its one [`OwnGuard`].
//! - I2: `owner` changes under `shared` alone: from a candidate to that worker by its own hand, then to `ALL` by another's. So `inside` is
//!   written by one worker only, and a worker is run by one thread at a time (`worker` I2).
//! - I3: who has the lock does not come for it again. What could have it do so all the same, a global allocator that uses the channel
//!   which allocates, or a signal handler, would find itself the owner, and inside: that ends the process.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};

use super::membarrier::WORTH;
use super::say::say;
use super::uneven::{set_for_all, store_and_look};
use super::worker::mark;
use crate::primitives::{AtomicUsize, Lock, LockGuard, Ordering, Spin};

/// In `owner`: not its own yet; the mark beside it is who took the lock last (0 if that was no worker).
const CANDIDATE: usize = 1;
/// In `owner`: nobody's own any more.
const ALL: usize = usize::MAX;

pub(crate) struct OwnLock<T> {
    owner: AtomicUsize,
    /// 1 while the owner has the lock, or is about to see that it is no owner.
    inside: AtomicUsize,
    /// The lock of all others. How often the candidate has yet to take it in a row.
    shared: Lock<u32>,
    value: UnsafeCell<T>,
}

// SAFETY: I1: one thread at a time reaches the value.
unsafe impl<T: Send> Send for OwnLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for OwnLock<T> {}

impl<T> OwnLock<T> {
    pub(crate) fn new(value: T) -> OwnLock<T> {
        OwnLock {
            owner: AtomicUsize::new(CANDIDATE),
            inside: AtomicUsize::new(0),
            shared: Lock::new(WORTH),
            value: UnsafeCell::new(value),
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> OwnGuard<'_, T> {
        let me = mark();
        if self.owner.load(Ordering::Relaxed) == me {
            if self.inside.load(Ordering::Relaxed) != 0 {
                taken_twice();
            }
            if store_and_look(&self.inside, 1, &self.owner) == me {
                return OwnGuard {
                    lock: self,
                    shared: None,
                };
            }
            self.inside.store(0, Ordering::Release);
        }
        self.lock_shared(me)
    }

    #[inline(never)]
    fn lock_shared(&self, me: usize) -> OwnGuard<'_, T> {
        let mut left = self.shared.lock();
        let owner = self.owner.load(Ordering::Relaxed);
        if owner & CANDIDATE == 0 {
            self.take_away();
        } else if owner != ALL {
            let candidate = me | CANDIDATE;
            if owner != candidate {
                self.owner.store(candidate, Ordering::Relaxed);
                *left = WORTH;
            } else if me != 0 {
                *left -= 1;
                if *left == 0 {
                    // For the next time: this time the others see `shared` taken.
                    self.owner.store(me, Ordering::Relaxed);
                }
            }
        }
        OwnGuard {
            lock: self,
            shared: Some(left),
        }
    }

    /// Another worker's it was until now. The caller has `shared`.
    #[cold]
    fn take_away(&self) {
        set_for_all(&self.owner, ALL);
        let mut spin = Spin::new();
        while self.inside.load(Ordering::Acquire) != 0 {
            spin.once();
        }
    }
}

/// I3.
#[cold]
fn taken_twice() -> ! {
    say(format_args!(
        "waterway: a channel was used by who is just using it: by the global allocator, as the channel allocates, or in a signal handler\n"
    ));
    std::process::abort();
}

/// The right to the value of an [`OwnLock`].
pub(crate) struct OwnGuard<'a, T> {
    lock: &'a OwnLock<T>,
    /// Nothing if the lock is the caller's own.
    shared: Option<LockGuard<'a, u32>>,
}

impl<T> Drop for OwnGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.shared.is_none() {
            self.lock.inside.store(0, Ordering::Release);
        }
    }
}

impl<T> Deref for OwnGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: I1.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for OwnGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: I1, and the guard is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}
