//! tokio in the race, on its multi-thread runtime, with its own channels and three others.

mod channels;
mod crowds;
mod kinds;
mod pipelines;
mod scaling;
mod selects;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use channels::*;
use crowds::*;
use kinds::{AsyncChannel, Flume, Kanal, Mpsc};
use pipelines::*;
use race::{Clock, Entry, Run, entry};
use scaling::*;
use tokio::sync::Notify;

/// Runs the body of a workload.
fn on<F>(run: Run, body: fn(Run) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    spawned(run, body(run));
}

/// Does a tenth of the work to warm up, then all of it, and tells the time of one operation.
fn timed<F>(run: Run, work: fn(usize) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    spawned(run, async move {
        work(run.n / 10).await;
        let clock = Clock::start();
        work(run.n).await;
        clock.stop().per_op("time", run.n);
    });
}

/// Runs a body as a spawned task. What is still parked then ends with the process.
fn spawned(run: Run, body: impl Future<Output = ()> + Send + 'static) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(run.workers).enable_time().build();
    let runtime = runtime.expect("the system has threads for it");
    runtime.block_on(async { tokio::spawn(body).await.expect("no panic") });
    std::process::exit(0);
}

/// A wait group, which tokio itself has not.
#[derive(Clone)]
struct Group(Arc<(AtomicUsize, Notify)>);

impl Group {
    fn new(members: usize) -> Group {
        Group(Arc::new((AtomicUsize::new(members), Notify::new())))
    }

    fn done(self) {
        if self.0.0.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.1.notify_one();
        }
    }

    async fn wait(self) {
        self.0.1.notified().await;
    }
}

/// Starts `members` tasks, each made from its number, and waits until all are through.
async fn all<F>(members: usize, work: impl Fn(usize) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let group = Group::new(members);
    for i in 0..members {
        let (group, task) = (group.clone(), work(i));
        tokio::spawn(async move {
            task.await;
            group.done();
        });
    }
    group.wait().await;
}

const CAP1: &str = "capacity 1 is the nearest to unbuffered";
const SHARED: &str = "all wait on one async-channel";

#[rustfmt::skip] // a table
const ENTRIES: &[Entry] = &[
    entry("pingpong", |run| timed(run, pingpong::<Mpsc>)).variant("mpsc(1)").note(CAP1),
    entry("pingpong", |run| timed(run, pingpong::<Flume>)).variant("flume"),
    entry("pingpong", |run| timed(run, pingpong::<Kanal>)).variant("kanal"),
    entry("spsc", |run| timed(run, spsc::<Mpsc>)).variant("mpsc"),
    entry("spsc", |run| timed(run, spsc::<Flume>)).variant("flume"),
    entry("spsc", |run| timed(run, spsc::<Kanal>)).variant("kanal"),
    entry("spsc", |run| timed(run, spsc::<AsyncChannel>)).variant("async-channel"),
    entry("mpmc", |run| timed(run, mpmc::<Flume>)).variant("flume"),
    entry("mpmc", |run| timed(run, mpmc::<Kanal>)).variant("kanal"),
    entry("mpmc", |run| timed(run, mpmc::<AsyncChannel>)).variant("async-channel"),
    entry("mpmc0", |run| timed(run, mpmc0::<Flume>)).variant("flume"),
    entry("mpmc0", |run| timed(run, mpmc0::<Kanal>)).variant("kanal"),
    entry("mpmc0", |run| timed(run, mpmc0::<AsyncChannel>)).variant("async-channel(1)").note(CAP1),
    entry("select2", |run| timed(run, |n| selects::two(n, 1))).variant("mpsc(1)").note(CAP1),
    entry("select2b", |run| timed(run, |n| selects::two(n, 128))).variant("mpsc"),
    entry("select8", |run| timed(run, |n| selects::eight(n, 1))).variant("mpsc(1)").note(CAP1),
    entry("select8b", |run| timed(run, |n| selects::eight(n, 128))).variant("mpsc"),
    entry("try_recv", |run| timed(run, try_recv)).variant("mpsc"),
    entry("select_default", |run| timed(run, selects::default)).variant("mpsc(1)")
        .note("select! whose last branch is ready at once, biased"),
    entry("spawn_join", |run| timed(run, spawn_join)),
    entry("spawn_burst", |run| on(run, spawn_burst)),
    entry("yield1", |run| timed(run, yield1)),
    entry("yield1000", |run| timed(run, yield1000)),
    entry("mutex", |run| timed(run, mutex)).variant("tokio::sync"),
    entry("mutex", |run| timed(run, mutex_std)).variant("std::sync"),
    entry("mutex8", |run| timed(run, mutex8)).variant("tokio::sync"),
    entry("mutex8", |run| timed(run, mutex8_std)).variant("std::sync"),
    entry("skynet", |run| on(run, skynet)).variant("mpsc(1)").note(CAP1),
    entry("skynet", |run| on(run, skynet_handles)).variant("handles").note("results come by join handle"),
    entry("sieve", |run| on(run, sieve::<Mpsc>)).variant("mpsc(1)").note(CAP1),
    entry("sieve", |run| on(run, sieve::<Flume>)).variant("flume"),
    entry("sieve", |run| on(run, sieve::<Kanal>)).variant("kanal"),
    entry("timers", |run| on(run, timers)),
    entry("parked100k", |run| on(run, parked)).note(SHARED),
    entry("parked1m", |run| on(run, parked)).note(SHARED),
    entry("pipeline_a", |run| on(run, pipeline_a)).variant("mpsc(1)").note(CAP1),
    entry("pipeline_b", |run| on(run, pipeline_b)).note(SHARED),
    entry("pipeline_c", |run| on(run, pipeline_c)).variant("mpsc(1)").note(CAP1),
    entry("pipeline_d", |run| on(run, pipeline_d)),
    entry("scaling_spawn", |run| on(run, scaling_spawn)),
    entry("scaling_pingpong", |run| on(run, scaling_pingpong)).variant("mpsc(1)").note(CAP1),
    entry("scaling_timers", |run| on(run, scaling_timers)),
    entry("scaling_select", |run| on(run, selects::scaling)).variant("mpsc(1)")
        .note("poll_fn that polls each receiver in turn; capacity 1 is the nearest to unbuffered"),
];

fn main() {
    race::main(ENTRIES, |run: Run, body| body(run));
}
