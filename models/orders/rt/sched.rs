//! What an idle worker uses of the runtime.

use super::cell::Unstarted;
use super::tokens::Tokens;
use super::worker::{Party, Worker};
use crate::primitives::{AtomicUsize, Ordering};

pub(crate) struct Runtime {
    pub(crate) tokens: Tokens,
    pub(crate) sysmon: Sysmon,
    pub(crate) idle: AtomicUsize,
    pub(crate) watchers: AtomicUsize,
    workers: Vec<&'static Worker>,
    usual: usize,
}

/// It looks at nothing here.
pub(crate) struct Sysmon;

impl Sysmon {
    pub(crate) fn rouse(&self) {}
}

impl Runtime {
    /// `usual` of the workers never retire. There are as many tokens as workers, and somebody else watches: who is idle
    /// sleeps for good.
    pub(crate) fn new(usual: usize, all: usize) -> &'static Runtime {
        let workers: Vec<_> = (0..all).map(Worker::new).collect();
        let rt = Runtime {
            tokens: Tokens::new(all),
            sysmon: Sysmon,
            idle: AtomicUsize::new(0),
            watchers: AtomicUsize::new(0),
            workers,
            usual,
        };
        rt.watchers.store(1, Ordering::Relaxed);
        Box::leak(Box::new(rt))
    }

    pub(crate) fn worker(&self, index: usize) -> &'static Worker {
        self.workers[index]
    }

    pub(crate) fn usual(&self) -> usize {
        self.usual
    }

    pub(crate) fn each_worker(&self, f: impl FnMut(&'static Worker)) {
        self.workers.iter().copied().for_each(f);
    }

    /// Nobody spawns.
    pub(crate) fn spawned_by_others(&self, _worker: &Worker) -> u64 {
        0
    }

    pub(crate) fn apart_waits_for(&self, worker: &Worker) -> bool {
        worker.party == Party::Apart
    }

    pub(crate) fn pop_apart(&self) -> Option<Unstarted> {
        None
    }
}
