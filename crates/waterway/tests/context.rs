//! Contexts: how they end, who hears of it, and what is left. Calls that they limit stand in `context_calls.rs`.

mod attack;

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use attack::{Counted, LONG, bounded, bounded_go, until};
use waterway::{CancelCauseGuard, CancelGuard, Context, ContextError, go, select};

const MANY: usize = 100_000;

/// A cause that is counted.
#[derive(Debug)]
struct Why(#[allow(dead_code)] Counted);

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("why")
    }
}

impl Error for Why {}

fn live(count: &Arc<AtomicUsize>) -> usize {
    count.load(Ordering::SeqCst)
}

#[test]
fn contexts_and_guards_go_anywhere() {
    fn anywhere<T: Send + Sync + 'static>() {}
    anywhere::<Context>();
    anywhere::<CancelGuard>();
    anywhere::<CancelCauseGuard>();
    anywhere::<waterway::context::AfterFunc>();
    anywhere::<waterway::time::AfterFunc>();
    fn cloned<T: Clone>() {}
    cloned::<Context>();
}

/// Whoever sees `done` closed, or is woken by the end, sees the error.
#[test]
fn the_error_is_there_before_the_end_shows() {
    bounded(|| {
        for n in 0..2_000 {
            let (ctx, guard) = Context::background().with_cancel();
            let (below, _guard) = ctx.with_cancel();
            let watcher = |ctx: Context| {
                go(move || {
                    match n % 3 {
                        0 => assert!(ctx.done().recv().is_err()),
                        1 => select! { recv(ctx.done()) -> closed => assert!(closed.is_err()) },
                        _ => assert_eq!(ctx.sleep(LONG), Err(ContextError::Canceled)),
                    }
                    assert_eq!(ctx.err(), Some(ContextError::Canceled));
                    assert!(ctx.cause().is_some());
                })
            };
            let watchers = [watcher(ctx), watcher(below)];
            if n % 2 == 0 {
                std::thread::yield_now();
            }
            guard.cancel();
            watchers
                .into_iter()
                .for_each(|watcher| watcher.join().unwrap());
        }
    });
}

/// A wide tree and a deep one end with their root, and leave nothing.
#[test]
fn trees_are_freed() {
    bounded(|| {
        for deep in [false, true] {
            for cancelled in [false, true] {
                let causes = Arc::new(AtomicUsize::new(0));
                let values = Arc::new(AtomicUsize::new(0));
                let called = Arc::new(AtomicUsize::new(0));
                let (root, guard) = Context::background().with_cancel_cause();
                let mut contexts = vec![];
                let mut at = root.clone();
                for _ in 0..MANY {
                    let (ctx, guard) = at.with_value(Counted::new(&values)).with_cancel();
                    if deep {
                        at = ctx.clone();
                    }
                    contexts.push((ctx, guard));
                }
                let seen = called.clone();
                let last = contexts[MANY - 1].0.clone();
                last.after_func(move || _ = seen.fetch_add(1, Ordering::SeqCst));
                assert_eq!(live(&values), MANY);
                if cancelled {
                    guard.cancel(Why(Counted::new(&causes)));
                    assert!(contexts.iter().all(|(ctx, _)| ctx.err().is_some()));
                    assert_eq!(live(&causes), 1, "one cause is shared by all");
                    assert!(format!("{root:?}").contains("dependents: 0"));
                }
                drop((at, last, contexts));
                until(|| live(&called) == 1);
                assert_eq!(live(&values), 0);
                assert!(format!("{root:?}").contains("dependents: 0"));
                drop((root, guard));
                assert_eq!(live(&causes), 0, "no node is left that has it");
            }
        }
    });
}

/// Children come and go below a parent that lives on: it keeps nothing of them.
#[test]
fn a_parent_forgets_its_children() {
    bounded(|| {
        let (root, _guard) = Context::background().with_cancel();
        let keep = root.with_cancel();
        for n in 0..1_000 {
            let (ctx, guard) = root.with_timeout(LONG);
            ctx.after_func(|| ());
            if n % 2 == 0 {
                drop(ctx);
            }
            drop(guard);
        }
        let stopped = root.after_func(|| unreachable!());
        assert!(stopped.stop());
        assert!(format!("{root:?}").contains("dependents: 1"), "{root:?}");
        drop(keep);
    });
}

/// Lists longer than any stack is deep, also for a goroutine.
#[test]
fn deep_chains_are_dropped_and_cancelled() {
    bounded_go(|| {
        let values = Arc::new(AtomicUsize::new(0));
        let mut ctx = Context::background();
        for _ in 0..MANY {
            ctx = ctx.with_value(Counted::new(&values));
        }
        assert!(ctx.value::<Counted>().is_some() && ctx.value::<u8>().is_none());
        let other = ctx.clone();
        drop(ctx);
        assert_eq!(live(&values), MANY);
        drop(other);
        assert_eq!(live(&values), 0);

        for from_the_top in [true, false] {
            let mut ctx = Context::background();
            let mut guards = vec![];
            for _ in 0..MANY {
                let (below, guard) = ctx.with_cancel();
                ctx = below;
                guards.push(guard);
            }
            if from_the_top {
                guards[0].cancel();
            } else {
                guards.reverse();
                drop(guards);
            }
            assert_eq!(ctx.err(), Some(ContextError::Canceled));
        }
    });
}

/// Functions and drops of the user's use the very context that ends: nothing of it is locked meanwhile.
#[test]
fn user_code_may_use_the_context_that_ends() {
    struct UsesContext(Context, Arc<AtomicUsize>);
    impl UsesContext {
        fn use_it(&self) {
            let (below, guard) = self.0.with_cancel();
            below.after_func(|| ()).stop();
            drop((self.0.done(), self.0.cause(), guard));
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    impl Drop for UsesContext {
        fn drop(&mut self) {
            self.use_it();
        }
    }
    impl fmt::Debug for UsesContext {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("UsesContext")
        }
    }
    impl fmt::Display for UsesContext {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("UsesContext")
        }
    }
    impl Error for UsesContext {}

    bounded(|| {
        let uses = Arc::new(AtomicUsize::new(0));
        let (ctx, guard) = Context::background().with_cancel_cause();
        let guard = Arc::new(guard);
        let user = |ctx: &Context| UsesContext(ctx.clone(), uses.clone());
        // A function that uses it and has something that does in its drop; one that is stopped; one that cancels.
        let inner = user(&ctx);
        ctx.after_func(move || inner.use_it());
        let inner = user(&ctx);
        assert!(ctx.after_func(move || drop(inner)).stop());
        assert_eq!(live(&uses), 1);
        let again = guard.clone();
        ctx.after_func(move || again.cancel("again"));
        // A deadline's cause, which nobody needs after the cancel.
        let (timed, _guard) = ctx.with_timeout_cause(LONG, user(&ctx));
        // A waker: user code, too, and called by whoever cancels.
        let waker = attack::calling({
            let inner = user(&ctx);
            move || inner.use_it()
        });
        let done = timed.done();
        let mut waiting = done.recv_async();
        assert!(attack::poll(&mut waiting, &waker).is_pending());
        guard.cancel("first");
        assert!(attack::poll(&mut waiting, &waker).is_ready());
        assert_eq!(ctx.cause().unwrap().to_string(), "first");
        assert_eq!(timed.cause().unwrap().to_string(), "first");
        // Stopped: 1. The function and its drop: 2. The cause: 1. The waker: 1.
        until(|| live(&uses) == 5);
        drop((waiting, waker));
        assert_eq!(live(&uses), 6);
    });
}

/// Whoever is told of the end of a tree ends a part of it, on the stack of the one who tells him; and the other way round.
#[test]
fn wakers_cancel_what_is_ending() {
    bounded(|| {
        let (top, top_guard) = Context::background().with_cancel();
        let (below, below_guard) = top.with_cancel();
        let (deep, _deep_guard) = below.with_cancel();
        let guards = Arc::new((top_guard, below_guard));
        let cancelled = Arc::new(AtomicUsize::new(0));
        let dones = [top.done(), below.done(), deep.done()];
        let mut waiting: Vec<_> = dones.iter().map(|done| done.recv_async()).collect();
        for waiting in &mut waiting {
            let (guards, cancelled) = (guards.clone(), cancelled.clone());
            let waker = attack::calling(move || {
                guards.1.cancel();
                guards.0.cancel();
                cancelled.fetch_add(1, Ordering::SeqCst);
            });
            assert!(attack::poll(waiting, &waker).is_pending());
        }
        guards.0.cancel();
        assert_eq!(live(&cancelled), 3);
        assert!(deep.err().is_some());
    });
}

/// Drops of causes and values panic. Whoever drops them panics; the tree ends all the same, and the rest is freed.
#[test]
fn drops_that_panic_break_nothing() {
    struct Panics(Counted);
    impl Drop for Panics {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("in a drop");
            }
        }
    }
    impl fmt::Debug for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }
    impl fmt::Display for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("panics")
        }
    }
    impl Error for Panics {}

    bounded(|| {
        let count = Arc::new(AtomicUsize::new(0));
        let new = || Panics(Counted::new(&count));
        let (top, guard) = Context::background().with_cancel();
        let called = Arc::new(AtomicUsize::new(0));
        let timed: Vec<_> = (0..3)
            .map(|_| {
                let (ctx, guard) = top.with_timeout_cause(LONG, new());
                let seen = called.clone();
                ctx.after_func(move || _ = seen.fetch_add(1, Ordering::SeqCst));
                (ctx, guard)
            })
            .collect();
        assert!(catch_unwind(AssertUnwindSafe(|| guard.cancel())).is_err());
        assert!(timed.iter().all(|(ctx, _)| ctx.err().is_some()));
        until(|| live(&called) == 3);
        assert_eq!(live(&count), 0);

        let mut ctx = Context::background();
        for _ in 0..10 {
            ctx = ctx.with_value(new());
        }
        assert!(catch_unwind(AssertUnwindSafe(|| drop(ctx))).is_err());
        assert_eq!(live(&count), 0);
    });
}

/// After the cancel a deadline's timer is gone, and with it what it had, though the context lives on.
#[test]
fn the_timer_goes_with_the_cancel() {
    bounded(|| {
        let causes = Arc::new(AtomicUsize::new(0));
        let (ctx, guard) =
            Context::background().with_timeout_cause(LONG, Why(Counted::new(&causes)));
        assert_eq!(live(&causes), 1);
        guard.cancel();
        assert_eq!(live(&causes), 0);
        assert_eq!(ctx.cause().unwrap().to_string(), "context canceled");
        assert!(ctx.deadline().is_some());
    });
}

/// Nobody waits for it, and the deadline passes; everybody below hears of it.
#[test]
fn a_deadline_needs_nobody_who_waits() {
    bounded(|| {
        let (ctx, guard) =
            Context::background().with_timeout_cause(Duration::from_millis(5), "the time is over");
        let (below, _below) = ctx.with_cancel();
        std::mem::forget(guard);
        until(|| below.err().is_some());
        assert_eq!(below.err(), Some(ContextError::DeadlineExceeded));
        assert!(below.err().unwrap().is_timeout());
        assert_eq!(below.cause().unwrap().to_string(), "the time is over");
    });
}

/// Deadlines in the past, now, and farther than a clock can count.
#[test]
fn deadlines_of_every_kind() {
    bounded(|| {
        let root = Context::background();
        let past = Instant::now();
        for (ctx, guard) in [
            root.with_deadline(past),
            root.with_timeout(Duration::ZERO),
            root.with_deadline_cause(past, "late"),
        ] {
            assert_eq!(ctx.err(), Some(ContextError::DeadlineExceeded));
            assert!(ctx.done().try_recv().unwrap_err().is_disconnected());
            guard.cancel();
            assert_eq!(ctx.err(), Some(ContextError::DeadlineExceeded));
        }
        let (far, guard) = root.with_timeout(Duration::MAX);
        assert!(far.err().is_none() && far.deadline().unwrap() > Instant::now() + LONG);
        assert_eq!(far.sleep(Duration::from_nanos(1)), Ok(()));
        let (nearer, _guard) = far.with_timeout(Duration::from_millis(1));
        assert_eq!(nearer.sleep(LONG), Err(ContextError::DeadlineExceeded));
        drop(guard);
        assert_eq!(far.err(), Some(ContextError::Canceled));
    });
}

const CANCELED: ContextError = ContextError::Canceled;

/// Contexts are made below one that is being cancelled: each of them ends.
#[test]
fn children_of_a_dying_parent_end() {
    bounded(|| {
        for _ in 0..300 {
            let (root, guard) = Context::background().with_cancel();
            let makers = [0, 1].map(|_| {
                let root = root.clone();
                go(move || {
                    let mut made = vec![];
                    while root.err().is_none() && made.len() < 500 {
                        made.push(root.with_cancel());
                        made.push(root.with_timeout(LONG));
                    }
                    made
                })
            });
            std::thread::yield_now();
            guard.cancel();
            for made in makers {
                for (ctx, _guard) in made.join().unwrap() {
                    assert!(ctx.done().recv().is_err());
                }
            }
            assert!(format!("{root:?}").contains("dependents: 0"));
        }
    });
}

/// Several end one tree at the same time, at its top and in its middle. Whoever's `cancel` returns, all below have ended.
#[test]
fn whoever_cancels_all_below_have_ended() {
    bounded(|| {
        for _ in 0..100 {
            let (top, guard) = Context::background().with_cancel();
            let guard = Arc::new(guard);
            let (middle, middle_guard) = top.with_cancel();
            let mut below = vec![];
            let mut at = middle.clone();
            for n in 0..200 {
                let (next, guard) = at.with_cancel();
                if n % 3 == 0 {
                    at = next.clone();
                }
                below.push((next, guard));
            }
            let below = Arc::new(below);
            let checks = |cancel: Box<dyn FnOnce() + Send>| {
                let below = below.clone();
                std::thread::spawn(move || {
                    cancel();
                    assert!(below.iter().all(|(ctx, _)| ctx.err() == Some(CANCELED)));
                })
            };
            let other = guard.clone();
            let cancellers = [
                checks(Box::new(move || guard.cancel())),
                checks(Box::new(move || other.cancel())),
                checks(Box::new(move || middle_guard.cancel())),
            ];
            for canceller in cancellers {
                canceller.join().unwrap();
            }
            assert!(format!("{top:?}").contains("dependents: 0"));
        }
    });
}
