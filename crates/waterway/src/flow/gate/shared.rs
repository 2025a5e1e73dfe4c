//! What a gate keeps and counts, and the list of all gates.

use std::panic::Location;
use std::sync::{Arc, Weak};

use super::Gate;
use crate::flow::limit::Limit;
use crate::primitives::{AtomicU64, AtomicUsize, Lock, Ordering};
use crate::rt::objects;
use crate::sync::Semaphore;

/// Every gate that lives, and some that do not any more.
static GATES: Lock<Vec<Weak<Shared>>> = Lock::new(Vec::new());
/// Gates that are gone are taken out when there are so many entries, and then twice as many as are left.
static PRUNE_AT: AtomicUsize = AtomicUsize::new(16);

/// So often a limit is asked in a row that moves meanwhile.
const ASKED: usize = 8;

/// The gates that live.
pub(in crate::flow) fn all() -> Vec<Gate> {
    let gates = GATES.lock().clone();
    let alive = gates.iter().filter_map(Weak::upgrade);
    alive.map(|shared| Gate { shared }).collect()
}

pub(super) fn register(shared: &Arc<Shared>) {
    let mut gates = GATES.lock();
    if gates.len() >= PRUNE_AT.load(Ordering::Relaxed) {
        gates.retain(|gate| gate.strong_count() > 0);
        PRUNE_AT.store((gates.len() * 2).max(16), Ordering::Relaxed);
    }
    gates.push(Arc::downgrade(shared));
}

/// What the clones of a gate share.
pub(in crate::flow) struct Shared {
    pub(super) name: Option<Box<str>>,
    pub(super) site: &'static Location<'static>,
    pub(in crate::flow) limit: Box<dyn Limit>,
    pub(in crate::flow) permits: Semaphore,
    pub(in crate::flow) live: AtomicUsize,
    pub(in crate::flow) most: AtomicUsize,
    pub(in crate::flow) waiting: AtomicUsize,
    pub(in crate::flow) admitted: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(in crate::flow) gave_up: AtomicU64,
}

impl Shared {
    /// The number of the gate, as dumps have it.
    pub(super) fn id(&self) -> u64 {
        self.permits.id() as u64
    }

    /// Somebody was not let in.
    #[cfg(feature = "tracing")]
    pub(in crate::flow) fn tell(&self, how: &'static str) {
        if crate::rt::events::SHED.wanted() {
            let (name, limit) = (self.name.as_deref(), self.permits.total());
            crate::flow::told::not_let_in(self.id(), name, self.site, limit, how);
        }
    }

    /// Brings the permits in line with a limit that moves.
    pub(in crate::flow) fn adapt(&self) {
        if !self.limit.is_adaptive() {
            return;
        }
        // Of two callers the later may have asked first: who sets the number asks again. A limit that never gives the same number twice
        // is one of those that it gave.
        for _ in 0..ASKED {
            let total = self.limit.limit();
            if self.permits.total() == total {
                return;
            }
            self.permits.set_total(total);
        }
    }

    pub(super) fn statistics(&self) -> GateStatistics {
        self.adapt();
        GateStatistics {
            limit: self.permits.total(),
            live: self.live.load(Ordering::Relaxed),
            most_live: self.most.load(Ordering::Relaxed),
            waiting: self.waiting.load(Ordering::Relaxed),
            admitted: self.admitted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            gave_up: self.gave_up.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.name.is_some() {
            objects::forget_name(self.permits.id());
        }
    }
}

/// Counts of a [`Gate`], each as of its own moment: exact while nobody comes or goes.
///
/// ```
/// let gate = waterway::flow::Gate::new(2);
/// drop(gate.enter());
/// let _inside = gate.enter();
/// let now = gate.statistics();
/// assert_eq!((now.limit, now.live, now.most_live, now.admitted), (2, 1, 1, 2));
/// assert_eq!((now.waiting, now.refused, now.gave_up), (0, 0, 0));
/// ```
///
/// Go: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateStatistics {
    /// How many may be inside.
    pub limit: usize,
    /// How many are inside.
    pub live: usize,
    /// The most that were ever inside at once.
    pub most_live: usize,
    /// How many wait to be let in.
    pub waiting: usize,
    /// How many were ever let in.
    pub admitted: u64,
    /// How many calls that do not wait were turned away.
    pub refused: u64,
    /// How many waited and left before they were let in: a time was over, a context ended, a future was dropped.
    pub gave_up: u64,
}
