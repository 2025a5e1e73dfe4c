//! Waiting for a condition in an async task.
//!
//! A notification that is given to one task is never lost: if the future goes before it has the lock again, it goes to the
//! next in line. One that was given to all who waited is not passed on: the next has come later.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::condvar::{Condvar, Guarding, Line, guarding};
use super::mutex::Mutex;
use super::mutex_async::{AsyncMutexGuard, LockFuture};
use crate::primitives::{Lock, OnceLock};
use crate::wait::{Claimed, Stand, TaskWait, WaitsAt};

impl Condvar {
    /// Waits in an async task: unlocks the mutex, waits for a notification, and gives the mutex locked again. Nothing that
    /// is notified between the unlock and the wait is missed. Goroutines, threads and tasks may wait in one line.
    ///
    /// The first poll of the future unlocks. Dropping the future gives up the place in line, and the lock; if
    /// [`notify_one`](Self::notify_one) has notified it, the next in line is notified instead. So a future that was
    /// notified and is neither polled nor dropped may keep others waiting.
    ///
    /// # Blocking
    ///
    /// Never; the future is pending instead.
    ///
    /// # Panics
    ///
    /// The future, if others wait here with another mutex.
    ///
    /// ```
    /// use waterway::{block_on, sync::{Condvar, Mutex}};
    /// static READY: Mutex<bool> = Mutex::new(false);
    /// static CHANGED: Condvar = Condvar::new();
    /// waterway::go(|| {
    ///     *READY.lock() = true;
    ///     CHANGED.notify_one();
    /// });
    /// block_on(async {
    ///     let mut ready = READY.lock_async().await;
    ///     while !*ready {
    ///         ready = CHANGED.wait_async(ready).await;
    ///     }
    /// });
    /// ```
    ///
    /// Go: none; Go has no tasks.
    #[track_caller]
    pub fn wait_async<'a, T: ?Sized>(
        &'a self,
        guard: AsyncMutexGuard<'a, T>,
    ) -> CondvarFuture<'a, T> {
        self.wait_async_at(guard, Location::caller())
    }

    /// Waits in an async task as long as `condition` holds.
    ///
    /// ```
    /// use waterway::{block_on, sync::{Condvar, Mutex}};
    /// static QUEUE: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    /// static FILLED: Condvar = Condvar::new();
    /// waterway::go(|| {
    ///     QUEUE.lock().push(7);
    ///     FILLED.notify_one();
    /// });
    /// let taken = block_on(async {
    ///     let queue = QUEUE.lock_async().await;
    ///     FILLED.wait_while_async(queue, |queue| queue.is_empty()).await.pop()
    /// });
    /// assert_eq!(taken, Some(7));
    /// ```
    ///
    /// # Blocking
    ///
    /// Never; the future is pending instead, unless the condition does not hold at once.
    ///
    /// # Panics
    ///
    /// The future, as that of [`wait_async`](Self::wait_async).
    ///
    /// Go: none; Go has no tasks.
    #[track_caller]
    pub fn wait_while_async<'a, T: ?Sized>(
        &'a self,
        mut guard: AsyncMutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> impl Future<Output = AsyncMutexGuard<'a, T>> {
        let site = Location::caller();
        async move {
            while condition(&mut guard) {
                guard = self.wait_async_at(guard, site).await;
            }
            guard
        }
    }

    fn wait_async_at<'a, T: ?Sized>(
        &'a self,
        guard: AsyncMutexGuard<'a, T>,
        site: &'static Location<'static>,
    ) -> CondvarFuture<'a, T> {
        CondvarFuture {
            condvar: self,
            mutex: guard.mutex(),
            site,
            stage: Stage::Holds(guard),
        }
    }
}

/// A task in the line of a condition variable.
struct InLine<'a> {
    condvar: &'a Condvar,
    mutex: Guarding,
    /// What its entry gave: the round.
    entered: OnceLock<Result<u64, &'static Location<'static>>>,
}

impl WaitsAt for InLine<'_> {
    type State = Line;
    type Slot = ();

    fn lock(&self) -> &Lock<Line> {
        &self.condvar.core().value
    }

    fn slot(&self) {}

    /// True also for one that may not enter.
    fn take(&self, line: &mut Line, stand: &Stand<'_>, _: &mut Vec<Claimed>) -> bool {
        let refused = self.entered.get_or_init(|| line.enter(self.mutex)).is_err();
        refused || stand.told()
    }

    fn left(&self, line: &mut Line, told: bool) -> Vec<Claimed> {
        let next = told.then(|| line.pass_on(self.round())).flatten();
        Vec::from_iter(next)
    }
}

impl InLine<'_> {
    fn round(&self) -> u64 {
        match self.entered.get() {
            Some(Ok(round)) => *round,
            _ => unreachable!("it has stood in the line"),
        }
    }
}

/// A notification that its task has not used yet. Dropped, it goes to the next in line.
struct Notified<'a> {
    condvar: &'a Condvar,
    round: u64,
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        let next = self.condvar.core().value.lock().pass_on(self.round);
        next.into_iter().for_each(Claimed::wake);
    }
}

enum Stage<'a, T: ?Sized> {
    /// It has not been polled.
    Holds(AsyncMutexGuard<'a, T>),
    Waits(TaskWait<InLine<'a>>),
    /// It leaves the line at the mutex before its notification goes to another.
    Locks(LockFuture<'a, T>, Notified<'a>),
    Over,
}

/// A notification that is waited for, and then a lock: from [`Condvar::wait_async`].
///
/// ```
/// use waterway::{block_on, sync::{Condvar, Mutex}};
/// let (lock, changed) = (Mutex::new(1), Condvar::new());
/// let future = changed.wait_async(block_on(lock.lock_async())); // holds the lock still
/// assert!(lock.try_lock().is_none());
/// drop(future);
/// assert!(lock.try_lock().is_some());
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct CondvarFuture<'a, T: ?Sized> {
    condvar: &'a Condvar,
    mutex: &'a Mutex<T>,
    site: &'static Location<'static>,
    stage: Stage<'a, T>,
}

impl<'a, T: ?Sized> CondvarFuture<'a, T> {
    /// Stands in the line, and unlocks after that.
    fn enter(&mut self, cx: &Context<'_>) {
        let mut wait = TaskWait::new(InLine {
            condvar: self.condvar,
            mutex: guarding(self.mutex),
            entered: OnceLock::new(),
        });
        let _ = wait.poll(cx);
        if let Some(Err(other)) = wait.at().entered.get() {
            self.condvar.two_mutexes(other, wait.at().mutex);
        }
        // Unlocks.
        self.stage = Stage::Waits(wait);
    }

    /// It has been notified.
    fn lock_again(&mut self, round: u64) {
        let notified = Notified {
            condvar: self.condvar,
            round,
        };
        self.stage = Stage::Locks(self.mutex.lock_async_at(self.site), notified);
    }
}

impl<'a, T: ?Sized> Future for CondvarFuture<'a, T> {
    type Output = AsyncMutexGuard<'a, T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Holds(_) => {
                    this.enter(cx);
                    return Poll::Pending;
                }
                Stage::Waits(wait) => {
                    if wait.poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    let round = wait.at().round();
                    this.lock_again(round);
                }
                Stage::Locks(lock, _) => {
                    let Poll::Ready(guard) = Pin::new(lock).poll(cx) else {
                        return Poll::Pending;
                    };
                    if let Stage::Locks(_, notified) =
                        std::mem::replace(&mut this.stage, Stage::Over)
                    {
                        // It is used.
                        std::mem::forget(notified);
                    }
                    return Poll::Ready(guard);
                }
                Stage::Over => panic!("a future was polled after it was ready"),
            }
        }
    }
}

impl<T: ?Sized> fmt::Debug for CondvarFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CondvarFuture").finish_non_exhaustive()
    }
}
