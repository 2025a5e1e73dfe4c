//! Functions that the clock calls.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::alarm::{Action, Alarm};

/// Calls `f` in a goroutine of its own, `after` from now. Never blocks.
///
/// The call comes whether or not the handle is kept; only [`stop`](AfterFunc::stop) prevents it. Since
/// [`reset`](AfterFunc::reset) lets it come again, `f` may be called more than once, and by two goroutines at a time.
///
/// # Panics
///
/// If the runtime cannot start its threads. A panic of `f` ends its goroutine.
///
/// ```
/// use std::time::Duration;
/// use waterway::{chan, time::after_func};
///
/// let (tx, rx) = chan(1);
/// after_func(Duration::from_millis(1), move || tx.send("time is up").unwrap());
/// assert_eq!(rx.recv(), Ok("time is up"));
///
/// let never = after_func(Duration::from_secs(3600), || unreachable!());
/// assert!(never.stop());
/// ```
///
/// Go: `time.AfterFunc`.
#[track_caller]
pub fn after_func<F>(after: Duration, f: F) -> AfterFunc
where
    F: Fn() + Send + Sync + 'static,
{
    let alarm = Alarm::new(Action::Call(Box::new(f), Location::caller()));
    alarm.set(after, Duration::ZERO, None);
    AfterFunc { alarm }
}

/// A function that the clock is to call: see [`after_func`]. Dropping the handle changes nothing.
///
/// ```
/// use std::time::Duration;
///
/// use waterway::time::after_func;
/// let (tx, rx) = waterway::chan(1);
/// let call = after_func(Duration::from_secs(3600), move || _ = tx.send("called"));
/// call.reset(Duration::from_millis(1));
/// assert_eq!(rx.recv(), Ok("called"));
/// ```
///
/// Go: the `time.Timer` of `time.AfterFunc`.
pub struct AfterFunc {
    alarm: Arc<Alarm>,
}

impl AfterFunc {
    /// Keeps the function from being called. True if that was in time; false if its goroutine has been started already, of
    /// which this does not await the end, or if it was stopped before. Never blocks.
    ///
    /// ```
    /// use std::time::Duration;
    /// let call = waterway::time::after_func(Duration::from_secs(3600), || unreachable!());
    /// assert!(call.stop());
    /// assert!(!call.stop(), "there is nothing to stop");
    /// ```
    ///
    /// Go: `Timer.Stop`.
    pub fn stop(&self) -> bool {
        self.alarm.stop(None)
    }

    /// Has the function called `after` from now, whatever was set before. True if a call that was still to come is
    /// replaced by that; false if the function is called once more. Never blocks.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::{chan, time::after_func};
    ///
    /// let (tx, rx) = chan(1);
    /// let call = after_func(Duration::ZERO, move || tx.send(()).unwrap());
    /// rx.recv().unwrap();
    /// assert!(!call.reset(Duration::ZERO), "it has been called");
    /// rx.recv().unwrap();
    /// ```
    ///
    /// Go: `Timer.Reset`.
    pub fn reset(&self, after: Duration) -> bool {
        self.alarm.set(after, Duration::ZERO, None)
    }
}

impl fmt::Debug for AfterFunc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AfterFunc")
            .field("set", &self.alarm.due().is_some())
            .finish()
    }
}
