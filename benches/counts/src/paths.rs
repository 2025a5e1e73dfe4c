//! The paths, each walked `n` times.

use std::hint::black_box;
use std::time::Duration;

use waterway::sync::{Mutex, WaitGroup};
use waterway::time::Timer;
use waterway::{chan, go, select, yield_now};

/// Goroutines that are started before any is waited for.
const BATCH: u64 = 100;

type Path = fn(u64);

pub const ALL: &[(&str, Path)] = &[
    ("spawn", spawn),
    ("yield", switch),
    ("buffered", buffered),
    ("handover", handover),
    ("select", |n| select_two(n, 0)),
    ("select_ring", |n| select_two(n, 128)),
    ("lock", lock),
    ("timer", timer),
];

/// Start, finish, wait group.
fn spawn(n: u64) {
    for _ in 0..n / BATCH {
        let group = WaitGroup::new();
        group.add(BATCH as isize);
        for _ in 0..BATCH {
            let group = group.clone();
            go(move || group.done());
        }
        group.wait();
    }
}

/// From one goroutine to another, and back.
fn switch(n: u64) {
    let other = go(move || (0..n / 2).for_each(|_| yield_now()));
    (0..n / 2).for_each(|_| yield_now());
    other.join().expect("it only yields");
}

/// Send and receive, where nobody waits.
fn buffered(n: u64) {
    let (tx, rx) = chan(8);
    for i in 0..n {
        tx.send(i).expect("the receiver is here");
        black_box(rx.recv()).expect("so is the sender");
    }
}

/// A value from one goroutine to another that waits for it.
fn handover(n: u64) {
    let (tx, rx) = chan(0);
    go(move || (0..n).for_each(|i| tx.send(i).expect("main receives")));
    assert_eq!(rx.iter().count() as u64, n);
}

/// A value by select over two channels.
fn select_two(n: u64, capacity: usize) {
    let (a, from_a) = chan(capacity);
    let (b, from_b) = chan(capacity);
    for tx in [a.clone(), b.clone()] {
        go(move || (0..n / 2).for_each(|i| tx.send(i).expect("the selector receives")));
    }
    for _ in 0..n {
        let value = select! {
            recv(from_a) -> v => v,
            recv(from_b) -> v => v,
        };
        black_box(value).expect("open");
    }
    drop((a, b));
}

/// Lock and unlock, where nobody else does.
fn lock(n: u64) {
    let counter = Mutex::new(0);
    (0..n).for_each(|_| *counter.lock() += 1);
    assert_eq!(*counter.lock(), n);
}

/// Set and stop.
fn timer(n: u64) {
    for _ in 0..n {
        let timer = Timer::new(Duration::from_secs(3600));
        assert!(timer.stop());
    }
}
