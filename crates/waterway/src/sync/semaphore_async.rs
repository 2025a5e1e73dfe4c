//! Permits for async tasks.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::semaphore::{Permit, Semaphore, State};
use crate::primitives::Lock;
use crate::wait::{Claimed, Stand, TaskWait, WaitsAt};

impl Semaphore {
    /// Takes `n` permits in an async task.
    ///
    /// Tasks stand in one line with goroutines and threads. Dropping the future gives its place up. One that is neither polled
    /// nor dropped keeps those behind it waiting.
    ///
    /// # Blocking
    ///
    /// Never; the future is pending instead.
    ///
    /// ```
    /// use waterway::{block_on, sync::Semaphore};
    /// let slots = Semaphore::new(3);
    /// let two = block_on(slots.acquire_async(2));
    /// assert_eq!((two.count(), slots.available()), (2, 1));
    /// ```
    ///
    /// Go: none; Go has no tasks.
    pub fn acquire_async(&self, n: usize) -> AcquireFuture<'_> {
        AcquireFuture {
            wait: TaskWait::new(Ask { semaphore: self, n }),
        }
    }
}

/// A task that waits for permits. Its slot says how many.
struct Ask<'a> {
    semaphore: &'a Semaphore,
    n: usize,
}

impl WaitsAt for Ask<'_> {
    type State = State;
    type Slot = usize;

    fn lock(&self) -> &Lock<State> {
        self.semaphore.state()
    }

    fn slot(&self) -> usize {
        self.n
    }

    fn take(&self, state: &mut State, stand: &Stand<'_>, others: &mut Vec<Claimed>) -> bool {
        let can = stand.is_next(state.next()) && state.free() >= self.n;
        if can {
            stand.leave(&mut state.queue);
            state.held += self.n;
            *others = self.semaphore.serve(state);
        }
        can
    }

    fn left(&self, state: &mut State, _told: bool) -> Vec<Claimed> {
        self.semaphore.serve(state)
    }
}

/// Permits that are waited for: from [`Semaphore::acquire_async`].
///
/// ```
/// use waterway::{block_on, sync::Semaphore};
/// let slots = Semaphore::new(1);
/// let future = slots.acquire_async(1); // nothing is taken yet
/// assert_eq!(slots.available(), 1);
/// let permit = block_on(future);
/// assert_eq!((permit.count(), slots.available()), (1, 0));
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct AcquireFuture<'a> {
    wait: TaskWait<Ask<'a>>,
}

impl Future for AcquireFuture<'_> {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        let this = &mut *self;
        let Ask { semaphore, n } = *this.wait.at();
        if this.wait.is_new()
            && let Some(permit) = semaphore.try_acquire(n)
        {
            return Poll::Ready(permit);
        }
        this.wait.poll(cx).map(|()| semaphore.permit(n))
    }
}

impl fmt::Debug for AcquireFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireFuture")
            .field("count", &self.wait.at().n)
            .finish_non_exhaustive()
    }
}
