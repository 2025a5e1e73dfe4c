//! How many wait for what somebody holds. As long as nobody does, or nobody new, there is no cycle to look for.

use super::sched::Runtime;
use super::worker;
use crate::primitives::{AtomicU64, Ordering};

/// Waits that began and ended, of one worker's goroutines, or of threads.
pub(crate) struct Edges {
    begun: AtomicU64,
    ended: AtomicU64,
}

static OF_THREADS: Edges = Edges::new();

impl Edges {
    pub(crate) const fn new() -> Edges {
        Edges {
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        }
    }

    /// Begun, and of these not ended.
    fn count(&self) -> (u64, u64) {
        // Ended first: a wait is never seen ended that is not seen begun.
        let ended = self.ended.load(Ordering::Acquire);
        let begun = self.begun.load(Ordering::Acquire);
        (begun, begun - ended)
    }
}

/// One wait for what somebody holds, while it lasts.
pub(crate) struct Edge(Option<&'static Edges>);

impl Edge {
    pub(crate) fn begin() -> Edge {
        let own = worker::this().map(|worker| &worker.edges);
        match own {
            Some(edges) => step(&edges.begun),
            None => drop(OF_THREADS.begun.fetch_add(1, Ordering::Relaxed)),
        }
        Edge(own)
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        match self.0 {
            Some(edges) => step(&edges.ended),
            None => drop(OF_THREADS.ended.fetch_add(1, Ordering::Release)),
        }
    }
}

/// Only the worker's own thread counts there.
fn step(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Release);
}

impl Runtime {
    /// How many such waits there were, and are now.
    pub(crate) fn edges(&self) -> (u64, u64) {
        let (mut begun, mut now) = OF_THREADS.count();
        self.each_worker(|worker| {
            let (b, n) = worker.edges.count();
            begun += b;
            now += n;
        });
        (begun, now)
    }
}
