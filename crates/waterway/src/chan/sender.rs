//! The sending end of a channel.

use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

use super::core::{Core, RECV_WAITING, SEND_CLOSED};
use super::end::either_end;
use super::error::{SendError, SendTimeoutError, TrySendError};
use super::future::SendFuture;
use super::handle::{Handle, MEMORY, SENDER};
use super::ops::Put;
use super::overflow::Overflow;
use super::quick::SMALL;
use super::slot::SendSlot;
use super::statistics::Statistics;
use crate::primitives::Ordering;
use crate::wait::{Limit, handover, is_calm};

/// The sending end of a channel.
///
/// ```
/// let (tx, rx) = waterway::chan(2);
/// let other: waterway::Sender<_> = tx.clone();
/// tx.send(1).unwrap();
/// drop(tx);
/// other.send(2).unwrap();
/// drop(other); // the last one closes the channel
/// assert_eq!(rx.iter().collect::<Vec<_>>(), [1, 2]);
/// ```
///
/// Go: `chan<- T`.
pub struct Sender<T>(Handle<T, SENDER>);

impl<T> Sender<T> {
    /// An end for `handle`, counted as one more sender.
    pub(super) fn counted(handle: Handle<T, SENDER>) -> Sender<T> {
        handle
            .core()
            .header()
            .senders
            .fetch_add(1, Ordering::Relaxed);
        Sender(handle)
    }

    /// The same, where the one more stands in the count.
    pub(super) fn counted_already(handle: Handle<T, SENDER>) -> Sender<T> {
        Sender(handle)
    }

    #[inline]
    pub(super) fn core(&self) -> &Core<T> {
        self.0.core()
    }

    /// Sends a value: waits until there is room for it or, if the channel is unbuffered, until a receiver takes it.
    ///
    /// Go: `ch <- value`.
    ///
    /// # Errors
    ///
    /// The value comes back if the channel is closed, or is closed while this waits; and if it is full and its
    /// [`Overflow`](super::Overflow) is `Reject`. Then `is_closed` is false.
    ///
    /// # Blocking
    ///
    /// Yes, and it may let others run even when it could succeed at once.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// assert!(tx.send("one").is_ok());
    /// drop(rx);
    /// assert_eq!(tx.send("two").unwrap_err().into_inner(), "two");
    /// ```
    #[track_caller]
    #[inline]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let (core, site) = (self.core(), Location::caller());
        match size_of::<T>() <= SMALL {
            true => send_small(core, value, site),
            // Into its slot at once: more moves of it would fill the stack of a goroutine where nothing is optimised.
            false => self
                .send_within(value, Limit::NONE, site)
                .map_err(Unsent::error),
        }
    }

    /// Sends a value if that needs no waiting.
    ///
    /// Go: `select { case ch <- value: default: }`.
    ///
    /// # Errors
    ///
    /// `Full` if there is no room, `Disconnected` if the channel is closed; the value comes back.
    ///
    /// # Blocking
    ///
    /// Never.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// assert!(tx.try_send(1).is_ok());
    /// assert!(tx.try_send(2).unwrap_err().is_full());
    /// # drop(rx);
    /// ```
    #[track_caller]
    #[inline]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let from = SendSlot::new(value, Location::caller());
        let mut put = self.core().try_put(&from);
        if put == Put::Full {
            put = self.core().overflow(&from);
        }
        match put {
            Put::Done => Ok(()),
            Put::Closed => Err(TrySendError::Disconnected(left(&from))),
            _ => Err(TrySendError::Full(left(&from))),
        }
    }

    /// Sends a value, and never waits for that: if the channel is full, the oldest value makes room, and comes back.
    ///
    /// That is so whatever the channel's [`Overflow`](super::Overflow) is. If a `select` has reserved the place of the oldest,
    /// and on an unbuffered channel on which no receiver waits, the value itself comes back.
    ///
    /// Go: `select { case ch <- value: default: <-ch; ch <- value }`, in a loop.
    ///
    /// # Errors
    ///
    /// The value comes back if the channel is closed.
    ///
    /// # Blocking
    ///
    /// Never.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// assert_eq!(tx.force_send(1), Ok(None));
    /// assert_eq!(tx.force_send(2), Ok(Some(1)));
    /// assert_eq!(rx.recv(), Ok(2));
    /// ```
    #[track_caller]
    pub fn force_send(&self, value: T) -> Result<Option<T>, SendError<T>> {
        let from = SendSlot::new(value, Location::caller());
        let (put, evicted) = self.core().force_out(&from);
        match put {
            Put::Done => Ok(evicted),
            Put::Closed => Err(SendError(left(&from))),
            _ => Ok(Some(left(&from))),
        }
    }

    /// As [`send`](Self::send), but waits no longer than `timeout`.
    ///
    /// Go: `select { case ch <- value: case <-time.After(timeout): }`.
    ///
    /// # Errors
    ///
    /// `Timeout` or `Disconnected`, with the value. A full channel whose [`Overflow`](super::Overflow) is `Reject` gives
    /// `Timeout` at once.
    ///
    /// # Blocking
    ///
    /// Yes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// let (tx, _rx) = waterway::chan(0);
    /// assert!(tx.send_timeout(1, Duration::from_millis(1)).unwrap_err().is_timeout());
    /// ```
    #[track_caller]
    pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        let limit = Limit::at(Instant::now().checked_add(timeout));
        let sent = self.send_within(value, limit, Location::caller());
        sent.map_err(Unsent::timeout)
    }

    /// As [`send`](Self::send), but waits no longer than until `deadline`.
    ///
    /// Go: `select` with `time.After(time.Until(deadline))`.
    ///
    /// # Errors
    ///
    /// `Timeout` or `Disconnected`, with the value. A full channel whose [`Overflow`](super::Overflow) is `Reject` gives
    /// `Timeout` at once.
    ///
    /// # Blocking
    ///
    /// Yes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Instant;
    /// let (tx, _rx) = waterway::chan(0);
    /// assert!(tx.send_deadline(1, Instant::now()).unwrap_err().is_timeout());
    /// ```
    #[track_caller]
    pub fn send_deadline(&self, value: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        let sent = self.send_within(value, Limit::at(Some(deadline)), Location::caller());
        sent.map_err(Unsent::timeout)
    }

    /// As `send`, up to a limit.
    pub(crate) fn send_within(
        &self,
        value: T,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> Result<(), Unsent<T>> {
        let from = SendSlot::new(value, site);
        let put = || self.core().send(&from, limit, site);
        let put = handover().map_or_else(put, |worker| worker.time_without(put));
        match put {
            Put::Done => Ok(()),
            Put::Closed => Err(Unsent::Closed(left(&from))),
            Put::Refused => Err(Unsent::Refused(left(&from))),
            _ => Err(Unsent::Limit(left(&from))),
        }
    }

    /// Sends a value from an async task.
    ///
    /// Dropping the future before it is ready takes the value back, if nobody has fetched it yet.
    ///
    /// Go: `ch <- value`.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Blocking
    ///
    /// Never; the future is pending instead.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// let mut send = tx.send_async(1);
    /// let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    /// assert!(std::pin::Pin::new(&mut send).poll(&mut cx).is_ready());
    /// assert_eq!(rx.recv(), Ok(1));
    /// ```
    #[track_caller]
    pub fn send_async(&self, value: T) -> SendFuture<'_, T> {
        SendFuture::new(self, value, Location::caller())
    }

    /// Closes the channel: sends fail from now on, also those that wait. What is buffered can still be received.
    ///
    /// Go: `close(ch)`; closing twice is fine here.
    ///
    /// # Blocking
    ///
    /// Never.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// tx.send(1).unwrap();
    /// tx.close();
    /// assert!(tx.send(2).is_err());
    /// assert_eq!(rx.recv(), Ok(1));
    /// assert!(rx.recv().is_err());
    /// ```
    pub fn close(&self) {
        self.core().close(SEND_CLOSED);
    }

    /// What keeps the channel's memory, and nothing else of it.
    pub(super) fn memory(&self) -> Handle<T, MEMORY> {
        self.0.another()
    }

    /// True if nobody waits to receive, of a channel with a buffer that has a limit.
    pub(crate) fn nobody_receives(&self) -> bool {
        self.core().flags() & RECV_WAITING == 0
    }

    /// Has `call` called, once, when the last receiver has gone; on the thread that drops it, with no lock held.
    pub(crate) fn on_last_receiver_drop(&self, call: impl FnOnce() + Send + 'static) {
        self.core().set_on_last_receiver(Box::new(call));
    }
}

/// From where a call is made.
type Site = &'static Location<'static>;

#[inline]
fn send_small<T>(core: &Core<T>, value: T, site: Site) -> Result<(), SendError<T>> {
    let left = match core.quick() {
        Some(ring) => core.door.put_quick(ring, value, is_calm),
        None => Err(value),
    };
    match left {
        Ok(()) => Ok(()),
        Err(value) => send(core, value, site),
    }
}

/// All ways but the quickest, which stands in the caller. They are apart from each other, so that the shorter ones save no registers
/// and make no room for the long ones; and take the same, so that one goes on to the next by a jump.
#[inline(never)]
fn send<T>(core: &Core<T>, value: T, site: Site) -> Result<(), SendError<T>> {
    match is_calm() {
        true => send_now(core, value, site),
        false => send_after_checkpoint(core, value, site),
    }
}

#[cold]
#[inline(never)]
fn send_after_checkpoint<T>(core: &Core<T>, value: T, site: Site) -> Result<(), SendError<T>> {
    match handover() {
        None => send_now(core, value, site),
        Some(worker) => worker.time_without(|| send_now(core, value, site)),
    }
}

#[inline]
fn send_now<T>(core: &Core<T>, value: T, site: Site) -> Result<(), SendError<T>> {
    match core.quick().is_some() {
        true => send_ring(core, value, site),
        false => send_long(core, value, site),
    }
}

#[inline(never)]
fn send_ring<T>(core: &Core<T>, mut value: T, site: Site) -> Result<(), SendError<T>> {
    if let Some(ring) = core.quick() {
        value = match core.door.put_own(ring, value) {
            Ok(()) => return Ok(()),
            Err(value) => value,
        };
    }
    send_shared(core, value, site)
}

#[inline(never)]
fn send_shared<T>(core: &Core<T>, mut value: T, site: Site) -> Result<(), SendError<T>> {
    if let Some(ring) = core.quick() {
        value = match core.put_quick(ring, value) {
            Ok(()) => return Ok(()),
            Err(value) => value,
        };
    }
    send_long(core, value, site)
}

#[inline(never)]
fn send_long<T>(core: &Core<T>, value: T, site: Site) -> Result<(), SendError<T>> {
    core.send_value(value, site).map_err(SendError)
}

/// Why `send_within` did not send.
pub(crate) enum Unsent<T> {
    /// The limit came first.
    Limit(T),
    /// The channel is full, and refuses.
    Refused(T),
    /// The channel is closed.
    Closed(T),
}

impl<T> Unsent<T> {
    /// Of a send without a limit.
    fn error(self) -> SendError<T> {
        let (Unsent::Limit(value) | Unsent::Refused(value) | Unsent::Closed(value)) = self;
        SendError(value)
    }

    fn timeout(self) -> SendTimeoutError<T> {
        match self {
            Unsent::Limit(value) | Unsent::Refused(value) => SendTimeoutError::Timeout(value),
            Unsent::Closed(value) => SendTimeoutError::Disconnected(value),
        }
    }
}

/// What was not sent.
fn left<T>(from: &SendSlot<T>) -> T {
    from.take()
        .expect("a value that was not sent is still there")
}

either_end!(Sender);

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let core = self.core();
        if core.header().senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            core.close(SEND_CLOSED);
        }
    }
}
