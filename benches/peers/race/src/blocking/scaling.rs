//! The cost of one operation, with few goroutines and with very many.

use std::time::Duration;

use super::{Rival, all};
use crate::{Clock, Run, rounds_of, sizes, sleep_times};

pub fn scaling_spawn<R: Rival>(run: Run) {
    for (size, metric) in sizes(run.n) {
        let rounds = rounds_of(200_000, size);
        let clock = Clock::start();
        (0..rounds).for_each(|_| all::<R>(size, |_| ()));
        clock.stop().per_op(&metric, rounds * size);
    }
}

/// Half of the goroutines ask, the other half answer.
pub fn scaling_pingpong<R: Rival>(run: Run) {
    for (size, metric) in sizes(run.n) {
        let pairs = size / 2;
        let trips = rounds_of(200_000, pairs);
        let clock = Clock::start();
        all::<R>(pairs, move |_| {
            let (ping, pings) = R::chan(0);
            let (pong, pongs) = R::chan(0);
            R::go(move || {
                while let Some(v) = R::recv(&pings) {
                    R::send(&pong, v);
                }
            });
            for i in 0..trips {
                R::send(&ping, i);
                R::recv(&pongs);
            }
        });
        clock.stop().per_op(&metric, pairs * trips);
    }
}

/// Each sleeps, some 500 ms in all.
pub fn scaling_timers<R: Rival>(run: Run) {
    for (size, metric) in sizes(run.n) {
        let rounds = rounds_of(2000, size);
        let span = Duration::from_millis(500) / rounds as u32;
        let clock = Clock::start();
        all::<R>(size, move |i| {
            (0..rounds).for_each(|round| R::sleep(sleep_times(i + round, size, span)));
        });
        clock.stop().cpu_per_op(&metric, size * rounds);
    }
}
