//! What an arm of a select is given so that it can send: its value does not exist yet.

use std::panic::Location;

use super::core::{Core, Flavor, LIFO, OVERFLOWS, Queues, RECV_WAITING, SEND_WAITING};
use super::door::SOLO;
use super::ops::Put;
use super::ring::Claim;
use super::settle::task_waits;
use super::slot::{Grant, RecvSlot};
use super::wakes::WakeList;
use crate::primitives::Ordering;
use crate::rt::own_lock::OwnGuard;

impl<T> Core<T> {
    /// What an arm of a select needs to send, if it can be had now. The caller stands in no queue of this channel.
    /// `may_wait` says that the arm may go ahead with a blocking send, which is how a task is met. Where senders do not wait it
    /// goes ahead in any case: what becomes of the value is the policy's.
    pub(super) fn grant(
        &self,
        queues: &mut Queues,
        may_wait: bool,
        wakes: &mut WakeList,
    ) -> Result<Grant<T>, Put> {
        match self.grant_room(queues, may_wait, wakes) {
            Err(Put::Full) if self.flags() & OVERFLOWS != 0 => Ok(Grant::Plain),
            granted => granted,
        }
    }

    fn grant_room(
        &self,
        queues: &mut Queues,
        may_wait: bool,
        wakes: &mut WakeList,
    ) -> Result<Grant<T>, Put> {
        if self.is_closed() {
            return Err(Put::Closed);
        }
        match &self.flavor {
            Flavor::Rendezvous | Flavor::Never => {
                let peer = queues.receivers.pop_claim_where(|n| !n.waiter().is_task());
                // SAFETY: in this channel's queue of receivers, and claimed.
                let peer =
                    peer.map(|(n, claimed)| Grant::Peer(claimed, unsafe { RecvSlot::of(n) }));
                match peer {
                    Some(peer) => {
                        self.count_handed();
                        Ok(peer)
                    }
                    None if may_wait && task_waits(queues) => Ok(Grant::Plain),
                    None => Err(Put::Full),
                }
            }
            Flavor::Unbounded(_) => Ok(Grant::Plain),
            Flavor::Ring(ring) => {
                self.settle_ring(ring, queues, wakes);
                if !queues.senders.is_empty() {
                    return Err(Put::Full);
                }
                match ring.claim() {
                    Claim::At(ticket) => {
                        ring.reserve(&ticket);
                        Ok(Grant::Slot(ticket))
                    }
                    Claim::Full => Err(Put::Full),
                    Claim::Closed => Err(Put::Closed),
                }
            }
        }
    }

    /// Uses a grant. The value comes back if the channel was closed by its receivers meanwhile, or the grant is plain.
    pub(super) fn complete(
        &self,
        grant: Grant<T>,
        value: T,
        site: &'static Location<'static>,
    ) -> Result<(), T> {
        match (grant, &self.flavor) {
            (Grant::Peer(claimed, slot), _) => {
                // SAFETY: S2: the grant is the claim.
                unsafe { slot.as_ref().put(value) };
                claimed.wake();
                Ok(())
            }
            (Grant::Slot(ticket), Flavor::Ring(ring)) => {
                self.stamp(ring, &ticket, Some(site));
                let alone = self.alone();
                let completed = ring.complete(ticket, value, &self.moved());
                drop(alone);
                let made_room = completed?;
                self.look_behind(RECV_WAITING);
                if made_room && self.flags() & SEND_WAITING != 0 {
                    self.settle_now();
                }
                Ok(())
            }
            (Grant::Plain, _) => Err(value),
            (Grant::Slot(_), _) => unreachable!("only rings have slots"),
        }
    }

    /// The lock, where whoever changes a reserved place needs it: of a solo ring, and where others may take the newest value.
    #[inline]
    fn alone(&self) -> Option<OwnGuard<'_, Queues>> {
        (self.flags() & (LIFO | SOLO) != 0).then(|| self.lock())
    }

    /// Gives a grant back. Runs no user code but wakers: it may be called by whoever is about to park.
    pub(super) fn decline(&self, grant: Grant<T>) {
        match (grant, &self.flavor) {
            // Who waits for it may be met by another.
            (Grant::Plain, _) => self.settle_now(),
            (Grant::Peer(claimed, _), _) => {
                let locked = self.lock();
                self.handed.fetch_sub(1, Ordering::Relaxed);
                drop(locked);
                claimed.wake();
            }
            (Grant::Slot(ticket), Flavor::Ring(ring)) => {
                let alone = self.alone();
                ring.void(ticket, &self.moved());
                drop(alone);
                // A slot that was revoked had nobody waiting, and what stood behind it is gone.
                if self.flags() & (SEND_WAITING | RECV_WAITING) != 0 {
                    self.settle_now();
                }
            }
            (Grant::Slot(_), _) => unreachable!("only rings have slots"),
        }
    }
}
