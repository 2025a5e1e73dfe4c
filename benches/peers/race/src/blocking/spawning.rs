//! Starting, finishing and switching.

use super::{Rival, all};
use crate::{Clock, Run};

/// Batches of 1,000.
pub fn spawn_join<R: Rival>(run: Run) {
    run.timed(|n| (0..n / 1000).for_each(|_| all::<R>(1000, |_| ())));
}

/// All at once, in a young process and once more.
pub fn spawn_burst<R: Rival>(run: Run) {
    for metric in ["first time", "second time"] {
        let clock = Clock::start();
        all::<R>(run.n, |_| ());
        clock.stop().per_op(metric, run.n);
    }
    crate::peak();
}

/// Alone: a switch to nobody.
pub fn yield1<R: Rival>(run: Run) {
    run.timed(|n| (0..n).for_each(|_| R::yield_now()));
}

/// A thousand of them, in turn.
pub fn yield1000<R: Rival>(run: Run) {
    run.timed(|n| all::<R>(1000, move |_| (0..n / 1000).for_each(|_| R::yield_now())));
}
