//! Work that should spread over the cores, and hand-overs that should not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use race::{Clock, Lateness, Run, compute, micros};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::Group;

const STAGES: usize = 4;

/// Four stages that compute for 2 us an item, then for 20.
pub async fn pipeline_a(run: Run) {
    for (us, metric) in [(2, "an item, 2 us a stage"), (20, "an item, 20 us a stage")] {
        let n = run.n * 2 / us;
        pipeline(n / 10, us).await;
        let clock = Clock::start();
        pipeline(n, us).await;
        clock.stop().per_op(metric, n);
    }
}

async fn pipeline(items: usize, us: usize) {
    let (first, mut rx) = mpsc::channel(1);
    for _ in 0..STAGES {
        let (tx, next) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Some(item) = rx.recv().await {
                let done = compute(item, micros(us));
                tx.send(done).await.expect("the next stage is there");
            }
        });
        rx = next;
    }
    tokio::spawn(async move {
        for i in 0..items as u64 {
            first.send(i).await.expect("the first stage is there");
        }
    });
    while rx.recv().await.is_some() {}
}

/// Tasks that are started while nothing else happens, wait, and then all compute.
pub async fn pipeline_b(run: Run) {
    let (tx, rx) = async_channel::bounded::<()>(1);
    let (born, gone) = (Group::new(run.n), Group::new(run.n));
    for i in 0..run.n {
        let (rx, born, gone) = (rx.clone(), born.clone(), gone.clone());
        tokio::spawn(async move {
            born.done();
            let _: Result<(), _> = rx.recv().await;
            compute(i as u64, micros(200));
            gone.done();
        });
    }
    born.wait().await;
    sleep(Duration::from_millis(50)).await;
    let clock = Clock::start();
    drop(tx);
    gone.wait().await;
    let span = clock.stop();
    span.ms("time");
    span.busy(run.workers);
}

/// Four pairs that hand over to each other for as long as a pipeline runs beside them.
pub async fn pipeline_c(run: Run) {
    let over = Arc::new(AtomicBool::new(false));
    let trips = Arc::new(AtomicUsize::new(0));
    for _ in 0..4 {
        let (ping, mut pings) = mpsc::channel(1);
        let (pong, mut pongs) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Some(v) = pings.recv().await {
                // The last answer may find nobody.
                let _: Result<(), _> = pong.send(v).await;
            }
        });
        let (over, trips) = (over.clone(), trips.clone());
        tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                ping.send(0_usize).await.expect("the other is there");
                pongs.recv().await;
                trips.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    pipeline(run.n / 10, 2).await;
    trips.store(0, Ordering::Relaxed);
    let clock = Clock::start();
    pipeline(run.n, 2).await;
    let span = clock.stop();
    over.store(true, Ordering::Relaxed);
    span.per_op("an item of the pipeline", run.n);
    span.per_op(
        "a round trip of the pairs",
        trips.load(Ordering::Relaxed).max(1),
    );
}

/// One task starts another each millisecond, which lives for 100 ms and computes a little every 10.
pub async fn pipeline_d(run: Run) {
    const TICK: Duration = Duration::from_millis(10);
    let (tx, mut rx) = mpsc::channel(1024);
    let clock = Clock::start();
    tokio::spawn(async move {
        let begin = Instant::now();
        for i in 0..run.n {
            let due = begin + Duration::from_millis(i as u64);
            sleep(due.saturating_duration_since(Instant::now())).await;
            let tx = tx.clone();
            tokio::spawn(async move {
                for turn in 0..=10 {
                    let due = due + TICK * turn;
                    sleep(due.saturating_duration_since(Instant::now())).await;
                    tx.send(due.elapsed()).await.expect("all are received");
                    compute(i as u64, micros(20));
                }
            });
        }
    });
    let mut late = Vec::new();
    while let Some(each) = rx.recv().await {
        late.push(each);
    }
    clock.stop().cpu_per_op("CPU each", run.n);
    Lateness::of(late).tell();
}
