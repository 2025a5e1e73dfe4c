//! What the tests of `golang.org/x/sync/errgroup` ask, by what is published of them.

#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use waterway::group::ErrGroup;
use waterway::sync::Mutex;
use waterway::{Context, ContextError, chan, time};
use waterway_conformance::{Crew, bound, members};

/// Go: TestZeroGroup (errgroup_test.go). Of several errors, one after the other, the first is given. `wait` takes the group
/// here, so each length is a group of its own.
#[waterway::test]
fn the_first_error_is_given() {
    let _bound = bound();
    let cases: [&[Option<i32>]; 7] = [
        &[],
        &[None],
        &[Some(1)],
        &[Some(1), None],
        &[Some(1), None, Some(2)],
        &[None, None, Some(2)],
        &[None, Some(1), Some(2)],
    ];
    for errors in cases {
        for length in 0..=errors.len() {
            let group = ErrGroup::new();
            // One at a time, so that there is a first.
            group.set_limit(Some(1));
            for error in errors[..length].iter().copied() {
                group.go(move || error.map_or(Ok(()), Err));
            }
            let first = errors[..length].iter().find_map(|error| *error);
            assert_eq!(group.wait(), first.map_or(Ok(()), Err));
        }
    }
}

/// Go: TestWithContext (errgroup_test.go). The context has ended when `wait` returns, whatever came of the group.
#[waterway::test]
fn the_context_ends_with_the_group() {
    let _bound = bound();
    for errors in [
        &[] as &[Option<&str>],
        &[None],
        &[Some("one")],
        &[Some("one"), None],
    ] {
        let (group, ctx) = ErrGroup::with_context(&Context::background());
        for error in errors.iter().copied() {
            group.go(move || error.map_or(Ok(()), Err));
        }
        let wanted = errors.iter().find_map(|error| *error);
        assert_eq!(group.wait(), wanted.map_or(Ok(()), Err));
        assert!(ctx.done().try_recv().unwrap_err().is_disconnected());
        assert_eq!(ctx.err(), Some(ContextError::Canceled));
    }
}

/// Go: TestCancelCause (errgroup_test.go). The error ends the context while others run. It is given by `wait`, not as the
/// context's cause.
#[waterway::test]
fn an_error_ends_the_context_at_once() {
    let _bound = bound();
    let (group, ctx) = ErrGroup::with_context(&Context::background());
    let inner = ctx.clone();
    group.go(move || {
        inner.done().recv().unwrap_err();
        Err("late")
    });
    group.go(|| Err("first"));
    ctx.done().recv().unwrap_err();
    assert_eq!(group.wait(), Err("first"));
    assert_eq!(ctx.cause().unwrap().to_string(), "context canceled");
}

/// Go: TestTryGo (errgroup_test.go).
#[waterway::test]
fn try_go_keeps_the_limit() {
    let _bound = bound();
    const LIMIT: usize = 42;
    let group = ErrGroup::<()>::new();
    group.set_limit(Some(LIMIT));
    let (tx, rx) = chan::<()>(0);
    let started = || {
        let rx = rx.clone();
        group
            .try_go(move || {
                rx.recv().unwrap();
                Ok(())
            })
            .is_ok()
    };
    assert!((0..LIMIT).all(|_| started()));
    assert!(!started(), "one more than the limit");
    (0..LIMIT).for_each(|_| tx.send(()).unwrap());
    group.wait().unwrap();

    let group = ErrGroup::<()>::new();
    group.set_limit(Some(1));
    assert!(group.try_go(|| Ok(())).is_ok());
    // The place is free again when it has run.
    while group.try_go(|| Ok(())).is_err() {
        waterway::yield_now();
    }
    group.wait().unwrap();

    let group = ErrGroup::<()>::new();
    group.set_limit(Some(0));
    assert!(group.try_go(|| Ok(())).is_err());
    group.set_limit(None);
    assert!((0..100).all(|_| group.try_go(|| Ok(())).is_ok()));
    group.wait().unwrap();
}

/// Go: TestGoLimit (errgroup_test.go).
#[waterway::test]
fn go_keeps_the_limit() {
    let _bound = bound();
    const LIMIT: usize = 10;
    let group = ErrGroup::new();
    group.set_limit(Some(LIMIT));
    let active = Arc::new(AtomicUsize::new(0));
    for n in 0..=1024u64 {
        let active = active.clone();
        group.go(move || {
            let now = active.fetch_add(1, Ordering::SeqCst) + 1;
            if now > LIMIT {
                return Err(format!("{now} are active"));
            }
            if n % 16 == 0 {
                time::sleep(Duration::from_micros(n % 7));
            } else {
                waterway::yield_now();
            }
            active.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        });
    }
    assert_eq!(group.wait(), Ok(()));
}

/// Go: the panic in `SetLimit` (errgroup.go): a limit is not changed while goroutines of the group run.
#[waterway::test]
fn the_limit_is_not_changed_later() {
    let _bound = bound();
    let group = ErrGroup::<()>::new();
    group.set_limit(Some(2));
    let (tx, rx) = chan::<()>(0);
    group.go(move || {
        let _ = rx.recv();
        Ok(())
    });
    let panic = catch_unwind(AssertUnwindSafe(|| group.set_limit(Some(3)))).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("while 1 of its goroutines run"), "{text}");
    drop(tx);
    group.wait().unwrap();
}

/// Go: ExampleGroup_justErrors, ExampleGroup_parallel, ExampleGroup_pipeline (errgroup_example_md5all_test.go and others). A
/// pipeline of stages in one group, from plain threads as well.
#[test]
fn a_pipeline_in_one_group() {
    let _bound = bound();
    let sums = Mutex::new(vec![]);
    let run = || {
        let (group, ctx) = ErrGroup::<ContextError>::with_context(&Context::background());
        let (numbers, source) = chan(0);
        let (squares, results) = chan(0);
        let stage = ctx.clone();
        group.go(move || {
            for n in 1..=50u64 {
                stage
                    .send(&numbers, n)
                    .map_err(|error| error.ended().unwrap())?;
            }
            Ok(())
        });
        for _ in 0..4 {
            let (ctx, source, squares) = (ctx.clone(), source.clone(), squares.clone());
            group.go(move || {
                while let Ok(n) = ctx.recv(&source) {
                    ctx.send(&squares, n * n)
                        .map_err(|error| error.ended().unwrap())?;
                }
                Ok(())
            });
        }
        drop((source, squares));
        sums.lock().push(results.iter().sum::<u64>());
        group.wait().unwrap();
    };
    Crew::Mixed.run(members![run, run]);
    assert_eq!(*sums.lock(), [42925, 42925]);
}
