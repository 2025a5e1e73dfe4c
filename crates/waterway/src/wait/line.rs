//! The line at a lock, found by the address of its core.

use super::queue::WaitQueue;
use crate::primitives::Lock;
use crate::rt::core_box::CoreBox;

/// The cores of mutexes, readers-writer locks and onces begin with their line.
type LineCore = Lock<WaitQueue>;

/// The numbers of those who stand in the line at a lock, in their order and not claimed; 0 for a task.
///
/// # Safety
///
/// `core` is the address of the core of a mutex, a readers-writer lock or a once that lives until the call returns: one who waits
/// there is kept from going on.
pub(crate) unsafe fn line_at(core: usize) -> Vec<usize> {
    // SAFETY: by the caller; `CoreBox` has the layout of C, and so have these cores, so that the line lies at one place in all of them.
    let core = unsafe { &*(core as *const CoreBox<LineCore>) };
    let line = core.value.lock();
    let mut whos = Vec::new();
    line.for_each(|node| {
        let waiter = node.waiter();
        match waiter.is_task() {
            true => whos.push(0),
            false if waiter.claimed().is_none() => whos.push(waiter.who()),
            false => {}
        }
    });
    whos
}
