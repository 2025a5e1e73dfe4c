//! The handle's side of a packet: it waits for the end, and takes the result. The invariants are the packet's.

use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr::NonNull;
use std::thread::Result;

use super::{DONE, Packet, TAKEN, WAITED, release, result};
use crate::primitives::{Lock, Ordering};
use crate::rt::cell::Unstarted;
use crate::rt::worker;
use crate::wait::{
    Claimed, Limit, Stand, Wait, WaitKey, WaitQueue, WaitReason, WaitsAt, checkpoint,
};

/// A handle's reference to a packet.
pub(in crate::goroutine) struct Handle<T>(pub(super) NonNull<Packet<T>>);

// SAFETY: I2: the result is handed from the goroutine's thread to the handle's once; the rest is atomic or locked.
unsafe impl<T: Send> Send for Handle<T> {}
// SAFETY: through a shared handle only atomics and the lock are reached.
unsafe impl<T: Send> Sync for Handle<T> {}

impl<T> Handle<T> {
    /// Who it is, for events.
    #[cfg(feature = "tracing")]
    pub(in crate::goroutine) fn who(&self) -> crate::goroutine::told::Who<'_> {
        self.shared().who()
    }

    fn shared(&self) -> &Packet<T> {
        // SAFETY: I1: the handle's reference.
        unsafe { self.0.as_ref() }
    }

    pub(in crate::goroutine) fn id(&self) -> u64 {
        self.shared().header.id()
    }

    pub(in crate::goroutine) fn is_finished(&self) -> bool {
        self.shared().state.load(Ordering::Acquire) & DONE != 0
    }

    /// Index of the worker that has the goroutine.
    pub(in crate::goroutine) fn worker(&self) -> usize {
        self.shared().header.worker.load(Ordering::Relaxed)
    }

    /// The result, once the goroutine has finished: parks until then.
    ///
    /// # Panics
    ///
    /// If it has been taken before.
    pub(in crate::goroutine) fn join(&self, site: &'static Location<'static>) -> Result<T> {
        self.wait_within(Limit::NONE, site);
        self.take()
    }

    /// Parks until the goroutine has finished; false if the limit came first.
    pub(in crate::goroutine) fn wait_within(
        &self,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> bool {
        checkpoint();
        let shared = self.shared();
        if self.is_finished() {
            return true;
        }
        let waiters = shared.waiters.lock();
        if shared.state.fetch_or(WAITED, Ordering::AcqRel) & DONE != 0 {
            return true;
        }
        let key = WaitKey {
            reason: WaitReason::Join,
            object: self.id() as usize,
            site,
        };
        let wait = Wait::new(key, &()).within(limit);
        wait.park(&shared.waiters, waiters, |_| Vec::new())
    }

    /// The result of a goroutine that has finished.
    ///
    /// # Panics
    ///
    /// If it has been taken before.
    pub(in crate::goroutine) fn take(&self) -> Result<T> {
        let shared = self.shared();
        let before = shared.state.fetch_or(TAKEN, Ordering::AcqRel);
        assert!(
            before & (DONE | TAKEN) == DONE,
            "a join handle gives its result once"
        );
        // SAFETY: I2: the result is there, and `TAKEN` was not set before.
        unsafe { result(self.0).read() }
    }

    /// Drops the handle: true if that dropped a panic that nobody saw.
    pub(in crate::goroutine) fn detach(self) -> bool {
        let this = ManuallyDrop::new(self);
        // SAFETY: I1: the handle's own reference, given up here.
        unsafe { this.give_up() }
    }

    /// Gives the handle's reference up; true if that dropped a panic that nobody saw. Most handles are dropped as soon as the goroutine
    /// was spawned: one that nobody can start meanwhile need not be counted down atomically.
    ///
    /// # Safety
    ///
    /// The handle is not used again.
    #[inline]
    unsafe fn give_up(&self) -> bool {
        let shared = self.shared();
        let unstarted = |cell: &Unstarted| {
            let is = cell.is(&shared.header);
            if is {
                // The goroutine's own. Who starts it sees this, as it takes it out of the queue.
                shared.refs.store(1, Ordering::Relaxed);
            }
            is
        };
        if worker::this().is_some_and(|worker| worker.with_newest(unstarted)) {
            return false;
        }
        // SAFETY: by the caller.
        unsafe { release(self.0) }
    }
}

/// A task waits for the goroutine's end. What it is told of goes to all, so nobody need be told when it leaves.
impl<T> WaitsAt for Handle<T> {
    type State = WaitQueue;
    type Slot = ();

    fn lock(&self) -> &Lock<WaitQueue> {
        &self.shared().waiters
    }

    fn slot(&self) {}

    fn take(&self, _: &mut WaitQueue, _: &Stand<'_>, _: &mut Vec<Claimed>) -> bool {
        self.shared().state.fetch_or(WAITED, Ordering::AcqRel) & DONE != 0
    }

    fn left(&self, _: &mut WaitQueue, _: bool) -> Vec<Claimed> {
        Vec::new()
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        // SAFETY: I1: the handle's own reference, given up here.
        unsafe { self.give_up() };
    }
}
