//! `semaphore_test.go` of `golang.org/x/sync`.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use waterway::sync::{Semaphore, WaitGroup};
use waterway::time::sleep;
use waterway::{Context, yield_now};
use waterway_conformance::{LONG, blocked, bound};

const SHORT: Duration = Duration::from_millis(5);

/// Go: TestWeighted (semaphore_test.go). Callers of every weight, none of which takes what is not there.
#[waterway::test]
fn weighted() {
    const N: usize = 6;
    let _bound = bound();
    let (semaphore, held) = (Semaphore::new(N), Arc::new(AtomicUsize::new(0)));
    let group = WaitGroup::new();
    for weight in 0..N {
        let (semaphore, held) = (semaphore.clone(), held.clone());
        group.go(move || {
            for round in 0..50 {
                let permit = semaphore.acquire(weight);
                assert!(held.fetch_add(weight, Ordering::SeqCst) + weight <= N);
                sleep(Duration::from_micros(
                    (round * 7 + weight as u64 * 13) % 100,
                ));
                held.fetch_sub(weight, Ordering::SeqCst);
                drop(permit);
            }
        });
    }
    group.wait();
    assert_eq!(semaphore.available(), N);
}

/// Go: TestWeightedTryAcquire and TestWeightedAcquire (semaphore_test.go). With and without waiting.
#[waterway::test]
fn one_of_two_and_then_none() {
    let _bound = bound();
    let semaphore = Semaphore::new(2);
    let tries: [&dyn Fn(usize) -> Option<waterway::sync::Permit>; 2] =
        [&|n| semaphore.try_acquire(n), &|n| {
            semaphore.acquire_timeout(n, SHORT)
        }];
    for acquire in tries {
        for _ in 0..2 {
            let first = semaphore.acquire(1);
            let second = acquire(1);
            assert!(second.is_some() && acquire(1).is_none());
            drop((first, second));
        }
    }
}

/// Go: TestWeightedDoesntBlockIfTooBig (semaphore_test.go). Who asks for more than there are keeps nobody waiting.
#[waterway::test]
fn who_wants_too_much_is_in_nobodys_way() {
    const N: usize = 2;
    let _bound = bound();
    let semaphore = Semaphore::new(N);
    let greedy = semaphore.clone();
    let greedy = blocked("semaphore", move || greedy.acquire(N + 1).count());
    let group = WaitGroup::new();
    for _ in 0..3 * N {
        let semaphore = semaphore.clone();
        group.go(move || {
            let permit = semaphore
                .acquire_timeout(1, LONG)
                .expect("nobody is before");
            yield_now();
            drop(permit);
        });
    }
    group.wait();
    assert!(semaphore.try_acquire(2).is_some());
    // In Go it waits for the end of its context; here there may be as many one day.
    assert!(!greedy.is_finished());
    semaphore.add_permits(1);
    assert_eq!(greedy.join().unwrap(), N + 1);
    // And what was asked for may become too much.
    let (held, asks) = (semaphore.acquire(1), semaphore.clone());
    let asks = blocked("semaphore", move || {
        asks.acquire_timeout(N + 1, LONG).is_some()
    });
    assert!(semaphore.try_acquire(1).is_none(), "somebody is before");
    held.forget();
    assert!(semaphore.try_acquire(1).is_some(), "not any more");
    semaphore.add_permits(1);
    assert!(asks.join().unwrap());
}

/// Go: TestLargeAcquireDoesntStarve (semaphore_test.go). Who wants all gets them from those who come again and again.
#[waterway::test]
fn a_large_request_does_not_starve() {
    const N: usize = 4;
    let _bound = bound();
    let semaphore = Semaphore::new(N);
    let running = Arc::new(AtomicBool::new(true));
    let group = WaitGroup::new();
    for _ in 0..N {
        let mut permit = semaphore.acquire(1);
        let (semaphore, running) = (semaphore.clone(), running.clone());
        group.go(move || {
            while running.load(Ordering::SeqCst) {
                sleep(Duration::from_micros(100));
                drop(permit);
                permit = semaphore.acquire(1);
            }
        });
    }
    let all = semaphore.acquire(N);
    running.store(false, Ordering::SeqCst);
    drop(all);
    group.wait();
    assert_eq!(semaphore.available(), N);
}

/// Go: TestAllocCancelDoesntStarve (semaphore_test.go). Who waits behind one that gives up goes on.
#[waterway::test]
fn who_gives_up_lets_the_next_go_on() {
    let _bound = bound();
    let semaphore = Semaphore::new(10);
    let held = semaphore.acquire(1);
    let (ctx, guard) = Context::background().with_cancel();
    let asks = semaphore.clone();
    let gives_up = blocked("semaphore", move || ctx.acquire(&asks, 10).is_err());
    let small = semaphore.clone();
    let small = blocked("semaphore", move || {
        small.acquire_timeout(1, LONG).is_some()
    });
    guard.cancel();
    assert!(gives_up.join().unwrap());
    assert!(small.join().unwrap());
    drop(held);
}
