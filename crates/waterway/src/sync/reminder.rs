//! Reminds a mutex of whom it woke, or was handed to, and who has not come since: it may live on a worker that another goroutine
//! holds, and the line would stand still until that one is done.
//!
//! It is set by who serves the line, unless it is: so a lock that many want sets it once in `PATIENCE`, and pays next to nothing for it.
//!
//! Models (`models/`): `mutex_goes_on_without_who_is_held` in `blocking`.
//!
//! # Invariants
//!
//! - M1: the core that a reminder names is there: it is named no more from `forget` on, which waits for who uses it.

use std::ptr::NonNull;
use std::sync::Arc;

use super::raw_mutex::{Core, remind};
use crate::primitives::{AtomicBool, AtomicU32, Lock, Ordering};
use crate::rt::clock::clock;
use crate::rt::core_box::CoreBox;
use crate::rt::park::{Claimed, TimerEvent, TimerPayload};
use crate::rt::sched::runtime;
use crate::rt::timer::TimerSlot;
use crate::rt::worker::Worker;

/// Who was served has so long to come, in nanoseconds.
const PATIENCE: u64 = 5_000_000;

pub(super) struct Reminder {
    slot: TimerSlot,
    /// The worker in whose heap it stands.
    home: &'static Worker,
    core: Lock<Option<NonNull<CoreBox<Core>>>>,
    /// It stands in the heap, or is about to. Changed under the lock of the line, as the next.
    set: AtomicBool,
    /// How many had been served at the last look.
    seen: AtomicU32,
}

// SAFETY: the core is shared by all who wait at the mutex, and used as M1 says.
unsafe impl Send for Reminder {}
// SAFETY: as above.
unsafe impl Sync for Reminder {}

impl Reminder {
    pub(super) fn new(core: &CoreBox<Core>) -> Arc<Reminder> {
        Arc::new(Reminder {
            slot: TimerSlot::new(),
            home: runtime().timer_worker(),
            core: Lock::new(Some(NonNull::from(core))),
            set: AtomicBool::new(false),
            seen: AtomicU32::new(0),
        })
    }

    /// One more was served: `served` in all.
    #[inline]
    pub(super) fn expect(self: &Arc<Self>, served: u32) {
        if !self.set.load(Ordering::Relaxed) {
            self.set(served);
        }
    }

    #[cold]
    fn set(self: &Arc<Self>, served: u32) {
        self.set.store(true, Ordering::Relaxed);
        self.seen.store(served, Ordering::Relaxed);
        self.wait();
    }

    fn wait(self: &Arc<Self>) {
        let payload = TimerPayload::Event(self.clone());
        self.home.add_timer(clock() + PATIENCE, payload);
    }

    /// Nobody is to come any more.
    pub(super) fn rest(&self) {
        self.set.store(false, Ordering::Relaxed);
    }

    /// True if there were as many at the last look.
    pub(super) fn has_seen(&self, served: u32) -> bool {
        let before = self.seen.load(Ordering::Relaxed);
        self.seen.store(served, Ordering::Relaxed);
        before == served
    }

    /// The mutex goes.
    pub(super) fn forget(&self) {
        self.core.lock().take();
        drop(self.home.remove_timer(&self.slot));
    }
}

impl TimerEvent for Reminder {
    fn slot(&self) -> &TimerSlot {
        &self.slot
    }

    fn fire(self: Arc<Self>, _now: u64) {
        let core = self.core.lock();
        let Some(at) = *core else { return };
        // SAFETY: M1: named under the lock.
        let (woken, again) = remind(unsafe { at.as_ref() }, &self);
        if again {
            self.wait();
        }
        drop(core);
        woken.into_iter().for_each(Claimed::wake);
    }
}
