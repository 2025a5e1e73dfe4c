//! The program stands still: nobody goes on by himself. What could still wake somebody is told in dumps, as a fact.
//!
//! A snapshot is of no one moment, but here it is known that nothing moved while it was taken: the count of all turns and waits
//! is the same before and after. That is less than a verdict takes (`deadlock`), and more is told: the threads, files, signals and timers
//! that keep a verdict away.

use std::collections::HashMap;

use waterway_snapshot::{
    Goroutine, Outsider, Snapshot, Source, Standstill, State, Verdict, VerdictKind,
};

use super::calls;
use super::deadlock::{self, OwnThreads};
use super::foreign::{self, Doing};
use crate::flow;
use crate::primitives::Ordering;
use crate::rt::clock::clock;
use crate::rt::peek::Peek;
use crate::rt::sched::Runtime;
use crate::rt::thread::tid;

/// Adds that to a snapshot that was begun when the runtime had this `signature`.
pub(super) fn add(rt: &Runtime, all: &mut Snapshot, signature: u64, peek: &Peek) {
    let seen = stands(all).then(|| seen(rt, all, peek)).flatten();
    let Some(standstill) = seen.filter(|_| rt.signature() == signature) else {
        return;
    };
    let nothing = standstill.sources.is_empty() && standstill.asker.is_none();
    if nothing && deadlock::is_proved(signature) {
        all.verdicts.push(Verdict {
            kind: VerdictKind::AllAsleep,
            parties: Vec::new(),
        });
    } else {
        all.standstill = Some(standstill);
    }
}

/// False if somebody goes on by himself, or nobody waits.
fn stands(all: &Snapshot) -> bool {
    let asleep_on: Vec<Option<usize>> = sleepers(all).map(|g| g.worker).collect();
    let goroutine = |goroutine: &Goroutine| match goroutine.state {
        State::Waiting => goroutine.wait.as_ref().is_some_and(|wait| !wait.timed),
        State::AsleepInKernel => true,
        // It waits behind one that sleeps.
        State::Runnable => goroutine.worker.is_some() && asleep_on.contains(&goroutine.worker),
        _ => false,
    };
    let anybody = !all.goroutines.is_empty() || !all.threads.is_empty();
    let threads = all.threads.iter().all(|t| !t.woken && !t.wait.timed);
    anybody && threads && all.goroutines.iter().all(goroutine)
}

fn sleepers(all: &Snapshot) -> impl Iterator<Item = &Goroutine> {
    let asleep = |g: &&Goroutine| g.state == State::AsleepInKernel;
    all.goroutines.iter().filter(asleep)
}

/// What could wake somebody. Nothing if a worker or a goroutine moves, or is about to.
fn seen(rt: &Runtime, all: &Snapshot, peek: &Peek) -> Option<Standstill> {
    let (mut rests, mut known) = (!rt.apart_waits(), Vec::new());
    let mut alarms = Vec::new();
    rt.each_worker(|worker| {
        let asleep = worker.facts().asleep;
        rests &= asleep || worker.is_at_rest();
        if !asleep {
            known.push(worker.tid.load(Ordering::Relaxed));
        }
        alarms.push(worker.alarms());
    });
    let own = deadlock::own_threads(rt).filter(|_| rests)?;
    known.extend(own.internal.iter().chain(&own.idle));
    known.extend(all.threads.iter().map(|thread| thread.tid));
    let waiting = all.goroutines.iter().filter(|g| g.wait.is_some());
    known.extend(waiting.filter_map(|g| g.own_thread));

    let mut standstill = outsiders(all, &own, &known, peek)?;
    let sources = &mut standstill.sources;
    let timers = alarms.iter().map(|(count, _)| count).sum();
    if let Some(first) = alarms.iter().filter_map(|(_, first)| *first).min() {
        let first_ns = first.saturating_sub(clock());
        sources.push(Source::Clock { timers, first_ns });
    }
    if deadlock::subscriber_may_be_told() {
        sources.push(Source::Subscriber);
    }
    Some(standstill)
}

/// Threads that are not `known` to wake nobody, and the handlers that may interrupt them. Nothing if a goroutine runs on one.
fn outsiders(all: &Snapshot, own: &OwnThreads, known: &[u32], peek: &Peek) -> Option<Standstill> {
    let thread_of = |g: &Goroutine| {
        let worker = || Some(all.workers.iter().find(|w| Some(w.index) == g.worker)?.tid);
        g.own_thread.or_else(worker)
    };
    let goroutines: HashMap<Option<u32>, u64> =
        sleepers(all).map(|g| (thread_of(g), g.id)).collect();
    let mut seen = Standstill::default();
    let (mut any, caller) = (false, tid());
    let threads = deadlock::threads()?;
    for tid in threads.into_iter().filter(|tid| !known.contains(tid)) {
        let mut thread = Outsider {
            tid,
            name: foreign::name(tid),
            main: tid == all.process,
            job: own.busy.contains(&tid),
            on_change: flow::is_caller(tid),
            goroutine: goroutines.get(&Some(tid)).copied(),
            ..Outsider::default()
        };
        any = true;
        if tid == caller {
            // What it does now is to look. A goroutine that looks goes on by itself.
            if thread.goroutine.is_some() {
                return None;
            }
            seen.asker = Some(thread);
            continue;
        }
        match foreign::doing(tid) {
            // Others would have to wake it.
            Some(Doing::Asleep(_)) => continue,
            Some(Doing::Waits(call)) => {
                let told = calls::told(&call, peek);
                thread.call = Some(told.name);
                thread.on = told.on;
                thread.timed = told.timed;
            }
            Some(Doing::Runs) if thread.goroutine.is_some() => return None,
            Some(Doing::Runs) => {}
            // It has ended.
            None => continue,
        }
        seen.sources.push(Source::Thread(thread));
    }
    if any {
        let handlers = calls::signals(foreign::handlers().unwrap_or(0));
        seen.sources.extend(handlers.map(Source::Handler));
    }
    Some(seen)
}
