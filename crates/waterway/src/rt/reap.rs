//! Reaping: a wait that nothing will end is ended from outside, and the call that waits unwinds.
//!
//! Whoever may be reaped stands here, as in any queue, for as long as it is parked: claims are made under this lock
//! (`park` I1) and it leaves before its call returns (I3). So a reaped waiter runs again exactly once, whoever else may
//! claim it at that moment. With [`DeadlockPolicy::PanicMain`](super::config::DeadlockPolicy::PanicMain) that is main.

use std::cell::Cell;
use std::panic::{Location, PanicHookInfo};
use std::ptr::NonNull;

use super::park::{Claimed, Waiter};
use super::record::WaitKey;
use super::seldom;
use crate::primitives::{AtomicBool, Lock, Ordering};

/// `main` runs in a goroutine, for which the main thread waits.
static MAIN_IS_A_GOROUTINE: AtomicBool = AtomicBool::new(false);

struct Standing(NonNull<Waiter>);

// SAFETY: the waiter is used under the lock of `STANDING`, and leaves there before it goes.
unsafe impl Send for Standing {}

static STANDING: Lock<Vec<Standing>> = Lock::new(Vec::new());

/// From now on main can be reaped.
pub(super) fn enable() {
    seldom::ask_for(seldom::MAIN_STANDS);
}

/// Main is a goroutine, from now on.
pub(crate) fn main_is_a_goroutine() {
    MAIN_IS_A_GOROUTINE.store(true, Ordering::Relaxed);
}

/// True if the calling thread, when it waits, is main.
pub(super) fn is_main_thread(tid: u32) -> bool {
    !MAIN_IS_A_GOROUTINE.load(Ordering::Relaxed) && tid == std::process::id()
}

/// True if `waiter`, about to wait, may be claimed by a reaper besides whoever it waits for.
#[inline]
pub(super) fn concerns(waiter: &Waiter) -> bool {
    seldom::asked(seldom::MAIN_STANDS) && waiter.is_main()
}

/// A waiter's place among those that may be reaped.
pub(super) struct Place<'a>(&'a Waiter);

impl Place<'_> {
    /// A place for a waiter that is about to park without a deadline, if its call may be unwound: scopes and `blocking`
    /// have lent what lies on their stack, and a panic on top of a panic would end the process.
    pub(super) fn of<'a>(waiter: &'a Waiter, key: &WaitKey, timed: bool) -> Option<Place<'a>> {
        if !concerns(waiter) || timed || !key.reason.unwinds() || std::thread::panicking() {
            return None;
        }
        STANDING.lock().push(Standing(NonNull::from(waiter)));
        Some(Place(waiter))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let this = NonNull::from(self.0);
        STANDING.lock().retain(|other| other.0 != this);
    }
}

/// Ends the wait of main. False if it does not wait, or where it must not be unwound.
pub(crate) fn main() -> bool {
    let claimed = STANDING.lock().iter().find_map(|standing| {
        // SAFETY: in the list, so alive, and the lock is held.
        unsafe { standing.0.as_ref() }.reap()
    });
    claimed.map(Claimed::wake).is_some()
}

thread_local! {
    /// Where the call waited that unwinds on this thread.
    static ENDED_AT: Cell<Option<&'static Location<'static>>> = const { Cell::new(None) };
}

/// The line of the program whose wait ends by this panic, if it is one of [`unwind`]'s: where a reader looks for the mistake. Told once,
/// to the panic hook.
pub(super) fn ended_at(info: &PanicHookInfo<'_>) -> Option<&'static Location<'static>> {
    let here = info.location().is_some_and(|at| at.file() == file!());
    here.then(|| ENDED_AT.replace(None)).flatten()
}

/// What a blocking call does that was reaped, after it has left every queue.
#[cold]
pub(crate) fn unwind(key: &WaitKey) -> ! {
    ENDED_AT.set(Some(key.site));
    panic!(
        "all goroutines are asleep - deadlock! Nothing will ever end the wait of main ({}) at {}",
        key.reason.text(),
        key.site
    );
}
