//! Select over tokio's own channels.

use std::future::{poll_fn, ready};
use std::hint::black_box;
use std::task::Poll;

use race::{Clock, Run, arms};
use tokio::select;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Each channel gets its share of `n` values from a task of its own. The senders stay with the caller, so that a channel
/// whose share is sent does not close.
fn fed<const K: usize>(n: usize, cap: usize) -> (Vec<Sender<usize>>, [Receiver<usize>; K]) {
    let (txs, rxs): (Vec<_>, Vec<_>) = (0..K).map(|_| channel(cap)).unzip();
    for tx in txs.clone() {
        tokio::spawn(async move {
            for i in 0..n / K {
                tx.send(i).await.expect("the selector receives");
            }
        });
    }
    (txs, rxs.try_into().expect("there are K"))
}

pub async fn two(n: usize, cap: usize) {
    let (_txs, [mut a, mut b]) = fed(n, cap);
    let selector = tokio::spawn(async move {
        for _ in 0..n {
            let value = select! {
                v = a.recv() => v,
                v = b.recv() => v,
            };
            black_box(value).expect("open");
        }
    });
    selector.await.expect("no panic");
}

pub async fn eight(n: usize, cap: usize) {
    let (_txs, [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h]) = fed(n, cap);
    let selector = tokio::spawn(async move {
        for _ in 0..n {
            let value = select! {
                v = a.recv() => v,
                v = b.recv() => v,
                v = c.recv() => v,
                v = d.recv() => v,
                v = e.recv() => v,
                v = f.recv() => v,
                v = g.recv() => v,
                v = h.recv() => v,
            };
            black_box(value).expect("open");
        }
    });
    selector.await.expect("no panic");
}

/// Two empty channels, and a branch that is always ready.
pub async fn default(n: usize) {
    let (_a, mut from_a) = channel::<usize>(1);
    let (_b, mut from_b) = channel::<usize>(1);
    for _ in 0..n {
        let idle = select! {
            biased;
            _ = from_a.recv() => false,
            _ = from_b.recv() => false,
            () = ready(()) => true,
        };
        assert!(black_box(idle));
    }
}

/// One task sends to so many channels in turn.
pub async fn scaling(run: Run) {
    for (arms, metric) in arms() {
        let n = run.n / arms;
        let (txs, mut rxs): (Vec<_>, Vec<_>) = (0..arms).map(|_| channel::<usize>(1)).unzip();
        tokio::spawn(async move {
            for i in 0..n {
                txs[i % arms].send(i).await.expect("the selector receives");
            }
        });
        let clock = Clock::start();
        for _ in 0..n {
            let first = poll_fn(|cx| {
                let mut polls = rxs.iter_mut().map(|rx| rx.poll_recv(cx));
                polls.find(Poll::is_ready).unwrap_or(Poll::Pending)
            });
            black_box(first.await);
        }
        clock.stop().per_op(&metric, n);
    }
}
