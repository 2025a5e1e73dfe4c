//! One blocking call on one queue, from the moment the caller stands in it.

use super::limit::Limit;
use super::queue::{Node, WaitQueue};
use crate::primitives::{Lock, LockGuard};
use crate::rt::edges::Edge;
use crate::rt::park::{Claimed, Waiter, Wake};
use crate::rt::reap::unwind;
use crate::rt::record::WaitKey;
use crate::rt::stuck;

/// What a lock guards that callers wait on.
pub(crate) trait Waited {
    /// Who waits.
    fn queue(&mut self) -> &mut WaitQueue;
}

impl Waited for WaitQueue {
    fn queue(&mut self) -> &mut WaitQueue {
        self
    }
}

/// What a caller waits for in a queue.
pub(crate) struct Wait<'a> {
    pub(crate) key: WaitKey,
    /// The caller's own, for who serves it.
    pub(crate) slot: *mut (),
    pub(crate) limit: Limit<'a>,
    /// The caller had its turn, and lost what it was woken for to another: it goes to the front.
    pub(crate) again: bool,
    /// Who is to be woken when the caller stands in the queue.
    woken: Option<Claimed>,
    _slot: std::marker::PhantomData<&'a ()>,
}

impl<'a> Wait<'a> {
    /// Waits with `slot` for what `key` says.
    pub(crate) fn new<S>(key: WaitKey, slot: &'a S) -> Wait<'a> {
        Wait {
            key,
            slot: std::ptr::from_ref(slot).cast_mut().cast(),
            limit: Limit::NONE,
            again: false,
            woken: None,
            _slot: std::marker::PhantomData,
        }
    }

    pub(crate) fn within(mut self, limit: Limit<'a>) -> Self {
        self.limit = limit;
        self
    }

    /// The same, once the caller has woken somebody: outside of the queue's lock, and before it parks.
    pub(crate) fn waking(mut self, woken: Option<Claimed>) -> Self {
        self.woken = woken;
        self
    }

    /// Parks the caller in the queue of `state`, which `lock` guards. True if it was served. False if its limit came
    /// first: then it stands there no more, and `left` says who may go on because of that.
    pub(crate) fn park<S: Waited>(
        self,
        lock: &Lock<S>,
        mut state: LockGuard<'_, S>,
        left: impl FnOnce(&mut S) -> Vec<Claimed>,
    ) -> bool {
        let waiter = Waiter::current();
        let _edge = self.key.reason.has_owner().then(Edge::begin);
        if self.limit.is_none() {
            waiter.set_sole();
        }
        let node = Node::new(&waiter, 1, self.slot);
        // SAFETY: the node stays until it was popped, or removed below.
        unsafe {
            match self.again {
                true => state.queue().push_front(&node),
                false => state.queue().push_back(&node),
            }
        }
        drop(state);
        if let Some(claimed) = self.woken {
            claimed.wake();
        }
        let woken = self.limit.park(&waiter, &self.key);
        if let Wake::Ready(_) = woken {
            stuck::check(&waiter);
            return true;
        }
        let mut state = lock.lock();
        let others = match state.queue().remove(&node) {
            true => left(&mut state),
            // Who popped it saw to the others.
            false => Vec::new(),
        };
        drop(state);
        others.into_iter().for_each(Claimed::wake);
        if woken == Wake::Reaped {
            unwind(&self.key);
        }
        false
    }
}
