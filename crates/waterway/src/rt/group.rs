//! Groups: goroutines that are counted together. A test is one, so that it is judged by its own goroutines.

use crate::primitives::{AtomicU64, AtomicUsize, Ordering};

/// A set of goroutines: those started by its root, and by each other.
#[derive(Debug)]
pub(crate) struct Group {
    id: u64,
    live: AtomicUsize,
}

impl Group {
    pub(crate) fn new() -> Group {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Group {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            live: AtomicUsize::new(0),
        }
    }

    /// A number that no other group has, never 0.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::Acquire)
    }

    pub(crate) fn enter(&self) {
        self.live.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn leave(&self) {
        self.live.fetch_sub(1, Ordering::Release);
    }
}
