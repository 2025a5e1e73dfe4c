//! Calls that a context limits: they give up when it ends, and lose nothing.

mod attack;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use attack::{LONG, bounded, until};
use waterway::sync::{Condvar, Mutex, RwLock, Semaphore, WaitGroup};
use waterway::{Builder, CancelGuard, Context, ContextError, JoinHandle, chan, go, yield_now};

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

        let permits = Semaphore::new(2);
        let held = permits.acquire(1);
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
        let ((ctx, guard), own) = (new(), permits.clone());
        let error = cancelled(&ctx, guard, "semaphore", move |ctx| {
            ctx.acquire(&own, 3).map(drop)
        });
        assert_eq!(error, Err(CANCELED), "there are not so many");
        drop(held);
        assert_eq!(permits.available(), 2);

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
        assert_eq!(
            error.to_string(),
            "sending on a channel that is closed or has no receiver"
        );
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
        let done = ctx.done();
        let receiver = Builder::new().name("receiver").go(move || done.recv());
        until(|| {
            let mut dump = vec![];
            waterway::watch::dump(&mut dump).unwrap();
            let dump = String::from_utf8(dump).unwrap();
            let mut mine = dump
                .split("\n\n")
                .filter(|lines| lines.contains("receiver"));
            mine.any(|lines| lines.contains("\tuntil context ") && lines.contains(&at))
        });
        guard.cancel();
        assert!(waiting.join().unwrap().is_err());
        assert!(receiver.join().unwrap().is_err());
    });
}
