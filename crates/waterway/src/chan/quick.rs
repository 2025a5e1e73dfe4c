//! The short way through a ring: there is room, or a value, at the first look, and nobody waits. Whatever else there may be
//! (waiters, reservations, a closed channel, a race that was lost) is left to `ops.rs`, which says the same at length.

use super::core::{Core, LIFO, OVERFLOWS, RECV_CLOSED, RECV_WAITING, SEND_WAITING, TIMED};
use super::door::SOLO;
use super::ring::Ring;

/// Larger values, in bytes, go the long way, which moves them less often.
pub(super) const SMALL: usize = 256;

impl<T> Core<T> {
    /// The ring, if the quick way is worth a try.
    #[inline]
    pub(super) fn quick(&self) -> Option<&Ring<T>> {
        self.ring().filter(|_| size_of::<T>() <= SMALL)
    }

    /// Sends at the first attempt, or hands the value back. After `Door::put_own`.
    #[inline]
    pub(super) fn put_quick(&self, ring: &Ring<T>, value: T) -> Result<(), T> {
        let flags = self.flags();
        if flags & !(RECV_WAITING | OVERFLOWS) != 0 {
            return match flags {
                SOLO if !self.door.is_own() => self.door.put_solo(ring, value),
                _ => Err(value),
            };
        }
        ring.push_once(value)?;
        self.look_behind(RECV_WAITING);
        Ok(())
    }

    /// Receives at the first attempt, or not at all. After `Door::get_own`.
    #[inline]
    pub(super) fn get_quick(&self, ring: &Ring<T>) -> Option<T> {
        let flags = self.flags();
        if flags & (RECV_CLOSED | RECV_WAITING | TIMED | LIFO | SOLO) != 0 {
            return match flags {
                SOLO if !self.door.is_own() => self.door.get_solo(ring),
                _ => None,
            };
        }
        let value = ring.pop_once()?;
        self.look_behind(SEND_WAITING);
        Some(value)
    }
}
