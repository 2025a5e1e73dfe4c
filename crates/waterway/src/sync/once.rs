//! Things that happen once: a call, the making of a value.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;

use super::lazy_core::{LazyCore, address};
use crate::primitives::{AtomicUsize, Lock, Ordering};
use crate::rt::header::CoreKind;
use crate::rt::park::whoami;
use crate::wait::{Claimed, Wait, WaitKey, WaitQueue, WaitReason, checkpoint};

const TODO: usize = 0;
const DONE: usize = usize::MAX;

/// A call that is made once, by whoever comes first; the others wait until it has returned.
///
/// If the call panics it has not happened: the next caller makes it. (In Go it counts as made.)
///
/// ```
/// use waterway::sync::Once;
/// static START: Once = Once::new();
/// waterway::scope(|s| {
///     for _ in 0..3 {
///         s.go(|| START.call_once(|| println!("printed once")));
///     }
/// });
/// assert!(START.is_completed());
/// ```
///
/// Go: `sync.Once`.
pub struct Once {
    /// | value | meaning |
    /// | --- | --- |
    /// | `TODO` | the call is still to be made, or panicked |
    /// | `DONE` | it has returned |
    /// | else | who makes it now: a goroutine's number or a thread's id |
    state: AtomicUsize,
    core: LazyCore<Lock<WaitQueue>>,
}

impl Once {
    /// A call that is still to be made.
    ///
    /// ```
    /// use waterway::sync::Once;
    /// static START: Once = Once::new();
    /// START.call_once(|| println!("started"));
    /// ```
    ///
    /// Go: the zero `sync.Once`.
    #[track_caller]
    pub const fn new() -> Once {
        Once {
            state: AtomicUsize::new(TODO),
            core: LazyCore::new(CoreKind::Once),
        }
    }

    /// True if the call has been made and has returned.
    ///
    /// ```
    /// let once = waterway::sync::Once::new();
    /// assert!(!once.is_completed());
    /// ```
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.state.load(Ordering::Acquire) == DONE
    }

    /// Calls `f`, unless the call has been made.
    ///
    /// ```
    /// let once = waterway::sync::Once::new();
    /// let mut calls = 0;
    /// once.call_once(|| calls += 1);
    /// once.call_once(|| calls += 1);
    /// assert_eq!(calls, 1);
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks the caller while another makes the call.
    ///
    /// # Panics
    ///
    /// If `f` panics; and if `f` comes back here itself, which would wait for itself for ever.
    ///
    /// Go: `Once.Do`.
    #[inline]
    #[track_caller]
    pub fn call_once(&self, f: impl FnOnce()) {
        if !self.is_completed() {
            self.attempt(|| {
                f();
                true
            });
        }
    }

    /// Calls `f`, unless the call has been made. It has been made if `f` says so.
    #[cold]
    #[track_caller]
    fn attempt(&self, f: impl FnOnce() -> bool) {
        /// The call is over: made, or it unwinds and is still to be made.
        struct Over<'a>(&'a Once, usize);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.finish(self.1);
            }
        }
        if self.begin(Location::caller()) {
            let mut over = Over(self, TODO);
            if f() {
                over.1 = DONE;
            }
        }
    }

    /// True if the caller makes the call now; false once another has made it.
    #[track_caller]
    fn begin(&self, site: &'static Location<'static>) -> bool {
        checkpoint();
        let (me, core) = (whoami(), self.core.get());
        loop {
            let line = core.value.lock();
            match self.state.load(Ordering::Acquire) {
                DONE => return false,
                TODO => {
                    self.state.store(me, Ordering::Relaxed);
                    // For those who look for cycles.
                    core.header.senders.store(me, Ordering::Relaxed);
                    return true;
                }
                maker if maker == me => {
                    drop(line);
                    panic!(
                        "a Once, made at {}, is called from within its own call: it would wait for itself",
                        core.header.site()
                    );
                }
                _ => {}
            }
            let key = WaitKey {
                reason: WaitReason::Once,
                object: address(core),
                site,
            };
            Wait::new(key, &()).park(&core.value, line, |_| Vec::new());
        }
    }

    /// The call is over: whoever waits looks again.
    fn finish(&self, state: usize) {
        let all = {
            let core = self.core.get();
            let mut line = core.value.lock();
            core.header.senders.store(0, Ordering::Relaxed);
            self.state.store(state, Ordering::Release);
            line.pop_all()
        };
        all.into_iter().for_each(Claimed::wake);
    }
}

impl Default for Once {
    #[track_caller]
    fn default() -> Self {
        Once::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once")
            .field("completed", &self.is_completed())
            .finish()
    }
}

/// A value that is set once and read by all.
///
/// # Invariants
///
/// - I1: the value is there, and is not written any more, exactly while `once` is completed.
///
/// ```
/// use waterway::sync::OnceLock;
/// static HOST: OnceLock<String> = OnceLock::new();
/// assert_eq!(HOST.get(), None);
/// assert_eq!(HOST.get_or_init(|| "localhost".into()), "localhost");
/// assert_eq!(HOST.set("elsewhere".into()), Err("elsewhere".into()));
/// ```
///
/// Go: `sync.OnceValue`.
pub struct OnceLock<T> {
    once: Once,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: I1: written by one, before all others read; the value may be made on one thread and dropped on another.
unsafe impl<T: Send + Sync> Sync for OnceLock<T> {}

impl<T> OnceLock<T> {
    /// A place without a value.
    ///
    /// ```
    /// use waterway::sync::OnceLock;
    /// static PORT: OnceLock<u16> = OnceLock::new();
    /// assert_eq!(PORT.get_or_init(|| 80), &80);
    /// ```
    #[track_caller]
    pub const fn new() -> OnceLock<T> {
        OnceLock {
            once: Once::new(),
            value: UnsafeCell::new(None),
        }
    }

    /// The value, if it has been set. Never blocks.
    ///
    /// ```
    /// let place = waterway::sync::OnceLock::<u32>::new();
    /// assert_eq!(place.get(), None);
    /// ```
    #[inline]
    pub fn get(&self) -> Option<&T> {
        // SAFETY: I1.
        self.once
            .is_completed()
            .then(|| unsafe { (*self.value.get()).as_ref() })
            .flatten()
    }

    /// The value, if it has been set.
    ///
    /// ```
    /// let mut place = waterway::sync::OnceLock::new();
    /// place.set(1).unwrap();
    /// *place.get_mut().unwrap() += 1;
    /// assert_eq!(place.get(), Some(&2));
    /// ```
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut().as_mut()
    }

    /// Sets the value.
    ///
    /// ```
    /// let place = waterway::sync::OnceLock::new();
    /// assert_eq!(place.set(1), Ok(()));
    /// assert_eq!(place.set(2), Err(2));
    /// ```
    ///
    /// # Errors
    ///
    /// The value comes back if there is one already.
    ///
    /// # Blocking
    ///
    /// Parks the caller while another sets the value.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.get_or_init(|| value.take().expect("called once"));
        value.map_or(Ok(()), Err)
    }

    /// The value; if there is none, `f` makes it.
    ///
    /// ```
    /// let place = waterway::sync::OnceLock::new();
    /// assert_eq!(place.get_or_init(|| 1), &1);
    /// assert_eq!(place.get_or_init(|| 2), &1);
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks the caller while another makes the value.
    ///
    /// # Panics
    ///
    /// As [`Once::call_once`].
    ///
    /// Go: `Once.Do`, and a variable that it sets.
    #[track_caller]
    pub fn get_or_init(&self, f: impl FnOnce() -> T) -> &T {
        self.fill(|| Some(f())).expect("the call has been made")
    }

    /// The value; if there is none, `f` makes it, or does not.
    #[inline]
    #[track_caller]
    fn fill(&self, f: impl FnOnce() -> Option<T>) -> Option<&T> {
        if !self.once.is_completed() {
            self.once.attempt(|| {
                let value = f();
                let made = value.is_some();
                // SAFETY: I1: within the one call, so nobody reads or writes.
                unsafe { *self.value.get() = value };
                made
            });
        }
        self.get()
    }

    /// The value, if it has been set.
    ///
    /// ```
    /// let place = waterway::sync::OnceLock::new();
    /// place.set(1).unwrap();
    /// assert_eq!(place.into_inner(), Some(1));
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Takes the value out: the place is as new.
    ///
    /// ```
    /// let mut place = waterway::sync::OnceLock::new();
    /// place.set(1).unwrap();
    /// assert_eq!((place.take(), place.take()), (Some(1), None));
    /// ```
    #[track_caller]
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        OnceLock::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnceLock").field(&self.get()).finish()
    }
}

/// A value that is made by its first use.
///
/// ```
/// use waterway::sync::LazyLock;
/// static SQUARES: LazyLock<Vec<u32>> = LazyLock::new(|| (0..10).map(|n| n * n).collect());
/// assert_eq!(SQUARES[3], 9);
/// ```
///
/// Go: `sync.OnceValue`.
pub struct LazyLock<T, F = fn() -> T> {
    value: OnceLock<T>,
    make: UnsafeCell<Option<F>>,
}

// SAFETY: as `OnceLock`; the maker is taken out and called by one, within the one call.
unsafe impl<T: Send + Sync, F: Send> Sync for LazyLock<T, F> {}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `make` makes when it is first used.
    ///
    /// ```
    /// let sum = waterway::sync::LazyLock::new(|| (1..=10).sum::<u32>());
    /// assert_eq!(*sum, 55);
    /// ```
    ///
    /// Go: `sync.OnceValue`.
    #[track_caller]
    pub const fn new(make: F) -> LazyLock<T, F> {
        LazyLock {
            value: OnceLock::new(),
            make: UnsafeCell::new(Some(make)),
        }
    }

    /// The value, made now if it has not been.
    ///
    /// ```
    /// use waterway::sync::LazyLock;
    /// let sum = LazyLock::new(|| (1..=10).sum::<u32>());
    /// assert_eq!(LazyLock::force(&sum), &55);
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks the caller while another makes the value.
    ///
    /// # Panics
    ///
    /// If `make` panics, now or before: a value that could not be made is never there.
    ///
    /// Go: a call of what `sync.OnceValue` gave.
    #[track_caller]
    pub fn force(this: &Self) -> &T {
        // SAFETY: within the one call, so nobody else has the maker.
        let make = || unsafe { (*this.make.get()).take() };
        match this.value.fill(|| make().map(|make| make())) {
            Some(value) => value,
            None => panic!(
                "the value of a LazyLock is not there: making it panicked before. The LazyLock is at {}",
                this.value.once.core.made_at()
            ),
        }
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LazyLock").field(&self.value.get()).finish()
    }
}
