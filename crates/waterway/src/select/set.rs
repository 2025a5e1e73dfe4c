//! A select whose arms are known at run time only.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

use super::error::{ReadyTimeoutError, SelectTimeoutError, TryReadyError, TrySelectError};
use super::ready::ready;
use super::run::{Patience, run};
use super::selected::SelectedOperation;
use crate::chan::{Port, Receiver, RecvPort, SendPort, Sender};

/// A set of channel operations to choose from, put together at run time. Each has an index, which `select` and `ready`
/// return.
///
/// Go: `reflect.Select`.
///
/// # Examples
///
/// ```
/// use waterway::{Select, chan};
///
/// let channels: Vec<_> = (0..10).map(|_| chan(1)).collect();
/// channels[7].0.send("hello").unwrap();
///
/// let mut select = Select::new();
/// for (_, rx) in &channels {
///     select.recv(rx);
/// }
/// let chosen = select.select();
/// let index = chosen.index();
/// assert_eq!((index, chosen.recv(&channels[index].1)), (7, Ok("hello")));
/// ```
pub struct Select<'a> {
    arms: Vec<Option<Pin<Box<dyn Port + 'a>>>>,
    biased: bool,
    /// The index chosen last: what its operation has not used, because it was forgotten, goes before the next choice.
    last: Cell<Option<usize>>,
}

impl<'a> Select<'a> {
    /// An empty set. Of several operations that can go, one is chosen at random.
    ///
    /// ```
    /// use waterway::{Select, TrySelectError, chan};
    /// let (tx, rx) = chan(1);
    /// let mut select = Select::new();
    /// assert_eq!(select.try_select().err(), Some(TrySelectError), "nothing is in it");
    /// let index = select.recv(&rx);
    /// tx.send(7).unwrap();
    /// assert_eq!(select.ready(), index);
    /// ```
    pub fn new() -> Select<'a> {
        Select {
            arms: Vec::new(),
            biased: false,
            last: Cell::new(None),
        }
    }

    /// An empty set. Of several operations that can go, the one that was added first is chosen.
    ///
    /// ```
    /// use waterway::{Select, chan};
    /// let (tx, rx) = chan(2);
    /// tx.send(1).unwrap();
    /// let mut select = Select::new_biased();
    /// select.recv(&rx);
    /// select.send(&tx);
    /// // Both can go.
    /// let chosen = select.select();
    /// assert_eq!(chosen.index(), 0);
    /// assert_eq!(chosen.recv(&rx), Ok(1));
    /// ```
    pub fn new_biased() -> Select<'a> {
        Select {
            arms: Vec::new(),
            biased: true,
            last: Cell::new(None),
        }
    }

    /// Adds a send. Returns its index.
    ///
    /// ```
    /// use waterway::{Select, chan};
    /// let (tx, rx) = chan(1);
    /// let mut select = Select::new();
    /// assert_eq!(select.send(&tx), 0);
    /// select.select().send(&tx, "value").unwrap();
    /// assert_eq!(rx.recv(), Ok("value"));
    /// ```
    ///
    /// Go: a `reflect.SelectCase` with `reflect.SelectSend`.
    pub fn send<T>(&mut self, end: &'a Sender<T>) -> usize {
        self.add(Box::pin(SendPort::new(end)))
    }

    /// Adds a receive. Returns its index.
    ///
    /// ```
    /// use waterway::{Select, chan};
    /// let ((tx, a), (_tx, b)) = (chan(1), chan::<u8>(1));
    /// let mut select = Select::new();
    /// assert_eq!((select.recv(&a), select.recv(&b)), (0, 1));
    /// tx.send("value").unwrap();
    /// assert_eq!(select.select().recv(&a), Ok("value"));
    /// ```
    ///
    /// Go: a `reflect.SelectCase` with `reflect.SelectRecv`.
    pub fn recv<T>(&mut self, end: &'a Receiver<T>) -> usize {
        self.add(Box::pin(RecvPort::new(end)))
    }

    fn add(&mut self, arm: Pin<Box<dyn Port + 'a>>) -> usize {
        self.arms.push(Some(arm));
        self.arms.len() - 1
    }

    /// Takes an operation out. The other indices stay.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use waterway::{Select, chan};
    /// let (tx, rx) = chan(1);
    /// tx.send(1).unwrap();
    /// let mut select = Select::new();
    /// let index = select.recv(&rx);
    /// select.remove(index);
    /// assert!(select.try_select().is_err(), "nothing is left");
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no operation of that index.
    #[track_caller]
    pub fn remove(&mut self, index: usize) {
        let arm = self.arms.get_mut(index).and_then(Option::take);
        assert!(arm.is_some(), "there is no operation of index {index}");
    }

    /// Waits until one of the operations can go, and chooses it. It must then be finished.
    ///
    /// ```
    /// use waterway::{Select, chan};
    /// let (tx, rx) = chan(1);
    /// tx.send(7).unwrap();
    /// let mut select = Select::new();
    /// select.recv(&rx);
    /// assert_eq!(select.select().recv(&rx), Ok(7));
    /// ```
    ///
    /// Go: `reflect.Select`.
    ///
    /// # Blocking
    ///
    /// Yes; for ever if the set is empty.
    #[track_caller]
    pub fn select(&mut self) -> SelectedOperation<'_> {
        let chosen = self.choose(Patience::Until(None), Location::caller());
        chosen.expect("a select without end finds an arm")
    }

    /// Chooses an operation that can go at once.
    ///
    /// ```
    /// use waterway::{Select, chan};
    /// let (tx, rx) = chan(1);
    /// let mut select = Select::new();
    /// select.recv(&rx);
    /// assert!(select.try_select().is_err());
    /// tx.send(7).unwrap();
    /// assert_eq!(select.try_select().unwrap().recv(&rx), Ok(7));
    /// ```
    ///
    /// # Errors
    ///
    /// If there is none.
    ///
    /// # Blocking
    ///
    /// Never.
    ///
    /// Go: `reflect.Select` with a `reflect.SelectDefault`.
    #[track_caller]
    pub fn try_select(&mut self) -> Result<SelectedOperation<'_>, TrySelectError> {
        let chosen = self.choose(Patience::None, Location::caller());
        chosen.ok_or(TrySelectError)
    }

    /// As [`select`](Self::select), but waits no longer than `timeout`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use waterway::{Select, chan};
    /// let (tx, rx) = chan(1);
    /// let mut select = Select::new();
    /// select.recv(&rx);
    /// assert!(select.select_timeout(Duration::from_millis(1)).is_err());
    /// tx.send(7).unwrap();
    /// assert_eq!(select.select_timeout(Duration::MAX).unwrap().recv(&rx), Ok(7));
    /// ```
    ///
    /// # Errors
    ///
    /// If no operation could go in time.
    ///
    /// # Blocking
    ///
    /// Yes.
    ///
    /// Go: `reflect.Select` with a case of `time.After`.
    #[track_caller]
    pub fn select_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<SelectedOperation<'_>, SelectTimeoutError> {
        let chosen = self.choose(Patience::lasting(timeout), Location::caller());
        chosen.ok_or(SelectTimeoutError)
    }

    /// Waits until one of the operations may go, and returns its index. Another goroutine may be faster: try it, and if
    /// it would wait, come back.
    ///
    /// Who only looks binds nobody. So a receive may go if a select waits to send there, which makes its message when it is
    /// chosen: `recv` meets it, `try_recv` finds nothing yet. Who then comes back and waits here has that select chosen: it
    /// makes its message and sends it as [`Sender::send`] does.
    /// An async task that waits to receive has no room for a message, as for [`Sender::try_send`], and does not count here; `send` meets it.
    /// (One that comes while somebody waits here lets him look.)
    ///
    /// # Blocking
    ///
    /// Yes; for ever if the set is empty.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(1);
    /// tx.send(3).unwrap();
    /// let mut select = waterway::Select::new();
    /// select.recv(&rx);
    /// assert_eq!((select.ready(), rx.try_recv()), (0, Ok(3)));
    /// ```
    #[track_caller]
    pub fn ready(&mut self) -> usize {
        loop {
            if let Some(index) = self.look(Patience::Until(None), Location::caller()) {
                return index;
            }
        }
    }

    /// The index of an operation that may go now.
    ///
    /// ```
    /// use waterway::{Select, chan};
    /// let (tx, rx) = chan(1);
    /// let mut select = Select::new();
    /// select.recv(&rx);
    /// assert!(select.try_ready().is_err());
    /// tx.send(7).unwrap();
    /// assert_eq!(select.try_ready(), Ok(0));
    /// ```
    ///
    /// # Errors
    ///
    /// If there is none.
    ///
    /// # Blocking
    ///
    /// Never.
    #[track_caller]
    pub fn try_ready(&mut self) -> Result<usize, TryReadyError> {
        let index = self.look(Patience::None, Location::caller());
        index.ok_or(TryReadyError)
    }

    /// As [`ready`](Self::ready), but waits no longer than `timeout`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use waterway::{Select, chan};
    /// let (tx, rx) = chan(1);
    /// let mut select = Select::new();
    /// select.recv(&rx);
    /// assert!(select.ready_timeout(Duration::from_millis(1)).is_err());
    /// tx.send(7).unwrap();
    /// assert_eq!(select.ready_timeout(Duration::MAX), Ok(0));
    /// ```
    ///
    /// # Errors
    ///
    /// If no operation became ready in time.
    ///
    /// # Blocking
    ///
    /// Yes.
    #[track_caller]
    pub fn ready_timeout(&mut self, timeout: Duration) -> Result<usize, ReadyTimeoutError> {
        let index = self.look(Patience::lasting(timeout), Location::caller());
        index.ok_or(ReadyTimeoutError)
    }

    /// The arms that were not removed.
    fn live(&self) -> Vec<Pin<&(dyn Port + '_)>> {
        let mut live: Vec<Pin<&(dyn Port + '_)>> = Vec::with_capacity(self.arms.len());
        for arm in self.arms.iter().flatten() {
            live.push(arm.as_ref());
        }
        live
    }

    /// The index of an arm, by its place among those that were not removed.
    fn index(&self, place: usize, live: usize) -> usize {
        if live == self.arms.len() {
            return place;
        }
        let arms = self.arms.iter().enumerate();
        let mut indices = arms.filter_map(|(index, arm)| arm.as_ref().map(|_| index));
        indices.nth(place).expect("the place of an arm")
    }

    fn choose(
        &mut self,
        patience: Patience,
        site: &'static Location<'static>,
    ) -> Option<SelectedOperation<'_>> {
        if let Some(last) = self.last.take()
            && let Some(arm) = &self.arms[last]
        {
            arm.abandon();
        }
        let ports = self.live();
        let chosen = run(&ports, self.biased, patience, site)?;
        let index = self.index(chosen, ports.len());
        self.last.set(Some(index));
        Some(SelectedOperation::new(index, ports[chosen], site))
    }

    fn look(&mut self, patience: Patience, site: &'static Location<'static>) -> Option<usize> {
        let ports = self.live();
        let chosen = ready(&ports, self.biased, patience, site)?;
        Some(self.index(chosen, ports.len()))
    }
}

impl Default for Select<'_> {
    fn default() -> Self {
        Select::new()
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arms = self.arms.iter().flatten().count();
        let mut out = f.debug_struct("Select");
        out.field("arms", &arms).field("biased", &self.biased);
        out.finish()
    }
}
