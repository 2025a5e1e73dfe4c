//! Whether a worker stands still over goroutines that have not started, so that an idle one should take them over: where they start they
//! live for life, and those that start within microseconds are better left with their neighbours.
//!
//! A worker stands still since its last turn, its last spawn, or since the first of them came from elsewhere, whichever was last: who was
//! busy, or asleep, before that has kept nobody waiting. And only who computes keeps them for long. One whose thread has no CPU, or
//! wakes up, is about to go on.

use super::idle::{CROWD, PATIENCE};
use super::worker::Worker;
use crate::primitives::{AtomicU64, Ordering};

/// How long goroutines wait behind a worker that does not compute before an idle one takes one of them, in nanoseconds: it wakes up, or
/// its thread has no CPU, or sleeps inside a goroutine.
const LONG_PATIENCE: u64 = 1_000_000;
/// The same, where a crowd waits there, which `share` may have given it: about what the kernel lets another thread run on.
const CROWD_PATIENCE: u64 = 5_000_000;

/// What watchers saw of a worker last: when it last moved, and how long its thread had had a CPU then, in nanoseconds.
pub(super) struct Still {
    moves: AtomicU64,
    at: AtomicU64,
    ran: AtomicU64,
}

/// A look at a worker behind which some wait.
#[derive(Clone, Copy)]
struct Look {
    at: u64,
    moves: u64,
    ran: u64,
    /// It is inside a goroutine.
    busy: bool,
    /// Many wait.
    crowd: bool,
}

impl Still {
    pub(super) const fn new() -> Still {
        Still {
            moves: AtomicU64::new(0),
            at: AtomicU64::new(0),
            ran: AtomicU64::new(0),
        }
    }

    /// True if it has stood still for long; remembers what is seen for the next look.
    fn lasts(&self, now: Look) -> bool {
        if self.moves.swap(now.moves, Ordering::Relaxed) != now.moves {
            self.at.store(now.at, Ordering::Relaxed);
            self.ran.store(now.ran, Ordering::Relaxed);
            // Of a crowd that goes on, the thief judges the pace.
            return now.crowd && now.busy;
        }
        let stood = now.at.saturating_sub(self.at.load(Ordering::Relaxed));
        let ran = now.ran.saturating_sub(self.ran.load(Ordering::Relaxed));
        let computes = now.busy && ran > stood / 2;
        let patience = match (computes, now.crowd) {
            (true, _) => PATIENCE,
            (false, false) => LONG_PATIENCE,
            (false, true) => CROWD_PATIENCE,
        };
        stood > patience
    }
}

impl Worker {
    /// True if the worker has stood still over a backlog for long, as far as watchers saw.
    pub(super) fn is_ripe(&self, now: u64) -> bool {
        let backlog = self.backlog();
        backlog > 0
            && self.still.lasts(Look {
                at: now,
                moves: self.moves(),
                ran: self.cpu_time(),
                busy: self.busy.load(Ordering::Relaxed),
                crowd: backlog > CROWD,
            })
    }

    /// A number that changes with each turn here, with each spawn from here, and when the first of some comes from elsewhere.
    fn moves(&self) -> u64 {
        let counts = [&self.turns, &self.spawned, &self.given];
        counts.iter().map(|n| n.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u64 = 1_000;

    /// So many microseconds after an hour of life, of which the thread had a CPU for so many.
    fn look(moves: u64, at: u64, ran: u64, crowd: bool) -> Look {
        Look {
            at: 3_600_000_000_000 + at * US,
            moves,
            ran: ran * US,
            busy: ran > 0,
            crowd,
        }
    }

    #[test]
    fn who_computes_is_waited_for_as_long_as_it_has_stood_since_it_spawned() {
        let still = Still::new();
        assert!(!still.lasts(look(7, 0, 1, false)));
        // It had computed for a second when it spawned one more.
        assert!(!still.lasts(look(8, 1_000_000, 1_000_000, false)));
        assert!(!still.lasts(look(8, 1_000_015, 1_000_015, false)));
        assert!(still.lasts(look(8, 1_000_025, 1_000_025, false)));
    }

    #[test]
    fn who_was_never_seen_has_not_stood_for_ever() {
        let still = Still::new();
        assert!(!still.lasts(look(1, 0, 0, false)), "the first came to it");
        assert!(!still.lasts(look(1, 500, 0, false)));
        assert!(still.lasts(look(1, 1_500, 0, false)));
    }

    #[test]
    fn who_has_no_cpu_inside_a_goroutine_is_waited_for_as_who_wakes_up() {
        let still = Still::new();
        still.lasts(look(1, 0, 9, false));
        assert!(!still.lasts(look(1, 500, 9, false)));
        assert!(still.lasts(look(1, 1_500, 9, false)));
    }

    #[test]
    fn a_crowd_waits_for_longer_behind_who_has_no_cpu() {
        let still = Still::new();
        still.lasts(look(1, 0, 0, true));
        assert!(!still.lasts(look(1, 4_000, 0, true)));
        assert!(still.lasts(look(1, 6_000, 0, true)));
    }
}
