//! Channels whose senders do not wait when it is full, and those whose receivers shed what is late.
//!
//! # Protocol
//!
//! Two bits of `flags` stand for the policy, and are changed under the lock. With `OVERFLOWS` a sender that finds the channel
//! full does not enter the queue, and asks the policy (`overflow`), with no lock held. So nobody waits to send while the bit
//! is set: whoever does when it is set is claimed, tries again, and asks.
//!
//! *Evicting* is receiving: who evicts takes the oldest value out of the ring as a receiver does, under the lock, so that
//! senders that wait do not come in between. A value is evicted or received, never both, whoever is faster. A sender that
//! goes the quick way may take the room: then one more is evicted, for one more that was sent.
//!
//! With `TIMED` (CoDel) both ends take the lock. Who read the flags just before goes the quick way once more: then its value
//! has no stamp, and counts as fresh. A receiver sheds a value only if it has taken another after it. So a receive that sheds
//! gives a value: whoever waits, or goes with nothing, has shed nothing, and what was shed is given away (`give_late`)
//! when the caller stands in no queue.
//!
//! With `LIFO` (adaptive LIFO) besides, the oldest value tells whether the queue stands. While it does, the newest is taken, and then
//! those from the other end that are too late are shed. The bit never changes, so nobody has read the flags before.
//!
//! Models (`models/`): `evict_..` in `blocking`.
//!
//! # Invariants
//!
//! - S5: under the lock of a channel with `LIFO` that its receivers have not closed, nobody else takes values from the ring, or fills or
//!   gives up a reserved place: receivers (`get_quick`, `get_now`) and grants (`alone`) look at that bit first, and `clear` comes after
//!   the close, which takes the lock.

use std::panic::Location;

use super::core::{Core, Flavor, LIFO, OVERFLOWS, Queues, TIMED};
use super::door::SOLO;
use super::ops::Put;
use super::overflow::{Cause, Overflow, Shed};
use super::policy::Policy;
use super::ring::{Claim, Pop, Ring, Ticket};
use super::slot::SendSlot;
use super::statistics::ByCause;
use super::wakes::WakeList;
use crate::rt::clock::clock;

impl<T> Core<T> {
    #[track_caller]
    pub(super) fn set_overflow(&self, overflow: Overflow) {
        overflow.check(self.capacity());
        let policy = self.policy_or(None);
        let bits = match overflow {
            Overflow::Block => 0,
            Overflow::CoDel { .. } => TIMED,
            _ => OVERFLOWS,
        };
        let mut wakes = WakeList::new();
        let mut queues = self.lock();
        policy.set(overflow, self.capacity().unwrap_or(0), clock());
        let change = (self.flags() ^ bits) & (OVERFLOWS | TIMED);
        self.door.change(change & bits, change & !bits | SOLO);
        if !overflow.waits() {
            while let Some((_, claimed)) = queues.senders.pop_claim() {
                wakes.push(claimed);
            }
        }
        self.refresh(&queues);
    }

    /// As `put`; `Overflows` instead of `Full` where senders do not wait.
    pub(super) fn put_or_overflow(
        &self,
        queues: &mut Queues,
        from: &SendSlot<T>,
        wakes: &mut WakeList,
    ) -> Put {
        match self.put(queues, from, wakes) {
            Put::Full if self.flags() & OVERFLOWS != 0 => Put::Overflows,
            put => put,
        }
    }

    /// Does with a value that has no room what the policy says. `Full` if senders wait. With no lock held: `on_shed` is called.
    #[cold]
    pub(super) fn overflow(&self, from: &SendSlot<T>) -> Put {
        let Some(policy) = self.policy() else {
            return Put::Full;
        };
        let cause = match policy.overflow() {
            Overflow::Block | Overflow::CoDel { .. } => return Put::Full,
            Overflow::Reject => {
                policy.count(from.site(), |counts| counts.refused += 1);
                return Put::Refused;
            }
            Overflow::DropNewest => Cause::Newest,
            Overflow::DropOldest => Cause::Oldest,
            Overflow::KeepLatest => Cause::Superseded,
        };
        let sender = from.site();
        if cause != Cause::Newest {
            let count = |counts: &mut ByCause| match cause {
                Cause::Oldest => counts.oldest += 1,
                _ => counts.superseded += 1,
            };
            let (put, evicted) = self.force(from, policy, count);
            let evicted = evicted.into_iter().map(|value| Shed {
                value,
                cause,
                sender,
            });
            policy.give_all(evicted);
            if put != Put::Full {
                return put;
            }
        }
        policy.count(sender, |counts| counts.newest += 1);
        policy.give(Shed {
            value: from.take().expect("a sender has a value"),
            cause: Cause::Newest,
            sender,
        });
        Put::Done
    }

    /// Sends, and gives back the value that made room. `Full` if none could.
    pub(super) fn force_out(&self, from: &SendSlot<T>) -> (Put, Option<T>) {
        let policy = self.policy_or(None);
        let (put, evicted) = self.force(from, policy, |counts| counts.forced_out += 1);
        if put == Put::Full {
            policy.count(from.site(), |counts| counts.refused += 1);
        }
        let mut evicted = evicted.into_iter();
        // If it was not sent after all, its sender gets the value itself back.
        let back = (put == Put::Done).then(|| evicted.next()).flatten();
        // Others took the room, one for one. Their own senders are not here to get it.
        policy.give_all(evicted.map(|value| {
            policy.count(from.site(), |counts| {
                counts.forced_out -= 1;
                counts.oldest += 1;
            });
            Shed {
                value,
                cause: Cause::Oldest,
                sender: from.site(),
            }
        }));
        (put, back)
    }

    /// Sends in place of the oldest values, which are counted: as many as it takes. `Full` if none can be taken.
    fn force(
        &self,
        from: &SendSlot<T>,
        policy: &Policy<T>,
        count: impl Fn(&mut ByCause),
    ) -> (Put, Vec<T>) {
        let mut evicted = Vec::new();
        let mut wakes = WakeList::new();
        let mut queues = self.lock();
        let put = match &self.flavor {
            Flavor::Ring(ring) if !self.is_closed() => loop {
                if ring.len() == 0 && self.hand(&mut queues, from, &mut wakes) {
                    break Put::Done;
                }
                match ring.claim() {
                    Claim::At(ticket) => {
                        self.fill(ring, ticket, from);
                        break Put::Done;
                    }
                    Claim::Closed => break Put::Closed,
                    Claim::Full => {}
                }
                match ring.pop_place() {
                    Some((value, place)) => {
                        policy.unstamp(place, 0);
                        policy.count(from.site(), &count);
                        evicted.push(value);
                    }
                    None if ring.is_reserved() => break Put::Full,
                    None => {}
                }
            },
            _ => self.put(&mut queues, from, &mut wakes),
        };
        self.settle(&mut queues, &mut wakes);
        self.refresh(&queues);
        (put, evicted)
    }

    /// Fills a claimed slot, under the lock.
    #[inline]
    pub(super) fn fill(&self, ring: &Ring<T>, ticket: Ticket, from: &SendSlot<T>) {
        self.stamp(ring, &ticket, from.site());
        ring.fill(ticket, from.take().expect("a sender has a value"));
    }

    /// The policy, if it asks when values have come.
    #[inline]
    fn timed(&self) -> Option<&Policy<T>> {
        if self.flags() & TIMED == 0 {
            return None;
        }
        self.policy()
    }

    /// Notes when the value of a claimed slot comes, if that matters.
    #[inline]
    pub(super) fn stamp(
        &self,
        ring: &Ring<T>,
        ticket: &Ticket,
        site: Option<&'static Location<'static>>,
    ) {
        if let Some(policy) = self.timed() {
            policy.stamp(ring.place_of(ticket), site, ring.len() <= 1, clock());
        }
    }

    /// What goes along with a value that moves from one place to another: when it came.
    #[inline]
    pub(super) fn moved(&self) -> impl Fn(usize, usize) {
        |from, to| {
            if let Some(policy) = self.timed() {
                policy.restamp(from, to);
            }
        }
    }

    /// Takes the oldest value for one who waits, who would be served at once if it came now. Under the lock.
    #[inline]
    pub(super) fn pop_oldest(&self, ring: &Ring<T>) -> Option<T> {
        if let Some(policy) = self.timed()
            && let Some((value, place)) = ring.pop_place()
        {
            policy.unstamp(place, 0);
            return Some(value);
        }
        match ring.pop() {
            Pop::Value(value) => Some(value),
            Pop::Empty | Pop::Closed => None,
        }
    }

    /// Takes the oldest value that is not too late, or the newest. Under the lock.
    #[inline]
    pub(super) fn pop(&self, ring: &Ring<T>) -> Pop<T> {
        match self.policy() {
            Some(policy) if self.flags() & TIMED != 0 => match self.pop_newest(ring, policy) {
                Some(value) => Pop::Value(value),
                None => pop_timed(ring, policy),
            },
            _ => ring.pop(),
        }
    }

    /// While the queue of a channel with adaptive LIFO stands, takes the newest value, and sheds those that are too late. Nothing
    /// if none stands behind the oldest. Under the lock.
    #[cold]
    fn pop_newest(&self, ring: &Ring<T>, policy: &Policy<T>) -> Option<T> {
        if self.flags() & LIFO == 0 {
            return None;
        }
        let now = clock();
        let is_late = || {
            let oldest = ring.first_place();
            oldest.is_some_and(|place| policy.is_late(now, policy.came(place, now)))
        };
        // The look at the oldest comes first: it may find the queue good.
        if !is_late() && !policy.is_overloaded(now) {
            return None;
        }
        // Who claims a place has the lock as well, so none is claimed meanwhile, and nothing moves.
        // SAFETY: S5.
        let (value, place) = unsafe { ring.pop_newest(&|_, _| {}) }?;
        self.count_handed();
        policy.unstamp(place, now);
        while is_late() {
            let Some((late, place)) = ring.pop_place() else {
                break;
            };
            let (_, sender) = policy.unstamp(place, now);
            policy.shed_late(late, sender);
        }
        Some(value)
    }

    /// Gives what was shed by receivers to whoever wants it. With no lock held, and in no queue.
    #[inline]
    pub(super) fn give_late(&self) {
        if let Some(policy) = self.timed() {
            policy.give_late();
        }
    }
}

#[cold]
fn pop_timed<T>(ring: &Ring<T>, policy: &Policy<T>) -> Pop<T> {
    let Some((mut value, place)) = ring.pop_place() else {
        return ring.pop();
    };
    let now = clock();
    let (mut came, mut sender) = policy.unstamp(place, now);
    while policy.is_late(now, came) {
        let Some((next, place)) = ring.pop_place() else {
            break;
        };
        policy.shed_late(std::mem::replace(&mut value, next), sender);
        (came, sender) = policy.unstamp(place, now);
    }
    Pop::Value(value)
}
