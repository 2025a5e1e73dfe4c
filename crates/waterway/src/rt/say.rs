//! What the runtime says, on standard error. Not by `eprintln!`: that panics when nobody reads any more, which must not end
//! a worker or sysmon, and it waits for whoever holds the lock of `stderr()`, who may be a goroutine of the deadlock that is
//! to be told.

use std::fmt;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, write};
use rustix::stdio::stderr;

/// Writes to standard error, as far as that is possible.
pub(crate) fn say(text: fmt::Arguments<'_>) {
    let text = text.to_string();
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match write(stderr(), rest) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            // Somebody has made it non-blocking.
            Err(Errno::AGAIN)
                if poll(&mut [PollFd::new(&stderr(), PollFlags::OUT)], None).is_ok() => {}
            Err(_) => return,
        }
    }
}
