//! What went through a channel. Positions of the ring count; the rest is counted where it is seldom.

use std::panic::Location;

use super::core::{Core, Flavor};
use crate::primitives::Ordering;

/// What went through a channel so far, as of one moment: from [`Sender::statistics`](super::Sender::statistics).
///
/// `sent == received + in_queue + shed + returned`, always.
///
/// ```
/// let (tx, rx) = waterway::chan(4);
/// (0..3).for_each(|n| tx.send(n).unwrap());
/// rx.recv().unwrap();
/// let seen = tx.statistics();
/// assert_eq!((seen.sent, seen.received, seen.in_queue), (3, 1, 2));
/// assert_eq!((seen.capacity, seen.waiting_receivers), (Some(4), 0));
/// ```
///
/// Go: `len(ch)` and `cap(ch)`; the rest has no counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Values that senders gave: those that came in, those that were shed, and those that the policy refused. Not those of calls
    /// that gave up, found the channel closed, or found it full under a policy that makes senders wait.
    pub sent: u64,
    /// Values that receivers got.
    pub received: u64,
    /// Values in the channel. Places that a `select` has reserved count, as in `len`.
    pub in_queue: u64,
    /// Values that were shed, superseded ones included.
    pub shed: u64,
    /// Values that the policy gave back to their senders: refused ones, and what `force_send` gave back.
    pub returned: u64,
    /// Of those shed: what was dropped because all receivers had gone, or had closed the channel.
    pub closed: u64,
    /// How many values the channel holds; `None` if there is no limit.
    pub capacity: Option<usize>,
    /// Senders that wait: goroutines, threads, tasks, and arms of selects.
    pub waiting_senders: usize,
    /// Receivers that wait, likewise.
    pub waiting_receivers: usize,
    /// What was shed and refused, by where it was sent.
    pub by_sender: Vec<BySender>,
}

impl Statistics {
    /// What was shed and refused, of all senders.
    ///
    /// ```
    /// use waterway::{chan, flow::Overflow};
    /// let (tx, _rx) = chan::builder().capacity(1).overflow(Overflow::DropNewest).make();
    /// (0..3).for_each(|n| tx.send(n).unwrap());
    /// assert_eq!(tx.statistics().by_cause().newest, 2);
    /// ```
    pub fn by_cause(&self) -> ByCause {
        ByCause::of(&self.by_sender)
    }
}

/// What was shed and refused of the values that were sent from one place in the program.
///
/// ```
/// use waterway::{chan, flow::Overflow};
/// let (tx, _rx) = chan::builder().capacity(1).overflow(Overflow::DropNewest).make();
/// tx.send(1).unwrap();
/// tx.send(2).unwrap();
/// let of = &tx.statistics().by_sender[0];
/// assert_eq!((of.sender.unwrap().line(), of.counts.newest), (line!() - 2, 1));
/// ```
///
/// Go: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BySender {
    /// Where the send was called; `None` if that is not known.
    pub sender: Option<&'static Location<'static>>,
    /// How many, by cause.
    pub counts: ByCause,
}

/// Numbers of values, by what became of them: see [`Cause`](super::Cause).
///
/// ```
/// use waterway::{chan, flow::Overflow};
/// let (tx, _rx) = chan::builder().capacity(1).overflow(Overflow::Reject).make();
/// tx.send(1).unwrap();
/// tx.send(2).unwrap_err();
/// let by = tx.statistics().by_cause();
/// assert_eq!((by.refused, by.oldest), (1, 0));
/// ```
///
/// Go: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ByCause {
    /// Refused, and given back.
    pub refused: u64,
    /// Given back by `force_send` of another.
    pub forced_out: u64,
    /// There was no room.
    pub newest: u64,
    /// Evicted.
    pub oldest: u64,
    /// Superseded.
    pub superseded: u64,
    /// Too late.
    pub late: u64,
}

impl ByCause {
    /// Those that were shed.
    ///
    /// ```
    /// use waterway::{chan, flow::Overflow};
    /// let (tx, _rx) = chan::builder().capacity(1).overflow(Overflow::DropNewest).make();
    /// (0..3).for_each(|n| tx.send(n).unwrap());
    /// assert_eq!(tx.statistics().by_cause().shed(), 2);
    /// ```
    pub fn shed(&self) -> u64 {
        self.newest + self.oldest + self.superseded + self.late
    }

    /// The sum over all senders.
    pub(crate) fn of(senders: &[BySender]) -> ByCause {
        let mut all = ByCause::default();
        senders.iter().for_each(|by| all.add(&by.counts));
        all
    }

    fn add(&mut self, other: &ByCause) {
        self.refused += other.refused;
        self.forced_out += other.forced_out;
        self.newest += other.newest;
        self.oldest += other.oldest;
        self.superseded += other.superseded;
        self.late += other.late;
    }
}

impl<T> Core<T> {
    pub(super) fn statistics(&self) -> Statistics {
        // Evictions and sheds of receivers are counted under the lock, so no position moves for them meanwhile.
        let mut queues = self.lock();
        let by_sender = self.policy().map_or_else(Vec::new, |policy| policy.tally());
        let by = ByCause::of(&by_sender);
        let handed = self.handed.load(Ordering::Relaxed);
        let (put, taken, closed) = match &self.flavor {
            Flavor::Rendezvous | Flavor::Never => (0, 0, 0),
            Flavor::Ring(ring) => ring.counts(),
            Flavor::Unbounded(backlog) => {
                let len = self.backlog(backlog, &mut queues).len as u64;
                let closed = self.cleared.load(Ordering::Relaxed);
                (len + closed, closed, closed)
            }
        };
        let evicted = by.oldest + by.superseded + by.late + by.forced_out;
        Statistics {
            sent: put + handed + by.refused + by.newest,
            received: (taken + handed).saturating_sub(evicted + closed),
            in_queue: put - taken,
            shed: by.shed() + closed,
            returned: by.refused + by.forced_out,
            closed,
            capacity: self.capacity(),
            waiting_senders: queues.senders.count(),
            waiting_receivers: queues.receivers.count(),
            by_sender,
        }
    }
}
