//! The debug check of every park: no frame below may be a thread-local initialiser or a scoped thread-local (SOUNDNESS.md).

use super::seldom;
use super::task::Task;

/// Aborts, naming the frame, if the goroutine parks where it must not.
pub(super) fn check(task: &Task) {
    if seldom::asked(seldom::CHECK_TLS) {
        walk(task);
    }
}

#[cold]
#[inline(never)]
fn walk(task: &Task) {
    if let Some(bad) = waterway_stack::check_frames(task.stack_range()) {
        super::say::say(format_args!(
            "waterway: goroutine {}, spawned at {}, parks inside {bad}. Other goroutines of this thread would see the \
             thread-local half made or wrongly set: this is unsound (SOUNDNESS.md). Park outside of it, or start the \
             goroutine with Builder::dedicated().\n",
            task.identity().id,
            task.identity().site,
        ));
        std::process::abort();
    }
}
