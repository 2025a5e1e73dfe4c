//! Programs in which everybody waits for contexts.

use std::time::Duration;

use waterway::sync::Mutex;
use waterway::{Builder, Context, ContextError, chan, go, scope};

use super::never_done;

const A_WHILE: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_secs(3600);

/// Every wait has one deadline to end it; main waits for them all.
pub(super) fn deadlines() {
    let (ctx, guard) = Context::background().with_timeout(A_WHILE);
    std::mem::forget(guard);
    let lock = Mutex::new(());
    let held = lock.lock();
    let (tx, rx) = chan::<u8>(0);
    let ctx = &ctx;
    scope(|s| {
        s.go(|| assert!(ctx.lock(&lock).is_err()));
        s.go(|| assert!(ctx.recv(&rx).is_err()));
        s.go(|| assert!(ctx.wait(&never_done()).is_err()));
        s.go(|| assert!(ctx.done().recv().is_err()));
        s.go(|| assert!(ctx.join(&mut go(waits_for_ever)).is_err()));
    });
    assert_eq!(ctx.err(), Some(ContextError::DeadlineExceeded));
    drop((held, tx));
}

/// Waits for what never comes; `main` ends first.
fn waits_for_ever() {
    never_done().wait();
}

/// The deadline is above the context that is waited for, which nobody can cancel.
pub(super) fn deadline_above() {
    let (above, guard) = Context::background().with_timeout(A_WHILE);
    let (ctx, below) = above.with_cancel();
    std::mem::forget((guard, below));
    drop(above);
    assert_eq!(ctx.sleep(LATE), Err(ContextError::DeadlineExceeded));
    assert!(ctx.wait(&never_done()).is_err());
}

/// A function that is still to be called may wake somebody.
pub(super) fn after_func() {
    let group = never_done();
    let other = group.clone();
    waterway::time::after_func(A_WHILE, move || other.done());
    group.wait();
}

/// Nobody has the guard, and nobody sends.
pub(super) fn forgotten() {
    let (ctx, guard) = Context::background().with_cancel();
    std::mem::forget(guard);
    let (_tx, rx) = chan::<u8>(0);
    let limited = Builder::new().name("limited");
    let _ = limited.go(move || ctx.recv(&rx)).join();
}

/// As a channel.
pub(super) fn forgotten_done() {
    let (ctx, guard) = Context::background().with_cancel();
    std::mem::forget(guard);
    let _ = ctx.done().recv();
}

/// The timer of a context that was cancelled is no reason to wait for the verdict.
pub(super) fn cancelled() {
    let (ctx, guard) = Context::background().with_timeout(LATE);
    assert!(ctx.after_func(|| unreachable!()).stop());
    guard.cancel();
    assert!(ctx.sleep(LATE).is_err());
    never_done().wait();
}
