//! Goroutines that sleep.

use std::time::{Duration, Instant};

use super::Rival;
use crate::{Clock, Lateness, Run, sleep_times};

pub fn timers<R: Rival>(run: Run) {
    let clock = Clock::start();
    let (tx, rx) = R::chan(1024);
    for i in 0..run.n {
        let tx = tx.clone();
        R::go(move || {
            let time = sleep_times(i, run.n, Duration::from_secs(1));
            let due = Instant::now() + time;
            R::sleep(time);
            R::send(&tx, due.elapsed());
        });
    }
    drop(tx);
    let late = Lateness::of(std::iter::from_fn(|| R::recv(&rx)));
    clock.stop().ms("time");
    late.tell();
}
