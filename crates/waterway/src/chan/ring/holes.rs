//! Slots that are reserved, and those that are given up.
//!
//! A slot that is given up while others stand behind it is a *hole*. It belongs to who gives it up, and moves towards
//! `tail`: the value behind it goes into it, which leaves a hole there, and so on, until there is nothing behind it and
//! `tail` is moved back. Nobody passes a hole meanwhile, so the order stays, and only the values behind it move. A slot
//! behind it that is reserved by somebody else can not be moved: then the hole is stamped VOID, and whoever stamps that
//! slot, or gives it up, takes up the hole before it (`close_up`). Whoever moves a value says so first (`moved`, with the places that it
//! leaves and comes to): what is kept of it elsewhere goes along.
//!
//! Where all receivers and all owners of reserved slots are under one lock, its holder may take the newest value
//! (`pop_newest`): it makes a hole of the last slot and gives that up.
//!
//! # Invariants, beside those of the ring
//!
//! - R5: values behind a slot that has an owner are moved by that owner alone: receivers do not get past it, and who owns
//!   a slot further behind moves what is behind that.
//! - R6: a void slot has, behind it and void ones, a reserved slot; or the one who stamps it is about to look again; or the
//!   one who stamped that one is about to look before it. (Of their two stamps, each a sequentially consistent exchange
//!   with a look at the other after it, one comes second.)

use super::{CLOSED, FREE, FULL, Front, RESERVED, Ring, STATE, STEP, Ticket, VOID};
use crate::primitives::{Ordering, Spin};

impl<T> Ring<T> {
    /// Takes the newest value, with its place, if one stands last and not alone: `tail` moves back. (The last one goes by `head`,
    /// which thus moves whenever the ring has become empty.)
    ///
    /// # Safety
    ///
    /// Meanwhile nobody else takes values, or fills or gives up reserved slots. Others may claim, and fill what they claim.
    pub(crate) unsafe fn pop_newest(&self, moved: &impl Fn(usize, usize)) -> Option<(T, usize)> {
        let mut spin = Spin::new();
        loop {
            let (head, tail) = (self.head(), self.tail() & !STATE);
            let last = self.previous(tail);
            if tail == head || last == head {
                return None;
            }
            match self.state(last) {
                FULL if self.turn(last, FULL, FREE) => {
                    // SAFETY: R1: it was full; nobody moves `head` past it (the caller), so from here on it is ours.
                    let value = unsafe { (*self.slot(last).value.get()).assume_init_read() };
                    self.give_back(Ticket(last), moved);
                    return Some((value, self.index(last)));
                }
                RESERVED | VOID => return None,
                // It is being filled, or `tail` has moved.
                _ => spin.once(),
            }
        }
    }

    /// Marks a claimed slot: its value comes later, receivers shall not wait for it.
    pub(crate) fn reserve(&self, at: &Ticket) {
        self.slot(at.0)
            .stamp
            .store(self.lap(at.0) | RESERVED, Ordering::Release);
    }

    /// As `fill`, for a reserved slot. Receivers may have gone to sleep on it, so its stamp takes part in the order of
    /// sequentially consistent operations. True if that made room for senders as well. The value comes back if the slot
    /// was revoked.
    pub(crate) fn complete(
        &self,
        at: Ticket,
        value: T,
        moved: &impl Fn(usize, usize),
    ) -> Result<bool, T> {
        if !self.unreserve(&at) {
            return Err(value);
        }
        let slot = self.slot(at.0);
        // SAFETY: R2, the ticket: the slot is not reserved any more, so nobody revokes it.
        unsafe { (*slot.value.get()).write(value) };
        slot.stamp.swap(self.lap(at.0) | FULL, Ordering::SeqCst);
        Ok(self.close_up(at.0, moved))
    }

    /// Gives a reserved slot up. Room or a value may be where there was none.
    pub(crate) fn void(&self, at: Ticket, moved: &impl Fn(usize, usize)) {
        if self.unreserve(&at) {
            let position = at.0;
            self.give_back(at, moved);
            self.close_up(position, moved);
        }
    }

    /// Gives up a slot that is claimed and not stamped. It is free again at once, unless there is a reserved one behind it.
    pub(crate) fn give_back(&self, at: Ticket, moved: &impl Fn(usize, usize)) {
        let mut hole = at.0;
        let mut spin = Spin::new();
        while !self.move_tail_back(hole) {
            let behind = self.next(hole);
            match self.state(behind) {
                FULL => {
                    moved(self.index(behind), self.index(hole));
                    self.move_up(behind, hole);
                    hole = behind;
                }
                RESERVED | VOID => {
                    let stamp = &self.slot(hole).stamp;
                    stamp.swap(self.lap(hole) | VOID, Ordering::SeqCst);
                    let stays = matches!(self.state(behind), RESERVED | VOID);
                    if stays || !self.take_void(hole) {
                        while self.skip_void() {}
                        return;
                    }
                }
                // It is being filled, or is the hole of somebody else.
                _ => spin.once(),
            }
        }
    }

    /// Makes the slot free, if it is the last one that was claimed.
    fn move_tail_back(&self, hole: usize) -> bool {
        let next = self.next(hole);
        // A ring that is closed stays so.
        [next, next | CLOSED].into_iter().any(|tail| {
            let back = hole | tail & CLOSED;
            let tail =
                (self.tail.0).compare_exchange(tail, back, Ordering::SeqCst, Ordering::Relaxed);
            tail.is_ok()
        })
    }

    /// Moves a value into the hole before it, and the hole to where the value was.
    fn move_up(&self, from: usize, hole: usize) {
        let (from_slot, hole_slot) = (self.slot(from), self.slot(hole));
        // SAFETY: R1, R2 and R5: the value is there, and we own the hole before it. They are two slots: of a ring of one
        // slot none stands behind another.
        unsafe { (*hole_slot.value.get()).write((*from_slot.value.get()).assume_init_read()) };
        from_slot
            .stamp
            .store(self.lap(from) | FREE, Ordering::Release);
        // Receivers may have gone to sleep when it was reserved, as for `complete`.
        hole_slot
            .stamp
            .swap(self.lap(hole) | FULL, Ordering::SeqCst);
    }

    /// A slot is reserved no more: takes up the holes that it stood in the way of. True if there were some.
    fn close_up(&self, stamped: usize, moved: &impl Fn(usize, usize)) -> bool {
        let mut behind = stamped;
        loop {
            let hole = self.previous(behind);
            if !self.take_void(hole) {
                return behind != stamped;
            }
            self.give_back(Ticket(hole), moved);
            behind = hole;
        }
    }

    /// Makes a void slot one that is claimed and not stamped, and the caller's (R2). False if it is not void.
    #[inline]
    fn take_void(&self, at: usize) -> bool {
        self.state(at) == VOID && self.turn(at, VOID, FREE)
    }

    /// The state of the slot; some other number if it is in another lap than this position.
    #[inline]
    fn state(&self, at: usize) -> usize {
        let stamp = self.slot(at).stamp.load(Ordering::SeqCst);
        stamp.wrapping_sub(self.lap(at))
    }

    /// Makes a reserved slot one that is claimed and not stamped. False if it was revoked.
    fn unreserve(&self, at: &Ticket) -> bool {
        self.turn(at.0, RESERVED, FREE)
    }

    /// Changes the state of a slot in the lap of this position, if it is what is expected.
    fn turn(&self, at: usize, from: usize, to: usize) -> bool {
        let (lap, stamp) = (self.lap(at), &self.slot(at).stamp);
        stamp
            .compare_exchange(lap | from, lap | to, Ordering::SeqCst, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes the first slot away from who has reserved it (R4), if it is a reserved one. False if the ring is empty.
    pub(super) fn revoke(&self) -> bool {
        match self.front(&mut Spin::new()) {
            // If it is not reserved any more, it is being filled or given up: whoever looks next sees that.
            Front::Reserved(head) => _ = self.turn(head, RESERVED, VOID),
            Front::Value(_) => {}
            Front::Empty | Front::Closed => return false,
        }
        true
    }

    /// Moves `head` past a void slot, if one is there. False if there was none.
    pub(super) fn skip_void(&self) -> bool {
        let head = self.head();
        let is_void = self.take_void(head);
        if is_void {
            // R2: it is ours, and `head` is still there.
            self.head.0.store(self.next(head), Ordering::SeqCst);
            self.skipped.fetch_add(1, Ordering::Release);
            self.free(head);
        }
        is_void
    }

    fn previous(&self, position: usize) -> usize {
        match self.index(position) {
            0 => self.lap(position).wrapping_sub(self.one_lap()) + (self.cap - 1) * STEP,
            _ => position - STEP,
        }
    }
}
