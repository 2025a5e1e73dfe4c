//! A worker that has nothing but what others bring it.

use std::cell::Cell;

use loom::cell::UnsafeCell;

use super::bed::Bed;
use super::cell::Unstarted;
use super::gather::Gather;
use super::idle::Lull;
use super::inbox::Inbox;
use super::park::TimerPayload;
use super::sched::Runtime;
use super::still::Still;
use super::timer::TimerHeap;
use super::tokens::Hand;
use crate::primitives::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Lock, Ordering};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Common,
    Apart,
}

/// As crossbeam's queues of unstarted goroutines, in what they order: both ends and the length are sequentially consistent.
pub(crate) struct Queue(AtomicUsize);

impl Queue {
    pub(crate) fn push(&self, _cell: Unstarted) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn steal(&self) -> Option<Unstarted> {
        let now = self.0.load(Ordering::SeqCst);
        let taken = now > 0
            && self
                .0
                .compare_exchange(now, now - 1, Ordering::SeqCst, Ordering::Relaxed)
                .is_ok();
        taken.then_some(Unstarted)
    }
}

pub(crate) fn take(mut steal: impl FnMut() -> Option<Unstarted>) -> Option<Unstarted> {
    steal()
}

pub(crate) struct Worker {
    pub(crate) index: usize,
    pub(crate) party: Party,
    pub(crate) bed: Bed,
    pub(crate) inbox: Inbox,
    pub(crate) fresh: Queue,
    pub(crate) incoming: Queue,
    pub(crate) timers: Lock<TimerHeap<TimerPayload>>,
    pub(crate) next_timer: AtomicU64,
    pub(crate) hand: Hand,
    pub(crate) turns: AtomicU64,
    pub(crate) spawned: AtomicU64,
    pub(crate) given: AtomicU64,
    pub(crate) still: Still,
    pub(crate) busy: AtomicBool,
    pub(crate) tid: AtomicU32,
    pub(crate) retired: AtomicBool,
    pub(crate) lull: Lull,
    pub(crate) gather: Gather,
    /// What belongs to the thread that runs the worker.
    own: UnsafeCell<usize>,
}

// SAFETY: what is not atomic is loom's, which checks it.
unsafe impl Sync for Worker {}
// SAFETY: as above.
unsafe impl Send for Worker {}

thread_local! {
    /// Loom's threads are one thread of the system's, so this says nothing: timers are set from afar.
    static NOBODY: Cell<Option<&'static Worker>> = const { Cell::new(None) };
}

loom::thread_local! {
    /// Which worker the thread is, as locks have it.
    static MARK: Cell<usize> = Cell::new(0);
}

pub(crate) fn mark() -> usize {
    MARK.with(Cell::get)
}

/// The thread is that worker from now on. No other is.
pub(crate) fn become_worker(mark: usize) {
    MARK.with(|own| own.set(mark));
}

pub(crate) fn this() -> Option<&'static Worker> {
    NOBODY.get()
}

impl Worker {
    pub(crate) fn new(index: usize) -> &'static Worker {
        Box::leak(Box::new(Worker {
            index,
            party: Party::Common,
            bed: Bed::new(),
            inbox: Inbox::default(),
            fresh: Queue(AtomicUsize::new(0)),
            incoming: Queue(AtomicUsize::new(0)),
            timers: Lock::new(TimerHeap::new()),
            next_timer: AtomicU64::new(u64::MAX),
            hand: Hand::new(),
            turns: AtomicU64::new(0),
            spawned: AtomicU64::new(0),
            given: AtomicU64::new(0),
            still: Still::new(),
            busy: AtomicBool::new(false),
            tid: AtomicU32::new(0),
            retired: AtomicBool::new(false),
            lull: Lull::new(),
            gather: Gather::new(),
            own: UnsafeCell::new(0),
        }))
    }

    /// The calling thread runs the worker: who ran it before must have let go, where this thread can see it.
    pub(crate) fn touch_own(&self) {
        // SAFETY: loom checks that nobody else is at it.
        self.own.with_mut(|at| unsafe { *at += 1 });
    }

    pub(crate) fn has_own_work(&self) -> bool {
        !self.inbox.is_empty() || self.backlog() > 0
    }

    /// Nothing is started here.
    pub(crate) fn lives(&self) -> usize {
        0
    }

    pub(crate) fn pinned(&self) -> usize {
        0
    }

    pub(crate) fn cool_down(&self, _rt: &Runtime) {
        self.touch_own();
    }
}
