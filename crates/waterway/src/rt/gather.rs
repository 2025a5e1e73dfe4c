//! Timers that are due soon after others wait for each other, so that their worker gets up once for some of them.
//!
//! To get up for a timer costs some 16 us of CPU on a virtual machine, whatever the program does then. So a worker gets up when [`TOGETHER`] are
//! due; no sooner than [`SHORTEST`] after it has fired some, if they are so many, and never later than a timer's leeway (`due`) allows. Where fewer are
//! due within that, it gets up for the last of them: to wait on would gather nobody. One that is alone is late by nothing of that.

use std::cell::Cell;

use super::clock::clock;
use super::timer::Due;

/// So many timers at a time are worth while to get up for.
pub(super) const TOGETHER: usize = 6;
/// In nanoseconds.
const SHORTEST: u64 = 110_000;
/// For those that are due so soon after others were fired a worker does not linger.
const SOON: u64 = 1_000_000;

/// When a worker fired timers last. For its own thread.
pub(super) struct Gather {
    fired: Cell<u64>,
}

impl Gather {
    pub(super) const fn new() -> Gather {
        Gather {
            fired: Cell::new(0),
        }
    }

    /// The worker has fired so many timers.
    #[inline]
    pub(super) fn note_fired(&self, timers: usize) {
        if timers > 0 {
            self.fired.set(clock());
        }
    }

    /// True if a timer that is due at `when` comes soon after others: its worker gets up again and again.
    pub(super) fn follows(&self, when: u64) -> bool {
        when < self.fired.get() + SOON
    }

    /// When the worker is to get up for the timers that are to be fired first, in this order.
    pub(super) fn gets_up(&self, firsts: &[Due]) -> Option<u64> {
        let latest = firsts.first()?.latest;
        // Who is due later keeps those behind from being fired with it.
        let due = (firsts.iter().map(|d| d.when)).take_while(|&when| when <= latest);
        let many = due.clone().count() == TOGETHER;
        let not_before = if many { self.fired.get() + SHORTEST } else { 0 };
        due.max().map(|last| last.max(not_before).min(latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u64 = 1_000;
    const MS: u64 = 1_000 * US;

    /// One that has fired some at that time.
    fn fired(at: u64) -> Gather {
        let gather = Gather::new();
        gather.fired.set(at);
        gather
    }

    /// Timers that are due so many microseconds after a tenth of a second, with a leeway of so many.
    fn due(timers: &[(u64, u64)]) -> Vec<Due> {
        let due = |&(when, leeway)| {
            let when = 100 * MS + when * US;
            let latest = when + leeway * US;
            Due { when, latest }
        };
        timers.iter().map(due).collect()
    }

    /// How many microseconds later than that a worker gets up that has fired some at that time.
    fn gets_up(timers: &[(u64, u64)]) -> u64 {
        let when = fired(100 * MS).gets_up(&due(timers)).expect("some are set");
        when / US - 100_000
    }

    #[test]
    fn who_is_alone_waits_for_nobody() {
        assert_eq!(fired(100 * MS).gets_up(&[]), None);
        for when in [10, 500, 1000, 5000] {
            assert_eq!(gets_up(&[(when, when.min(1000))]), when);
        }
        assert_eq!(gets_up(&[(500, 500), (1001, 1000), (1400, 1000)]), 500);
    }

    #[test]
    fn few_wait_for_the_last_that_comes_within_the_leeway_of_the_first() {
        assert_eq!(gets_up(&[(500, 500), (700, 700), (1100, 1000)]), 700);
        assert_eq!(gets_up(&[(50, 100), (60, 1000), (40, 1000)]), 60);
        assert_eq!(gets_up(&[(500, 500), (1050, 50), (900, 1000)]), 500);
    }

    #[test]
    fn as_many_as_are_worth_it_wait_for_no_more() {
        let timers: Vec<_> = (0..TOGETHER as u64).map(|n| (200 + n, 200 + n)).collect();
        assert_eq!(gets_up(&timers), 200 + TOGETHER as u64 - 1);
    }

    #[test]
    fn a_crowd_waits_for_the_shortest_time_within_its_leeway() {
        let crowd = |leeway| [(10, leeway); TOGETHER];
        assert_eq!(gets_up(&crowd(1000)), SHORTEST / US);
        assert_eq!(gets_up(&crowd(40)), 50);
        assert_eq!(gets_up(&crowd(0)), 10);
    }
}
