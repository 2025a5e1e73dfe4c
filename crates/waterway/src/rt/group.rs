//! Groups: goroutines that are counted together. A test is one, so that it is judged by its own goroutines.

use std::collections::VecDeque;

use crate::primitives::{AtomicU64, AtomicUsize, Lock, Ordering};

/// So many panics are kept.
const PANICS: usize = 16;

/// A set of goroutines: those started by its root, and by each other.
#[derive(Debug)]
pub(crate) struct Group {
    id: u64,
    live: AtomicUsize,
    panics: Lock<VecDeque<String>>,
}

impl Group {
    pub(crate) fn new() -> Group {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Group {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            live: AtomicUsize::new(0),
            panics: Lock::new(VecDeque::new()),
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

    /// Keeps what the hook was told of a panic of one of them.
    pub(crate) fn note_panic(&self, text: String) {
        let mut panics = self.panics.lock();
        if panics.len() == PANICS {
            panics.pop_front();
        }
        panics.push_back(text);
    }

    /// The last panics, each with who, where, and the message, in their order.
    pub(crate) fn take_panics(&self) -> VecDeque<String> {
        std::mem::take(&mut *self.panics.lock())
    }
}
