//! Contexts: how they end, who hears of it, and what is left.

mod attack;

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use attack::{Counted, LONG, bounded, bounded_go, until};
use waterway::sync::{Condvar, Mutex, RwLock, Semaphore, WaitGroup};
use waterway::{
    Builder, CancelCauseGuard, CancelGuard, Context, ContextError, JoinHandle, chan, go, select,
    yield_now,
};

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

/// Starts `call` where a dump says `reason`, cancels, and gives what came of it.
fn cancelled<T: Send + 'static>(
    ctx: &Context,
    guard: CancelGuard,
    reason: &str,
    call: impl FnOnce(&Context) -> T + Send + 'static,
) -> T {
    let waiting = starts(ctx, reason, call);
    guard.cancel();
    waiting.join().unwrap()
}

/// Starts `call`, and waits until a dump says that it waits, for `reason`, and for the end of a context.
fn starts<T: Send + 'static>(
    ctx: &Context,
    reason: &str,
    call: impl FnOnce(&Context) -> T + Send + 'static,
) -> JoinHandle<T> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("limited {}", NUMBER.fetch_add(1, Ordering::SeqCst));
    let ctx = ctx.clone();
    let waiting = Builder::new().name(&name).go(move || call(&ctx));
    until(|| {
        let mut dump = vec![];
        waterway::watch::dump(&mut dump).unwrap();
        let dump = String::from_utf8(dump).unwrap();
        let mut mine = dump.split("\n\n").filter(|lines| lines.contains(&name));
        mine.any(|lines| {
            lines.contains(&format!("[{reason}, ")) && lines.contains("or until context ")
        })
    });
    waiting
}

const CANCELED: ContextError = ContextError::Canceled;

#[test]
fn each_call_gives_up_and_holds_nothing() {
    bounded(|| {
        let new = || Context::background().with_cancel();

        for capacity in [0, 1] {
            let (tx, rx) = chan(capacity);
            for n in 0..capacity {
                tx.send(n).unwrap();
            }
            let ((ctx, guard), own) = (new(), tx.clone());
            let error = cancelled(&ctx, guard, "chan send", move |ctx| ctx.send(&own, 7));
            let error = error.unwrap_err();
            assert_eq!((error.ended(), error.into_inner()), (Some(CANCELED), 7));
            assert_eq!(rx.try_iter().count(), capacity);
            let ((ctx, guard), own) = (new(), rx.clone());
            let error = cancelled(&ctx, guard, "chan receive", move |ctx| ctx.recv(&own));
            assert_eq!(error.unwrap_err().ended(), Some(CANCELED));
            assert!(tx.try_send(1).is_err() == (capacity == 0), "nobody waits");
        }

        let (ctx, guard) = new();
        let error = cancelled(&ctx, guard, "sleep", |ctx| ctx.sleep(LONG));
        assert_eq!(error, Err(CANCELED));

        let lock = Arc::new(Mutex::new(0));
        let held = lock.lock();
        let ((ctx, guard), own) = (new(), lock.clone());
        let error = cancelled(&ctx, guard, "sync.Mutex.Lock", move |ctx| {
            ctx.lock(&own).map(drop)
        });
        assert_eq!(error, Err(CANCELED));
        drop(held);
        drop(
            lock.try_lock()
                .expect("nobody has it, nor is it handed to one who went"),
        );

        let rw = Arc::new(RwLock::new(0));
        let held = rw.read();
        let ((ctx, guard), own) = (new(), rw.clone());
        let writer = starts(&ctx, "sync.RWMutex.Lock", move |ctx| {
            ctx.write(&own).map(drop)
        });
        let ((other, _other), own) = (new(), rw.clone());
        let reader = starts(&other, "sync.RWMutex.RLock", move |ctx| {
            ctx.read(&own).map(drop)
        });
        guard.cancel();
        assert_eq!(writer.join().unwrap(), Err(CANCELED));
        assert_eq!(
            reader.join().unwrap(),
            Ok(()),
            "the writer is not in its way"
        );
        let ((ctx, guard), own) = (new(), rw.clone());
        drop(held);
        let held = rw.write();
        let error = cancelled(&ctx, guard, "sync.RWMutex.RLock", move |ctx| {
            ctx.read(&own).map(drop)
        });
        assert_eq!(error, Err(CANCELED));
        drop(held);
        drop(rw.try_write().unwrap());

        let permits = Semaphore::new(1);
        let ((ctx, guard), own) = (new(), permits.clone());
        let many = starts(&ctx, "semaphore", move |ctx| ctx.acquire(&own, 2).map(drop));
        let ((other, _other), own) = (new(), permits.clone());
        let few = starts(&other, "semaphore", move |ctx| {
            ctx.acquire(&own, 1).map(drop)
        });
        guard.cancel();
        assert_eq!(many.join().unwrap(), Err(CANCELED));
        assert_eq!(
            few.join().unwrap(),
            Ok(()),
            "who asked for more is not in its way"
        );
        assert_eq!(permits.available(), 1);

        let group = WaitGroup::new();
        group.add(1);
        let ((ctx, guard), own) = (new(), group.clone());
        let error = cancelled(&ctx, guard, "sync.WaitGroup.Wait", move |ctx| {
            ctx.wait(&own)
        });
        assert_eq!(error, Err(CANCELED));
        group.done();
        assert_eq!(Context::background().wait(&group), Ok(()));

        let (pair, own) = {
            let pair = Arc::new((Mutex::new(false), Condvar::new()));
            (pair.clone(), pair)
        };
        let (ctx, guard) = new();
        let (error, locked) = cancelled(&ctx, guard, "sync.Cond.Wait", move |ctx| {
            let mut told = own.0.lock();
            let error = ctx.wait_while(&own.1, &mut told, |told| !*told);
            (error, own.0.try_lock().is_none())
        });
        assert_eq!((error, locked), (Err(CANCELED), true));
        assert!(pair.0.try_lock().is_some());

        let (tx, rx) = chan::<u8>(0);
        let worker = Arc::new(Mutex::new(go(move || rx.recv())));
        let ((ctx, guard), own) = (new(), worker.clone());
        let error = cancelled(&ctx, guard, "join", move |ctx| {
            ctx.join(&mut own.lock()).map(drop)
        });
        assert_eq!(error, Err(CANCELED));
        tx.send(3).unwrap();
        let result = Context::background().join(&mut worker.lock());
        assert_eq!(result.unwrap().unwrap(), Ok(3));
    });
}

/// A context that has ended is refused before anything is done, though it could be done at once.
#[test]
fn what_has_ended_does_nothing() {
    bounded(|| {
        let (ctx, guard) = Context::background().with_cancel();
        guard.cancel();
        let (tx, rx) = chan(1);
        assert_eq!(ctx.send(&tx, 1).unwrap_err().into_inner(), 1);
        tx.send(2).unwrap();
        assert!(ctx.recv(&rx).is_err());
        assert_eq!(rx.len(), 1);
        assert_eq!(ctx.sleep(Duration::ZERO), Err(CANCELED));
        assert_eq!(ctx.wait(&WaitGroup::new()), Err(CANCELED));
        assert!(ctx.lock(&Mutex::new(())).is_err());
        assert!(ctx.acquire(&Semaphore::new(1), 1).is_err());
        let mut done = go(|| 5);
        until(|| done.is_finished());
        assert!(ctx.join(&mut done).is_err());
        assert_eq!(done.join().unwrap(), 5);
        let (text, closed) = (format!("{ctx:?}"), chan::<u8>(0).0);
        assert!(text.contains("Some(Canceled)"), "{text}");
        let error = Context::background().send(&closed, 1).unwrap_err();
        assert!(error.is_disconnected());
        assert_eq!(error.to_string(), "sending on a closed channel");
    });
}

/// Sends and receives are cancelled at any moment; every value is received once, given back, or still there.
#[test]
fn no_value_is_lost_or_doubled() {
    bounded(|| {
        for threads in [false, true] {
            for capacity in [Some(0), Some(1), Some(3), None] {
                let (tx, rx) = match capacity {
                    Some(n) => chan(n),
                    None => chan::unbounded(),
                };
                const EACH: usize = 300;
                let start = |work: Box<dyn FnOnce() -> Vec<usize> + Send>| match threads {
                    true => Builder::new().dedicated().go(work),
                    false => go(work),
                };
                let senders = (0..3).map(|sender| {
                    let tx = tx.clone();
                    start(Box::new(move || {
                        let mut back = vec![];
                        for n in 0..EACH {
                            let value = sender * EACH + n;
                            let (ctx, guard) = Context::background().with_cancel();
                            let killer = go(move || {
                                (0..value % 4).for_each(|_| yield_now());
                                guard.cancel();
                            });
                            if let Err(error) = ctx.send(&tx, value) {
                                assert!(error.ended().is_some());
                                back.push(error.into_inner());
                            }
                            killer.join().unwrap();
                        }
                        back
                    }))
                });
                let senders: Vec<_> = senders.collect();
                let stop = Arc::new(AtomicBool::new(false));
                let receivers = (0..2).map(|_| {
                    let (rx, stop) = (rx.clone(), stop.clone());
                    start(Box::new(move || {
                        let mut got = vec![];
                        while !stop.load(Ordering::SeqCst) {
                            let (ctx, guard) = Context::background().with_cancel();
                            let killer = go(move || guard.cancel());
                            got.extend(ctx.recv(&rx));
                            killer.join().unwrap();
                        }
                        got
                    }))
                });
                let receivers: Vec<_> = receivers.collect();
                let mut all: Vec<usize> = vec![];
                for sender in senders {
                    all.extend(sender.join().unwrap());
                }
                stop.store(true, Ordering::SeqCst);
                for receiver in receivers {
                    all.extend(receiver.join().unwrap());
                }
                all.extend(rx.try_iter());
                assert_eq!(all.len(), 3 * EACH, "{capacity:?}");
                assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 3 * EACH);
            }
        }
    });
}

/// Locks, permits and counts are waited for and given up at any moment, and never get lost.
#[test]
fn no_lock_or_permit_is_lost() {
    bounded(|| {
        struct Shared {
            lock: Mutex<usize>,
            rw: RwLock<usize>,
            permits: Semaphore,
        }
        let shared = Arc::new(Shared {
            lock: Mutex::new(0),
            rw: RwLock::new(0),
            permits: Semaphore::new(3),
        });
        let workers = (0..6).map(|seed| {
            let shared = shared.clone();
            go(move || {
                let mut done = [0; 2];
                for n in 0..300 {
                    let (ctx, guard) = Context::background().with_cancel();
                    let killer = go(move || {
                        (0..(n + seed) % 5).for_each(|_| yield_now());
                        guard.cancel();
                    });
                    if let Ok(mut value) = ctx.lock(&shared.lock) {
                        yield_now();
                        *value += 1;
                        done[0] += 1;
                    }
                    if let Ok(_permit) = ctx.acquire(&shared.permits, 1 + n % 3) {
                        yield_now();
                    }
                    if n % 2 == 0 {
                        drop(ctx.read(&shared.rw));
                    } else if let Ok(mut value) = ctx.write(&shared.rw) {
                        yield_now();
                        *value += 1;
                        done[1] += 1;
                    }
                    killer.join().unwrap();
                }
                done
            })
        });
        let mut sums = [0, 0];
        for worker in workers.collect::<Vec<_>>() {
            let done = worker.join().unwrap();
            sums = [sums[0] + done[0], sums[1] + done[1]];
        }
        assert_eq!(*shared.lock.try_lock().unwrap(), sums[0]);
        assert_eq!(*shared.rw.try_write().unwrap(), sums[1]);
        assert_eq!(shared.permits.available(), 3);
    });
}

/// A plain thread is told as a goroutine is.
#[test]
fn threads_give_up_too() {
    bounded(|| {
        let (ctx, guard) = Context::background().with_cancel();
        let (_tx, rx) = chan::<u8>(0);
        let threads = [0, 1].map(|n| {
            let (ctx, rx) = (ctx.clone(), rx.clone());
            std::thread::spawn(move || match n {
                0 => ctx.sleep(LONG).is_err(),
                _ => ctx.recv(&rx).is_err(),
            })
        });
        guard.cancel();
        assert!(
            threads
                .map(|thread| thread.join().unwrap())
                .iter()
                .all(|told| *told)
        );
    });
}

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

/// The caller's lines are told: of what it waits for, and of the context.
#[test]
fn dumps_name_the_context() {
    bounded(|| {
        let line = line!() + 1;
        let (ctx, guard) = Context::background().with_cancel();
        let waiting = starts(&ctx, "sleep", |ctx| ctx.sleep(LONG));
        let mut dump = vec![];
        waterway::watch::dump(&mut dump).unwrap();
        let dump = String::from_utf8(dump).unwrap();
        let at = format!("ends, made at {}:{line}:", file!());
        assert!(dump.contains(&at), "no {at:?} in {dump}");
        let line = line!() + 1;
        let done = ctx.done();
        let receiver = Builder::new().name("receiver").go(move || done.recv());
        until(|| {
            let mut dump = vec![];
            waterway::watch::dump(&mut dump).unwrap();
            let dump = String::from_utf8(dump).unwrap();
            let mut mine = dump
                .split("\n\n")
                .filter(|lines| lines.contains("receiver"));
            mine.any(|lines| lines.contains(&format!("made at {}:{line}:", file!())))
        });
        guard.cancel();
        assert!(waiting.join().unwrap().is_err());
        assert!(receiver.join().unwrap().is_err());
    });
}
