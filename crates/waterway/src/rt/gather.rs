//! Timers that are due soon after others wait for each other, so that their worker gets up once for some of them.
//!
//! To get up for a timer costs some 16 us of CPU on a virtual machine, whatever the program does then. So each time that a worker has fired
//! some, it gets up for the next ones when about [`TOGETHER`] are due, if it goes on as before; no sooner than [`SHORTEST`] after that, and no
//! later than [`LONGEST`]; and never later than a timer's leeway (`due`). One that is alone is late by nothing of that.

use std::cell::Cell;

use super::clock::clock;
use super::timer::Due;

/// So many timers at a time are worth while to get up for.
const TOGETHER: u64 = 5;
/// In nanoseconds.
const SHORTEST: u64 = 110_000;
const LONGEST: u64 = 1_000_000;

/// What a worker remembers of the timers that it fired last. For its own thread.
pub(super) struct Gather {
    /// After a worker has fired some, timers wait for each other for so long; and until when they do.
    time: Cell<u64>,
    until: Cell<u64>,
    /// When that time was found, and how many were fired since, those then included.
    since: Cell<u64>,
    fired: Cell<u64>,
}

impl Gather {
    pub(super) const fn new() -> Gather {
        Gather {
            time: Cell::new(0),
            until: Cell::new(0),
            since: Cell::new(0),
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
        let passed = now - self.since.get();
        if passed >= self.time.get() {
            let for_each = passed / self.fired.get().max(1);
            let time = (TOGETHER * for_each).clamp(SHORTEST, LONGEST);
            self.time.set(time);
            self.since.set(now);
            self.fired.set(0);
        }
        self.fired.set(self.fired.get() + timers);
        self.until.set(now + self.time.get());
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
        for (fired, waits) in [(2, LONGEST), (10, 5 * MS / 10), (100, SHORTEST)] {
            gather.note(fired, now);
            now += MS;
            gather.note(1, now);
            assert_eq!(wait(&gather, now), waits, "{fired} in a millisecond");
            now = gather.until.get();
        }
    }

    #[test]
    fn who_got_up_early_waits_as_long_for_the_next() {
        let gather = Gather::new();
        gather.note(1, 100 * MS);
        let early = gather.gets_up(due(100 * MS + 100, 200));
        assert_eq!(early, 100 * MS + 300);
        gather.note(1, early);
        assert_eq!(gather.gets_up(due(early + 100, MS)), early + LONGEST);
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
