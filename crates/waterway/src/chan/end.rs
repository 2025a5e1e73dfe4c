//! The two ends of a channel.

use std::fmt;
use std::panic::Location;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use super::block::NoValue;
use super::core::{Core, SEND_CLOSED};
use super::error::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
use super::future::{RecvFuture, SendFuture};
use super::handle::{Handle, MEMORY, RECEIVER, SENDER};
use super::iter::{Iter, TryIter};
use super::ops::{Get, Put};
use super::slot::SendSlot;
use crate::primitives::Ordering;
use crate::wait::checkpoint;

/// The sending end of a channel.
///
/// Go: `chan<- T`.
pub struct Sender<T>(Handle<T, SENDER>);

/// The receiving end of a channel.
///
/// Go: `<-chan T`.
pub struct Receiver<T>(Handle<T, RECEIVER>);

/// A sender that does not keep the channel open: for a worker that puts work back into the queue that it serves.
///
/// Go: has no counterpart, as nothing there closes a channel by itself.
pub struct WeakSender<T>(Handle<T, MEMORY>);

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
    /// The value comes back if the channel is closed, or is closed while this waits.
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
        checkpoint();
        if self.core().is_quick() {
            return self.send_ring(value, Location::caller());
        }
        self.send_from(&SendSlot::new(value), Location::caller())
    }

    #[inline(never)]
    fn send_ring(&self, value: T, site: &'static Location<'static>) -> Result<(), SendError<T>> {
        match self.core().put_quick(value) {
            Ok(()) => Ok(()),
            Err(value) => self.send_from(&SendSlot::new(value), site),
        }
    }

    #[inline]
    fn send_from(
        &self,
        from: &SendSlot<T>,
        site: &'static Location<'static>,
    ) -> Result<(), SendError<T>> {
        match self.core().send(from, None, site) {
            Put::Done => Ok(()),
            Put::Full | Put::Closed => Err(SendError(left(from))),
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
    #[inline]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let from = SendSlot::new(value);
        match self.core().try_put(&from) {
            Put::Done => Ok(()),
            Put::Full => Err(TrySendError::Full(left(&from))),
            Put::Closed => Err(TrySendError::Disconnected(left(&from))),
        }
    }

    /// As [`send`](Self::send), but waits no longer than `timeout`.
    ///
    /// Go: `select { case ch <- value: case <-time.After(timeout): }`.
    ///
    /// # Errors
    ///
    /// `Timeout` or `Disconnected`, with the value.
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
        self.send_until(
            value,
            Instant::now().checked_add(timeout),
            Location::caller(),
        )
    }

    /// As [`send`](Self::send), but waits no longer than until `deadline`.
    ///
    /// Go: `select` with `time.After(time.Until(deadline))`.
    ///
    /// # Errors
    ///
    /// `Timeout` or `Disconnected`, with the value.
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
        self.send_until(value, Some(deadline), Location::caller())
    }

    fn send_until(
        &self,
        value: T,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Result<(), SendTimeoutError<T>> {
        checkpoint();
        let from = SendSlot::new(value);
        match self.core().send(&from, deadline, site) {
            Put::Done => Ok(()),
            Put::Full => Err(SendTimeoutError::Timeout(left(&from))),
            Put::Closed => Err(SendTimeoutError::Disconnected(left(&from))),
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
    pub fn send_async(&self, value: T) -> SendFuture<'_, T> {
        SendFuture::new(self, value)
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

    /// A sender that does not keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = waterway::chan::<i32>(1);
    /// let weak = tx.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(tx);
    /// assert!(weak.upgrade().is_none());
    /// assert!(rx.recv().is_err());
    /// ```
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender(self.0.another())
    }

    /// What keeps the channel's memory, and nothing else of it.
    pub(super) fn memory(&self) -> Handle<T, MEMORY> {
        self.0.another()
    }

    /// Has `call` called, once, when the last receiver has gone; on the thread that drops it, with no lock held.
    pub(crate) fn on_last_receiver_drop(&self, call: impl FnOnce() + Send + 'static) {
        self.core().set_on_last_receiver(Box::new(call));
    }
}

/// What was not sent.
fn left<T>(from: &SendSlot<T>) -> T {
    from.take()
        .expect("a value that was not sent is still there")
}

impl<T> Receiver<T> {
    /// The receiver of a core that has no other end.
    pub(super) fn first(core: NonNull<Core<T>>) -> Receiver<T> {
        Receiver::counted(Handle::first(core))
    }

    /// An end for `handle`, counted as one more receiver.
    pub(super) fn counted(handle: Handle<T, RECEIVER>) -> Receiver<T> {
        handle
            .core()
            .header()
            .receivers
            .fetch_add(1, Ordering::Relaxed);
        Receiver(handle)
    }

    #[inline]
    pub(super) fn core(&self) -> &Core<T> {
        self.0.core()
    }

    /// Receives a value: waits until there is one.
    ///
    /// Go: `value, ok := <-ch`.
    ///
    /// # Errors
    ///
    /// If the channel is closed and nothing is left in it.
    ///
    /// # Blocking
    ///
    /// Yes, and it may let others run even when it could succeed at once.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// tx.send(5).unwrap();
    /// drop(tx);
    /// assert_eq!(rx.recv(), Ok(5));
    /// assert!(rx.recv().is_err());
    /// ```
    #[track_caller]
    #[inline]
    pub fn recv(&self) -> Result<T, RecvError> {
        checkpoint();
        if self.core().is_quick() {
            return self.recv_ring(Location::caller());
        }
        self.recv_slow(Location::caller())
    }

    #[inline(never)]
    fn recv_ring(&self, site: &'static Location<'static>) -> Result<T, RecvError> {
        match self.core().get_quick() {
            Some(value) => Ok(value),
            None => self.recv_slow(site),
        }
    }

    #[inline]
    fn recv_slow(&self, site: &'static Location<'static>) -> Result<T, RecvError> {
        self.core().recv(None, site).map_err(|_| RecvError)
    }

    /// Receives a value if one is there.
    ///
    /// Go: `select { case value, ok := <-ch: default: }`.
    ///
    /// # Errors
    ///
    /// `Empty` if none is there now, `Disconnected` if none will come.
    ///
    /// # Blocking
    ///
    /// Never.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// assert!(rx.try_recv().unwrap_err().is_empty());
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        match self.core().try_get() {
            Get::Value(value) => Ok(value),
            Get::Closed => Err(TryRecvError::Disconnected),
            Get::Empty | Get::Later => Err(TryRecvError::Empty),
        }
    }

    /// As [`recv`](Self::recv), but waits no longer than `timeout`.
    ///
    /// Go: `select { case value := <-ch: case <-time.After(timeout): }`.
    ///
    /// # Errors
    ///
    /// `Timeout` or `Disconnected`.
    ///
    /// # Blocking
    ///
    /// Yes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// let (_tx, rx) = waterway::chan::<i32>(0);
    /// assert!(rx.recv_timeout(Duration::from_millis(1)).unwrap_err().is_timeout());
    /// ```
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(Instant::now().checked_add(timeout), Location::caller())
    }

    /// As [`recv`](Self::recv), but waits no longer than until `deadline`.
    ///
    /// Go: `select` with `time.After(time.Until(deadline))`.
    ///
    /// # Errors
    ///
    /// `Timeout` or `Disconnected`.
    ///
    /// # Blocking
    ///
    /// Yes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Instant;
    /// let (_tx, rx) = waterway::chan::<i32>(0);
    /// assert!(rx.recv_deadline(Instant::now()).unwrap_err().is_timeout());
    /// ```
    #[track_caller]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_until(Some(deadline), Location::caller())
    }

    fn recv_until(
        &self,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Result<T, RecvTimeoutError> {
        checkpoint();
        self.core()
            .recv(deadline, site)
            .map_err(|error| match error {
                NoValue::TimedOut => RecvTimeoutError::Timeout,
                NoValue::Closed => RecvTimeoutError::Disconnected,
            })
    }

    /// Receives a value in an async task. No value is lost if the future is dropped.
    ///
    /// Go: `value, ok := <-ch`.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Blocking
    ///
    /// Never; the future is pending instead.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// tx.send(1).unwrap();
    /// let mut recv = rx.recv_async();
    /// let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    /// assert_eq!(std::pin::Pin::new(&mut recv).poll(&mut cx), std::task::Poll::Ready(Ok(1)));
    /// ```
    pub fn recv_async(&self) -> RecvFuture<'_, T> {
        RecvFuture::new(self)
    }

    /// Closes the channel: sends fail from now on, what is buffered is dropped, and receives fail.
    ///
    /// Go: has no counterpart.
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
    /// rx.close();
    /// assert!(tx.send(2).is_err());
    /// assert!(rx.recv().is_err());
    /// ```
    pub fn close(&self) {
        self.core().close_receiving();
    }

    /// What arrives, until the channel is closed and empty.
    ///
    /// Go: `for value := range ch`.
    ///
    /// # Blocking
    ///
    /// `next` waits as [`recv`](Self::recv) does.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(2);
    /// tx.send(1).unwrap();
    /// tx.send(2).unwrap();
    /// drop(tx);
    /// assert_eq!(rx.iter().collect::<Vec<_>>(), [1, 2]);
    /// ```
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    /// What is there now.
    ///
    /// # Blocking
    ///
    /// Never.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(2);
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1]);
    /// ```
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(self)
    }
}

impl<T> WeakSender<T> {
    /// A sender, if there still is one.
    ///
    /// # Blocking
    ///
    /// Never.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let senders = &self.0.core().header().senders;
        let more = |n: usize| (n != 0).then_some(n + 1);
        senders
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(Sender(self.0.another()))
    }
}

macro_rules! getters {
    ($end:ident) => {
        impl<T> $end<T> {
            /// How many values are buffered. Slots that a `select` has reserved count.
            ///
            /// Go: `len(ch)`.
            ///
            /// # Blocking
            ///
            /// Never.
            pub fn len(&self) -> usize {
                self.core().len()
            }

            /// How many values the channel holds; `None` if there is no limit.
            ///
            /// Go: `cap(ch)`.
            pub fn capacity(&self) -> Option<usize> {
                self.core().capacity()
            }

            /// True if nothing is buffered; always so for an unbuffered channel.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// True if there is no room; always so for an unbuffered channel.
            ///
            /// Go: `len(ch) == cap(ch)`.
            pub fn is_full(&self) -> bool {
                self.capacity()
                    .is_some_and(|capacity| self.len() == capacity)
            }

            /// True once the channel is closed from either side, be it by the last drop.
            pub fn is_closed(&self) -> bool {
                self.core().is_closed()
            }

            /// True if both are ends of one channel.
            pub fn same_channel(&self, other: &$end<T>) -> bool {
                std::ptr::eq(self.core(), other.core())
            }
        }

        impl<T> Clone for $end<T> {
            fn clone(&self) -> Self {
                $end::counted(self.0.another())
            }
        }

        impl<T> fmt::Debug for $end<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

getters!(Sender);
getters!(Receiver);

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let core = self.core();
        if core.header().senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            core.close(SEND_CLOSED);
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let core = self.core();
        if core.header().receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
            core.last_receiver();
        }
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        WeakSender(self.0.another())
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> std::panic::UnwindSafe for Sender<T> {}
impl<T> std::panic::RefUnwindSafe for Sender<T> {}
impl<T> std::panic::UnwindSafe for Receiver<T> {}
impl<T> std::panic::RefUnwindSafe for Receiver<T> {}
