//! Handles of goroutines.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};
use std::thread::Result;

use super::packet::Handle;
use crate::wait::{Limit, Node, Waiter};

/// What a pending `poll` left in the goroutine's queue of waiters. Pointers, not boxes: the queue points to both as well, and
/// a box that moves with the handle claims to be the only way to what is in it.
///
/// # Invariants
///
/// - I1: both are made by `Box`, and freed by `drop`, before which the node has left its queue (`forget_pending`).
struct Pending {
    node: NonNull<Node>,
    /// The node points to it.
    waiter: NonNull<Waiter>,
}

impl Pending {
    fn new(waker: Waker) -> Pending {
        let waiter = NonNull::from(Box::leak(Box::new(Waiter::task(waker))));
        // SAFETY: just made.
        let node = Node::new(unsafe { waiter.as_ref() }, 1, std::ptr::null_mut());
        Pending {
            node: NonNull::from(Box::leak(Box::new(node))),
            waiter,
        }
    }

    fn node(&self) -> &Node {
        // SAFETY: I1.
        unsafe { self.node.as_ref() }
    }

    fn waiter(&self) -> &Waiter {
        // SAFETY: I1.
        unsafe { self.waiter.as_ref() }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // SAFETY: I1: nobody else reaches them any more.
        let both = unsafe {
            (
                Box::from_raw(self.node.as_ptr()),
                Box::from_raw(self.waiter.as_ptr()),
            )
        };
        drop(both);
    }
}

// SAFETY: both are used under the queue's lock only; the waker in them is Send.
unsafe impl Send for Pending {}
// SAFETY: as above.
unsafe impl Sync for Pending {}

/// Waits for one goroutine, from a goroutine, a thread or (as a future) an async task.
///
/// Dropping it detaches the goroutine, which goes on.
pub struct JoinHandle<T> {
    handle: Handle<T>,
    pending: Option<Pending>,
}

impl<T> JoinHandle<T> {
    pub(super) fn new(handle: Handle<T>) -> JoinHandle<T> {
        JoinHandle {
            handle,
            pending: None,
        }
    }

    /// Waits until the goroutine has finished and gives its result.
    ///
    /// # Errors
    ///
    /// The payload, if the goroutine panicked.
    ///
    /// # Blocking
    ///
    /// Parks the calling goroutine or thread.
    ///
    /// ```
    /// let answer = waterway::go(|| 6 * 7);
    /// assert_eq!(answer.join().unwrap(), 42);
    /// ```
    ///
    /// Go: none; a `sync.WaitGroup` and a variable.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.handle.join(Location::caller())
    }

    /// As `join`; `None` if the limit came first.
    pub(crate) fn join_within(
        &mut self,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> Option<Result<T>> {
        let finished = self.handle.wait_within(limit, site);
        finished.then(|| self.handle.take())
    }

    /// True once the goroutine has finished. Never blocks.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// The goroutine's number, unique in the process.
    pub fn id(&self) -> u64 {
        self.handle.id()
    }

    pub(super) fn worker(&self) -> usize {
        self.handle.worker()
    }

    fn forget_pending(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.handle.remove(pending.node());
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        self.forget_pending();
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T>;

    /// Ready once the goroutine has finished. Dropping the handle instead detaches the goroutine.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let this = &mut *self;
        let waker = cx.waker().clone();
        let pending = this
            .pending
            .get_or_insert_with(|| Pending::new(cx.waker().clone()));
        let old = this.handle.if_running(|waiters| {
            waiters.remove(pending.node());
            let old = pending.waiter().set_waker(waker);
            // SAFETY: I1.
            unsafe { waiters.push_back(pending.node()) };
            old
        });
        match old {
            Some(old_waker) => {
                drop(old_waker);
                Poll::Pending
            }
            None => {
                this.forget_pending();
                Poll::Ready(this.handle.take())
            }
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// The handle of a goroutine that [`go_local`](crate::go_local) started. It stays on its thread, as the goroutine does.
pub struct LocalJoinHandle<T> {
    handle: Handle<T>,
    here: PhantomData<*mut ()>,
}

impl<T> LocalJoinHandle<T> {
    pub(super) fn new(handle: Handle<T>) -> LocalJoinHandle<T> {
        LocalJoinHandle {
            handle,
            here: PhantomData,
        }
    }

    /// As [`JoinHandle::join`].
    ///
    /// # Errors
    ///
    /// The payload, if the goroutine panicked.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.handle.join(Location::caller())
    }

    /// True once the goroutine has finished. Never blocks.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// The goroutine's number, unique in the process.
    pub fn id(&self) -> u64 {
        self.handle.id()
    }
}

impl<T> fmt::Debug for LocalJoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalJoinHandle")
            .field("id", &self.id())
            .field("finished", &self.is_finished())
            .finish()
    }
}
