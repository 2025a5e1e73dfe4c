//! Timers and tickers: channels that the clock sends to.
//!
//! # Protocol
//!
//! An [`Alarm`] is in at most one worker's timer heap. Firing takes it out of the heap under the heap's lock, and then
//! takes the alarm's own lock; `stop` and `reset` hold that lock all the time. So a firing either has sent before, and
//! what it sent is taken back out of the channel, or comes after, and sees that it is not wanted. Either way no stale
//! value is received after `stop` or `reset` has returned (Go 1.23's rule).
//!
//! A firing that comes after a `reset` may find the alarm set. Its own time was read before the reset, so what is due now is due
//! later than that, and it does nothing (at most, of a timer set to zero, in the same nanosecond, it is the firing that was asked
//! for: the one in the heap finds nothing due then). A ticker's next time is later in any case, so an alarm stands in the heap once.
//!
//! Models (`models/`): `timer_..`, `ticker_stopped` in `blocking`, with two that fire: as the worker, and sysmon.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sleep::deadline;
use crate::chan::{self, Receiver, Sender};
use crate::primitives::Lock;
use crate::rt::clock::{instant_at, since_start};
use crate::rt::park::{TimerEvent, TimerPayload};
use crate::rt::sched::runtime;
use crate::rt::timer::TimerSlot;
use crate::rt::worker::Worker;

/// A clock's end of a channel of capacity 1.
struct Alarm {
    slot: TimerSlot,
    tx: Sender<Instant>,
    /// The worker in whose heap it stands.
    home: &'static Worker,
    state: Lock<State>,
}

struct State {
    /// When it is due, on the runtime's clock; `None` if it is not set.
    due: Option<u64>,
    /// Nanoseconds from one tick to the next; 0 for a timer.
    period: u64,
}

impl TimerEvent for Alarm {
    fn slot(&self) -> &TimerSlot {
        &self.slot
    }

    fn fire(self: Arc<Self>, now: u64) {
        let mut state = self.state.lock();
        let Some(due) = state.due.filter(|due| *due <= now) else {
            return;
        };
        // A full channel keeps the older tick; one that nobody can receive from needs no more of them.
        let heard = !matches!(
            self.tx.try_send(instant_at(due)),
            Err(chan::TrySendError::Disconnected(_))
        );
        state.due = (state.period > 0 && heard).then(|| {
            // Ticks that were missed are left out.
            due + state.period * (1 + (now - due) / state.period)
        });
        if let Some(next) = state.due {
            self.home.add_timer(next, TimerPayload::Event(self.clone()));
        }
    }
}

impl Alarm {
    #[track_caller]
    fn new(after: Duration, period: Duration) -> (Arc<Alarm>, Receiver<Instant>) {
        let (tx, rx) = chan::chan(1);
        let state = Lock::new(State {
            due: None,
            period: 0,
        });
        let alarm = Arc::new(Alarm {
            slot: TimerSlot::new(),
            tx,
            home: runtime().timer_worker(),
            state,
        });
        alarm.set(after, period, &rx);
        (alarm, rx)
    }

    /// Sets it anew. True if it was set before.
    fn set(self: &Arc<Self>, after: Duration, period: Duration, rx: &Receiver<Instant>) -> bool {
        let mut state = self.state.lock();
        let was_set = self.clear(&mut state, rx);
        let due = since_start(deadline(after));
        *state = State {
            due: Some(due),
            period: period.as_nanos().try_into().unwrap_or(u64::MAX / 4),
        };
        self.home.add_timer(due, TimerPayload::Event(self.clone()));
        was_set
    }

    /// Unsets it. True if it was set.
    fn stop(&self, rx: &Receiver<Instant>) -> bool {
        self.clear(&mut self.state.lock(), rx)
    }

    /// A firing that nobody has heard is taken back, and counts as none: Go 1.23 has it so, and the old idiom "unless
    /// it was stopped in time, receive" would wait for ever else.
    fn clear(&self, state: &mut State, rx: &Receiver<Instant>) -> bool {
        let mut was_set = state.due.take().is_some();
        // What the heap held is a reference to this alarm, which the caller holds too: nothing is dropped by this.
        drop(self.home.remove_timer(&self.slot));
        while rx.try_recv().is_ok() {
            was_set = true;
        }
        was_set
    }
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
    /// Go: `time.NewTimer`.
    #[track_caller]
    pub fn new(after: Duration) -> Timer {
        let (alarm, rx) = Alarm::new(after, Duration::ZERO);
        Timer { alarm, rx }
    }

    /// Where the time of the firing is received. It is never closed while the timer lives.
    ///
    /// Go: `Timer.C`.
    pub fn channel(&self) -> &Receiver<Instant> {
        &self.rx
    }

    /// Keeps the timer from firing. True if it had not fired yet, or nobody has received that: it is taken back. After
    /// this nothing is received. Never blocks.
    ///
    /// Go: `Timer.Stop`.
    pub fn stop(&self) -> bool {
        self.alarm.stop(&self.rx)
    }

    /// Lets the timer fire `after` from now, whatever it was set to. True if it was stopped by that, as by
    /// [`stop`](Self::stop). Never blocks.
    ///
    /// Go: `Timer.Reset`.
    pub fn reset(&self, after: Duration) -> bool {
        self.alarm.set(after, Duration::ZERO, &self.rx)
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
            .field("set", &self.alarm.state.lock().due.is_some())
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
    /// # Panics
    ///
    /// If the period is zero.
    ///
    /// Go: `time.NewTicker`.
    #[track_caller]
    pub fn new(period: Duration) -> Ticker {
        assert!(!period.is_zero(), "zero interval for Ticker::new");
        let (alarm, rx) = Alarm::new(period, period);
        Ticker { alarm, rx }
    }

    /// Where the ticks are received. It is never closed while the ticker lives.
    ///
    /// Go: `Ticker.C`.
    pub fn channel(&self) -> &Receiver<Instant> {
        &self.rx
    }

    /// No more ticks; one that was sent and not received is gone. Never blocks.
    ///
    /// Go: `Ticker.Stop`.
    pub fn stop(&self) {
        self.alarm.stop(&self.rx);
    }

    /// Ticks every `period` from now on. Never blocks.
    ///
    /// # Panics
    ///
    /// If the period is zero.
    ///
    /// Go: `Ticker.Reset`.
    #[track_caller]
    pub fn reset(&self, period: Duration) {
        assert!(!period.is_zero(), "zero interval for Ticker::reset");
        self.alarm.set(period, period, &self.rx);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = Duration::from_nanos(self.alarm.state.lock().period);
        f.debug_struct("Ticker").field("period", &period).finish()
    }
}

/// Leaves an alarm to its channel: it is there, and with it the sender that keeps the channel open, until the last
/// receiver is dropped.
fn unowned((alarm, rx): (Arc<Alarm>, Receiver<Instant>)) -> Receiver<Instant> {
    let owned = alarm.clone();
    alarm.tx.on_last_receiver_drop(move || {
        owned.state.lock().due = None;
        drop(owned.home.remove_timer(&owned.slot));
    });
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
    unowned(Alarm::new(duration, Duration::ZERO))
}

/// A channel that gets the time every `period`, as long as somebody can receive from it. A period of zero never ticks.
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
    unowned(Alarm::new(period, period))
}
