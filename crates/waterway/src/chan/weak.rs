//! Senders that do not keep their channel open.

use std::fmt;

use super::handle::{Handle, MEMORY};
use super::sender::Sender;
use crate::primitives::Ordering;

/// A sender that does not keep the channel open: for a worker that puts work back into the queue that it serves.
///
/// ```
/// let (tx, rx) = waterway::chan::<u8>(0);
/// let weak: waterway::chan::WeakSender<_> = tx.downgrade();
/// drop(tx);
/// assert!(rx.recv().is_err(), "closed, though the weak one is there");
/// # drop(weak);
/// ```
///
/// Go: has no counterpart, as nothing there closes a channel by itself.
pub struct WeakSender<T>(Handle<T, MEMORY>);

impl<T> Sender<T> {
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
        WeakSender(self.memory())
    }
}

impl<T> WeakSender<T> {
    /// A sender, if there still is one.
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// let weak = tx.downgrade();
    /// weak.upgrade().unwrap().send(7).unwrap();
    /// assert_eq!(rx.recv(), Ok(7));
    /// drop(tx);
    /// assert!(weak.upgrade().is_none());
    /// ```
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
        Some(Sender::counted_already(self.0.another()))
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
