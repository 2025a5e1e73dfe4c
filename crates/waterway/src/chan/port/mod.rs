//! A channel's end as an arm of a select.
//!
//! # Invariants
//!
//! - A1: a port is pinned before it waits or holds a grant; it leaves every queue and the list of holds before it goes.
//! - A2: a port with the same object and direction as an end is a port of that end's channel, so of the same `T`: the
//!   port borrows an end of its own, so as long as it lives its core's address is no other core's.
//! - A3: a port is tried only when it holds nothing of an earlier choice: arms of a macro are tried once, a `Select`
//!   gives up what its last choice left.

mod recv;
mod send;

use std::pin::Pin;
use std::task::Waker;

pub(crate) use recv::RecvPort;
pub(crate) use send::SendPort;

use super::core::Queues;
use super::wakes::WakeList;
use super::watch::Watch;
use crate::rt::own_lock::OwnGuard;
use crate::wait::{Node, Waiter};

/// How an attempt to commit to an arm went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// Committed: the value is here, or what is needed to send one.
    Ready,
    NotReady,
    /// The other side makes its value, or fetches it, when the caller waits. A receiver that binds is bound to that: its waiter is
    /// claimed. For others nothing is done.
    Later,
}

/// What the caller of an attempt does where the other side has it wait.
#[derive(Clone, Copy)]
pub(crate) enum Caller<'a> {
    /// It does not wait: who is behind that one has its turn.
    Hastes,
    /// It waits, and comes again with a waiter: who is first in line has its turn.
    Returns,
    /// It waits: with its own waiter, which stands in no queue, and its token.
    Binds(&'a Waiter, usize),
}

/// What a look at an arm without the lock found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    /// Committed.
    Taken,
    /// The arm could not go.
    Idle,
    /// It takes the lock to tell.
    Unclear,
}

/// What a select does with an arm, whatever the type of its values.
pub(crate) trait Port {
    /// The address of the channel.
    fn object(&self) -> usize;
    fn is_send(&self) -> bool;
    fn lock(&self) -> OwnGuard<'_, Queues>;
    /// Where the waiter's node points.
    fn slot(&self) -> *mut ();
    /// Commits, if that can be. Under the lock.
    fn attempt(&self, queues: &mut Queues, caller: Caller<'_>, wakes: &mut WakeList) -> Tried;
    /// Moves when the arm stops being one that can go, if that may happen while the caller has the lock. If it is the same
    /// before and after an attempt that failed, the arm could not go at any time between the first look and the attempt,
    /// unless a slot was claimed and given back just then, or the newest value was taken and another came.
    fn turn(&self) -> usize;
    /// A look without the lock, which commits if that is simple. The caller stands in no queue.
    fn look(&self) -> Looked {
        match self.idle() {
            Some(_) => Looked::Idle,
            None => Looked::Unclear,
        }
    }
    /// A look without the lock: a mark if the arm cannot go, and could not for as long as the mark stays the same. `None` says
    /// nothing.
    fn idle(&self) -> Option<usize>;
    /// Takes part in the order of those who will wait: before the last attempt. Under the lock.
    fn announce(&self);
    /// Stands in the queue. Who watches for that is told.
    ///
    /// # Safety
    ///
    /// As for `WaitQueue::push_back`.
    unsafe fn enter(&self, queues: &mut Queues, node: &Node, wakes: &mut WakeList);
    /// Stands in the queue, if the arm cannot go and nobody has to be told. Takes the lock.
    ///
    /// # Safety
    ///
    /// As for `WaitQueue::push_back`.
    unsafe fn stand(&self, node: &Node) -> bool;
    /// Is not in the queue any more. Takes the lock.
    fn leave(&self, node: &Node);
    /// Brings the channel's flags up to date before the lock is released.
    fn refresh(&self, queues: &Queues);
    /// After a wake through this arm: true if that committed it, false if there is only reason to try again.
    fn arrived(&self) -> bool;
    /// A wake through this arm was not used: tell the next.
    fn pass_on(&self);
    /// Committed: whatever is reserved goes back if the caller parks.
    fn hold(self: Pin<&Self>);
    /// Committed, but not wanted: what came or was reserved goes.
    fn abandon(&self);
    /// True if an attempt would succeed now.
    fn is_ready(&self) -> bool;
    /// Has `waker` woken when an attempt may succeed; `None` if one would succeed now.
    fn watch(&self, waker: Waker) -> Option<Box<dyn Watch + '_>>;
}
