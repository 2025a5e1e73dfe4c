//! The atoms that everything above is made of. All `std::sync` types used by the library come from here, so that a model
//! checker can take their place in one file.
//!
//! # Invariants
//!
//! - I1: the value of a [`Lock`] is touched only by the holder of its one [`LockGuard`].

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

pub(crate) use std::sync::OnceLock;
pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence,
    fence,
};
/// For threads that sleep on a condition: the blocking pool's.
pub(crate) use std::sync::{
    Condvar as SleepingCondvar, Mutex as SleepingMutex, MutexGuard as SleepingGuard,
};

/// Starts a thread of the runtime.
pub(crate) fn start_thread(
    name: impl Into<String>,
    run: impl FnOnce() + Send + 'static,
) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name(name.into());
    thread.spawn(run).map(drop)
}

/// Makes an atom where another thread may be reading one: where all is zero, or an older one was.
///
/// # Safety
///
/// `at` is aligned and in memory that may be written.
#[inline]
pub(crate) unsafe fn renew(at: *mut AtomicUsize, value: usize) {
    // SAFETY: by the caller; any bytes are a number.
    unsafe { &*at }.store(value, Ordering::Relaxed);
}

/// A lock for critical sections of the runtime, which are a few dozen instructions: nothing parks and no user code runs
/// while one is held.
///
/// Unlocking is a plain store, half the price of std's lock in all, so there is nobody to wake: who finds it taken looks
/// again, first at once, then after giving way to other threads, then after sleeps that grow. That is seldom: it takes a
/// holder that the kernel has put aside.
pub(crate) struct Lock<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

/// A lock in a `static`. The locks of a model live as long as one schedule of it, which a static does not.
pub(crate) type StaticLock<T> = Lock<T>;

// SAFETY: I1: one thread at a time reaches the value.
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

    #[inline]
    pub(crate) fn lock(&self) -> LockGuard<'_, T> {
        if self.taken.swap(true, Ordering::Acquire) {
            self.lock_slow();
        }
        LockGuard(self)
    }

    #[cold]
    fn lock_slow(&self) {
        let mut tries = 0u32;
        loop {
            if !self.taken.load(Ordering::Relaxed) && !self.taken.swap(true, Ordering::Acquire) {
                return;
            }
            tries += 1;
            match tries {
                ..100 => std::hint::spin_loop(),
                100..GIVES_UP_CPU => std::thread::yield_now(),
                _ => nap(tries - GIVES_UP_CPU),
            }
        }
    }
}

/// The right to the value of a [`Lock`].
pub(crate) struct LockGuard<'a, T>(&'a Lock<T>);

impl<T> Drop for LockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.taken.store(false, Ordering::Release);
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: I1.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: I1, and the guard is borrowed mutably.
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

/// Who has looked so often in vain sleeps before it looks again. It may be of a priority before which the other has no turn otherwise, or
/// keep its CPU from it.
const GIVES_UP_CPU: u32 = 200;
const NAP: Duration = Duration::from_micros(50);
/// Each sleep is twice as long as the one before it, up to 12.8 ms: where a thousand wait, those who get up to look would else
/// leave no time to whom they wait for.
const DOUBLES: u32 = 8;

fn nap(before: u32) {
    std::thread::sleep(NAP * (1 << before.min(DOUBLES)));
}

/// Each look takes the line of the cache from who works there, so there are pauses between.
const LOOKS: u32 = 25;
const PAUSES: u32 = 4;

/// Who was woken for a lock, and found it taken again, rests for so long, in nanoseconds, or as much longer as its timer has leeway,
/// and twice as long each time after that.
pub(crate) fn first_rest() -> u64 {
    32_000
}

/// Looks now and then whether `ready`, for as long as short critical sections take, 1 to 4 us in all: true as soon as it is.
pub(crate) fn for_a_moment(mut ready: impl FnMut() -> bool) -> bool {
    (0..LOOKS).any(|_| {
        let is_ready = ready();
        if !is_ready {
            (0..PAUSES).for_each(|_| std::hint::spin_loop());
        }
        is_ready
    })
}

/// Waits for another thread's next few instructions.
pub(crate) struct Spin(u32);

impl Spin {
    #[inline]
    pub(crate) const fn new() -> Spin {
        Spin(0)
    }

    #[inline]
    pub(crate) fn once(&mut self) {
        if self.0 < 6 {
            for _ in 0..1 << self.0 {
                std::hint::spin_loop();
            }
            self.0 += 1;
        } else {
            self.give_way();
        }
    }

    #[cold]
    fn give_way(&mut self) {
        if self.0 < GIVES_UP_CPU {
            std::thread::yield_now();
        } else {
            nap(self.0 - GIVES_UP_CPU);
        }
        self.0 = self.0.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Giving way is not enough where the other is of a lower priority, nor are short sleeps where many wait.
    #[test]
    fn who_spins_for_long_sleeps_longer_and_longer() {
        let mut spin = Spin::new();
        (0..GIVES_UP_CPU).for_each(|_| spin.once());
        let begin = std::time::Instant::now();
        (0..6).for_each(|_| spin.once());
        assert!(begin.elapsed() >= NAP * (1 + 2 + 4 + 8 + 16 + 32));
    }
}
