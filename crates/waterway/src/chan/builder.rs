//! Making channels.

use std::cell::UnsafeCell;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::backlog::Backlog;
use super::core::{Core, Flavor, LIFO};
use super::door::SOLO;
use super::handle::Handle;
use super::overflow::{Overflow, Shed};
use super::policy::OnShed;
use super::quick::SMALL;
use super::ring::Ring;
use super::{Receiver, Sender};

/// Makes a channel that holds up to `capacity` values; with 0, each value goes from hand to hand.
///
/// Go: `make(chan T, capacity)`.
///
/// # Panics
///
/// If a buffer of that capacity can not exist or there is no memory for it.
///
/// # Blocking
///
/// Never.
///
/// # Examples
///
/// ```
/// let (tx, rx) = waterway::chan::<i32>(1);
/// tx.send(7).unwrap();
/// assert_eq!(rx.recv(), Ok(7));
/// ```
#[track_caller]
pub fn chan<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    builder().capacity(capacity).make()
}

/// As `chan`, where it is known that several threads will use it: no ring that is solo at first (`door.rs`).
#[track_caller]
pub(crate) fn chan_of_many<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    builder().capacity(capacity).make_with(0)
}

/// Makes a channel whose sends never wait. Its memory grows as long as nobody receives.
///
/// Go: has none; a buffered channel with room for everything.
///
/// # Blocking
///
/// Never.
///
/// # Examples
///
/// ```
/// let (tx, rx) = waterway::chan::unbounded();
/// for n in 0..100 {
///     tx.send(n).unwrap();
/// }
/// drop(tx);
/// assert_eq!(rx.iter().sum::<i32>(), 4950);
/// ```
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    builder().unbounded().make()
}

/// Makes a receiver that nothing ever arrives at, and that never closes.
///
/// Go: a nil channel.
///
/// # Blocking
///
/// Never; receiving from it waits for ever.
///
/// # Examples
///
/// ```
/// let rx = waterway::chan::never::<i32>();
/// assert!(rx.try_recv().is_err());
/// ```
#[track_caller]
pub fn never<T>() -> Receiver<T> {
    Receiver::first(Core::new(Flavor::Never, 0, None, Location::caller()))
}

/// Starts to make a channel with a name or with other properties.
///
/// Go: has no counterpart.
///
/// # Examples
///
/// ```
/// let (tx, rx) = waterway::chan::builder::<u8>().name("jobs").capacity(16).make();
/// assert_eq!(tx.capacity(), Some(16));
/// assert!(format!("{rx:?}").contains("jobs"));
/// ```
pub fn builder<T>() -> Builder<T> {
    Builder {
        name: None,
        capacity: Some(0),
        overflow: Overflow::Block,
        adaptive_lifo: false,
        on_shed: None,
    }
}

/// The properties of a channel to be: see [`builder`]. Unbuffered if nothing else is said.
///
/// ```
/// let jobs = waterway::chan::builder::<u8>().name("jobs");
/// let (small, _rx) = jobs.clone().capacity(1).make();
/// let (large, _rx) = jobs.capacity(1000).make();
/// assert_eq!((small.capacity(), large.capacity()), (Some(1), Some(1000)));
/// ```
#[derive(Clone)]
#[must_use = "a builder makes nothing before `make`"]
pub struct Builder<T> {
    name: Option<String>,
    capacity: Option<usize>,
    overflow: Overflow,
    adaptive_lifo: bool,
    on_shed: Option<OnShed<T>>,
}

impl<T> Builder<T> {
    /// The name that reports call the channel by.
    ///
    /// ```
    /// let (tx, _rx) = waterway::chan::builder::<u8>().name("jobs").make();
    /// assert!(format!("{tx:?}").contains("jobs"));
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How many values the channel holds.
    ///
    /// ```
    /// let (tx, _rx) = waterway::chan::builder().capacity(1).make();
    /// tx.send(1).unwrap();
    /// assert!(tx.try_send(2).unwrap_err().is_full());
    /// ```
    ///
    /// Go: the second argument of `make(chan T, n)`.
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = Some(capacity);
        self
    }

    /// No limit.
    ///
    /// ```
    /// let (tx, rx) = waterway::chan::builder().unbounded().make();
    /// (0..1000).for_each(|n| tx.send(n).unwrap());
    /// assert_eq!((rx.len(), rx.capacity()), (1000, None));
    /// ```
    pub fn unbounded(mut self) -> Self {
        self.capacity = None;
        self
    }

    /// What the channel does when it is full. It can be changed later: [`Sender::set_overflow`].
    ///
    /// Under [`Overflow::DropNewest`] a send whose value finds no room is `Ok`: [`on_shed`](Self::on_shed) gets the value, and
    /// [`statistics`](Sender::statistics) counts it. Under [`Overflow::Reject`] the value comes back.
    ///
    /// ```
    /// use waterway::{chan, flow::Overflow};
    /// let (tx, rx) = chan::builder().overflow(Overflow::KeepLatest).make();
    /// (0..5).for_each(|n| tx.send(n).unwrap());
    /// assert_eq!(rx.recv(), Ok(4));
    /// ```
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// While the queue stands, receivers get the newest value first. For [`Overflow::CoDel`].
    ///
    /// As long as the oldest value has waited for less than the target, now and then, values come in the order in which they were
    /// sent. If that has not been so for an interval, the newest one comes first: whoever asked last is most likely still waiting
    /// for the answer, and gets it at once. The old ones are shed when they have waited for twice the target, or received when
    /// there is time again. This is the adaptive LIFO of "Fail at Scale" (Maurer, ACM Queue 2015).
    ///
    /// Receivers take the channel's lock, whatever its policy is later; under another policy the oldest comes first. If the newest
    /// place is one that a `select` has reserved and not filled yet, the oldest value is received.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::chan;
    /// use waterway::flow::Overflow;
    ///
    /// let overflow = Overflow::CoDel { target: Duration::from_secs(1), interval: Duration::from_secs(1) };
    /// let (tx, rx) = chan::builder().capacity(8).overflow(overflow).adaptive_lifo(true).make();
    /// for n in 0..3 {
    ///     tx.send(n).unwrap();
    /// }
    /// // Nothing stands here for so long.
    /// assert_eq!(rx.recv(), Ok(0));
    /// ```
    pub fn adaptive_lifo(mut self, adaptive: bool) -> Self {
        self.adaptive_lifo = adaptive;
        self
    }

    /// Calls `f` with each value that is shed. Without it such values are dropped, and counted.
    ///
    /// The sender calls it, or under [`Overflow::CoDel`] the receiver, before its own call returns and with no lock held. It may
    /// block, which makes that call slower. If it panics, it gets what else was shed first; then the panic goes through that call,
    /// and what a receiver got in it is dropped. What is left when the receivers close the channel is not shed by the policy, and dropped.
    ///
    /// ```
    /// use waterway::chan;
    /// use waterway::flow::{Cause, Overflow};
    ///
    /// let (late, lates) = chan::unbounded();
    /// let builder = chan::builder().capacity(1).overflow(Overflow::DropNewest);
    /// let (tx, rx) = builder.on_shed(move |shed| late.send(shed).unwrap()).make();
    /// tx.send("first").unwrap();
    /// tx.send("second").unwrap();
    /// let shed = lates.recv().unwrap();
    /// assert_eq!((shed.value, shed.cause), ("second", Cause::Newest));
    /// assert_eq!(rx.recv(), Ok("first"));
    /// ```
    pub fn on_shed(mut self, f: impl Fn(Shed<T>) + Send + Sync + 'static) -> Self {
        self.on_shed = Some(Arc::new(f));
        self
    }

    /// Makes the channel.
    ///
    /// ```
    /// let (tx, rx) = waterway::chan::builder().capacity(1).make();
    /// tx.send("value").unwrap();
    /// assert_eq!(rx.recv(), Ok("value"));
    /// ```
    ///
    /// # Panics
    ///
    /// If a buffer of that capacity can not exist or there is no memory for it. If the overflow policy makes no sense for that
    /// capacity: [`Overflow`] says what each needs. If [`adaptive_lifo`](Self::adaptive_lifo) is wanted without `CoDel`.
    ///
    /// Go: `make(chan T, n)`.
    #[track_caller]
    pub fn make(self) -> (Sender<T>, Receiver<T>) {
        // Larger values go the long way, and would take the lock for nothing.
        self.make_with(if size_of::<T>() <= SMALL { SOLO } else { 0 })
    }

    /// `solo` are the flags that a ring begins with.
    #[track_caller]
    fn make_with(mut self, solo: usize) -> (Sender<T>, Receiver<T>) {
        if self.overflow == Overflow::KeepLatest && self.capacity == Some(0) {
            self.capacity = Some(1);
        }
        self.overflow.check(self.capacity);
        assert!(
            !self.adaptive_lifo || matches!(self.overflow, Overflow::CoDel { .. }),
            "`adaptive_lifo` turns the order of a queue that CoDel finds standing, and this channel has `{:?}`: give it \
             `Overflow::codel()`",
            self.overflow
        );
        let flavor = match self.capacity {
            None => Flavor::Unbounded(UnsafeCell::new(Backlog::new())),
            Some(0) => Flavor::Rendezvous,
            Some(n) => Flavor::Ring(Ring::new(n)),
        };
        let flags = match flavor {
            _ if self.adaptive_lifo => LIFO,
            Flavor::Ring(_) => solo,
            _ => 0,
        };
        let name = self.name.map(String::into_boxed_str);
        let core = Core::new(flavor, flags, name, Location::caller());
        let first: Handle<T, 0> = Handle::first(core);
        let core = first.core();
        if let Some(on_shed) = self.on_shed {
            core.policy_or(Some(on_shed));
        }
        if self.overflow != Overflow::Block {
            core.set_overflow(self.overflow);
        }
        let receiver = Receiver::counted(first.another());
        (Sender::counted(first), receiver)
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("capacity", &self.capacity)
            .field("overflow", &self.overflow)
            .field("adaptive_lifo", &self.adaptive_lifo)
            .finish_non_exhaustive()
    }
}
