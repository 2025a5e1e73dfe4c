//! A lock that may become one worker's own: for that one it is two plain stores, for all others what [`Lock`] is.
//!
//! Goroutines stay on their worker, so a channel whose users live together is used by one thread, and an exchange guards it against
//! nobody. Who comes from elsewhere after all must find it guarded: that is what `uneven` is for.
//!
//! # Protocol
//!
//! A lock is *everybody's* at first, and then counts. When it was taken so many times in a row (`WORTH`) by one worker, it is that one's
//! *own*, until another comes: then it is everybody's for ever, so that `membarrier` is called once for a lock at most. Before the kernel
//! is ready for that call, or where it does not know it, no lock becomes anybody's own.
//!
//! ```text
//!   the owner                                       the first other
//!   1. inside is me? inside = BUSY                  1. takes `shared`
//!   2. owner is me? then it has the lock            2. owner = ALL, and every thread passes a fence
//!   3. inside = me                                  3. waits until inside is not BUSY; then it has the lock
//!   (or inside = NOBODY, and by way of `shared`)
//! ```
//!
//! Of step 2 on the left and step 3 on the right one sees the other's store (`uneven`). So the owner that got in is waited for, and what
//! it did is acquired with its `inside = me`; the owner that was late goes by `shared`, as everybody does from then on. That `inside` is
//! me says two things at once, the lock is my own as far as I know, and I am not in it.
//!
//! *Left quick.* An owner may leave a word with it (`inside = me | QUICK`), which says of the value what its user likes. Only the owner
//! that gets in finds that word, so nobody else has had the lock since: what was true of the value then is true now. Whoever takes the
//! lock in the usual way takes the word back.
//!
//! Models (`models/`): `own_lock_..` in `orders`, with the memory orders; `own_lock_..` in `blocking`, where each thread is a worker, and all
//! that have channels.
//!
//! # Invariants
//!
//! - I1: the value of an [`OwnLock`] is touched only by the holder of its one [`OwnGuard`].
//! - I2: `owner` changes under `shared` alone: from `UNOWNED` to the candidate by its own hand, then to `ALL` by another's. So `inside` is
//!   written by one worker only, and a worker is run by one thread at a time (`worker` I2).
//! - I3: who has the lock does not come for it again. What could have it do so all the same, a global allocator that uses the channel
//!   which allocates, or a signal handler, would find itself the owner, and inside: that ends the process. (A handler that comes before
//!   `BUSY` is stored is not seen, and what it does to a lock that was found quick neither. It must not call anything of this library.)

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};

use super::membarrier::WORTH;
use super::say::say;
use super::uneven::{is_ready, set_for_all, store_and_look_ready};
use super::worker::mark;
use crate::primitives::{AtomicUsize, Lock, LockGuard, Ordering, Spin};

/// In `owner`: nobody's own yet.
const UNOWNED: usize = 1;
/// In `owner`: nobody's own any more.
const ALL: usize = usize::MAX;

/// In `inside`: the owner has the lock, or is about to see that it is no owner.
const BUSY: usize = 1;
/// In `inside`: it is nobody's own.
const NOBODY: usize = 3;
/// In `inside`, beside the owner's mark: see *Left quick*.
const QUICK: usize = 2;

/// When it has changed hands so often, many use the lock.
const OFTEN: u8 = 4;
/// [`WORTH`], as it is counted down.
const IN_A_ROW: u16 = WORTH as u16;

/// The first two words are read by all, and written seldom: they stay in the cache of each core, whoever takes turns at the lock.
#[repr(C)]
pub(crate) struct OwnLock<T> {
    owner: AtomicUsize,
    /// The owner's mark while it is not in the lock.
    inside: AtomicUsize,
    /// The lock of all others.
    shared: Lock<Seen>,
    value: UnsafeCell<T>,
}

/// Who came by way of `shared`.
struct Seen {
    /// The candidate: the worker that took it last, or 0.
    last: usize,
    /// How often the candidate has yet to take it in a row.
    left: u16,
    /// How often it changed hands. Threads that are no workers are not told apart: each time counts.
    changes: u8,
}

impl Seen {
    /// The candidate is another one, or this thread, which is no worker.
    fn change_hands(&mut self, me: usize) {
        self.last = me;
        self.left = IN_A_ROW;
        self.changes = self.changes.saturating_add(1);
    }
}

// SAFETY: I1: one thread at a time reaches the value.
unsafe impl<T: Send> Send for OwnLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for OwnLock<T> {}

impl<T> OwnLock<T> {
    pub(crate) fn new(value: T) -> OwnLock<T> {
        let seen = Seen {
            last: 0,
            left: IN_A_ROW,
            changes: 0,
        };
        OwnLock {
            owner: AtomicUsize::new(UNOWNED),
            inside: AtomicUsize::new(NOBODY),
            shared: Lock::new(seen),
            value: UnsafeCell::new(value),
        }
    }

    /// The lock, if it is the caller's own.
    #[inline]
    pub(crate) fn lock_own(&self) -> Option<OwnGuard<'_, T>> {
        let me = mark();
        match self.inside.load(Ordering::Relaxed) == me {
            true => self.enter(me, me),
            false => None,
        }
    }

    /// The lock, if it is the caller's own, was left quick, and `when` is true. It is left quick again.
    #[inline]
    pub(crate) fn lock_quick(&self, when: impl FnOnce() -> bool) -> Option<OwnGuard<'_, T>> {
        let me = mark();
        if self.inside.load(Ordering::Relaxed) != me | QUICK {
            return None;
        }
        // SAFETY: I2: an owner is a worker. (So `when` need not ask whether the thread is one.)
        unsafe { std::hint::assert_unchecked(me != 0) };
        match when() {
            true => self.enter(me, me | QUICK),
            false => None,
        }
    }

    /// The owner takes it, unless it is one no more, and is to leave it so.
    #[inline(always)]
    fn enter(&self, me: usize, left: usize) -> Option<OwnGuard<'_, T>> {
        // Whoever takes it away has seen the kernel ready, as the owner had: both were in `shared`.
        if store_and_look_ready(&self.inside, BUSY, &self.owner) != me {
            self.come_late();
            return None;
        }
        Some(OwnGuard {
            lock: self,
            way: Way::Own(left),
        })
    }

    #[cold]
    fn come_late(&self) {
        self.inside.store(NOBODY, Ordering::Release);
    }

    /// True if the lock is the caller's own, as far as it knows, and free: what others do to the value it has yet to take from it.
    #[inline]
    pub(crate) fn is_own(&self) -> bool {
        self.inside.load(Ordering::Relaxed) & !QUICK == mark()
    }

    /// The lock, for who has found that it is not its own, or was left quick.
    #[inline]
    pub(crate) fn lock_shared(&self) -> OwnGuard<'_, T> {
        if let Some(mut own) = self.lock_quick(|| true) {
            own.leave(0);
            return own;
        }
        let me = mark();
        let owner = self.owner.load(Ordering::Relaxed);
        if owner == me && self.inside.load(Ordering::Relaxed) == BUSY {
            taken_twice();
        }
        debug_assert_ne!(owner, me);
        let mut seen = self.shared.lock();
        match self.owner.load(Ordering::Relaxed) {
            ALL => {}
            UNOWNED if me == 0 || seen.last != me => seen.change_hands(me),
            UNOWNED => {
                if self.count(&mut seen, me) {
                    return OwnGuard {
                        lock: self,
                        way: Way::Own(me),
                    };
                }
            }
            _another => {
                self.take_away();
                seen.changes = OFTEN;
            }
        }
        OwnGuard {
            lock: self,
            way: Way::Shared(seen),
        }
    }

    /// The candidate has come once more: true if it is the owner from now on, and inside, so that it is told if it comes again (I3). The
    /// caller has `shared`.
    fn count(&self, seen: &mut Seen, me: usize) -> bool {
        seen.left -= 1;
        if seen.left > 0 {
            return false;
        }
        seen.left = IN_A_ROW;
        let ready = is_ready();
        if ready {
            // Others see both with `shared`.
            self.owner.store(me, Ordering::Relaxed);
            self.inside.store(BUSY, Ordering::Relaxed);
        }
        ready
    }

    /// Another worker's it was until now. The caller has `shared`.
    #[cold]
    fn take_away(&self) {
        set_for_all(&self.owner, ALL);
        let mut spin = Spin::new();
        while self.inside.load(Ordering::Acquire) == BUSY {
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
    way: Way<'a>,
}

/// How its holder came to a lock.
enum Way<'a> {
    /// As its owner, who leaves this in `inside`.
    Own(usize),
    Shared(LockGuard<'a, Seen>),
}

impl<T> OwnGuard<'_, T> {
    /// True if the lock was seen in the hands of several.
    #[inline]
    pub(crate) fn has_many(&self) -> bool {
        match &self.way {
            Way::Own(_) => false,
            Way::Shared(seen) => seen.changes >= OFTEN,
        }
    }

    /// It is left quick, if it is the caller's own: what that says of the value is true.
    #[inline]
    pub(crate) fn leave_quick(&mut self) {
        self.leave(QUICK);
    }

    #[inline]
    fn leave(&mut self, word: usize) {
        if let Way::Own(left) = &mut self.way {
            *left = *left & !QUICK | word;
        }
    }
}

impl<T> Drop for OwnGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Way::Own(left) = self.way {
            self.lock.inside.store(left, Ordering::Release);
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
