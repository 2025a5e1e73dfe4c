//! Go's `time/sleep_test.go`, as far as it is about `AfterFunc`: alone, and in place of a timer with a channel.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use waterway::time::{AfterFunc, after, after_func, sleep};
use waterway::{Receiver, chan, go, select};
use waterway_conformance::{LONG, bound, until};

const HOUR: Duration = Duration::from_secs(3600);

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A timer with a channel, made of `after_func`.
fn timer_func(after: Duration) -> (AfterFunc, Receiver<Instant>) {
    let (tx, rx) = chan(1);
    let timer = after_func(after, move || tx.send(Instant::now()).unwrap());
    (timer, rx)
}

/// Go: TestAfterFunc (sleep_test.go). A function sets the next call, ten times.
#[waterway::test]
fn functions_set_the_next() {
    let _bound = bound();
    fn next(left: usize, done: waterway::Sender<bool>) {
        after_func(Duration::ZERO, move || match left {
            0 => done.send(true).unwrap(),
            _ => next(left - 1, done.clone()),
        });
    }
    let (tx, rx) = chan(1);
    next(10, tx);
    assert_eq!(rx.recv(), Ok(true));
}

/// Go: TestAfterFuncStarvation (sleep_test.go). Two that hand over to each other all the time do not keep the function from
/// running.
#[waterway::test]
fn a_function_beside_two_that_hand_over() {
    let _bound = bound();
    let (tx, rx) = chan(1);
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let sender = go(move || {
        while !told.load(Ordering::Relaxed) {
            tx.send(true).unwrap();
        }
    });
    let receiver = go(move || rx.iter().for_each(|v| assert!(v)));
    after_func(Duration::from_micros(1), move || {
        stop.store(true, Ordering::Relaxed)
    });
    sender.join().unwrap();
    receiver.join().unwrap();
}

/// Go: TestAfterStop (sleep_test.go), impl=func. What was stopped is not called when later ones are.
#[waterway::test]
fn a_stopped_function_is_not_called() {
    let _bound = bound();
    after_func(ms(10), || ());
    let (first, heard) = timer_func(HOUR);
    let second = after_func(HOUR, || unreachable!());
    first.reset(ms(5)); // before it is due, unless this goroutine is kept waiting: then it is heard
    let in_time = first.stop();
    assert!(second.stop());
    after(ms(20)).recv().unwrap();
    assert_eq!(heard.try_recv().is_err(), in_time);
    assert!(!second.stop(), "it can be stopped once");
}

/// Go: TestAfterQueuing (sleep_test.go), impl=func. However they stand in the queue, none is called before its time, and
/// those whose times lie apart come in order.
#[waterway::test]
fn functions_are_called_at_their_own_times() {
    const SLOTS: [u64; 13] = [5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0];
    let _bound = bound();
    let (tx, rx) = chan(SLOTS.len());
    for slot in SLOTS {
        let (tx, set) = (tx.clone(), Instant::now());
        after_func(ms(slot * 10), move || {
            tx.send((slot, set.elapsed())).unwrap();
        });
    }
    for (slot, took) in rx.iter().take(SLOTS.len()) {
        assert!(took >= ms(slot * 10), "slot {slot} took {took:?}");
    }
}

/// Go: TestTimerStopStress (sleep_test.go). 100 functions stopped half-way.
#[waterway::test]
fn many_functions_are_stopped() {
    let _bound = bound();
    let all = [(); 100].map(|()| {
        go(|| {
            let call = after_func(HOUR, || unreachable!());
            sleep(ms(10));
            assert!(call.stop());
        })
    });
    all.into_iter().for_each(|g| g.join().unwrap());
}

/// Go: TestZeroTimer (sleep_test.go), impl=func and impl=cache. Functions that are due at once are not missed. 1,000,000
/// rounds in Go, 2,000 here.
#[waterway::test]
fn functions_that_are_due_at_once() {
    let _bound = bound();
    let (cached, heard) = timer_func(HOUR);
    for _ in 0..2_000 {
        let (_timer, rx) = timer_func(Duration::ZERO);
        rx.recv_timeout(LONG).unwrap();
        cached.reset(Duration::ZERO);
        heard.recv_timeout(LONG).unwrap();
    }
}

/// Go: TestTimerModifiedEarlier (sleep_test.go), by functions as there. What is set to now, again and again, is called.
#[waterway::test]
fn functions_that_are_moved_to_now() {
    let _bound = bound();
    for _ in 0..200 {
        let (timer, rx) = timer_func(HOUR);
        for _ in 0..10 {
            if !timer.stop() {
                rx.recv().unwrap();
            }
            timer.reset(Duration::ZERO);
        }
        select! {
            recv(rx) -> at => assert!(at.is_ok()),
            default(LONG) => panic!("it was not called"),
        }
    }
}

/// Go: TestAdjustTimers (sleep_test.go), by functions as there. 100 of them, each taken through ten states, in an order that
/// differs each time.
#[waterway::test]
fn functions_that_are_moved_to_and_fro() {
    let _bound = bound();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut timers: Vec<_> = (0..100).map(|_| (timer_func(Duration::ZERO), 1)).collect();
    while !timers.is_empty() {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let at = seed as usize % timers.len();
        let ((timer, rx), state) = &mut timers[at];
        match *state {
            1 | 9 => drop(rx.recv_timeout(LONG).unwrap()),
            2 | 4 | 6 => assert!(!timer.reset(HOUR), "it was not set"),
            3 | 5 | 7 => assert!(timer.stop()),
            8 => assert!(!timer.reset(Duration::ZERO)),
            _ => {
                timers.swap_remove(at);
                continue;
            }
        }
        *state += 1;
    }
}

/// Go: TestStopResult, TestResetResult (sleep_test.go), by functions. Two race with who stops (or resets) the other: true
/// means that the other was never called for what was set then.
#[waterway::test]
fn what_stop_and_reset_say_of_functions() {
    let _bound = bound();
    for reset in [false, true] {
        for _ in 0..300 {
            let calls = Arc::new(AtomicUsize::new(0));
            let counted = calls.clone();
            let other = after_func(Duration::from_micros(20), move || {
                counted.fetch_add(1, Ordering::SeqCst);
            });
            let (_timer, rx) = timer_func(Duration::from_micros(20));
            rx.recv().unwrap();
            let in_time = match reset {
                true => other.reset(HOUR),
                false => other.stop(),
            };
            let expected = usize::from(!in_time);
            until(|| calls.load(Ordering::SeqCst) >= expected);
            assert_eq!(other.stop(), reset);
            assert_eq!(calls.load(Ordering::SeqCst), expected);
        }
    }
}
