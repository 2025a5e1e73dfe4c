//! Go's `time/sleep_test.go`. What is about `AfterFunc` stands in `go_after_func.rs`.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use waterway::sync::WaitGroup;
use waterway::time::{Ticker, Timer, after, sleep};
use waterway::{RecvTimeoutError, chan, go, scope, select, yield_now};
use waterway_conformance::{LONG, blocked, bound};

const HOUR: Duration = Duration::from_secs(3600);

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Go: TestSleep (sleep_test.go). It takes at least as long, also if something else happens meanwhile.
#[waterway::test]
fn sleep_lasts() {
    let _bound = bound();
    let start = Instant::now();
    let other = go(|| sleep(ms(25)));
    sleep(ms(50));
    assert!(start.elapsed() >= ms(50));
    other.join().unwrap();
}

/// Go: TestTickerStress (sleep_test.go), with a goroutine that gives way all the time in place of the collector.
#[waterway::test]
fn a_ticker_beside_somebody_who_yields() {
    let _bound = bound();
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let other = go(move || {
        while !told.load(Ordering::Relaxed) {
            sleep(Duration::from_nanos(1));
        }
    });
    let ticker = Ticker::new(Duration::from_nanos(1));
    assert_eq!(ticker.channel().iter().take(100).count(), 100);
    ticker.stop();
    stop.store(true, Ordering::Relaxed);
    other.join().unwrap();
}

/// Go: TestTickerConcurrentStress (sleep_test.go).
#[waterway::test]
fn ten_hear_one_ticker() {
    let _bound = bound();
    let ticker = Ticker::new(Duration::from_nanos(1));
    scope(|s| {
        for _ in 0..10 {
            s.go(|| assert_eq!(ticker.channel().iter().take(100).count(), 100));
        }
    });
}

/// Go: TestAfterFuncStarvation (sleep_test.go), with a timer's goroutine in place of `AfterFunc`'s: two that hand over to each other all
/// the time do not keep a timer's goroutine from running.
#[waterway::test]
fn a_timer_beside_two_that_hand_over() {
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
    let timer = go(move || {
        after(Duration::from_micros(1)).recv().unwrap();
        stop.store(true, Ordering::Relaxed);
    });
    [sender, receiver, timer]
        .into_iter()
        .for_each(|g| g.join().unwrap());
}

/// Go: TestAfter (sleep_test.go).
#[waterway::test]
fn after_lasts() {
    let _bound = bound();
    let start = Instant::now();
    let end = after(ms(50)).recv().unwrap();
    assert!(start.elapsed() >= ms(50));
    assert!(end >= start + ms(50));
}

/// Go: TestAfterTick (sleep_test.go). The upper bound, three times as long, is left to faster machines.
#[waterway::test]
fn ten_times_after() {
    let _bound = bound();
    let start = Instant::now();
    (0..10).for_each(|_| assert!(after(ms(10)).recv().is_ok()));
    assert!(start.elapsed() >= ms(100));
}

/// Go: TestAfterStop (sleep_test.go), impl=chan. A timer that was stopped does not fire when later ones do.
#[waterway::test]
fn a_stopped_timer_stays_silent() {
    let _bound = bound();
    let first = Timer::new(HOUR);
    let second = Timer::new(HOUR);
    first.reset(ms(20)); // stopped before it is due, unless this goroutine is kept waiting: then it is silent all the same
    first.stop();
    assert!(second.stop());
    after(ms(40)).recv().unwrap();
    assert!(first.channel().try_recv().is_err());
    assert!(second.channel().try_recv().is_err());
    assert!(!second.stop(), "it can be stopped once");
}

/// Go: TestAfterQueuing (sleep_test.go), impl=chan. However timers stand in the queue, each fires at its own time. Judged by
/// the times that they give, so that no machine is too slow.
#[waterway::test]
fn timers_fire_at_their_own_times() {
    const SLOTS: [u64; 13] = [5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0];
    let _bound = bound();
    let (tx, rx) = chan(SLOTS.len());
    for slot in SLOTS {
        let before = Instant::now();
        let timer = after(ms(slot * 10));
        let set = before..=Instant::now();
        let tx = tx.clone();
        go(move || {
            tx.send((slot, timer.recv().unwrap() - ms(slot * 10), set))
                .unwrap()
        });
    }
    for (slot, set_at, set) in rx.iter().take(SLOTS.len()) {
        assert!(set.contains(&set_at), "slot {slot}: {set_at:?}, {set:?}");
    }
}

/// Go: TestTimerStopStress (sleep_test.go). 100 timers stopped half-way; by channels.
#[waterway::test]
fn many_timers_are_stopped() {
    let _bound = bound();
    let all = [(); 100].map(|()| {
        go(|| {
            let timer = Timer::new(HOUR);
            sleep(ms(10));
            assert!(timer.stop());
            assert!(timer.channel().try_recv().is_err());
        })
    });
    all.into_iter().for_each(|g| g.join().unwrap());
}

/// Go: TestSleepZeroDeadlock (sleep_test.go).
#[waterway::test]
fn sleeping_for_no_time() {
    let _bound = bound();
    let other = go(|| (0..100).for_each(|_| yield_now()));
    for _ in 0..100 {
        sleep(Duration::ZERO);
        let (tx, rx) = chan(1);
        tx.send(true).unwrap();
        assert_eq!(rx.recv(), Ok(true));
    }
    other.join().unwrap();
}

/// Go: TestReset (sleep_test.go).
#[waterway::test]
fn reset_moves_a_timer() {
    let _bound = bound();
    let timer = Timer::new(ms(1));
    timer.reset(HOUR);
    sleep(ms(5));
    assert_eq!(
        timer.channel().recv_timeout(ms(1)),
        Err(RecvTimeoutError::Timeout)
    );
    let start = Instant::now();
    assert!(timer.reset(ms(20)), "it was set");
    assert!(timer.channel().recv().unwrap() >= start + ms(20));
    assert!(!timer.reset(ms(5)), "it had fired and was heard");
    timer.channel().recv().unwrap();
}

/// Go: TestOverflowSleep (sleep_test.go). Durations that no clock can count last, and do no harm to others. There are no
/// negative ones; the shortest is zero.
#[waterway::test]
fn a_sleep_without_end() {
    let _bound = bound();
    let sleeper = blocked("sleep", || sleep(Duration::MAX));
    select! {
        recv(after(Duration::MAX)) -> _ => panic!("it has fired"),
        recv(after(ms(25))) -> v => assert!(v.is_ok()),
    }
    assert!(!sleeper.is_finished());
    select! {
        recv(after(Duration::ZERO)) -> v => assert!(v.is_ok()),
        recv(after(LONG)) -> _ => panic!("no time has not passed"),
    }
}

/// Go: TestZeroTimer (sleep_test.go), impl=chan and impl=cache. Timers that are due at once are not missed. 1,000,000 rounds
/// in Go, 5,000 here.
#[waterway::test]
fn timers_that_are_due_at_once() {
    let _bound = bound();
    let again = Timer::new(HOUR);
    for _ in 0..5_000 {
        let timer = Timer::new(Duration::ZERO);
        timer.channel().recv_timeout(LONG).expect("it fires");
        again.reset(Duration::ZERO);
        again.channel().recv_timeout(LONG).expect("it fires again");
    }
}

/// Go: TestTimerModifiedEarlier (sleep_test.go). A timer that is set to now, again and again, fires in the end.
#[waterway::test]
fn timers_that_are_moved_to_now() {
    let _bound = bound();
    for _ in 0..1000 {
        let timer = Timer::new(HOUR);
        for _ in 0..10 {
            timer.stop();
            timer.reset(Duration::ZERO);
        }
        timer.channel().recv_timeout(LONG).expect("it fires");
    }
}

/// Go: TestAdjustTimers (sleep_test.go). 100 timers, each taken through ten states, in an order that differs each time: none
/// is lost when its neighbours are moved to and fro.
#[waterway::test]
fn timers_that_are_moved_to_and_fro() {
    let _bound = bound();
    let timers: Vec<_> = (0..100).map(|_| Timer::new(Duration::ZERO)).collect();
    let mut left: Vec<(usize, usize)> = (0..timers.len()).map(|n| (n, 0)).collect();
    let mut dice = 12345_usize;
    while !left.is_empty() {
        dice = dice
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let at = (dice >> 33) % left.len();
        let (number, state) = left[at];
        let timer = &timers[number];
        left[at].1 += 1;
        match state {
            0 | 8 => assert!(timer.channel().recv_timeout(LONG).is_ok(), "it fires"),
            1 | 3 | 5 => assert!(!timer.reset(ms(60_000 * state as u64)), "it was not set"),
            2 | 4 | 6 => assert!(timer.stop(), "it was set"),
            7 => assert!(!timer.reset(Duration::ZERO), "it was not set"),
            _ => drop(left.swap_remove(at)),
        }
    }
}

/// Go: TestStopResult, TestResetResult (sleep_test.go). Two timers due at the same time race with the one who hears one of
/// them and stops (resets) the other. If that says that the other one was not pending, its time can be received: true means
/// that it never will be. 1,000 by 100 in Go, 20 by 50 here.
fn stop_says_whether_a_time_comes(stop: fn(&Timer) -> bool) {
    let all = [(); 20].map(|()| {
        go(move || {
            for _ in 0..50 {
                let timers = [Timer::new(ms(1)), Timer::new(ms(1))];
                let other = select! {
                    recv(timers[0].channel()) -> _ => &timers[1],
                    recv(timers[1].channel()) -> _ => &timers[0],
                };
                if !stop(other) {
                    let heard = other.channel().recv_timeout(LONG);
                    assert!(
                        heard.is_ok(),
                        "it was not pending, and its time never comes"
                    );
                }
            }
        })
    });
    all.into_iter().for_each(|g| g.join().unwrap());
}

/// Go: TestStopResult (sleep_test.go, issue 69312).
#[waterway::test]
fn stop_result() {
    let _bound = bound();
    stop_says_whether_a_time_comes(Timer::stop);
}

/// Go: TestResetResult (sleep_test.go, issue 69312).
#[waterway::test]
fn reset_result() {
    let _bound = bound();
    stop_says_whether_a_time_comes(|timer| timer.reset(HOUR));
}

/// Go: TestMultiWakeupTicker (sleep_test.go). Many selects wait for one ticker, each beside a timer of its own. 100,000
/// rounds each in Go, 500 here.
#[waterway::test]
fn many_wait_for_one_ticker() {
    let _bound = bound();
    let ticker = Ticker::new(Duration::from_micros(1));
    scope(|s| {
        for _ in 0..4 {
            s.go(|| {
                for _ in 0..500 {
                    select! {
                        recv(ticker.channel()) -> v => assert!(v.is_ok()),
                        recv(after(ms(1))) -> v => assert!(v.is_ok()),
                    }
                }
            });
        }
    });
}

/// Go: TestMultiWakeupTimer (sleep_test.go). Many set one timer anew all the time. 10,000 rounds each in Go, 2,000 here.
#[waterway::test]
fn many_set_one_timer() {
    let _bound = bound();
    let timer = Timer::new(Duration::from_nanos(1));
    scope(|s| {
        for _ in 0..4 {
            s.go(|| {
                for _ in 0..2_000 {
                    select! { recv(timer.channel()) -> v => assert!(v.is_ok()), default => {} }
                    timer.reset(Duration::from_nanos(1));
                }
            });
        }
    });
    timer
        .channel()
        .recv_timeout(LONG)
        .expect("it fires after all");
}

/// Go: TestLongAdjustTimers (tick_test.go). Many sleepers at once; then a queue between two channels, with a time-out made
/// for each receive, is not slowed down by what is left in the heap. 5,000 sleepers and 50,000 rounds in Go, 1,000 and 300
/// here.
#[waterway::test]
fn many_sleepers_then_many_timeouts() {
    let _bound = bound();
    let sleepers = WaitGroup::new();
    for _ in 0..1_000 {
        sleepers.go(|| sleep(Duration::from_micros(10)));
    }
    let ((in_tx, in_rx), (out_tx, out_rx)) = (chan(0), chan(0));
    let queue = go(move || {
        let mut kept = std::collections::VecDeque::new();
        let (nobody, _receiver) = chan(0);
        loop {
            let to = if kept.is_empty() { &nobody } else { &out_tx };
            select! {
                send(to, kept.pop_front().expect("there is one")) -> r => r.unwrap(),
                recv(in_rx) -> v => match v {
                    Ok(v) => kept.push_back(v),
                    Err(_) => return kept.len(),
                },
            }
        }
    });
    for _ in 0..300 {
        (0..20).for_each(|n| in_tx.send(n).unwrap());
        for n in 0..20 {
            select! {
                recv(out_rx) -> v => assert_eq!(v, Ok(n)),
                recv(after(LONG)) -> _ => panic!("the queue stands still"),
            }
        }
    }
    drop(in_tx);
    assert_eq!(queue.join().unwrap(), 0);
    sleepers.wait();
}
