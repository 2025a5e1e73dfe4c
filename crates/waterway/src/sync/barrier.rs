//! A place where a number of goroutines wait for each other.

use std::fmt;
use std::panic::Location;

use crate::primitives::Lock;
use crate::rt::core_box::CoreRef;
use crate::rt::header::CoreKind;
use crate::wait::{Claimed, Wait, WaitKey, WaitQueue, WaitReason, Waited, checkpoint};

#[derive(Default)]
struct State {
    there: usize,
    queue: WaitQueue,
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

/// What [`Barrier::wait`] gives.
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
        state.there += 1;
        if state.there < self.n {
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
        }
        state.there = 0;
        let all = state.queue.pop_all();
        drop(state);
        all.into_iter().for_each(Claimed::wake);
        BarrierWaitResult(true)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("n", &self.n).finish()
    }
}
