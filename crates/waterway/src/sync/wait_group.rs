//! Waiting for many.
//!
//! # Protocol
//!
//! The word holds the count and `WAITED`. Under the lock of the waiters, a waiter sets `WAITED` while the count is not zero, and
//! stands in the queue. Whoever would take the count to zero with `WAITED` set does that under the lock too, clears the bit, and takes
//! out all. So without the bit nobody stands there; no change to zero passes a waiter by; and who comes after the zero waits for
//! another round. Without the bit `add` is one exchange.
//!
//! Models (`models/`): `wait_group..` in `blocking`.

use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

use crate::goroutine::go;
use crate::primitives::{AtomicUsize, Lock, Ordering};
use crate::rt::core_box::CoreRef;
use crate::rt::header::CoreKind;
use crate::wait::{Claimed, Limit, Wait, WaitKey, WaitQueue, WaitReason, checkpoint};

/// Somebody waits.
const WAITED: usize = 1 << 63;

type Waiters = Lock<WaitQueue>;

/// Counts work that is under way; [`wait`](WaitGroup::wait) returns when none is left. Clones share the count.
///
/// ```
/// use waterway::sync::WaitGroup;
/// let group = WaitGroup::new();
/// for _ in 0..3 {
///     group.add(1);
///     let group = group.clone();
///     waterway::go(move || group.done());
/// }
/// group.wait();
/// ```
///
/// Go: `sync.WaitGroup`.
#[derive(Clone)]
pub struct WaitGroup {
    /// The word stands in the header, where dumps see it:
    ///
    /// | bits | meaning |
    /// | --- | --- |
    /// | 63 | `WAITED`: the queue may not be empty. Set under the queue's lock; the zero that clears it wakes all |
    /// | ..63 | the count |
    core: CoreRef<Waiters>,
}

impl WaitGroup {
    /// A group with nothing under way.
    ///
    /// ```
    /// waterway::sync::WaitGroup::new().wait(); // nothing to wait for
    /// ```
    ///
    /// Go: the zero `sync.WaitGroup`.
    #[track_caller]
    pub fn new() -> WaitGroup {
        WaitGroup {
            core: CoreRef::new(CoreKind::WaitGroup, Waiters::default()),
        }
    }

    #[inline]
    fn word(&self) -> &AtomicUsize {
        &self.core.header.senders
    }

    pub(super) fn waiters(&self) -> &Waiters {
        &self.core.value
    }

    /// Marks that somebody waits, under the queue's lock. False if the count is zero.
    pub(super) fn mark_waited(&self) -> bool {
        let mut now = self.word().load(Ordering::Acquire);
        while now & !WAITED != 0 {
            let next = now | WAITED;
            match self
                .word()
                .compare_exchange_weak(now, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return true,
                Err(other) => now = other,
            }
        }
        false
    }

    /// Adds `n` to the count; below zero it takes away, and wakes who waits if nothing is left. Never blocks.
    ///
    /// ```
    /// let group = waterway::sync::WaitGroup::new();
    /// group.add(2);
    /// group.add(-2);
    /// group.wait();
    /// ```
    ///
    /// # Panics
    ///
    /// If the count would be negative.
    ///
    /// Go: `WaitGroup.Add`.
    #[track_caller]
    pub fn add(&self, n: isize) {
        let word = self.word();
        let mut now = word.load(Ordering::Relaxed);
        loop {
            let left = self.sum(now, n);
            if left == 0 && now & WAITED != 0 {
                return self.add_and_wake(n);
            }
            match word.compare_exchange_weak(
                now,
                left | now & WAITED,
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(other) => now = other,
            }
        }
    }

    /// As `add`, where that takes the count to zero and somebody waits. Both is done under the lock of the waiters, so
    /// that who comes after the zero and stands in the queue waits for another one.
    #[cold]
    #[track_caller]
    fn add_and_wake(&self, n: isize) {
        let (word, waiters) = (self.word(), self.waiters());
        let mut now = word.load(Ordering::Relaxed);
        let woken = loop {
            // Outside of the lock, as it may panic, and the panic hook is user code.
            let left = self.sum(now, n);
            let mut waiters = waiters.lock();
            let next = if left == 0 { 0 } else { left | now & WAITED };
            match word.compare_exchange(now, next, Ordering::AcqRel, Ordering::Relaxed) {
                Err(other) => now = other,
                Ok(_) if left != 0 => return,
                Ok(_) => break waiters.pop_all(),
            }
        };
        woken.into_iter().for_each(Claimed::wake);
    }

    /// The count of `now`, and `n`.
    #[inline]
    #[track_caller]
    fn sum(&self, now: usize, n: isize) -> usize {
        let count = (now & !WAITED) as isize;
        match count.checked_add(n) {
            Some(left @ 0..) => left as usize,
            _ => self.negative(count, n),
        }
    }

    #[cold]
    #[track_caller]
    fn negative(&self, count: isize, n: isize) -> ! {
        panic!(
            "negative WaitGroup counter: {n} was added to {count}. The group was made at {}; each done() needs an \
             add(1) before it",
            self.core.header.site()
        )
    }

    /// Takes one away from the count. Never blocks.
    ///
    /// ```
    /// let group = waterway::sync::WaitGroup::new();
    /// group.add(1);
    /// group.done();
    /// group.wait();
    /// ```
    ///
    /// # Panics
    ///
    /// If the count is zero.
    ///
    /// Go: `WaitGroup.Done`.
    #[track_caller]
    pub fn done(&self) {
        let word = self.word();
        let now = word.load(Ordering::Relaxed);
        // Mostly there is more under way: then it is not the zero that somebody may wait for.
        let done = now & !WAITED > 1
            && word
                .compare_exchange_weak(now, now - 1, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok();
        if !done {
            self.add(-1);
        }
    }

    /// Parks the caller until the count is zero.
    ///
    /// ```
    /// let group = waterway::sync::WaitGroup::new();
    /// group.go(|| println!("working"));
    /// group.wait();
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks unless the count is zero.
    ///
    /// Go: `WaitGroup.Wait`.
    #[track_caller]
    pub fn wait(&self) {
        self.wait_within(Limit::NONE, Location::caller());
    }

    /// As [`wait`](Self::wait), for at most `timeout`. True if the count was zero in time.
    ///
    /// ```
    /// use std::time::Duration;
    /// let group = waterway::sync::WaitGroup::new();
    /// let token = group.token();
    /// assert!(!group.wait_timeout(Duration::from_millis(1)));
    /// drop(token);
    /// assert!(group.wait_timeout(Duration::from_millis(1)));
    /// ```
    ///
    /// # Blocking
    ///
    /// As `wait`, until the time is over.
    ///
    /// Go: none; a select over a channel that a goroutine closes after `Wait`.
    #[must_use = "the work may still be under way"]
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        let limit = Limit::at(Instant::now().checked_add(timeout));
        self.wait_within(limit, Location::caller())
    }

    /// As `wait`; false if the limit came first.
    pub(crate) fn wait_within(&self, limit: Limit<'_>, site: &'static Location<'static>) -> bool {
        checkpoint();
        let (word, waiters) = (self.word(), self.waiters());
        if word.load(Ordering::Acquire) & !WAITED == 0 {
            return true;
        }
        let queue = waiters.lock();
        if !self.mark_waited() {
            return true;
        }
        let key = WaitKey {
            reason: WaitReason::WaitGroup,
            object: self.core.address(),
            site,
        };
        let wait = Wait::new(key, &()).within(limit);
        wait.park(waiters, queue, |_| Vec::new())
    }

    /// Adds one to the count; dropping the token takes it away again, also when a panic drops it. Never blocks.
    ///
    /// ```
    /// let group = waterway::sync::WaitGroup::new();
    /// let token = group.token();
    /// waterway::go(move || {
    ///     // ... work ...
    ///     drop(token);
    /// });
    /// group.wait();
    /// ```
    ///
    /// Go: `wg.Add(1)` and `defer wg.Done()`.
    #[track_caller]
    pub fn token(&self) -> WaitToken {
        self.add(1);
        WaitToken(self.clone())
    }

    /// Starts a goroutine that the group waits for. A panic in it ends only it, and counts as done.
    ///
    /// ```
    /// let group = waterway::sync::WaitGroup::new();
    /// group.go(|| println!("working"));
    /// group.wait();
    /// ```
    ///
    /// Go: `WaitGroup.Go`.
    #[track_caller]
    pub fn go<F>(&self, f: F)
    where
        F: FnOnce() + Send + 'static,
    {
        let token = self.token();
        go(move || {
            let _done = token;
            f();
        });
    }
}

/// One piece of work that a [`WaitGroup`] waits for: from [`WaitGroup::token`]. Dropping it is `done`.
///
/// ```
/// let group = waterway::sync::WaitGroup::new();
/// let token = group.token();
/// waterway::go(move || drop(token));
/// group.wait();
/// ```
///
/// Go: its drop is `WaitGroup.Done`.
#[must_use = "dropping the token says that the work is done"]
pub struct WaitToken(WaitGroup);

impl Drop for WaitToken {
    fn drop(&mut self) {
        self.0.done();
    }
}

impl fmt::Debug for WaitToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WaitToken").field(&self.0).finish()
    }
}

impl Default for WaitGroup {
    #[track_caller]
    fn default() -> Self {
        WaitGroup::new()
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.word().load(Ordering::Relaxed) & !WAITED;
        f.debug_struct("WaitGroup").field("count", &count).finish()
    }
}
