//! How many goroutines of each spawn site there are, over time, and how long their waits were: what suspicions are told by.
//!
//! Sysmon counts them a few times a second, and takes a small part of its time for that: where there are so many that their descriptors are
//! in no cache, a count goes over many looks. Nothing is noted where goroutines are spawned, wait or end. Not counted are those that have
//! not started, and those with a thread of their own.

use std::collections::HashMap;
use std::panic::Location;

use crate::primitives::{Lock, Ordering};
use crate::rt::clock::clock;
use crate::rt::sched::Runtime;
use crate::rt::task::Task;

/// Between two counts, in nanoseconds.
const PERIOD: u64 = 250_000_000;
/// A look goes on with a count for so long, in nanoseconds, and to the end of a part: a hundredth of the time between two looks.
const LOOKS_FOR: u64 = 50_000;
/// So many are a part, whose descriptors come from memory at the same time: one after the other each took 400 to 1,600 ns, while their
/// worker can begin and end none.
const PART: usize = 64;
/// With fewer goroutines nothing is counted.
const FEWEST: usize = 8;

/// Growth is told of once it has gone on for so long, in nanoseconds, was seen in so many counts, has doubled the number and added so many.
const GROWS_FOR: u64 = 2_000_000_000;
const GROWS_OFTEN: u32 = 6;
const GROWS_BY: usize = 64;
/// It is over when the number has stood still for as long as it grew, and for so long, in nanoseconds.
const STANDS: u64 = 5_000_000_000;

/// Sysmon's own.
static TALLY: Lock<Option<Tally>> = Lock::new(None);
static HISTORIES: Lock<Option<Histories>> = Lock::new(None);

/// The goroutines of one spawn site, as one count found them.
#[derive(Clone, Copy, Default)]
struct Count {
    live: usize,
    /// The lowest and the highest number.
    first: u64,
    last: u64,
    /// The two waits that began first, of those that do not end by themselves.
    longest: [Option<Began>; 2],
}

/// When a wait began, and whose it is, in which epoch.
type Began = (u64, u64, u64);

impl Count {
    fn add(&mut self, id: u64, began: Option<Began>) {
        self.first = if self.live == 0 {
            id
        } else {
            self.first.min(id)
        };
        self.last = self.last.max(id);
        self.live += 1;
        if let Some(began) = began {
            self.wait(began);
        }
    }

    fn wait(&mut self, began: Began) {
        let [one, two] = self.longest;
        // Who is met twice counts once.
        if one == Some(began) || two == Some(began) {
            return;
        }
        self.longest = match (one, two) {
            (None, _) => [Some(began), None],
            (Some(first), _) if began < first => [Some(began), one],
            (_, Some(second)) if began > second => [one, two],
            _ => [one, Some(began)],
        };
    }

    fn merge(&mut self, other: Count) {
        if self.live == 0 {
            *self = other;
            return;
        }
        self.live += other.live;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        other
            .longest
            .into_iter()
            .flatten()
            .for_each(|w| self.wait(w));
    }
}

/// What is remembered of a spawn site.
#[derive(Clone, Copy)]
pub(super) struct History {
    /// Where its growth began: how many there were, when, and the highest number among them.
    pub(super) base: usize,
    base_at: u64,
    base_last: u64,
    /// The most there were since, when that was, and in how many counts there were more than before.
    pub(super) peak: usize,
    peak_at: u64,
    grown: u32,
    /// The waits that were the longest at the last count, and when that was.
    longest: [Option<Began>; 2],
    counted_at: u64,
    /// Of such waits so many have ended, and one had lasted so long, in nanoseconds.
    pub(super) ended: u32,
    pub(super) longest_ended: u64,
}

impl History {
    fn new(count: &Count, now: u64) -> History {
        History {
            base: count.live,
            base_at: now,
            base_last: count.last,
            peak: count.live,
            peak_at: now,
            grown: 0,
            longest: count.longest,
            counted_at: now,
            ended: 0,
            longest_ended: 0,
        }
    }

    /// Of a site of which no more is known than the waits that were seen to end.
    #[cfg(test)]
    pub(super) fn of_waits(ended: u32, longest_ended: u64) -> History {
        History {
            ended,
            longest_ended,
            ..History::new(&Count::default(), 0)
        }
    }

    fn note(&mut self, count: &Count, now: u64) {
        for began in self.longest.into_iter().flatten() {
            // Whoever waits for longer was the longest before: so if it is not among them, it goes on.
            if !count.longest.contains(&Some(began)) {
                self.ended = self.ended.saturating_add(1);
                let lasted = self.counted_at.saturating_sub(began.0);
                self.longest_ended = self.longest_ended.max(lasted);
            }
        }
        // Some may end. If all have that were there when it began, it is work that comes and goes.
        let shrank = count.live < self.peak - self.peak / 8;
        if shrank || count.first > self.base_last || self.stands(now) {
            *self = History {
                ended: self.ended,
                longest_ended: self.longest_ended,
                ..History::new(count, now)
            };
        } else if count.live > self.peak {
            (self.peak, self.peak_at) = (count.live, now);
            self.grown += 1;
        }
        (self.longest, self.counted_at) = (count.longest, now);
    }

    fn stands(&self, now: u64) -> bool {
        now.saturating_sub(self.peak_at) > self.grew_for().max(STANDS)
    }

    /// How long it has grown, in nanoseconds.
    pub(super) fn grew_for(&self) -> u64 {
        self.peak_at - self.base_at
    }

    /// True if the number only grows.
    pub(super) fn grows(&self, now: u64) -> bool {
        self.grown >= GROWS_OFTEN
            && self.grew_for() >= GROWS_FOR
            && self.peak >= 2 * self.base + GROWS_BY
            && !self.stands(now)
    }
}

/// By spawn site.
pub(super) type Histories = HashMap<&'static Location<'static>, History>;

#[derive(Default)]
struct Tally {
    /// When the next count begins.
    next: u64,
    /// The worker at which the count is, and what is left there; nothing between two counts.
    at: Option<(usize, usize)>,
    /// By the address of the site, which is quicker to compare: the same line may have several.
    counts: HashMap<usize, (&'static Location<'static>, Count)>,
}

/// Sysmon looks around.
pub(super) fn look(rt: &Runtime) {
    let now = clock();
    let mut tally = TALLY.lock();
    let tally = tally.get_or_insert_default();
    if tally.at.is_none() {
        if now < tally.next {
            return;
        }
        tally.next = now + PERIOD;
        if rt.num_goroutines() < FEWEST {
            let before = HISTORIES.lock().take();
            drop(before);
            return;
        }
        tally.at = Some((0, usize::MAX));
    }
    if tally.walk(rt) {
        tally.conclude(now);
    }
}

/// What is known of every spawn site.
pub(super) fn histories() -> Histories {
    HISTORIES.lock().clone().unwrap_or_default()
}

impl Tally {
    /// Goes on with a count. True if that was all.
    fn walk(&mut self, rt: &Runtime) -> bool {
        let Some((mut index, mut rest)) = self.at else {
            return false;
        };
        let until = clock() + LOOKS_FOR;
        let mut over = false;
        rt.each_worker(|worker| {
            while !over && worker.index == index {
                rest = worker.walk_part(rest, PART, &mut |task| self.add(task));
                over = clock() > until;
                if rest == 0 {
                    (index, rest) = (index + 1, usize::MAX);
                }
            }
        });
        // Time is left only where no worker is.
        self.at = over.then_some((index, rest));
        !over
    }

    /// Under the lock of its worker's list.
    fn add(&mut self, task: &Task) {
        let of = task.identity();
        let wait = match task.runnable.load(Ordering::Relaxed) {
            true => None,
            false => task.record.read_epoch().filter(|(_, wait)| !wait.timed),
        };
        let site = std::ptr::from_ref(of.site).addr();
        let (_, count) = self
            .counts
            .entry(site)
            .or_insert((of.site, Count::default()));
        count.add(of.id, wait.map(|(epoch, wait)| (wait.since, of.id, epoch)));
    }

    fn conclude(&mut self, now: u64) {
        let mut counts: HashMap<_, Count> = HashMap::new();
        for (site, count) in std::mem::take(&mut self.counts).into_values() {
            counts.entry(site).or_default().merge(count);
        }
        let mut histories = HISTORIES.lock();
        let histories = histories.get_or_insert_default();
        histories.retain(|site, _| counts.contains_key(site));
        for (site, count) in counts {
            let history = histories.entry(site);
            let history = history.or_insert_with(|| History::new(&count, now));
            history.note(&count, now);
        }
    }
}

#[cfg(test)]
mod tests;
