//! A place behind a gate, and waiting for one in a task.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use super::gate::{Gate, Shared};
use super::limit::Departure;
use crate::goroutine::{Builder, JoinHandle};
use crate::primitives::Ordering;
use crate::sync::{AcquireFuture, Permit};

/// A place behind a [`Gate`]; dropping it leaves the gate. It may be moved to another goroutine.
///
/// ```
/// let gate = waterway::flow::Gate::new(1);
/// let place: waterway::flow::Place = gate.enter();
/// assert!(gate.try_enter().is_none());
/// drop(place);
/// assert!(gate.try_enter().is_some());
/// ```
///
/// Go: none; a value in a buffered channel.
#[must_use = "the place is left at once if the guard is not kept"]
pub struct Place {
    gate: Gate,
    /// When it was entered, if the limit wants to know.
    since: Option<Instant>,
    /// Goes last.
    _permit: Permit,
}

impl Place {
    pub(super) fn taken(gate: &Gate, permit: Permit) -> Place {
        let shared = gate.shared();
        shared.admitted.fetch_add(1, Ordering::Relaxed);
        let live = shared.live.fetch_add(1, Ordering::Relaxed) + 1;
        if live > shared.most.load(Ordering::Relaxed) {
            shared.most.fetch_max(live, Ordering::Relaxed);
        }
        Place {
            since: shared.limit.is_adaptive().then(Instant::now),
            gate: gate.clone(),
            _permit: permit,
        }
    }

    /// Starts a goroutine that has this place, until it ends.
    ///
    /// # Panics
    ///
    /// As [`go`](crate::go).
    ///
    /// # Blocking
    ///
    /// Never.
    ///
    /// ```
    /// let gate = waterway::flow::Gate::new(1);
    /// let place = gate.enter();
    /// let sum = place.go(|| 1 + 1);
    /// assert_eq!(sum.join().unwrap(), 2);
    /// assert!(gate.try_enter().is_some());
    /// ```
    ///
    /// Go: none.
    #[track_caller]
    pub fn go<F, T>(self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Builder::new().go(move || {
            let _place = self;
            f()
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let shared = self.gate.shared();
        let inside = shared.live.fetch_sub(1, Ordering::Relaxed);
        if let Some(since) = self.since {
            let stayed = since.elapsed();
            shared.limit.left(&Departure { stayed, inside });
            shared.adapt();
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("gate", &self.gate).finish()
    }
}

/// One who waits before a gate: counted as such, and as one who gave up unless it got in.
pub(super) struct Waiting<'a> {
    shared: &'a Shared,
    pub(super) got_in: bool,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(shared: &'a Shared) -> Waiting<'a> {
        shared.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting {
            shared,
            got_in: false,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.got_in {
            self.shared.gave_up.fetch_add(1, Ordering::Relaxed);
            #[cfg(feature = "tracing")]
            self.shared.tell("gave up");
        }
        self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place that is waited for: from [`Gate::enter_async`].
///
/// ```
/// let gate = waterway::flow::Gate::new(1);
/// let _place = waterway::block_on(gate.enter_async());
/// assert_eq!(gate.statistics().live, 1);
/// ```
///
/// Go: none; it has no tasks.
#[must_use = "futures do nothing unless they are polled"]
pub struct EnterFuture<'a> {
    gate: &'a Gate,
    permit: AcquireFuture<'a>,
    waiting: Option<Waiting<'a>>,
}

impl<'a> EnterFuture<'a> {
    pub(super) fn new(gate: &'a Gate) -> EnterFuture<'a> {
        EnterFuture {
            gate,
            permit: gate.shared().permits.acquire_async(1),
            waiting: None,
        }
    }
}

impl Future for EnterFuture<'_> {
    type Output = Place;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Place> {
        let this = &mut *self;
        this.gate.shared().adapt();
        match Pin::new(&mut this.permit).poll(cx) {
            Poll::Ready(permit) => {
                if let Some(mut waiting) = this.waiting.take() {
                    waiting.got_in = true;
                }
                Poll::Ready(Place::taken(this.gate, permit))
            }
            Poll::Pending => {
                this.waiting
                    .get_or_insert_with(|| Waiting::new(this.gate.shared()));
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for EnterFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterFuture")
            .field("gate", self.gate)
            .finish_non_exhaustive()
    }
}
