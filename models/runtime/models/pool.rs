//! The pool: every job runs once, whatever threads come, go, or cannot be started.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Event, Group, start};
use crate::primitives::limit_threads;
use crate::rt::sched::Runtime;
use crate::schedules::Model;

pub(super) const MODELS: &[Model] = &[
    ("jobs_run_as_threads_come_and_go", come_and_go),
    ("jobs_run_with_one_thread", one_thread),
    ("jobs_come_back_without_a_thread", no_thread),
    ("a_job_that_panics_ends_alone", panics),
    ("a_pool_at_rest_has_no_job", at_rest),
    ("a_job_waits_for_the_busy_thread", all_busy),
];

fn submit(rt: &'static Runtime, job: impl FnOnce() + Send + 'static) {
    if let Err((job, _)) = rt.blocking.submit(Box::new(job)) {
        job();
    }
}

/// True if no job runs, and none is about to.
fn rests(rt: &Runtime) -> bool {
    let threads = rt.blocking.threads();
    threads.is_some_and(|threads| threads.busy.is_empty())
}

/// Waits until no job is under way. (The end of a run unwinds what sleeps, which a job must not catch.)
fn settle(rt: &'static Runtime) {
    while !rests(rt) {
        shuttle::thread::yield_now();
    }
}

/// Jobs from two threads, while idle threads of the pool end.
fn come_and_go() {
    let rt = start(1);
    let group = Group::of(4);
    for _ in 0..2 {
        shuttle::thread::spawn(move || {
            for _ in 0..2 {
                submit(rt, move || {
                    group.done();
                });
                shuttle::thread::yield_now();
            }
        });
    }
    group.wait();
    settle(rt);
}

/// A job that waits, and one that no thread is left for: who finds the pool without a thread that could run another finds the busy one.
fn all_busy() {
    let rt = start(1);
    limit_threads(1);
    let (begun, goes, over) = (Event::leaked(), Event::leaked(), Event::leaked());
    submit(rt, move || {
        begun.set();
        goes.wait();
    });
    begun.wait();
    submit(rt, move || over.set());
    let threads = rt
        .blocking
        .threads()
        .expect("no thread comes to the other job");
    assert_eq!((threads.idle.len(), threads.busy.len()), (0, 1));
    goes.set();
    over.wait();
    settle(rt);
}

/// One thread can be started: it comes to all jobs, or what is left comes back.
fn one_thread() {
    let rt = start(1);
    limit_threads(1);
    let group = Group::of(3);
    for _ in 0..3 {
        submit(rt, move || {
            group.done();
        });
    }
    group.wait();
    settle(rt);
}

fn no_thread() {
    let rt = start(1);
    limit_threads(0);
    let ran: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
    submit(rt, move || {
        ran.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(ran.load(Ordering::Relaxed), 1, "it came back");
}

fn panics() {
    let rt = start(1);
    let group = Group::of(1);
    limit_threads(1);
    submit(rt, || std::panic::resume_unwind(Box::new(())));
    submit(rt, move || {
        group.done();
    });
    group.wait();
    settle(rt);
}

/// Who finds the pool at rest finds no job under way: what a verdict rests on.
fn at_rest() {
    let rt = start(1);
    let (begun, over) = (Event::leaked(), Event::leaked());
    submit(rt, move || {
        begun.set();
        shuttle::thread::yield_now();
        over.set();
    });
    for _ in 0..3 {
        if rests(rt) {
            assert!(over.is_set(), "{}", begun.is_set());
        }
        shuttle::thread::yield_now();
    }
    over.wait();
    settle(rt);
}
