//! How long values wait in a channel's buffer, by where its ends stood at several looks.

use std::collections::VecDeque;
use std::time::Duration;

use super::Sample;

/// How long values that were received in a window had been in the channel, to about the time between two looks. Found from the
/// positions at which they came and went. Who had been there before the first look counts from then on.
///
/// ```
/// use std::time::Duration;
/// use waterway::{chan, flow::Monitor};
///
/// let monitor = Monitor::builder().every(Duration::from_millis(1)).log(false).start();
/// let (tx, rx) = chan(1);
/// // Values come and go, until one has been seen to wait.
/// let times = loop {
///     tx.send(1).unwrap();
///     std::thread::sleep(Duration::from_millis(1));
///     rx.recv().unwrap();
///     if let Some(times) = monitor.report().iter().find_map(|flow| flow.channel()?.time_in_queue) {
///         break times;
///     }
/// };
/// assert!(times.min <= times.p50 && times.p50 <= times.p99);
/// ```
///
/// Go: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeInQueue {
    /// The shortest.
    pub min: Duration,
    /// The mean.
    pub mean: Duration,
    /// Half of them, no longer.
    pub p50: Duration,
    /// 99 of 100, no longer.
    pub p99: Duration,
}

/// So many of the values that went between two looks stand for all of them.
const POINTS: u64 = 8;

/// Who went at a position came when `put` had that position.
pub(super) fn time_in_queue(history: &VecDeque<Sample>) -> Option<TimeInQueue> {
    let mut waits: Vec<(f64, f64)> = Vec::new();
    for (a, b) in history.iter().zip(history.iter().skip(1)) {
        let went = b.taken.saturating_sub(a.taken);
        let points = went.min(POINTS);
        for point in 0..points {
            let part = (point as f64 + 0.5) / points as f64;
            let position = a.taken as f64 + part * went as f64;
            let left = a.at as f64 + part * (b.at - a.at) as f64;
            let came = came_at(history, position);
            waits.push(((left - came).max(0.0), went as f64 / points as f64));
        }
    }
    waits.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = waits.iter().map(|(_, weight)| weight).sum();
    let mean = waits
        .iter()
        .map(|(wait, weight)| wait * weight)
        .sum::<f64>()
        / all;
    let quantile = |share: f64| {
        let mut sum = 0.0;
        let at = waits.iter().find(|(_, weight)| {
            sum += weight;
            sum >= all * share
        });
        at.or(waits.last()).map_or(0.0, |(wait, _)| *wait)
    };
    let time = |nanos: f64| Duration::from_nanos(nanos as u64);
    Some(TimeInQueue {
        min: time(waits.first()?.0),
        mean: time(mean),
        p50: time(quantile(0.5)),
        p99: time(quantile(0.99)),
    })
}

fn came_at(history: &VecDeque<Sample>, position: f64) -> f64 {
    let after = history.partition_point(|sample| (sample.put as f64) <= position);
    match (after.checked_sub(1), history.get(after)) {
        (Some(before), Some(b)) => {
            let a = &history[before];
            let part = (position - a.put as f64) / (b.put - a.put) as f64;
            a.at as f64 + part * (b.at - a.at) as f64
        }
        (Some(last), None) => history[last].at as f64,
        (None, _) => history.front().map_or(0.0, |first| first.at as f64),
    }
}
