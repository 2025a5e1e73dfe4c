//! `fork`: the child has one thread and none of the runtime's, so every use there panics with a message.

use crate::primitives::{AtomicBool, Ordering};

static FORKED: AtomicBool = AtomicBool::new(false);

extern "C" fn in_child() {
    FORKED.store(true, Ordering::Relaxed);
    // A goroutine that forked is none in the child: there it is stopped where plain threads are.
    super::worker::forget();
}

pub(super) fn install() {
    // SAFETY: the handler only stores to an atomic and a thread-local.
    let result = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    debug_assert_eq!(result, 0, "pthread_atfork fails only without memory");
}

/// A goroutine's body has ended. In a child of `fork` that is the goroutine which forked: nothing is left to run, and the workers'
/// loop must not go on with copies of what the parent runs. Nobody is told of the end before: those who would be may have held
/// the locks that this needs, at the moment of the fork.
#[inline]
pub(crate) fn check_end() {
    if FORKED.load(Ordering::Relaxed) {
        super::say::say(format_args!(
            "waterway: a goroutine that called fork() has ended in the child, which should have called exec or exit\n"
        ));
        std::process::abort();
    }
}

/// # Panics
///
/// In a child of `fork`.
#[inline]
pub(crate) fn check() {
    if FORKED.load(Ordering::Relaxed) {
        panic!(
            "waterway cannot be used in a child process after fork(): its threads exist only in the parent. Call exec, or \
             fork before the first use"
        );
    }
}
