//! What goroutines of a group share, and one of them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::context::CancelGuard;
use crate::primitives::{AtomicUsize, Lock, Ordering};
use crate::sync::{Permit, Semaphore, WaitGroup};

pub(super) struct Shared<E> {
    pub(super) members: WaitGroup,
    pub(super) active: AtomicUsize,
    pub(super) limit: Lock<Option<Semaphore>>,
    pub(super) guard: Option<CancelGuard>,
    pub(super) outcome: Lock<Outcome<E>>,
}

/// What went wrong first, of each kind.
pub(super) struct Outcome<E> {
    pub(super) error: Option<E>,
    pub(super) panic: Option<Box<dyn Any + Send>>,
}

impl<E> Shared<E> {
    pub(super) fn cancel(&self) {
        if let Some(guard) = &self.guard {
            guard.cancel();
        }
    }
}

/// A goroutine of a group, which counts as long as this is there.
pub(super) struct Member<E> {
    shared: Arc<Shared<E>>,
    permit: Option<Permit>,
}

impl<E> Member<E> {
    pub(super) fn new(shared: &Arc<Shared<E>>, permit: Option<Permit>) -> Member<E> {
        shared.active.fetch_add(1, Ordering::SeqCst);
        shared.members.add(1);
        Member {
            shared: shared.clone(),
            permit,
        }
    }

    pub(super) fn run(self, f: impl FnOnce() -> Result<(), E>) {
        let ended = catch_unwind(AssertUnwindSafe(f));
        let mut outcome = self.shared.outcome.lock();
        // What comes later than another is dropped when the lock is free: it is the user's.
        let _late = match ended {
            Ok(Ok(())) => return,
            Ok(Err(error)) if outcome.error.is_none() => {
                outcome.error = Some(error);
                None
            }
            Err(payload) if outcome.panic.is_none() => {
                outcome.panic = Some(payload);
                None
            }
            late => Some(late),
        };
        drop(outcome);
        self.shared.cancel();
    }
}

impl<E> Drop for Member<E> {
    fn drop(&mut self) {
        // The place is free before the count says so.
        self.permit.take();
        self.shared.active.fetch_sub(1, Ordering::SeqCst);
        self.shared.members.done();
    }
}
