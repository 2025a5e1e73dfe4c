//! A channel's end as an arm of a select.
//!
//! # Invariants
//!
//! - A1: a port is pinned before it waits or holds a grant; it leaves every queue and the list of holds before it goes.
//! - A2: a port with the same object and direction as an end is a port of that end's channel, so of the same `T`: the
//!   port borrows an end of its own, so as long as it lives its core's address is no other core's.
//! - A3: a port is tried only when it holds nothing of an earlier choice: arms of a macro are tried once, a `Select`
//!   gives up what its last choice left.

use std::cell::Cell;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::Waker;

use super::core::{Core, Queues, RECV_WAITING, SEND_WAITING};
use super::handle::{Handle, MEMORY};
use super::ops::{Get, Put, Unmade};
use super::ring::Ring;
use super::settle::task_waits;
use super::slot::{Grant, RecvSlot, SendSlot};
use super::wakes::WakeList;
use super::watch::{RecvWatch, SendWatch, Watch};
use super::{Receiver, RecvError, SendError, Sender};
use crate::rt::own_lock::OwnGuard;
use crate::wait::{Hold, Limit, Node, ReleaseOnPark, Waiter, checkpoint};

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

/// A receiving arm.
pub(crate) struct RecvPort<'a, T> {
    core: &'a Core<T>,
    slot: RecvSlot<T>,
}

impl<'a, T> RecvPort<'a, T> {
    pub(crate) fn new(end: &'a Receiver<T>) -> Self {
        RecvPort {
            core: end.core(),
            slot: RecvSlot::new(),
        }
    }

    /// The port behind `port`, if it is one of `end`'s channel.
    pub(crate) fn of<'p>(port: &'p dyn Port, end: &Receiver<T>) -> Option<&'p RecvPort<'p, T>> {
        let same = !port.is_send() && port.object() == end.core().address();
        // SAFETY: A2.
        same.then(|| unsafe { &*std::ptr::from_ref(port).cast() })
    }

    /// What a committed arm received.
    pub(crate) fn finish(&self) -> Result<T, RecvError> {
        self.core.give_late();
        self.slot.take().ok_or(RecvError)
    }
}

impl<T> RecvPort<'_, T> {
    /// A value, or a mark if the ring is bare.
    #[inline]
    fn look_into(&self, ring: &Ring<T>) -> (Option<T>, Option<usize>) {
        let door = &self.core.door;
        if !door.is_own() {
            // The value first: the look at the other end may cost a line of the cache.
            return match self.core.get_quick(ring) {
                None => (None, door.is_bare(ring)),
                value => (value, None),
            };
        }
        match door.is_bare(ring) {
            None => (
                door.get_own(ring).or_else(|| self.core.get_quick(ring)),
                None,
            ),
            idle => (None, idle),
        }
    }
}

impl<T> Port for RecvPort<'_, T> {
    fn object(&self) -> usize {
        self.core.address()
    }

    fn is_send(&self) -> bool {
        false
    }

    fn lock(&self) -> OwnGuard<'_, Queues> {
        self.core.lock()
    }

    fn slot(&self) -> *mut () {
        self.slot.erased()
    }

    fn attempt(&self, queues: &mut Queues, caller: Caller<'_>, wakes: &mut WakeList) -> Tried {
        let unmade = match caller {
            Caller::Hastes => Unmade::Pass,
            Caller::Returns => Unmade::Stop,
            Caller::Binds(waiter, token) => Unmade::Bind(waiter, token, &self.slot),
        };
        match self.core.get(queues, unmade, wakes) {
            Get::Value(value) => {
                // SAFETY: our own slot, and we stand in no queue.
                unsafe { self.slot.put(value) };
                Tried::Ready
            }
            Get::Closed => Tried::Ready,
            Get::Empty => Tried::NotReady,
            Get::Later => Tried::Later,
        }
    }

    fn turn(&self) -> usize {
        self.core.ring().map_or(0, Ring::head)
    }

    fn look(&self) -> Looked {
        let (value, idle) = match self.core.ring() {
            Some(ring) => self.look_into(ring),
            None => match self.core.nobody_waits(SEND_WAITING) {
                None => (self.core.take_quick(), None),
                idle => (None, idle),
            },
        };
        match (value, idle) {
            (Some(value), _) => {
                // SAFETY: our own slot, and we stand in no queue.
                unsafe { self.slot.put(value) };
                Looked::Taken
            }
            (None, Some(_)) => Looked::Idle,
            (None, None) => Looked::Unclear,
        }
    }

    fn idle(&self) -> Option<usize> {
        match self.core.ring() {
            Some(ring) => self.core.door.is_bare(ring),
            None => self.core.nobody_waits(SEND_WAITING),
        }
    }

    fn announce(&self) {
        self.core.announce(RECV_WAITING);
    }

    unsafe fn enter(&self, queues: &mut Queues, node: &Node, wakes: &mut WakeList) {
        // SAFETY: the caller.
        unsafe { queues.receivers.push_back(node) };
        self.core.tell_send_watch(queues, wakes);
    }

    unsafe fn stand(&self, node: &Node) -> bool {
        // SAFETY: the caller.
        unsafe { self.core.stand_to_receive(node) }
    }

    fn leave(&self, node: &Node) {
        self.core.quit(RECV_WAITING, node);
    }

    fn refresh(&self, queues: &Queues) {
        self.core.refresh(queues);
    }

    fn arrived(&self) -> bool {
        self.slot.is_filled()
    }

    fn pass_on(&self) {
        self.core.settle_now();
    }

    fn hold(self: Pin<&Self>) {}

    fn abandon(&self) {
        drop(self.slot.take());
    }

    fn is_ready(&self) -> bool {
        self.core.can_get(&mut self.core.lock())
    }

    fn watch(&self, waker: Waker) -> Option<Box<dyn Watch + '_>> {
        Some(Box::new(RecvWatch::new(self.core, waker)?))
    }
}

/// A sending arm. Its message is made when it is committed.
pub(crate) struct SendPort<'a, T> {
    core: &'a Core<T>,
    slot: SendSlot<T>,
    grant: Cell<Option<Grant<T>>>,
    closed: Cell<bool>,
    hold: Hold,
    /// While a grant is held: a select that is forgotten must not outlive the channel's memory.
    memory: Cell<Option<Handle<T, MEMORY>>>,
    end: &'a Sender<T>,
}

impl<'a, T> SendPort<'a, T> {
    pub(crate) fn new(end: &'a Sender<T>) -> Self {
        SendPort {
            core: end.core(),
            slot: SendSlot::lazy(),
            grant: Cell::new(None),
            closed: Cell::new(false),
            hold: Hold::new(),
            memory: Cell::new(None),
            end,
        }
    }

    /// The port behind `port`, if it is one of `end`'s channel.
    pub(crate) fn of<'p>(port: &'p dyn Port, end: &Sender<T>) -> Option<&'p SendPort<'p, T>> {
        let same = port.is_send() && port.object() == end.core().address();
        // SAFETY: A2.
        same.then(|| unsafe { &*std::ptr::from_ref(port).cast() })
    }

    /// Sends through a committed arm. If what was reserved had to be given back meanwhile, as a blocking send does.
    pub(crate) fn finish(
        &self,
        message: T,
        site: &'static Location<'static>,
    ) -> Result<(), SendError<T>> {
        if self.closed.get() {
            return Err(SendError(message));
        }
        self.hold.end();
        let message = match self.grant.take() {
            Some(Grant::Plain) | None => message,
            Some(grant) => {
                return self.core.complete(grant, message, site).map_err(SendError);
            }
        };
        checkpoint();
        let from = SendSlot::new(message, site);
        match self.core.send(&from, Limit::NONE, site) {
            Put::Done => Ok(()),
            _ => Err(SendError(from.take().expect("it was not sent"))),
        }
    }
}

/// What an arm that sends and cannot is told, if it has no waiter.
#[cold]
fn met_by_waiting(queues: &Queues) -> Tried {
    match task_waits(queues) {
        true => Tried::Later,
        false => Tried::NotReady,
    }
}

impl<T> ReleaseOnPark for SendPort<'_, T> {
    fn release(&self) {
        if let Some(grant) = self.grant.take() {
            self.core.decline(grant);
        }
        self.memory.take();
    }
}

impl<T> Drop for SendPort<'_, T> {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl<T> Port for SendPort<'_, T> {
    fn object(&self) -> usize {
        self.core.address()
    }

    fn is_send(&self) -> bool {
        true
    }

    fn lock(&self) -> OwnGuard<'_, Queues> {
        self.core.lock()
    }

    fn slot(&self) -> *mut () {
        self.slot.erased()
    }

    fn attempt(&self, queues: &mut Queues, caller: Caller<'_>, wakes: &mut WakeList) -> Tried {
        let may_wait = matches!(caller, Caller::Binds(..));
        match self.core.grant(queues, may_wait, wakes) {
            Ok(grant) => self.grant.set(Some(grant)),
            Err(Put::Closed) => self.closed.set(true),
            Err(_) if may_wait || queues.receivers.is_empty() => return Tried::NotReady,
            Err(_) => return met_by_waiting(queues),
        }
        Tried::Ready
    }

    fn turn(&self) -> usize {
        self.core.ring().map_or(0, Ring::tail)
    }

    fn idle(&self) -> Option<usize> {
        self.core.nobody_waits(RECV_WAITING)
    }

    fn announce(&self) {
        self.core.announce(SEND_WAITING);
    }

    unsafe fn enter(&self, queues: &mut Queues, node: &Node, wakes: &mut WakeList) {
        self.slot.set_wanted(false);
        // SAFETY: the caller.
        unsafe { queues.senders.push_back(node) };
        self.core.tell_recv_watch(queues, wakes);
    }

    unsafe fn stand(&self, node: &Node) -> bool {
        self.slot.set_wanted(false);
        // SAFETY: the caller.
        unsafe { self.core.stand_to_send(node) }
    }

    fn leave(&self, node: &Node) {
        self.core.quit(SEND_WAITING, node);
    }

    fn refresh(&self, queues: &Queues) {
        self.core.refresh(queues);
    }

    fn arrived(&self) -> bool {
        let grant = self.slot.granted();
        let arrived = grant.is_some();
        self.grant.set(grant);
        arrived
    }

    fn pass_on(&self) {
        self.core.settle_now();
    }

    fn hold(self: Pin<&Self>) {
        let grant = self.grant.take();
        let reserved = matches!(grant, Some(Grant::Slot(_) | Grant::Peer(..)));
        self.grant.set(grant);
        if reserved {
            self.memory.set(Some(self.end.memory()));
            // SAFETY: A1: pinned, and `finish` and `drop` end it.
            unsafe {
                self.hold
                    .begin(NonNull::from(self.get_ref() as &dyn ReleaseOnPark))
            };
        }
    }

    fn abandon(&self) {
        self.hold.end();
        self.release();
    }

    fn is_ready(&self) -> bool {
        self.core.can_put(&self.core.lock())
    }

    fn watch(&self, waker: Waker) -> Option<Box<dyn Watch + '_>> {
        Some(Box::new(SendWatch::new(self.core, waker)?))
    }
}
