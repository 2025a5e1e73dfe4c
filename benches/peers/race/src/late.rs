//! How late sleepers woke.

use std::time::Duration;

/// What sleepers were late by.
pub struct Lateness(Vec<Duration>);

impl Lateness {
    pub fn of(late: impl IntoIterator<Item = Duration>) -> Lateness {
        let mut late: Vec<_> = late.into_iter().collect();
        late.sort_unstable();
        Lateness(late)
    }

    /// Tells microseconds: the middle, and what one in a hundred and one in a thousand exceed.
    pub fn tell(&self) {
        for (name, share) in [("late p50", 0.5), ("late p99", 0.99), ("late p99.9", 0.999)] {
            let last = self.0.len() - 1;
            let late = self.0[(last as f64 * share) as usize];
            crate::tell(name, "us", late.as_nanos() as f64 / 1e3);
        }
    }
}
