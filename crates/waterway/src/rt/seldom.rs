//! What few programs ask for, and every park has to look for: in one word, so that it is one look.

use crate::primitives::{AtomicU8, Ordering};

/// Parks walk their frames (`tls_check`).
pub(super) const CHECK_TLS: u8 = 1;
/// Main's waiters stand among those that may be reaped (`reap`).
pub(super) const MAIN_STANDS: u8 = 2;

/// Set before the first goroutine.
static ASKED: AtomicU8 = AtomicU8::new(0);

pub(super) fn ask_for(what: u8) {
    ASKED.fetch_or(what, Ordering::Relaxed);
}

#[inline]
pub(super) fn asked(what: u8) -> bool {
    ASKED.load(Ordering::Relaxed) & what != 0
}

/// True if any of them was asked for.
#[inline]
pub(super) fn any() -> bool {
    ASKED.load(Ordering::Relaxed) != 0
}
