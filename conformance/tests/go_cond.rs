//! Go's `sync/cond_test.go`.

#![forbid(unsafe_code)]

use std::sync::Arc;

use waterway::sync::{Condvar, Mutex};
use waterway::{chan, go, select, yield_now};
use waterway_conformance::bound;

/// Go: TestCondSignal (cond_test.go). Each signal wakes one, and only one.
#[waterway::test]
fn each_signal_wakes_one() {
    const N: usize = 2;
    let _bound = bound();
    let pair = Arc::new((Mutex::new(()), Condvar::new()));
    let ((running, runs), (awake, woken)) = (chan(N), chan(N));
    for _ in 0..N {
        let (pair, running, awake) = (pair.clone(), running.clone(), awake.clone());
        go(move || {
            let mut guard = pair.0.lock();
            running.send(()).unwrap();
            pair.1.wait(&mut guard);
            awake.send(()).unwrap();
        });
    }
    assert_eq!(runs.iter().take(N).count(), N);
    for _ in 0..N {
        select! { recv(woken) -> _ => panic!("not asleep"), default => {} }
        let guard = pair.0.lock();
        pair.1.notify_one();
        drop(guard);
        woken.recv().unwrap();
        select! { recv(woken) -> _ => panic!("too many are awake"), default => {} }
    }
    pair.1.notify_one();
}

/// Go: TestCondSignalGenerations (cond_test.go). Who waits first is woken first.
#[waterway::test]
fn signals_come_in_the_order_of_waiting() {
    const N: usize = 100;
    let _bound = bound();
    let pair = Arc::new((Mutex::new(()), Condvar::new()));
    let ((running, runs), (awake, woken)) = (chan(N), chan(N));
    for n in 0..N {
        let (waits, running, awake) = (pair.clone(), running.clone(), awake.clone());
        go(move || {
            let mut guard = waits.0.lock();
            running.send(()).unwrap();
            waits.1.wait(&mut guard);
            awake.send(n).unwrap();
        });
        if n > 0 {
            assert_eq!(woken.recv(), Ok(n - 1), "the wrong one woke up");
        }
        runs.recv().unwrap();
        let guard = pair.0.lock();
        pair.1.notify_one();
        drop(guard);
    }
    assert_eq!(woken.recv(), Ok(N - 1));
}

/// Go: TestCondBroadcast (cond_test.go). A broadcast wakes everybody once, again and again.
#[waterway::test]
fn a_broadcast_wakes_each_once() {
    const N: usize = 50;
    let _bound = bound();
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let ((running, runs), (awake, woken)) = (chan(N), chan(N));
    for n in 0..N {
        let (pair, running, awake) = (pair.clone(), running.clone(), awake.clone());
        go(move || {
            let mut exit = pair.0.lock();
            while !*exit {
                running.send(n).unwrap();
                pair.1.wait(&mut exit);
                awake.send(n).unwrap();
            }
        });
    }
    for round in 0..N {
        assert_eq!(runs.iter().take(N).count(), N, "all run");
        *pair.0.lock() = round == N - 1;
        select! { recv(woken) -> _ => panic!("not asleep"), default => {} }
        let guard = pair.0.lock();
        pair.1.notify_all();
        drop(guard);
        let mut seen = [false; N];
        for n in woken.iter().take(N) {
            assert!(!std::mem::replace(&mut seen[n], true), "{n} woke up twice");
        }
    }
    select! { recv(runs) -> _ => panic!("did not end"), default => {} }
    pair.1.notify_all();
}

/// Go: TestRace (cond_test.go). Three hand a number on, by waiting and by looking.
#[waterway::test]
fn three_hand_a_number_on() {
    let _bound = bound();
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let own = pair.clone();
    let first = go(move || {
        let mut x = own.0.lock();
        *x = 1;
        own.1.wait(&mut x);
        assert_eq!(*x, 2);
        *x = 3;
        own.1.notify_one();
    });
    let own = pair.clone();
    let second = go(move || {
        loop {
            let mut x = own.0.lock();
            if *x == 1 {
                *x = 2;
                own.1.notify_one();
                return;
            }
            drop(x);
            yield_now();
        }
    });
    let third = go(move || {
        loop {
            let mut x = pair.0.lock();
            if *x == 2 {
                pair.1.wait(&mut x);
                assert_eq!(*x, 3);
                return;
            }
            if *x == 3 {
                return;
            }
            drop(x);
            yield_now();
        }
    });
    [first, second, third]
        .into_iter()
        .for_each(|handle| handle.join().unwrap());
}

/// Go: TestCondSignalStealing (cond_test.go). One who waits already is woken by a broadcast, whoever comes meanwhile.
#[waterway::test]
fn a_newcomer_does_not_take_the_signal() {
    let _bound = bound();
    for _ in 0..300 {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let (tx, rx) = chan(0);
        let waits = pair.clone();
        go(move || {
            let mut guard = waits.0.lock();
            tx.send(()).unwrap();
            waits.1.wait(&mut guard);
            drop(guard);
            tx.send(()).unwrap();
        });
        rx.recv().unwrap();
        // It is in its wait: it gave the lock up.
        drop(pair.0.lock());
        let wakes = pair.clone();
        go(move || wakes.1.notify_all());
        let comes = pair.clone();
        let newcomer = go(move || {
            let mut done = comes.0.lock();
            comes.1.wait_while(&mut done, |done| !*done);
        });
        rx.recv().expect("the first is woken");
        *pair.0.lock() = true;
        pair.1.notify_all();
        newcomer.join().unwrap();
    }
}
