//! Very many goroutines.

use std::time::Duration;

use super::{Rival, Shared};
use crate::{Clock, Memory, Run};

/// A tree of goroutines, ten children each, whose leaves send their number up; each node adds.
pub fn skynet<R: Rival>(run: Run) {
    let n = run.n as u64;
    for metric in ["first time", "later time"] {
        let clock = Clock::start();
        let (tx, rx) = R::chan(0);
        R::go(move || node::<R>(&tx, 0, n));
        let sum = R::recv(&rx);
        clock.stop().ms(metric);
        assert_eq!(sum, Some(n * (n - 1) / 2));
    }
    crate::peak();
}

fn node<R: Rival>(up: &R::Tx<u64>, first: u64, leaves: u64) {
    if leaves == 1 {
        R::send(up, first);
        return;
    }
    let (tx, rx) = R::chan(0);
    for i in 0..10 {
        let tx = tx.clone();
        R::go(move || node::<R>(&tx, first + i * (leaves / 10), leaves / 10));
    }
    let sum = (0..10).map(|_| R::recv(&rx).expect("ten send")).sum();
    R::send(up, sum);
}

/// Goroutines that all wait on one channel, until it closes.
pub fn parked<R: Shared>(run: Run) {
    let before = Memory::now();
    let (tx, rx) = R::chan::<()>(0);
    let (born, gone) = (R::group(run.n), R::group(run.n));
    let clock = Clock::start();
    for _ in 0..run.n {
        let (rx, born, gone) = (R::share(&rx), born.clone(), gone.clone());
        R::go(move || {
            R::done(born);
            R::recv(&rx);
            R::done(gone);
        });
    }
    R::wait(born);
    clock.stop().per_op("time to make each", run.n);
    R::sleep(Duration::from_millis(50)); // the last are on their way into the channel
    before.grown_each(run.n);
    let clock = Clock::start();
    drop(tx);
    R::wait(gone);
    clock.stop().per_op("time to wake and end each", run.n);
}
