//! The receiving end of a channel.

use std::fmt;
use std::panic::Location;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use super::block::NoValue;
use super::core::Core;
use super::end::either_end;
use super::error::{RecvError, RecvTimeoutError, TryRecvError};
use super::future::RecvFuture;
use super::handle::{Handle, RECEIVER};
use super::iter::{Iter, TryIter};
use super::ops::Get;
use super::overflow::Overflow;
use super::statistics::Statistics;
use crate::primitives::Ordering;
use crate::wait::{Limit, handover, is_calm};

/// The receiving end of a channel.
///
/// ```
/// let (tx, rx) = waterway::chan(1);
/// let other: waterway::Receiver<_> = rx.clone();
/// tx.send(7).unwrap();
/// assert_eq!(other.recv(), Ok(7), "each value goes to one of them");
/// assert!(rx.try_recv().unwrap_err().is_empty());
/// ```
///
/// Go: `<-chan T`.
pub struct Receiver<T>(Handle<T, RECEIVER>);

impl<T> Receiver<T> {
    /// Shows the channel as the one that is closed when the context of that number ends.
    pub(crate) fn show_as_done(&self, context: usize) {
        self.0.core().header().show_as_done(context);
    }

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
        let (core, site) = (self.core(), Location::caller());
        let ring = core.quick();
        match ring.and_then(|ring| core.door.get_quick(ring, is_calm)) {
            Some(value) => Ok(value),
            None => recv(core, site),
        }
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
        let limit = Limit::at(Instant::now().checked_add(timeout));
        self.recv_within(limit, Location::caller())
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
        self.recv_within(Limit::at(Some(deadline)), Location::caller())
    }

    /// As `recv`; `Timeout` if the limit came first.
    pub(crate) fn recv_within(
        &self,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> Result<T, RecvTimeoutError> {
        let got = || self.core().recv(limit, site);
        let got = handover().map_or_else(got, |worker| worker.time_without(got));
        got.map_err(|error| match error {
            NoValue::Limit => RecvTimeoutError::Timeout,
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
    ///
    /// Go: a `select` with a `default`, again and again.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(self)
    }
}

/// All ways but the quickest, which stands in the caller. They are apart from each other, so that the shorter ones save no registers
/// and make no room for the long ones; and take the same, so that one goes on to the next by a jump.
#[inline(never)]
fn recv<T>(core: &Core<T>, site: &'static Location<'static>) -> Result<T, RecvError> {
    match is_calm() {
        true => recv_now(core, site),
        false => recv_after_checkpoint(core, site),
    }
}

#[cold]
#[inline(never)]
fn recv_after_checkpoint<T>(
    core: &Core<T>,
    site: &'static Location<'static>,
) -> Result<T, RecvError> {
    match handover() {
        None => recv_now(core, site),
        Some(worker) => worker.time_without(|| recv_now(core, site)),
    }
}

#[inline]
fn recv_now<T>(core: &Core<T>, site: &'static Location<'static>) -> Result<T, RecvError> {
    match core.quick().is_some() {
        true => recv_ring(core, site),
        false => recv_long(core, site),
    }
}

#[inline(never)]
fn recv_ring<T>(core: &Core<T>, site: &'static Location<'static>) -> Result<T, RecvError> {
    match core.quick().and_then(|ring| core.door.get_own(ring)) {
        Some(value) => Ok(value),
        None => recv_shared(core, site),
    }
}

#[inline(never)]
fn recv_shared<T>(core: &Core<T>, site: &'static Location<'static>) -> Result<T, RecvError> {
    match core.quick().and_then(|ring| core.get_quick(ring)) {
        Some(value) => Ok(value),
        None => recv_long(core, site),
    }
}

#[inline(never)]
fn recv_long<T>(core: &Core<T>, site: &'static Location<'static>) -> Result<T, RecvError> {
    core.recv(Limit::NONE, site).map_err(|_| RecvError)
}

either_end!(Receiver);

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let core = self.core();
        if core.header().receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
            core.last_receiver();
        }
    }
}
