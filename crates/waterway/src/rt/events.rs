//! What is told to a subscriber of the `tracing` crate.
//!
//! A subscriber is the program's code: it may take a lock that a goroutine holds, wait, or call this library. So nobody who has
//! something to tell runs it. He puts the event into a queue that holds so many, and a thread of its own delivers. What finds no room
//! is counted, and the count is told. The thread starts when there is a first event that somebody may want.
//!
//! # Who wants what
//!
//! Asking a subscriber would run its code as well. Two things are known without it: the most detailed level that anybody wants, and,
//! for what is told often (a [`Topic`]), whether it wanted that when it was asked, on the delivering thread.
//!
//! # The deadlock's judge
//!
//! The thread belongs to the runtime while it has nothing to deliver (`resting`). While it delivers it is a thread like any other
//! of the program's, which may wake somebody. And where monitors run, an event may come although nobody moves (`may_come`).

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use tracing::callsite::{self, Callsite, Identifier};
use tracing::field::FieldSet;
use tracing::level_filters::LevelFilter;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};

use super::thread::tid;
use crate::primitives::{
    AtomicU8, AtomicUsize, Ordering, SleepingCondvar, SleepingGuard, SleepingMutex, start_thread,
};

/// So many events wait at most.
const ROOM: usize = 4096;
/// How long the end of the process may wait for what is still to be delivered.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(1);

type Event = Box<dyn FnOnce() + Send>;

struct Queue {
    waiting: VecDeque<Event>,
    /// Events that found no room since that was last told.
    dropped: u64,
    /// The kernel's number of the thread, 0 as long as there is none.
    thread: u32,
    started: bool,
    delivers: bool,
}

static QUEUE: SleepingMutex<Queue> = SleepingMutex::new(Queue {
    waiting: VecDeque::new(),
    dropped: 0,
    thread: 0,
    started: false,
    delivers: false,
});
static MORE: SleepingCondvar = SleepingCondvar::new();
static DONE: SleepingCondvar = SleepingCondvar::new();

thread_local! {
    static DELIVERS: Cell<bool> = const { Cell::new(false) };
}

/// Events that may come often. Asked before one is made.
pub(crate) struct Topic {
    asked: AtomicU8,
    meta: &'static Metadata<'static>,
}

const NEVER: u8 = 1;

/// Goroutines that start and end.
pub(crate) static GOROUTINES: Topic = Topic::new(&GOROUTINES_META);
static GOROUTINES_META: Metadata<'static> = Metadata::new(
    "goroutines",
    "waterway",
    Level::TRACE,
    None,
    None,
    None,
    FieldSet::new(&[], Identifier(&GOROUTINES)),
    Kind::HINT,
);

/// Values that are shed, and callers that a gate refuses.
pub(crate) static SHED: Topic = Topic::new(&SHED_META);
static SHED_META: Metadata<'static> = Metadata::new(
    "shed",
    "waterway::flow",
    Level::DEBUG,
    None,
    None,
    None,
    FieldSet::new(&[], Identifier(&SHED)),
    Kind::HINT,
);

impl Topic {
    const fn new(meta: &'static Metadata<'static>) -> Topic {
        Topic {
            asked: AtomicU8::new(0),
            meta,
        }
    }

    /// False if nobody wants such events.
    #[inline]
    pub(crate) fn wanted(&self) -> bool {
        wanted(*self.meta.level()) && self.asked.load(Ordering::Relaxed) != NEVER
    }
}

impl Callsite for Topic {
    fn set_interest(&self, interest: Interest) {
        let asked = u8::from(interest.is_never()) * NEVER;
        self.asked.store(asked, Ordering::Relaxed);
    }

    fn metadata(&self) -> &Metadata<'_> {
        self.meta
    }
}

/// False if nobody wants events of that level.
#[inline]
pub(crate) fn wanted(level: Level) -> bool {
    LevelFilter::current() >= level
}

/// Delivers an event soon, if there is room for it. `event` tells it: it runs where the program's code may.
#[cold]
#[inline(never)]
pub(crate) fn send(event: impl FnOnce() + Send + 'static) {
    // What a subscriber does is not told to it: that would never end.
    if DELIVERS.get() {
        return;
    }
    let event: Event = Box::new(event);
    let mut queue = lock();
    if queue.waiting.len() == ROOM {
        queue.dropped += 1;
        drop(queue);
        return;
    }
    queue.waiting.push_back(event);
    let start = !std::mem::replace(&mut queue.started, true);
    drop(queue);
    if start && start_thread("waterway-events", run).is_err() {
        // Those that come later try again.
        lock().started = false;
    }
    MORE.notify_one();
}

/// Waits until all is delivered, no longer than that.
pub(crate) fn flush(time: Duration) {
    if DELIVERS.get() {
        return;
    }
    let until = Instant::now() + time;
    let mut queue = lock();
    while queue.started && (queue.delivers || !queue.waiting.is_empty()) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        (queue, _) = DONE.wait_timeout(queue, left).expect(NOT_POISONED);
    }
}

/// The delivering thread, if it has nothing to deliver.
pub(crate) fn resting() -> Option<u32> {
    let queue = lock();
    (queue.thread != 0 && !queue.delivers && queue.waiting.is_empty()).then_some(queue.thread)
}

/// Monitors that may have something to tell at any time.
static MONITORS: AtomicUsize = AtomicUsize::new(0);

/// A monitor that runs until this is dropped.
pub(crate) struct MonitorRuns(());

impl MonitorRuns {
    pub(crate) fn begin() -> MonitorRuns {
        MONITORS.fetch_add(1, Ordering::SeqCst);
        MonitorRuns(())
    }
}

impl Drop for MonitorRuns {
    fn drop(&mut self) {
        MONITORS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// True if an event may come that no goroutine makes, and somebody wants it: a subscriber may wake whoever it likes then.
pub(crate) fn may_come() -> bool {
    MONITORS.load(Ordering::SeqCst) > 0 && wanted(Level::WARN)
}

const NOT_POISONED: &str = "nothing panics while it is locked";

fn lock() -> SleepingGuard<'static, Queue> {
    QUEUE.lock().expect(NOT_POISONED)
}

fn run() {
    DELIVERS.set(true);
    lock().thread = tid();
    quietly(|| {
        callsite::register(&GOROUTINES);
        callsite::register(&SHED);
    });
    loop {
        let (event, dropped) = next();
        if dropped > 0 {
            quietly(|| {
                tracing::warn!(
                    target: "waterway",
                    dropped,
                    "events were dropped, for the subscriber was behind"
                );
            });
        }
        quietly(event);
    }
}

fn next() -> (Event, u64) {
    let mut queue = lock();
    loop {
        if let Some(event) = queue.waiting.pop_front() {
            queue.delivers = true;
            return (event, std::mem::take(&mut queue.dropped));
        }
        queue.delivers = false;
        DONE.notify_all();
        queue = MORE.wait(queue).expect(NOT_POISONED);
    }
}

/// A subscriber that panics loses that event. The panic hook has told of it.
fn quietly(tell: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(tell)) {
        // Its drop might panic in turn.
        std::mem::forget(payload);
    }
}
