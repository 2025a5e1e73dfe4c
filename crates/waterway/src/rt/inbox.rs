//! Wakes from elsewhere: a lock-free stack that any thread pushes to and one worker empties.
//!
//! # Protocol
//!
//! A waker links its goroutine before the head it has seen, and exchanges the head for it; if the head has moved it links anew. The
//! owner takes the whole list by one swap, and turns it round. A goroutine is never pushed while it is in the list (I1), and the
//! head is only ever compared to be replaced by what links to it, so a head that came back (ABA) is linked to rightly.
//!
//! The exchange releases the link and what the waker did before; the swap acquires all of the list, since each exchange goes on
//! with the release sequence of those before it. `push` and `is_empty` also take part in the order that `idle` rests on.
//!
//! Models (`models/`): `inbox_two_wakers`, `inbox_oldest_first`, `inbox_again`; `idle_worker_is_woken..` for sleep.
//!
//! # Invariants
//!
//! - I1: a task in the list was pushed by the owner of its one wake, so it is suspended or about to be, lives, and is
//!   in no other queue (`task` I3).
//! - I2: a link is written by who pushes, before the exchange that publishes it, or by who has taken the whole list.

use std::ptr::NonNull;

use super::arena::fetch_to_write;
use super::run_queue::RunQueue;
use super::stacks::fetch_alike;
use super::task::Task;
use crate::primitives::{AtomicPtr, Ordering};

/// Goroutines that other threads woke, for the worker they live on.
#[derive(Default)]
pub(super) struct Inbox(AtomicPtr<Task>);

impl Inbox {
    /// Adds a woken goroutine. Sequentially consistent, for the sleep protocol in `idle`.
    ///
    /// # Safety
    ///
    /// The caller owns the goroutine's one wake: it is suspended or about to be, and in no queue.
    pub(super) unsafe fn push(&self, task: NonNull<Task>) {
        // Beside the line of the descriptor: the exchange waits for what was stored before it.
        fetch_to_write(std::ptr::from_ref(self) as usize, 1);
        // Mostly nobody else came. To look first would bring the line only to be read.
        let mut head = std::ptr::null_mut();
        loop {
            // SAFETY: I1; I2: it is not in the list yet.
            unsafe { task.as_ref() }.link.set(NonNull::new(head));
            match self.0.compare_exchange_weak(
                head,
                task.as_ptr(),
                Ordering::SeqCst,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::SeqCst).is_null()
    }

    /// Takes all, to the end of a queue, the oldest first.
    pub(super) fn take_all(&self, to: &mut RunQueue) {
        let mut rest = NonNull::new(self.0.swap(std::ptr::null_mut(), Ordering::Acquire));
        let newest_first = std::iter::from_fn(|| {
            let task = rest?;
            fetch_alike(task.as_ptr() as usize);
            // SAFETY: I1; I2: the list is ours since the swap.
            rest = unsafe { task.as_ref() }.link.get();
            Some(task)
        });
        // SAFETY: I1.
        unsafe { to.append_turned(newest_first) };
    }
}
