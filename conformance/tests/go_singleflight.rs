//! What the tests of `golang.org/x/sync/singleflight` ask, by what is published of them, and those of its copy in Go's
//! `internal/singleflight`.

#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use waterway::group::SingleFlight;
use waterway::sync::WaitGroup;
use waterway::{chan, go, scope, time};
use waterway_conformance::{blocked, bound};

type Flights = SingleFlight<&'static str, String>;

/// Go: TestDo (singleflight_test.go).
#[waterway::test]
fn a_call_gives_its_value() {
    let _bound = bound();
    let flights = Flights::new();
    assert_eq!(flights.run("key", || "bar".into()), ("bar".into(), false));
}

/// Go: TestDoErr (singleflight_test.go). A value may be a `Result`.
#[waterway::test]
fn a_call_gives_its_error() {
    let _bound = bound();
    let flights = SingleFlight::<&str, Result<u8, &str>>::new();
    assert_eq!(
        flights.run("key", || Err("some error")).0,
        Err("some error")
    );
}

/// Go: TestDoDupSuppress (singleflight_test.go).
#[waterway::test]
fn calls_at_a_time_are_one() {
    let _bound = bound();
    const N: usize = 10;
    let flights = SingleFlight::<&str, &str>::new();
    let calls = AtomicUsize::new(0);
    let (tx, rx) = chan(1);
    let reached = WaitGroup::new();
    reached.add(N as isize + 1);
    scope(|s| {
        for _ in 0..N {
            s.go(|| {
                reached.done();
                let (value, _) = flights.run("key", || {
                    if calls.fetch_add(1, Ordering::SeqCst) == 0 {
                        reached.done();
                    }
                    let value = rx.recv().unwrap();
                    tx.send(value).unwrap();
                    time::sleep(Duration::from_millis(10));
                    value
                });
                assert_eq!(value, "bar");
            });
        }
        reached.wait();
        tx.send("bar").unwrap();
    });
    assert!((1..N).contains(&calls.load(Ordering::SeqCst)));
}

/// Go: TestForget (singleflight_test.go), TestForgetUnshared (internal/singleflight). After `forget` the next one makes a
/// call of his own, and the end of the first changes nothing for the second.
#[waterway::test]
fn a_key_is_forgotten() {
    let _bound = bound();
    let flights = SingleFlight::<&str, u8>::new();
    let (begun, has_begun) = chan::<()>(0);
    let (unblock, blocks) = chan::<()>(0);
    let own = flights.clone();
    let first = go(move || {
        own.run("key", || {
            begun.close();
            let _ = blocks.recv();
            1
        })
    });
    has_begun.recv().unwrap_err();
    flights.forget("key");
    let (unblock_second, blocks) = chan::<()>(0);
    let second = flights.run_chan("key", move || {
        let _ = blocks.recv();
        2
    });
    drop(unblock);
    assert_eq!(first.join().unwrap(), (1, false));
    let third = flights.run_chan("key", || 3);
    drop(unblock_second);
    assert_eq!(second.recv(), Ok((2, true)));
    assert_eq!(third.recv(), Ok((2, true)));
}

/// Go: TestDoChan (singleflight_test.go).
#[waterway::test]
fn a_value_comes_through_a_channel() {
    let _bound = bound();
    let flights = Flights::new();
    let rx = flights.run_chan("key", || "bar".into());
    assert_eq!(rx.recv(), Ok(("bar".into(), false)));
}

/// Go: TestPanicDo (singleflight_test.go). Each of those who share a call that panics panics.
#[waterway::test]
fn a_panic_reaches_all() {
    let _bound = bound();
    const N: usize = 5;
    let flights = SingleFlight::<&str, ()>::new();
    let left = Arc::new(AtomicUsize::new(0));
    let workers = (0..N).map(|_| {
        let (flights, left) = (flights.clone(), left.clone());
        go(move || {
            let call = || flights.run("key", || panic!("invalid memory address"));
            let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
            let text = match panic.downcast_ref::<String>() {
                Some(text) => text.as_str(),
                None => panic.downcast_ref::<&str>().unwrap(),
            };
            assert!(text.ends_with("invalid memory address"), "{text}");
            left.fetch_add(1, Ordering::SeqCst);
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.join().unwrap();
    }
    assert_eq!(left.load(Ordering::SeqCst), N);
}

/// Go: TestGoexitDo (singleflight_test.go). There is no `Goexit`: what is left is that who leads may end in any way, here by
/// a panic that is not of a text, and nobody waits for ever.
#[waterway::test]
fn a_lost_leader_leaves_nobody_waiting() {
    let _bound = bound();
    struct Exit;
    let flights = SingleFlight::<&str, ()>::new();
    let (unblock, blocks) = chan::<()>(0);
    let (begun, has_begun) = chan::<()>(0);
    let own = flights.clone();
    let leader = go(move || {
        own.run("key", || {
            begun.close();
            let _ = blocks.recv();
            std::panic::resume_unwind(Box::new(Exit))
        })
    });
    has_begun.recv().unwrap_err();
    let own = flights.clone();
    let follower = blocked("sync.WaitGroup.Wait", move || own.run("key", || ()));
    drop(unblock);
    assert!(leader.join().unwrap_err().is::<Exit>());
    assert!(follower.join().is_err());
    assert_eq!(flights.run("key", || ()), ((), false));
}

/// Go: TestPanicDoChan (singleflight_test.go). There it ends the process; here the channel is closed without a value.
#[waterway::test]
fn a_panic_closes_the_channel() {
    let _bound = bound();
    let flights = Flights::new();
    let rx = flights.run_chan("key", || panic!("Panicking in run_chan"));
    assert!(rx.recv().is_err());
}

/// Go: TestPanicDoSharedByDoChan (singleflight_test.go). As above, where a plain call leads.
#[waterway::test]
fn a_panic_closes_the_channels_of_those_who_share() {
    let _bound = bound();
    let flights = Flights::new();
    let (unblock, blocks) = chan::<()>(0);
    let (begun, has_begun) = chan::<()>(0);
    let own = flights.clone();
    let leader = go(move || {
        own.run("key", || {
            begun.close();
            let _ = blocks.recv();
            panic!("Panicking in run")
        })
    });
    has_begun.recv().unwrap_err();
    let shared = flights.run_chan("key", || unreachable!());
    drop(unblock);
    assert!(shared.recv().is_err());
    assert!(leader.join().is_err());
}

/// Go: TestDoAndForgetUnsharedRace (internal/singleflight). Many want one key at the same time; when they have it, it is free.
/// There is no `ForgetUnshared`; what is left is that the next one leads a call of his own. 1,000 in Go, 200 here.
#[waterway::test]
fn a_key_is_free_when_all_have_returned() {
    let _bound = bound();
    let flights = SingleFlight::<&str, usize>::new();
    for wait in [0, 100, 1_000] {
        let calls = AtomicUsize::new(0);
        scope(|s| {
            for _ in 0..200 {
                s.go(|| {
                    flights.run("key", || {
                        time::sleep(Duration::from_micros(wait));
                        calls.fetch_add(1, Ordering::SeqCst)
                    })
                });
            }
        });
        assert!(calls.load(Ordering::SeqCst) >= 1);
        assert_eq!(flights.run("key", || 7), (7, false));
    }
}
