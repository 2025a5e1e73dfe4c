//! Go's `context/context_test.go` and `context/x_test.go`: trees of contexts, deadlines, values. Causes and functions after
//! the end stand in `go_context_cause.rs`.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use waterway::group::ErrGroup;
use waterway::sync::WaitGroup;
use waterway::{
    CancelGuard, Context, ContextError, Receiver, go, num_goroutines, select, yield_now,
};
use waterway_conformance::{LONG, bound, until};

const SHORT: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::from_secs(3600 * 1000);

/// True if the context has ended, as its channel tells.
fn is_done(ctx: &Context) -> bool {
    select! { recv(ctx.done()) -> closed => closed.is_err(), default => false }
}

fn ended(ctx: &Context, how: ContextError) {
    assert!(is_done(ctx), "{ctx:?}");
    assert_eq!(ctx.err(), Some(how));
}

fn live(ctx: &Context) {
    assert!(!is_done(ctx), "{ctx:?}");
    assert_eq!(ctx.err(), None);
}

/// So many hear of the end of the context.
#[track_caller]
fn has_dependents(ctx: &Context, n: usize) {
    let text = format!("{ctx:?}");
    assert!(text.ends_with(&format!("dependents: {n} }}")), "{text}");
}

/// Go: TestParentFinishesChild (context_test.go).
#[waterway::test]
fn a_parent_finishes_its_children() {
    let _bound = bound();
    let (parent, guard) = Context::background().with_cancel();
    let (cancel_child, _stop) = parent.with_cancel();
    let value_child = parent.with_value("value");
    let (timer_child, _stop) = value_child.with_timeout(FOR_EVER);
    let after = parent.after_func(|| ());
    let all = [&parent, &cancel_child, &value_child, &timer_child];
    all.into_iter().for_each(live);
    has_dependents(&parent, 3);
    guard.cancel();
    has_dependents(&parent, 0);
    for ctx in all {
        ended(ctx, ContextError::Canceled);
    }
    assert!(!after.stop());
    ended(&parent.with_value("value"), ContextError::Canceled);
    ended(&parent.with_cancel().0, ContextError::Canceled);
}

/// Go: TestChildFinishesFirst (context_test.go).
#[waterway::test]
fn a_child_finishes_first() {
    let _bound = bound();
    let (cancellable, _stop) = Context::background().with_cancel();
    for (parent, known) in [(Context::background(), 0), (cancellable, 1)] {
        let (child, guard) = parent.with_cancel();
        live(&parent);
        live(&child);
        has_dependents(&parent, known);
        guard.cancel();
        has_dependents(&parent, 0);
        ended(&child, ContextError::Canceled);
        live(&parent);
    }
}

/// Go: TestCancelRemoves (context_test.go).
#[waterway::test]
fn a_cancel_removes_the_child() {
    let _bound = bound();
    let (ctx, _guard) = Context::background().with_cancel();
    has_dependents(&ctx, 0);
    let (_child, guard) = ctx.with_cancel();
    has_dependents(&ctx, 1);
    guard.cancel();
    has_dependents(&ctx, 0);
    let (_child, guard) = ctx.with_timeout(Duration::from_secs(3600));
    has_dependents(&ctx, 1);
    guard.cancel();
    has_dependents(&ctx, 0);
    let after = ctx.after_func(|| ());
    has_dependents(&ctx, 1);
    after.stop();
    has_dependents(&ctx, 0);
}

/// Go: TestCustomContextGoroutines (x_test.go), with our own contexts alone: none needs a goroutine to hear of another's end.
#[waterway::test]
fn contexts_need_no_goroutines() {
    let _bound = bound();
    let before = num_goroutines();
    let (one, guard) = Context::background().with_cancel();
    let (two, _two) = one.with_value(2).with_cancel();
    let (three, _three) = two.with_timeout(FOR_EVER);
    let _done = three.done();
    let (four, stop) = three.with_cancel();
    stop.cancel();
    let (_five, _guard_of_five) = four.with_timeout(FOR_EVER);
    guard.cancel();
    let (_six, _guard_of_six) = three.with_cancel();
    assert_eq!(num_goroutines(), before);
}

/// Go: TestBackground, TestTODO (x_test.go).
#[waterway::test]
fn the_background_never_ends() {
    let _bound = bound();
    live(&Context::background());
    assert_eq!(Context::background().deadline(), None);
}

/// Go: TestWithCancel (x_test.go). The end shows in all of them when `cancel` returns.
#[waterway::test]
fn a_cancel_is_told_at_once() {
    let _bound = bound();
    let (one, guard) = Context::background().with_cancel();
    let (two, _two) = one.with_value(1).with_cancel();
    live(&one);
    live(&two);
    guard.cancel();
    ended(&one, ContextError::Canceled);
    ended(&two, ContextError::Canceled);
}

/// Waits until the context has ended by its deadline.
fn times_out(ctx: Context) {
    select! {
        recv(ctx.done()) -> _ => ended(&ctx, ContextError::DeadlineExceeded),
        default(LONG) => panic!("not timed out: {ctx:?}"),
    }
}

/// Go: TestDeadline (x_test.go).
#[waterway::test]
fn deadlines_pass() {
    let _bound = bound();
    let root = Context::background();
    let soon = || Instant::now() + SHORT;
    let (ctx, _guard) = root.with_deadline(soon());
    times_out(ctx);
    let (ctx, _guard) = root.with_deadline(soon());
    times_out(ctx.with_value("other"));
    let (ctx, _guard) = root.with_deadline(soon());
    let (below, _below) = ctx.with_deadline(Instant::now() + FOR_EVER);
    times_out(below);
    let past = Instant::now();
    let (ctx, _guard) = root.with_deadline(past - SHORT.min(past.elapsed()));
    times_out(ctx);
    let (ctx, _guard) = root.with_deadline(Instant::now());
    times_out(ctx);
}

/// Go: TestTimeout (x_test.go).
#[waterway::test]
fn timeouts_pass() {
    let _bound = bound();
    let (ctx, _guard) = Context::background().with_timeout(SHORT);
    times_out(ctx);
    let (ctx, _guard) = Context::background().with_timeout(SHORT);
    times_out(ctx.with_value("other"));
    let (ctx, _guard) = Context::background().with_timeout(SHORT);
    let (below, _below) = ctx.with_timeout(FOR_EVER);
    times_out(below);
}

/// Go: TestCanceledTimeout (x_test.go).
#[waterway::test]
fn a_timeout_may_be_cancelled() {
    let _bound = bound();
    let (above, _above) = Context::background().with_timeout(LONG);
    let (ctx, guard) = above.with_timeout(FOR_EVER);
    guard.cancel();
    ended(&ctx, ContextError::Canceled);
    live(&above);
}

/// Go: TestValues (x_test.go). Types are the keys here; `None` in a type of its own hides what is below.
#[waterway::test]
fn values_by_type() {
    let _bound = bound();
    #[derive(Debug, PartialEq)]
    struct K1(Option<&'static str>);
    #[derive(Debug, PartialEq)]
    struct K2(&'static str);
    #[derive(Debug, PartialEq)]
    struct K3(&'static str);
    let check = |ctx: &Context, one: &str, two: &str, three: &str| {
        assert_eq!(ctx.value::<K1>().and_then(|k| k.0).unwrap_or(""), one);
        assert_eq!(ctx.value::<K2>().map_or("", |k| k.0), two);
        assert_eq!(ctx.value::<K3>().map_or("", |k| k.0), three);
    };
    let c0 = Context::background();
    check(&c0, "", "", "");
    let c1 = c0.with_value(K1(Some("c1k1")));
    check(&c1, "c1k1", "", "");
    let (c2, _guard) = c1.with_value(K2("c2k2")).with_cancel();
    check(&c2, "c1k1", "c2k2", "");
    let c3 = c2.with_value(K3("c3k3"));
    check(&c3, "c1k1", "c2k2", "c3k3");
    let c4 = c3.with_value(K1(None));
    check(&c4, "", "c2k2", "c3k3");
    check(&c3, "c1k1", "c2k2", "c3k3");
    check(&c3.with_value(K2("again")), "c1k1", "again", "c3k3");
}

/// Go: TestSimultaneousCancels (x_test.go). A tree of 101 contexts, each cancelled by a goroutine of its own.
#[waterway::test]
fn simultaneous_cancels() {
    let _bound = bound();
    let mut all: Vec<(Context, CancelGuard)> = vec![Context::background().with_cancel()];
    let mut next = 0;
    while all.len() < 100 {
        for _ in 0..4 {
            let child = all[next].0.with_cancel();
            all.push(child);
        }
        next += 1;
    }
    let cancelled = WaitGroup::new();
    let (contexts, guards): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    for guard in guards {
        cancelled.go(move || guard.cancel());
    }
    for ctx in contexts {
        select! {
            recv(ctx.done()) -> _ => assert!(ctx.err().is_some()),
            default(LONG) => panic!("not done: {ctx:?}"),
        }
    }
    cancelled.wait();
}

/// Go: TestInterlockedCancels (x_test.go). Who hears that the parent has ended cancels the child.
#[waterway::test]
fn interlocked_cancels() {
    let _bound = bound();
    let (parent, cancel_parent) = Context::background().with_cancel();
    let (child, cancel_child) = parent.with_cancel();
    let hears = go(move || {
        parent.done().recv().unwrap_err();
        cancel_child.cancel();
    });
    cancel_parent.cancel();
    child.done().recv().unwrap_err();
    hears.join().unwrap();
}

/// Layers of values, cancels and time-outs, in an order that differs with the seed.
fn layers(mut seed: u64, timeout: Duration) -> (Context, Vec<CancelGuard>, impl Fn(&Context)) {
    struct Value<const N: usize>(u64);
    let mut ctx = Context::background();
    let mut guards = vec![];
    let mut values = [None; 4];
    for n in 0..40 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(n);
        match (seed >> 40) % 3 {
            0 => {
                let at = (seed >> 50) as usize % 4;
                values[at] = Some(seed);
                ctx = match at {
                    0 => ctx.with_value(Value::<0>(seed)),
                    1 => ctx.with_value(Value::<1>(seed)),
                    2 => ctx.with_value(Value::<2>(seed)),
                    _ => ctx.with_value(Value::<3>(seed)),
                };
            }
            kind => {
                let (next, guard) = match kind {
                    1 => ctx.with_cancel(),
                    _ => ctx.with_timeout(timeout),
                };
                (ctx, _) = (next, guards.push(guard));
            }
        }
    }
    let (next, guard) = ctx.with_timeout(timeout);
    guards.push(guard);
    let check = move |ctx: &Context| {
        assert_eq!(ctx.value::<Value<0>>().map(|v| v.0), values[0]);
        assert_eq!(ctx.value::<Value<1>>().map(|v| v.0), values[1]);
        assert_eq!(ctx.value::<Value<2>>().map(|v| v.0), values[2]);
        assert_eq!(ctx.value::<Value<3>>().map(|v| v.0), values[3]);
    };
    (next, guards, check)
}

/// Go: TestLayersCancel (x_test.go).
#[waterway::test]
fn layers_are_cancelled() {
    let _bound = bound();
    for seed in 0..50 {
        let (ctx, guards, check) = layers(seed, FOR_EVER);
        live(&ctx);
        check(&ctx);
        guards[seed as usize % guards.len()].cancel();
        ended(&ctx, ContextError::Canceled);
        check(&ctx);
    }
}

/// Go: TestLayersTimeout (x_test.go).
#[waterway::test]
fn layers_time_out() {
    let _bound = bound();
    for seed in 0..50 {
        let (ctx, _guards, check) = layers(seed, SHORT);
        check(&ctx);
        times_out(ctx.clone());
        check(&ctx);
    }
}

/// Go: TestDeadlineExceededSupportsTimeout (x_test.go), TestDeadlineExceededIsNetError (net_test.go).
#[waterway::test]
fn a_deadline_is_a_timeout() {
    let _bound = bound();
    assert!(ContextError::DeadlineExceeded.is_timeout());
    assert!(!ContextError::Canceled.is_timeout());
    let error: Box<dyn std::error::Error + Send + Sync> = ContextError::DeadlineExceeded.into();
    assert_eq!(error.to_string(), "context deadline exceeded");
}

/// Go: TestWithoutCancel (x_test.go).
#[waterway::test]
fn without_cancel_there_is_no_end() {
    let _bound = bound();
    let (ctx, guard) = Context::background()
        .with_value("value")
        .with_timeout(FOR_EVER);
    let rest = ctx.without_cancel();
    guard.cancel();
    assert_eq!(rest.deadline(), None);
    live(&rest);
    assert_eq!(rest.value(), Some(&"value"));
}

/// Go: TestContextErrDoneRace (x_test.go, issue 75533). Whoever sees the error finds the channel closed that he had before.
#[waterway::test]
fn who_sees_the_error_sees_the_channel_closed() {
    let _bound = bound();
    for _ in 0..500 {
        let (ctx, guard) = Context::background().with_cancel();
        let done: Receiver<()> = ctx.done();
        let canceller = std::thread::spawn(move || guard.cancel());
        while ctx.err().is_none() {
            std::hint::spin_loop();
        }
        assert!(done.try_recv().unwrap_err().is_disconnected());
        canceller.join().unwrap();
    }
}

/// Go: ExampleWithCancel, ExampleWithDeadline, ExampleWithTimeout, ExampleWithValue (example_test.go). A generator ends with
/// its context, and nobody leaks.
#[waterway::test]
fn a_generator_ends_with_its_context() {
    let _bound = bound();
    let before = num_goroutines();
    {
        let (ctx, _guard) = Context::background().with_cancel();
        let (tx, rx) = waterway::chan(0);
        let generator = ctx.clone();
        drop(go(move || (1..).try_for_each(|n| generator.send(&tx, n))));
        assert_eq!(rx.iter().find(|n| *n == 5), Some(5));
    }
    until(|| num_goroutines() == before);
    let (ctx, _guard) = Context::background().with_timeout(SHORT);
    assert_eq!(
        ctx.sleep(LONG).unwrap_err().to_string(),
        "context deadline exceeded"
    );
}

/// Go: ExampleAfterFunc_cond, ExampleAfterFunc_merge (example_test.go). A wait on a condition that a context ends; and a
/// context that ends with either of two.
#[waterway::test]
fn functions_after_the_end_in_use() {
    let _bound = bound();
    let pair = Arc::new((
        waterway::sync::Mutex::new(()),
        waterway::sync::Condvar::new(),
    ));
    let waiters = ErrGroup::new();
    for _ in 0..4 {
        let pair = pair.clone();
        waiters.go(move || {
            let (ctx, _guard) = Context::background().with_timeout(SHORT);
            ctx.wait_while(&pair.1, &mut pair.0.lock(), |()| true)
        });
    }
    assert_eq!(waiters.wait(), Err(ContextError::DeadlineExceeded));

    let (one, _one) = Context::background().with_cancel();
    let (two, end_two) = Context::background().with_cancel_cause();
    let (merged, guard) = one.with_cancel_cause();
    let (merged, other) = (merged.clone(), two.clone());
    two.after_func(move || guard.cancel(other.cause().unwrap().to_string()));
    end_two.cancel("the second has ended");
    while merged.err().is_none() {
        yield_now();
    }
    assert_eq!(merged.cause().unwrap().to_string(), "the second has ended");
}
