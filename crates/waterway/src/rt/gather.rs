//! Timers that are due soon after others wait for each other, so that their worker gets up once for some of them.
//!
//! To get up for a timer costs some 16 us of CPU on a virtual machine, whatever the program does then. So after a worker has fired some, it
//! gets up for the next ones when about [`TOGETHER`] are due, if it goes on as before; no sooner than [`SHORTEST`] after it fired the first, and
//! no later than [`LONGEST`]; and never later than a timer's leeway (`due`). One that is alone is late by nothing of that.

use std::cell::Cell;

use super::clock::clock;
use super::timer::Due;

/// So many timers at a time are worth while to get up for.
const TOGETHER: u64 = 4;
/// In nanoseconds.
const SHORTEST: u64 = 200_000;
const LONGEST: u64 = 1_000_000;

/// What a worker remembers of the timers that it fired last. For its own thread.
pub(super) struct Gather {
    /// When it began, and until when timers wait for each other.
    since: Cell<u64>,
    until: Cell<u64>,
    /// How many were fired since it began.
    fired: Cell<u64>,
}

impl Gather {
    pub(super) const fn new() -> Gather {
        Gather {
            since: Cell::new(0),
            until: Cell::new(0),
            fired: Cell::new(0),
        }
    }

    /// The worker has fired so many timers.
    #[inline]
    pub(super) fn note_fired(&self, timers: usize) {
        if timers > 0 {
            self.note(timers as u64, clock());
        }
    }

    fn note(&self, timers: u64, now: u64) {
        if now < self.until.get() {
            self.fired.set(self.fired.get() + timers);
            return;
        }
        let for_each = (now - self.since.get()) / self.fired.get().max(1);
        let time = (TOGETHER * for_each).clamp(SHORTEST, LONGEST);
        self.since.set(now);
        self.until.set(now + time);
        self.fired.set(timers);
    }

    /// True if one that is due at `when` waits for others.
    pub(super) fn holds(&self, when: u64) -> bool {
        when < self.until.get()
    }

    /// When the worker is to get up for the timer that is to be fired first.
    pub(super) fn gets_up(&self, first: Due) -> u64 {
        first.when.max(first.latest.min(self.until.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn due(when: u64, leeway: u64) -> Due {
        Due {
            when,
            latest: when + leeway,
        }
    }

    #[test]
    fn who_is_alone_waits_for_nobody() {
        let gather = Gather::new();
        for round in 1..10 {
            let now = 5 * MS * round;
            assert_eq!(gather.gets_up(due(now, MS)), now);
            gather.note(1, now);
        }
    }

    #[test]
    fn few_gather_for_long_and_many_for_a_little() {
        let gather = Gather::new();
        let wait = |gather: &Gather, now| gather.gets_up(due(now, MS)) - now;
        gather.note(1, 100 * MS);
        assert_eq!(wait(&gather, 100 * MS), LONGEST);
        // Two in a millisecond, one every tenth of it, one every hundredth.
        let mut now = 101 * MS;
        for (fired, waits) in [(2, LONGEST), (10, 4 * MS / 10), (100, SHORTEST)] {
            gather.note(fired, now);
            now += MS;
            gather.note(1, now);
            assert_eq!(wait(&gather, now), waits, "{fired} in a millisecond");
            now = gather.until.get();
        }
    }

    #[test]
    fn none_waits_beyond_its_leeway() {
        let gather = Gather::new();
        gather.note(1, 100 * MS);
        for leeway in [0, 1000, MS / 3] {
            let when = 100 * MS + 500;
            assert_eq!(gather.gets_up(due(when, leeway)), when + leeway);
        }
        assert_eq!(gather.gets_up(due(102 * MS, MS)), 102 * MS);
    }
}
