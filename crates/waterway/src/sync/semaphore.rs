//! Permits that are handed out in the order in which they were asked for.

use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

use crate::primitives::Lock;
use crate::rt::core_box::CoreRef;
use crate::rt::header::CoreKind;
use crate::wait::{Claimed, Wait, WaitKey, WaitQueue, WaitReason, Waited, checkpoint};

struct State {
    free: usize,
    queue: WaitQueue,
}

impl State {
    /// Takes `n` permits, unless others wait for theirs.
    fn take(&mut self, n: usize) -> bool {
        let can = self.queue.is_empty() && self.free >= n;
        if can {
            self.free -= n;
        }
        can
    }

    /// Serves those who wait, in their order, as far as the permits go.
    fn serve(&mut self) -> Vec<Claimed> {
        let mut served = Vec::new();
        let State { free, queue } = self;
        let mut stop = false;
        loop {
            let mut wanted = 0;
            let first = queue.pop_claim_where(|node| {
                // SAFETY: the slot of a waiter in this queue is its `usize`, which it keeps until it has left.
                wanted = unsafe { *node.slot().cast::<usize>() };
                stop |= wanted > *free;
                !stop
            });
            let Some((_, claimed)) = first else {
                return served;
            };
            *free -= wanted;
            served.push(claimed);
        }
    }
}

impl Waited for State {
    fn queue(&mut self) -> &mut WaitQueue {
        &mut self.queue
    }
}

/// A number of permits, of which each caller takes some and gives them back. Clones share them.
///
/// Who asks first is served first: a caller that wants many permits is not overtaken by those that want few.
///
/// ```
/// use waterway::sync::Semaphore;
/// // At most two downloads at a time.
/// let slots = Semaphore::new(2);
/// waterway::scope(|s| {
///     for _ in 0..5 {
///         let permit = slots.acquire(1);
///         s.go(move || drop(permit));
///     }
/// });
/// assert_eq!(slots.available(), 2);
/// ```
///
/// Go: `semaphore.Weighted` of `golang.org/x/sync`.
#[derive(Clone)]
pub struct Semaphore {
    core: CoreRef<Lock<State>>,
}

impl Semaphore {
    /// A semaphore with `permits` permits, all free.
    #[track_caller]
    pub fn new(permits: usize) -> Semaphore {
        let state = State {
            free: permits,
            queue: WaitQueue::new(),
        };
        Semaphore {
            core: CoreRef::new(CoreKind::Semaphore, Lock::new(state)),
        }
    }

    /// Takes `n` permits; the guard gives them back.
    ///
    /// # Blocking
    ///
    /// Parks the caller until they are free and everybody who asked before has been served. More than there will ever be
    /// are waited for for ever.
    ///
    /// Go: `Weighted.Acquire`.
    #[track_caller]
    pub fn acquire(&self, n: usize) -> Permit {
        match self.acquire_until(n, None, Location::caller()) {
            Some(permit) => permit,
            None => unreachable!("without a deadline it waits until it is served"),
        }
    }

    /// As [`acquire`](Self::acquire), for at most `timeout`; `None` if the time is over.
    ///
    /// # Blocking
    ///
    /// As `acquire`, until the time is over.
    #[track_caller]
    pub fn acquire_timeout(&self, n: usize, timeout: Duration) -> Option<Permit> {
        let deadline = Instant::now().checked_add(timeout);
        self.acquire_until(n, deadline, Location::caller())
    }

    fn acquire_until(
        &self,
        n: usize,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Option<Permit> {
        checkpoint();
        let mut state = self.core.value.lock();
        let served = state.take(n) || {
            let key = WaitKey {
                reason: WaitReason::Semaphore,
                object: self.core.address(),
                site,
            };
            let wait = Wait::new(key, &n).until(deadline);
            wait.park(&self.core.value, state, State::serve)
        };
        served.then(|| self.permit(n))
    }

    /// Takes `n` permits if they are free and nobody waits. Never blocks.
    ///
    /// Go: `Weighted.TryAcquire`.
    pub fn try_acquire(&self, n: usize) -> Option<Permit> {
        let taken = self.core.value.lock().take(n);
        taken.then(|| self.permit(n))
    }

    /// Adds permits: the semaphore has `n` more from now on.
    ///
    /// # Panics
    ///
    /// If there would be more than `usize::MAX`.
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        let served = {
            let mut state = self.core.value.lock();
            match state.free.checked_add(n) {
                Some(free) => state.free = free,
                None => {
                    let free = state.free;
                    drop(state);
                    panic!("too many permits: {n} were added to {free}");
                }
            }
            state.serve()
        };
        served.into_iter().for_each(Claimed::wake);
    }

    /// How many permits are free now.
    pub fn available(&self) -> usize {
        self.core.value.lock().free
    }

    fn permit(&self, n: usize) -> Permit {
        Permit {
            semaphore: self.clone(),
            n,
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available())
            .finish()
    }
}

/// Permits of a [`Semaphore`]; dropping it gives them back. It may be moved to another goroutine.
#[must_use = "the permits are given back at once if the guard is not kept"]
pub struct Permit {
    semaphore: Semaphore,
    n: usize,
}

impl Permit {
    /// How many permits these are.
    pub fn count(&self) -> usize {
        self.n
    }

    /// Takes the permits out of the semaphore for good: it has that many fewer.
    pub fn forget(mut self) {
        self.n = 0;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.n > 0 {
            self.semaphore.add_permits(self.n);
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("count", &self.n).finish()
    }
}
