//! What the two ends of a channel share: counts, the closed flags, the waiters' queues behind the lock, and the buffer.
//!
//! # Invariants
//!
//! - C1: a core lives as long as `refs` is not 0; every handle, and every promise that outlives its call, counts.
//! - C2: the backlog of an unbounded channel is touched only under the lock.
//! - C3: `core + 0` is the word of a sender, `core + 64` that of a receiver; no other word points to a core from a user's
//!   memory.

use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::mem::offset_of;
use std::panic::Location;
use std::ptr::NonNull;

use super::backlog::Backlog;
use super::door::{Door, SOLO};
use super::policy::{OnShed, Policy};
use super::ring::Ring;
use super::wakes::WakeList;
use crate::primitives::{AtomicU64, AtomicUsize, Lock, OnceLock, Ordering};
use crate::rt::arena::HANDLES;
use crate::rt::header::{CoreHeader, CoreKind, MOST_BYTES};
use crate::rt::own_lock::OwnGuard;
use crate::rt::stacks::AT_HAND;
use crate::rt::{objects, ties};
use crate::wait::{Leaving, WaitQueue};

/// In `flags`: somebody stands in the senders' queue. Kept up to date for rings only.
pub(super) const SEND_WAITING: usize = 1;
/// In `flags`: somebody stands in the receivers' queue. Kept up to date for rings only.
pub(super) const RECV_WAITING: usize = 2;
/// In `flags`: closed by its senders; what is buffered can still be received.
pub(super) const SEND_CLOSED: usize = 4;
/// In `flags`: closed by its receivers; what is buffered is dropped.
pub(super) const RECV_CLOSED: usize = 8;
/// In `flags`: a full channel makes no sender wait, its policy says what happens (`shed.rs`).
pub(super) const OVERFLOWS: usize = 16;
/// In `flags`: values carry when they came (CoDel), so both ends go through the lock.
pub(super) const TIMED: usize = 32;

/// In `flags`, from the start or never: receivers, and selects with a reserved place, take the lock whatever the policy is, so that
/// who has it may take the newest value (adaptive LIFO).
pub(super) const LIFO: usize = 64;

/// Who waits. Guarded by the channel's lock.
#[derive(Default)]
pub(crate) struct Queues {
    pub(super) senders: WaitQueue,
    pub(super) receivers: WaitQueue,
}

pub(super) enum Flavor<T> {
    /// No buffer: values go from hand to hand.
    Rendezvous,
    /// Nobody ever sends: Go's nil channel.
    Never,
    Ring(Ring<T>),
    Unbounded(UnsafeCell<Backlog<T>>),
}

#[repr(C)]
pub(crate) struct Core<T> {
    header: CoreHeader,
    pub(super) door: Door<Queues>,
    /// How many values went from hand to hand, or out of the backlog. Changed under the lock, on whose line it lies; at one place in every
    /// core (`HANDED_AT`).
    pub(super) handed: AtomicU64,
    /// For those who look without the lock: who waits (`SEND_WAITING`, `RECV_WAITING`), whatever the flavour, and above these
    /// bits a count of changes.
    waits: AtomicUsize,
    refs: AtomicUsize,
    pub(super) flavor: Flavor<T>,
    /// How many values of the backlog were dropped by the receivers' close. Changed under the lock.
    pub(super) cleared: AtomicU64,
    on_last_receiver: Lock<Option<Box<dyn FnOnce() + Send>>>,
    policy: OnceLock<Box<Policy<T>>>,
    name: Option<Box<str>>,
}

/// How far into a core its count of values from hand to hand is, whatever their type: for who looks as a debugger does.
pub(crate) const HANDED_AT: usize = offset_of!(Core<()>, handed);

/// How many handles there may be, as `Arc` has it.
const MAX_REFS: usize = isize::MAX as usize;

impl<T> Core<T> {
    /// A core in the handle arena, with one reference. The ends are counted by their handles.
    pub(super) fn new(
        flavor: Flavor<T>,
        flags: usize,
        name: Option<Box<str>>,
        site: &'static Location<'static>,
    ) -> NonNull<Core<T>> {
        const { assert!(size_of::<Core<T>>() <= MOST_BYTES / 2) };
        let core = HANDLES.alloc(Layout::new::<Core<T>>()).cast::<Core<T>>();
        let at = core.as_ptr();
        // SAFETY: a fresh block of this layout. Its header may be looked at, and is written apart.
        unsafe {
            (&raw mut (*at).refs).write(AtomicUsize::new(1));
            (&raw mut (*at).door).write(Door::new(flags, Queues::default()));
            (&raw mut (*at).waits).write(AtomicUsize::new(0));
            (&raw mut (*at).handed).write(AtomicU64::new(0));
            (&raw mut (*at).cleared).write(AtomicU64::new(0));
            (&raw mut (*at).flavor).write(flavor);
            (&raw mut (*at).on_last_receiver).write(Lock::new(None));
            (&raw mut (*at).policy).write(OnceLock::new());
            (&raw mut (*at).name).write(name);
            CoreHeader::write(core.cast(), CoreKind::Chan, site);
            ties::forget(core.cast());
            let whole = core.as_ref();
            whole.header.set_capacity(whole.capacity(), whole.gauge());
            if let Some(name) = whole.name() {
                objects::name(whole.header.id(), name);
            }
        }
        core
    }

    /// One more reference.
    pub(super) fn retain(&self) {
        if self.refs.fetch_add(1, Ordering::Relaxed) > MAX_REFS {
            std::process::abort();
        }
    }

    /// One reference less. The last one frees the core.
    ///
    /// # Safety
    ///
    /// The caller owns a reference, and uses the core no more.
    pub(super) unsafe fn release(core: NonNull<Core<T>>) {
        // SAFETY: C1.
        if unsafe { core.as_ref() }
            .refs
            .fetch_sub(1, Ordering::Release)
            != 1
        {
            return;
        }
        crate::primitives::fence(Ordering::Acquire);
        // SAFETY: C1: that was the last reference, and it is still whole.
        let whole = unsafe { core.as_ref() };
        if whole.name.is_some() {
            objects::forget_name(whole.header.id());
        }
        whole.header.retire();
        /// Gives the block back even if a value's drop panics.
        struct Block(NonNull<u8>, Layout);
        impl Drop for Block {
            fn drop(&mut self) {
                // SAFETY: allocated in `new` with this layout; that was the last reference.
                unsafe { HANDLES.free(self.0, self.1) };
            }
        }
        let _block = Block(core.cast(), Layout::new::<Core<T>>());
        // SAFETY: C1: nobody else can reach it.
        unsafe { core.drop_in_place() };
    }

    /// One more went from hand to hand. Under the lock.
    #[inline]
    pub(super) fn count_handed(&self) {
        let handed = self.handed.load(Ordering::Relaxed);
        self.handed.store(handed + 1, Ordering::Relaxed);
    }

    pub(super) fn header(&self) -> &CoreHeader {
        &self.header
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What the channel keeps that sheds, if it ever did.
    pub(super) fn policy(&self) -> Option<&Policy<T>> {
        self.policy.get().map(Box::as_ref)
    }

    /// The same; made now, if there is none.
    pub(super) fn policy_or(&self, on_shed: Option<OnShed<T>>) -> &Policy<T> {
        let id = self.header.id();
        self.policy
            .get_or_init(|| Box::new(Policy::new(id, on_shed)))
    }

    /// The object of wait keys.
    pub(super) fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    pub(super) fn lock(&self) -> OwnGuard<'_, Queues> {
        self.door.lock()
    }

    /// The backlog of an unbounded channel.
    pub(super) fn backlog<'a>(
        &'a self,
        cell: &'a UnsafeCell<Backlog<T>>,
        _locked: &'a mut Queues,
    ) -> &'a mut Backlog<T> {
        // SAFETY: C2: `_locked` is this channel's, borrowed as long.
        unsafe { &mut *cell.get() }
    }

    #[inline]
    pub(super) fn flags(&self) -> usize {
        self.door.flags()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.flags() & (SEND_CLOSED | RECV_CLOSED) != 0
    }

    /// Says that somebody is about to wait: from here on, whoever moves the ring looks behind. Under the lock.
    #[inline]
    pub(super) fn announce(&self, who: usize) {
        if self.ring().is_some() {
            self.door.change(who, 0);
        }
    }

    /// Shows those who look without the lock whether somebody waits on that side. Under the lock, after a change of its queue.
    #[inline]
    pub(super) fn show(&self, side: usize, waits: bool) {
        let shown = self.waits.load(Ordering::Relaxed);
        if (shown & side != 0) != waits {
            let count = SEND_WAITING + RECV_WAITING + 1;
            self.waits
                .store(shown.wrapping_add(count) ^ side, Ordering::Release);
        }
    }

    /// The last of that side has left its queue. Under the lock.
    #[inline]
    pub(super) fn show_nobody(&self, side: usize) {
        let shown = self.waits.load(Ordering::Relaxed);
        debug_assert!(shown & side != 0, "who waits is shown");
        let count = SEND_WAITING + RECV_WAITING + 1;
        self.waits
            .store(shown.wrapping_add(count - side), Ordering::Release);
    }

    /// A mark if nobody of that side waits, and the channel is open, unbuffered, and makes senders wait: nobody did for as long as the mark stays the
    /// same. Looks without the lock; `None` says nothing.
    #[inline]
    pub(super) fn nobody_waits(&self, side: usize) -> Option<usize> {
        let shown = self.waits.load(Ordering::Acquire);
        let idle = matches!(self.flavor, Flavor::Rendezvous | Flavor::Never)
            && shown & side == 0
            && self.flags() & (SEND_CLOSED | RECV_CLOSED | OVERFLOWS) == 0;
        idle.then_some(shown)
    }

    /// Takes back what nobody in the queues needs, and shows who waits. Under the lock, before it is released.
    #[inline]
    pub(super) fn refresh(&self, queues: &Queues) {
        self.show(SEND_WAITING, !queues.senders.is_empty());
        self.show(RECV_WAITING, !queues.receivers.is_empty());
        let flags = self.door.flags_locked();
        let mut idle = 0;
        if queues.senders.is_empty() {
            idle |= SEND_WAITING;
        }
        if queues.receivers.is_empty() {
            idle |= RECV_WAITING;
        }
        if flags & idle != 0 {
            self.door.change(0, idle);
        }
    }

    /// Closes the channel from one side: everybody who waits tries again and sees it. True if that side was open.
    pub(super) fn close(&self, side: usize) -> bool {
        let mut wakes = WakeList::new();
        let mut queues = self.lock();
        let before = self.door.change(side, SOLO);
        if before & side != 0 {
            return false;
        }
        if let Flavor::Ring(ring) = &self.flavor {
            ring.close();
        }
        let leaving = Leaving::new();
        // SAFETY: it stays here until the loop below is over, and nothing unwinds before; under the lock.
        unsafe {
            leaving.enter(&mut queues.senders);
            leaving.enter(&mut queues.receivers);
        }
        self.refresh(&queues);
        while leaving.claim_some(AT_HAND, |claimed| wakes.push(claimed)) {
            drop(queues);
            wakes.wake();
            queues = self.lock();
        }
        true
    }

    /// Drops what is buffered, after the receivers have closed the channel: nobody will receive it.
    pub(super) fn discard(&self) {
        match &self.flavor {
            Flavor::Rendezvous | Flavor::Never => {}
            Flavor::Ring(ring) => ring.clear(),
            Flavor::Unbounded(backlog) => {
                let mut queues = self.lock();
                let values = self.backlog(backlog, &mut queues).take();
                self.cleared
                    .fetch_add(values.len() as u64, Ordering::Relaxed);
                drop(queues);
                drop(values);
            }
        }
        if let Some(policy) = self.policy() {
            policy.give_late();
        }
    }

    /// Closes from the receiving side and drops what is buffered.
    pub(super) fn close_receiving(&self) {
        if self.close(RECV_CLOSED) {
            self.discard();
        }
    }

    /// What is called, once, when the last receiver has gone. For channels that a timer feeds.
    pub(super) fn set_on_last_receiver(&self, call: Box<dyn FnOnce() + Send>) {
        *self.on_last_receiver.lock() = Some(call);
    }

    /// The last receiver went.
    pub(super) fn last_receiver(&self) {
        self.close_receiving();
        let call = self.on_last_receiver.lock().take();
        if let Some(call) = call {
            call();
        }
    }

    /// The buffer that is used without the lock, if there is one.
    #[inline]
    pub(super) fn ring(&self) -> Option<&Ring<T>> {
        match &self.flavor {
            Flavor::Ring(ring) => Some(ring),
            _ => None,
        }
    }

    /// Where dumps read how many values are in it.
    fn gauge(&self) -> Option<usize> {
        match &self.flavor {
            Flavor::Rendezvous | Flavor::Never => None,
            Flavor::Ring(ring) => Some(ring.gauge()),
            Flavor::Unbounded(backlog) => Some(backlog.get() as usize + Backlog::<T>::LEN_AT),
        }
    }

    pub(super) fn len(&self) -> usize {
        match &self.flavor {
            Flavor::Rendezvous | Flavor::Never => 0,
            Flavor::Ring(ring) => self.door.look(ring, Ring::len),
            Flavor::Unbounded(backlog) => self.backlog(backlog, &mut self.lock()).len,
        }
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        match &self.flavor {
            Flavor::Rendezvous | Flavor::Never => Some(0),
            Flavor::Ring(ring) => Some(ring.capacity()),
            Flavor::Unbounded(_) => None,
        }
    }
}
