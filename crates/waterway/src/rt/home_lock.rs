//! A lock of something that belongs to one worker, and that others come to seldom: to look, or to take something over. For the worker it is
//! two plain stores; who comes from afar pays for the fence (`uneven`), each time.
//!
//! # Protocol
//!
//! ```text
//!   the worker's thread                             another
//!   1. inside = 1                                   1. takes `afar`
//!   2. wanted = 0? then it has the lock             2. wanted = 1, and every thread passes a fence
//!   3. inside = 0                                   3. waits until inside = 0; then it has the lock
//!   (or inside = 0, and by way of `afar`)           4. wanted = 0, and gives `afar` back
//! ```
//!
//! Of step 2 on the left and step 3 on the right one sees the other's store (`uneven`). So the worker that got in is waited for, and what it
//! did is acquired with its `inside = 0`; and what another did is acquired with its `wanted = 0`, or with `afar`.
//!
//! Models (`models/`): `home_lock_..` in `orders`, `home_lock_excludes` in `blocking`; `runtime` runs on it.
//!
//! # Invariants
//!
//! - I1: the value is touched only by who has the lock: the home with `inside` set and `wanted` seen clear, or who has `afar`,
//!   another than the home with `wanted` set and `inside` seen clear after that.
//! - I2: `inside` is written by the home's thread alone, one at a time (`worker` I2), and `wanted` under `afar`.

use std::cell::UnsafeCell;

use super::uneven::{set_for_all, store_and_look};
use crate::primitives::{AtomicUsize, Lock, Ordering, Spin};

pub(crate) struct HomeLock<T> {
    /// 1 while the home has the lock, or is about to see that it has not.
    inside: AtomicUsize,
    /// 1 while another has it, or waits for the home to leave.
    wanted: AtomicUsize,
    afar: Lock<()>,
    value: UnsafeCell<T>,
}

// SAFETY: I1: one thread at a time reaches the value.
unsafe impl<T: Send> Send for HomeLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for HomeLock<T> {}

impl<T> HomeLock<T> {
    pub(crate) fn new(value: T) -> HomeLock<T> {
        HomeLock {
            inside: AtomicUsize::new(0),
            wanted: AtomicUsize::new(0),
            afar: Lock::new(()),
            value: UnsafeCell::new(value),
        }
    }

    /// Calls `f`, which does not panic, with the lock held, at home.
    ///
    /// # Safety
    ///
    /// On the thread of the worker whose lock this is, which does not have it already.
    #[inline]
    pub(crate) unsafe fn home<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        if store_and_look(&self.inside, 1, &self.wanted) != 0 {
            self.inside.store(0, Ordering::Release);
            return self.home_by_afar(f);
        }
        // SAFETY: I1, by the caller.
        let done = f(unsafe { &mut *self.value.get() });
        self.inside.store(0, Ordering::Release);
        done
    }

    /// Another has it.
    #[cold]
    #[inline(never)]
    fn home_by_afar<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let _afar = self.afar.lock();
        // SAFETY: I1: the others are kept out by `afar`, and the home is here.
        f(unsafe { &mut *self.value.get() })
    }

    /// Calls `f` with the lock held, on any thread that does not have it already. (If `f` panics the home goes by way of `afar` from then
    /// on.)
    #[cold]
    pub(crate) fn afar<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let _afar = self.afar.lock();
        set_for_all(&self.wanted, 1);
        let mut spin = Spin::new();
        while self.inside.load(Ordering::Acquire) != 0 {
            spin.once();
        }
        // SAFETY: I1.
        let done = f(unsafe { &mut *self.value.get() });
        // In order, as `uneven` asks of all that is done with a flag.
        self.wanted.store(0, Ordering::SeqCst);
        done
    }
}
