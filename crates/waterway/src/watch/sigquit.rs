//! `Ctrl-\` prints every goroutine. The handler only rings sysmon's bell, so it works with every worker held.

use crate::primitives::{AtomicBool, Ordering};
use crate::rt::config::SigquitPolicy;
use crate::rt::say::say;
use crate::rt::sched::{Runtime, started};

static ASKED: AtomicBool = AtomicBool::new(false);
static OURS: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(_signal: libc::c_int) {
    ASKED.store(true, Ordering::SeqCst);
    if let Some(rt) = started() {
        rt.ring_sysmon();
    }
}

/// Installs the handler, where the program has none of its own.
pub(super) fn install(rt: &'static Runtime) {
    if rt.config.sigquit == SigquitPolicy::Off {
        return;
    }
    // SAFETY: plain calls with valid pointers; the handler stores to an atomic and writes to an eventfd, both
    // async-signal-safe.
    unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGQUIT, std::ptr::null(), &mut old) != 0
            || old.sa_sigaction != libc::SIG_DFL
        {
            return;
        }
        let mut new: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = on_signal as *const () as libc::sighandler_t;
        new.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGQUIT, &new, std::ptr::null_mut());
        OURS.store(true, Ordering::Relaxed);
    }
}

/// True if the handler is this one, as far as is known.
pub(super) fn is_ours() -> bool {
    OURS.load(Ordering::Relaxed)
}

/// Prints, if the signal has come.
pub(super) fn look(rt: &'static Runtime) {
    if !ASKED.load(Ordering::Relaxed) || !ASKED.swap(false, Ordering::SeqCst) {
        return;
    }
    say(format_args!("SIGQUIT: quit\n{}\n", super::dump::text(rt)));
    if rt.config.sigquit == SigquitPolicy::Exit {
        super::end_process();
    }
}
