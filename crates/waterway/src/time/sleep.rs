//! Sleeping without holding a worker.

use std::panic::Location;
use std::time::{Duration, Instant};

use crate::wait::{Limit, WaitKey, WaitReason, Waiter, Wake, checkpoint};

/// Parks the caller for at least `duration`. Other goroutines run meanwhile.
///
/// Sleepers that are due soon after others get up together, which costs less: beside others a sleep may take twice as long, and at most
/// a millisecond longer. One that is alone is over some 0.1 ms after its time, as the kernel has it.
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
    sleep_within(duration, Limit::NONE, Location::caller());
}

/// As `sleep`; false if the limit came first.
#[track_caller]
pub(crate) fn sleep_within(
    duration: Duration,
    limit: Limit<'_>,
    site: &'static Location<'static>,
) -> bool {
    if duration.is_zero() {
        crate::rt::checkpoint::yield_now();
        return true;
    }
    checkpoint();
    let key = WaitKey {
        reason: WaitReason::Sleep,
        object: 0,
        site,
    };
    let limit = limit.and_at(deadline(duration));
    limit.park(&Waiter::current(), &key) != Wake::Cancelled
}

/// When `duration` from now is over; longer than a clock can count means in 100 years.
pub(crate) fn deadline(duration: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    let now = Instant::now();
    now.checked_add(duration.min(CENTURY)).unwrap_or(now)
}
