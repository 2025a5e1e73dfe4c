//! Sleeping without holding a worker.

use std::panic::Location;
use std::time::{Duration, Instant};

use crate::wait::{WaitKey, WaitReason, Waiter, checkpoint};

/// Parks the caller for at least `duration`. Other goroutines run meanwhile.
///
/// # Blocking
///
/// Parks, unless the duration is zero: then it gives way, as [`yield_now`](crate::yield_now).
///
/// ```
/// use std::time::{Duration, Instant};
/// let begin = Instant::now();
/// waterway::time::sleep(Duration::from_millis(5));
/// assert!(begin.elapsed() >= Duration::from_millis(5));
/// ```
///
/// Go: `time.Sleep`.
#[track_caller]
pub fn sleep(duration: Duration) {
    if duration.is_zero() {
        return crate::rt::park::yield_now();
    }
    checkpoint();
    let key = WaitKey {
        reason: WaitReason::Sleep,
        object: 0,
        site: Location::caller(),
    };
    Waiter::current().park(&key, Some(deadline(duration)));
}

/// When `duration` from now is over; longer than a clock can count means in 100 years.
pub(super) fn deadline(duration: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    let now = Instant::now();
    now.checked_add(duration.min(CENTURY)).unwrap_or(now)
}
