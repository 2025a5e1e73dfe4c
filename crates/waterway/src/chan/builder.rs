//! Making channels.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::panic::Location;

use super::core::{Backlog, Core, Flavor};
use super::handle::Handle;
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
    Receiver::first(Core::new(Flavor::Never, None, Location::caller()))
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
        marker: PhantomData,
    }
}

/// The properties of a channel to be: see [`builder`]. Unbuffered if nothing else is said.
#[derive(Clone, Debug)]
#[must_use = "a builder makes nothing before `make`"]
pub struct Builder<T> {
    name: Option<String>,
    capacity: Option<usize>,
    marker: PhantomData<fn() -> T>,
}

impl<T> Builder<T> {
    /// The name that reports call the channel by.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How many values the channel holds.
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = Some(capacity);
        self
    }

    /// No limit.
    pub fn unbounded(mut self) -> Self {
        self.capacity = None;
        self
    }

    /// Makes the channel.
    ///
    /// # Panics
    ///
    /// If a buffer of that capacity can not exist or there is no memory for it.
    #[track_caller]
    pub fn make(self) -> (Sender<T>, Receiver<T>) {
        let flavor = match self.capacity {
            None => Flavor::Unbounded(UnsafeCell::new(Backlog::new())),
            Some(0) => Flavor::Rendezvous,
            Some(n) => Flavor::Ring(Ring::new(n)),
        };
        let name = self.name.map(String::into_boxed_str);
        let first: Handle<T, 0> = Handle::first(Core::new(flavor, name, Location::caller()));
        let receiver = Receiver::counted(first.another());
        (Sender::counted(first), receiver)
    }
}
