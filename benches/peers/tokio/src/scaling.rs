//! The cost of one operation, with few tasks and with very many.

use std::time::Duration;

use race::{Clock, Run, rounds_of, sizes, sleep_times};
use tokio::time::sleep;

use crate::all;
use crate::channels::pingpong;
use crate::kinds::Mpsc;

pub async fn scaling_spawn(run: Run) {
    for (size, metric) in sizes(run.n) {
        let rounds = rounds_of(200_000, size);
        let clock = Clock::start();
        for _ in 0..rounds {
            all(size, |_| async {}).await;
        }
        clock.stop().per_op(&metric, rounds * size);
    }
}

/// Half of the tasks ask, the other half answer.
pub async fn scaling_pingpong(run: Run) {
    for (size, metric) in sizes(run.n) {
        let pairs = size / 2;
        let trips = rounds_of(200_000, pairs);
        let clock = Clock::start();
        all(pairs, |_| pingpong::<Mpsc>(trips)).await;
        clock.stop().per_op(&metric, pairs * trips);
    }
}

/// Each sleeps, some 500 ms in all.
pub async fn scaling_timers(run: Run) {
    for (size, metric) in sizes(run.n) {
        let rounds = rounds_of(2000, size);
        let span = Duration::from_millis(500) / rounds as u32;
        let clock = Clock::start();
        let work = |i| async move {
            for round in 0..rounds {
                sleep(sleep_times(i + round, size, span)).await;
            }
        };
        all(size, work).await;
        clock.stop().cpu_per_op(&metric, size * rounds);
    }
}
