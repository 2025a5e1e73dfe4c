//! The short way through an unbuffered channel: somebody of the other side waits first in line, or nobody does. Whatever
//! else there may be (closed, tasks, arms of a select, waiters claimed elsewhere) is left to `ops.rs`, which says the same
//! at length.
//!
//! Under one hold of the channel's lock a caller serves the first of the other side, or sees that nobody is there and stands in its
//! own side's queue. So a blocked sender and a blocked receiver never stand beside each other (`ops` P1), and the value goes once, from
//! slot to slot, by who has the claim. A first one that was claimed elsewhere a moment ago (a deadline, another arm of its select)
//! stays for the long way, which takes it out.
//!
//! Models (`models/`): `rendezvous_..`, `selects_that_face_each_other` in `blocking`.

use super::core::{Core, Flavor, OVERFLOWS, Queues, RECV_CLOSED, SEND_CLOSED, SEND_WAITING};
use super::slot::{RecvSlot, SendSlot};
use crate::primitives::Ordering;
use crate::wait::{Claimed, WaitQueue};

impl<T> Core<T> {
    #[inline]
    pub(super) fn is_rendezvous(&self) -> bool {
        matches!(self.flavor, Flavor::Rendezvous)
    }

    /// Puts the value into the hands of the first receiver, if that one is blocked. (Then the channel is open.)
    #[inline]
    pub(super) fn meet_receiver(&self, queues: &mut Queues, from: &SendSlot<T>) -> Option<Claimed> {
        let (node, claimed) = queues.receivers.claim_front(|n| !n.waiter().is_task())?;
        self.count_handed();
        let value = from.take().expect("a sender has a value");
        // SAFETY: S2: claimed, and in this channel's queue of receivers.
        unsafe { RecvSlot::<T>::of(node).as_ref().put(value) };
        Some(claimed)
    }

    /// Takes the value of the first sender, if that one has it there.
    #[inline]
    pub(super) fn meet_sender(&self, queues: &mut Queues) -> Option<(T, Claimed)> {
        // SAFETY: in this channel's queue of senders, under its lock.
        let (node, claimed) = queues
            .senders
            .claim_front(|n| !unsafe { SendSlot::<T>::of(n) }.is_lazy())?;
        self.count_handed();
        // SAFETY: S2: claimed, and in this channel's queue of senders, still under its lock.
        let slot = unsafe { SendSlot::<T>::of(node.as_ref()) };
        Some((slot.take().expect("a waiting sender has a value"), claimed))
    }

    /// Receives from the first sender, if that one has its value there.
    pub(super) fn take_quick(&self) -> Option<T> {
        if !self.is_rendezvous() {
            return None;
        }
        let mut queues = self.lock();
        let (value, claimed) = self.meet_sender(&mut queues)?;
        self.show(SEND_WAITING, !queues.senders.is_empty());
        drop(queues);
        claimed.wake();
        Some(value)
    }

    /// True if nobody waits in `peers`, the queue of the other side, and the channel is open and makes senders wait.
    #[inline]
    pub(super) fn nobody(&self, peers: &WaitQueue) -> bool {
        const OTHERWISE: usize = SEND_CLOSED | RECV_CLOSED | OVERFLOWS;
        peers.is_empty() && self.flags.load(Ordering::Relaxed) & OTHERWISE == 0
    }
}
