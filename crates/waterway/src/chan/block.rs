//! Sending and receiving with waiting, for goroutines and threads.

use std::panic::Location;

use super::core::{Core, Flavor, OVERFLOWS, Queues, RECV_WAITING, SEND_WAITING};
use super::door::SOLO;
use super::ops::{Get, Put, Unmade};
use super::settle::tell_task;
use super::slot::{RecvSlot, SendSlot};
use super::wakes::WakeList;
use crate::rt::own_lock::OwnGuard;
use crate::wait::{Limit, Node, WaitKey, WaitReason, Waiter, Wake, unwind};

/// What `park` returns to who waits for one thing only.
const TOKEN: usize = 1;

/// Why a receiver has no value.
pub(super) enum NoValue {
    /// Its limit came first.
    Limit,
    Closed,
}

impl<T> Core<T> {
    /// Sends after a checkpoint, and waits for as long as it takes, unless the policy has it otherwise. A value that was not sent comes
    /// back.
    #[inline]
    pub(super) fn send_value(&self, value: T, site: &'static Location<'static>) -> Result<(), T> {
        let put;
        let from;
        if self.is_rendezvous() {
            let mut queues = self.lock();
            if let Some((to, won)) = self.meet_receiver(&mut queues) {
                // SAFETY: S2: won, and the channel is locked.
                unsafe { to.as_ref().put(value) };
                drop(queues);
                won.wake();
                return Ok(());
            }
            from = SendSlot::new(value, site);
            put = self.send_waiting(queues, &from, Limit::NONE, site);
        } else {
            from = SendSlot::new(value, site);
            put = self.send(&from, Limit::NONE, site);
        }
        match put {
            Put::Done => Ok(()),
            _ => Err(from
                .take()
                .expect("a value that was not sent is still there")),
        }
    }

    /// Sends after a checkpoint, and waits for room or a receiver, or as the policy has it. `Full` means that the limit came first. The value is left in `from` unless
    /// it was sent.
    #[inline]
    pub(super) fn send(
        &self,
        from: &SendSlot<T>,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> Put {
        // A ring that is neither full nor has others waiting needs no lock.
        if matches!(self.flavor, Flavor::Ring(_)) && self.flags() & !(RECV_WAITING | OVERFLOWS) == 0
        {
            let put = self.try_put(from);
            if put != Put::Full {
                return put;
            }
        }
        let mut queues = self.lock();
        if self.is_rendezvous()
            && let Some((to, won)) = self.meet_receiver(&mut queues)
        {
            let value = from.take().expect("a sender has a value");
            // SAFETY: S2: won, and the channel is locked.
            unsafe { to.as_ref().put(value) };
            drop(queues);
            won.wake();
            return Put::Done;
        }
        self.send_waiting(queues, from, limit, site)
    }

    #[inline]
    fn send_waiting<'a>(
        &'a self,
        mut queues: OwnGuard<'a, Queues>,
        from: &SendSlot<T>,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> Put {
        loop {
            let waiter = Waiter::current();
            if limit.is_none() {
                waiter.set_sole();
            }
            let node = Node::new(&waiter, TOKEN, from.erased());
            if self.is_rendezvous() && self.nobody(&queues.receivers) {
                // SAFETY: the node stays until it was popped, or removed below; nothing unwinds before (`park` I5).
                unsafe { queues.senders.push_back(&node) };
                self.show(SEND_WAITING, true);
                drop(queues);
            } else {
                // SAFETY: as above.
                let put = unsafe { self.put_or_enter(queues, from, &node) };
                match put {
                    Put::Full => {}
                    Put::Overflows => match self.overflow(from) {
                        // Another policy by now: senders wait.
                        Put::Full => {
                            queues = self.lock();
                            continue;
                        }
                        put => return put,
                    },
                    put => return put,
                }
            }
            let key = self.key(WaitReason::ChanSend, site);
            let woken = limit.park(&waiter, &key);
            if !matches!(woken, Wake::Ready(_)) {
                self.leave(|queues| queues.senders.remove(&node));
                if woken == Wake::Reaped {
                    unwind(&key);
                }
                return Put::Full;
            }
            if !from.is_filled() {
                return Put::Done;
            }
            if self.is_closed() {
                return Put::Closed;
            }
            queues = self.lock();
        }
    }

    /// Sends without waiting, or puts the node into the queue: then it is `Full`.
    ///
    /// # Safety
    ///
    /// The node stays until it was popped, or removed.
    #[inline(never)]
    unsafe fn put_or_enter(
        &self,
        mut queues: OwnGuard<'_, Queues>,
        from: &SendSlot<T>,
        node: &Node,
    ) -> Put {
        let mut wakes = WakeList::new();
        self.announce(SEND_WAITING);
        let put = self.put_or_overflow(&mut queues, from, &mut wakes);
        if put == Put::Full {
            // SAFETY: by the caller.
            unsafe { queues.senders.push_back(node) };
            if !matches!(self.flavor, Flavor::Ring(_)) {
                tell_task(&mut queues, &mut wakes);
            }
        }
        self.refresh(&queues);
        // Whoever was claimed is woken after this.
        drop(queues);
        put
    }

    /// Receives after a checkpoint, and waits for a value.
    #[inline]
    pub(super) fn recv(
        &self,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> Result<T, NoValue> {
        if matches!(self.flavor, Flavor::Ring(_)) && self.flags() & (RECV_WAITING | SOLO) == 0 {
            match self.try_get() {
                Get::Value(value) => return Ok(value),
                Get::Closed => return Err(NoValue::Closed),
                Get::Empty | Get::Later => {}
            }
        }
        let mut queues = self.lock();
        if self.is_rendezvous()
            && let Some((value, won)) = self.meet_sender(&mut queues)
        {
            drop(queues);
            won.wake();
            return Ok(value);
        }
        self.recv_waiting(queues, limit, site)
    }

    fn recv_waiting<'a>(
        &'a self,
        mut queues: OwnGuard<'a, Queues>,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> Result<T, NoValue> {
        let slot = RecvSlot::new();
        loop {
            let waiter = Waiter::current();
            let node = Node::new(&waiter, TOKEN, slot.erased());
            if self.is_rendezvous() && self.nobody(&queues.senders) {
                if limit.is_none() {
                    waiter.set_sole();
                }
                // SAFETY: the node stays until it was popped, or removed below.
                unsafe { queues.receivers.push_back(&node) };
                self.show(RECV_WAITING, true);
                drop(queues);
            } else {
                let sole = limit.is_none();
                // SAFETY: as above.
                let got = unsafe { self.get_or_enter(queues, (&waiter, sole), &node, &slot) };
                match got {
                    Get::Value(value) => {
                        self.give_late();
                        return Ok(value);
                    }
                    Get::Closed => return Err(NoValue::Closed),
                    Get::Empty | Get::Later => {}
                }
            }
            let key = self.key(self.recv_reason(), site);
            let woken = limit.park(&waiter, &key);
            if !matches!(woken, Wake::Ready(_)) {
                self.leave(|queues| queues.receivers.remove(&node));
                if woken == Wake::Reaped {
                    unwind(&key);
                }
                return Err(NoValue::Limit);
            }
            if let Some(value) = slot.take() {
                return Ok(value);
            }
            // Mostly many are woken by a close at once: they need not all come for the lock again. No sender is left, nor will be.
            if self.is_rendezvous() && self.is_closed() {
                return Err(NoValue::Closed);
            }
            queues = self.lock();
        }
    }

    /// Receives without waiting, or puts the node into the queue: then it is `Empty`; or else the waiter is claimed
    /// already (`Later`).
    ///
    /// # Safety
    ///
    /// The node stays until it was popped, or removed.
    #[inline(never)]
    unsafe fn get_or_enter(
        &self,
        mut queues: OwnGuard<'_, Queues>,
        (waiter, sole): (&Waiter, bool),
        node: &Node,
        slot: &RecvSlot<T>,
    ) -> Get<T> {
        let mut wakes = WakeList::new();
        self.announce(RECV_WAITING);
        let bind = Unmade::Bind(waiter, TOKEN, slot);
        let got = self.get(&mut queues, bind, &mut wakes);
        if let Get::Empty = got {
            if sole {
                waiter.set_sole();
            }
            // SAFETY: by the caller.
            unsafe { queues.receivers.push_back(node) };
            self.tell_send_watch(&mut queues, &mut wakes);
        }
        self.refresh(&queues);
        // Whoever was claimed is woken after this.
        drop(queues);
        got
    }

    /// Takes a waiter that was not served out of its queue.
    #[cold]
    fn leave(&self, remove: impl FnOnce(&mut Queues) -> bool) {
        let mut queues = self.lock();
        remove(&mut queues);
        self.refresh(&queues);
    }

    pub(super) fn recv_reason(&self) -> WaitReason {
        match self.flavor {
            Flavor::Never => WaitReason::ChanNever,
            _ => WaitReason::ChanRecv,
        }
    }

    fn key(&self, reason: WaitReason, site: &'static Location<'static>) -> WaitKey {
        WaitKey {
            reason,
            object: self.address(),
            site,
        }
    }
}
