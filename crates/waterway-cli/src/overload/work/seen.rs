//! What producer and server have seen.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use hdrhistogram::Histogram;
use waterway::sync::Mutex;

use crate::overload::wire::IN_TIME;

/// Counts, and times in the queue. Counts are read exactly once producer and server have ended.
#[derive(Default)]
pub struct Seen {
    sent: AtomicU64,
    received: AtomicU64,
    in_time: AtomicU64,
    waits: Mutex<Waits>,
}

/// Times in microseconds, within a thousandth.
struct Waits {
    window: Histogram<u64>,
    all: Histogram<u64>,
}

impl Default for Waits {
    fn default() -> Waits {
        let hours = Duration::from_secs(2 * 3_600).as_micros() as u64;
        let histogram = Histogram::new_with_max(hours, 3).expect("the bounds are in order");
        Waits {
            window: histogram.clone(),
            all: histogram,
        }
    }
}

impl Seen {
    pub fn sent(&self) {
        self.sent.fetch_add(1, Relaxed);
    }

    pub fn received(&self, waited: Duration) {
        self.received.fetch_add(1, Relaxed);
        self.in_time.fetch_add(u64::from(waited < IN_TIME), Relaxed);
        let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        let mut waits = self.waits.lock();
        waits.window.saturating_record(micros);
        waits.all.saturating_record(micros);
    }

    /// How many came in, and how many were served.
    pub fn counts(&self) -> (u64, u64) {
        (self.sent.load(Relaxed), self.received.load(Relaxed))
    }

    pub fn in_time(&self) -> u64 {
        self.in_time.load(Relaxed)
    }

    /// Median and 99th percentile, in milliseconds, since the last call.
    pub fn window(&self) -> [Option<f64>; 2] {
        let mut waits = self.waits.lock();
        let both = percentiles(&waits.window);
        waits.window.reset();
        both
    }

    /// Median and 99th percentile, in milliseconds, since the start.
    pub fn all(&self) -> [Option<f64>; 2] {
        percentiles(&self.waits.lock().all)
    }
}

fn percentiles(waits: &Histogram<u64>) -> [Option<f64>; 2] {
    let millis = |quantile| waits.value_at_quantile(quantile) as f64 / 1e3;
    [0.5, 0.99].map(|quantile| (!waits.is_empty()).then(|| millis(quantile)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_apart_and_the_end_counts_all() {
        let seen = Seen::default();
        assert_eq!(seen.window(), [None, None]);
        for ms in 1..=99 {
            seen.received(Duration::from_millis(ms));
        }
        let [Some(p50), Some(p99)] = seen.window() else {
            panic!("nothing seen")
        };
        assert!(
            (p50 - 50.0).abs() < 0.1 && (p99 - 99.0).abs() < 0.1,
            "{p50} {p99}"
        );
        seen.received(Duration::from_millis(100));
        assert!(seen.window()[0].is_some_and(|p50| (p50 - 100.0).abs() < 0.1));
        assert_eq!(seen.window(), [None, None]);
        assert_eq!((seen.counts(), seen.in_time()), ((0, 100), 99));
        assert!(seen.all()[0].is_some_and(|p50| (p50 - 50.0).abs() < 0.1));
    }
}
