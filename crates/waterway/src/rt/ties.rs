//! What ties goroutines together: the ends of channels that their closures hold. Those that hand over to each other in short
//! turns should live on one worker, and which ones do is written in the words of their closures.
//!
//! A closure is read as words, as a conservative collector reads memory. A word that only looks like an end ties goroutines
//! that have nothing to do with each other, which may cost time and nothing else.

use std::arch::asm;
use std::panic::Location;
use std::ptr::NonNull;

use super::arena::{HANDLES, LINE};
use super::clock::coarse_clock;
use super::habit;
use super::sched::MAX_WORKERS;
use crate::primitives::{AtomicU64, AtomicUsize, Ordering};

/// So many ends of a closure are looked at.
const MOST: usize = 8;
/// An end ties so many goroutines together: what is in more hands than that (a log, a wait group) says little of any.
const HANDS: u64 = 16;
/// So many goroutines in a row, each of which followed the one before it, are a chain; fewer are never parted.
const CHAIN: u64 = 16;
/// How long an end is remembered, in nanoseconds: partners are mostly started together.
const MEMORY: u64 = 20_000_000;

/// Words of ends, each with the worker of those who have it. Others may take a place at any time.
static HOMES: [AtomicU64; 1024] = [const { AtomicU64::new(0) }; 1024];

/// The spawn site of who took the same place in [`HOMES`] last.
static SITES: [AtomicUsize; HOMES.len()] = [const { AtomicUsize::new(0) }; HOMES.len()];

/// A place in [`HOMES`]: the word's line in the arena, when it was taken (in [`MEMORY`]s), in how many hands, the worker, and how many
/// goroutines there followed one another before the first who had the end.
#[derive(Clone, Copy)]
struct Home(u64);

const _: () = assert!(MAX_WORKERS <= 1 << 10 && HANDS < 1 << 6 && CHAIN < 1 << 8);

impl Home {
    fn new(line: u64, hands: u64, worker: usize, row: u64) -> Home {
        Home(line << 32 | (now() & 0xff) << 24 | row << 16 | hands << 10 | worker as u64)
    }

    fn is_of(self, line: u64) -> bool {
        self.0 >> 32 == line && (now().wrapping_sub(self.0 >> 24) & 0xff) < 2
    }

    fn row(self) -> u64 {
        self.0 >> 16 & 0xff
    }

    fn hands(self) -> u64 {
        self.0 >> 10 & 0x3f
    }

    fn worker(self) -> usize {
        (self.0 & 0x3ff) as usize
    }
}

fn now() -> u64 {
    coarse_clock() / MEMORY + 1
}

fn place(line: u64) -> &'static AtomicU64 {
    &HOMES[line as usize % HOMES.len()]
}

/// A channel was made at this place: what is known of its ends is of another, which lay here before.
pub(crate) fn forget(core: NonNull<u8>) {
    let Some(offset) = HANDLES.offset(core.as_ptr() as usize) else {
        return;
    };
    for line in [line_at(offset), line_at(offset) + 1] {
        if place(line).load(Ordering::Relaxed) >> 32 == line {
            place(line).store(0, Ordering::Relaxed);
        }
    }
}

/// The line of an end. Neither it nor its neighbours are 0, which stands for an empty place.
fn line_at(offset: usize) -> u64 {
    (offset / LINE + 2) as u64
}

/// The ends that a closure holds.
#[derive(Clone, Copy)]
pub(crate) struct Ties {
    lines: [u64; MOST],
    len: usize,
    /// The goroutine is of a site that is known to hand over in short turns.
    pub(crate) are_short: bool,
    /// How many in a row followed one another to the place where this one goes.
    row: u64,
}

impl Ties {
    /// Looks for ends in `closure`.
    pub(crate) fn of<F>(closure: &F) -> Ties {
        let mut ties = Ties {
            lines: [0; MOST],
            len: 0,
            are_short: false,
            row: 0,
        };
        let at = std::ptr::from_ref(closure).cast::<usize>();
        if !at.is_aligned() {
            return ties;
        }
        for n in 0..size_of::<F>() / size_of::<usize>() {
            // SAFETY: within the closure.
            let word = unsafe { peek(at.add(n)) };
            if ties.len < MOST
                && word.is_multiple_of(LINE)
                && let Some(offset) = HANDLES.offset(word)
            {
                ties.lines[ties.len] = line_at(offset);
                ties.len += 1;
            }
        }
        ties
    }

    /// The worker of those who hold an end of the same channel, if there are few and they were started just now.
    ///
    /// Where these are the end of a chain that has grown to some length there, the goroutine may begin another stretch of it elsewhere:
    /// `relief` says where, if the worker has too much to do. Who comes next follows it there.
    pub(crate) fn worker(&mut self, relief: impl Fn(usize) -> Option<usize>) -> Option<usize> {
        let home = self.home()?;
        let row = home.row() + 1;
        if row >= CHAIN
            && let Some(other) = relief(home.worker())
        {
            return Some(other);
        }
        self.row = row.min(CHAIN);
        Some(home.worker())
    }

    fn home(&self) -> Option<Home> {
        self.lines().find_map(|line| {
            // The ends of a channel are one line apart.
            [line, line - 1, line + 1].into_iter().find_map(|line| {
                let home = Home(place(line).load(Ordering::Relaxed));
                (home.is_of(line) && home.hands() < HANDS).then_some(home)
            })
        })
    }

    /// The worker of all whom the goroutine will serve: it receives from two others or more, or sends to two or more, who were
    /// started just now, and all on one worker. Who stands in the middle of a chain is none of these: its neighbours
    /// should spread if they compute.
    ///
    /// If they were started on several workers, that is noted for their spawn sites.
    pub(crate) fn hub(&self) -> Option<usize> {
        if self.len < 2 {
            return None;
        }
        let (mut before, mut after) = (0, 0);
        let (mut at, mut torn) = (None, false);
        for line in self.lines() {
            // The line of a receiver follows that of a sender.
            for (other, met) in [(line - 1, &mut before), (line + 1, &mut after)] {
                let home = Home(place(other).load(Ordering::Relaxed));
                if home.is_of(other) && home.hands() < HANDS {
                    *met += 1;
                    torn |= *at.get_or_insert(home.worker()) != home.worker();
                }
            }
        }
        if before.max(after) < 2 || before.min(after) > 0 {
            return None;
        }
        if torn {
            self.note_torn();
        }
        at.filter(|_| !torn)
    }

    #[cold]
    fn note_torn(&self) {
        for line in self.lines().flat_map(|line| [line - 1, line + 1]) {
            if Home(place(line).load(Ordering::Relaxed)).is_of(line) {
                habit::note_torn(SITES[line as usize % SITES.len()].load(Ordering::Relaxed));
            }
        }
    }

    fn lines(&self) -> impl Iterator<Item = u64> {
        self.ends().iter().copied()
    }

    /// The ends, each by a number. That of a receiver follows that of the sender of the same channel.
    pub(super) fn ends(&self) -> &[u64] {
        &self.lines[..self.len]
    }

    /// The goroutine, of this spawn site, went to this worker.
    pub(crate) fn settle(&self, site: &'static Location<'static>, worker: usize) {
        for line in self.lines() {
            let home = Home(place(line).load(Ordering::Relaxed));
            let home = match home.is_of(line) {
                true => {
                    let hands = (home.hands() + 1).min(HANDS);
                    Home::new(line, hands, home.worker(), home.row())
                }
                false => Home::new(line, 1, worker, self.row),
            };
            place(line).store(home.0, Ordering::Relaxed);
            let site = std::ptr::from_ref(site) as usize;
            SITES[line as usize % SITES.len()].store(site, Ordering::Relaxed);
        }
    }

    /// The goroutine goes to this worker after all.
    pub(super) fn resettle(&self, worker: usize) {
        for line in self.lines() {
            let home = Home(place(line).load(Ordering::Relaxed));
            if home.is_of(line) {
                let home = Home::new(line, home.hands(), worker, home.row());
                place(line).store(home.0, Ordering::Relaxed);
            }
        }
    }
}

/// Reads a word that may be of any kind, padding too, which Rust's own loads must not.
///
/// # Safety
///
/// `at` is aligned and readable.
#[inline]
unsafe fn peek(at: *const usize) -> usize {
    let word;
    // SAFETY: by the caller; what comes out is some number, whatever was there.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("mov {word}, [{at}]", at = in(reg) at, word = lateout(reg) word, options(nostack, readonly, preserves_flags));
        #[cfg(target_arch = "aarch64")]
        asm!("ldr {word}, [{at}]", at = in(reg) at, word = lateout(reg) word, options(nostack, readonly, preserves_flags));
    }
    word
}

#[cfg(test)]
impl Ties {
    pub(super) fn with(ends: &[u64]) -> Ties {
        let mut ties = Ties::of(&());
        ties.lines[..ends.len()].copy_from_slice(ends);
        ties.len = ends.len();
        ties
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_relief(_: usize) -> Option<usize> {
        None
    }

    /// A closure that holds `word`, beside padding.
    fn holding(word: usize) -> impl Fn() -> (u8, usize) {
        let small = 1u8;
        move || (small, word)
    }

    fn core() -> usize {
        let layout = std::alloc::Layout::from_size_align(256, LINE).expect("a layout");
        HANDLES.alloc(layout).as_ptr() as usize
    }

    #[test]
    fn who_holds_the_other_end_is_found() {
        let (channel, other) = (core(), core());
        let mut sender = Ties::of(&holding(channel));
        assert_eq!(sender.worker(no_relief), None);
        sender.settle(Location::caller(), 3);
        assert_eq!(
            Ties::of(&holding(channel + LINE)).worker(no_relief),
            Some(3)
        );
        assert_eq!(Ties::of(&holding(other)).worker(no_relief), None);
    }

    /// A closure that holds two words.
    fn holding_both(one: usize, other: usize) -> impl Fn() -> (usize, usize) {
        move || (one, other)
    }

    #[test]
    fn who_serves_two_others_is_a_hub() {
        let (a, b) = (core(), core());
        Ties::of(&holding(a)).settle(Location::caller(), 3);
        let receiver = holding_both(a + LINE, b + LINE);
        assert_eq!(Ties::of(&receiver).hub(), None, "one is not there yet");
        Ties::of(&holding(b)).settle(Location::caller(), 3);
        assert_eq!(Ties::of(&receiver).hub(), Some(3));

        let (a, b) = (core(), core());
        Ties::of(&holding(a + LINE)).settle(Location::caller(), 1);
        Ties::of(&holding(b + LINE)).settle(Location::caller(), 1);
        assert_eq!(Ties::of(&holding_both(a, b)).hub(), Some(1));
    }

    #[test]
    fn who_stands_in_a_chain_or_between_workers_is_no_hub() {
        let (a, b) = (core(), core());
        Ties::of(&holding(a)).settle(Location::caller(), 3);
        Ties::of(&holding(b + LINE)).settle(Location::caller(), 3);
        assert_eq!(Ties::of(&holding_both(a + LINE, b)).hub(), None);

        let (a, b) = (core(), core());
        Ties::of(&holding(a)).settle(Location::caller(), 3);
        Ties::of(&holding(b)).settle(Location::caller(), 4);
        assert_eq!(Ties::of(&holding_both(a + LINE, b + LINE)).hub(), None);
    }

    #[test]
    fn who_goes_elsewhere_after_all_is_followed_there() {
        let channel = core();
        let sender = Ties::of(&holding(channel));
        sender.settle(Location::caller(), 3);
        sender.resettle(5);
        let mut receiver = Ties::of(&holding(channel + LINE));
        assert_eq!(receiver.worker(no_relief), Some(5));
    }

    #[test]
    fn who_held_what_lay_there_before_is_forgotten() {
        let channel = core();
        Ties::of(&holding(channel)).settle(Location::caller(), 3);
        let mut other = Ties::of(&holding(channel + LINE));
        assert_eq!(other.worker(no_relief), Some(3));
        forget(NonNull::new(channel as *mut u8).expect("an address"));
        assert_eq!(other.worker(no_relief), None);
    }

    #[test]
    fn what_is_in_many_hands_ties_nobody() {
        let mut log = Ties::of(&holding(core()));
        (0..HANDS - 1).for_each(|_| log.settle(Location::caller(), 2));
        assert_eq!(log.worker(no_relief), Some(2));
        log.settle(Location::caller(), 2);
        assert_eq!(log.worker(no_relief), None);
    }

    /// Where a goroutine goes that receives from `from` and sends to `to`, if the others have room.
    fn link(from: usize, to: usize, alone: usize) -> usize {
        let mut ties = Ties::of(&holding_both(from + LINE, to));
        let worker = ties.worker(|full| Some(full + 1)).unwrap_or(alone);
        ties.settle(Location::caller(), worker);
        worker
    }

    #[test]
    fn a_chain_goes_on_elsewhere_in_long_stretches() {
        let channels: Vec<_> = (0..4 * CHAIN).map(|_| core()).collect();
        let workers: Vec<_> = channels.windows(2).map(|w| link(w[0], w[1], 3)).collect();
        let stretches: Vec<_> = workers.chunk_by(|a, b| a == b).collect();
        let (rest, whole) = stretches.split_last().expect("some");
        assert!(whole.len() >= 2, "{workers:?}");
        for stretch in whole {
            assert_eq!(stretch.len(), CHAIN as usize, "{workers:?}");
        }
        assert!(rest.len() <= CHAIN as usize);
    }

    #[test]
    fn pairs_and_those_around_one_channel_are_not_parted() {
        for _ in 0..2 * CHAIN {
            let (ping, pong) = (core(), core());
            assert_eq!(link(ping, pong, 3), 3);
            assert_eq!(link(pong, ping, 4), 3);
        }
        let shared = core();
        let hold = |alone| link(shared, core(), alone);
        assert_eq!(hold(3), 3);
        (2..HANDS).for_each(|_| assert_eq!(hold(4), 3));
    }

    #[test]
    fn other_words_are_no_ends() {
        let mut ties = Ties::of(&holding(core() + 8));
        ties.settle(Location::caller(), 1);
        assert_eq!((ties.len, ties.worker(no_relief)), (0, None));
    }
}
