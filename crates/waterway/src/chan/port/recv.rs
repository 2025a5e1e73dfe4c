//! An arm that receives. (A2 and the others stand in the module above.)

use std::pin::Pin;
use std::task::Waker;

use super::super::core::{Core, Queues, RECV_WAITING, SEND_WAITING};
use super::super::ops::{Get, Unmade};
use super::super::ring::Ring;
use super::super::slot::RecvSlot;
use super::super::wakes::WakeList;
use super::super::watch::{RecvWatch, Watch};
use super::super::{Receiver, RecvError};
use super::{Caller, Looked, Port, Tried};
use crate::rt::own_lock::OwnGuard;
use crate::wait::Node;

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
    /// A value, or a mark if the ring is bare. Of a ring whose lock is the caller's own, that it is not bare was seen.
    #[inline]
    fn look_into(&self, ring: &Ring<T>) -> (Option<T>, Option<usize>) {
        let door = &self.core.door;
        if door.is_own() {
            let value = door.get_own(ring).or_else(|| self.core.get_quick(ring));
            return (value, None);
        }
        // The value first: the look at the other end may cost a line of the cache.
        match self.core.get_quick(ring) {
            None => (None, door.is_bare(ring)),
            value => (value, None),
        }
    }

    /// As `look`, where that has found nothing.
    #[inline(never)]
    fn look_closely(&self) -> Looked {
        let (value, idle) = match self.core.ring() {
            Some(ring) => self.look_into(ring),
            None => match self.core.nobody_waits(SEND_WAITING) {
                None => (self.core.take_quick(), None),
                idle => (None, idle),
            },
        };
        match (value, idle) {
            (Some(value), _) => self.taken(value),
            (None, Some(_)) => Looked::Idle,
            (None, None) => Looked::Unclear,
        }
    }

    #[inline]
    fn taken(&self, value: T) -> Looked {
        // SAFETY: our own slot, and we stand in no queue.
        unsafe { self.slot.put(value) };
        Looked::Taken
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
        if let Some(ring) = self.core.ring()
            && self.core.door.is_own()
        {
            // Of a ring that is one's own a look costs less than the lock.
            if ring.is_bare().is_some() {
                return Looked::Idle;
            }
            if let Some(value) = self.core.door.get_quick(ring, || true) {
                return self.taken(value);
            }
        }
        self.look_closely()
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
