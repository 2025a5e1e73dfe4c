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
//! What becomes of reserved slots, and of slots that are given up, stands in `holes.rs`. A void slot that comes first is
//! skipped.
//!
//! Of a ring that its receivers have closed, reserved slots are revoked, so that what stands behind them can be dropped.
//!
//! Who has a ring to itself for a while may move it by plain stores: `alone.rs`. What a ring tells of itself: `looks.rs`.
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
//!   until that receiver frees it; or until it is moved (R5 of `holes.rs`).
//! - R2: a slot that `tail` was moved past and that is stamped neither FULL nor VOID belongs to the one ticket for it;
//!   one that `head` was moved past and that is not FREE, to who moved it. Nobody else touches its value, and nobody
//!   moves `head` past a slot that is not FULL but who owns it. A void slot is owned by who makes it FREE.
//! - R3: `head <= tail <= head + one lap`.
//! - R4: slots are revoked only after the ring was closed, so a revoked slot is never claimed again, and its ticket
//!   finds it changed for ever.

mod alone;
mod holes;
mod looks;

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use crate::primitives::{AtomicU64, AtomicUsize, Ordering, Spin};

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

#[repr(C)]
pub(super) struct Ring<T> {
    /// Dumps read this, and `tail` a line further, through `gauge`.
    head: Line,
    tail: Line,
    slots: NonNull<Slot<T>>,
    cap: usize,
    /// The bits of a position in its lap.
    in_lap: usize,
    /// The last position of a lap, if the next lap's first one is further than one step from it; else none.
    short_at: usize,
    /// How many places were passed over.
    skipped: AtomicU64,
    /// How many values were dropped by `clear`.
    cleared: AtomicU64,
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

/// All about a position that the short ways need, read once: after each access to an atom the compiler would read it anew.
struct Place<'a, T> {
    slot: &'a Slot<T>,
    lap: usize,
    next: usize,
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
                "capacity overflow: a channel of {cap} values of {} bytes each (and 8 for each place) does not fit in memory",
                size_of::<T>()
            );
        };
        Ring {
            head: Line(AtomicUsize::new(0)),
            tail: Line(AtomicUsize::new(0)),
            slots,
            cap,
            in_lap: cap.next_power_of_two() * STEP - 1,
            short_at: match cap.is_power_of_two() {
                true => usize::MAX,
                false => (cap - 1) * STEP,
            },
            skipped: AtomicU64::new(0),
            cleared: AtomicU64::new(0),
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
        let here = self.place(tail);
        if tail & CLOSED != 0 || here.slot.stamp.load(Ordering::Acquire) != here.lap | FREE {
            return Err(value);
        }
        let moved =
            (self.tail.0).compare_exchange(tail, here.next, Ordering::SeqCst, Ordering::Relaxed);
        if moved.is_err() {
            return Err(value);
        }
        // SAFETY: R2: `tail` was moved past it here.
        unsafe { (*here.slot.value.get()).write(value) };
        here.slot.stamp.store(here.lap | FULL, Ordering::Release);
        Ok(())
    }

    /// Receives at the first attempt: nothing if no value stands first, or another receiver was faster.
    #[inline]
    pub(super) fn pop_once(&self) -> Option<T> {
        let head = self.head.0.load(Ordering::SeqCst);
        let here = self.place(head);
        if here.slot.stamp.load(Ordering::Acquire) != here.lap | FULL {
            return None;
        }
        self.take(head, here)
    }

    /// Puts the value into a claimed slot.
    #[inline]
    pub(super) fn fill(&self, at: Ticket, value: T) {
        let slot = self.slot(at.0);
        // SAFETY: R2, the ticket.
        unsafe { (*slot.value.get()).write(value) };
        slot.stamp.store(self.lap(at.0) | FULL, Ordering::Release);
    }

    /// True if there is no slot to claim at `tail`, as soon as that can be told: the first slot may be void, or just being
    /// skipped.
    fn is_full(&self, tail: usize, spin: &mut Spin) -> bool {
        let is_full = || self.head().wrapping_add(self.one_lap()) == tail;
        is_full() && {
            self.front(spin);
            is_full()
        }
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
            if let Some(value) = self.take(head, self.place(head)) {
                return Pop::Value(value);
            }
            spin.once();
        }
    }

    /// As `pop`, with the place that the value stood in. Nothing if there is no value, or a reserved place stands first.
    pub(super) fn pop_place(&self) -> Option<(T, usize)> {
        let mut spin = Spin::new();
        while let Front::Value(head) = self.front(&mut spin) {
            if let Some(value) = self.take(head, self.place(head)) {
                return Some((value, self.index(head)));
            }
            spin.once();
        }
        None
    }

    /// Takes the value at `head`, which was seen there; nothing if another receiver was faster.
    #[inline]
    fn take(&self, head: usize, here: Place<'_, T>) -> Option<T> {
        (self.head.0)
            .compare_exchange(head, here.next, Ordering::SeqCst, Ordering::Relaxed)
            .ok()?;
        // SAFETY: R1, R2: it was full, and `head` was moved past it here.
        let value = unsafe { (*here.slot.value.get()).assume_init_read() };
        let next_lap = here.lap.wrapping_add(self.one_lap());
        here.slot.stamp.store(next_lap | FREE, Ordering::Release);
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
                Pop::Value(value) => {
                    self.cleared.fetch_add(1, Ordering::Release);
                    drop(value);
                }
                Pop::Empty if self.revoke() => {}
                Pop::Empty | Pop::Closed => break,
            }
        }
        std::mem::forget(rest);
    }

    #[inline]
    fn free(&self, at: usize) {
        let next_lap = self.lap(at).wrapping_add(self.one_lap());
        self.slot(at)
            .stamp
            .store(next_lap | FREE, Ordering::Release);
    }

    /// No claims from now on. Those made before will be stamped.
    pub(super) fn close(&self) {
        self.tail.0.fetch_or(CLOSED, Ordering::SeqCst);
    }

    #[inline]
    fn one_lap(&self) -> usize {
        self.in_lap + 1
    }

    #[inline]
    fn lap(&self, position: usize) -> usize {
        position & !self.in_lap
    }

    #[inline]
    fn index(&self, position: usize) -> usize {
        (position & self.in_lap) / STEP
    }

    #[inline]
    fn slot(&self, position: usize) -> &Slot<T> {
        // SAFETY: `next` keeps the index of every position below `cap`, and all zeroes are a slot: FREE in lap 0.
        unsafe { self.slots.add(self.index(position)).as_ref() }
    }

    #[inline]
    fn place(&self, position: usize) -> Place<'_, T> {
        Place {
            slot: self.slot(position),
            lap: self.lap(position),
            next: self.next(position),
        }
    }

    #[inline]
    fn next(&self, position: usize) -> usize {
        if self.index(position) + 1 < self.cap {
            position + STEP
        } else {
            self.lap(position).wrapping_add(self.one_lap())
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
