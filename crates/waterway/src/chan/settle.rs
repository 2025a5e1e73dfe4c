//! Who waits, and who of them is served or told. See the protocol in `ops.rs`.

use super::core::{Core, Flavor, Queues, RECV_CLOSED, RECV_WAITING, SEND_CLOSED};
use super::ring::{Claim, Ring};
use super::slot::{Grant, RecvSlot, SendSlot};
use super::wakes::WakeList;
use crate::wait::Node;

impl<T> Core<T> {
    /// Serves those who wait on the other side, if there are any, after the ring was moved.
    #[inline]
    pub(super) fn look_behind(&self, side: usize) {
        let flags = self.flags();
        if flags & (side | SEND_CLOSED | RECV_CLOSED) != 0 {
            self.look_closer(side, flags);
        }
    }

    #[inline(never)]
    fn look_closer(&self, side: usize, flags: usize) {
        const ENDING: usize = SEND_CLOSED | RECV_WAITING;
        // Of a closed ring this may have been the last value: then those who wait to receive go too.
        if flags & side != 0 || flags & ENDING == ENDING {
            self.settle_now();
        }
        if flags & RECV_CLOSED != 0 {
            self.discard();
        }
    }

    #[cold]
    pub(super) fn settle_now(&self) {
        let mut wakes = WakeList::new();
        let mut queues = self.lock();
        self.settle(&mut queues, &mut wakes);
        self.refresh(&queues);
    }

    /// Serves whoever can be served. Under the lock; whoever is claimed here is woken after it.
    pub(super) fn settle(&self, queues: &mut Queues, wakes: &mut WakeList) {
        match &self.flavor {
            Flavor::Ring(ring) => self.settle_ring(ring, queues, wakes),
            Flavor::Unbounded(backlog) => {
                if !self.backlog(backlog, queues).is_empty() {
                    tell_task(queues, wakes);
                }
            }
            Flavor::Rendezvous | Flavor::Never => {
                if !queues.senders.is_empty() && !self.tell_lazy(queues, wakes) {
                    tell_task(queues, wakes);
                }
                self.tell_send_watch(queues, wakes);
                self.tell_recv_watch(queues, wakes);
            }
        }
    }

    /// If a receiver is blocked: tells the first who watches for one.
    #[inline]
    pub(super) fn tell_send_watch(&self, queues: &mut Queues, wakes: &mut WakeList) {
        if !queues.senders.is_empty() && self.is_rendezvous() {
            self.look_for_send_watch(queues, wakes);
        }
    }

    #[cold]
    fn look_for_send_watch(&self, queues: &mut Queues, wakes: &mut WakeList) {
        if !blocked_receiver_waits(queues) {
            return;
        }
        if let Some((_, claimed)) = queues.senders.pop_claim_where(is_send_watch::<T>) {
            wakes.push(claimed);
        }
    }

    /// If the arm of a select waits that nobody has asked for its value yet: tells the first who watches for one.
    #[inline]
    pub(super) fn tell_recv_watch(&self, queues: &mut Queues, wakes: &mut WakeList) {
        if !queues.receivers.is_empty() && self.is_rendezvous() {
            self.look_for_recv_watch(queues, wakes);
        }
    }

    #[cold]
    fn look_for_recv_watch(&self, queues: &mut Queues, wakes: &mut WakeList) {
        if fresh_arm_waits::<T>(queues)
            && let Some((_, claimed)) = queues.receivers.pop_claim_where(is_recv_watch)
        {
            wakes.push(claimed);
        }
    }

    /// If a task waits to receive and only arms of selects could send: tells the first of them. It then sends as a blocking
    /// send does, with a value that the task can fetch. True unless a value is there already.
    pub(super) fn tell_lazy(&self, queues: &mut Queues, wakes: &mut WakeList) -> bool {
        if value_waits::<T>(queues) {
            return false;
        }
        if task_waits(queues) {
            if let Some((_, claimed)) = queues.senders.pop_claim() {
                wakes.push(claimed);
            }
        } else if queues.receivers.any(is_recv_watch) {
            self.commit_wanted(queues, wakes);
        }
        true
    }

    /// Has the first arm whose value was wanted go ahead: who wanted it waits until it is there.
    fn commit_wanted(&self, queues: &mut Queues, wakes: &mut WakeList) {
        // SAFETY: in this channel's queue of senders, under its lock.
        let wanted = |node: &Node| unsafe { SendSlot::<T>::of(node) }.is_wanted();
        if let Some((node, claimed)) = queues.senders.pop_claim_where(wanted) {
            // SAFETY: as above, and claimed (S2): only goroutines and threads have wanted slots.
            unsafe { SendSlot::<T>::of(node.as_ref()) }.give(Grant::Plain);
            wakes.push(claimed);
        }
    }

    pub(super) fn settle_ring(&self, ring: &Ring<T>, queues: &mut Queues, wakes: &mut WakeList) {
        let mut promised = 0;
        loop {
            self.fill_from_senders(ring, queues, wakes);
            if queues.receivers.is_empty() {
                return;
            }
            let finished = self.flags() & SEND_CLOSED != 0 && !ring.has_value() && ring.len() == 0;
            if !finished && (ring.len() <= promised || !ring.has_value()) {
                return;
            }
            let Some((node, claimed)) = queues.receivers.pop_claim() else {
                return;
            };
            // SAFETY: under the lock, where the node of whoever was claimed stays.
            if unsafe { node.as_ref() }.waiter().is_task() {
                promised += 1;
            } else if let Some(value) = self.pop_oldest(ring) {
                // SAFETY: S2: claimed, and in this channel's queue of receivers.
                unsafe { RecvSlot::<T>::of(node).as_ref().put(value) };
            }
            wakes.push(claimed);
        }
    }

    /// Moves values of waiting senders into free slots.
    fn fill_from_senders(&self, ring: &Ring<T>, queues: &mut Queues, wakes: &mut WakeList) {
        while let Some(first) = queues.senders.front() {
            // Who only watches is told of the room, and leaves it to others.
            if is_send_watch::<T>(first) {
                if !ring.has_room() {
                    return;
                }
                if let Some((_, claimed)) = queues.senders.pop_claim_where(is_send_watch::<T>) {
                    wakes.push(claimed);
                }
                continue;
            }
            let Claim::At(ticket) = ring.claim() else {
                return;
            };
            let Some((node, claimed)) = queues.senders.pop_claim() else {
                return ring.give_back(ticket, &self.moved());
            };
            // SAFETY: S2: claimed, and in this channel's queue of senders, still under its lock.
            let slot = unsafe { SendSlot::<T>::of(node.as_ref()) };
            if slot.is_lazy() {
                ring.reserve(&ticket);
                slot.give(Grant::Slot(ticket));
            } else {
                self.fill(ring, ticket, slot);
            }
            wakes.push(claimed);
        }
    }
}

/// Tells the first waiting task that there is something to receive.
#[inline]
pub(super) fn tell_task(queues: &mut Queues, wakes: &mut WakeList) {
    if let Some((_, claimed)) = queues.receivers.pop_claim_where(|n| n.waiter().is_task()) {
        wakes.push(claimed);
    }
}

/// True if the node of a sender of `T`, in its queue and under the lock, is that of a `SendWatch`: a task without a value.
fn is_send_watch<T>(node: &Node) -> bool {
    // SAFETY: in a channel's queue of senders, under its lock.
    node.waiter().is_task() && unsafe { SendSlot::<T>::of(node) }.is_lazy()
}

/// True if the node of a receiver is that of a `RecvWatch`: it has a slot, of nothing.
fn is_recv_watch(node: &Node) -> bool {
    node.waiter().is_task() && !node.slot().is_null()
}

/// True if a goroutine or thread waits to receive.
pub(super) fn blocked_receiver_waits(queues: &Queues) -> bool {
    queues.receivers.any(|n| !n.waiter().is_task())
}

/// True if a task waits to receive, which does not only watch.
pub(super) fn task_waits(queues: &Queues) -> bool {
    let is_task = |n: &Node| n.waiter().is_task() && !is_recv_watch(n);
    queues.receivers.any(is_task)
}

/// True if a sender that has a value waits in these queues of a channel of `T`.
pub(super) fn value_waits<T>(queues: &Queues) -> bool {
    // SAFETY: in this channel's queue of senders, under its lock.
    let has_value = |n: &Node| !unsafe { SendSlot::<T>::of(n) }.is_lazy();
    queues.senders.any(has_value)
}

/// Calls `f` on each arm of a select that waits to send in these queues of a channel of `T`.
pub(super) fn arms<T>(queues: &Queues, mut f: impl FnMut(&SendSlot<T>)) {
    queues.senders.for_each(|n| {
        // SAFETY: in this channel's queue of senders, under its lock.
        let slot = unsafe { SendSlot::<T>::of(n) };
        if slot.is_lazy() && !n.waiter().is_task() {
            f(slot);
        }
    });
}

/// True if an arm of a select waits to send whose value nobody has wanted yet.
pub(super) fn fresh_arm_waits<T>(queues: &Queues) -> bool {
    let mut fresh = false;
    arms::<T>(queues, |slot| fresh |= !slot.is_wanted());
    fresh
}
