//! How a context ends, and what a call gives back that it has ended.

use std::error::Error;
use std::fmt;

use crate::chan::{CLOSED_RECV, CLOSED_SEND};

/// Why a context has ended.
///
/// ```
/// use waterway::ContextError;
/// assert_eq!(ContextError::Canceled.to_string(), "context canceled");
/// assert_eq!(ContextError::DeadlineExceeded.to_string(), "context deadline exceeded");
/// ```
///
/// Go: `context.Canceled`, `context.DeadlineExceeded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContextError {
    /// It, or a context above it, was cancelled.
    Canceled,
    /// Its deadline, or that of a context above it, has passed.
    DeadlineExceeded,
}

impl ContextError {
    /// True for a deadline that has passed.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use waterway::Context;
    /// let (ctx, _guard) = Context::background().with_timeout(Duration::from_millis(1));
    /// ctx.done().recv().unwrap_err();
    /// assert!(ctx.err().unwrap().is_timeout());
    /// ```
    ///
    /// Go: the `Timeout` method of the error.
    pub fn is_timeout(self) -> bool {
        self == ContextError::DeadlineExceeded
    }

    pub(super) fn number(self) -> u8 {
        match self {
            ContextError::Canceled => 1,
            ContextError::DeadlineExceeded => 2,
        }
    }

    pub(super) fn from_number(number: u8) -> Option<ContextError> {
        match number {
            0 => None,
            1 => Some(ContextError::Canceled),
            _ => Some(ContextError::DeadlineExceeded),
        }
    }
}

/// A value was not sent because the context had ended, or the channel is closed. The value is inside.
///
/// ```
/// use waterway::{Context, ContextError, chan, context::SendContextError};
/// let (ctx, guard) = Context::background().with_cancel();
/// guard.cancel();
/// let (tx, _rx) = chan(1);
/// match ctx.send(&tx, 7) {
///     Err(SendContextError::Ended(value, error)) => {
///         assert_eq!((value, error), (7, ContextError::Canceled));
///     }
///     _ => unreachable!(),
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendContextError<T> {
    /// The context ended first.
    Ended(T, ContextError),
    /// The channel is full, and its [`Overflow`](crate::flow::Overflow) is `Reject`.
    Refused(T),
    /// The channel is closed.
    Disconnected(T),
}

/// Nothing was received because the context had ended, or the channel is closed and empty.
///
/// ```
/// use waterway::{Context, chan, context::RecvContextError};
/// let (tx, rx) = chan::<u8>(1);
/// drop(tx);
/// assert_eq!(Context::background().recv(&rx), Err(RecvContextError::Disconnected));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvContextError {
    /// The context ended first.
    Ended(ContextError),
    /// The channel is closed, and nothing is left in it.
    Disconnected,
}

impl<T> SendContextError<T> {
    /// The value that was not sent.
    ///
    /// ```
    /// use waterway::{Context, chan};
    /// let (tx, rx) = chan(1);
    /// drop(rx);
    /// assert_eq!(Context::background().send(&tx, "kept").unwrap_err().into_inner(), "kept");
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            SendContextError::Ended(value, _)
            | SendContextError::Refused(value)
            | SendContextError::Disconnected(value) => value,
        }
    }

    /// How the context ended, if that is the reason.
    ///
    /// ```
    /// use waterway::{Context, ContextError, chan};
    /// let (ctx, guard) = Context::background().with_cancel();
    /// guard.cancel();
    /// let (tx, _rx) = chan(0);
    /// assert_eq!(ctx.send(&tx, 1).unwrap_err().ended(), Some(ContextError::Canceled));
    /// ```
    pub fn ended(&self) -> Option<ContextError> {
        match self {
            SendContextError::Ended(_, error) => Some(*error),
            SendContextError::Refused(_) | SendContextError::Disconnected(_) => None,
        }
    }

    /// True if the channel is closed.
    ///
    /// ```
    /// use waterway::{Context, chan};
    /// let (tx, rx) = chan(1);
    /// drop(rx);
    /// assert!(Context::background().send(&tx, 1).unwrap_err().is_disconnected());
    /// ```
    pub fn is_disconnected(&self) -> bool {
        matches!(self, SendContextError::Disconnected(_))
    }
}

impl RecvContextError {
    /// How the context ended, if that is the reason.
    ///
    /// ```
    /// use waterway::{Context, ContextError, chan};
    /// let (ctx, guard) = Context::background().with_cancel();
    /// guard.cancel();
    /// let (_tx, rx) = chan::<u8>(0);
    /// assert_eq!(ctx.recv(&rx).unwrap_err().ended(), Some(ContextError::Canceled));
    /// ```
    pub fn ended(&self) -> Option<ContextError> {
        match self {
            RecvContextError::Ended(error) => Some(*error),
            RecvContextError::Disconnected => None,
        }
    }

    /// True if the channel is closed and empty.
    ///
    /// ```
    /// use waterway::{Context, chan};
    /// let (tx, rx) = chan::<u8>(0);
    /// drop(tx);
    /// assert!(Context::background().recv(&rx).unwrap_err().is_disconnected());
    /// ```
    pub fn is_disconnected(&self) -> bool {
        matches!(self, RecvContextError::Disconnected)
    }
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ContextError::Canceled => "context canceled",
            ContextError::DeadlineExceeded => "context deadline exceeded",
        })
    }
}

impl<T> fmt::Debug for SendContextError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendContextError::Ended(_, error) => write!(f, "Ended(.., {error:?})"),
            SendContextError::Refused(_) => f.write_str("Refused(..)"),
            SendContextError::Disconnected(_) => f.write_str("Disconnected(..)"),
        }
    }
}

impl<T> fmt::Display for SendContextError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendContextError::Ended(_, error) => error.fmt(f),
            SendContextError::Refused(_) => f.write_str("sending on a full channel"),
            SendContextError::Disconnected(_) => f.write_str(CLOSED_SEND),
        }
    }
}

impl fmt::Display for RecvContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvContextError::Ended(error) => error.fmt(f),
            RecvContextError::Disconnected => f.write_str(CLOSED_RECV),
        }
    }
}

impl Error for ContextError {}

impl<T> Error for SendContextError<T> {}

impl Error for RecvContextError {}

impl From<ContextError> for RecvContextError {
    fn from(error: ContextError) -> Self {
        RecvContextError::Ended(error)
    }
}
