//! Groups of goroutines, and shared calls.

mod attack;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use attack::{Counted, LONG, bounded, until};
use waterway::group::{ErrGroup, SingleFlight, Spawner};
use waterway::{Builder, Context, ContextError, chan, go, yield_now};

#[test]
fn groups_go_anywhere() {
    fn anywhere<T: Send + Sync + 'static>() {}
    anywhere::<ErrGroup<String>>();
    anywhere::<Spawner<std::cell::Cell<u8>>>();
    anywhere::<SingleFlight<String, String>>();
}

/// Members end in every way, at the same time. The first error counts, nothing of the others is left.
#[test]
fn many_members_fail_at_once() {
    bounded(|| {
        let live = Arc::new(AtomicUsize::new(0));
        for n in 0..200 {
            let (group, ctx) = ErrGroup::with_context(&Context::background());
            group.set_limit((n % 2 == 0).then_some(3));
            for member in 0..8 {
                let (ctx, error) = (ctx.clone(), Counted::new(&live));
                group.go(move || match member % 4 {
                    0 => Ok(()),
                    1 => ctx.sleep(LONG).or(Ok(())),
                    2 => Err(error),
                    _ => {
                        yield_now();
                        Err(error)
                    }
                });
            }
            drop(group.wait().unwrap_err());
            assert_eq!(ctx.err(), Some(ContextError::Canceled));
            assert_eq!(live.load(Ordering::SeqCst), 0);
        }
    });
}

/// A panic ends the others' work as an error does, and comes out of `wait`, before any error.
#[test]
fn a_panic_comes_out_of_wait() {
    bounded(|| {
        let (group, ctx) = ErrGroup::with_context(&Context::background());
        let other = ctx.clone();
        group.go(move || other.sleep(LONG).or(Err("an error")));
        group.go(|| panic!("a member panics"));
        let panic = catch_unwind(AssertUnwindSafe(|| group.wait())).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a member panics"));
        assert!(ctx.err().is_some());
    });
}

/// A group that nobody waits for runs to its end; then its context ends.
#[test]
fn a_group_may_be_left() {
    bounded(|| {
        let (tx, rx) = chan(0);
        let (group, ctx) = ErrGroup::<()>::with_context(&Context::background());
        group.go(move || {
            rx.recv().unwrap();
            Ok(())
        });
        drop(group);
        assert!(ctx.err().is_none());
        tx.send(()).unwrap();
        assert!(ctx.done().recv().is_err());
    });
}

#[test]
fn the_limit_stays_while_members_run() {
    bounded(|| {
        let (tx, rx) = chan::<()>(0);
        let group = ErrGroup::<()>::new();
        group.go(move || {
            let _ = rx.recv();
            Ok(())
        });
        let panic = catch_unwind(AssertUnwindSafe(|| group.set_limit(None))).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains("while 1 of its goroutines run"), "{text}");
        drop(tx);
        group.wait().unwrap();
    });
}

/// Members start members, more than the limit in all.
#[test]
fn members_start_members() {
    bounded(|| {
        let count = Arc::new(AtomicUsize::new(0));
        let group = ErrGroup::<()>::new();
        fn grow(spawner: Spawner<()>, count: Arc<AtomicUsize>, depth: usize) {
            count.fetch_add(1, Ordering::SeqCst);
            for _ in 0..if depth > 0 { 3 } else { 0 } {
                let (next, count) = (spawner.clone(), count.clone());
                spawner.go(move || {
                    grow(next, count, depth - 1);
                    Ok(())
                });
            }
        }
        grow(group.spawner(), count.clone(), 4);
        group.wait().unwrap();
        assert_eq!(count.load(Ordering::SeqCst), 1 + 3 + 9 + 27 + 81);
    });
}

/// Calls by many for few keys: each gets the value of a call for its key, and no two calls for one key overlap.
#[test]
fn calls_for_one_key_do_not_overlap() {
    bounded(|| {
        let flights = SingleFlight::<usize, usize>::new();
        let running: Arc<[AtomicUsize]> = (0..4).map(|_| AtomicUsize::new(0)).collect();
        let calls = Arc::new(AtomicUsize::new(0));
        let workers = (0..8).map(|worker| {
            let (flights, running, calls) = (flights.clone(), running.clone(), calls.clone());
            go(move || {
                for n in 0..300 {
                    let key = (n + worker) % 4;
                    let (value, _) = flights.run(key, || {
                        assert_eq!(running[key].fetch_add(1, Ordering::SeqCst), 0);
                        calls.fetch_add(1, Ordering::SeqCst);
                        yield_now();
                        running[key].fetch_sub(1, Ordering::SeqCst);
                        key * 10
                    });
                    assert_eq!(value, key * 10);
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.join().unwrap();
        }
        assert!(calls.load(Ordering::SeqCst) <= 8 * 300);
        assert_eq!(format!("{flights:?}"), "SingleFlight { calls: Some(0) }");
    });
}

/// Keys and values are the user's: their code runs while nothing is locked that they could need, or panics and leaves the
/// table in order.
#[test]
fn keys_that_panic_break_nothing() {
    #[derive(Clone, PartialEq, Hash)]
    struct Key(u8);
    impl Eq for Key {}
    bounded(|| {
        let flights = SingleFlight::<String, Arc<SingleFlight<String, u8>>>::new();
        let inner = flights.clone();
        // A call makes another, for another key.
        let (value, _) = flights.run("outer".into(), || {
            inner
                .run("inner".into(), || Arc::new(SingleFlight::new()))
                .0
        });
        assert_eq!(value.run("x".into(), || 1), (1, false));
        let keys = SingleFlight::<Key, u8>::new();
        let lost = catch_unwind(|| keys.run(Key(1), || panic!("no value")));
        assert!(lost.is_err());
        assert_eq!(keys.run(Key(1), || 2), (2, false), "the key is free again");
    });
}

/// Whoever shares a call that panics hears of it: as a panic that says why, or as a channel that is closed.
#[test]
fn a_lost_call_reaches_everybody() {
    bounded(|| {
        let flights = SingleFlight::<&str, u8>::new();
        let (tx, rx) = chan::<()>(0);
        let (begun, has_begun) = chan(1);
        let leading = flights.clone();
        let leader = go(move || {
            leading.run("key", || {
                begun.send(()).unwrap();
                let _ = rx.recv();
                panic!("the leader's reason");
            })
        });
        has_begun.recv().unwrap();
        let followers = [0, 1].map(|_| {
            let flights = flights.clone();
            let follower = Builder::new().name("follower");
            follower.go(move || flights.run("key", || unreachable!()))
        });
        let channel = flights.run_chan("key", || unreachable!());
        until(|| {
            let mut dump = vec![];
            waterway::watch::dump(&mut dump).unwrap();
            let dump = String::from_utf8(dump).unwrap();
            dump.matches("\"follower\" [sync.WaitGroup.Wait").count() == 2
        });
        drop(tx);
        assert!(channel.recv().is_err());
        let panic = leader.join().unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"the leader's reason"));
        for follower in followers {
            let panic = follower.join().unwrap_err();
            let text = panic.downcast_ref::<String>().unwrap();
            assert!(text.ends_with("it panicked: the leader's reason"), "{text}");
        }
    });
}
