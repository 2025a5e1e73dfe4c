//! What all who come to a channel pass: its flags, and its lock. And the ring's *solo* way, for a ring that is used by one worker.
//!
//! # Protocol
//!
//! A ring is solo at first (`SOLO` in `flags`). As long as it is, whoever moves it has the channel's lock, and moves it by plain stores.
//! That lock becomes one worker's own, to whom it costs two plain stores (`rt/own_lock.rs`); so does a message then, without a
//! locked instruction.
//!
//! Solo ends, for ever, when the lock has been in the hands of several, when the channel is closed, and when it gets a policy: then
//! whoever has the lock takes the flag back. From there on the ring is used without the lock (`ops.rs`). Whoever finds the flag down
//! has all that was done under the lock behind him; whoever finds it up takes the lock and looks again.
//!
//! *Looks.* Two goroutines that each send into a ring of their own and then look into the other's must not both find it empty.
//! Plain stores do not promise that, and the lock does: whoever looks into a solo ring takes it, unless it is its own. For the
//! owner a look by itself will do: what it did itself it sees, and what others did it sees as it does of a ring that is not solo, for
//! those have taken the lock away, and move the ring by exchanges.
//!
//! *Who waits* stands in `flags` too, and is said under the lock. So one look at the flags, under it, tells that the ring is
//! solo, open, and nobody waits (`flags == SOLO`): then a move needs no look behind. An owner that has found it so leaves the lock
//! *quick* (`rt/own_lock.rs`): if it comes again before anybody else has had the lock in the usual way, it need not look.
//!
//! Models (`models/`): `solo_..` in `orders`; `ring_..` in `blocking`.
//!
//! # Invariants
//!
//! - D1: `flags` change under the lock alone.
//! - D2: while `SOLO` is up, the ring is moved under the lock alone.
//! - D3: the lock is left quick by who has found `flags == SOLO` under it, and by who has found it quick; neither changes them.

use super::ring::Ring;
use crate::primitives::{AtomicUsize, Ordering};
use crate::rt::own_lock::{OwnGuard, OwnLock};

/// In `flags`: the ring is used under the lock alone.
pub(crate) const SOLO: usize = 128;

#[repr(C)]
pub(crate) struct Door<Q> {
    flags: AtomicUsize,
    lock: OwnLock<Q>,
}

impl<Q> Door<Q> {
    pub(crate) fn new(flags: usize, guarded: Q) -> Door<Q> {
        Door {
            flags: AtomicUsize::new(flags),
            lock: OwnLock::new(guarded),
        }
    }

    #[inline]
    pub(crate) fn flags(&self) -> usize {
        self.flags.load(Ordering::SeqCst)
    }

    /// As `flags`, under the lock.
    #[inline]
    pub(crate) fn flags_locked(&self) -> usize {
        self.flags.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn lock(&self) -> OwnGuard<'_, Q> {
        match self.lock.lock_own() {
            Some(own) => own,
            None => self.lock_shared(),
        }
    }

    #[inline(never)]
    fn lock_shared(&self) -> OwnGuard<'_, Q> {
        let guard = self.lock.lock_shared();
        if guard.has_many() && self.flags_locked() & SOLO != 0 {
            self.change(0, SOLO);
        }
        guard
    }

    /// Sets and takes back flags, and returns what they were. Under the lock.
    #[inline]
    pub(crate) fn change(&self, set: usize, clear: usize) -> usize {
        let flags = self.flags_locked();
        let next = flags & !clear | set;
        if next & SOLO != 0 {
            // Whoever moves the ring looks under the lock.
            self.flags.store(next, Ordering::Release);
        } else {
            self.flags.swap(next, Ordering::SeqCst);
        }
        flags
    }

    /// Sends, if there is room, the lock is the caller's own and was left quick, and `when` is true. The value comes back otherwise.
    #[inline]
    pub(crate) fn put_quick<T>(
        &self,
        ring: &Ring<T>,
        value: T,
        when: impl FnOnce() -> bool,
    ) -> Result<(), T> {
        match self.lock.lock_quick(when) {
            // D3.
            Some(lock) => put_alone(lock, ring, value),
            None => Err(value),
        }
    }

    /// Receives, if there is a value, the lock is the caller's own and was left quick, and `when` is true.
    #[inline]
    pub(crate) fn get_quick<T>(&self, ring: &Ring<T>, when: impl FnOnce() -> bool) -> Option<T> {
        // D3.
        get_alone(self.lock.lock_quick(when)?, ring)
    }

    /// Sends, if the ring is solo and has room, is open, nobody waits, and the lock is the caller's own. The value comes back otherwise.
    #[inline]
    pub(crate) fn put_own<T>(&self, ring: &Ring<T>, value: T) -> Result<(), T> {
        let value = match self.lock.lock_own() {
            Some(own) => return self.put_locked(own, ring, value),
            None => value,
        };
        self.put_quick(ring, value, || true)
    }

    /// Receives, if the ring is solo and has a value, is open, nobody waits, and the lock is the caller's own.
    #[inline]
    pub(crate) fn get_own<T>(&self, ring: &Ring<T>) -> Option<T> {
        match self.lock.lock_own() {
            Some(own) => self.get_locked(own, ring),
            None => self.get_quick(ring, || true),
        }
    }

    /// As `put_own`, be the lock whose it may.
    #[inline(never)]
    pub(crate) fn put_solo<T>(&self, ring: &Ring<T>, value: T) -> Result<(), T> {
        self.put_locked(self.lock(), ring, value)
    }

    /// As `get_own`, be the lock whose it may.
    #[inline(never)]
    pub(crate) fn get_solo<T>(&self, ring: &Ring<T>) -> Option<T> {
        self.get_locked(self.lock(), ring)
    }

    #[inline]
    fn put_locked<T>(&self, mut lock: OwnGuard<'_, Q>, ring: &Ring<T>, value: T) -> Result<(), T> {
        if !self.is_solo() {
            return Err(value);
        }
        lock.leave_quick();
        put_alone(lock, ring, value)
    }

    #[inline]
    fn get_locked<T>(&self, mut lock: OwnGuard<'_, Q>, ring: &Ring<T>) -> Option<T> {
        if !self.is_solo() {
            return None;
        }
        lock.leave_quick();
        get_alone(lock, ring)
    }

    /// True if the ring is solo and open, and nobody waits. Under the lock.
    #[inline]
    pub(crate) fn is_solo(&self) -> bool {
        self.flags_locked() == SOLO
    }

    /// True if the lock is the caller's own, and the ring may be solo.
    #[inline]
    pub(crate) fn is_own(&self) -> bool {
        self.lock.is_own()
    }

    /// See `Ring::is_bare`.
    #[inline]
    pub(crate) fn is_bare<T>(&self, ring: &Ring<T>) -> Option<usize> {
        self.look(ring, Ring::is_bare)
    }

    /// Looks into the ring.
    #[inline]
    pub(super) fn look<T, R>(&self, ring: &Ring<T>, look: impl FnOnce(&Ring<T>) -> R) -> R {
        if !self.lock.is_own() && self.flags() & SOLO != 0 {
            return self.look_shared(ring, look);
        }
        look(ring)
    }

    #[inline(never)]
    fn look_shared<T, R>(&self, ring: &Ring<T>, look: impl FnOnce(&Ring<T>) -> R) -> R {
        let _guard = self.lock_shared();
        look(ring)
    }
}

/// Sends, if there is room. The lock is that of the ring, which is solo and open, and nobody waits.
#[inline]
fn put_alone<Q, T>(_lock: OwnGuard<'_, Q>, ring: &Ring<T>, value: T) -> Result<(), T> {
    // SAFETY: D2, and it is open.
    unsafe {
        match ring.room_alone() {
            Some(room) => ring.push_alone(room, value),
            None => return Err(value),
        }
    }
    Ok(())
}

/// Receives, if there is a value. As for `put_alone`.
#[inline]
fn get_alone<Q, T>(_lock: OwnGuard<'_, Q>, ring: &Ring<T>) -> Option<T> {
    // SAFETY: D2.
    unsafe { ring.pop_alone() }
}
