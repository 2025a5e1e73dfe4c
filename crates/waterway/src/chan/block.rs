//! Sending and receiving with waiting, for goroutines and threads.

use std::panic::Location;
use std::time::Instant;

use super::core::{Core, Flavor, RECV_WAITING, SEND_WAITING};
use super::ops::{Bind, Get, Put, tell_task};
use super::slot::{RecvSlot, SendSlot};
use super::wakes::WakeList;
use crate::wait::{Node, WaitKey, WaitReason, Waiter, Wake, checkpoint};

/// What `park` returns to who waits for one thing only.
const TOKEN: usize = 1;

/// Why a receiver has no value.
pub(super) enum NoValue {
    TimedOut,
    Closed,
}

impl<T> Core<T> {
    /// Sends, and waits for room or a receiver. `Full` means that the deadline passed. The value is left in `from` unless
    /// it was sent.
    #[inline]
    pub(super) fn send(
        &self,
        from: &SendSlot<T>,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Put {
        checkpoint();
        // A ring that is neither full nor has others waiting needs no lock.
        if matches!(self.flavor, Flavor::Ring(_)) && self.flags() & !RECV_WAITING == 0 {
            let put = self.try_put(from);
            if put != Put::Full {
                return put;
            }
        }
        self.send_waiting(from, deadline, site)
    }

    fn send_waiting(
        &self,
        from: &SendSlot<T>,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Put {
        loop {
            let waiter;
            let node;
            {
                let mut wakes = WakeList::new();
                let mut queues = self.lock();
                self.announce(SEND_WAITING);
                let put = self.put(&mut queues, from, &mut wakes);
                if put != Put::Full {
                    self.refresh(&queues);
                    return put;
                }
                waiter = Waiter::current();
                if deadline.is_none() {
                    waiter.set_sole();
                }
                node = Node::new(&waiter, TOKEN, from.erased());
                // SAFETY: the node stays until it was popped, or removed below.
                unsafe { queues.senders.push_back(&node) };
                if !matches!(self.flavor, Flavor::Ring(_)) {
                    tell_task(&mut queues, &mut wakes);
                }
            }
            let woken = waiter.park(&self.key(WaitReason::ChanSend, site), deadline);
            if woken == Wake::TimedOut {
                let mut queues = self.lock();
                queues.senders.remove(&node);
                self.refresh(&queues);
                return Put::Full;
            }
            if !from.is_filled() {
                return Put::Done;
            }
        }
    }

    /// Receives, and waits for a value.
    #[inline]
    pub(super) fn recv(
        &self,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Result<T, NoValue> {
        checkpoint();
        if matches!(self.flavor, Flavor::Ring(_)) && self.flags() & RECV_WAITING == 0 {
            match self.try_get() {
                Get::Value(value) => return Ok(value),
                Get::Closed => return Err(NoValue::Closed),
                Get::Empty | Get::Bound => {}
            }
        }
        self.recv_waiting(deadline, site)
    }

    fn recv_waiting(
        &self,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Result<T, NoValue> {
        let slot = RecvSlot::new();
        loop {
            let waiter = Waiter::current();
            let node = Node::new(&waiter, TOKEN, slot.erased());
            {
                let mut wakes = WakeList::new();
                let mut queues = self.lock();
                self.announce(RECV_WAITING);
                let bind = Bind {
                    waiter: &waiter,
                    token: TOKEN,
                    slot: &slot,
                };
                let got = self.get(&mut queues, Some(bind), &mut wakes);
                if let Get::Empty = got {
                    if deadline.is_none() {
                        waiter.set_sole();
                    }
                    // SAFETY: the node stays until it was popped, or removed below.
                    unsafe { queues.receivers.push_back(&node) };
                    self.tell_watches(&mut queues, &mut wakes);
                }
                self.refresh(&queues);
                match got {
                    Get::Value(value) => return Ok(value),
                    Get::Closed => return Err(NoValue::Closed),
                    Get::Empty | Get::Bound => {}
                }
            }
            let woken = waiter.park(&self.key(self.recv_reason(), site), deadline);
            if woken == Wake::TimedOut {
                let mut queues = self.lock();
                queues.receivers.remove(&node);
                self.refresh(&queues);
                return Err(NoValue::TimedOut);
            }
            if let Some(value) = slot.take() {
                return Ok(value);
            }
        }
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
