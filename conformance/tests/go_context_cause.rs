//! Go's `context/x_test.go`: causes, and functions that run after the end.

#![forbid(unsafe_code)]

use std::time::Duration;

use waterway::{Context, ContextError, chan, go, select, yield_now};
use waterway_conformance::{LONG, bound};

const SHORT: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::from_secs(1_000_000);

/// Go: TestWithCancelCanceledParent (x_test.go).
#[waterway::test]
fn a_child_of_who_has_ended() {
    let _bound = bound();
    let (parent, guard) = Context::background().with_cancel_cause();
    guard.cancel("Because!");
    let (child, _guard) = parent.with_cancel();
    assert!(child.done().try_recv().unwrap_err().is_disconnected());
    assert_eq!(child.err(), Some(ContextError::Canceled));
    assert_eq!(child.cause().unwrap().to_string(), "Because!");
}

/// Go: TestWithCancelSimultaneouslyCanceledParent (x_test.go).
#[waterway::test]
fn a_child_of_who_is_just_ending() {
    let _bound = bound();
    for _ in 0..100 {
        let (parent, guard) = Context::background().with_cancel_cause();
        let canceller = go(move || guard.cancel("Because!"));
        let (child, _guard) = parent.with_cancel();
        child.done().recv().unwrap_err();
        assert_eq!(child.err(), Some(ContextError::Canceled));
        assert_eq!(child.cause().unwrap().to_string(), "Because!");
        canceller.join().unwrap();
    }
}

fn check(ctx: &Context, error: Option<ContextError>, cause: Option<&str>) {
    assert_eq!(ctx.err(), error);
    let found = ctx.cause().map(|cause| cause.to_string());
    assert_eq!(found.as_deref(), cause);
}

/// Go: TestCause (x_test.go), the cases of one context.
#[waterway::test]
fn the_cause_of_one() {
    let _bound = bound();
    let root = Context::background();
    let (cancelled, late) = (ContextError::Canceled, ContextError::DeadlineExceeded);
    check(&root, None, None);
    let (ctx, guard) = root.with_cancel();
    guard.cancel();
    check(&ctx, Some(cancelled), Some("context canceled"));
    let (ctx, guard) = root.with_cancel_cause();
    guard.cancel("parentCause");
    check(&ctx, Some(cancelled), Some("parentCause"));
    let (ctx, guard) = root.with_cancel_cause();
    drop(guard);
    check(&ctx, Some(cancelled), Some("context canceled"));
    let (ctx, guard) = root.with_timeout(Duration::ZERO);
    guard.cancel();
    check(&ctx, Some(late), Some("context deadline exceeded"));
    let (ctx, guard) = root.with_timeout(FOR_EVER);
    guard.cancel();
    check(&ctx, Some(cancelled), Some("context canceled"));
    let (ctx, guard) = root.with_timeout_cause(Duration::ZERO, "tooSlow");
    guard.cancel();
    check(&ctx, Some(late), Some("tooSlow"));
    let (ctx, guard) = root.with_timeout_cause(FOR_EVER, "tooSlow");
    guard.cancel();
    check(&ctx, Some(cancelled), Some("context canceled"));
}

/// Go: TestCause (x_test.go), the cases of parent and child.
#[waterway::test]
fn the_cause_of_two() {
    let _bound = bound();
    let root = Context::background();
    let (cancelled, late) = (ContextError::Canceled, ContextError::DeadlineExceeded);
    for (parent_first, cause) in [(true, "parentCause"), (false, "childCause")] {
        let (parent, end_parent) = root.with_cancel_cause();
        let (child, end_child) = parent.with_cancel_cause();
        if parent_first {
            end_parent.cancel("parentCause");
        }
        end_child.cancel("childCause");
        end_parent.cancel("parentCause");
        check(&child, Some(cancelled), Some(cause));
    }
    for (parent_first, cause) in [(true, "parentCause"), (false, "context canceled")] {
        let (parent, end_parent) = root.with_cancel_cause();
        let (child, end_child) = parent.with_cancel();
        if parent_first {
            end_parent.cancel("parentCause");
        }
        end_child.cancel();
        end_parent.cancel("parentCause");
        check(&child, Some(cancelled), Some(cause));
    }
    for (parent_first, cause) in [(true, "context canceled"), (false, "childCause")] {
        let (parent, end_parent) = root.with_cancel();
        let (child, end_child) = parent.with_cancel_cause();
        if parent_first {
            end_parent.cancel();
        }
        end_child.cancel("childCause");
        end_parent.cancel();
        check(&child, Some(cancelled), Some(cause));
    }
    let (parent, guard) = root.with_cancel_cause();
    let (child, _child) = parent.with_timeout_cause(Duration::ZERO, "tooSlow");
    guard.cancel("finishedEarly");
    check(&child, Some(late), Some("tooSlow"));
    let (parent, guard) = root.with_cancel_cause();
    let (child, _child) = parent.with_timeout_cause(FOR_EVER, "tooSlow");
    guard.cancel("finishedEarly");
    check(&child, Some(cancelled), Some("finishedEarly"));
}

/// Go: TestCause (x_test.go), the cases of `WithoutCancel`.
#[waterway::test]
fn the_cause_without_cancel() {
    let _bound = bound();
    let root = Context::background();
    check(&root.without_cancel(), None, None);
    let (ctx, guard) = root.with_cancel_cause();
    let rest = ctx.without_cancel();
    guard.cancel("finishedEarly");
    check(&rest, None, None);
    let (ctx, _guard) = root.with_timeout_cause(Duration::ZERO, "tooSlow");
    check(&ctx.without_cancel(), None, None);
}

/// Go: TestCauseRace (x_test.go).
#[waterway::test]
fn a_cause_is_seen_whole() {
    let _bound = bound();
    let (ctx, guard) = Context::background().with_cancel_cause();
    let canceller = go(move || guard.cancel("TestCauseRace"));
    let cause = loop {
        match ctx.cause() {
            Some(cause) => break cause,
            None => yield_now(),
        }
    };
    assert_eq!(cause.to_string(), "TestCauseRace");
    canceller.join().unwrap();
}

/// Go: TestAfterFuncCalledAfterCancel (x_test.go).
#[waterway::test]
fn called_after_the_cancel() {
    let _bound = bound();
    let (ctx, guard) = Context::background().with_cancel();
    let (tx, rx) = chan::<()>(0);
    let after = ctx.after_func(move || tx.close());
    select! {
        recv(rx) -> _ => panic!("called before the context is done"),
        default(SHORT) => {}
    }
    guard.cancel();
    rx.recv().unwrap_err();
    assert!(!after.stop());
}

/// Go: TestAfterFuncCalledAfterTimeout (x_test.go).
#[waterway::test]
fn called_after_the_timeout() {
    let _bound = bound();
    let (ctx, _guard) = Context::background().with_timeout(SHORT);
    let (tx, rx) = chan::<()>(0);
    ctx.after_func(move || tx.close());
    rx.recv().unwrap_err();
}

/// Go: TestAfterFuncCalledImmediately (x_test.go).
#[waterway::test]
fn called_at_once() {
    let _bound = bound();
    let (ctx, guard) = Context::background().with_cancel();
    guard.cancel();
    let (tx, rx) = chan::<()>(0);
    assert!(!ctx.after_func(move || tx.close()).stop());
    rx.recv().unwrap_err();
}

/// Go: TestAfterFuncNotCalledAfterStop (x_test.go).
#[waterway::test]
fn not_called_after_stop() {
    let _bound = bound();
    let (ctx, guard) = Context::background().with_cancel();
    let (tx, rx) = chan::<()>(1);
    let after = ctx.after_func({
        let tx = tx.clone();
        move || tx.send(()).unwrap()
    });
    assert!(after.stop());
    guard.cancel();
    assert!(rx.recv_timeout(SHORT).unwrap_err().is_timeout());
    assert!(!after.stop());
    drop(tx);
}

/// Go: TestAfterFuncCalledAsynchronously (x_test.go). `cancel` does not wait for the function, which waits for us.
#[waterway::test]
fn called_beside_the_cancel() {
    let _bound = bound();
    let (ctx, guard) = Context::background().with_cancel();
    let (tx, rx) = chan(0);
    let _after = ctx.after_func(move || tx.send(()).unwrap());
    guard.cancel();
    rx.recv_timeout(LONG).unwrap();
}
