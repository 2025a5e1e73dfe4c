//! Groups: goroutines that are counted together. A test is one, so that it is judged by its own goroutines.

use crate::primitives::{AtomicUsize, Ordering};

/// A set of goroutines: those started by its root, and by each other.
#[derive(Debug)]
pub(crate) struct Group {
    live: AtomicUsize,
}

impl Group {
    pub(crate) fn new() -> Group {
        Group {
            live: AtomicUsize::new(0),
        }
    }

    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    pub(crate) fn enter(&self) {
        self.live.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn leave(&self) {
        self.live.fetch_sub(1, Ordering::Relaxed);
    }
}
