//! Things that happen once: a call, the setting of a value.

use std::cell::UnsafeCell;
use std::fmt;
use std::panic::Location;

use super::lazy_core::{LazyCore, address};
use crate::primitives::{AtomicUsize, Lock, Ordering};
use crate::rt::checkpoint::whoami;
use crate::rt::header::CoreKind;
use crate::wait::{Claimed, Wait, WaitKey, WaitQueue, WaitReason, checkpoint};

const TODO: usize = 0;
const DONE: usize = usize::MAX;

/// A call that is made once, by whoever comes first; the others wait until it has returned.
///
/// If the call panics it has not happened: the next caller makes it. (In Go it counts as made.)
///
/// # Invariants
///
/// - I1: there is one `Making` at a time, exactly while `state` names who has it.
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
        if let Some(making) = self.turn() {
            making.run(|| {
                f();
                true
            });
        }
    }

    /// The caller's turn, once no other makes the call; none if it has been made.
    #[inline]
    #[track_caller]
    pub(super) fn turn(&self) -> Option<Making<'_>> {
        match self.is_completed() {
            true => None,
            false => self.wait_turn(Location::caller()),
        }
    }

    #[cold]
    #[track_caller]
    fn wait_turn(&self, site: &'static Location<'static>) -> Option<Making<'_>> {
        checkpoint();
        self.refuse_maker(site);
        let core = self.core.get();
        loop {
            let line = core.value.lock();
            if self.take_turn() {
                break;
            }
            let key = WaitKey {
                reason: WaitReason::Once,
                object: address(core),
                site,
            };
            Wait::new(key, &()).park(&core.value, line, |_| Vec::new());
        }
        self.taken_turn()
    }

    /// Panics if the caller is within the call. That does not change meanwhile: the caller's number is written and taken back by itself
    /// alone.
    #[track_caller]
    pub(super) fn refuse_maker(&self, site: &'static Location<'static>) {
        if self.state.load(Ordering::Relaxed) == whoami() {
            panic!(
                "a Once, made at {}, is called at {site} from within its own call: it would wait for itself",
                self.made_at()
            );
        }
    }

    /// Where it was made.
    pub(super) fn made_at(&self) -> &'static Location<'static> {
        self.core.made_at()
    }

    /// Who waits for the call. Its lock is that of the turn, too.
    pub(super) fn line(&self) -> &Lock<WaitQueue> {
        &self.core.get().value
    }

    /// Under the lock of the line: true if the caller need not wait. Unless the call has been made, the caller makes it then, and
    /// [`taken_turn`](Self::taken_turn) gives it the right to, which it must take.
    pub(super) fn take_turn(&self) -> bool {
        match self.state.load(Ordering::Acquire) {
            DONE => true,
            TODO => {
                let me = whoami();
                self.state.store(me, Ordering::Relaxed);
                // For those who look for cycles.
                self.core.get().header.senders.store(me, Ordering::Relaxed);
                true
            }
            _ => false,
        }
    }

    /// For who has taken its turn, once (I1): none if the call has been made.
    pub(super) fn taken_turn(&self) -> Option<Making<'_>> {
        match self.is_completed() {
            true => None,
            false => Some(Making {
                once: self,
                end: TODO,
            }),
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

/// The right to make the call of a [`Once`] now. When it goes, the call is over: made, or still to be made.
pub(super) struct Making<'a> {
    once: &'a Once,
    end: usize,
}

impl Making<'_> {
    /// Makes the call, if `call` says that it has done so.
    #[cold]
    pub(super) fn run(mut self, call: impl FnOnce() -> bool) {
        if call() {
            self.end = DONE;
        }
    }
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.once.finish(self.end);
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
/// - I1: the value is there, and is not written any more, exactly while `once` is completed. It is written by who has the
///   `Making` of `once`.
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
        if let Some(making) = self.once.turn() {
            self.fill(making, || Some(f()));
        }
        self.get().expect("the call has been made")
    }

    pub(super) fn once(&self) -> &Once {
        &self.once
    }

    /// The value is made by `f`, or is not.
    pub(super) fn fill(&self, making: Making<'_>, f: impl FnOnce() -> Option<T>) {
        assert!(std::ptr::eq(making.once, &self.once), "its own");
        making.run(|| {
            let value = f();
            let made = value.is_some();
            // SAFETY: I1: within the one call, so nobody reads or writes.
            unsafe { *self.value.get() = value };
            made
        });
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
