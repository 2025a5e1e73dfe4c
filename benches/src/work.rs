//! The workloads, as a user would write them.

use std::time::Instant;

use waterway::sync::WaitGroup;
use waterway::{chan, go, select};

const N: usize = 400_000;

/// Nanoseconds an operation.
pub fn measure(name: &str) -> f64 {
    let work = match name {
        "pingpong" => pingpong,
        "spsc" => spsc,
        "spawn" => spawn,
        "select" => select_two,
        other => panic!("no workload {other:?}: there are pingpong, spsc, spawn and select"),
    };
    let timed = go(move || {
        work(N / 10);
        let begin = Instant::now();
        work(N);
        begin.elapsed()
    });
    timed.join().expect("the work does not panic").as_nanos() as f64 / N as f64
}

fn pingpong(n: usize) {
    let (ping, pings) = chan(0);
    let (pong, pongs) = chan(0);
    go(move || {
        pings
            .iter()
            .for_each(|v| pong.send(v).expect("main receives"))
    });
    for i in 0..n {
        ping.send(i).expect("the other goroutine receives");
        pongs.recv().expect("and answers");
    }
}

fn spsc(n: usize) {
    let (tx, rx) = chan(128);
    go(move || (0..n).for_each(|i| tx.send(i).expect("main receives")));
    assert_eq!(rx.iter().count(), n);
}

fn spawn(n: usize) {
    for _ in 0..n / 1000 {
        let group = WaitGroup::new();
        group.add(1000);
        for _ in 0..1000 {
            let group = group.clone();
            go(move || group.done());
        }
        group.wait();
    }
}

fn select_two(n: usize) {
    let (a, from_a) = chan(0);
    let (b, from_b) = chan(0);
    // Kept here, so that a channel whose share is sent does not close.
    for tx in [a.clone(), b.clone()] {
        go(move || (0..n / 2).for_each(|i| tx.send(i).expect("the selector receives")));
    }
    let selector = go(move || {
        for _ in 0..n {
            let value = select! {
                recv(from_a) -> v => v,
                recv(from_b) -> v => v,
            };
            std::hint::black_box(value).expect("both send their share");
        }
    });
    selector.join().expect("no panic");
    drop((a, b));
}
