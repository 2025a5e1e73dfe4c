//! Being told that an operation may succeed, without doing it: what `Select::ready` waits with. The watcher stands in the
//! queue as an async task does, and is told as one.

use std::task::Waker;

use super::core::{Core, RECV_WAITING, SEND_WAITING};
use super::slot::SendSlot;
use super::wakes::WakeList;
use crate::wait::Task;

/// A place in a queue, left when it is dropped.
pub(crate) trait Watch {
    /// True once it was told.
    fn is_told(&self) -> bool;
}

pub(super) struct RecvWatch<'a, T> {
    core: &'a Core<T>,
    task: Task<()>,
}

impl<'a, T> RecvWatch<'a, T> {
    /// `None` if there is something to receive now.
    pub(super) fn new(core: &'a Core<T>, waker: Waker) -> Option<Self> {
        // A slot of nothing tells it from a task that will receive.
        let task = Task::new(waker, (), |slot| std::ptr::from_ref(slot).cast_mut());
        let mut wakes = WakeList::new();
        let mut queues = core.lock();
        core.announce(RECV_WAITING);
        let ready = core.can_get(&mut queues);
        if !ready {
            // SAFETY: `drop` takes the node out before the box goes.
            unsafe { queues.receivers.push_back(task.node()) };
            core.settle(&mut queues, &mut wakes);
        }
        core.refresh(&queues);
        drop(queues);
        (!ready).then(|| RecvWatch { core, task })
    }
}

impl<T> Watch for RecvWatch<'_, T> {
    fn is_told(&self) -> bool {
        self.task.waiter().claimed().is_some()
    }
}

impl<T> Drop for RecvWatch<'_, T> {
    fn drop(&mut self) {
        let mut wakes = WakeList::new();
        let mut queues = self.core.lock();
        if !queues.receivers.remove(self.task.node()) {
            self.core.settle(&mut queues, &mut wakes);
        }
        self.core.refresh(&queues);
    }
}

pub(super) struct SendWatch<'a, T> {
    core: &'a Core<T>,
    task: Task<SendSlot<T>>,
}

impl<'a, T> SendWatch<'a, T> {
    /// `None` if a value can be sent now.
    pub(super) fn new(core: &'a Core<T>, waker: Waker) -> Option<Self> {
        let task = Task::new(waker, SendSlot::lazy(), SendSlot::erased);
        let mut queues = core.lock();
        core.announce(SEND_WAITING);
        let ready = core.can_put(&queues);
        if !ready {
            // SAFETY: `drop` takes the node out before the box goes.
            unsafe { queues.senders.push_back(task.node()) };
        }
        core.refresh(&queues);
        drop(queues);
        (!ready).then(|| SendWatch { core, task })
    }
}

impl<T> Watch for SendWatch<'_, T> {
    fn is_told(&self) -> bool {
        self.task.waiter().claimed().is_some()
    }
}

impl<T> Drop for SendWatch<'_, T> {
    fn drop(&mut self) {
        let mut queues = self.core.lock();
        let waited = queues.senders.remove(self.task.node());
        let grant = self.task.slot().granted();
        self.core.refresh(&queues);
        drop(queues);
        match grant {
            Some(grant) => self.core.decline(grant),
            None if !waited => self.core.settle_now(),
            None => {}
        }
    }
}
