//! Collect under the lock, wake after it.

use crate::wait::Claimed;

/// Waiters that were claimed under a lock. They are woken when the list goes, so it is declared before the lock's guard,
/// and goes after it.
#[derive(Default)]
pub(crate) struct WakeList {
    first: Option<Claimed>,
    rest: Vec<Claimed>,
}

impl WakeList {
    #[inline]
    pub(crate) fn new() -> WakeList {
        WakeList::default()
    }

    #[inline]
    pub(crate) fn push(&mut self, claimed: Claimed) {
        if self.first.is_none() {
            self.first = Some(claimed);
        } else {
            self.rest.push(claimed);
        }
    }
}

impl Drop for WakeList {
    #[inline]
    fn drop(&mut self) {
        if let Some(first) = self.first.take() {
            first.wake();
        }
        for claimed in self.rest.drain(..) {
            claimed.wake();
        }
    }
}
