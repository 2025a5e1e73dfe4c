//! An operation of a set that was chosen, and has to be done.

use std::fmt;
use std::panic::Location;
use std::pin::Pin;

use crate::chan::{Port, Receiver, RecvError, RecvPort, SendError, SendPort, Sender};

/// The operation that was chosen. It must be finished, with [`send`](Self::send) or [`recv`](Self::recv) on the end
/// that it was added with. Until then a receiver, or a slot of the buffer, is reserved for a send; that is given back
/// if the caller blocks, and `send` then does what [`Sender::send`] does.
///
/// ```
/// use waterway::{Select, chan};
/// let (a, from_a) = chan(1);
/// let (_b, from_b) = chan::<u32>(1);
/// a.send(7).unwrap();
/// let mut select = Select::new();
/// let (first, _second) = (select.recv(&from_a), select.recv(&from_b));
/// let chosen = select.select();
/// assert_eq!(chosen.index(), first);
/// assert_eq!(chosen.recv(&from_a), Ok(7));
/// ```
///
/// # Panics
///
/// When it is dropped unfinished. What was received is dropped, what was reserved given back.
#[must_use = "a selected operation must be finished"]
pub struct SelectedOperation<'s> {
    index: usize,
    port: Pin<&'s dyn Port>,
    /// Where it was chosen.
    site: &'static Location<'static>,
    finished: bool,
}

impl<'s> SelectedOperation<'s> {
    pub(super) fn new(
        index: usize,
        port: Pin<&'s dyn Port>,
        site: &'static Location<'static>,
    ) -> Self {
        SelectedOperation {
            index,
            port,
            site,
            finished: false,
        }
    }

    /// The index of the operation.
    ///
    /// ```
    /// use waterway::{Select, chan};
    /// let ((_tx, a), (tx, b)) = (chan::<u8>(1), chan(1));
    /// tx.send(7).unwrap();
    /// let mut select = Select::new();
    /// let (_, second) = (select.recv(&a), select.recv(&b));
    /// let chosen = select.select();
    /// assert_eq!(chosen.index(), second);
    /// assert_eq!(chosen.recv(&b), Ok(7));
    /// ```
    ///
    /// Go: the first result of `reflect.Select`.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Does the chosen send.
    ///
    /// ```
    /// use waterway::{Select, chan};
    /// let (tx, rx) = chan(1);
    /// let mut select = Select::new();
    /// select.send(&tx);
    /// select.select().send(&tx, 7).unwrap();
    /// assert_eq!(rx.recv(), Ok(7));
    /// drop(rx);
    /// let refused = select.select().send(&tx, 8).unwrap_err();
    /// assert_eq!(refused.into_inner(), 8);
    /// ```
    ///
    /// # Errors
    ///
    /// The value comes back if the channel is closed.
    ///
    /// # Panics
    ///
    /// If the chosen operation is not a send through this channel.
    ///
    /// # Blocking
    ///
    /// Only if the caller has blocked since the choice, or if an async task is to receive it.
    #[track_caller]
    pub fn send<T>(mut self, end: &Sender<T>, value: T) -> Result<(), SendError<T>> {
        let Some(port) = SendPort::of(self.port.get_ref(), end) else {
            panic!(
                "operation {} was chosen, which is not a send through this channel: look at `index` first",
                self.index
            );
        };
        self.finished = true;
        port.finish(value, Location::caller())
    }

    /// Does the chosen receive.
    ///
    /// ```
    /// use waterway::{RecvError, Select, chan};
    /// let (tx, rx) = chan(1);
    /// tx.send(7).unwrap();
    /// drop(tx);
    /// let mut select = Select::new();
    /// select.recv(&rx);
    /// assert_eq!(select.select().recv(&rx), Ok(7));
    /// assert_eq!(select.select().recv(&rx), Err(RecvError));
    /// ```
    ///
    /// # Errors
    ///
    /// If the channel is closed and empty.
    ///
    /// # Panics
    ///
    /// If the chosen operation is not a receive from this channel.
    ///
    /// # Blocking
    ///
    /// Never.
    ///
    /// Go: the second and third result of `reflect.Select`.
    #[track_caller]
    pub fn recv<T>(mut self, end: &Receiver<T>) -> Result<T, RecvError> {
        let Some(port) = RecvPort::of(self.port.get_ref(), end) else {
            panic!(
                "operation {} was chosen, which is not a receive from this channel: look at `index` first",
                self.index
            );
        };
        self.finished = true;
        port.finish()
    }
}

impl Drop for SelectedOperation<'_> {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        self.port.abandon();
        if !std::thread::panicking() {
            panic!(
                "operation {}, chosen at {}, was dropped before it was done: call its `send` or `recv`, with the end that it was added with",
                self.index, self.site
            );
        }
    }
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SelectedOperation");
        out.field("index", &self.index).finish_non_exhaustive()
    }
}
