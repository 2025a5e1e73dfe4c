//! The kernel's fence for all threads of the process at once (Linux, `membarrier`).

use rustix::thread::{MembarrierCommand, membarrier};

/// A call takes 0.5 to 1.5 us, as much as a few hundred exchanges.
pub(super) const WORTH: u32 = 256;

/// Asks the kernel for it; false if it knows no such call. Takes some 14 ms if the process has threads.
pub(super) fn register() -> bool {
    membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok()
}

/// Every thread of the process passes a full fence before this returns, the caller too. For who has registered.
pub(super) fn call() {
    membarrier(MembarrierCommand::PrivateExpedited).expect("the process is registered");
}
