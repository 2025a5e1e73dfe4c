//! What a blocking call passes before it blocks: a place where others may go first; and who it is that calls.

use super::foreign;
use super::task::Task;
use super::thread::ThreadParker;
use super::worker::{self, Worker};

/// A place where a blocking call may give way to other goroutines, though it could succeed at once: the end of a time
/// slice. Every blocking call passes one first.
#[inline]
pub(crate) fn checkpoint() {
    if let Some(worker) = worker::this() {
        worker.count_call();
        if worker.slice_is_over() {
            worker.give_way();
        }
    }
}

/// As [`checkpoint`], of a lock that is mostly free: who takes it hands nothing over. Gives [`whoami`].
#[inline]
pub(crate) fn lock_checkpoint() -> usize {
    let Some(worker) = worker::this() else {
        return whoami_thread();
    };
    if worker.slice_is_over() {
        worker.give_way();
    }
    // Still the same worker: whoever was started stays on its thread.
    worker.current().map_or_else(whoami_thread, number)
}

/// As [`checkpoint`], before a call by which goroutines hand over: how long that takes is not a matter of what the caller does, but of
/// where the others live. `Some` while the caller is timed: then the call is made by [`time_without`](Worker::time_without).
#[inline(always)]
pub(crate) fn handover() -> Option<&'static Worker> {
    let worker = worker::this()?;
    if worker.slice_is_over() {
        worker.give_way();
    }
    worker.is_timed().then_some(worker)
}

/// True if [`handover`] would do nothing, and give nothing. Mostly; where no worker is it says no.
#[inline(always)]
pub(crate) fn is_calm() -> bool {
    worker::this().is_some_and(|worker| !worker.slice_is_over() && !worker.is_timed())
}

/// Lets other goroutines of this worker, or other threads, run first.
pub(crate) fn yield_now() {
    match worker::this() {
        Some(worker) if worker::current().is_some() && !foreign::running() => worker.yield_now(),
        _ => std::thread::yield_now(),
    }
}

/// Marks the number of a thread.
pub(crate) const THREAD: usize = 1 << 60;

/// A number for who calls, never 0, and no two live callers' are alike: a goroutine's own, or a thread's id, marked.
#[inline(always)]
pub(crate) fn whoami() -> usize {
    worker::current().map_or_else(whoami_thread, number)
}

fn number(task: &Task) -> usize {
    task.identity().id as usize
}

#[cold]
fn whoami_thread() -> usize {
    THREAD | ThreadParker::current().tid() as usize
}
