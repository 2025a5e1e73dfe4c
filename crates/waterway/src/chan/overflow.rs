//! What a full channel does: the choices, and what is told of a value that was shed.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// What a channel does when it is full: see [`Builder::overflow`](super::Builder::overflow) and
/// [`Sender::set_overflow`](super::Sender::set_overflow).
///
/// Only [`Block`](Overflow::Block) and [`CoDel`](Overflow::CoDel) make senders wait. Under the others an arm of a `select`
/// that sends can always go at once, and `send` never waits.
///
/// ```
/// use waterway::chan;
/// use waterway::flow::Overflow;
///
/// let (tx, rx) = chan::builder().capacity(2).overflow(Overflow::DropOldest).make();
/// for n in 0..5 {
///     tx.send(n).unwrap();
/// }
/// assert_eq!((rx.recv(), rx.recv()), (Ok(3), Ok(4)));
/// assert_eq!(tx.statistics().shed, 3);
/// ```
///
/// Go: `Block` is Go's. The others are `select` with a `default`, and a loop of such selects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Senders wait until there is room.
    #[default]
    Block,
    /// The value goes back to its sender at once: [`SendError`](super::SendError) from `send`, `Full` from `try_send`,
    /// `Timeout` from `send_timeout`.
    ///
    /// `try_send` and `send_timeout` tell a full channel from a closed one. After a `send` that failed, `is_closed()` tells:
    /// if it is false, the value was refused.
    ///
    /// On an unbuffered channel a value is refused unless a receiver waits.
    Reject,
    /// The value that does not fit is shed; its `send` succeeds. On an unbuffered channel it is shed unless a receiver waits.
    DropNewest,
    /// The oldest value makes room for the new one. Needs a capacity.
    DropOldest,
    /// There is one place, for the newest value that nobody has received yet: a channel of a state, not of events.
    ///
    /// It works as `DropOldest` with capacity 1 does, and means something else: that an older value is superseded is no loss.
    /// So these are counted apart ([`Cause::Superseded`]), and not among those that were shed for want of room. The capacity
    /// must be 1, which it is if none is given.
    KeepLatest,
    /// Senders wait when the channel is full, and what has waited for too long is shed before it is received.
    ///
    /// As long as now and then a value is received that waited for less than `target`, or the channel is empty, nothing is
    /// shed. If that has not been so for `interval`, the queue stands: then a receiver sheds each value that has waited for
    /// more than twice the `target`, but never the last one. This is the rule of RFC 8289, in the form in which "Fail at
    /// Scale" (Maurer, ACM Queue 2015) applies it to requests.
    ///
    /// Both ends then take the channel's lock, and each value carries when it came. Needs a capacity.
    CoDel {
        /// How long a value may wait.
        target: Duration,
        /// How long a queue may stand.
        interval: Duration,
    },
}

impl Overflow {
    /// `CoDel` with RFC 8289's figures: 5 ms, and 100 ms.
    ///
    /// ```
    /// use waterway::{chan, flow::Overflow};
    /// let (tx, _rx) = chan::builder::<u8>().capacity(1000).overflow(Overflow::codel()).make();
    /// assert_eq!(tx.overflow(), Overflow::codel());
    /// ```
    pub const fn codel() -> Overflow {
        Overflow::CoDel {
            target: Duration::from_millis(5),
            interval: Duration::from_millis(100),
        }
    }

    /// True if a full channel makes its senders wait.
    pub(super) fn waits(self) -> bool {
        matches!(self, Overflow::Block | Overflow::CoDel { .. })
    }

    /// Says what is wrong with this policy for a channel of this capacity.
    #[track_caller]
    pub(super) fn check(self, capacity: Option<usize>) {
        match (self, capacity) {
            (Overflow::Block, _) => {}
            (_, None) => panic!(
                "an unbounded channel is never full, so `{self:?}` can do nothing there: give it a capacity"
            ),
            (Overflow::DropOldest | Overflow::CoDel { .. }, Some(0)) => panic!(
                "an unbuffered channel holds no value that `{self:?}` could shed: give it a capacity of 1 or more, or take \
                 `Reject` or `DropNewest`"
            ),
            (Overflow::KeepLatest, Some(n)) if n != 1 => panic!(
                "`KeepLatest` has one place, not {n}: give the channel capacity 1, or take `DropOldest`"
            ),
            (Overflow::CoDel { target, interval }, _) => {
                assert!(
                    !target.is_zero(),
                    "a CoDel target of 0 would shed whatever waits at all: take a few milliseconds, as `Overflow::codel()` does"
                );
                assert!(
                    interval >= target,
                    "a CoDel interval of {interval:?} is shorter than its target of {target:?}: take some 20 times the target"
                );
            }
            _ => {}
        }
    }
}

/// Why a value was shed.
///
/// ```
/// use waterway::chan;
/// use waterway::flow::{Cause, Overflow};
///
/// let (causes, caused) = chan::unbounded();
/// let builder = chan::builder().capacity(1).overflow(Overflow::DropOldest);
/// let (tx, _rx) = builder.on_shed(move |shed| causes.send(shed.cause).unwrap()).make();
/// tx.send(1).unwrap();
/// tx.send(2).unwrap();
/// assert_eq!(caused.recv(), Ok(Cause::Oldest));
/// assert_eq!(Cause::Oldest.to_string(), "oldest");
/// ```
///
/// Go: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// There was no room for it ([`Overflow::DropNewest`]; or under [`Overflow::DropOldest`], while a `select` had reserved the
    /// place of the oldest).
    Newest,
    /// It was the oldest, and made room ([`Overflow::DropOldest`]).
    Oldest,
    /// A newer one took its place ([`Overflow::KeepLatest`]).
    Superseded,
    /// It had waited for too long ([`Overflow::CoDel`]).
    Late,
}

impl Cause {
    /// The cause in one word, as metrics have it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Cause::Newest => "newest",
            Cause::Oldest => "oldest",
            Cause::Superseded => "superseded",
            Cause::Late => "late",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A value that was shed, as [`Builder::on_shed`](super::Builder::on_shed) gets it.
///
/// ```
/// use waterway::chan;
/// use waterway::flow::Overflow;
///
/// let (late, lates) = chan::unbounded();
/// let builder = chan::builder().capacity(1).overflow(Overflow::DropNewest);
/// let (tx, _rx) = builder.on_shed(move |shed| late.send(shed).unwrap()).make();
/// tx.send("first").unwrap();
/// tx.send("second").unwrap();
/// let shed = lates.recv().unwrap();
/// assert_eq!((shed.value, shed.sender.unwrap().line()), ("second", line!() - 2));
/// ```
///
/// Go: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shed<T> {
    /// The value.
    pub value: T,
    /// Why it was shed.
    pub cause: Cause,
    /// Where the send was called that shed it; if it was too late, where it was sent, if that is known.
    pub sender: Option<&'static Location<'static>>,
}

impl<T> Shed<T> {
    /// The value.
    ///
    /// ```
    /// use waterway::chan;
    /// use waterway::flow::Overflow;
    ///
    /// let (late, lates) = chan::unbounded();
    /// let builder = chan::builder().capacity(1).overflow(Overflow::KeepLatest);
    /// let (tx, _rx) = builder.on_shed(move |shed| late.send(shed.into_inner()).unwrap()).make();
    /// tx.send("old").unwrap();
    /// tx.send("new").unwrap();
    /// assert_eq!(lates.recv(), Ok("old"));
    /// ```
    pub fn into_inner(self) -> T {
        self.value
    }
}
