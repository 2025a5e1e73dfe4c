//! The runtime's own time: nanoseconds since its clock was first read.

use std::time::Instant;

use crate::primitives::{AtomicU64, Ordering};

fn start_instant() -> Instant {
    use std::sync::OnceLock;
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

/// Nanoseconds since the clock was first read: the runtime's own time.
pub(crate) fn clock() -> u64 {
    start_instant().elapsed().as_nanos() as u64
}

/// A point of time on the runtime's clock; 0 for any before its start.
pub(crate) fn since_start(at: Instant) -> u64 {
    at.saturating_duration_since(start_instant())
        .as_nanos()
        .try_into()
        .unwrap_or(u64::MAX - 1)
}

/// The reverse of [`since_start`].
pub(crate) fn instant_at(clock: u64) -> Instant {
    start_instant() + std::time::Duration::from_nanos(clock)
}

static COARSE: AtomicU64 = AtomicU64::new(0);

/// The clock as sysmon and waking workers saw it last: a few milliseconds late at most while goroutines run.
#[inline]
pub(crate) fn coarse_clock() -> u64 {
    COARSE.load(Ordering::Relaxed)
}

pub(super) fn refresh_coarse() {
    COARSE.store(clock(), Ordering::Relaxed);
}
