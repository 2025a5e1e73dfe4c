//! Whether a test leaves goroutines behind.

use std::panic::Location;
use std::time::{Duration, Instant};

use super::snapshot::take;
use crate::goroutine::own_group;
use crate::rt::sched::started;
use crate::wait::{Limit, WaitKey, WaitReason, Waiter};

/// How long goroutines that are about to end are waited for, unless a test says otherwise.
pub const GRACE: Duration = Duration::from_secs(1);

/// Between two looks.
const PACE: Duration = Duration::from_millis(1);

/// Fails the test if goroutines of it still live: those that it has started, and those that they have. Those that are about to end are
/// waited for, for a second or as long as is said; once all have gone it returns at once.
///
/// The message names each that is left: what it does, where it blocks, on what, and where it was spawned.
///
/// ```
/// use waterway::{chan, go, watch::assert_no_leaks};
///
/// # #[waterway::main]
/// # fn main() {}
/// #[waterway::test]
/// fn nobody_is_left() {
///     let (tx, rx) = chan::<u8>(0);
///     go(move || rx.recv());
///     drop(tx); // else the goroutine would wait for ever
///     assert_no_leaks!();
///     assert_no_leaks!(std::time::Duration::from_millis(10)); // the same, with less patience
/// }
/// ```
///
/// # Panics
///
/// If a goroutine is left, and if the caller is not a goroutine of a `#[waterway::test]`.
///
/// # Blocking
///
/// Parks the caller until the others have ended, or the time is over.
///
/// Go: none; `goleak.VerifyNone`, which looks at the whole process.
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_no_leaks {
    () => {
        $crate::__private::assert_no_leaks($crate::__private::LEAK_GRACE)
    };
    ($grace:expr $(,)?) => {
        $crate::__private::assert_no_leaks($grace)
    };
}

/// See the macro.
#[track_caller]
pub fn assert_no_leaks(grace: Duration) {
    let Some((own, group)) = own_group() else {
        panic!(
            "assert_no_leaks!() judges the goroutines of a #[waterway::test]: call it in one, not on a thread or in a goroutine of \
             #[waterway::main]"
        );
    };
    let end = Instant::now().checked_add(grace);
    let key = WaitKey {
        reason: WaitReason::Sleep,
        object: 0,
        site: Location::caller(),
    };
    loop {
        if group.live() <= 1 {
            return;
        }
        let now = Instant::now();
        if end.is_some_and(|end| now >= end) {
            // Whom the count tells of may have ended since.
            if let Some(left) = left(group.id(), own) {
                panic!("{left}");
            }
        }
        Limit::at(now.checked_add(PACE)).park(&Waiter::current(), &key);
    }
}

/// Those of a group that live, but for one of them, in words.
fn left(group: u64, own: u64) -> Option<String> {
    let mut all = take(started(), false);
    all.goroutines
        .retain(|g| g.group == Some(group) && g.id != own);
    all.threads.clear();
    all.workers.clear();
    all.blocking = Default::default();
    let those = match all.goroutines.len() {
        0 => return None,
        1 => "1 goroutine of this test is".into(),
        n => format!("{n} goroutines of this test are"),
    };
    Some(format!("{those} left:\n{all}"))
}
