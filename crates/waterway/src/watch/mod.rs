//! What the runtime says about itself: every goroutine, and the verdict when all are asleep.

mod deadlock;
mod dump;
mod foreign;
mod sigquit;

use std::time::Duration;

use crate::rt::Hooks;

/// How the runtime reaches this layer.
pub(crate) const HOOKS: Hooks = Hooks {
    on_start: sigquit::install,
    on_look: sigquit::look,
    on_quiescent: deadlock::judge,
};

pub use dump::dump;

/// How long the program's own exit handlers may take.
const EXIT_HANDLERS: Duration = Duration::from_secs(1);

/// Ends the process with status 2, as Go does. The program's exit handlers run on a thread of their own: they may wait for
/// what never comes, or for the main thread, which may be running them already.
fn end_process() -> ! {
    let handlers = std::thread::Builder::new().spawn(|| std::process::exit(2));
    if handlers.is_ok() {
        std::thread::sleep(EXIT_HANDLERS);
    }
    // SAFETY: a plain call; it does not return.
    unsafe { libc::_exit(2) }
}
