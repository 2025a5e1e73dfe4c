//! The arms of a select that waits, one channel at a time: each stands in its queue only if nothing can be done there, so nobody
//! is met and nobody is woken. Where there may be something, the select takes all locks (`select/run.rs`).
//!
//! An arm that receives from a ring announces itself, then looks whether the ring is bare, then stands in the queue, all under the
//! lock: the protocol of a receiver that will wait (`ops.rs`), with a look in place of the `pop`.

use super::core::{Core, Flavor, Queues, RECV_WAITING, SEND_WAITING};
use crate::wait::Node;

impl<T> Core<T> {
    /// Stands in the queue of receivers, if nothing can be received and the channel is open.
    ///
    /// # Safety
    ///
    /// As for `WaitQueue::push_back`.
    pub(super) unsafe fn stand_to_receive(&self, node: &Node) -> bool {
        let mut queues = self.lock();
        let idle = match &self.flavor {
            Flavor::Rendezvous | Flavor::Never => self.nobody(&queues.senders),
            Flavor::Ring(ring) => {
                self.announce(RECV_WAITING);
                ring.is_bare().is_some()
            }
            Flavor::Unbounded(_) => false,
        };
        if idle {
            // SAFETY: by the caller.
            unsafe { queues.receivers.push_back(node) };
            self.show(RECV_WAITING, true);
        } else if self.ring().is_some() {
            self.refresh(&queues);
        }
        idle
    }

    /// Stands in the queue of senders of an unbuffered channel, if nobody waits to receive and it is open.
    ///
    /// # Safety
    ///
    /// As for `WaitQueue::push_back`.
    pub(super) unsafe fn stand_to_send(&self, node: &Node) -> bool {
        let mut queues = self.lock();
        let idle = self.is_rendezvous() && self.nobody(&queues.receivers);
        if idle {
            // SAFETY: by the caller.
            unsafe { queues.senders.push_back(node) };
            self.show(SEND_WAITING, true);
        }
        idle
    }

    /// Is not in the queue of that side any more.
    pub(super) fn quit(&self, side: usize, node: &Node) {
        let mut queues = self.lock();
        let Queues { senders, receivers } = &mut *queues;
        let queue = match side {
            SEND_WAITING => senders,
            _ => receivers,
        };
        if queue.remove(node) {
            self.refresh(&queues);
        }
    }
}
