//! Watching every channel and every spawn site of the program, while it runs.
//!
//! One thread of the runtime's looks for all monitors. It wakes nobody and lives for ever, so that a deadlock is seen beside it. Who has
//! asked to be called is called on another thread, which may wake somebody: no deadlock is declared while such a monitor runs.

mod builder;
mod followed;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::flowing::Flow;
use super::look::look;
use super::site::SiteFlow;
use super::track::ChannelFlow;
use crate::primitives::{AtomicBool, Lock, Ordering, SleepingCondvar, SleepingMutex, start_thread};
use crate::rt::clock::clock;
use crate::rt::say::say;
use crate::rt::thread::{cpu_time, mark_internal, tid};

pub use builder::MonitorBuilder;
use followed::Followed;

/// One in so many parts of a processor's time is for looks, at most.
const SHARE: u64 = 10;
/// Who waits to call wakes so often to be no sleeper that nobody could wake.
const NOW_AND_THEN: Duration = Duration::from_secs(60);

type OnChange = Arc<dyn Fn(&Flow) + Send + Sync>;

struct Shared {
    every: Duration,
    window: Duration,
    log: bool,
    stopped: AtomicBool,
    followed: SleepingMutex<Followed>,
    calls: Lock<Vec<OnChange>>,
    /// Changes that are to be told.
    changes: SleepingMutex<Vec<Flow>>,
    changed: SleepingCondvar,
}

/// Watches every channel of the program: how fast values come and go, how long they wait, who is held up by whom. And every line that
/// spawns goroutines: how fast they come and go, how many live, and wait.
///
/// It looks at each channel and goroutine again and again (every 10 ms, if nothing else is said), and judges what it saw within a window
/// (1 s). They do nothing for it, so sending, receiving and spawning cost the same with and without it; the looks cost some
/// microseconds a channel, and some milliseconds for 10,000 goroutines, and there are fewer where they would take more than a tenth of
/// a processor. When a channel becomes reader-bound or stalled, or the
/// goroutines of a line grow, or that is over, one line on standard error says what was measured. Channels without a limit, and
/// goroutines that pile up in sends, are seen alike. That a channel goes is no change of its state, and is not told.
///
/// It stops when it is dropped.
///
/// ```
/// use std::time::Duration;
/// use waterway::{chan, flow::{FlowState, Monitor}};
///
/// let builder = Monitor::builder().every(Duration::from_millis(1)).window(Duration::from_millis(20));
/// let monitor = builder.log(false).start();
/// let (changes, changed) = chan::unbounded();
/// monitor.on_change(move |flow| {
///     if flow.channel().is_some_and(|jobs| jobs.name.as_deref() == Some("jobs")) {
///         let _ = changes.send(flow.state());
///     }
/// });
///
/// // Senders, and nobody who receives.
/// let (tx, rx) = chan::builder().name("jobs").make();
/// for n in 0..3 {
///     let tx = tx.clone();
///     waterway::go(move || tx.send(n));
/// }
/// assert_eq!(changed.recv(), Ok(FlowState::Stalled));
/// # drop(rx);
/// ```
///
/// Go: none.
#[must_use = "the monitor stops when it is dropped"]
pub struct Monitor {
    shared: Arc<Shared>,
    #[cfg(feature = "tracing")]
    _runs: crate::rt::events::MonitorRuns,
}

impl Monitor {
    /// Starts to make a monitor.
    ///
    /// ```
    /// let monitor = waterway::flow::Monitor::builder().log(false).start();
    /// drop(monitor);
    /// ```
    pub fn builder() -> MonitorBuilder {
        MonitorBuilder::new()
    }

    /// Calls `f` whenever the state of a channel or of a spawn site changes, with what was measured. It may block, which
    /// keeps later calls waiting: of several changes of one channel meanwhile the last is told.
    ///
    /// The calls are made on a thread of the monitor's. While it is there, it might wake somebody: so no deadlock is declared. `f` may drop
    /// the monitor. It is called no more then, and dropped on that thread.
    ///
    /// # Panics
    ///
    /// If no thread can be started. A panic of `f` is printed, and ends that call.
    ///
    /// ```
    /// let monitor = waterway::flow::Monitor::builder().start();
    /// monitor.on_change(|flow| println!("{flow}"));
    /// ```
    pub fn on_change(&self, f: impl Fn(&Flow) + Send + Sync + 'static) {
        let first = {
            let mut calls = self.shared.calls.lock();
            calls.push(Arc::new(f));
            calls.len() == 1
        };
        if first {
            let shared = self.shared.clone();
            let started = start_thread("waterway-monitor-calls", move || shared.call());
            if let Err(error) = started {
                panic!("the monitor cannot start a thread for its calls: {error}");
            }
        }
    }

    /// What was measured in the last window, of each channel at which something has happened, and of each line that has spawned goroutines
    /// which lived in it.
    ///
    /// # Blocking
    ///
    /// Never.
    ///
    /// ```
    /// let monitor = waterway::flow::Monitor::builder().log(false).start();
    /// for flow in monitor.report() {
    ///     println!("{flow}");
    /// }
    /// ```
    pub fn report(&self) -> Vec<Flow> {
        self.shared.report()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        let changes = self.shared.changes.lock();
        self.shared.changed.notify_all();
        drop(changes);
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("every", &self.shared.every)
            .field("window", &self.shared.window)
            .finish_non_exhaustive()
    }
}

/// Looks for all monitors.
struct Monitors {
    all: SleepingMutex<Vec<(u64, Arc<Shared>)>>,
    more: SleepingCondvar,
    running: AtomicBool,
}

static MONITORS: Monitors = Monitors {
    all: SleepingMutex::new(Vec::new()),
    more: SleepingCondvar::new(),
    running: AtomicBool::new(false),
};

/// The threads on which functions of `on_change` are called.
static CALLERS: Lock<Vec<u32>> = Lock::new(Vec::new());

/// True if it is such a thread.
pub(crate) fn is_caller(tid: u32) -> bool {
    CALLERS.lock().contains(&tid)
}

/// The calling thread is such a one as long as this lives.
struct Caller(u32);

impl Caller {
    fn new() -> Caller {
        let tid = tid();
        CALLERS.lock().push(tid);
        Caller(tid)
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        CALLERS.lock().retain(|tid| *tid != self.0);
    }
}

const NOT_POISONED: &str = "nothing panics while it is locked";

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// A call that panics is over. The panic hook has told of it.
fn quietly(call: impl FnOnce()) {
    if let Err(payload) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
        // Its drop might panic in turn.
        std::mem::forget(payload);
    }
}

impl Monitors {
    fn add(&'static self, shared: Arc<Shared>) {
        self.all.lock().expect(NOT_POISONED).push((clock(), shared));
        if !self.running.swap(true, Ordering::AcqRel)
            && let Err(error) = start_thread("waterway-monitor", || self.run())
        {
            self.running.store(false, Ordering::Release);
            panic!("the monitor cannot start its thread: {error}");
        }
        self.more.notify_all();
    }

    fn run(&self) {
        mark_internal();
        let tid = tid();
        loop {
            let due = self.next();
            let before = cpu_time(tid);
            due.iter().for_each(|shared| shared.look());
            drop(due);
            let took = cpu_time(tid).saturating_sub(before);
            std::thread::sleep(Duration::from_nanos(took * (SHARE - 1)));
        }
    }

    /// Waits until a monitor's next look is due: those whose it is.
    fn next(&self) -> Vec<Arc<Shared>> {
        let mut all = self.all.lock().expect(NOT_POISONED);
        loop {
            all.retain(|(_, shared)| !shared.is_stopped());
            let now = clock();
            let mut due = Vec::new();
            for (at, shared) in all.iter_mut() {
                if *at <= now {
                    *at = now.saturating_add(nanos(shared.every));
                    due.push(shared.clone());
                }
            }
            if !due.is_empty() {
                return due;
            }
            let first = all.iter().map(|(at, _)| *at).min();
            all = match first {
                None => self.more.wait(all).expect(NOT_POISONED),
                Some(at) => {
                    let rest = Duration::from_nanos(at - now);
                    let (all, _) = self.more.wait_timeout(all, rest).expect(NOT_POISONED);
                    all
                }
            };
        }
    }
}

impl Shared {
    fn new(builder: MonitorBuilder) -> Shared {
        Shared {
            every: builder.every,
            window: builder.window,
            log: builder.log,
            stopped: AtomicBool::new(false),
            followed: SleepingMutex::new(Followed::default()),
            calls: Lock::new(Vec::new()),
            changes: SleepingMutex::new(Vec::new()),
            changed: SleepingCondvar::new(),
        }
    }

    fn look(&self) {
        let window = nanos(self.window);
        let seen = look();
        let changes = self.followed.lock().expect(NOT_POISONED).add(seen, window);
        for (before, flow) in &changes {
            // That readers wait for what is to come is what they do.
            let told = before.is_bad() || flow.state().is_bad();
            if self.log && told {
                say(format_args!("waterway: {flow}\n"));
            }
            #[cfg(feature = "tracing")]
            super::told::changed(*before, flow, told);
        }
        if !changes.is_empty() && !self.calls.lock().is_empty() {
            let mut waiting = self.changes.lock().expect(NOT_POISONED);
            for (_, flow) in changes {
                // Who is slow to take them gets the last one of each.
                waiting.retain(|before| !before.is_of(&flow));
                waiting.push(flow);
            }
            self.changed.notify_all();
        }
    }

    /// Calls whoever asked for it, until the monitor is stopped.
    fn call(&self) {
        let _caller = Caller::new();
        while let Some(changes) = self.wait_for_changes() {
            let calls = self.calls.lock().clone();
            for (flow, call) in changes
                .iter()
                .flat_map(|flow| calls.iter().map(move |call| (flow, call)))
            {
                if !self.is_stopped() {
                    quietly(|| call(flow));
                }
            }
        }
        // Here, and not on the thread that looks: what they own is the program's.
        let calls = std::mem::take(&mut *self.calls.lock());
        drop(calls);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// `None` once it is stopped.
    fn wait_for_changes(&self) -> Option<Vec<Flow>> {
        let mut changes = self.changes.lock().expect(NOT_POISONED);
        loop {
            if self.is_stopped() {
                return None;
            }
            if !changes.is_empty() {
                return Some(std::mem::take(&mut *changes));
            }
            let waited = self.changed.wait_timeout(changes, NOW_AND_THEN);
            (changes, _) = waited.expect(NOT_POISONED);
        }
    }

    fn report(&self) -> Vec<Flow> {
        self.followed.lock().expect(NOT_POISONED).report()
    }
}

/// What the monitors that run have measured, each channel and each spawn site once.
pub(super) fn measured() -> (Vec<ChannelFlow>, Vec<SiteFlow>) {
    let all = MONITORS.all.lock().expect(NOT_POISONED).clone();
    let (mut channels, mut sites) = (Vec::new(), Vec::new());
    for (_, shared) in all {
        if !shared.is_stopped() {
            for flow in shared.report() {
                match flow {
                    Flow::Channel(flow) => channels.push(flow),
                    Flow::Site(flow) => sites.push(flow),
                }
            }
        }
    }
    channels.sort_by_key(|flow| flow.channel);
    channels.dedup_by_key(|flow| flow.channel);
    sites.sort_by_key(|flow| flow.spawned_at);
    sites.dedup_by_key(|flow| flow.spawned_at);
    (channels, sites)
}
