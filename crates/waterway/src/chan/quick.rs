//! The short way through a ring: there is room, or a value, at the first look, and nobody waits. Whatever else there may be
//! (waiters, reservations, a closed channel, a race that was lost) is left to `ops.rs`, which says the same at length.

use super::core::{Core, Flavor, LIFO, OVERFLOWS, RECV_CLOSED, RECV_WAITING, SEND_WAITING, TIMED};

/// Larger values, in bytes, go the long way, which moves them less often.
const SMALL: usize = 256;

impl<T> Core<T> {
    /// True if the quick way is worth a try.
    #[inline]
    pub(super) fn is_quick(&self) -> bool {
        size_of::<T>() <= SMALL && self.ring().is_some()
    }

    /// Sends at the first attempt, or hands the value back.
    #[inline]
    pub(super) fn put_quick(&self, value: T) -> Result<(), T> {
        let Flavor::Ring(ring) = &self.flavor else {
            return Err(value);
        };
        if self.flags() & !(RECV_WAITING | OVERFLOWS) != 0 {
            return Err(value);
        }
        ring.push_once(value)?;
        self.look_behind(RECV_WAITING);
        Ok(())
    }

    /// Receives at the first attempt, or not at all.
    #[inline]
    pub(super) fn get_quick(&self) -> Option<T> {
        let Flavor::Ring(ring) = &self.flavor else {
            return None;
        };
        if self.flags() & (RECV_CLOSED | RECV_WAITING | TIMED | LIFO) != 0 {
            return None;
        }
        let value = ring.pop_once()?;
        self.look_behind(SEND_WAITING);
        Some(value)
    }
}
