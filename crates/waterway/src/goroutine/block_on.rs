//! Running a future from a goroutine or a thread, by a waker that is an ordinary waiter.
//!
//! # Protocol
//!
//! ```text
//!   block_on                                  waker, from anywhere, at any time, any number of times
//!   1. polls: pending                         1. locks; somebody waits? claims them
//!   2. locks; rung? unsets it, polls again       nobody? sets rung
//!   3. else stands in the queue, and parks    2. unlocks, wakes who was claimed
//! ```
//!
//! A wake that comes before step 2 is found there, one that comes later finds who waits; none is lost, and any number before
//! the next poll count as one. A waker that outlives the call sets a flag that nobody reads.

use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::primitives::Lock;
use crate::wait::{Claimed, Wait, WaitKey, WaitQueue, WaitReason, Waited, checkpoint};

#[derive(Default)]
struct State {
    rung: bool,
    queue: WaitQueue,
}

impl Waited for State {
    fn queue(&mut self) -> &mut WaitQueue {
        &mut self.queue
    }
}

/// What a waker rings, and `block_on` waits for.
#[derive(Default)]
struct Bell(Lock<State>);

impl Bell {
    /// Parks until the bell has been rung since the last time.
    fn wait(&self, site: &'static Location<'static>) {
        let mut state = self.0.lock();
        if std::mem::take(&mut state.rung) {
            return;
        }
        let key = WaitKey {
            reason: WaitReason::BlockOn,
            object: 0,
            site,
        };
        Wait::new(key, &()).park(&self.0, state, |_| Vec::new());
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let claimed = {
            let mut state = self.0.lock();
            let waiting = state.queue.pop_claim();
            state.rung |= waiting.is_none();
            waiting
        };
        if let Some((_, claimed)) = claimed {
            Claimed::wake(claimed);
        }
    }
}

/// Runs a future to its end and gives its result. Works on a goroutine, whose worker runs others meanwhile, and on a plain
/// thread.
///
/// The future may be of any runtime. What it needs of that runtime must be there while it is polled: a future of tokio needs
/// its context, see [for tokio users](crate::guide::for_tokio_users). Inside an async task await instead: there this blocks the
/// task's thread.
///
/// # Blocking
///
/// Parks the caller while the future is pending.
///
/// # Panics
///
/// As the future does.
///
/// ```
/// use waterway::{block_on, chan, go};
/// let (tx, rx) = chan(0);
/// let sum = go(move || block_on(async move { rx.recv_async().await.unwrap() + rx.recv_async().await.unwrap() }));
/// block_on(async {
///     tx.send_async(3).await.unwrap();
///     tx.send_async(4).await.unwrap();
/// });
/// assert_eq!(sum.join().unwrap(), 7);
/// ```
///
/// Go: none; Go has no futures.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let site = Location::caller();
    let mut future = pin!(future);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let mut cx = Context::from_waker(&waker);
    loop {
        checkpoint();
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        bell.wait(site);
    }
}
