//! Channels and locks, a few tasks each.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use race::{Clock, Run, prime};
use tokio::sync::mpsc;

use crate::kinds::{Kind, Shared};
use crate::{Group, all};

const CAP: usize = 128;
const SHARERS: usize = 4;

pub async fn pingpong<K: Kind>(n: usize) {
    let (ping, mut pings) = K::chan(0);
    let (pong, mut pongs) = K::chan(0);
    tokio::spawn(async move {
        while let Some(v) = K::recv(&mut pings).await {
            K::send(&pong, v).await;
        }
    });
    for i in 0..n {
        K::send(&ping, i).await;
        K::recv(&mut pongs).await.expect("the other answers");
    }
}

pub async fn spsc<K: Kind>(n: usize) {
    let (tx, mut rx) = K::chan(CAP);
    tokio::spawn(async move {
        for i in 0..n {
            K::send(&tx, i).await;
        }
    });
    assert_eq!(drain::<K>(&mut rx).await, n);
}

pub async fn mpmc<K: Shared>(n: usize) {
    four_by_four::<K>(n, CAP).await;
}

pub async fn mpmc0<K: Shared>(n: usize) {
    four_by_four::<K>(n, 0).await;
}

async fn four_by_four<K: Shared>(n: usize, cap: usize) {
    let (tx, rx) = K::chan(cap);
    let receivers = Group::new(SHARERS);
    let received = Arc::new(AtomicUsize::new(0));
    for _ in 0..SHARERS {
        let (tx, mut rx, receivers) = (tx.clone(), K::share(&rx), receivers.clone());
        let received = received.clone();
        tokio::spawn(async move {
            for i in 0..n / SHARERS {
                K::send(&tx, i).await;
            }
        });
        tokio::spawn(async move {
            received.fetch_add(drain::<K>(&mut rx).await, Ordering::Relaxed);
            receivers.done();
        });
    }
    drop(tx);
    receivers.wait().await;
    assert_eq!(received.load(Ordering::Relaxed), n);
}

/// How many values come until the channel closes.
async fn drain<K: Kind>(rx: &mut K::Rx<usize>) -> usize {
    let mut count = 0;
    while let Some(v) = K::recv(rx).await {
        black_box(v);
        count += 1;
    }
    count
}

pub async fn try_recv(n: usize) {
    let (_tx, mut rx) = mpsc::channel::<usize>(CAP);
    (0..n).for_each(|_| assert!(black_box(rx.try_recv()).is_err()));
}

pub async fn mutex(n: usize) {
    let counter = tokio::sync::Mutex::new(0_u64);
    for _ in 0..n {
        *counter.lock().await += 1;
    }
    black_box(counter);
}

pub async fn mutex_std(n: usize) {
    let counter = std::sync::Mutex::new(0_u64);
    (0..n).for_each(|_| *counter.lock().expect("nobody panics") += 1);
    black_box(counter);
}

pub async fn mutex8(n: usize) {
    let counter = Arc::new(tokio::sync::Mutex::new(0_u64));
    let work = |_| {
        let counter = counter.clone();
        async move {
            for _ in 0..n / 8 {
                *counter.lock().await += 1;
            }
        }
    };
    all(8, work).await;
}

pub async fn mutex8_std(n: usize) {
    let counter = Arc::new(std::sync::Mutex::new(0_u64));
    let work = |_| {
        let counter = counter.clone();
        async move { (0..n / 8).for_each(|_| *counter.lock().expect("nobody panics") += 1) }
    };
    all(8, work).await;
}

/// The prime sieve of Go's first programs: a task for each prime found.
pub async fn sieve<K: Kind>(run: Run) {
    let clock = Clock::start();
    let (tx, mut rx) = K::chan(0);
    tokio::spawn(async move {
        let mut i = 2_u32;
        while K::send(&tx, i).await {
            i += 1;
        }
    });
    let mut last = 0;
    for _ in 0..run.n {
        let prime = K::recv(&mut rx).await.expect("numbers do not end");
        last = prime;
        let (tx, filtered) = K::chan(0);
        tokio::spawn(async move {
            while let Some(i) = K::recv(&mut rx).await {
                if i % prime != 0 && !K::send(&tx, i).await {
                    break;
                }
            }
        });
        rx = filtered;
    }
    clock.stop().ms("time");
    assert_eq!(last, prime(run.n));
}
