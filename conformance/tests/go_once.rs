//! Go's `sync/once_test.go`, `oncefunc_test.go` and `pool_test.go`.

#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use waterway::sync::{LazyLock, Once, Pool, WaitGroup};
use waterway::{chan, go, scope, yield_now};
use waterway_conformance::bound;

/// Go: TestOnce (once_test.go). All see the one call done.
#[waterway::test]
fn once() {
    const N: usize = 10;
    let _bound = bound();
    let once = Arc::new((Once::new(), AtomicUsize::new(0)));
    let (done, finished) = chan(0);
    for _ in 0..N {
        let (once, done) = (once.clone(), done.clone());
        go(move || {
            once.0.call_once(|| {
                yield_now();
                once.1.fetch_add(1, Ordering::SeqCst);
            });
            done.send(once.1.load(Ordering::SeqCst)).unwrap();
        });
    }
    assert!(finished.iter().take(N).all(|seen| seen == 1));
    assert_eq!(once.1.load(Ordering::SeqCst), 1);
}

/// Go: TestOncePanic (once_test.go). There the call counts as made; here it does not, as with std's `OnceLock`.
#[waterway::test]
fn a_call_that_panics_is_made_again() {
    let _bound = bound();
    let once = Once::new();
    let failing = AssertUnwindSafe(|| once.call_once(|| resume_unwind(Box::new("failed"))));
    let payload = catch_unwind(failing).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"failed"));
    assert!(!once.is_completed());
    let mut calls = 0;
    once.call_once(|| calls += 1);
    once.call_once(|| calls += 1);
    assert_eq!(calls, 1);
}

/// Go: TestOnceFunc, TestOnceValue, TestOnceValues (oncefunc_test.go).
#[waterway::test]
fn a_value_is_made_once() {
    let _bound = bound();
    let calls = AtomicUsize::new(0);
    let both = LazyLock::new(|| {
        let n = calls.fetch_add(1, Ordering::SeqCst);
        (n + 1, n + 2)
    });
    scope(|s| {
        for _ in 0..10 {
            s.go(|| assert_eq!(*both, (1, 2)));
        }
    });
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// Go: TestOnceFuncPanic, TestOnceValuePanic, TestOnceValuesPanic, TestOnceFuncPanicNil, TestOnceFuncGoexit and
/// TestOnceFuncPanicTraceback (oncefunc_test.go). Each use panics, and the function is called once. The first panic is the
/// function's own; the others say that it panicked before.
#[waterway::test]
fn a_value_that_could_not_be_made_panics_for_all() {
    let _bound = bound();
    let calls = AtomicUsize::new(0);
    let value: LazyLock<(), _> = LazyLock::new(|| {
        calls.fetch_add(1, Ordering::SeqCst);
        resume_unwind(Box::new("x"))
    });
    let first = catch_unwind(AssertUnwindSafe(|| *value)).unwrap_err();
    assert_eq!(first.downcast_ref(), Some(&"x"));
    let second = catch_unwind(AssertUnwindSafe(|| *value)).unwrap_err();
    let text = second.downcast_ref::<String>().unwrap();
    assert!(text.contains("panicked before"), "{text}");
    scope(|s| {
        s.go(|| *value).join().unwrap_err();
    });
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// Go: TestOnceXGC (oncefunc_test.go). What the function holds is dropped after its call, be it a panic.
#[waterway::test]
fn what_a_function_holds_goes_with_its_call() {
    let _bound = bound();
    let held = Arc::new(());
    let own = held.clone();
    let value = LazyLock::new(move || Arc::strong_count(&own));
    assert_eq!(Arc::strong_count(&held), 2, "not too early");
    assert_eq!(*value, 2);
    assert_eq!(Arc::strong_count(&held), 1);
    let own = held.clone();
    let fails = LazyLock::new(move || {
        let _own = own;
        resume_unwind(Box::new(()))
    });
    let force = AssertUnwindSafe(|| {
        let (): &() = &fails;
    });
    catch_unwind(force).unwrap_err();
    assert_eq!(Arc::strong_count(&held), 1);
}

/// Go: TestPool and TestPoolNew (pool_test.go). What was put in comes out; else a new one is made.
#[waterway::test]
fn a_pool() {
    let _bound = bound();
    let made = AtomicUsize::new(0);
    let pool = Pool::new(|| made.fetch_add(1, Ordering::SeqCst) + 1).max_idle(1600);
    let (first, second) = (pool.take(), pool.take());
    assert_eq!((*first, *second), (1, 2));
    drop(second);
    drop(first);
    // A goroutine stays on its worker, whose items these are.
    let (a, b, new) = (pool.take(), pool.take(), pool.take());
    assert_eq!(
        (*a, *b, *new),
        (1, 2, 3),
        "the last that was put in comes first"
    );
    drop((a, b, new));
    assert_eq!(pool.idle(), 3);
}

/// Go: TestPoolGC and TestPoolRelease (pool_test.go). What a pool keeps is limited, and goes with it.
#[waterway::test]
fn a_pool_lets_go() {
    const N: usize = 100;
    let _bound = bound();
    let alive = Arc::new(());
    let pool = Pool::new(|| alive.clone()).max_idle(16);
    let all: Vec<_> = (0..N).map(|_| pool.take()).collect();
    assert_eq!(Arc::strong_count(&alive), N + 1);
    drop(all);
    assert!(Arc::strong_count(&alive) <= 16 + 1);
    drop(pool);
    assert_eq!(Arc::strong_count(&alive), 1);
}

/// Go: TestPoolStress (pool_test.go). Nobody has what another has.
#[waterway::test]
fn many_share_a_pool() {
    const P: usize = 10;
    let _bound = bound();
    let pool = Arc::new(Pool::new(|| AtomicUsize::new(0)));
    let group = WaitGroup::new();
    for _ in 0..P {
        let pool = pool.clone();
        group.go(move || {
            for n in 0..1000 {
                let item = pool.take();
                assert_eq!(item.fetch_add(1, Ordering::SeqCst), 0, "it is one's own");
                if n % 100 == 0 {
                    yield_now();
                }
                item.store(0, Ordering::SeqCst);
            }
        });
    }
    group.wait();
    assert!(pool.idle() <= P);
}
