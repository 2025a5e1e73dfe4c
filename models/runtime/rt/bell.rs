//! Sysmon's bell.

use std::time::Duration;

use super::thread::{futex_wait, futex_wake};
use crate::primitives::{AtomicU32, Ordering};

pub(crate) struct Bell(AtomicU32);

impl Bell {
    pub(crate) const fn new() -> Bell {
        Bell(AtomicU32::new(0))
    }

    pub(crate) fn make(&self) {}

    pub(crate) fn ring(&self) {
        self.0.store(1, Ordering::SeqCst);
        futex_wake(&self.0);
    }

    pub(crate) fn wait(&self, time: Option<Duration>) -> bool {
        futex_wait(&self.0, 0, time);
        self.0.load(Ordering::SeqCst) == 1
    }

    pub(crate) fn still(&self) {
        self.0.store(0, Ordering::SeqCst);
    }
}
