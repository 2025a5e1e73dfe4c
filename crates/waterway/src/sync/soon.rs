//! A look at a lock that is taken, before a wait that costs more than most critical sections.

use crate::primitives::for_a_moment;
use crate::rt::sched::runtime;

/// True if `taken` is so within a moment. With one worker there is no look: whoever holds the lock could not run meanwhile.
pub(super) fn soon(taken: impl FnMut() -> bool) -> bool {
    runtime().usual() > 1 && for_a_moment(taken)
}
