//! Sending and receiving without waiting: from hand to hand, into the buffer and out of it.
//!
//! # Protocol
//!
//! Unbuffered and unbounded channels work under the lock alone, and keep this between any two holders of it:
//!
//! - P1: a blocked receiver (goroutine or thread) and a value never wait beside each other. Whoever comes second serves the
//!   first.
//!
//! On a ring that is not solo (`door.rs`; on one that is, all goes under the lock), senders and receivers meet without the lock. The lock guards the queues of those who wait, and `flags` tells
//! the others that there are some:
//!
//! ```text
//!   a receiver that will wait (locked)         a sender
//!   1. flags |= RECV_WAITING                   1. claims a slot (moves `tail`), fills it
//!   2. pop: a value? done, no wait             2. reads flags: RECV_WAITING? lock, settle
//!   3. stands in the queue, unlocks, parks
//! ```
//!
//! All four accesses are sequentially consistent, so either the sender's read comes after the receiver's announcement and
//! the sender settles, or the receiver's `pop` comes after the sender's claim and finds the slot taken (and waits for its
//! stamp). A value and a receiver can not miss each other. The same with the sides changed: a sender that will wait
//! announces itself, then tries `claim`; a receiver moves `head`, then reads flags. A reserved slot is stamped by a
//! sequentially consistent swap, and its sender reads flags after it.
//!
//! *Settling*, under the lock, moves values of waiting senders into free slots, in order, and values out of the ring to
//! waiting receivers, in order. With a flag up, newcomers of that side go through the lock and queue behind. One that read
//! flags just before may still go first: then a claimed receiver may find the ring empty, is woken with an empty slot, and
//! waits again.
//!
//! *Async tasks* are never handed a value: a value stays in the buffer (or with its sender) and one task is told; dropping
//! a told future settles again, which tells the next. A task's own value, however, may be fetched from its box under the
//! lock at any time.
//!
//! *Arms of a select that send* have no value while they wait. Who could take it instead gives them what they need to
//! send, a reserved slot or itself (`Grant`), and wakes them. What is granted and not used comes back by `void` or by a
//! wake with an empty slot.
//!
//! *Who only watches* (`Select::ready`) stands in a queue as a task does, and is told of a peer instead of meeting it. An
//! arm that waits to send is told nothing by that, until somebody wanted its value at once and went without (`wanted`):
//! then the next watch has it go ahead with a blocking send. So on an unbuffered channel a watch waits beside no blocked
//! receiver, no value, and no arm: who enters a queue tells the first who watches the other side, and a watch that was
//! told and goes has the others looked after (`settle`).

use std::ptr::NonNull;

use super::core::{
    Core, Flavor, LIFO, OVERFLOWS, Queues, RECV_CLOSED, RECV_WAITING, SEND_CLOSED, SEND_WAITING,
    TIMED,
};
use super::door::SOLO;
use super::ring::{Claim, Pop, Ring};
use super::settle::{arms, blocked_receiver_waits, fresh_arm_waits, tell_task, value_waits};
use super::slot::{Grant, RecvSlot, SendSlot};
use super::wakes::WakeList;
use crate::wait::{Node, Turn, Waiter};

/// How an attempt to send went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// Sent; or shed, as the policy has it.
    Done,
    Full,
    Closed,
    /// Full, and the policy gives the value back.
    Refused,
    /// Full, and senders do not wait: the policy is to be asked (`Core::overflow`).
    Overflows,
}

/// How an attempt to receive went.
pub(super) enum Get<T> {
    Value(T),
    Empty,
    Closed,
    /// A select that sends is there, and makes its value when it is bound to a receiver. Who binds is: its waiter is claimed by
    /// that select. Others have nothing.
    Later,
}

/// What a receiver does about a sender whose value is still to come: an arm of a select.
pub(super) enum Unmade<'a, T> {
    /// Passes it over: it does not wait.
    Pass,
    /// Goes no further, and comes again with a waiter.
    Stop,
    /// Is bound to it: with its waiter, which stands in no queue, its token, and where the value goes.
    Bind(&'a Waiter, usize, &'a RecvSlot<T>),
}

impl<T> Core<T> {
    /// Sends without waiting. The value is left in `from` if that can not be.
    #[inline]
    pub(super) fn try_put(&self, from: &SendSlot<T>) -> Put {
        if let Flavor::Ring(ring) = &self.flavor
            && self.flags() & !(RECV_WAITING | OVERFLOWS) == 0
        {
            return match ring.claim() {
                Claim::At(ticket) => {
                    ring.fill(ticket, from.take().expect("a sender has a value"));
                    self.look_behind(RECV_WAITING);
                    Put::Done
                }
                Claim::Full => Put::Full,
                Claim::Closed => Put::Closed,
            };
        }
        let mut wakes = WakeList::new();
        let mut queues = self.lock();
        let put = self.put(&mut queues, from, &mut wakes);
        self.refresh(&queues);
        put
    }

    /// Receives without waiting.
    #[inline]
    pub(super) fn try_get(&self) -> Get<T> {
        match &self.flavor {
            // One that is closed, by whomever, is not bare.
            Flavor::Ring(ring) if self.door.is_bare(ring).is_some() => Get::Empty,
            _ => self.get_now(),
        }
    }

    /// Receives without waiting, where there is more to tell than that a ring is empty.
    #[inline(never)]
    fn get_now(&self) -> Get<T> {
        if let Flavor::Ring(ring) = &self.flavor
            && self.flags() & (RECV_CLOSED | TIMED | LIFO | SOLO) == 0
        {
            return match ring.pop() {
                Pop::Value(value) => {
                    self.look_behind(SEND_WAITING);
                    Get::Value(value)
                }
                Pop::Empty => Get::Empty,
                Pop::Closed => Get::Closed,
            };
        }
        let mut wakes = WakeList::new();
        let mut queues = self.lock();
        let get = self.get(&mut queues, Unmade::Pass, &mut wakes);
        self.refresh(&queues);
        drop(queues);
        self.give_late();
        get
    }

    /// Sends under the lock.
    #[inline]
    pub(super) fn put(&self, queues: &mut Queues, from: &SendSlot<T>, wakes: &mut WakeList) -> Put {
        if self.is_closed() {
            return Put::Closed;
        }
        match &self.flavor {
            Flavor::Rendezvous | Flavor::Never => match self.hand(queues, from, wakes) {
                true => Put::Done,
                false => Put::Full,
            },
            Flavor::Unbounded(backlog) => {
                if !self.hand(queues, from, wakes) {
                    let backlog = self.backlog(backlog, queues);
                    backlog.push_back(from.take().expect("a sender has a value"));
                    tell_task(queues, wakes);
                }
                Put::Done
            }
            Flavor::Ring(ring) => self.put_ring(ring, queues, from, wakes),
        }
    }

    fn put_ring(
        &self,
        ring: &Ring<T>,
        queues: &mut Queues,
        from: &SendSlot<T>,
        wakes: &mut WakeList,
    ) -> Put {
        if self.door.is_solo()
            // SAFETY: D2, and it is open.
            && let Some(room) = unsafe { ring.room_alone() }
        {
            let value = from.take().expect("a sender has a value");
            // SAFETY: as above.
            unsafe { ring.push_alone(room, value) };
            return Put::Done;
        }
        if !queues.senders.is_empty() {
            self.settle_ring(ring, queues, wakes);
            if !queues.senders.is_empty() {
                return Put::Full;
            }
        }
        if ring.len() == 0 && self.hand(queues, from, wakes) {
            return Put::Done;
        }
        match ring.claim() {
            Claim::At(ticket) => {
                self.fill(ring, ticket, from);
                self.settle_ring(ring, queues, wakes);
                Put::Done
            }
            Claim::Full => Put::Full,
            Claim::Closed => Put::Closed,
        }
    }

    /// Gives the value to the first blocked receiver. Tasks are passed over.
    #[inline]
    pub(super) fn hand(
        &self,
        queues: &mut Queues,
        from: &SendSlot<T>,
        wakes: &mut WakeList,
    ) -> bool {
        let Some((node, claimed)) = queues.receivers.pop_claim_where(|n| !n.waiter().is_task())
        else {
            return false;
        };
        self.count_handed();
        let value = from.take().expect("a sender has a value");
        // SAFETY: S2: claimed, and in this channel's queue of receivers.
        unsafe { RecvSlot::<T>::of(node).as_ref().put(value) };
        wakes.push(claimed);
        true
    }

    /// Receives under the lock.
    #[inline]
    pub(super) fn get(
        &self,
        queues: &mut Queues,
        unmade: Unmade<'_, T>,
        wakes: &mut WakeList,
    ) -> Get<T> {
        if self.flags() & RECV_CLOSED != 0 {
            return Get::Closed;
        }
        let value = match &self.flavor {
            Flavor::Rendezvous | Flavor::Never => return self.fetch(queues, unmade, wakes),
            Flavor::Unbounded(backlog) => {
                let first = self.backlog(backlog, queues).pop_front();
                if first.is_some() {
                    self.count_handed();
                }
                first
            }
            Flavor::Ring(ring) => match self.pop(ring) {
                Pop::Value(value) => {
                    self.settle_ring(ring, queues, wakes);
                    Some(value)
                }
                Pop::Empty => return Get::Empty,
                Pop::Closed => return Get::Closed,
            },
        };
        value.map_or_else(|| self.nothing(), Get::Value)
    }

    /// Takes the value of the first waiting sender.
    fn fetch(&self, queues: &mut Queues, unmade: Unmade<'_, T>, wakes: &mut WakeList) -> Get<T> {
        let mut stopped = false;
        let turn = |node: &Node| {
            // SAFETY: in this channel's queue of senders, under its lock.
            let slot = unsafe { SendSlot::<T>::of(node) };
            match unmade {
                _ if !slot.is_lazy() => Turn::Now,
                // Who only watches will not send: it is told when the receiver waits, see `tell_watch`.
                _ if node.waiter().is_task() => Turn::Pass,
                Unmade::Pass => Turn::Pass,
                Unmade::Stop => {
                    stopped = true;
                    Turn::Stop
                }
                Unmade::Bind(..) => Turn::Now,
            }
        };
        let Some((node, claimed)) = queues.senders.pop_claim_by(turn) else {
            return match unmade {
                Unmade::Pass if !queues.senders.is_empty() => self.want(queues),
                _ if stopped => Get::Later,
                _ => self.nothing(),
            };
        };
        // SAFETY: S2: claimed, and in this channel's queue of senders, still under its lock.
        let slot = unsafe { SendSlot::<T>::of(node.as_ref()) };
        self.count_handed();
        wakes.push(claimed);
        match unmade {
            Unmade::Bind(waiter, token, own) if slot.is_lazy() => {
                let claimed = waiter.claim(token);
                let claimed = claimed.expect("a waiter that stands nowhere can be claimed");
                slot.give(Grant::Peer(claimed, NonNull::from(own)));
                Get::Later
            }
            _ => Get::Value(slot.take().expect("a waiting sender has a value")),
        }
    }

    /// Notes with the arms of selects that wait to send that somebody would have had their value, if it had been there.
    #[cold]
    fn want(&self, queues: &Queues) -> Get<T> {
        let mut got = self.nothing();
        arms::<T>(queues, |slot| {
            slot.set_wanted(true);
            got = Get::Later;
        });
        got
    }

    fn nothing(&self) -> Get<T> {
        match self.flags() & SEND_CLOSED {
            0 => Get::Empty,
            _ => Get::Closed,
        }
    }

    /// True if `get` would not find it empty. Under the lock.
    pub(super) fn can_get(&self, queues: &mut Queues) -> bool {
        let closed = self.flags() & (SEND_CLOSED | RECV_CLOSED);
        if closed & RECV_CLOSED != 0 {
            return true;
        }
        match &self.flavor {
            Flavor::Rendezvous | Flavor::Never => {
                closed != 0 || value_waits::<T>(queues) || fresh_arm_waits::<T>(queues)
            }
            Flavor::Unbounded(backlog) => closed != 0 || !self.backlog(backlog, queues).is_empty(),
            Flavor::Ring(ring) => ring.has_value() || closed != 0 && ring.len() == 0,
        }
    }

    /// True if `put` would not find it full. Under the lock.
    pub(super) fn can_put(&self, queues: &Queues) -> bool {
        self.flags() & (SEND_CLOSED | RECV_CLOSED | OVERFLOWS) != 0
            || match &self.flavor {
                Flavor::Rendezvous | Flavor::Never => blocked_receiver_waits(queues),
                Flavor::Unbounded(_) => true,
                Flavor::Ring(ring) => queues.senders.is_empty() && ring.has_room(),
            }
    }
}
