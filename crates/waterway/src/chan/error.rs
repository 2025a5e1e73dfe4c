//! Errors of channel operations: the names and shapes of std and crossbeam.

use std::error::Error;
use std::fmt;

/// The channel is closed, or it is full and its [`Overflow`](super::Overflow) is `Reject`; the value comes back.
///
/// Which of the two: the sender's own [`is_closed`](super::Sender::is_closed) says so, or take `try_send`, whose error does. The error itself holds the value alone, as
/// std's does, so its `Debug` and `Display` name both. For the same reason it does not turn into the errors of `try_send` and
/// `send_timeout` by itself: they say which of the two it was.
///
/// ```compile_fail,E0277
/// # use waterway::{SendError, TrySendError};
/// let error = TrySendError::from(SendError("full, or closed?"));
/// ```
///
/// ```compile_fail,E0277
/// # use waterway::{SendError, SendTimeoutError};
/// let error = SendTimeoutError::from(SendError("full, or closed?"));
/// ```
///
/// ```
/// use waterway::{TrySendError, chan, flow::Overflow};
/// let (tx, rx) = chan::builder().capacity(1).overflow(Overflow::Reject).make();
/// tx.send("first").unwrap();
/// let error = tx.send("second").map_err(|refused| match tx.is_closed() {
///     true => TrySendError::Disconnected(refused.into_inner()),
///     false => TrySendError::Full(refused.into_inner()),
/// });
/// assert_eq!(error, Err(TrySendError::Full("second")));
/// # drop(rx);
/// ```
///
/// ```
/// let (tx, rx) = waterway::chan(1);
/// drop(rx);
/// let error = tx.send("unsent").unwrap_err();
/// assert!(error.to_string().contains("`Sender::is_closed` tells which"));
/// assert_eq!(error.into_inner(), "unsent");
/// ```
///
/// Go: the panic `send on closed channel`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// Why [`Sender::try_send`](super::Sender::try_send) did not send.
///
/// ```
/// use waterway::{TrySendError, chan};
/// let (tx, rx) = chan(1);
/// tx.send(1).unwrap();
/// assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
/// drop(rx);
/// assert_eq!(tx.try_send(2), Err(TrySendError::Disconnected(2)));
/// ```
///
/// Go: the `default` of a `select`, and the panic `send on closed channel`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// There is no room, or no receiver waits on an unbuffered channel.
    Full(T),
    /// The channel is closed.
    Disconnected(T),
}

/// Why [`Sender::send_timeout`](super::Sender::send_timeout) did not send.
///
/// ```
/// use std::time::Duration;
///
/// use waterway::{SendTimeoutError, chan};
/// let (tx, _rx) = chan(0);
/// let sent = tx.send_timeout(1, Duration::from_millis(1));
/// assert_eq!(sent, Err(SendTimeoutError::Timeout(1)));
/// ```
///
/// Go: a `select` with a case of `time.After`, and the panic `send on closed channel`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendTimeoutError<T> {
    /// The time passed first.
    Timeout(T),
    /// The channel is closed.
    Disconnected(T),
}

/// The channel is closed and empty.
///
/// ```
/// let (tx, rx) = waterway::chan::<u32>(0);
/// drop(tx);
/// assert_eq!(rx.recv(), Err(waterway::RecvError));
/// ```
///
/// Go: `ok` is false in `value, ok := <-ch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecvError;

/// Why [`Receiver::try_recv`](super::Receiver::try_recv) has no value.
///
/// ```
/// use waterway::{TryRecvError, chan};
/// let (tx, rx) = chan::<u32>(1);
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
/// drop(tx);
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
/// ```
///
/// Go: the `default` of a `select`, and `ok` is false in `value, ok := <-ch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// Nothing is there now.
    Empty,
    /// The channel is closed and empty.
    Disconnected,
}

/// Why [`Receiver::recv_timeout`](super::Receiver::recv_timeout) has no value.
///
/// ```
/// use std::time::Duration;
///
/// use waterway::{RecvTimeoutError, chan};
/// let (_tx, rx) = chan::<u32>(0);
/// let received = rx.recv_timeout(Duration::from_millis(1));
/// assert_eq!(received, Err(RecvTimeoutError::Timeout));
/// ```
///
/// Go: a `select` with a case of `time.After`, and `ok` is false in `value, ok := <-ch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// The time passed first.
    Timeout,
    /// The channel is closed and empty.
    Disconnected,
}

pub(crate) const CLOSED_SEND: &str = "sending on a channel that is closed or has no receiver";
pub(crate) const CLOSED_RECV: &str =
    "receiving on an empty channel that is closed or has no sender";

impl<T> SendError<T> {
    /// The value that was not sent.
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// drop(rx);
    /// let unsent = tx.send(String::from("kept")).unwrap_err();
    /// assert_eq!(unsent.into_inner(), "kept");
    /// ```
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> TrySendError<T> {
    /// The value that was not sent.
    ///
    /// ```
    /// let (tx, _rx) = waterway::chan(0);
    /// assert_eq!(tx.try_send("nobody receives").unwrap_err().into_inner(), "nobody receives");
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            TrySendError::Full(value) | TrySendError::Disconnected(value) => value,
        }
    }

    /// True if there was no room.
    ///
    /// ```
    /// let (tx, _rx) = waterway::chan(1);
    /// tx.send(1).unwrap();
    /// assert!(tx.try_send(2).unwrap_err().is_full());
    /// ```
    pub fn is_full(&self) -> bool {
        matches!(self, TrySendError::Full(_))
    }

    /// True if the channel is closed.
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// drop(rx);
    /// assert!(tx.try_send(1).unwrap_err().is_disconnected());
    /// ```
    pub fn is_disconnected(&self) -> bool {
        matches!(self, TrySendError::Disconnected(_))
    }
}

impl<T> SendTimeoutError<T> {
    /// The value that was not sent.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (tx, _rx) = waterway::chan(0);
    /// let late = tx.send_timeout("late", Duration::from_millis(1)).unwrap_err();
    /// assert_eq!(late.into_inner(), "late");
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            SendTimeoutError::Timeout(value) | SendTimeoutError::Disconnected(value) => value,
        }
    }

    /// True if the time passed.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (tx, _rx) = waterway::chan(0);
    /// assert!(tx.send_timeout(1, Duration::from_millis(1)).unwrap_err().is_timeout());
    /// ```
    pub fn is_timeout(&self) -> bool {
        matches!(self, SendTimeoutError::Timeout(_))
    }

    /// True if the channel is closed.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (tx, rx) = waterway::chan(0);
    /// drop(rx);
    /// assert!(tx.send_timeout(1, Duration::from_secs(3600)).unwrap_err().is_disconnected());
    /// ```
    pub fn is_disconnected(&self) -> bool {
        matches!(self, SendTimeoutError::Disconnected(_))
    }
}

impl TryRecvError {
    /// True if nothing was there.
    ///
    /// ```
    /// let (_tx, rx) = waterway::chan::<u32>(1);
    /// assert!(rx.try_recv().unwrap_err().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        matches!(self, TryRecvError::Empty)
    }

    /// True if the channel is closed and empty.
    ///
    /// ```
    /// let (tx, rx) = waterway::chan::<u32>(1);
    /// drop(tx);
    /// assert!(rx.try_recv().unwrap_err().is_disconnected());
    /// ```
    pub fn is_disconnected(&self) -> bool {
        matches!(self, TryRecvError::Disconnected)
    }
}

impl RecvTimeoutError {
    /// True if the time passed.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (_tx, rx) = waterway::chan::<u32>(0);
    /// assert!(rx.recv_timeout(Duration::from_millis(1)).unwrap_err().is_timeout());
    /// ```
    pub fn is_timeout(&self) -> bool {
        matches!(self, RecvTimeoutError::Timeout)
    }

    /// True if the channel is closed and empty.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (tx, rx) = waterway::chan::<u32>(0);
    /// drop(tx);
    /// assert!(rx.recv_timeout(Duration::from_secs(3600)).unwrap_err().is_disconnected());
    /// ```
    pub fn is_disconnected(&self) -> bool {
        matches!(self, RecvTimeoutError::Disconnected)
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(no receiver is left, or the channel is closed, or it is full and its Overflow is Reject)")
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "Full(..)",
            TrySendError::Disconnected(_) => "Disconnected(..)",
        })
    }
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendTimeoutError::Timeout(_) => "Timeout(..)",
            SendTimeoutError::Disconnected(_) => "Disconnected(..)",
        })
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "sending on a channel that is closed or has no receiver, or is full and its Overflow is Reject (`Sender::is_closed` tells which)",
        )
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "sending on a full channel",
            TrySendError::Disconnected(_) => CLOSED_SEND,
        })
    }
}

impl<T> fmt::Display for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendTimeoutError::Timeout(_) => "timed out waiting to send",
            SendTimeoutError::Disconnected(_) => CLOSED_SEND,
        })
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLOSED_RECV)
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryRecvError::Empty => "receiving on an empty channel",
            TryRecvError::Disconnected => CLOSED_RECV,
        })
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RecvTimeoutError::Timeout => "timed out waiting to receive",
            RecvTimeoutError::Disconnected => CLOSED_RECV,
        })
    }
}

impl<T> Error for SendError<T> {}
impl<T> Error for TrySendError<T> {}
impl<T> Error for SendTimeoutError<T> {}
impl Error for RecvError {}
impl Error for TryRecvError {}
impl Error for RecvTimeoutError {}

impl From<RecvError> for TryRecvError {
    fn from(_: RecvError) -> Self {
        TryRecvError::Disconnected
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(_: RecvError) -> Self {
        RecvTimeoutError::Disconnected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who lost the other side has often closed nothing.
    #[test]
    fn that_the_other_side_is_gone_is_said() {
        let (tx, rx) = super::super::chan(1);
        drop(rx);
        let error = tx.send(1).unwrap_err();
        for text in [format!("{error:?}"), error.to_string()] {
            assert!(
                text.contains("no receiver") && text.contains("Reject"),
                "{text}"
            );
        }
        assert!(
            tx.try_send(1)
                .unwrap_err()
                .to_string()
                .contains("no receiver")
        );
        assert!(RecvError.to_string().contains("no sender"));
    }
}
