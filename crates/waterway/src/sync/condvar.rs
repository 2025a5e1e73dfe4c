//! Waiting for a condition on what a mutex guards.

use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

use super::lazy_core::{LazyCore, address};
use super::mutex::{Mutex, MutexGuard};
use crate::primitives::Lock;
use crate::rt::core_box::CoreBox;
use crate::rt::header::CoreKind;
use crate::wait::{Claimed, Limit, Wait, WaitKey, WaitQueue, WaitReason, Waited, checkpoint};

/// A condition variable: goroutines, threads and tasks wait in it until others say that something has changed.
///
/// A wait ends by a notification or its time-out only, never by itself; still, when it ends the condition may have been
/// undone by another: wait in a loop, or with [`wait_while`](Self::wait_while).
///
/// ```
/// use waterway::sync::{Condvar, Mutex};
/// static QUEUE: Mutex<Vec<u32>> = Mutex::new(Vec::new());
/// static FILLED: Condvar = Condvar::new();
/// let taker = waterway::go(|| {
///     let mut queue = QUEUE.lock();
///     FILLED.wait_while(&mut queue, |queue| queue.is_empty());
///     queue.pop()
/// });
/// QUEUE.lock().push(7);
/// FILLED.notify_one();
/// assert_eq!(taker.join().unwrap(), Some(7));
/// ```
///
/// # Panics
///
/// Whoever waits with another mutex than those who wait already.
///
/// Go: `sync.Cond`.
pub struct Condvar {
    core: LazyCore<Lock<Line>>,
}

#[derive(Default)]
pub(super) struct Line {
    queue: WaitQueue,
    /// The mutex of those in the queue.
    mutex: Option<Guarding>,
    /// How often all were notified.
    rounds: u64,
}

/// A mutex: its core's address, and where it was made.
pub(super) type Guarding = (usize, &'static Location<'static>);

pub(super) fn guarding<T: ?Sized>(mutex: &Mutex<T>) -> Guarding {
    let core = mutex.core();
    (address(core), core.header.site())
}

impl Line {
    /// One with this mutex is about to stand in the queue: the number of the round. An error says where the mutex of the
    /// others was made, if they have another.
    pub(super) fn enter(&mut self, mutex: Guarding) -> Result<u64, &'static Location<'static>> {
        match self.mutex {
            Some(other) if !self.queue.is_empty() && other != mutex => Err(other.1),
            _ => {
                self.mutex = Some(mutex);
                Ok(self.rounds)
            }
        }
    }

    /// Who has waited longest is to be woken.
    pub(super) fn first(&mut self) -> Option<Claimed> {
        self.queue.pop_claim().map(|(_, claimed)| claimed)
    }

    /// One that had entered in `round` does not use its notification: who is to be woken instead. Nobody, if all have been
    /// notified since.
    pub(super) fn pass_on(&mut self, round: u64) -> Option<Claimed> {
        (self.rounds == round).then(|| self.first()).flatten()
    }
}

impl Waited for Line {
    fn queue(&mut self) -> &mut WaitQueue {
        &mut self.queue
    }
}

/// Whether a wait ended because its time was over.
///
/// ```
/// use std::time::Duration;
///
/// use waterway::sync::{Condvar, Mutex};
/// let (lock, changed) = (Mutex::new(false), Condvar::new());
/// let result = changed.wait_timeout(&mut lock.lock(), Duration::from_millis(1));
/// assert!(result.timed_out());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// True if nobody notified the waiter in time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::sync::{Condvar, Mutex};
    /// let lock = Mutex::new(());
    /// let result = Condvar::new().wait_timeout(&mut lock.lock(), Duration::from_millis(1));
    /// assert!(result.timed_out());
    /// ```
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable that nobody waits in.
    ///
    /// ```
    /// static CHANGED: waterway::sync::Condvar = waterway::sync::Condvar::new();
    /// CHANGED.notify_all(); // nobody waits
    /// ```
    ///
    /// Go: `sync.NewCond`.
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar {
            core: LazyCore::new(CoreKind::Condvar),
        }
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again. Nothing that is notified between the unlock
    /// and the wait is missed.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use waterway::sync::{Condvar, Mutex};
    /// let pair = Arc::new((Mutex::new(false), Condvar::new()));
    /// let other = pair.clone();
    /// waterway::go(move || {
    ///     *other.0.lock() = true;
    ///     other.1.notify_one();
    /// });
    /// let mut set = pair.0.lock();
    /// while !*set {
    ///     pair.1.wait(&mut set);
    /// }
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks the caller until it is notified, and until it has the lock.
    ///
    /// # Panics
    ///
    /// If others wait here with another mutex.
    ///
    /// Go: `Cond.Wait`.
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        self.wait_within(guard, Limit::NONE, Location::caller());
    }

    /// Waits as long as `condition` holds.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use waterway::sync::{Condvar, Mutex};
    /// let pair = Arc::new((Mutex::new(false), Condvar::new()));
    /// let other = pair.clone();
    /// waterway::go(move || {
    ///     *other.0.lock() = true;
    ///     other.1.notify_one();
    /// });
    /// let mut set = pair.0.lock();
    /// pair.1.wait_while(&mut set, |set| !*set);
    /// ```
    ///
    /// # Blocking
    ///
    /// As [`wait`](Self::wait), unless the condition does not hold at once.
    ///
    /// Go: `for condition() { c.Wait() }`.
    #[track_caller]
    pub fn wait_while<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) {
        let site = Location::caller();
        while condition(guard) {
            self.wait_within(guard, Limit::NONE, site);
        }
    }

    /// As [`wait`](Self::wait), for at most `timeout`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::sync::{Condvar, Mutex};
    /// let (lock, never) = (Mutex::new(()), Condvar::new());
    /// let mut guard = lock.lock();
    /// assert!(never.wait_timeout(&mut guard, Duration::from_millis(1)).timed_out());
    /// ```
    ///
    /// # Blocking
    ///
    /// As `wait`, until the time is over; then it still waits for the lock.
    #[track_caller]
    pub fn wait_timeout<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        timeout: Duration,
    ) -> WaitTimeoutResult {
        // Longer than a clock can count is for ever.
        let deadline = Instant::now().checked_add(timeout);
        WaitTimeoutResult(!self.wait_within(guard, Limit::at(deadline), Location::caller()))
    }

    /// Waits as long as `condition` holds, for at most `timeout`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::sync::{Condvar, Mutex};
    /// let (queue, filled) = (Mutex::new(Vec::<u32>::new()), Condvar::new());
    /// let mut queue = queue.lock();
    /// let brief = Duration::from_millis(1);
    /// assert!(filled.wait_timeout_while(&mut queue, brief, |q| q.is_empty()).timed_out());
    /// assert!(!filled.wait_timeout_while(&mut queue, brief, |q| !q.is_empty()).timed_out());
    /// ```
    ///
    /// # Blocking
    ///
    /// As [`wait_timeout`](Self::wait_timeout), unless the condition does not hold at once. The result says that the time is over
    /// only if the condition still holds.
    #[track_caller]
    pub fn wait_timeout_while<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        timeout: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> WaitTimeoutResult {
        let (deadline, site) = (Instant::now().checked_add(timeout), Location::caller());
        let mut in_time = true;
        while condition(guard) {
            if !in_time {
                return WaitTimeoutResult(true);
            }
            in_time = self.wait_within(guard, Limit::at(deadline), site);
        }
        WaitTimeoutResult(false)
    }

    /// As `wait`; false if the limit came first.
    #[track_caller]
    pub(crate) fn wait_within<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> bool {
        checkpoint();
        let core = self.core();
        let key = WaitKey {
            reason: WaitReason::Condvar,
            object: address(core),
            site,
        };
        // Who notifies after the mutex is unlocked finds the caller in the queue, or waits for this lock.
        let mut line = core.value.lock();
        let mutex = guarding(guard.mutex());
        if let Err(other) = line.enter(mutex) {
            drop(line);
            self.two_mutexes(other, mutex);
        }
        guard.unlocked(site, |next| {
            let wait = Wait::new(key, &()).within(limit).waking(next);
            wait.park(&core.value, line, |_| Vec::new())
        })
    }

    pub(super) fn core(&self) -> &CoreBox<Lock<Line>> {
        self.core.get()
    }

    #[cold]
    #[track_caller]
    pub(super) fn two_mutexes(&self, other: &Location<'_>, mutex: Guarding) -> ! {
        panic!(
            "a Condvar, made at {}, is waited in with two mutexes: others wait with the one made at {other}, the caller has \
             the one made at {}",
            self.core.made_at(),
            mutex.1
        )
    }

    /// Wakes the goroutine, thread or task that has waited longest, if any waits.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use waterway::sync::{Condvar, Mutex};
    /// let pair = Arc::new((Mutex::new(false), Condvar::new()));
    /// let other = pair.clone();
    /// waterway::go(move || {
    ///     *other.0.lock() = true;
    ///     other.1.notify_one();
    /// });
    /// let mut set = pair.0.lock();
    /// pair.1.wait_while(&mut set, |set| !*set);
    /// ```
    ///
    /// Go: `Cond.Signal`.
    pub fn notify_one(&self) {
        let first = self.core().value.lock().first();
        first.into_iter().for_each(Claimed::wake);
    }

    /// Wakes all who wait.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use waterway::sync::{Condvar, Mutex};
    /// let pair = Arc::new((Mutex::new(false), Condvar::new()));
    /// let other = pair.clone();
    /// waterway::go(move || {
    ///     *other.0.lock() = true;
    ///     other.1.notify_all();
    /// });
    /// let mut set = pair.0.lock();
    /// pair.1.wait_while(&mut set, |set| !*set);
    /// ```
    ///
    /// Go: `Cond.Broadcast`.
    pub fn notify_all(&self) {
        let all = {
            let mut line = self.core().value.lock();
            line.rounds += 1;
            line.queue.pop_all()
        };
        all.into_iter().for_each(Claimed::wake);
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
