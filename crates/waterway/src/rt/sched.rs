//! The one runtime of the process: its workers, and where new goroutines go.

use std::panic::Location;

use crossbeam_deque::Injector;

use super::blocking::Pool;
use super::cell::Unstarted;
use super::config::{Config, DeadlockPolicy};
use super::say::say;
use super::seldom;
use super::stacks::Stacks;
use super::sysmon::Sysmon;
use super::ties::Ties;
use super::tokens::Tokens;
use super::worker::{self, Party, Worker};
use crate::primitives::{
    AtomicBool, AtomicU64, AtomicUsize, Lock, OnceLock, Ordering, start_thread,
};

/// More threads than this never run goroutines, spares included.
pub(super) const MAX_WORKERS: usize = 1024;

/// From this many on, the goroutines that one goroutine spawns in one turn are a crowd.
pub(crate) const CROWD: usize = 16;

pub(crate) struct Runtime {
    pub(crate) config: Config,
    workers: Box<[OnceLock<&'static Worker>]>,
    count: AtomicUsize,
    /// So many of them, the first, started with the runtime and never retire.
    usual: AtomicUsize,
    pub(super) tokens: Tokens,
    pub(super) stacks: Stacks,
    pub(super) sysmon: Sysmon,
    pub(crate) blocking: Pool,
    /// Workers asleep.
    pub(super) idle: AtomicUsize,
    /// Idle workers that watch for goroutines to take over: 0 or 1.
    pub(super) watchers: AtomicUsize,
    /// Spawn sites that were caught holding workers, and their goroutines that wait for a worker apart.
    apart_sites: Lock<Vec<&'static Location<'static>>>,
    /// A bit for each of them, which others may share: who finds none there need not look.
    apart_bits: AtomicU64,
    apart: Injector<Unstarted>,
    /// Goroutines spawned by plain threads, and those that ended on threads of their own.
    pub(super) spawned: AtomicU64,
    pub(super) finished: AtomicU64,
    warned_stack: AtomicBool,
}

/// Made first, so that its threads can refer to it, and shown to everybody once they run.
static RUNTIME: OnceLock<Runtime> = OnceLock::new();
static STARTED: OnceLock<&'static Runtime> = OnceLock::new();

/// One of 64 bits, for a site.
fn bit(site: &'static Location<'static>) -> u64 {
    // Locations lie side by side, 24 bytes each.
    1 << (std::ptr::from_ref(site) as usize / 8 % 64)
}

/// Where a new goroutine goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// By the runtime's own rule.
    #[default]
    Auto,
    /// To the spawner's own worker, where others may take it over.
    Here,
    /// To the worker of this index.
    Near(usize),
    /// To another worker than the last one.
    Spread,
}

/// The runtime, started by its first use.
///
/// # Panics
///
/// If the environment holds a bad setting, or no thread can be started.
#[inline]
#[track_caller]
pub(crate) fn runtime() -> &'static Runtime {
    match STARTED.get() {
        Some(rt) => rt,
        None => first_use(),
    }
}

#[cold]
#[track_caller]
fn first_use() -> &'static Runtime {
    // Here, where it names the line of the first use.
    if let Err(error) = super::config::check() {
        panic!("waterway cannot start: {error}");
    }
    STARTED.get_or_init(start)
}

/// The runtime, if it has been started.
pub(crate) fn started() -> Option<&'static Runtime> {
    STARTED.get().copied()
}

#[cold]
fn start() -> &'static Runtime {
    let rt = RUNTIME.get_or_init(|| Runtime::new(super::config::take()));
    super::arena::HANDLES.prepare();
    super::arena::CELLS.prepare();
    super::fork::install();
    if super::uneven::alone() {
        super::uneven::prepare();
    }
    super::overflow::install();
    super::hook::install();
    if rt.config.check_tls {
        waterway_stack::load_names();
        seldom::ask_for(seldom::CHECK_TLS);
    }
    if matches!(rt.config.deadlock, DeadlockPolicy::PanicMain) {
        super::reap::enable();
    }
    // Of few threads, the first is a worker's and the second the monitor's. The first is there already if an earlier start
    // failed at the second.
    if rt.usual() == 0
        && let Err(error) = rt.add_usual()
    {
        panic!(
            "waterway cannot start its first worker thread: {error}. Raise the limit on threads (ulimit -u, pids.max of \
             the cgroup) or free memory"
        );
    }
    rt.sysmon.start(rt);
    while rt.usual() < rt.config.crew() {
        if let Err(error) = rt.add_usual() {
            let (there, wanted) = (rt.usual(), rt.config.crew());
            say(format_args!(
                "waterway: {there} of {wanted} worker threads could be started: {error}\n"
            ));
            break;
        }
    }
    rt
}

impl Runtime {
    fn new(config: Config) -> Runtime {
        Runtime {
            workers: (0..MAX_WORKERS).map(|_| OnceLock::new()).collect(),
            count: AtomicUsize::new(0),
            usual: AtomicUsize::new(0),
            tokens: Tokens::new(config.crew()),
            stacks: Stacks::new(&config),
            sysmon: Sysmon::new(),
            blocking: Pool::new(),
            idle: AtomicUsize::new(0),
            watchers: AtomicUsize::new(0),
            apart_sites: Lock::new(Vec::new()),
            apart_bits: AtomicU64::new(0),
            apart: Injector::new(),
            spawned: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            warned_stack: AtomicBool::new(false),
            config,
        }
    }

    /// Starts one more worker, or a retired one again.
    pub(super) fn add_worker(&'static self, party: Party) -> std::io::Result<()> {
        let retired = (0..self.count.load(Ordering::Acquire))
            .filter_map(|i| self.workers[i].get())
            .find(|w| w.party == party && w.unretire());
        let worker: &'static Worker = match retired {
            Some(worker) => worker,
            None => {
                let index = self.count.load(Ordering::Relaxed);
                if index == MAX_WORKERS {
                    return Err(std::io::Error::other(format!(
                        "{MAX_WORKERS} worker threads are the most there can be"
                    )));
                }
                let worker = self.workers[index]
                    .get_or_init(|| Box::leak(Box::new(Worker::new(index, party))));
                self.count.store(index + 1, Ordering::Release);
                worker
            }
        };
        let name = format!("waterway-{}", worker.index);
        if let Err(error) = start_thread(name, move || worker.run(self)) {
            if worker.has_no_thread() {
                self.wake_idle(Party::Common, None);
            }
            return Err(error);
        }
        Ok(())
    }

    /// Starts one more of the workers that never retire.
    fn add_usual(&'static self) -> std::io::Result<()> {
        let before = self.usual.fetch_add(1, Ordering::AcqRel);
        self.add_worker(Party::Common)
            .inspect_err(|_| self.usual.store(before, Ordering::Release))
    }

    /// How many workers never retire.
    pub(crate) fn usual(&self) -> usize {
        self.usual.load(Ordering::Acquire)
    }

    /// Calls `f` with every worker, retired ones too.
    pub(crate) fn each_worker(&self, mut f: impl FnMut(&'static Worker)) {
        for slot in &self.workers[..self.count.load(Ordering::Acquire)] {
            if let Some(worker) = slot.get() {
                f(worker);
            }
        }
    }

    /// Calls `f` with every worker that never retires.
    pub(super) fn each_usual(&self, mut f: impl FnMut(&'static Worker)) {
        let usual = self.usual();
        self.each_worker(|worker| {
            if worker.index < usual {
                f(worker);
            }
        });
    }

    fn worker(&self, index: usize) -> &'static Worker {
        self.workers[index]
            .get()
            .expect("workers below the count exist")
    }

    /// Queues a new goroutine.
    pub(crate) fn spawn(&'static self, cell: Unstarted, place: Place) {
        let this = worker::this();
        if let Some(target) = self.admit(this, &cell, place) {
            self.queue(cell, target, this.filter(|worker| worker.index == target));
        }
    }

    /// The same, of one that is tied to others by the ends of channels that it has.
    #[inline(never)]
    pub(crate) fn spawn_tied(&'static self, cell: Unstarted, place: Place, ties: &Ties) {
        let this = worker::this();
        if let Some(target) = self.admit(this, &cell, place) {
            ties.settle(cell.site(), target);
            let waits = |worker: &&'static Worker| worker.line_up(self, &cell, ties, target);
            let home = this.filter(|worker| waits(worker) || worker.index == target);
            self.queue(cell, target, home);
        }
    }

    /// Counts a new goroutine. Gives the worker that it goes to, or `None` if it waits for one apart.
    #[inline(always)]
    fn admit(
        &'static self,
        this: Option<&'static Worker>,
        cell: &Unstarted,
        place: Place,
    ) -> Option<usize> {
        match this {
            Some(worker) => worker.count_spawn(),
            None => {
                self.spawned.fetch_add(1, Ordering::Relaxed);
            }
        }
        let apart = self.apart_bits.load(Ordering::Relaxed);
        if apart != 0 && apart & bit(cell.site()) != 0 && self.is_apart(cell.site()) {
            self.spawn_apart(*cell);
            return None;
        }
        Some(self.target(this, place))
    }

    /// Queues a goroutine at home, if it is the caller's own worker that it goes to or waits at, or else elsewhere.
    #[inline(always)]
    fn queue(&'static self, cell: Unstarted, target: usize, home: Option<&'static Worker>) {
        match home {
            Some(worker) => {
                cell.set_worker(worker.index);
                worker.push_own(cell);
                self.want_watcher(worker);
            }
            None => self.spawn_elsewhere(cell, target),
        }
    }

    #[cold]
    fn spawn_apart(&'static self, cell: Unstarted) {
        self.apart.push(cell);
        if !self.wake_idle(Party::Apart, None) {
            self.sysmon.want_apart();
        }
    }

    #[inline(never)]
    pub(super) fn spawn_elsewhere(&'static self, cell: Unstarted, target: usize) {
        cell.set_worker(target);
        let worker = self.worker(target);
        worker::untimed(|| worker.push_incoming(cell));
        if worker.is_retired() {
            self.wake_idle(Party::Common, None);
        } else {
            self.want_watcher(worker);
        }
    }

    /// The placement rule: goroutines that hand over to each other should share a worker, many of them should spread. So
    /// the first two of a burst stay with their spawner, the next two go to the next worker, and so on (but see `line`). A crowd is left in the
    /// spawner's queue, where whoever idles takes its share of it.
    #[inline(always)]
    fn target(&self, this: Option<&Worker>, place: Place) -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let usual = self.usual();
        match (place, this) {
            (Place::Near(index), _) if !self.worker(index).is_retired() => index,
            (Place::Here, Some(worker)) if worker.party == Party::Common => {
                worker.count_here();
                worker.index
            }
            (Place::Spread, _) => NEXT.fetch_add(2, Ordering::Relaxed) / 2 % usual,
            (_, Some(worker)) if worker.index < usual => match worker.next_of_burst() - 1 {
                nth if nth < CROWD => (worker.index + nth / 2) % usual,
                _ => worker.index,
            },
            _ => NEXT.fetch_add(1, Ordering::Relaxed) / 2 % usual,
        }
    }

    /// Queues a goroutine that must stay on the calling worker.
    pub(crate) fn spawn_pinned(&self, worker: &Worker, cell: Unstarted) {
        worker.count_spawn();
        worker.push_pinned(cell);
    }

    /// From now on goroutines of this spawn site start on workers apart.
    pub(super) fn set_apart(&self, site: &'static Location<'static>) {
        let mut sites = self.apart_sites.lock();
        if !sites.contains(&site) {
            sites.push(site);
            self.apart_bits.fetch_or(bit(site), Ordering::Relaxed);
        }
    }

    #[cold]
    fn is_apart(&self, site: &'static Location<'static>) -> bool {
        self.apart_sites.lock().contains(&site)
    }

    pub(super) fn apart_backlog(&self) -> usize {
        self.apart.len()
    }

    /// True if goroutines wait for a worker apart.
    pub(crate) fn apart_waits(&self) -> bool {
        !self.apart.is_empty()
    }

    /// Makes sysmon look now. Async-signal-safe.
    pub(crate) fn ring_sysmon(&self) {
        self.sysmon.ring();
    }

    pub(super) fn apart_waits_for(&self, worker: &Worker) -> bool {
        worker.party == Party::Apart && self.apart_waits()
    }

    pub(super) fn pop_apart(&self) -> Option<Unstarted> {
        worker::take(|| self.apart.steal())
    }

    /// A number that changes whenever a goroutine runs, or a thread begins or ends a wait.
    pub(crate) fn signature(&self) -> u64 {
        let mut sum = 0u64;
        self.each_worker(|w| sum = sum.wrapping_add(w.turns.load(Ordering::Acquire)));
        sum.wrapping_add(super::thread::epochs())
    }

    /// Calls `f` with each range of addresses that stacks of goroutines are cut from.
    pub(crate) fn each_slab(&self, f: impl FnMut(std::ops::Range<usize>)) {
        self.stacks.for_each_slab(f);
    }

    /// A goroutine stays queued because there is no stack: says so, once.
    pub(super) fn no_stack(&self, error: &waterway_stack::StackError) {
        if !self.warned_stack.swap(true, Ordering::Relaxed) {
            say(format_args!(
                "waterway: goroutines wait, queued, until a stack is free: {error}\n"
            ));
        }
    }

    /// A worker to keep timers that belong to no goroutine: the caller's own, unless it may retire, or the first.
    pub(crate) fn timer_worker(&self) -> &'static Worker {
        worker::this()
            .filter(|worker| worker.index < self.usual())
            .unwrap_or_else(|| self.worker(0))
    }
}
