//! What a timer is made of: something that the clock does at a time.
//!
//! # Protocol
//!
//! An [`Alarm`] is in at most one worker's timer heap. Firing takes it out of the heap under the heap's lock, and then
//! takes the alarm's own lock; `stop` and `set` hold that lock all the time. So a firing either has done its work before
//! (and what it sent is taken back out of the channel), or comes after, and sees that it is not wanted. Either way no stale
//! value is received after `stop` or `set` has returned (Go 1.23's rule), and a function that `stop` says it has kept from
//! running does not run.
//!
//! A firing that comes after a `set` may find the alarm set. Its own time was read before that, so what is due now is due
//! later than it, and it does nothing (at most, of an alarm set to zero, in the same nanosecond, it is the firing that was asked
//! for: the one in the heap finds nothing due then). A ticker's next time is later in any case, so an alarm stands in the heap
//! once.
//!
//! Models (`models/`): `timer_..`, `ticker_stopped` in `blocking`, with two that fire: as the worker, and sysmon.

use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sleep::deadline;
use crate::chan::{self, Receiver, Sender};
use crate::goroutine::Builder;
use crate::primitives::Lock;
use crate::rt::clock::{instant_at, since_start};
use crate::rt::park::{TimerEvent, TimerPayload};
use crate::rt::sched::runtime;
use crate::rt::timer::TimerSlot;
use crate::rt::worker::Worker;

/// What the clock does.
pub(super) enum Action {
    /// Sends the time to a channel of capacity 1.
    Send(Sender<Instant>),
    /// Calls a function in a goroutine of its own, started by this line.
    Call(Box<dyn Fn() + Send + Sync>, &'static Location<'static>),
}

/// Something that the clock does at a time.
pub(super) struct Alarm {
    slot: TimerSlot,
    pub(super) action: Action,
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

    /// A full channel keeps what it has: nobody waits there to receive, or it would not be full. And where nobody waits, what is sent
    /// fills it.
    fn wakes_nobody(&self) -> bool {
        matches!(&self.action, Action::Send(tx) if tx.is_full() || tx.nobody_receives())
    }

    fn fire(self: Arc<Self>, now: u64) {
        let mut state = self.state.lock();
        let Some(due) = state.due.filter(|due| *due <= now) else {
            drop(state);
            return self.let_go();
        };
        match &self.action {
            Action::Send(tx) => {
                // A full channel keeps the older tick; one that nobody can receive from needs no more of them.
                let heard = !matches!(
                    tx.try_send(instant_at(due)),
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
            Action::Call(_, site) => {
                state.due = None;
                drop(state);
                // The alarm goes along: the function is the user's, and so is its drop.
                let (site, alarm) = (*site, self);
                Builder::go_later(site, move || alarm.call());
            }
        }
    }
}

impl Alarm {
    /// An alarm that is not set yet.
    #[track_caller]
    pub(super) fn new(action: Action) -> Arc<Alarm> {
        Arc::new(Alarm {
            slot: TimerSlot::new(),
            action,
            home: runtime().timer_worker(),
            state: Lock::new(State {
                due: None,
                period: 0,
            }),
        })
    }

    /// Gives up what the heap held, on a scheduler's stack. If that was the last of it, a function is dropped elsewhere: it
    /// is the user's.
    fn let_go(self: Arc<Self>) {
        if let Some(alarm) = Arc::into_inner(self)
            && let Action::Call(function, site) = alarm.action
        {
            Builder::go_later(site, move || drop(function));
        }
    }

    fn call(&self) {
        if let Action::Call(function, _) = &self.action {
            function();
        }
    }

    /// Sets it anew; `rx` is where what it sent is taken back from. True if it was set before.
    pub(super) fn set(
        self: &Arc<Self>,
        after: Duration,
        period: Duration,
        rx: Option<&Receiver<Instant>>,
    ) -> bool {
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
    pub(super) fn stop(&self, rx: Option<&Receiver<Instant>>) -> bool {
        self.clear(&mut self.state.lock(), rx)
    }

    /// A firing that nobody has heard is taken back, and counts as none: Go 1.23 has it so, and the old idiom "unless
    /// it was stopped in time, receive" would wait for ever else.
    fn clear(&self, state: &mut State, rx: Option<&Receiver<Instant>>) -> bool {
        let mut was_set = state.due.take().is_some();
        // What the heap held is a reference to this alarm, which the caller holds too: nothing is dropped by this.
        drop(self.home.remove_timer(&self.slot));
        if let Some(rx) = rx {
            while rx.try_recv().is_ok() {
                was_set = true;
            }
        }
        was_set
    }

    /// When it is due; `None` if it is not set.
    pub(super) fn due(&self) -> Option<u64> {
        self.state.lock().due
    }

    pub(super) fn period(&self) -> Duration {
        Duration::from_nanos(self.state.lock().period)
    }
}
