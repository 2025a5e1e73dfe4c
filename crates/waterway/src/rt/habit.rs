//! What the goroutines of a spawn site were seen to do: whether they hand over to others in short turns, or are over in one.
//! Where the next ones go follows from it (`goroutine/builder.rs`), nothing else does.
//!
//! Workers time one turn in [`TIMED_EVERY`]. A site has a habit after some alike, and loses it by far fewer that are not:
//! what computes must not be taken for what hands over.

use std::cell::Cell;
use std::panic::Location;

use super::clock::clock;
use crate::primitives::{AtomicU32, AtomicUsize, Ordering};

/// One turn in so many is timed. A prime, so that no rhythm of the program hides somebody.
pub(super) const TIMED_EVERY: u32 = 509;

/// A turn is short below this, in nanoseconds: about what it costs to hand over to another worker.
const SHORT: u64 = 1_000;
/// A turn of many calls that may block (a buffer is filled or emptied) counts as short if there is so little for each, and not too
/// much in all.
const SHORT_EACH: u64 = 250;
const SHORT_IN_ALL: u64 = 100_000;
/// A site has a habit from this score on, and its score rises no further than `MOST`.
const ENOUGH: u32 = 4;
const MOST: u32 = 16;
/// What one turn of the other kind takes from a score.
const LOSS: u32 = 4;

/// What the goroutines of a site do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Too little was seen, or they compute.
    Unknown,
    /// They hand over to others in short turns.
    Chatty,
    /// They are over in their first turn, which is short.
    Brief,
}

/// One site. Scores are updated without care for updates by others at the same time: they are samples.
struct Entry {
    site: AtomicUsize,
    /// Turns that were short.
    short: AtomicU32,
    /// Turns in which a goroutine was started and ended.
    whole: AtomicU32,
}

/// Sites by address. One that finds no place near its own has no habit.
static SITES: [Entry; 1024] = [const { Entry::new() }; 1024];
const PROBES: usize = 8;

impl Entry {
    const fn new() -> Entry {
        Entry {
            site: AtomicUsize::new(0),
            short: AtomicU32::new(0),
            whole: AtomicU32::new(0),
        }
    }

    fn habit(&self) -> Habit {
        let enough = |score: &AtomicU32| score.load(Ordering::Relaxed) >= ENOUGH;
        match (enough(&self.short), enough(&self.whole)) {
            (false, _) => Habit::Unknown,
            (true, false) => Habit::Chatty,
            (true, true) => Habit::Brief,
        }
    }
}

/// The places where a site may stand.
fn places(site: &'static Location<'static>) -> (usize, impl Iterator<Item = &'static Entry>) {
    let word = std::ptr::from_ref(site) as usize;
    // Locations lie side by side, 24 bytes each.
    let first = word / 8 % SITES.len();
    let places = (0..PROBES).map(move |n| &SITES[(first + n) % SITES.len()]);
    (word, places)
}

/// What is known of a site.
pub(crate) fn of(site: &'static Location<'static>) -> Habit {
    let (word, places) = places(site);
    for place in places {
        match place.site.load(Ordering::Relaxed) {
            0 => break,
            other if other == word => return place.habit(),
            _ => {}
        }
    }
    Habit::Unknown
}

/// True if a turn of `ns` nanoseconds with so many calls that may block is short.
fn is_short(ns: u64, calls: u32) -> bool {
    ns < SHORT || ns < SHORT_IN_ALL.min(SHORT_EACH * u64::from(calls))
}

/// A goroutine of the site had a turn that was `short`, or not; `whole` if it was started and has ended in it.
fn note(site: &'static Location<'static>, short: bool, whole: bool) {
    let (word, mut places) = places(site);
    let place = places.find(|place| {
        let own = place
            .site
            .compare_exchange(0, word, Ordering::Relaxed, Ordering::Relaxed);
        own.is_ok() || own == Err(word)
    });
    let Some(place) = place else { return };
    let count = |score: &AtomicU32, more: bool| {
        let before = score.load(Ordering::Relaxed);
        let after = match more {
            true => (before + 1).min(MOST),
            false => before.saturating_sub(LOSS),
        };
        score.store(after, Ordering::Relaxed);
    };
    count(&place.short, short);
    count(&place.whole, whole);
}

/// Times a turn of a worker. One thread uses it.
pub(super) struct Stopwatch {
    /// When the turn began, later by what is not its own; 0 if none is timed.
    since: Cell<u64>,
    /// How many calls that may block there were when it began, and until now.
    calls_before: Cell<u32>,
    calls: Cell<u32>,
    /// Whose turn it is, and whether it is the first.
    turn: Cell<Option<(&'static Location<'static>, bool)>>,
}

impl Stopwatch {
    pub(super) const fn new() -> Stopwatch {
        Stopwatch {
            since: Cell::new(0),
            calls_before: Cell::new(0),
            calls: Cell::new(0),
            turn: Cell::new(None),
        }
    }

    #[cold]
    pub(super) fn start(&self, site: &'static Location<'static>, first: bool) {
        self.turn.set(Some((site, first)));
        self.calls_before.set(self.calls.get());
        self.since.set(clock());
    }

    /// The goroutine makes a call that may block.
    #[inline]
    pub(super) fn count_call(&self) {
        self.calls.set(self.calls.get().wrapping_add(1));
    }

    #[inline]
    pub(super) fn runs(&self) -> bool {
        self.since.get() != 0
    }

    /// The turn is over, and if `finished` the goroutine is: see [`note`].
    #[cold]
    pub(super) fn stop(&self, finished: bool) {
        let passed = clock().saturating_sub(self.since.replace(0));
        let calls = self.calls.get().wrapping_sub(self.calls_before.get());
        if let Some((site, first)) = self.turn.take() {
            note(site, is_short(passed, calls), first && finished);
        }
    }

    /// Runs `f`, whose time is not the turn's own.
    pub(super) fn without(&self, f: impl FnOnce()) {
        if !self.runs() {
            return f();
        }
        let begin = clock();
        f();
        self.since.set(self.since.get() + clock() - begin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> &'static Location<'static> {
        #[track_caller]
        fn caller() -> &'static Location<'static> {
            Location::caller()
        }
        caller()
    }

    #[test]
    fn habits_are_earned_slowly_and_lost_fast() {
        let site = here();
        (1..ENOUGH).for_each(|_| note(site, true, false));
        assert_eq!(of(site), Habit::Unknown);
        note(site, true, false);
        assert_eq!(of(site), Habit::Chatty);
        note(site, false, false);
        assert_eq!(of(site), Habit::Unknown);
    }

    #[test]
    fn many_calls_make_a_longer_turn_short() {
        assert!(is_short(SHORT - 1, 1));
        assert!(!is_short(SHORT, 1));
        assert!(is_short(SHORT, 128));
        assert!(!is_short(2 * SHORT, 2));
        assert!(!is_short(SHORT_IN_ALL, u32::MAX));
    }

    #[test]
    fn what_ends_in_its_first_turn_is_brief() {
        let site = here();
        (0..ENOUGH).for_each(|_| note(site, true, true));
        assert_eq!(of(site), Habit::Brief);
        note(site, true, false);
        assert_eq!(of(site), Habit::Chatty);
    }
}
