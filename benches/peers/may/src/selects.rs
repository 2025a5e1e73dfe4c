//! What only may has: its select, its queue of events, its channel of one sender and one receiver.

use std::hint::black_box;

use may::sync::{mpmc, spsc};
use may::{cqueue, go};
use race::Run;

/// Each channel gets its share of `n` values from a coroutine of its own.
fn fed<const K: usize>(n: usize) -> (Vec<mpmc::Sender<usize>>, Vec<mpmc::Receiver<usize>>) {
    let (txs, rxs): (Vec<_>, Vec<_>) = (0..K).map(|_| mpmc::channel()).unzip();
    for tx in txs.clone() {
        go!(move || (0..n / K).for_each(|i| tx.send(i).expect("the selector receives")));
    }
    (txs, rxs)
}

pub fn two(n: usize) {
    let (txs, rxs) = fed::<2>(n);
    // An arm that receives and is not chosen loses its value. So the channels must close when all is sent.
    drop(txs);
    for _ in 0..n {
        may::select!(
            v = rxs[0].recv() => { let _ = black_box(v); },
            v = rxs[1].recv() => { let _ = black_box(v); }
        );
    }
}

/// A queue of events with a coroutine for each arm, which lives for all choices.
pub fn queue<const K: usize>(n: usize) {
    let (txs, rxs) = fed::<K>(n);
    drop(txs);
    cqueue::scope(|queue| {
        for (token, rx) in rxs.into_iter().enumerate() {
            go!(queue, token, move |es| {
                while let Ok(v) = rx.recv() {
                    black_box(v);
                    es.send(es.get_token());
                }
            });
        }
        for _ in 0..n {
            queue.poll(None).expect("an arm comes");
        }
    });
}

pub fn pingpong_spsc(run: Run) {
    run.timed(|n| {
        let (ping, pings) = spsc::channel();
        let (pong, pongs) = spsc::channel();
        go!(move || {
            while let Ok(v) = pings.recv() {
                // The last answer may find nobody.
                let _: Result<(), _> = pong.send(v);
            }
        });
        for i in 0..n {
            ping.send(i).expect("the other receives");
            black_box(pongs.recv()).expect("and answers");
        }
    });
}
