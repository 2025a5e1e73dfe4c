//! An arm that sends. (A1 and the others stand in the module above.)

use std::cell::Cell;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::Waker;

use super::super::core::{Core, Queues, RECV_WAITING, SEND_WAITING};
use super::super::handle::{Handle, MEMORY};
use super::super::ops::Put;
use super::super::ring::Ring;
use super::super::settle::task_waits;
use super::super::slot::{Grant, SendSlot};
use super::super::wakes::WakeList;
use super::super::watch::{SendWatch, Watch};
use super::super::{SendError, Sender};
use super::{Caller, Port, Tried};
use crate::rt::own_lock::OwnGuard;
use crate::wait::{Hold, Limit, Node, ReleaseOnPark, checkpoint};

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
