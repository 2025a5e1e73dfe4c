//! The buffer of a bounded channel: a ring of stamped slots that senders and receivers use without a lock.
//!
//! A *position* counts slots since the channel was made: `lap | index << 2`. The two low bits of a position are free;
//! in `tail` the lowest says that the channel is closed. A slot's *stamp* is the lap it is in, and in the low bits its
//! state:
//!
//! ```text
//!            claim                    fill
//! FREE(lap) ------> (tail moved on) ------> FULL(lap) -- pop --> FREE(lap + 1)
//!                    reserve | ^ unreserve
//!                            v |
//!                         RESERVED -- revoke --> VOID(lap) - skip -> FREE(lap + 1)
//! ```
//!
//! Whoever moves `tail` past a slot owns it until it stamps it; whoever moves `head` past a full one owns it until it
//! frees it. A receiver that meets RESERVED takes the ring as empty: that value may take long to come. A slot that was
//! claimed and not stamped yet is a matter of nanoseconds, and is waited for.
//!
//! A slot that is given up while others stand behind it is a *hole*. It belongs to who gives it up, and moves towards
//! `tail`: the value behind it goes into it, which leaves a hole there, and so on, until there is nothing behind it and
//! `tail` is moved back. Nobody passes a hole meanwhile, so the order stays, and only the values behind it move. A slot
//! behind it that is reserved by somebody else can not be moved: then the hole is stamped VOID, and whoever stamps that
//! slot, or gives it up, takes up the hole before it (`close_up`). A void slot that comes first is skipped.
//!
//! Of a ring that its receivers have closed, reserved slots are revoked, so that what stands behind them can be dropped.
//!
//! # Close
//!
//! Closing sets a bit of `tail` by one exchange, so it stands in one order with the claims: those before it get stamped and can be
//! received, those after it fail. A receiver says that the ring is closed only if `head` stands at `tail`, with the bit: nothing
//! that was claimed is left, be it stamped or not. Receivers that close then `clear`: that waits for slots that are being filled, and
//! revokes reserved ones, so whoever claimed before the close has its value dropped there or gets it back.
//!
//! Models (`models/`): `ring` runs this file under loom, sequentially consistent accesses weakened to acquire and release. It sees
//! values through what they point to, not the slots' own memory. That senders and receivers do not miss each other is for the
//! models `ring_..` of `blocking`.
//!
//! # Invariants
//!
//! - R1: a slot's value is initialised exactly while its stamp is FULL and, after a receiver moved `head` past it,
//!   until that receiver frees it.
//! - R2: a slot that `tail` was moved past and that is stamped neither FULL nor VOID belongs to the one ticket for it;
//!   one that `head` was moved past and that is not FREE, to who moved it. Nobody else touches its value, and nobody
//!   moves `head` past a slot that is not FULL but who owns it. A void slot is owned by who makes it FREE.
//! - R3: `head <= tail <= head + one lap`.
//! - R4: slots are revoked only after the ring was closed, so a revoked slot is never claimed again, and its ticket
//!   finds it changed for ever.
//! - R5: values behind a slot that has an owner are moved by that owner alone: receivers do not get past it, and who owns
//!   a slot further behind moves what is behind that.
//! - R6: a void slot has, behind it and void ones, a reserved slot; or the one who stamps it is about to look again; or the
//!   one who stamped that one is about to look before it. (Of their two stamps, each a sequentially consistent exchange
//!   with a look at the other after it, one comes second.)

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use crate::primitives::{AtomicUsize, Ordering, Spin};

const STATE: usize = 3;
const FREE: usize = 0;
const FULL: usize = 1;
const RESERVED: usize = 2;
const VOID: usize = 3;

/// One slot further.
const STEP: usize = 4;
/// In `tail`: no more claims.
const CLOSED: usize = 1;

struct Slot<T> {
    stamp: AtomicUsize,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// Keeps the two ends of the ring out of each other's cache line.
#[repr(align(64))]
struct Line(AtomicUsize);

pub(super) struct Ring<T> {
    head: Line,
    tail: Line,
    slots: NonNull<Slot<T>>,
    cap: usize,
    one_lap: usize,
}

/// The right, and the duty, to stamp one slot.
#[derive(Debug)]
#[must_use = "a claimed slot stops the channel until it is stamped"]
pub(super) struct Ticket(usize);

pub(super) enum Claim {
    At(Ticket),
    Full,
    Closed,
}

pub(super) enum Pop<T> {
    Value(T),
    Empty,
    Closed,
}

/// What stands first in a ring, and at which position.
enum Front {
    Value(usize),
    Reserved(usize),
    Empty,
    Closed,
}

impl<T> Ring<T> {
    /// A ring of `cap` slots, at least one. The memory is zeroed lazily by the system: a large ring costs what is used.
    ///
    /// # Panics
    ///
    /// If there can be no such ring, as `Vec::with_capacity` does.
    #[track_caller]
    pub(super) fn new(cap: usize) -> Ring<T> {
        let layout = Self::layout(cap);
        // SAFETY: a slot has a stamp, so the layout is not of size zero.
        let slots = layout.map(|layout| unsafe { alloc_zeroed(layout) });
        let Some(slots) = slots.and_then(|memory| NonNull::new(memory.cast::<Slot<T>>())) else {
            panic!(
                "capacity overflow: a channel of {cap} values of {} bytes each does not fit in memory",
                size_of::<T>()
            );
        };
        Ring {
            head: Line(AtomicUsize::new(0)),
            tail: Line(AtomicUsize::new(0)),
            slots,
            cap,
            one_lap: cap.next_power_of_two() * STEP,
        }
    }

    fn layout(cap: usize) -> Option<Layout> {
        Layout::array::<Slot<T>>(cap)
            .ok()
            .filter(|_| cap < usize::MAX / (4 * STEP))
    }

    /// Takes the next slot for a value.
    #[inline]
    pub(super) fn claim(&self) -> Claim {
        let mut spin = Spin::new();
        loop {
            // In the order of sequentially consistent operations: who gives a slot up moves `tail` back, and then looks
            // for senders that wait.
            let tail = self.tail.0.load(Ordering::SeqCst);
            if tail & CLOSED != 0 {
                return Claim::Closed;
            }
            let stamp = self.slot(tail).stamp.load(Ordering::Acquire);
            if stamp == self.lap(tail) | FREE {
                let next = self.next(tail);
                if self
                    .tail
                    .0
                    .compare_exchange_weak(tail, next, Ordering::SeqCst, Ordering::Relaxed)
                    .is_ok()
                {
                    return Claim::At(Ticket(tail));
                }
            } else if self.is_full(tail, &mut spin) {
                return Claim::Full;
            }
            // Lost a race, or a receiver is about to free the slot.
            spin.once();
        }
    }

    /// Sends at the first attempt: the value comes back if the slot at hand is not free, or another sender was faster.
    #[inline]
    pub(super) fn push_once(&self, value: T) -> Result<(), T> {
        let tail = self.tail.0.load(Ordering::SeqCst);
        let slot = self.slot(tail);
        if tail & CLOSED != 0 || slot.stamp.load(Ordering::Acquire) != self.lap(tail) | FREE {
            return Err(value);
        }
        let next = self.next(tail);
        let moved = self
            .tail
            .0
            .compare_exchange(tail, next, Ordering::SeqCst, Ordering::Relaxed);
        if moved.is_err() {
            return Err(value);
        }
        self.fill(Ticket(tail), value);
        Ok(())
    }

    /// Receives at the first attempt: nothing if no value stands first, or another receiver was faster.
    #[inline]
    pub(super) fn pop_once(&self) -> Option<T> {
        let head = self.head.0.load(Ordering::SeqCst);
        if self.slot(head).stamp.load(Ordering::Acquire) != self.lap(head) | FULL {
            return None;
        }
        self.take(head)
    }

    /// Puts the value into a claimed slot.
    #[inline]
    pub(super) fn fill(&self, at: Ticket, value: T) {
        let slot = self.slot(at.0);
        // SAFETY: R2, the ticket.
        unsafe { (*slot.value.get()).write(value) };
        slot.stamp.store(self.lap(at.0) | FULL, Ordering::Release);
    }

    /// Marks a claimed slot: its value comes later, receivers shall not wait for it.
    pub(super) fn reserve(&self, at: &Ticket) {
        self.slot(at.0)
            .stamp
            .store(self.lap(at.0) | RESERVED, Ordering::Release);
    }

    /// True if a slot can be claimed.
    pub(super) fn has_room(&self) -> bool {
        !self.is_full(self.tail() & !STATE, &mut Spin::new())
    }

    /// True if there is no slot to claim at `tail`, as soon as that can be told: the first slot may be void, or just being
    /// skipped.
    fn is_full(&self, tail: usize, spin: &mut Spin) -> bool {
        let is_full = || self.head().wrapping_add(self.one_lap) == tail;
        is_full() && {
            self.front(spin);
            is_full()
        }
    }

    /// As `fill`, for a reserved slot. Receivers may have gone to sleep on it, so its stamp takes part in the order of
    /// sequentially consistent operations. True if that made room for senders as well. The value comes back if the slot
    /// was revoked.
    pub(super) fn complete(&self, at: Ticket, value: T) -> Result<bool, T> {
        if !self.unreserve(&at) {
            return Err(value);
        }
        let slot = self.slot(at.0);
        // SAFETY: R2, the ticket: the slot is not reserved any more, so nobody revokes it.
        unsafe { (*slot.value.get()).write(value) };
        slot.stamp.swap(self.lap(at.0) | FULL, Ordering::SeqCst);
        Ok(self.close_up(at.0))
    }

    /// Gives a reserved slot up. Room or a value may be where there was none.
    pub(super) fn void(&self, at: Ticket) {
        if self.unreserve(&at) {
            let position = at.0;
            self.give_back(at);
            self.close_up(position);
        }
    }

    /// Gives up a slot that is claimed and not stamped. It is free again at once, unless there is a reserved one behind it.
    pub(super) fn give_back(&self, at: Ticket) {
        let mut hole = at.0;
        let mut spin = Spin::new();
        while !self.move_tail_back(hole) {
            let behind = self.next(hole);
            let lap = self.lap(behind);
            match self
                .slot(behind)
                .stamp
                .load(Ordering::SeqCst)
                .wrapping_sub(lap)
            {
                FULL => {
                    self.move_up(behind, hole);
                    hole = behind;
                }
                RESERVED | VOID => {
                    let stamp = &self.slot(hole).stamp;
                    stamp.swap(self.lap(hole) | VOID, Ordering::SeqCst);
                    let now = self
                        .slot(behind)
                        .stamp
                        .load(Ordering::SeqCst)
                        .wrapping_sub(lap);
                    if matches!(now, RESERVED | VOID) || !self.take_void(hole) {
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
    fn close_up(&self, stamped: usize) -> bool {
        let mut behind = stamped;
        loop {
            let hole = self.previous(behind);
            if !self.take_void(hole) {
                return behind != stamped;
            }
            self.give_back(Ticket(hole));
            behind = hole;
        }
    }

    /// Makes a void slot one that is claimed and not stamped, and the caller's (R2). False if it is not void.
    #[inline]
    fn take_void(&self, at: usize) -> bool {
        let is_void = self.slot(at).stamp.load(Ordering::SeqCst) == self.lap(at) | VOID;
        is_void && self.turn(at, VOID, FREE)
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

    /// Takes the oldest value.
    #[inline]
    pub(super) fn pop(&self) -> Pop<T> {
        let mut spin = Spin::new();
        loop {
            let head = match self.front(&mut spin) {
                Front::Value(head) => head,
                Front::Reserved(_) | Front::Empty => return Pop::Empty,
                Front::Closed => return Pop::Closed,
            };
            if let Some(value) = self.take(head) {
                return Pop::Value(value);
            }
            spin.once();
        }
    }

    /// Takes the value at `head`, which was seen there; nothing if another receiver was faster.
    #[inline]
    fn take(&self, head: usize) -> Option<T> {
        let next = self.next(head);
        self.head
            .0
            .compare_exchange(head, next, Ordering::SeqCst, Ordering::Relaxed)
            .ok()?;
        // SAFETY: R1, R2: it was full, and `head` was moved past it here.
        let value = unsafe { (*self.slot(head).value.get()).assume_init_read() };
        self.free(head);
        Some(value)
    }

    /// What stands first, as soon as that can be told: a slot that is being filled, freed or given up is waited for.
    #[inline]
    fn front(&self, spin: &mut Spin) -> Front {
        loop {
            let head = self.head.0.load(Ordering::SeqCst);
            let stamp = self.slot(head).stamp.load(Ordering::SeqCst);
            match stamp.wrapping_sub(self.lap(head)) {
                FULL => return Front::Value(head),
                RESERVED => return Front::Reserved(head),
                VOID => {
                    self.skip_void();
                }
                FREE => {
                    let tail = self.tail.0.load(Ordering::SeqCst);
                    if tail & !STATE == head {
                        return match tail & CLOSED {
                            0 => Front::Empty,
                            _ => Front::Closed,
                        };
                    }
                }
                // `head` was stale.
                _ => {}
            }
            spin.once();
        }
    }

    /// Drops all values, of a ring that its receivers have closed or that nobody uses any more. If one panics in its
    /// drop, the others are dropped all the same, as those of a `Vec` are.
    pub(super) fn clear(&self) {
        struct Rest<'a, T>(&'a Ring<T>);
        impl<T> Drop for Rest<'_, T> {
            fn drop(&mut self) {
                self.0.clear();
            }
        }
        let rest = Rest(self);
        loop {
            match self.pop() {
                Pop::Value(value) => drop(value),
                Pop::Empty if self.revoke() => {}
                Pop::Empty | Pop::Closed => break,
            }
        }
        std::mem::forget(rest);
    }

    /// Takes the first slot away from who has reserved it (R4), if it is a reserved one. False if the ring is empty.
    fn revoke(&self) -> bool {
        match self.front(&mut Spin::new()) {
            // If it is not reserved any more, it is being filled or given up: whoever looks next sees that.
            Front::Reserved(head) => _ = self.turn(head, RESERVED, VOID),
            Front::Value(_) => {}
            Front::Empty | Front::Closed => return false,
        }
        true
    }

    /// Moves `head` past a void slot, if one is there. False if there was none.
    fn skip_void(&self) -> bool {
        let head = self.head();
        let is_void = self.take_void(head);
        if is_void {
            // R2: it is ours, and `head` is still there.
            self.head.0.store(self.next(head), Ordering::SeqCst);
            self.free(head);
        }
        is_void
    }

    #[inline]
    fn free(&self, at: usize) {
        let next_lap = self.lap(at).wrapping_add(self.one_lap);
        self.slot(at)
            .stamp
            .store(next_lap | FREE, Ordering::Release);
    }

    /// The position of the next receive. A ring without a value stays so until it has moved, seen backwards: if it is the same
    /// before and after a `pop` that found nothing, there was nothing all the time up to that `pop`.
    pub(super) fn head(&self) -> usize {
        self.head.0.load(Ordering::SeqCst)
    }

    /// The position of the next send. As `head`, for a `claim` that found no room.
    pub(super) fn tail(&self) -> usize {
        self.tail.0.load(Ordering::SeqCst)
    }

    /// True if a value can be taken now, or is just being put.
    pub(super) fn has_value(&self) -> bool {
        let mut spin = Spin::new();
        while let Front::Value(head) = self.front(&mut spin) {
            if self.head.0.load(Ordering::SeqCst) == head {
                return true;
            }
        }
        false
    }

    /// No claims from now on. Those made before will be stamped.
    pub(super) fn close(&self) {
        self.tail.0.fetch_or(CLOSED, Ordering::SeqCst);
    }

    /// Slots in use, reserved ones included, and one that is just being skipped.
    pub(super) fn len(&self) -> usize {
        while self.skip_void() {}
        loop {
            let tail = self.tail.0.load(Ordering::SeqCst);
            let head = self.head.0.load(Ordering::SeqCst);
            if self.tail.0.load(Ordering::SeqCst) != tail {
                continue;
            }
            let (from, to) = (self.index(head), self.index(tail));
            return if tail & !STATE == head {
                0
            } else if from < to {
                to - from
            } else {
                self.cap - from + to
            };
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.cap
    }

    #[inline]
    fn lap(&self, position: usize) -> usize {
        position & !(self.one_lap - 1)
    }

    #[inline]
    fn index(&self, position: usize) -> usize {
        (position & (self.one_lap - 1)) / STEP
    }

    #[inline]
    fn slot(&self, position: usize) -> &Slot<T> {
        // SAFETY: `next` keeps the index of every position below `cap`, and all zeroes are a slot: FREE in lap 0.
        unsafe { self.slots.add(self.index(position)).as_ref() }
    }

    fn previous(&self, position: usize) -> usize {
        match self.index(position) {
            0 => self.lap(position).wrapping_sub(self.one_lap) + (self.cap - 1) * STEP,
            _ => position - STEP,
        }
    }

    #[inline]
    fn next(&self, position: usize) -> usize {
        if self.index(position) + 1 < self.cap {
            position + STEP
        } else {
            self.lap(position).wrapping_add(self.one_lap)
        }
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        /// Gives the memory back even if a value's drop panics.
        struct Memory(*mut u8, Layout);
        impl Drop for Memory {
            fn drop(&mut self) {
                // SAFETY: allocated in `new` with this layout; nobody uses the ring any more.
                unsafe { dealloc(self.0, self.1) };
            }
        }
        let layout = Self::layout(self.cap).expect("the ring was allocated with it");
        let _memory = Memory(self.slots.as_ptr().cast(), layout);
        self.clear();
    }
}
