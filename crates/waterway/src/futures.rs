//! Ends of channels as the `futures` crates have them: a receiver as a `Stream`, a sender as a `Sink`.
//!
//! A stream stands in its channel's queue between a poll that is pending and the next: dropping a future that only borrows it,
//! such as `next()`, does not take it out. So nothing is lost then, and it keeps its turn; but it has to be polled again or
//! dropped, for one that was told of a value and does neither keeps others from that value.

use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::{FusedStream, Stream};
use futures_sink::Sink;

use crate::chan::future::{Receiving, Sending};
use crate::chan::{Receiver, SendError, Sender};

impl<T> Receiver<T> {
    /// The receiver as a [`Stream`], which ends when the channel is closed and empty. Needs the feature `futures`.
    ///
    /// Several streams, receivers and tasks may share a channel: clone the receiver before. Each value goes to one of
    /// them. A stream that was polled keeps its turn until it is polled again or dropped; keep none that is not polled.
    ///
    /// ```
    /// use futures::StreamExt;
    /// let (tx, rx) = waterway::chan(0);
    /// waterway::go(move || (1..=3).for_each(|n| tx.send(n).unwrap()));
    /// let sum = waterway::block_on(rx.into_stream().fold(0, |sum, n| async move { sum + n }));
    /// assert_eq!(sum, 6);
    /// ```
    ///
    /// Go: `for value := range ch`.
    pub fn into_stream(self) -> RecvStream<T> {
        RecvStream {
            receiving: Receiving::new(self),
            over: false,
        }
    }
}

impl<T> Sender<T> {
    /// The sender as a [`Sink`]. Needs the feature `futures`.
    ///
    /// The sink takes one value at a time and is ready for the next when the channel has taken it. Flush it before
    /// dropping it: a value that the channel has not taken is dropped with the sink. Closing the sink drops the sender, which
    /// closes the channel if it is the last.
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt, stream};
    /// let (tx, rx) = waterway::chan(1);
    /// let all = waterway::go(move || rx.iter().collect::<Vec<_>>());
    /// waterway::block_on(stream::iter([1, 2, 3]).map(Ok).forward(tx.into_sink())).unwrap();
    /// assert_eq!(all.join().unwrap(), [1, 2, 3]);
    /// ```
    ///
    /// Go: `ch <- value`, again and again.
    #[track_caller]
    pub fn into_sink(self) -> SendSink<T> {
        SendSink {
            sending: Some(Sending::new(self, Location::caller())),
        }
    }
}

/// A receiver as a [`Stream`]: from [`Receiver::into_stream`].
///
/// ```
/// use futures::StreamExt;
/// let (tx, rx) = waterway::chan(2);
/// let mut stream: waterway::RecvStream<_> = rx.into_stream();
/// tx.send(1).unwrap();
/// drop(tx);
/// assert_eq!(waterway::block_on(stream.next()), Some(1));
/// assert_eq!(waterway::block_on(stream.next()), None, "closed and empty");
/// ```
///
/// Go: `for value := range ch`.
#[must_use = "streams do nothing unless they are polled"]
pub struct RecvStream<T> {
    receiving: Receiving<T, Receiver<T>>,
    over: bool,
}

impl<T> RecvStream<T> {
    /// The receiver behind it.
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// let stream = rx.into_stream();
    /// tx.send(1).unwrap();
    /// assert_eq!(stream.receiver().len(), 1);
    /// ```
    pub fn receiver(&self) -> &Receiver<T> {
        self.receiving.end()
    }
}

impl<T> Stream for RecvStream<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let next = self.receiving.poll(cx).map(Result::ok);
        self.over |= matches!(next, Poll::Ready(None));
        next
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // What is buffered now may go to others.
        (0, None)
    }
}

impl<T> FusedStream for RecvStream<T> {
    fn is_terminated(&self) -> bool {
        self.over
    }
}

impl<T> fmt::Debug for RecvStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecvStream").field(self.receiver()).finish()
    }
}

/// A sender as a [`Sink`]: from [`Sender::into_sink`].
///
/// ```
/// use futures::SinkExt;
/// let (tx, rx) = waterway::chan(1);
/// let mut sink: waterway::SendSink<_> = tx.into_sink();
/// waterway::block_on(sink.send(7)).unwrap();
/// assert_eq!(rx.recv(), Ok(7));
/// drop(rx);
/// assert_eq!(waterway::block_on(sink.send(8)).unwrap_err().into_inner(), 8);
/// ```
///
/// Go: `ch <- value`, again and again.
#[must_use = "sinks do nothing unless they are polled"]
pub struct SendSink<T> {
    /// Until it is closed.
    sending: Option<Sending<T, Sender<T>>>,
}

impl<T> SendSink<T> {
    /// The sender behind it; `None` once the sink has been closed.
    ///
    /// ```
    /// let (tx, rx) = waterway::chan::<u8>(1);
    /// let sink = tx.into_sink();
    /// assert_eq!(sink.sender().unwrap().capacity(), Some(1));
    /// # drop(rx);
    /// ```
    pub fn sender(&self) -> Option<&Sender<T>> {
        self.sending.as_ref().map(Sending::end)
    }
}

impl<T> Sink<T> for SendSink<T> {
    /// The value comes back if the channel is closed.
    type Error = SendError<T>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        self.poll_flush(cx)
    }

    /// # Panics
    ///
    /// If the sink was not ready, and after it was closed.
    fn start_send(mut self: Pin<&mut Self>, value: T) -> Result<(), SendError<T>> {
        let sending = self.sending.as_mut().expect("the sink is not closed");
        assert!(
            sending.is_idle(),
            "a value was sent before poll_ready said that the sink is ready"
        );
        if sending.end().is_closed() {
            return Err(SendError(value));
        }
        sending.start(value);
        Ok(())
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        match &mut self.sending {
            Some(sending) => sending.poll(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        let flushed = self.as_mut().poll_flush(cx);
        if flushed.is_ready() {
            self.sending = None;
        }
        flushed
    }
}

impl<T> fmt::Debug for SendSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendSink").field(&self.sender()).finish()
    }
}
