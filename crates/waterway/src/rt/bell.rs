//! What sysmon sleeps beside. A ring is not lost: it lasts until it is stilled.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use crate::primitives::OnceLock;

pub(super) struct Bell(OnceLock<OwnedFd>);

impl Bell {
    /// None yet: it does not ring.
    pub(super) const fn new() -> Bell {
        Bell(OnceLock::new())
    }

    /// # Panics
    ///
    /// If no eventfd can be made.
    pub(super) fn make(&self) {
        let bell = match eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK) {
            Ok(bell) => bell,
            Err(error) => panic!(
                "waterway cannot make an eventfd: {error}. Raise the limit on open files (ulimit -n)"
            ),
        };
        self.0.get_or_init(|| bell);
    }

    /// Async-signal-safe.
    pub(super) fn ring(&self) {
        if let Some(bell) = self.0.get() {
            // A full counter means that the bell rings already.
            let _ = rustix::io::write(bell, &1u64.to_ne_bytes());
        }
    }

    /// Waits until it rings (true), at most for `time`. May return early.
    pub(super) fn wait(&self, time: Option<Duration>) -> bool {
        let Some(bell) = self.0.get() else {
            return false;
        };
        let timeout = time.and_then(|t| Timespec::try_from(t).ok());
        let mut fds = [PollFd::new(bell, PollFlags::IN)];
        poll(&mut fds, timeout.as_ref()).is_ok_and(|n| n > 0)
    }

    /// It rings no more.
    pub(super) fn still(&self) {
        if let Some(bell) = self.0.get() {
            let _ = rustix::io::read(bell, &mut [0u8; 8]);
        }
    }
}
