//! What the goroutines of a spawn site were seen to do: whether they hand over to others in short turns, or are over in one.
//! Where the next ones go follows from it (`goroutine/builder.rs`), nothing else does.
//!
//! Workers time one turn in [`TIMED_EVERY`], more at first. A site has a habit after some alike, and loses it by far fewer that are not:
//! what computes must not be taken for what hands over.

use std::cell::Cell;
use std::panic::Location;

use super::clock::clock;
use crate::primitives::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

/// One turn in so many is timed. A prime, so that no rhythm of the program hides somebody.
const TIMED_EVERY: u32 = 509;
/// The same for the first turns of a worker, so many timed ones: what is known early is of use for longer.
const TIMED_EARLY: u32 = 31;
const EARLY: u32 = 64;

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
/// So many calls in a short turn are worth as much as another such turn.
const CALLS: u32 = 32;

/// A turn of so many calls is judged by what it was until then: to time a call costs more than the call.
const CALLS_MOST: u32 = 128;

/// What the goroutines of a site do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Too little was seen, or they compute.
    Unknown,
    /// They hand over to others in short turns.
    Chatty,
    /// The same, and one that is started later serves several of them: they should live together.
    Flock,
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
    /// One that serves several found them on several workers.
    torn: AtomicBool,
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
            torn: AtomicBool::new(false),
        }
    }

    fn habit(&self) -> Habit {
        let enough = |score: &AtomicU32| score.load(Ordering::Relaxed) >= ENOUGH;
        match (enough(&self.short), enough(&self.whole)) {
            (false, _) => Habit::Unknown,
            (true, false) if self.torn.load(Ordering::Relaxed) => Habit::Flock,
            (true, false) => Habit::Chatty,
            (true, true) => Habit::Brief,
        }
    }
}

/// The places where the site at this address may stand.
fn places(site: usize) -> impl Iterator<Item = &'static Entry> {
    // Locations lie side by side, 24 bytes each.
    let first = site / 8 % SITES.len();
    (0..PROBES).map(move |n| &SITES[(first + n) % SITES.len()])
}

/// What is known of a site.
pub(crate) fn of(site: &'static Location<'static>) -> Habit {
    let site = std::ptr::from_ref(site) as usize;
    for place in places(site) {
        match place.site.load(Ordering::Relaxed) {
            0 => break,
            other if other == site => return place.habit(),
            _ => {}
        }
    }
    Habit::Unknown
}

/// The place of a site, or one that it takes now.
fn place(site: usize) -> Option<&'static Entry> {
    places(site).find(|place| {
        let own = place
            .site
            .compare_exchange(0, site, Ordering::Relaxed, Ordering::Relaxed);
        own.is_ok() || own == Err(site)
    })
}

/// Goroutines of the site at this address live on several workers, and one that was started after them serves them.
pub(super) fn note_torn(site: usize) {
    if site != 0
        && let Some(place) = place(site)
    {
        place.torn.store(true, Ordering::Relaxed);
    }
}

/// True if a turn of `ns` nanoseconds with so many calls that may block is short.
fn is_short(ns: u64, calls: u32) -> bool {
    ns < SHORT || ns < SHORT_IN_ALL.min(SHORT_EACH * u64::from(calls))
}

/// What a turn of `ns` nanoseconds with so many calls that may block is worth: nothing unless it is short.
fn worth(ns: u64, calls: u32) -> u32 {
    match is_short(ns, calls) {
        true => 1 + calls / CALLS,
        false => 0,
    }
}

/// A goroutine of the site had a turn of this [`worth`]; `whole` if it was started and has ended in it.
fn note(site: &'static Location<'static>, worth: u32, whole: bool) {
    let Some(place) = place(std::ptr::from_ref(site) as usize) else {
        return;
    };
    let count = |score: &AtomicU32, more: u32| {
        let before = score.load(Ordering::Relaxed);
        score.store(counted(before, more), Ordering::Relaxed);
    };
    count(&place.short, worth);
    count(&place.whole, whole.into());
}

/// A score after one turn more, that is worth so much.
fn counted(score: u32, worth: u32) -> u32 {
    match worth {
        0 => score.saturating_sub(LOSS),
        more => (score + more).min(MOST),
    }
}

/// Times a turn of a worker. One thread uses it.
pub(super) struct Stopwatch {
    /// When the turn began, later by what is not its own; 0 if none is timed.
    since: Cell<u64>,
    /// When what is not its own began; 0 if it is over.
    paused: Cell<u64>,
    /// How many were timed, up to `EARLY`.
    timed: Cell<u32>,
    /// How many calls that may block there were since.
    calls: Cell<u32>,
    /// The score of the worker's own turns, whosever they are.
    short: Cell<u32>,
    /// Whose turn it is, and whether it is the first.
    turn: Cell<Option<(&'static Location<'static>, bool)>>,
}

impl Stopwatch {
    pub(super) const fn new() -> Stopwatch {
        Stopwatch {
            since: Cell::new(0),
            paused: Cell::new(0),
            timed: Cell::new(0),
            calls: Cell::new(0),
            short: Cell::new(0),
            turn: Cell::new(None),
        }
    }

    #[cold]
    pub(super) fn start(&self, site: &'static Location<'static>, first: bool) {
        self.turn.set(Some((site, first)));
        self.calls.set(0);
        self.since.set(clock());
    }

    /// The goroutine makes a call that may block.
    #[inline]
    pub(super) fn count_call(&self) {
        self.calls.set(self.calls.get().wrapping_add(1));
    }

    /// In how many turns the next one is to be timed.
    pub(super) fn interval(&self) -> u32 {
        let timed = self.timed.get();
        self.timed.set((timed + 1).min(EARLY));
        match timed < EARLY {
            true => TIMED_EARLY,
            false => TIMED_EVERY,
        }
    }

    #[inline]
    pub(super) fn runs(&self) -> bool {
        self.since.get() != 0
    }

    /// The turn is over, and if `finished` the goroutine is: see [`note`].
    #[cold]
    pub(super) fn stop(&self, finished: bool) {
        let end = match self.paused.take() {
            0 => clock(),
            paused => paused,
        };
        let passed = end.saturating_sub(self.since.replace(0));
        if let Some((site, first)) = self.turn.take() {
            let worth = worth(passed, self.calls.get());
            self.short.set(counted(self.short.get(), worth));
            note(site, worth, first && finished);
        }
    }

    /// True if the worker's goroutines hand over to others in short turns, all that were timed of late.
    pub(super) fn turns_are_short(&self) -> bool {
        self.short.get() >= ENOUGH
    }

    /// Runs `f`, whose time is not the turn's own. The turn may be over before `f` is, and another one have begun.
    pub(super) fn without<R>(&self, f: impl FnOnce() -> R) -> R {
        let paused = self.pause();
        let result = f();
        if paused {
            self.resume();
        }
        result
    }

    /// What comes now, until `resume`, is not the turn's own. False if that was said before, and not taken back, or no turn is timed.
    fn pause(&self) -> bool {
        let begins = self.runs() && self.paused.get() == 0;
        if begins {
            self.paused.set(clock());
        }
        begins && !self.has_seen_enough()
    }

    fn has_seen_enough(&self) -> bool {
        let enough = self.calls.get() >= CALLS_MOST;
        if enough {
            self.stop(false);
        }
        enough
    }

    /// It is over. So the turn may be, and another one have begun.
    fn resume(&self) {
        match self.paused.take() {
            0 => {}
            paused => self.since.set(self.since.get() + clock() - paused),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A site of each test's own.
    #[track_caller]
    fn here() -> &'static Location<'static> {
        Location::caller()
    }

    #[test]
    fn habits_are_earned_slowly_and_lost_fast() {
        let site = here();
        (1..ENOUGH).for_each(|_| note(site, 1, false));
        assert_eq!(of(site), Habit::Unknown);
        note(site, 1, false);
        assert_eq!(of(site), Habit::Chatty);
        note(site, 0, false);
        assert_eq!(of(site), Habit::Unknown);
    }

    #[test]
    fn a_worker_has_short_turns_until_one_computes() {
        let (site, stopwatch) = (here(), Stopwatch::new());
        assert!(!stopwatch.turns_are_short());
        let mut short = std::iter::repeat_with(|| {
            stopwatch.start(site, false);
            stopwatch.stop(false);
            stopwatch.turns_are_short()
        });
        assert!(short.by_ref().take(1_000).any(|short| short));
        (0..MOST / LOSS).for_each(|_| {
            stopwatch.start(site, false);
            std::thread::sleep(Duration::from_millis(1));
            stopwatch.stop(false);
        });
        assert!(!stopwatch.turns_are_short());
    }

    #[test]
    fn many_calls_make_a_longer_turn_short() {
        assert!(is_short(SHORT - 1, 1));
        assert!(!is_short(SHORT, 1));
        assert!(is_short(SHORT, 128));
        assert!(!is_short(2 * SHORT, 2));
        assert!(!is_short(SHORT_IN_ALL, u32::MAX));
        assert_eq!((worth(2 * SHORT, 128), worth(1, 1)), (5, 1));
    }

    #[test]
    fn who_was_torn_apart_is_a_flock_while_it_is_chatty() {
        let site = here();
        (0..ENOUGH).for_each(|_| note(site, 1, false));
        note_torn(std::ptr::from_ref(site) as usize);
        assert_eq!(of(site), Habit::Flock);
        note(site, 0, false);
        assert_eq!(of(site), Habit::Unknown);
    }

    #[test]
    fn the_time_of_calls_that_hand_over_is_nobodys() {
        let (site, stopwatch) = (here(), Stopwatch::new());
        let call = || std::thread::sleep(Duration::from_millis(1));
        let chatty = (0..1_000).any(|turn| {
            stopwatch.start(site, false);
            assert!(stopwatch.pause() && !stopwatch.pause());
            call();
            // Every other turn is over inside the call.
            if turn % 2 == 0 {
                stopwatch.resume();
            }
            stopwatch.stop(false);
            of(site) == Habit::Chatty
        });
        assert!(chatty);
    }

    #[test]
    fn a_turn_of_many_calls_is_judged_before_its_end() {
        let stopwatch = Stopwatch::new();
        stopwatch.start(here(), false);
        (1..CALLS_MOST).for_each(|_| stopwatch.count_call());
        assert!(stopwatch.pause() && stopwatch.runs());
        stopwatch.resume();
        stopwatch.count_call();
        assert!(!stopwatch.pause() && !stopwatch.runs());
    }

    #[test]
    fn a_call_that_outlives_its_turn_is_no_part_of_the_next() {
        let (site, stopwatch) = (here(), Stopwatch::new());
        stopwatch.start(site, false);
        assert!(stopwatch.pause());
        stopwatch.stop(false);
        stopwatch.start(site, false);
        let since = stopwatch.since.get();
        stopwatch.resume();
        assert_eq!(stopwatch.since.get(), since);
    }

    #[test]
    fn what_ends_in_its_first_turn_is_brief() {
        let site = here();
        (0..ENOUGH).for_each(|_| note(site, 1, true));
        assert_eq!(of(site), Habit::Brief);
        note(site, 1, false);
        assert_eq!(of(site), Habit::Chatty);
    }
}
