//! Select, as crossbeam and flume spell it.

use std::hint::black_box;
use std::thread;

pub mod crossbeam {
    use crossbeam_channel::{Receiver, Select, Sender, bounded, select};
    use race::{Clock, Run, arms};

    use super::{black_box, thread};

    /// Each channel gets its share of `n` values from a thread of its own. The senders stay with the caller, so that a
    /// channel whose share is sent does not close.
    fn fed<const K: usize>(n: usize, cap: usize) -> (Vec<Sender<usize>>, [Receiver<usize>; K]) {
        let (txs, rxs): (Vec<_>, Vec<_>) = (0..K).map(|_| bounded(cap)).unzip();
        for tx in txs.clone() {
            thread::spawn(move || {
                (0..n / K).for_each(|i| tx.send(i).expect("the selector receives"))
            });
        }
        (txs, rxs.try_into().expect("there are K"))
    }

    pub fn two(n: usize, cap: usize) {
        let (_txs, [a, b]) = fed(n, cap);
        for _ in 0..n {
            let value = select! {
                recv(a) -> v => v,
                recv(b) -> v => v,
            };
            black_box(value).expect("open");
        }
    }

    pub fn eight(n: usize, cap: usize) {
        let (_txs, [a, b, c, d, e, f, g, h]) = fed(n, cap);
        for _ in 0..n {
            let value = select! {
                recv(a) -> v => v,
                recv(b) -> v => v,
                recv(c) -> v => v,
                recv(d) -> v => v,
                recv(e) -> v => v,
                recv(f) -> v => v,
                recv(g) -> v => v,
                recv(h) -> v => v,
            };
            black_box(value).expect("open");
        }
    }

    /// Two empty channels and a default.
    pub fn default(n: usize) {
        let (_a, from_a) = bounded::<usize>(0);
        let (_b, from_b) = bounded::<usize>(0);
        for _ in 0..n {
            let idle = select! {
                recv(from_a) -> _ => false,
                recv(from_b) -> _ => false,
                default => true,
            };
            assert!(black_box(idle));
        }
    }

    /// One thread sends to so many unbuffered channels in turn.
    pub fn scaling(run: Run) {
        for (arms, metric) in arms() {
            let n = run.n / arms;
            let (txs, rxs): (Vec<_>, Vec<_>) = (0..arms).map(|_| bounded::<usize>(0)).unzip();
            thread::spawn(move || {
                for i in 0..n {
                    txs[i % arms].send(i).expect("the selector receives");
                }
            });
            let clock = Clock::start();
            let mut set = Select::new();
            rxs.iter().for_each(|rx| {
                set.recv(rx);
            });
            for _ in 0..n {
                let chosen = set.select();
                let rx = &rxs[chosen.index()];
                black_box(chosen.recv(rx)).expect("open");
            }
            clock.stop().per_op(&metric, n);
        }
    }
}

/// The same with flume, whose selector is made anew for each choice.
pub fn flume<const K: usize>(n: usize, cap: usize) {
    let (txs, rxs): (Vec<_>, Vec<_>) = (0..K).map(|_| flume::bounded(cap)).unzip();
    for tx in txs.clone() {
        thread::spawn(move || (0..n / K).for_each(|i| tx.send(i).expect("the selector receives")));
    }
    for _ in 0..n {
        let selector = rxs
            .iter()
            .fold(flume::Selector::new(), |set, rx| set.recv(rx, |v| v));
        black_box(selector.wait()).expect("open");
    }
}
