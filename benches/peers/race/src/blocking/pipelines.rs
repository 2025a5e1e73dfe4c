//! Work that should spread over the cores, and hand-overs that should not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{Rival, Shared};
use crate::{Clock, Lateness, Run, STAGES, compute, micros, pipelines};

/// Four stages that compute for 2 us an item, then for 20.
pub fn pipeline_a<R: Rival>(run: Run) {
    pipelines(run.n, pipeline::<R>);
}

fn pipeline<R: Rival>(items: usize, us: usize) {
    let (first, mut rx) = R::chan(0);
    for _ in 0..STAGES {
        let (tx, next) = R::chan(0);
        R::go(move || {
            while let Some(item) = R::recv(&rx) {
                R::send(&tx, compute(item, micros(us)));
            }
        });
        rx = next;
    }
    R::go(move || {
        (0..items as u64).for_each(|i| {
            R::send(&first, i);
        })
    });
    while R::recv(&rx).is_some() {}
}

/// Goroutines that are started while nothing else happens, wait, and then all compute.
pub fn pipeline_b<R: Shared>(run: Run) {
    let (tx, rx) = R::chan::<()>(0);
    let (born, gone) = (R::group(run.n), R::group(run.n));
    for i in 0..run.n {
        let (rx, born, gone) = (R::share(&rx), born.clone(), gone.clone());
        R::go(move || {
            R::done(born);
            R::recv(&rx);
            compute(i as u64, micros(200));
            R::done(gone);
        });
    }
    R::wait(born);
    R::sleep(Duration::from_millis(50));
    let clock = Clock::start();
    drop(tx);
    R::wait(gone);
    let span = clock.stop();
    span.ms("time");
    span.busy(run.workers);
}

/// Four pairs that hand over to each other for as long as a pipeline runs beside them.
pub fn pipeline_c<R: Rival>(run: Run) {
    let over = Arc::new(AtomicBool::new(false));
    let trips = Arc::new(AtomicUsize::new(0));
    for _ in 0..4 {
        let (ping, pings) = R::chan(0);
        let (pong, pongs) = R::chan(0);
        R::go(move || while R::recv(&pings).is_some_and(|v: usize| R::send(&pong, v)) {});
        let (over, trips) = (over.clone(), trips.clone());
        R::go(move || {
            while !over.load(Ordering::Relaxed) {
                R::send(&ping, 0);
                R::recv(&pongs);
                trips.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    pipeline::<R>(run.n / 10, 2);
    trips.store(0, Ordering::Relaxed);
    let clock = Clock::start();
    pipeline::<R>(run.n, 2);
    let span = clock.stop();
    over.store(true, Ordering::Relaxed);
    span.per_op("an item of the pipeline", run.n);
    span.per_op(
        "a round trip of the pairs",
        trips.load(Ordering::Relaxed).max(1),
    );
}

/// One goroutine starts another each millisecond, which lives for 100 ms and computes a little every 10.
pub fn pipeline_d<R: Rival>(run: Run) {
    const TICK: Duration = Duration::from_millis(10);
    let (tx, rx) = R::chan(1024);
    let clock = Clock::start();
    R::go(move || {
        let begin = Instant::now();
        for i in 0..run.n {
            let due = begin + Duration::from_millis(i as u64);
            R::sleep(due.saturating_duration_since(Instant::now()));
            let tx = tx.clone();
            R::go(move || {
                for turn in 0..=10 {
                    let due = due + TICK * turn;
                    R::sleep(due.saturating_duration_since(Instant::now()));
                    R::send(&tx, due.elapsed());
                    compute(i as u64, micros(20));
                }
            });
        }
    });
    let late = Lateness::of(std::iter::from_fn(|| R::recv(&rx)));
    clock.stop().cpu_per_op("CPU each", run.n);
    late.tell();
}
