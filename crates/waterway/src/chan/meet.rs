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

use std::ptr::NonNull;

use super::core::{
    Core, Flavor, OVERFLOWS, Queues, RECV_CLOSED, RECV_WAITING, SEND_CLOSED, SEND_WAITING,
};
use super::slot::{RecvSlot, SendSlot};
use crate::wait::{Node, WaitQueue, Won};

impl<T> Core<T> {
    #[inline]
    pub(super) fn is_rendezvous(&self) -> bool {
        matches!(self.flavor, Flavor::Rendezvous)
    }

    /// Wins the first receiver, if that one is blocked: its slot is to be filled, under the lock. (Then the channel is open.)
    #[inline]
    pub(super) fn meet_receiver(&self, queues: &mut Queues) -> Option<(NonNull<RecvSlot<T>>, Won)> {
        let (node, won) = queues.receivers.win_front(|_| true)?;
        if queues.receivers.is_empty() {
            self.show_nobody(RECV_WAITING);
        }
        self.count_handed();
        // SAFETY: S2: won, and in this channel's queue of receivers.
        Some((unsafe { RecvSlot::of(node) }, won))
    }

    /// Takes the value of the first sender, if that one is blocked and has it there.
    #[inline]
    pub(super) fn meet_sender(&self, queues: &mut Queues) -> Option<(T, Won)> {
        // SAFETY: in this channel's queue of senders, under its lock.
        let has_value = |n: &Node| !unsafe { SendSlot::<T>::of(n) }.is_lazy();
        let (node, won) = queues.senders.win_front(has_value)?;
        if queues.senders.is_empty() {
            self.show_nobody(SEND_WAITING);
        }
        self.count_handed();
        // SAFETY: S2: won, and in this channel's queue of senders, still under its lock.
        let slot = unsafe { SendSlot::<T>::of(node.as_ref()) };
        Some((slot.take().expect("a waiting sender has a value"), won))
    }

    /// Receives from the first sender, if that one has its value there.
    pub(super) fn take_quick(&self) -> Option<T> {
        if !self.is_rendezvous() {
            return None;
        }
        let mut queues = self.lock();
        let (value, won) = self.meet_sender(&mut queues)?;
        drop(queues);
        won.wake();
        Some(value)
    }

    /// True if nobody waits in `peers`, the queue of the other side, and the channel is open and makes senders wait.
    #[inline]
    pub(super) fn nobody(&self, peers: &WaitQueue) -> bool {
        const OTHERWISE: usize = SEND_CLOSED | RECV_CLOSED | OVERFLOWS;
        peers.is_empty() && self.door.flags_locked() & OTHERWISE == 0
    }
}
