//! Functions that the clock calls.

mod attack;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use attack::{Counted, LONG, bounded, until};
use waterway::time::{AfterFunc, after_func};
use waterway::{Builder, chan, go};

/// It runs in a goroutine of its own: it may block, and what is due later is called meanwhile. It is not early.
#[test]
fn functions_run_in_goroutines_of_their_own() {
    bounded(|| {
        let begin = Instant::now();
        let (tx, rx) = chan::<Instant>(0);
        let (give, take) = chan(0);
        after_func(Duration::from_millis(1), move || {
            let at = take.recv().unwrap();
            tx.send(at).unwrap();
        });
        after_func(Duration::from_millis(2), move || {
            give.send(Instant::now()).unwrap();
        });
        assert!(rx.recv().unwrap() >= begin + Duration::from_millis(2));
    });
}

/// Durations of every size.
#[test]
fn functions_after_every_duration() {
    bounded(|| {
        for huge in [Duration::MAX, Duration::from_nanos(u64::MAX), LONG] {
            let call = after_func(huge, || unreachable!());
            assert!(call.reset(huge) && call.stop() && !call.stop());
            assert!(format!("{call:?}").contains("false"));
        }
        let (tx, rx) = chan(1);
        let call = after_func(Duration::ZERO, move || tx.send(()).unwrap());
        rx.recv().unwrap();
        assert!(!call.stop(), "its goroutine was started");
        assert!(!call.reset(Duration::ZERO));
        rx.recv().unwrap();
    });
}

/// `stop` and `reset` race with the call. What they say is what happens: each time that `stop` (or `reset`) says that it was
/// in time there is one call less than was set.
#[test]
fn stop_and_reset_tell_the_truth() {
    bounded(|| {
        let workers: Vec<_> = (0..4u64)
            .map(|seed| {
                thread::spawn(move || {
                    let calls = Arc::new(AtomicUsize::new(0));
                    let counted = calls.clone();
                    let call = after_func(LONG, move || _ = counted.fetch_add(1, Ordering::SeqCst));
                    let mut expected = 1;
                    for n in 0..2_000 {
                        // Set once more, instead of what was set or beside what was called.
                        expected += usize::from(!call.reset(Duration::from_micros((n + seed) % 9)));
                        if n % 3 == 0 {
                            thread::yield_now();
                        }
                        if n % 5 == 0 {
                            expected -= usize::from(call.stop());
                            expected += usize::from(!call.reset(LONG));
                        }
                    }
                    expected -= usize::from(call.stop());
                    until(|| calls.load(Ordering::SeqCst) >= expected);
                    thread::sleep(Duration::from_millis(1));
                    assert_eq!(calls.load(Ordering::SeqCst), expected);
                })
            })
            .collect();
        workers
            .into_iter()
            .for_each(|worker| worker.join().unwrap());
    });
}

/// A handle that is dropped lets the call come; one that is stopped and dropped frees the function, whoever comes last.
#[test]
fn functions_are_dropped_once() {
    bounded(|| {
        let live = Arc::new(AtomicUsize::new(0));
        let start = |after| -> AfterFunc {
            let what = Counted::new(&live);
            after_func(after, move || _ = &what)
        };
        drop(start(Duration::from_micros(50)));
        until(|| live.load(Ordering::SeqCst) == 0);
        let kept = start(LONG);
        assert!(kept.stop());
        assert_eq!(live.load(Ordering::SeqCst), 1, "it may be reset");
        drop(kept);
        assert_eq!(live.load(Ordering::SeqCst), 0);
        for n in 0..2_000 {
            let call = start(Duration::from_micros(n % 50));
            if n % 2 == 0 {
                thread::yield_now();
            }
            call.stop();
        }
        until(|| live.load(Ordering::SeqCst) == 0);
    });
}

/// A call that panics ends its goroutine, and may be set again.
#[test]
fn a_call_that_panics_may_come_again() {
    bounded(|| {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let call = after_func(Duration::ZERO, move || {
            if counted.fetch_add(1, Ordering::SeqCst) == 0 {
                panic!("the first call");
            }
        });
        until(|| calls.load(Ordering::SeqCst) == 1);
        call.reset(Duration::ZERO);
        until(|| calls.load(Ordering::SeqCst) == 2);
    });
}

/// The worker of the one who set it is held; the call comes all the same.
#[test]
fn a_held_worker_does_not_keep_calls_back() {
    bounded(|| {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        go(move || {
            let told = counted.clone();
            after_func(Duration::from_millis(1), move || {
                told.fetch_add(1, Ordering::SeqCst);
            });
            // Not by a blocking call: the worker is held until then.
            while counted.load(Ordering::SeqCst) == 0 {
                std::hint::spin_loop();
            }
        })
        .join()
        .unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    });
}

/// Many are pending, and each is stopped: half by the time that takes, if stopping looked at all of them it would not end.
#[test]
fn many_calls_are_stopped() {
    bounded(|| {
        let live = Arc::new(AtomicUsize::new(0));
        let calls: Vec<_> = (0..100_000u64)
            .map(|n| {
                let what = Counted::new(&live);
                let after = Duration::from_secs(1_000 + n.wrapping_mul(0x9e37_79b9) % 1_000);
                after_func(after, move || _ = &what)
            })
            .collect();
        assert_eq!(live.load(Ordering::SeqCst), 100_000);
        assert!(calls.iter().step_by(3).all(AfterFunc::stop));
        assert_eq!(calls.iter().filter(|call| call.stop()).count(), 66_666);
        drop(calls);
        assert_eq!(live.load(Ordering::SeqCst), 0);
    });
}

/// Dedicated goroutines and threads set them, too.
#[test]
fn functions_from_anywhere() {
    bounded(|| {
        let (tx, rx) = chan(3);
        let set = move |tx: waterway::Sender<u8>, n| {
            after_func(Duration::from_micros(10), move || tx.send(n).unwrap());
        };
        let own = tx.clone();
        Builder::new()
            .dedicated()
            .go(move || set(own, 1))
            .join()
            .unwrap();
        let own = tx.clone();
        go(move || set(own, 2)).join().unwrap();
        set(tx, 4);
        assert_eq!(rx.iter().take(3).sum::<u8>(), 7);
    });
}
