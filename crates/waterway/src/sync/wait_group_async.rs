//! Waiting for many in async tasks.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::wait_group::WaitGroup;
use crate::primitives::Lock;
use crate::wait::{Claimed, Stand, TaskWait, WaitQueue, WaitsAt};

impl WaitGroup {
    /// Waits in an async task until the count is zero.
    ///
    /// # Blocking
    ///
    /// Never; the future is pending instead.
    ///
    /// ```
    /// use waterway::{block_on, sync::WaitGroup};
    /// let group = WaitGroup::new();
    /// group.go(|| ());
    /// block_on(group.wait_async());
    /// ```
    ///
    /// Go: none; Go has no tasks.
    pub fn wait_async(&self) -> WaitFuture<'_> {
        WaitFuture {
            wait: TaskWait::new(Zero(self)),
        }
    }
}

/// A task that waits for zero. All are told of it at once, so nobody need be told when one leaves.
struct Zero<'a>(&'a WaitGroup);

impl WaitsAt for Zero<'_> {
    type State = WaitQueue;
    type Slot = ();

    fn lock(&self) -> &Lock<WaitQueue> {
        self.0.waiters()
    }

    fn slot(&self) {}

    fn take(&self, _: &mut WaitQueue, stand: &Stand<'_>, _: &mut Vec<Claimed>) -> bool {
        stand.told() || !self.0.mark_waited()
    }

    fn left(&self, _: &mut WaitQueue, _told: bool) -> Vec<Claimed> {
        Vec::new()
    }
}

/// The end of work that is waited for: from [`WaitGroup::wait_async`].
///
/// ```
/// use waterway::{block_on, sync::WaitGroup};
/// let group = WaitGroup::new();
/// group.go(|| println!("working"));
/// block_on(group.wait_async());
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct WaitFuture<'a> {
    wait: TaskWait<Zero<'a>>,
}

impl Future for WaitFuture<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.wait.poll(cx)
    }
}

impl fmt::Debug for WaitFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WaitFuture").field(self.wait.at().0).finish()
    }
}
