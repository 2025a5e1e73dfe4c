//! Timers and tickers: channels that the clock sends to.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::alarm::{Action, Alarm};
use crate::chan::{self, Receiver};

/// An alarm that sends to a channel.
#[track_caller]
fn channel(after: Duration, period: Duration) -> (Arc<Alarm>, Receiver<Instant>) {
    let (tx, rx) = chan::chan_of_many(1);
    let alarm = Alarm::new(Action::Send(tx));
    // Nothing has been sent yet.
    alarm.set(after, period, None);
    (alarm, rx)
}

/// One moment in the future, as a channel.
///
/// ```
/// use std::time::Duration;
/// use waterway::time::Timer;
/// let timer = Timer::new(Duration::from_millis(1));
/// timer.channel().recv().unwrap();
/// assert!(!timer.stop(), "it has fired");
/// timer.reset(Duration::from_secs(3600));
/// assert!(timer.stop(), "it had not fired yet");
/// ```
///
/// Go: `time.Timer`.
pub struct Timer {
    alarm: Arc<Alarm>,
    rx: Receiver<Instant>,
}

impl Timer {
    /// A timer that fires once, `after` from now.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use waterway::time::Timer;
    /// let timer = Timer::new(Duration::from_millis(1));
    /// assert!(timer.channel().recv().is_ok());
    /// ```
    ///
    /// Go: `time.NewTimer`.
    #[track_caller]
    pub fn new(after: Duration) -> Timer {
        let (alarm, rx) = channel(after, Duration::ZERO);
        Timer { alarm, rx }
    }

    /// Where the time of the firing is received. It is never closed while the timer lives.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use waterway::time::Timer;
    /// let begin = Instant::now();
    /// let timer = Timer::new(Duration::from_millis(1));
    /// let fired = timer.channel().recv().unwrap();
    /// assert!(fired - begin >= Duration::from_millis(1));
    /// ```
    ///
    /// Go: `Timer.C`.
    pub fn channel(&self) -> &Receiver<Instant> {
        &self.rx
    }

    /// Keeps the timer from firing. True if it had not fired yet, or nobody has received that: it is taken back. After
    /// this nothing is received. Never blocks.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use waterway::time::Timer;
    /// let timer = Timer::new(Duration::from_secs(3600));
    /// assert!(timer.stop());
    /// assert!(!timer.stop(), "it is stopped already");
    /// assert!(timer.channel().try_recv().is_err());
    /// ```
    ///
    /// Go: `Timer.Stop`.
    pub fn stop(&self) -> bool {
        self.alarm.stop(Some(&self.rx))
    }

    /// Lets the timer fire `after` from now, whatever it was set to. True if it was stopped by that, as by
    /// [`stop`](Self::stop). Never blocks.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use waterway::time::Timer;
    /// let timer = Timer::new(Duration::from_secs(3600));
    /// assert!(timer.reset(Duration::from_millis(1)), "it had not fired");
    /// assert!(timer.channel().recv().is_ok());
    /// ```
    ///
    /// Go: `Timer.Reset`.
    pub fn reset(&self, after: Duration) -> bool {
        self.alarm.set(after, Duration::ZERO, Some(&self.rx))
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer")
            .field("set", &self.alarm.due().is_some())
            .finish()
    }
}

/// The same moment again and again, as a channel. A receiver that is late misses ticks, it never finds a queue of them.
///
/// ```
/// use std::time::Duration;
/// use waterway::time::Ticker;
/// let ticker = Ticker::new(Duration::from_millis(1));
/// let first = ticker.channel().recv().unwrap();
/// let second = ticker.channel().recv().unwrap();
/// assert!(second - first >= Duration::from_millis(1));
/// ```
///
/// Go: `time.Ticker`.
pub struct Ticker {
    alarm: Arc<Alarm>,
    rx: Receiver<Instant>,
}

impl Ticker {
    /// A ticker whose first tick comes one `period` from now.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use waterway::time::Ticker;
    /// let ticker = Ticker::new(Duration::from_millis(1));
    /// assert_eq!(ticker.channel().iter().take(2).count(), 2);
    /// ```
    ///
    /// # Panics
    ///
    /// If the period is zero.
    ///
    /// Go: `time.NewTicker`.
    #[track_caller]
    pub fn new(period: Duration) -> Ticker {
        needs_length(period, "Ticker::new");
        let (alarm, rx) = channel(period, period);
        Ticker { alarm, rx }
    }

    /// Where the ticks are received. It is never closed while the ticker lives.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use waterway::{select, time::Ticker};
    /// let ticker = Ticker::new(Duration::from_millis(1));
    /// let ticked = select! {
    ///     recv(ticker.channel()) -> at => at.is_ok(),
    /// };
    /// assert!(ticked);
    /// ```
    ///
    /// Go: `Ticker.C`.
    pub fn channel(&self) -> &Receiver<Instant> {
        &self.rx
    }

    /// No more ticks; one that was sent and not received is gone. Never blocks.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use waterway::time::{Ticker, sleep};
    /// let ticker = Ticker::new(Duration::from_millis(1));
    /// ticker.stop();
    /// sleep(Duration::from_millis(3));
    /// assert!(ticker.channel().try_recv().is_err());
    /// ```
    ///
    /// Go: `Ticker.Stop`.
    pub fn stop(&self) {
        self.alarm.stop(Some(&self.rx));
    }

    /// Ticks every `period` from now on. Never blocks.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use waterway::time::Ticker;
    /// let ticker = Ticker::new(Duration::from_secs(3600));
    /// ticker.reset(Duration::from_millis(1));
    /// assert!(ticker.channel().recv().is_ok());
    /// ```
    ///
    /// # Panics
    ///
    /// If the period is zero.
    ///
    /// Go: `Ticker.Reset`.
    #[track_caller]
    pub fn reset(&self, period: Duration) {
        needs_length(period, "Ticker::reset");
        self.alarm.set(period, period, Some(&self.rx));
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticker")
            .field("period", &self.alarm.period())
            .finish()
    }
}

#[track_caller]
fn needs_length(period: Duration, call: &str) {
    assert!(
        !period.is_zero(),
        "{call} with a period of zero: a ticker must tick less often than always. Without ticks, use chan::never()"
    );
}

/// Leaves an alarm to its channel: it is there, and with it the sender that keeps the channel open, until the last
/// receiver is dropped.
fn unowned((alarm, rx): (Arc<Alarm>, Receiver<Instant>)) -> Receiver<Instant> {
    let owned = alarm.clone();
    if let Action::Send(tx) = &alarm.action {
        tx.on_last_receiver_drop(move || _ = owned.stop(None));
    }
    rx
}

/// A channel that gets the time once, `duration` from now, and stays open. Made for an arm of
/// [`select!`](crate::select).
///
/// ```
/// use std::time::{Duration, Instant};
/// let begin = Instant::now();
/// let at = waterway::time::after(Duration::from_millis(2)).recv().unwrap();
/// assert!(at >= begin + Duration::from_millis(2));
/// ```
///
/// Go: `time.After`.
#[track_caller]
pub fn after(duration: Duration) -> Receiver<Instant> {
    unowned(channel(duration, Duration::ZERO))
}

/// A channel that gets the time every `period`, as long as somebody can receive from it. With a period of zero it is one that nothing
/// ever comes from ([`chan::never`](crate::chan::never)), as in Go; [`Ticker::new`] panics then, since a ticker can be reset and a
/// period of zero is a mistake there.
///
/// ```
/// use std::time::Duration;
/// let ticks = waterway::time::tick(Duration::from_millis(1));
/// assert_eq!(ticks.iter().take(3).count(), 3);
/// ```
///
/// Go: `time.Tick`.
#[track_caller]
pub fn tick(period: Duration) -> Receiver<Instant> {
    if period.is_zero() {
        return chan::never();
    }
    unowned(channel(period, period))
}
