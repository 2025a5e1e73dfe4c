//! Sleeping in an async task: a timer event that tells the task.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::sleep::deadline;
use crate::primitives::Lock;
use crate::rt::clock::since_start;
use crate::rt::park::{TimerEvent, TimerPayload};
use crate::rt::sched::runtime;
use crate::rt::timer::TimerSlot;
use crate::rt::worker::Worker;
use crate::wait::{Claimed, Stand, TaskWait, WaitQueue, Waited, WaitsAt};

#[derive(Default)]
struct State {
    over: bool,
    queue: WaitQueue,
}

impl Waited for State {
    fn queue(&mut self) -> &mut WaitQueue {
        &mut self.queue
    }
}

/// The moment that a task waits for.
struct Moment {
    slot: TimerSlot,
    /// The worker in whose heap it stands, once it has been polled.
    home: &'static Worker,
    state: Lock<State>,
}

impl TimerEvent for Moment {
    fn slot(&self) -> &TimerSlot {
        &self.slot
    }

    fn fire(self: Arc<Self>, _now: u64) {
        let told = {
            let mut state = self.state.lock();
            state.over = true;
            state.queue.pop_all()
        };
        told.into_iter().for_each(Claimed::wake);
    }
}

impl WaitsAt for Arc<Moment> {
    type State = State;
    type Slot = ();

    fn lock(&self) -> &Lock<State> {
        &self.state
    }

    fn slot(&self) {}

    fn take(&self, state: &mut State, _: &Stand<'_>, _: &mut Vec<Claimed>) -> bool {
        state.over
    }

    fn left(&self, _: &mut State, _told: bool) -> Vec<Claimed> {
        Vec::new()
    }
}

/// A sleep of an async task: from [`sleep_async`]. Dropping it ends it.
///
/// ```
/// use std::time::Duration;
///
/// use waterway::{block_on, time::sleep_async};
/// let nap = sleep_async(Duration::from_millis(1)); // begins here
/// block_on(nap);
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct SleepFuture {
    until: Instant,
    wait: TaskWait<Arc<Moment>>,
}

/// Sleeps in an async task, for at least `duration` from now. No other runtime's timers are needed.
///
/// For a moment that comes again and again, receive from a [`Ticker`](super::Ticker)'s channel with `recv_async`.
///
/// # Blocking
///
/// Never; the future is pending instead.
///
/// ```
/// use std::time::{Duration, Instant};
/// use waterway::{block_on, time::sleep_async};
/// let begin = Instant::now();
/// block_on(sleep_async(Duration::from_millis(5)));
/// assert!(begin.elapsed() >= Duration::from_millis(5));
/// ```
///
/// Go: none; `time.Sleep` in a goroutine.
#[track_caller]
pub fn sleep_async(duration: Duration) -> SleepFuture {
    let moment = Moment {
        slot: TimerSlot::new(),
        home: runtime().timer_worker(),
        state: Lock::default(),
    };
    SleepFuture {
        until: deadline(duration),
        wait: TaskWait::new(Arc::new(moment)),
    }
}

impl Future for SleepFuture {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let set = !this.wait.is_new();
        if !set && Instant::now() >= this.until {
            return Poll::Ready(());
        }
        let polled = this.wait.poll(cx);
        if !set {
            let moment = this.wait.at().clone();
            let (when, home) = (since_start(this.until), moment.home);
            home.add_timer(when, TimerPayload::Event(moment));
        }
        polled
    }
}

impl Drop for SleepFuture {
    fn drop(&mut self) {
        let moment = self.wait.at();
        // What the heap held is a reference to the moment, which the future holds too.
        drop(moment.home.remove_timer(&moment.slot));
    }
}

impl fmt::Debug for SleepFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SleepFuture")
            .field("until", &self.until)
            .finish()
    }
}
