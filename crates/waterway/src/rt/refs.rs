//! How many references there are to one object, where mostly one thread makes them and others give them up: who starts goroutines makes
//! one for each, and each drops its own wherever it ends.
//!
//! One count would go from core to core with every step, a hundred nanoseconds each time. So those made and those given up are counted
//! apart, in two lines of the cache. Who gives one up looks at the other count only if as many are gone as were made when somebody
//! looked last: once for all that the maker is ahead.
//!
//! # Protocol
//!
//! *The last one is told, and nobody else.* Neither count ever falls, and who makes a reference has another one.
//!
//! - `seen` is a value that `made` had. While fewer are gone, one is left beside the caller's: the caller may go. From the exchange on
//!   it looks at nothing: that one may be the last already, and free it all.
//! - Who looks at `made` still has its own. It has seen each one made that is gone, and all that their holders had made by then: giving
//!   up releases, and the look acquires. If there were another beside its own, follow from that to the one that it was made from, and so
//!   on: the last of these that is not gone was made by a holder that is gone, or by the caller's own, or is the first of all. So it
//!   was seen, and `made` is more than are gone. If it is not, the caller's is the only one, and nobody can make another.
//!
//! Models (`models/`): `refs_..` in `orders`.

use crate::primitives::{AtomicUsize, Ordering};

/// See the module.
#[repr(C)]
pub(super) struct Refs {
    /// How many were given up.
    gone: AtomicUsize,
    /// See the protocol.
    seen: AtomicUsize,
    /// Moves `made` to the next line, see `core_box`.
    _apart: usize,
    /// How many were made beside the first. (One a nanosecond would take 500 years to be too many.)
    pub(super) made: AtomicUsize,
}

impl Refs {
    /// One.
    pub(super) fn new() -> Refs {
        Refs {
            gone: AtomicUsize::new(0),
            seen: AtomicUsize::new(0),
            _apart: 0,
            made: AtomicUsize::new(0),
        }
    }

    /// One more, made from one that there is.
    #[inline]
    pub(super) fn add(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    /// One less, which is not used again. True if it is the last: the object is the caller's.
    #[inline]
    pub(super) fn give_up(&self) -> bool {
        let mut gone = self.gone.load(Ordering::Acquire);
        loop {
            if gone >= self.seen.load(Ordering::Relaxed) && self.is_only(gone) {
                return true;
            }
            let given_up = self.gone.compare_exchange_weak(
                gone,
                gone + 1,
                Ordering::Release,
                Ordering::Acquire,
            );
            match given_up {
                Ok(_) => return false,
                Err(now) => gone = now,
            }
        }
    }

    /// True if the caller's is the only one, where so many are gone.
    #[inline(never)]
    fn is_only(&self, gone: usize) -> bool {
        let made = self.made.load(Ordering::Relaxed);
        if made == gone {
            return true;
        }
        self.seen.store(made, Ordering::Relaxed);
        false
    }
}
