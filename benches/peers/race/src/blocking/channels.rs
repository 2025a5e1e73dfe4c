//! Channels and locks, a few goroutines each.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Rival, Shared, all};
use crate::{Clock, Run, prime};

const CAP: usize = 128;
const SHARERS: usize = 4;

pub fn pingpong<R: Rival>(run: Run) {
    run.timed(|n| {
        let (ping, pings) = R::chan(0);
        let (pong, pongs) = R::chan(0);
        R::go(move || {
            while let Some(v) = R::recv(&pings) {
                R::send(&pong, v);
            }
        });
        for i in 0..n {
            R::send(&ping, i);
            R::recv(&pongs).expect("the other answers");
        }
    });
}

pub fn spsc<R: Rival>(run: Run) {
    run.timed(|n| {
        let (tx, rx) = R::chan(CAP);
        R::go(move || {
            (0..n).for_each(|i| {
                R::send(&tx, i);
            })
        });
        assert_eq!(drain::<R>(&rx), n);
    });
}

pub fn mpmc<R: Shared>(run: Run) {
    run.timed(|n| four_by_four::<R>(n, CAP));
}

pub fn mpmc0<R: Shared>(run: Run) {
    run.timed(|n| four_by_four::<R>(n, 0));
}

fn four_by_four<R: Shared>(n: usize, cap: usize) {
    let (tx, rx) = R::chan(cap);
    let receivers = R::group(SHARERS);
    let received = Arc::new(AtomicUsize::new(0));
    for _ in 0..SHARERS {
        let (tx, rx, receivers) = (tx.clone(), R::share(&rx), receivers.clone());
        let received = received.clone();
        R::go(move || {
            (0..n / SHARERS).for_each(|i| {
                R::send(&tx, i);
            })
        });
        R::go(move || {
            received.fetch_add(drain::<R>(&rx), Ordering::Relaxed);
            R::done(receivers);
        });
    }
    drop(tx);
    R::wait(receivers);
    assert_eq!(received.load(Ordering::Relaxed), n);
}

/// How many values come until the channel closes.
fn drain<R: Rival>(rx: &R::Rx<usize>) -> usize {
    let mut count = 0;
    while let Some(v) = R::recv(rx) {
        black_box(v);
        count += 1;
    }
    count
}

pub fn try_recv<R: Rival>(run: Run) {
    let (_tx, rx) = R::chan::<usize>(CAP);
    run.timed(|n| (0..n).for_each(|_| assert!(black_box(R::try_recv(&rx)).is_none())));
}

pub fn mutex<R: Rival>(run: Run) {
    mutex_of(run, &R::counter(), R::increment);
}

pub fn mutex8<R: Rival>(run: Run) {
    mutex8_of::<R, _>(run, R::counter, R::increment);
}

/// As `mutex`, with a lock that is not the rival's own.
pub fn mutex_of<C>(run: Run, counter: &C, increment: impl Fn(&C)) {
    run.timed(|n| (0..n).for_each(|_| increment(counter)));
}

/// As `mutex8`, with a lock that is not the rival's own.
pub fn mutex8_of<R: Rival, C: Send + Sync + 'static>(
    run: Run,
    counter: impl Fn() -> C,
    increment: impl Fn(&C) + Copy + Send + 'static,
) {
    run.timed(|n| {
        let counter = Arc::new(counter());
        all::<R>(8, move |_| (0..n / 8).for_each(|_| increment(&counter)));
    });
}

/// The prime sieve of Go's first programs: a goroutine for each prime found.
pub fn sieve<R: Rival>(run: Run) {
    let clock = Clock::start();
    let (tx, mut rx) = R::chan(0);
    R::go(move || {
        let mut i = 2_u32;
        while R::send(&tx, i) {
            i += 1;
        }
    });
    let mut last = 0;
    for _ in 0..run.n {
        let prime = R::recv(&rx).expect("numbers do not end");
        last = prime;
        let (tx, filtered) = R::chan(0);
        R::go(move || {
            while let Some(i) = R::recv(&rx) {
                if i % prime != 0 && !R::send(&tx, i) {
                    break;
                }
            }
        });
        rx = filtered;
    }
    clock.stop().ms("time");
    assert_eq!(last, prime(run.n));
}
