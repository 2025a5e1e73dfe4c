//! What the runtime says about itself: what every goroutine does, as data and in words, and the verdict when all are asleep.

mod calls;
mod deadlock;
mod dump;
mod evidence;
mod findings;
mod foreign;
mod frames;
mod growth;
#[macro_use]
pub(crate) mod leaks;
mod owners;
mod prove;
mod prover;
mod scan;
#[cfg(feature = "serve")]
mod serve;
mod sigquit;
mod snapshot;
mod standstill;
mod suspicions;
#[cfg(feature = "tracing")]
mod told;
mod waited_on;

use std::time::Duration;

use crate::rt::Hooks;
use crate::rt::sched::Runtime;

/// How the runtime reaches this layer.
pub(crate) const HOOKS: Hooks = Hooks {
    on_start: sigquit::install,
    on_look: look,
    on_quiescent: deadlock::judge,
};

#[doc(inline)]
pub use __assert_no_leaks as assert_no_leaks;
pub use dump::{Dump, dump};
pub use findings::{on_verdict, verdicts};
#[cfg(feature = "serve")]
pub use serve::{Serve, ServeError, Server, serve};
pub use snapshot::snapshot;
pub use suspicions::suspects;
/// The types of a [`snapshot()`].
pub use waterway_snapshot as data;
pub use waterway_snapshot::Snapshot;
pub use waterway_snapshot::{Suspect, SuspectKind, Verdict, VerdictKind};

fn look(rt: &'static Runtime) -> Option<Duration> {
    sigquit::look(rt);
    growth::look(rt);
    prove::look(rt)
}

/// How long the program's own exit handlers may take.
const EXIT_HANDLERS: Duration = Duration::from_secs(1);

/// Ends the process with status 2, as Go does. The program's exit handlers run on a thread of their own: they may wait for
/// what never comes, or for the main thread, which may be running them already.
fn end_process() -> ! {
    #[cfg(feature = "tracing")]
    crate::rt::events::flush(crate::rt::events::LAST_WORDS);
    let handlers = std::thread::Builder::new().spawn(|| std::process::exit(2));
    if handlers.is_ok() {
        std::thread::sleep(EXIT_HANDLERS);
    }
    // SAFETY: a plain call; it does not return.
    unsafe { libc::_exit(2) }
}
