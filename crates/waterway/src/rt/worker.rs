//! A worker: a thread that runs the goroutines that live on it, one at a time.
//!
//! # Invariants
//!
//! - I1: `own`, `current`, `base`, `stopwatch`, `gather` and `lull` (but for its atomics) are touched only by the thread that runs the worker. A reference to `own` is not used
//!   after any call that makes another: not across a `resume` (a goroutine that runs uses it too), a wake, a firing timer.
//! - I2: a worker is never freed. A retired one may be run by another thread: `retired` hands it over, and the old thread
//!   touches it no more.
//! - I3: a task in the run queue or `next` is suspended, or about to be by its own thread, and in no other queue.
//! - I4: `live` holds the tasks that live here, from before their first `resume` until after their last; who has its lock may
//!   read them. A task that runs, waits or is queued is in it, so it is alive.

use std::cell::{Cell, UnsafeCell};
use std::ptr::NonNull;

use crossbeam_deque::{Injector, Steal};

use super::bed::Bed;
use super::cell::Unstarted;
use super::edges::Edges;
use super::fresh::Fresh;
use super::gather::Gather;
use super::habit::Stopwatch;
use super::halt::Brake;
use super::home_lock::HomeLock;
use super::idle::Lull;
use super::inbox::Inbox;
use super::line::Line;
use super::live::Live;
use super::load::Load;
use super::park::TimerPayload;
use super::run_queue::RunQueue;
use super::sched::Runtime;
use super::share::Starts;
use super::still::Still;
use super::task::{Base, Task};
use super::timer::TimerHeap;
use super::tokens::Hand;
use super::warm::Warm;
use crate::primitives::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Lock, Ordering};

thread_local! {
    static WORKER: Cell<Option<&'static Worker>> = const { Cell::new(None) };
}

/// The worker whose thread this is.
#[inline]
pub(crate) fn this() -> Option<&'static Worker> {
    WORKER.get()
}

/// A number for the worker whose thread this is, a multiple of 4, and no two workers' are alike; 0 on other threads.
#[inline]
pub(super) fn mark() -> usize {
    this().map_or(0, |worker| std::ptr::from_ref(worker) as usize)
}

/// This thread is no worker any more.
pub(super) fn forget() {
    WORKER.set(None);
}

/// The goroutine that runs on this thread now.
#[inline]
pub(crate) fn current() -> Option<&'static Task> {
    this()?.current()
}

/// Runs `f`, which wakes another worker: its time is not the running goroutine's own.
pub(super) fn untimed(f: impl FnOnce()) {
    match this() {
        Some(worker) => worker.stopwatch.without(f),
        None => f(),
    }
}

/// True where no user code may run: on a worker's thread outside of any goroutine, and on sysmon's.
pub(crate) fn on_scheduler_stack() -> bool {
    this().is_some_and(|worker| worker.current.get().is_none()) || super::thread::is_internal()
}

/// Which goroutines a worker takes: everybody's, or those of spawn sites that were caught holding workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Common,
    Apart,
}

/// What follows it in a struct begins on lines of the cache that nothing before it lies on. (Processors fetch them by twos.)
#[repr(align(128))]
pub(super) struct NewLine;

#[repr(C)]
pub(crate) struct Worker {
    // What who wakes a goroutine from elsewhere touches, and nothing that the worker itself writes with every turn.
    pub(super) inbox: Inbox,
    pub(super) bed: Bed,
    pub(crate) party: Party,
    /// True while no thread runs this worker.
    pub(super) retired: AtomicBool,
    pub(crate) tid: AtomicU32,
    pub(crate) index: usize,
    _own: NewLine,
    /// Unstarted goroutines: the owner pushes to `fresh`, others to `incoming`; anyone may steal.
    pub(super) fresh: Fresh,
    pub(super) incoming: Injector<Unstarted>,
    pub(super) timers: Lock<TimerHeap<TimerPayload>>,
    pub(super) next_timer: AtomicU64,
    /// Counts goroutines resumed: a worker whose count stands still is held by one.
    pub(super) turns: AtomicU64,
    /// Counts turns of the run queue, which end a time slice.
    pub(super) slices: AtomicU64,
    /// Set by sysmon when the time slice is over.
    pub(super) preempt: AtomicBool,
    /// The right to run goroutines.
    pub(super) hand: Hand,
    /// Since when one goroutine has held it, as sysmon saw it last; 0 if none has for long.
    pub(super) held_since: AtomicU64,
    /// True while the thread is between `resume` and its return.
    pub(super) busy: AtomicBool,
    /// See `halt`.
    pub(super) halt: Brake,
    /// Waits for locks and the like that began and ended here, see `edges`.
    pub(super) edges: Edges,
    /// Goroutines spawned and finished by this worker.
    pub(super) spawned: AtomicU64,
    pub(super) finished: AtomicU64,
    /// Of those spawned, what was to stay here by what is known of its kind.
    pub(super) here: AtomicU64,
    /// How often the first of some unstarted goroutines came from elsewhere.
    pub(super) given: AtomicU64,
    pub(super) still: Still,
    /// Length of the queue of unstarted goroutines that must stay here, for others to read.
    pub(super) pinned: AtomicUsize,
    /// All started goroutines that live here.
    pub(super) live: HomeLock<Live>,
    /// How many they are, for others to read.
    pub(super) lives: AtomicUsize,
    pub(super) load: Load,
    pub(super) current: Cell<Option<NonNull<Task>>>,
    pub(super) base: Base,
    pub(super) stopwatch: Stopwatch,
    pub(super) lull: Lull,
    pub(super) gather: Gather,
    own: UnsafeCell<Own>,
}

// SAFETY: everything is atomic or locked but what I1 names.
unsafe impl Sync for Worker {}
// SAFETY: as above; a worker is made on one thread and then run by others, one after the other (I2).
unsafe impl Send for Worker {}

#[derive(Default)]
pub(super) struct Own {
    pub(super) queue: RunQueue,
    /// Runs before the queue: it was woken by the goroutine that ran last, and shares its time slice. See `put_off` for which, of several.
    pub(super) next: Option<NonNull<Task>>,
    /// Unstarted goroutines that must not leave this worker.
    pub(super) pinned: std::collections::VecDeque<Unstarted>,
    pub(super) warm: Warm,
    pub(super) turn: u64,
    /// The last goroutine gave way: new ones go first, it spawned some of them perhaps.
    pub(super) gave_way: bool,
    /// How many goroutines in a row ran as `next`.
    pub(super) chain: u32,
    /// When the last chain ended that was cut off, after which turn of the queue one was asked last, and how long that one may go on,
    /// see `goes_on`.
    pub(super) chain_ended: u64,
    pub(super) chain_asked: u64,
    pub(super) chain_until: u64,
    pub(super) starts: Starts,
    /// Turns until one is timed.
    pub(super) until_timed: u32,
    /// Spawns by the goroutine that runs now.
    pub(super) burst: usize,
    /// Those of them that went to its own worker's queue.
    pub(super) pushed: usize,
    /// Those of them that may stand in a line, until the turn is over.
    pub(super) line: Box<Line>,
    /// Counts looks for new goroutines.
    pub(super) looks: u32,
    /// Index of the worker that this one last looked at to take goroutines over.
    victim: usize,
}

pub(super) enum Job {
    Resume(NonNull<Task>),
    Start(Unstarted),
}

impl Worker {
    pub(super) fn new(index: usize, party: Party) -> Worker {
        Worker {
            inbox: Inbox::default(),
            bed: Bed::new(),
            party,
            retired: AtomicBool::new(false),
            tid: AtomicU32::new(0),
            index,
            _own: NewLine,
            fresh: Fresh::new(),
            incoming: Injector::new(),
            timers: Lock::new(TimerHeap::new()),
            next_timer: AtomicU64::new(u64::MAX),
            turns: AtomicU64::new(0),
            slices: AtomicU64::new(0),
            preempt: AtomicBool::new(false),
            hand: Hand::new(),
            held_since: AtomicU64::new(0),
            busy: AtomicBool::new(false),
            halt: Brake::new(),
            edges: Edges::new(),
            spawned: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            here: AtomicU64::new(0),
            given: AtomicU64::new(0),
            still: Still::new(),
            pinned: AtomicUsize::new(0),
            live: HomeLock::new(Live::default()),
            lives: AtomicUsize::new(0),
            load: Load::new(),
            current: Cell::new(None),
            base: Base::new(),
            stopwatch: Stopwatch::new(),
            lull: Lull::new(),
            gather: Gather::new(),
            own: UnsafeCell::new(Own::default()),
        }
    }

    /// # Safety
    ///
    /// On the worker's thread, and the result is not kept across a call that may use it again.
    #[allow(clippy::mut_from_ref)]
    #[inline]
    pub(super) unsafe fn own(&self) -> &mut Own {
        // SAFETY: I1, by the caller.
        unsafe { &mut *self.own.get() }
    }

    /// The thread's main function: runs goroutines until the worker retires.
    pub(super) fn run(&'static self, rt: &'static Runtime) {
        WORKER.set(Some(self));
        self.tid.store(super::thread::tid(), Ordering::Relaxed);
        waterway_stack::ensure_altstack();
        rt.tokens.acquire(self);
        self.halt.get_up();
        loop {
            if !self.hand.holds() || self.preempt.load(Ordering::Relaxed) {
                self.slice_over(rt);
            }
            match self.pick(rt) {
                Some(job) => self.execute(rt, job),
                None => {
                    self.halt.rest();
                    if !super::idle::rest(self, rt) {
                        break;
                    }
                    self.halt.get_up();
                }
            }
        }
        forget();
    }

    /// The worker that this one last looked at to take goroutines over. For its own thread.
    pub(super) fn last_victim(&self) -> usize {
        // SAFETY: the worker's thread (I1).
        unsafe { self.own() }.victim
    }

    pub(super) fn set_last_victim(&self, index: usize) {
        // SAFETY: the worker's thread (I1).
        unsafe { self.own() }.victim = index;
    }

    pub(super) fn push_back(&self, task: NonNull<Task>) {
        // SAFETY: the worker's thread (I1); the task is in no queue (I3).
        unsafe { self.own().queue.push_back(task) };
    }

    /// The goroutine that runs, for itself.
    #[inline]
    pub(crate) fn current(&self) -> Option<&'static Task> {
        let task = self.current.get()?;
        // SAFETY: the running goroutine's descriptor is alive (task I1), and the reference is used on its own stack.
        Some(unsafe { task.as_ref() })
    }

    /// Makes a goroutine of this worker run again. From its own thread it runs next, else by way of the inbox.
    ///
    /// # Safety
    ///
    /// The caller owns the one wake of the task.
    #[inline]
    pub(super) unsafe fn ready(&'static self, task: NonNull<Task>) {
        // SAFETY: I4: it waits for this wake.
        unsafe { task.as_ref() }
            .runnable
            .store(true, Ordering::Relaxed);
        if let Some(this) = this()
            && std::ptr::eq(this, self)
        {
            // It runs soon, and may have waited for so long that its stack is in no cache.
            // SAFETY: I4.
            unsafe { task.as_ref() }.fetch();
            // SAFETY: the worker's thread (I1).
            let next = unsafe { &mut self.own().next };
            match next {
                None => *next = Some(task),
                Some(before) => self.put_off(*before, task),
            }
        } else {
            // SAFETY: by the caller.
            unsafe { self.ready_elsewhere(task) };
        }
    }

    /// The running goroutine woke these, one after the other: one runs next, the other goes to the queue. Where turns are short, the
    /// first one runs: see `docs/decisions.md`, "Whom it woke first".
    #[inline(never)]
    fn put_off(&self, before: NonNull<Task>, task: NonNull<Task>) {
        let (next, later) = match self.stopwatch.turns_are_short() {
            true => (before, task),
            false => (task, before),
        };
        // SAFETY: the worker's thread (I1).
        unsafe { self.own() }.next = Some(next);
        self.push_back(later);
    }

    /// # Safety
    ///
    /// As [`ready`](Self::ready).
    #[inline(never)]
    unsafe fn ready_elsewhere(&self, task: NonNull<Task>) {
        // SAFETY: by the caller.
        untimed(|| unsafe { self.ready_from_afar(task) });
    }

    /// The running goroutine makes a call that may block.
    #[inline]
    pub(super) fn count_call(&self) {
        self.stopwatch.count_call();
    }

    #[inline]
    pub(super) fn is_timed(&self) -> bool {
        self.stopwatch.runs()
    }

    /// Calls `f`, whose time is not the running goroutine's own.
    #[cold]
    pub(crate) fn time_without<R>(&self, f: impl FnOnce() -> R) -> R {
        self.stopwatch.count_call();
        self.stopwatch.without(f)
    }

    /// True if something waits that only this worker can run, as seen by its own thread just before it sleeps.
    pub(super) fn has_own_work(&self) -> bool {
        // SAFETY: the worker's thread (I1).
        let own = unsafe { self.own() };
        own.next.is_some()
            || !own.queue.is_empty()
            || !own.pinned.is_empty()
            || !self.inbox.is_empty()
            || self.backlog() > 0
    }
}

/// A steal that is tried until it is decided.
pub(super) fn take(mut steal: impl FnMut() -> Steal<Unstarted>) -> Option<Unstarted> {
    loop {
        match steal() {
            Steal::Success(cell) => return Some(cell),
            Steal::Empty => return None,
            Steal::Retry => std::hint::spin_loop(),
        }
    }
}
