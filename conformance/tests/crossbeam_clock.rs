//! What crossbeam-channel's `after.rs`, `tick.rs` and `never.rs` check. Times are judged by those that the channels give, so
//! that no machine is too slow.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use waterway::chan::{never, unbounded};
use waterway::time::{after, sleep, tick};
use waterway::{Receiver, RecvTimeoutError, Select, TryRecvError, scope, select};
use waterway_conformance::{Crew, LONG, Member, bound, until};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// crossbeam: fire, recv (after). Not before its time, with its time, and once.
#[waterway::test]
fn after_fires_once() {
    let _bound = bound();
    let start = Instant::now();
    let rx = after(ms(20));
    let fired = rx.recv().unwrap();
    assert!(fired >= start + ms(20) && fired <= Instant::now());
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    select! { recv(rx) -> _ => unreachable!(), default => {} }
    select! { recv(rx) -> _ => unreachable!(), recv(after(ms(20))) -> v => assert!(v.is_ok()) }
}

/// crossbeam: fire, recv, intervals (tick). Ticks come at multiples of the period; one that nobody takes is kept, and those
/// after it are left out.
#[waterway::test]
fn ticks_come_at_multiples() {
    let _bound = bound();
    let before = Instant::now();
    let rx = tick(ms(10));
    let set = before..=Instant::now();
    assert_eq!(rx.recv().map(|at| set.contains(&(at - ms(10)))), Ok(true));
    sleep(ms(65));
    let kept = rx.try_recv().unwrap();
    assert!(set.contains(&(kept - ms(20))), "the oldest is kept");
    let mut last = kept;
    for at in rx.iter().take(3) {
        let periods = (at - last).as_nanos() as f64 / ms(10).as_nanos() as f64;
        assert!(periods >= 1.0 && periods.fract() == 0.0, "{periods}");
        last = at;
    }
}

/// crossbeam: capacity, len_empty_full (after, tick).
#[waterway::test]
fn capacity_and_length_of_clocks() {
    let _bound = bound();
    for rx in [after(ms(5)), tick(ms(5))] {
        assert_eq!(rx.capacity(), Some(1));
        until(|| rx.len() == 1);
        assert!(!rx.is_empty() && rx.is_full());
        rx.try_recv().unwrap();
    }
    let rx = after(Duration::from_secs(3600));
    assert_eq!((rx.len(), rx.is_empty(), rx.is_full()), (0, true, false));
}

/// crossbeam: capacity, len_empty_full, smoke, try_recv, recv_timeout (never). There its capacity is 0.
#[waterway::test]
fn never_is_empty() {
    let _bound = bound();
    let rx = never::<i32>();
    assert_eq!((rx.len(), rx.is_empty()), (0, true));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    let start = Instant::now();
    for n in 1..3 {
        assert_eq!(rx.recv_timeout(ms(5)), Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= n * ms(5));
    }
    select! { recv(rx) -> _ => unreachable!(), default => {} }
}

/// crossbeam: optional, tick_n (never). In place of an arm that is not wanted.
#[waterway::test]
fn never_in_place_of_an_arm() {
    let _bound = bound();
    let (tx, rx) = unbounded();
    tx.send(1).unwrap();
    let nothing = never();
    for wanted in [Some(&rx), None] {
        let got = select! { recv(wanted.unwrap_or(&nothing)) -> v => v.ok(), default => None };
        assert_eq!(got, wanted.map(|_| 1));
    }
    let mut ticks = tick(ms(1));
    let mut count = 0;
    loop {
        select! { recv(ticks) -> _ => count += 1, default(ms(50)) => break }
        if count == 10 {
            ticks = never();
        }
    }
    assert!(count <= 10, "{count}");
}

/// crossbeam: try_recv, recv_timeout (after, tick).
#[waterway::test]
fn tries_and_timeouts() {
    let _bound = bound();
    for rx in [
        after(Duration::from_secs(3600)),
        tick(Duration::from_secs(3600)),
    ] {
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(rx.recv_timeout(ms(5)), Err(RecvTimeoutError::Timeout));
    }
    for rx in [after(ms(10)), tick(ms(10))] {
        let start = Instant::now();
        assert!(rx.recv_timeout(LONG).unwrap() <= start + ms(10));
    }
    let rx = after(ms(1));
    rx.recv().unwrap();
    assert_eq!(
        rx.recv_timeout(ms(10)),
        Err(RecvTimeoutError::Timeout),
        "it fires once"
    );
}

/// crossbeam: recv_two (after, tick). Two clocks for two who select.
#[waterway::test]
fn two_clocks_for_two() {
    let _bound = bound();
    let clocks = |clock: fn(Duration) -> Receiver<Instant>, turns: usize| {
        let (first, second) = (clock(ms(5)), clock(ms(5)));
        scope(|s| {
            for _ in 0..2 {
                s.go(|| {
                    for _ in 0..turns {
                        select! { recv(first) -> v => assert!(v.is_ok()), recv(second) -> v => assert!(v.is_ok()) }
                    }
                });
            }
        });
    };
    clocks(after, 1);
    clocks(tick, 10);
}

/// crossbeam: recv_race (after, tick). The earlier of two ends a select.
#[waterway::test]
fn the_earlier_of_two() {
    const HOUR: Duration = Duration::from_secs(3600);
    let _bound = bound();
    select! { recv(after(ms(5))) -> _ => {}, recv(after(HOUR)) -> _ => unreachable!() }
    select! { recv(after(HOUR)) -> _ => unreachable!(), recv(after(ms(5))) -> _ => {} }
    select! { recv(tick(ms(5))) -> _ => {}, recv(tick(HOUR)) -> _ => unreachable!() }
    select! { recv(tick(HOUR)) -> _ => unreachable!(), recv(tick(ms(5))) -> _ => {} }
}

/// crossbeam: stress_default (after, tick). One that is not due gives way to the default. There one of no time goes before
/// it; here a timer has to fire first, in the order of its worker.
#[waterway::test]
fn clocks_and_defaults() {
    const HOUR: Duration = Duration::from_secs(3600);
    let _bound = bound();
    for _ in 0..10 {
        select! { recv(after(HOUR)) -> _ => unreachable!(), default => {} }
        select! { recv(tick(HOUR)) -> _ => unreachable!(), default => {} }
        let due = after(Duration::ZERO);
        until(|| select! { recv(due) -> v => v.is_ok(), default => false });
    }
}

/// Four listen to many timers, each with `turn` again and again, until all were heard: each is heard once.
fn four_listen(turn: fn(&[Receiver<Instant>], &Receiver<Instant>) -> bool) {
    for crew in Crew::ALL {
        let timers: Vec<_> = (0..100).map(|n| after(ms(n / 10))).collect();
        let heard = AtomicUsize::new(0);
        let listen = || {
            while heard.load(Ordering::Relaxed) < timers.len() {
                if turn(&timers, &after(ms(10))) {
                    heard.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        crew.run((0..4).map(|_| Box::new(listen) as Member<'_>));
        assert_eq!(heard.load(Ordering::Relaxed), timers.len(), "{crew:?}");
        assert!(
            timers.iter().all(|timer| timer.try_recv().is_err()),
            "{crew:?}"
        );
    }
}

/// crossbeam: select (after, tick).
#[test]
fn many_timers_are_selected() {
    let _bound = bound();
    four_listen(|timers, enough| {
        let mut select = Select::new();
        for timer in timers {
            select.recv(timer);
        }
        let timeout = select.recv(enough);
        let chosen = select.select();
        match chosen.index() {
            index if index == timeout => chosen.recv(enough).is_err(),
            index => chosen.recv(&timers[index]).is_ok(),
        }
    });
}

/// crossbeam: ready (after, tick).
#[test]
fn many_timers_are_ready() {
    let _bound = bound();
    four_listen(|timers, enough| {
        let mut select = Select::new();
        for timer in timers {
            select.recv(timer);
        }
        let timeout = select.recv(enough);
        match select.ready() {
            index if index == timeout => false,
            index => timers[index].try_recv().is_ok(),
        }
    });
}

/// crossbeam: stress_clone (after). Ends of a timer are cloned and dropped while it fires.
#[test]
fn clones_of_a_timer() {
    let _bound = bound();
    for round in 0..60 {
        let rx = after(Duration::from_micros(round * 20));
        let crew = Crew::ALL[round as usize % 3];
        let work = || {
            let rx = rx.clone();
            let _ = rx.try_recv();
            for _ in 0..20 {
                drop(rx.clone());
                waterway::yield_now();
            }
        };
        crew.run((0..6).map(|_| Box::new(work) as Member<'_>));
    }
}

/// crossbeam: fairness, fairness_duplicates (after, tick). Of several that are due each has its share, be they one or many.
#[waterway::test]
fn clocks_are_fair() {
    const TURNS: usize = 1_000;
    let _bound = bound();
    let mut hits = [0; 2];
    let mut same = [0; 5];
    for _ in 0..TURNS {
        let (first, second) = (after(Duration::ZERO), after(Duration::ZERO));
        until(|| !first.is_empty() && !second.is_empty());
        select! { recv(first) -> _ => hits[0] += 1, recv(second) -> _ => hits[1] += 1 }
        let rx = after(Duration::ZERO);
        select! {
            recv(rx) -> _ => same[0] += 1,
            recv(rx) -> _ => same[1] += 1,
            recv(rx) -> _ => same[2] += 1,
            recv(rx) -> _ => same[3] += 1,
            recv(rx) -> _ => same[4] += 1,
        }
    }
    assert!(hits.iter().all(|n| *n >= TURNS / 4), "{hits:?}");
    assert!(same.iter().all(|n| *n >= TURNS / 10), "{same:?}");
}
