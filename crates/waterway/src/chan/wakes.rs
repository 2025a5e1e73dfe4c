//! Collect under the lock, wake after it.

use crate::wait::Claimed;

/// Waiters that were claimed under a lock. They are woken when the list goes, so it is declared before the lock's guard,
/// and goes after it.
#[derive(Default)]
pub(crate) struct WakeList {
    first: Option<Claimed>,
    /// Seldom any: a pointer, so that an empty list costs a comparison.
    #[allow(clippy::box_collection)]
    rest: Option<Box<Vec<Claimed>>>,
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
            self.push_rest(claimed);
        }
    }

    /// Wakes those that it has now.
    pub(crate) fn wake(&mut self) {
        if let Some(first) = self.first.take() {
            first.wake();
        }
        if let Some(rest) = &mut self.rest {
            rest.drain(..).for_each(Claimed::wake);
        }
    }

    #[cold]
    fn push_rest(&mut self, claimed: Claimed) {
        self.rest.get_or_insert_default().push(claimed);
    }
}

#[cold]
fn wake_all(rest: Vec<Claimed>) {
    rest.into_iter().for_each(Claimed::wake);
}

impl Drop for WakeList {
    #[inline]
    fn drop(&mut self) {
        if let Some(first) = self.first.take() {
            first.wake();
        }
        if let Some(rest) = self.rest.take() {
            wake_all(*rest);
        }
    }
}
