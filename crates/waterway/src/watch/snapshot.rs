//! A snapshot of the whole program, taken while it runs.
//!
//! Nobody is stopped. Records of waits, headers of objects and the runtime's own counts are read as they are; a worker's list of
//! goroutines is locked for some dozens of them at a time, in which that worker cannot begin or end a goroutine. So each entry is
//! true of a moment, and all of them of the time that the walk took. Who was there all along is in it, once.
//!
//! Channels, locks and the like are found by a walk through the arena of their cores, so those that nobody waits on are there too;
//! mutexes and readers-writer locks only if they were ever waited for, for they have no core before that.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use waterway_snapshot::{
    Arm, Counters, Frame, Goroutine, Pool, Snapshot, Stack, State, Target, Thread, Wait,
};

use super::frames::Names;
use super::waited_on::{self, object_id};
use super::{findings, growth, standstill, suspicions};
use crate::goroutine::{Dedicated, dedicated};
use crate::primitives::Ordering;
use crate::rt::cell::for_each_unstarted;
use crate::rt::clock::clock;
use crate::rt::facts::{WorkerFacts, arms, permits};
use crate::rt::objects;
use crate::rt::peek::Peek;
use crate::rt::record::{Record, WaitReason, Waiting};
use crate::rt::sched::{Runtime, started};
use crate::rt::task::Task;
use crate::rt::thread::{self, ThreadParker, asleep_in_kernel};
use crate::rt::worker::Worker;

/// Frames that are told of one goroutine.
const MOST_FRAMES: usize = 100;

/// What the program is doing: every goroutine, channel, lock, wait group, semaphore, worker and timer. Nothing is stopped for it, so it
/// is true of no single moment, but each of its entries is.
///
/// ```
/// let (tx, rx) = waterway::chan::builder::<u8>().name("jobs").capacity(4).make();
/// tx.send(1).unwrap();
/// let snapshot = waterway::watch::snapshot();
/// let jobs = snapshot.channels.iter().find(|c| c.name.as_deref() == Some("jobs")).unwrap();
/// assert_eq!((jobs.len, jobs.capacity), (Some(1), Some(4)));
/// # drop(rx);
/// ```
///
/// # Blocking
///
/// Never parks. 100,000 goroutines take some tens of milliseconds.
///
/// Go: `runtime.GoroutineProfile`, and nothing for the rest.
pub fn snapshot() -> Snapshot {
    take(started(), false)
}

/// The snapshot, with the frames of goroutines that wait if they are asked for.
pub(super) fn take(rt: Option<&Runtime>, backtraces: bool) -> Snapshot {
    let peek = Peek::new();
    let signature = rt.map(Runtime::signature);
    let mut taker = Taker {
        now: clock(),
        peek: &peek,
        names: backtraces.then(Names::new),
        all: Snapshot {
            process: std::process::id(),
            unix_ms: unix_ms(),
            max_procs: rt.map_or(0, |rt| rt.config.crew()),
            ..Snapshot::default()
        },
    };
    // In this order: whoever starts meanwhile is met as one or the other.
    taker.unstarted();
    if let Some(rt) = rt {
        rt.each_worker(|worker| taker.worker(worker));
        taker.totals(rt);
    }
    if let Some(names) = &mut taker.names {
        names.resolve(&mut taker.all.goroutines);
    }
    taker.threads();
    let mut all = taker.all;
    waited_on::add(&mut all, &peek);
    all.verdicts = findings::verdicts();
    all.suspects = findings::unproved();
    waited_on::add_waiters(&mut all);
    suspicions::add(&mut all, &growth::histories(), clock());
    if let (Some(rt), Some(signature)) = (rt, signature) {
        standstill::add(rt, &mut all, signature, &peek);
    }
    all
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

struct Taker<'a> {
    now: u64,
    peek: &'a Peek,
    /// There if frames are asked for.
    names: Option<Names>,
    all: Snapshot,
}

impl Taker<'_> {
    fn unstarted(&mut self) {
        for_each_unstarted(|queued| {
            self.all.goroutines.push(Goroutine {
                id: queued.id,
                group: number(queued.group),
                state: State::NotStarted,
                spawned_at: queued.site.into(),
                spawned_by: number(queued.parent),
                ..Goroutine::default()
            });
        });
    }

    fn worker(&mut self, worker: &Worker) {
        let facts = worker.facts();
        let (mut goroutines, mut running) = (0, None);
        worker.walk_live(|task| {
            goroutines += 1;
            let goroutine = self.goroutine(task, worker.index, &facts);
            if matches!(goroutine.state, State::Running | State::AsleepInKernel) {
                running = Some(goroutine.id);
            }
            self.all.goroutines.push(goroutine);
        });
        let held_ns = match facts.held_since {
            0 => None,
            since => Some(clock().saturating_sub(since)),
        };
        self.all.timers += facts.timers;
        self.all.workers.push(waterway_snapshot::Worker {
            index: worker.index,
            tid: facts.tid,
            retired: facts.retired,
            apart: facts.apart,
            busy: facts.busy,
            running: running.filter(|_| facts.busy),
            held_ns,
            goroutines,
            timers: facts.timers,
        });
    }

    /// A goroutine that has started. Under the lock of its worker's list.
    fn goroutine(&mut self, task: &Task, worker: usize, facts: &WorkerFacts) -> Goroutine {
        let who = task.identity();
        let woken = task.runnable.load(Ordering::Relaxed);
        let (mut state, wait) = self.state(&task.record, woken);
        if state == State::Running && facts.asleep {
            state = State::AsleepInKernel;
        }
        let (size, used) = task.stack_use();
        Goroutine {
            id: who.id,
            name: who.name.as_deref().map(str::to_owned),
            group: number(who.group_id()),
            state,
            wait,
            spawned_at: who.site.into(),
            spawned_by: number(who.parent),
            worker: Some(worker),
            own_thread: None,
            stack: Some(Stack {
                size,
                in_use: used.unwrap_or(0),
            }),
            frames: self.frames(task),
        }
    }

    /// Addresses only: names are looked up once the lock is free.
    fn frames(&mut self, task: &Task) -> Vec<Frame> {
        let Some(names) = &mut self.names else {
            return Vec::new();
        };
        let copy = task.stack_copy(self.peek);
        copy.map_or_else(Vec::new, |copy| names.frames(&copy, MOST_FRAMES))
    }

    /// What a waiter does by its record, if it has not been `woken`.
    fn state(&self, record: &Record, woken: bool) -> (State, Option<Wait>) {
        match record.read() {
            _ if woken => (State::Runnable, None),
            Some(waiting) => (State::Waiting, Some(self.wait(record, &waiting))),
            None => (State::Running, None),
        }
    }

    fn wait(&self, record: &Record, waiting: &Waiting) -> Wait {
        let key = &waiting.key;
        let (count, arms) = match key.reason {
            WaitReason::Select => arms(self.peek, record).unwrap_or_default(),
            _ => (0, Vec::new()),
        };
        let more_arms = count - arms.len();
        let asked = match key.reason {
            WaitReason::Semaphore => permits(self.peek, record),
            _ => None,
        };
        let arm = |(core, sends)| {
            let object = object_id(&objects::at(core)?);
            Some(Arm { object, sends })
        };
        let context = objects::at(waiting.ending);
        Wait {
            reason: key.reason.text().into(),
            waited_ns: self.now.saturating_sub(waiting.since),
            at: key.site.into(),
            on: target(key.reason, asked.map_or(key.object, |(core, _)| core)),
            arms: arms.into_iter().filter_map(arm).collect(),
            more_arms,
            permits: asked.map(|(_, count)| count),
            timed: waiting.timed,
            until: context.map(|context| object_id(&context)),
        }
    }

    /// Threads that wait, and goroutines that have one to themselves.
    fn threads(&mut self) {
        let mut parkers: HashMap<u32, &ThreadParker> = HashMap::new();
        thread::for_each(|parker| {
            // A thread that waits inside of a waker has several; the one that waits tells more.
            let place = parkers.entry(parker.tid()).or_insert(parker);
            if parker.record().read().is_some() {
                *place = parker;
            }
        });
        for own in dedicated() {
            let parker = parkers.remove(&own.tid);
            let goroutine = self.dedicated(&own, parker);
            self.all.goroutines.push(goroutine);
        }
        for (tid, parker) in parkers {
            let (_, wait) = self.state(parker.record(), false);
            self.all.threads.extend(wait.map(|wait| Thread {
                tid,
                main: tid == self.all.process,
                woken: parker.woken(),
                wait,
            }));
        }
        self.all.threads.sort_by_key(|thread| thread.tid);
        let goroutines = &mut self.all.goroutines;
        // Of two that are one, the later is met as it goes on. Stable, so that it stands behind.
        goroutines.sort_by_key(|goroutine| goroutine.id);
        goroutines.dedup_by(|later, kept| {
            let same = later.id == kept.id;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
    }

    fn dedicated(&self, own: &Dedicated, parker: Option<&ThreadParker>) -> Goroutine {
        let (mut state, wait) = match parker {
            Some(parker) => self.state(parker.record(), parker.woken()),
            None => (State::Running, None),
        };
        if state == State::Running && asleep_in_kernel(own.tid) == Some(true) {
            state = State::AsleepInKernel;
        }
        Goroutine {
            id: own.id,
            name: own.name.as_deref().map(str::to_owned),
            group: number(own.group),
            state,
            wait,
            spawned_at: own.site.into(),
            spawned_by: number(own.parent),
            own_thread: Some(own.tid),
            ..Goroutine::default()
        }
    }

    fn totals(&mut self, rt: &Runtime) {
        let (threads, running, queued) = rt.blocking.counts();
        self.all.blocking = Pool {
            threads,
            running,
            queued,
        };
        let (spawned, ended) = rt.totals();
        self.all.counters = Counters { spawned, ended };
    }
}

/// A number that is 0 where there is none.
fn number(n: u64) -> Option<u64> {
    (n != 0).then_some(n)
}

/// What a call waits for, by the object of its record.
fn target(reason: WaitReason, object: usize) -> Target {
    match reason {
        WaitReason::Join => Target::Goroutine(object as u64),
        _ => objects::at(object).map_or(Target::Nothing, |seen| Target::Object(object_id(&seen))),
    }
}
