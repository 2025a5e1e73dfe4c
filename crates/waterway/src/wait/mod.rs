//! The one way to block, as seen by the primitives: a waiter, what it waits for, and the queues it stands in.
//!
//! A blocking call goes through these steps:
//!
//! 1. `let waiter = Waiter::current()`: who am I (a goroutine or a plain thread)?
//! 2. Under the primitive's lock: check once more, then put a [`Node`] for the waiter in the primitive's [`WaitQueue`].
//! 3. `waiter.park(key, deadline)`, or `limit.park(waiter, key)`: sleep until somebody claims the waiter.
//! 4. A waker, under the primitive's lock, takes the node out of the queue and *claims* the waiter
//!    ([`WaitQueue::pop_claim`]). Exactly one claim succeeds for each waiter, whatever the number of queues, timers and
//!    wakers that compete. The claim is a duty: after the lock is released, [`Claimed::wake`] must be called.
//! 5. `park` returns `Wake::Ready(token)` (the claimed node's token; the claimer has taken that node out of its queue),
//!    `Wake::TimedOut`, `Wake::Cancelled` (what its caller works for has ended, see [`Limit`]) or `Wake::Reaped`. The waiter takes
//!    its other nodes out of their queues before it goes on; reaped, it then unwinds.
//!
//! Between the claim and `wake` the waiter cannot run on, so the claimer may still use its node and slot.

mod call;
mod limit;
mod line;
mod queue;
mod task;

pub(crate) use crate::rt::checkpoint::{checkpoint, handover, is_calm, lock_checkpoint};
pub(crate) use crate::rt::hold::{Hold, ReleaseOnPark};
pub(crate) use crate::rt::park::{Claimed, Waiter, Wake, Won};
pub(crate) use crate::rt::reap::unwind;
pub(crate) use crate::rt::record::{Arms, Permits, WaitKey, WaitReason};
pub(crate) use call::{Wait, Waited};
pub(crate) use limit::{Ending, Limit};
pub(crate) use line::line_at;
pub(crate) use queue::{Leaving, Node, Turn, WaitQueue};
pub(crate) use task::{Stand, Task, TaskWait, WaitsAt};
