//! Go's `runtime/defer_test.go`, in goroutines: `defer!` for `defer`, `catch_unwind` and `join` for `recover`.

#![forbid(unsafe_code)]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::sync::{Arc, Mutex};

use waterway::{chan, defer, go, yield_now};
use waterway_conformance::bound;

/// What several write, in order. Never held across a park.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u32>>>);

impl Log {
    fn note(&self, n: u32) {
        self.0.lock().unwrap().push(n);
    }

    fn take(&self) -> Vec<u32> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn text(panic: Box<dyn Any + Send>) -> &'static str {
    panic.downcast_ref::<&'static str>().unwrap()
}

/// Go: TestUnconditionalPanic (defer_test.go).
#[waterway::test]
fn unconditional_panic() {
    let _bound = bound();
    let log = Log::default();
    let deferred = log.clone();
    let panics = go(move || {
        defer! { deferred.note(1) }
        panic!("unconditional");
    });
    assert_eq!(text(panics.join().unwrap_err()), "unconditional");
    assert_eq!(log.take(), [1]);
}

/// Go: TestOpenAndNonOpenDefers, TestNonOpenAndOpenDefers (defer_test.go). A panic inside a call is caught there; a later one
/// finds the deferred code that is still to run. In Go a `defer` in a loop runs at the end of the function; `defer!` runs at
/// the end of its turn, as it documents.
#[waterway::test]
fn panics_in_loops_and_calls() {
    let _bound = bound();
    let log = Log::default();
    let deferred = log.clone();
    let panics = go(move || {
        for turn in 0..3 {
            defer! { deferred.note(turn) }
            let inner = catch_unwind(|| panic!("in a call"));
            assert_eq!(text(inner.unwrap_err()), "in a call");
            if turn == 2 {
                panic!("in a loop");
            }
            deferred.note(10 + turn);
        }
    });
    assert_eq!(text(panics.join().unwrap_err()), "in a loop");
    assert_eq!(log.take(), [10, 0, 11, 1, 2]);
}

/// Go: TestConditionalDefers (defer_test.go). The same order for another reason: the inner ones run at the end of their
/// blocks, before the panic.
#[waterway::test]
fn conditional_defers() {
    fn conditional(n: u32, log: &Log) {
        defer! { log.note(1) }
        if n > 5 {
            defer! { log.note(2) }
            if n > 8 {
                defer! { log.note(3) }
            } else {
                defer! { log.note(4) }
            }
        }
        panic!("conditional");
    }
    let _bound = bound();
    let log = Log::default();
    let deferred = log.clone();
    let panics = go(move || conditional(8, &deferred));
    assert_eq!(text(panics.join().unwrap_err()), "conditional");
    assert_eq!(log.take(), [4, 2, 1]);
}

/// Go: TestDisappearingDefer (defer_test.go).
#[waterway::test]
fn a_defer_that_is_not_reached() {
    let _bound = bound();
    go(|| {
        if cfg!(target_os = "none") {
            defer! { unreachable!() }
        }
    })
    .join()
    .unwrap();
}

/// Go: TestAbortedPanic (defer_test.go). In a goroutine of its own a second panic while the first unwinds harms nobody, and
/// the first goes on.
#[waterway::test]
fn a_deferred_goroutine_may_panic() {
    let _bound = bound();
    let panics = go(|| {
        defer! { assert_eq!(text(go(|| panic!("second")).join().unwrap_err()), "second") }
        panic!("first");
    });
    assert_eq!(text(panics.join().unwrap_err()), "first");
}

/// Go: TestRecoverMatching (defer_test.go). What is caught is what was thrown inside, not what unwinds outside.
#[waterway::test]
fn catching_matches_throwing() {
    let _bound = bound();
    let panics = go(|| {
        defer! {
            assert!(catch_unwind(|| 7).is_ok());
            assert_eq!(text(catch_unwind(|| panic!("inner")).unwrap_err()), "inner");
        }
        panic!("outer");
    });
    assert_eq!(text(panics.join().unwrap_err()), "outer");
}

/// Go: TestNonSSAableArgs (defer_test.go). Go evaluates the arguments of a deferred call at once; `defer!` sees variables as
/// they are at the end, as it documents, and a clone keeps the value of now.
#[waterway::test]
fn deferred_code_sees_the_end() {
    let _bound = bound();
    let log = Log::default();
    let deferred = log.clone();
    go(move || {
        let big = std::cell::Cell::new([5_u32; 128]);
        let now = big.get();
        defer! { deferred.note(big.get()[4]); deferred.note(now[4]) }
        big.set([6; 128]);
    })
    .join()
    .unwrap();
    assert_eq!(log.take(), [6, 5]);
}

/// Go: TestDeferForFuncWithNoExit (defer_test.go). The function has no end, and its stack is deep in between.
#[waterway::test]
fn a_function_without_end() {
    #[inline(never)]
    fn deep(n: usize) -> usize {
        let frame = std::hint::black_box([n; 64]);
        if n == 0 {
            frame[0]
        } else {
            deep(n - 1) + frame[n % 64]
        }
    }
    let _bound = bound();
    let log = Log::default();
    let deferred = log.clone();
    let panics = go(move || -> () {
        let condition = std::cell::Cell::new(1);
        defer! { deferred.note(condition.get()) }
        loop {
            std::hint::black_box(deep(200));
            yield_now();
            condition.set(condition.get() + 1);
            if condition.get() == 2 {
                panic!("from within");
            }
        }
    });
    assert_eq!(text(panics.join().unwrap_err()), "from within");
    assert_eq!(log.take(), [2]);
}

/// Throws `catcher` at the innermost of `depth` calls; each throws it on until the one of that number catches it. Every level
/// parks on its way out.
fn interpreter(level: usize, depth: usize, catcher: usize) {
    let result = catch_unwind(|| {
        defer! { yield_now() }
        if level + 1 < depth {
            interpreter(level + 1, depth, catcher);
        } else {
            panic_any(catcher);
        }
    });
    if let Err(panic) = result {
        match panic.downcast_ref::<usize>() {
            Some(number) if *number == level => {}
            _ => resume_unwind(panic),
        }
    }
}

/// Go: TestDeferWithRepeatedRepanics, TestIssue37688 (defer_test.go).
#[waterway::test]
fn repeated_repanics() {
    let _bound = bound();
    let all =
        [(6, 2), (5, 1), (6, 3)].map(|(depth, catcher)| go(move || interpreter(0, depth, catcher)));
    all.into_iter().for_each(|g| g.join().unwrap());
    let missed = go(|| interpreter(0, 4, 9)).join().unwrap_err();
    assert_eq!(missed.downcast_ref(), Some(&9_usize));
}

/// Go: TestIssue43921, TestIssue43920, TestIssue43941 (defer_test.go). Panics nested in deferred code, each caught where it
/// belongs; here with a park between throwing and catching, while siblings do the same.
#[waterway::test]
fn nested_panics_while_siblings_panic_too() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    for own in 0..8_u32 {
        let tx = tx.clone();
        go(move || {
            let outer = catch_unwind(AssertUnwindSafe(|| {
                defer! {
                    yield_now();
                    let inner = catch_unwind(|| {
                        defer! { yield_now() }
                        panic_any(own * 10);
                    });
                    tx.send(*inner.unwrap_err().downcast_ref::<u32>().unwrap()).unwrap();
                }
                panic_any(own);
            }));
            tx.send(*outer.unwrap_err().downcast_ref::<u32>().unwrap())
                .unwrap();
        });
    }
    drop(tx);
    let mut caught: Vec<u32> = rx.iter().collect();
    caught.sort();
    let mut thrown: Vec<u32> = (0..8).flat_map(|own| [own, own * 10]).collect();
    thrown.sort();
    assert_eq!(caught, thrown);
}

/// Go: TestGoexitDefer (crash_test.go). What is deferred runs at the end of a goroutine, however it ends. There is no
/// `Goexit`; a panic that is no error, thrown without a message, is the nearest.
#[waterway::test]
fn deferred_code_runs_at_an_early_end() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    go(move || {
        defer! { tx.send(()).unwrap() }
        resume_unwind(Box::new("exit"));
    });
    assert_eq!(rx.recv(), Ok(()));
}
