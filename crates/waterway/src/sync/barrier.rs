//! A place where a number of goroutines, threads and tasks wait for each other.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::primitives::Lock;
use crate::rt::core_box::CoreRef;
use crate::rt::header::CoreKind;
use crate::wait::{
    Claimed, Stand, TaskWait, Wait, WaitKey, WaitQueue, WaitReason, Waited, WaitsAt, checkpoint,
};

#[derive(Default)]
struct State {
    there: usize,
    queue: WaitQueue,
}

impl State {
    /// One more has come. If it is the last of `n`, the others, who may go on.
    fn come(&mut self, n: usize) -> Option<Vec<Claimed>> {
        self.there += 1;
        (self.there >= n).then(|| {
            self.there = 0;
            self.queue.pop_all()
        })
    }
}

impl Waited for State {
    fn queue(&mut self) -> &mut WaitQueue {
        &mut self.queue
    }
}

/// Lets nobody pass before all have come; then it can be used again. Clones share it.
///
/// ```
/// use waterway::sync::Barrier;
/// let barrier = Barrier::new(3);
/// let leaders = waterway::scope(|s| {
///     let all: Vec<_> = (0..3).map(|_| s.go(|| barrier.wait().is_leader())).collect();
///     all.into_iter().map(|h| h.join().unwrap()).filter(|leads| *leads).count()
/// });
/// assert_eq!(leaders, 1);
/// ```
///
/// Go: none; std's `Barrier` for threads.
#[derive(Clone)]
pub struct Barrier {
    core: CoreRef<Lock<State>>,
    n: usize,
}

/// What [`Barrier::wait`] and [`Barrier::wait_async`] give.
///
/// ```
/// let barrier = waterway::sync::Barrier::new(1);
/// assert!(barrier.wait().is_leader());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// True for one of those who passed together: the last to come.
    ///
    /// ```
    /// assert!(waterway::sync::Barrier::new(1).wait().is_leader());
    /// ```
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl Barrier {
    /// A barrier for `n`; 0 is as 1.
    ///
    /// ```
    /// let barrier = waterway::sync::Barrier::new(1);
    /// barrier.wait();
    /// ```
    #[track_caller]
    pub fn new(n: usize) -> Barrier {
        Barrier {
            core: CoreRef::new(CoreKind::Barrier, Lock::default()),
            n,
        }
    }

    /// Waits until all have come.
    ///
    /// ```
    /// let barrier = waterway::sync::Barrier::new(2);
    /// let other = barrier.clone();
    /// waterway::go(move || other.wait());
    /// barrier.wait(); // both have come
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks the caller, unless it is the last.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        checkpoint();
        let lock = &self.core.value;
        let mut state = lock.lock();
        let Some(all) = state.come(self.n) else {
            let key = WaitKey {
                reason: WaitReason::Barrier,
                object: self.core.address(),
                site: Location::caller(),
            };
            Wait::new(key, &()).park(lock, state, |state| {
                // It unwinds, and has not come.
                state.there -= 1;
                Vec::new()
            });
            return BarrierWaitResult(false);
        };
        drop(state);
        all.into_iter().for_each(Claimed::wake);
        BarrierWaitResult(true)
    }

    /// Waits in an async task until all have come. Goroutines, threads and tasks may meet at one barrier.
    ///
    /// The task has come with the first poll of the future. If the future is dropped before the last has come, it has not
    /// come after all, and the others wait for another.
    ///
    /// # Blocking
    ///
    /// Never; the future is pending instead, unless it is the last.
    ///
    /// ```
    /// use waterway::{block_on, sync::Barrier};
    /// let barrier = Barrier::new(2);
    /// let other = barrier.clone();
    /// let goroutine = waterway::go(move || other.wait().is_leader());
    /// let leads = block_on(barrier.wait_async()).is_leader();
    /// assert_ne!(leads, goroutine.join().unwrap()); // one of the two
    /// ```
    ///
    /// Go: none; Go has no tasks.
    pub fn wait_async(&self) -> BarrierFuture<'_> {
        BarrierFuture {
            wait: TaskWait::new(Come(self)),
        }
    }
}

/// A task that comes to a barrier. All are told at once that the last has come, so who goes then leaves nobody behind.
struct Come<'a>(&'a Barrier);

impl WaitsAt for Come<'_> {
    type State = State;
    type Slot = ();

    fn lock(&self) -> &Lock<State> {
        &self.0.core.value
    }

    fn slot(&self) {}

    fn take(&self, state: &mut State, stand: &Stand<'_>, others: &mut Vec<Claimed>) -> bool {
        if stand.told() || stand.is_queued() {
            return stand.told();
        }
        let all = state.come(self.0.n);
        all.map(|all| *others = all).is_some()
    }

    fn left(&self, state: &mut State, told: bool) -> Vec<Claimed> {
        if !told {
            state.there -= 1;
        }
        Vec::new()
    }
}

/// The coming of all that is waited for: from [`Barrier::wait_async`].
///
/// ```
/// use waterway::{block_on, sync::Barrier};
/// let barrier = Barrier::new(1);
/// let future = barrier.wait_async(); // nobody has come yet
/// assert!(block_on(future).is_leader());
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct BarrierFuture<'a> {
    wait: TaskWait<Come<'a>>,
}

impl Future for BarrierFuture<'_> {
    type Output = BarrierWaitResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BarrierWaitResult> {
        let came = self.wait.poll(cx);
        // The others are told by the last.
        came.map(|()| BarrierWaitResult(!self.wait.was_told()))
    }
}

impl fmt::Debug for BarrierFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BarrierFuture")
            .field(self.wait.at().0)
            .finish()
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("n", &self.n).finish()
    }
}
