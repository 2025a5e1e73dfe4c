//! The kernel's fence for all threads of the process at once (Linux, `membarrier`).

use rustix::thread::{MembarrierCommand, membarrier};

use super::say::say;

/// A call takes 0.5 to 1.5 us, as much as a few hundred exchanges.
pub(super) const WORTH: u32 = 256;

/// Asks the kernel for it; false if it knows no such call. Takes some 14 ms if the process has threads.
pub(super) fn register() -> bool {
    membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok()
}

/// Every thread of the process passes a full fence before this returns, the caller too. For who has registered.
pub(super) fn call() {
    if let Err(error) = membarrier(MembarrierCommand::PrivateExpedited) {
        refused(error);
    }
}

/// The others rely on the call, and pass no fence themselves: nothing that is locked is safe from here on, not even for who unwinds.
#[cold]
fn refused(error: rustix::io::Errno) -> ! {
    say(format_args!(
        "waterway: the kernel refuses membarrier, which it had granted: {error}. A filter of system calls (seccomp) that is \
         installed after the runtime has started must let it pass\n"
    ));
    std::process::abort();
}
