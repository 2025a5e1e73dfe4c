//! Go's `runtime/proc_test.go`, as far as it is about goroutines and not about the scheduler's inside. Programs that need a
//! number of workers of their own are in `src/bin/program/sched.rs`.

#![forbid(unsafe_code)]

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use waterway::time::{after, sleep};
use waterway::{Builder, chan, go, select, yield_now};
use waterway_conformance::{bound, child};

/// Runs a program with so many workers.
#[track_caller]
fn run(program: &str, max_procs: &str) -> child::Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_program"));
    command.arg(program).env("WATERWAY_MAX_PROCS", max_procs);
    child::run(&mut command)
}

/// Go: TestStopTheWorldDeadlock (proc_test.go). A goroutine that starts itself anew all the time keeps nobody from working.
#[waterway::test]
fn perpetuum_mobile() {
    fn start(stop: Arc<AtomicBool>, rounds: Arc<AtomicUsize>) {
        if !stop.load(Ordering::Relaxed) {
            rounds.fetch_add(1, Ordering::Relaxed);
            go(move || start(stop, rounds));
        }
    }
    let _bound = bound();
    let (stop, rounds) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    start(stop.clone(), rounds.clone());
    let (tx, rx) = chan(0);
    let others = go(move || (0..1000).for_each(|n| tx.send(n).unwrap()));
    assert!(rx.iter().eq(0..1000));
    others.join().unwrap();
    let begun = rounds.load(Ordering::Relaxed);
    while rounds.load(Ordering::Relaxed) == begun {
        yield_now();
    }
    stop.store(true, Ordering::Relaxed);
}

fn yields_until_told(builder: Builder) {
    let ((tx, rx), (ack, acked)) = (chan(0), chan(0));
    let polls = builder.go(move || {
        loop {
            select! {
                recv(rx) -> v => return ack.send(v.unwrap()).unwrap(),
                default => yield_now(),
            }
        }
    });
    sleep(Duration::from_millis(10));
    tx.send(true).unwrap();
    assert_eq!(acked.recv(), Ok(true));
    polls.join().unwrap();
}

/// Go: TestYieldProgress (proc_test.go).
#[waterway::test]
fn yield_progress() {
    let _bound = bound();
    yields_until_told(Builder::new());
}

/// Go: TestYieldLockedProgress (proc_test.go), on a thread of its own.
#[waterway::test]
fn yield_locked_progress() {
    let _bound = bound();
    yields_until_told(Builder::new().dedicated());
}

/// Go: TestYieldLocked (proc_test.go).
#[waterway::test]
fn yield_locked() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    Builder::new().dedicated().go(move || {
        for _ in 0..10 {
            yield_now();
            sleep(Duration::from_millis(1));
        }
        tx.send(true).unwrap();
    });
    assert_eq!(rx.recv(), Ok(true));
}

/// Go: TestBlockLocked (proc_test.go).
#[waterway::test]
fn block_locked() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    Builder::new()
        .dedicated()
        .go(move || (0..10).for_each(|n| tx.send(n).unwrap()));
    assert!(rx.iter().eq(0..10));
}

/// Go: TestGoroutineParallelism (proc_test.go). As many as there are processors run at once. With one processor Go skips
/// it; here those that hold a worker are given threads.
#[test]
fn goroutine_parallelism() {
    let _bound = bound();
    for max_procs in ["1", "3"] {
        run("parallelism", max_procs).code(0).prints("OK\n");
    }
}

/// Go: TestGoroutineParallelism2 (proc_test.go), with load before; there is no network to poll.
#[test]
fn goroutine_parallelism_nested() {
    let _bound = bound();
    run("parallelism_nested", "4").code(0).prints("OK\n");
}

/// Go: TestTimerFairness (proc_test.go). A timer gets its turn beside channels that are always ready.
#[waterway::test]
fn a_timer_among_ready_channels() {
    let _bound = bound();
    let ((tx, rx), (done, stop)) = (chan(0), chan::<()>(0));
    for _ in 0..2 {
        let (tx, stop) = (tx.clone(), stop.clone());
        go(move || {
            loop {
                select! { send(tx, true) -> r => r.unwrap(), recv(stop) -> _ => return }
            }
        });
    }
    let timer = after(Duration::from_millis(20));
    loop {
        select! { recv(rx) -> v => assert_eq!(v, Ok(true)), recv(timer) -> _ => break }
    }
    done.close();
}

/// Go: TestTimerFairness2 (proc_test.go). As above, with a call to the kernel in each turn.
#[waterway::test]
fn a_timer_among_ready_channels_and_system_calls() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    let both = [0, 1].map(|_| {
        let (tx, rx) = (tx.clone(), rx.clone());
        go(move || {
            let timer = after(Duration::from_millis(20));
            loop {
                assert!(std::fs::metadata("/").is_ok());
                select! {
                    send(tx, true) -> r => r.unwrap(),
                    recv(rx) -> v => assert_eq!(v, Ok(true)),
                    recv(timer) -> _ => return,
                }
            }
        })
    });
    both.into_iter().for_each(|g| g.join().unwrap());
}

/// Go: TestPreemption (proc_test.go). Two that spin for each other on one processor. Nothing is preempted here; the second,
/// which has not started, is taken over by a spare thread.
#[test]
fn preemption() {
    let _bound = bound();
    run("preemption", "1").code(0).prints("OK\n");
}

/// Go: TestAsyncPreempt (proc_test.go). Endless loops beside main on one processor. Nothing is preempted here: goroutines that
/// live on the worker of such a loop wait, as the crate's documentation says. Main, a thread, and new goroutines do not.
#[test]
fn async_preempt() {
    let _bound = bound();
    run("async_preempt", "1").code(0).prints("OK\n");
}

/// Go: TestNumGoroutine (proc_test.go).
#[test]
fn num_goroutine() {
    let _bound = bound();
    run("num_goroutine", "2").code(0).prints("1\n11 11\n");
}

/// Go: TestPingPongHog (proc_test.go), its weak half: of a pair that computes long and one that computes little, on one
/// worker, both get on.
#[test]
fn ping_pong_beside_hogs() {
    let _bound = bound();
    run("ping_pong_beside_hogs", "1").code(0);
}

/// Go: TestPingPongHog (proc_test.go). A pair that hands over keeps the processor for a time slice, so that both pairs count
/// alike, within a factor of 20, though one computes 100 times as long between its hand-overs (1,000 times in Go).
#[test]
fn ping_pong_hog() {
    let _bound = bound();
    let counts = |_: usize| {
        let outcome = run("ping_pong_hog", "1");
        let counts = outcome.code(0).stdout.split_whitespace();
        let counts: Vec<u64> = counts.map(|n| n.parse().unwrap()).collect();
        <[u64; 2]>::try_from(counts).unwrap()
    };
    // A time slice is wall time: a machine that takes the CPU away within it takes it from those who have short turns.
    let runs = [0, 1, 2].map(counts);
    let alike = |[hog, light]: &&[u64; 2]| hog / 20 <= *light && light / 20 <= *hog;
    assert!(runs.iter().filter(alike).count() >= 2, "{runs:?}");
}

/// Go: test/chan/select2.go. Selects use no memory that grows with their number: 100,000 may cost 110 KB there, 30,000 take
/// 100 KiB here, where stacks may commit a page more. A leak of 16 bytes a select would be 480 KiB.
#[test]
fn selects_do_not_take_memory() {
    let _bound = bound();
    let outcome = run("selects_memory", "2");
    let more: usize = outcome.code(0).stdout.trim().parse().unwrap();
    assert!(more < 256, "{more} KiB for 30,000 selects");
}
