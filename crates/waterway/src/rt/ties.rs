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
use crate::primitives::{AtomicU64, AtomicUsize, Ordering};

/// So many ends of a closure are looked at.
const MOST: usize = 8;
/// An end ties so many goroutines together: what is in more hands than that (a log, a wait group) says little of any.
const HANDS: u64 = 16;
/// How long an end is remembered, in nanoseconds: partners are mostly started together.
const MEMORY: u64 = 20_000_000;

/// Words of ends, each with the worker of those who have it. Others may take a place at any time.
static HOMES: [AtomicU64; 1024] = [const { AtomicU64::new(0) }; 1024];

/// The spawn site of who took the same place in [`HOMES`] last.
static SITES: [AtomicUsize; HOMES.len()] = [const { AtomicUsize::new(0) }; HOMES.len()];

/// A place in [`HOMES`]: the word's line in the arena, when it was taken (in [`MEMORY`]s), in how many hands, and the worker.
#[derive(Clone, Copy)]
struct Home(u64);

impl Home {
    fn new(line: u64, hands: u64, worker: usize) -> Home {
        Home(line << 32 | (now() & 0xff) << 24 | hands << 16 | worker as u64)
    }

    fn is_of(self, line: u64) -> bool {
        self.0 >> 32 == line && (now().wrapping_sub(self.0 >> 24) & 0xff) < 2
    }

    fn hands(self) -> u64 {
        self.0 >> 16 & 0xff
    }

    fn worker(self) -> usize {
        (self.0 & 0xffff) as usize
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
pub(crate) struct Ties {
    lines: [u64; MOST],
    len: usize,
}

impl Ties {
    /// Looks for ends in `closure`.
    pub(crate) fn of<F>(closure: &F) -> Ties {
        let mut ties = Ties {
            lines: [0; MOST],
            len: 0,
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
    pub(crate) fn worker(&self) -> Option<usize> {
        self.lines().find_map(|line| {
            // The ends of a channel are one line apart.
            [line, line - 1, line + 1].into_iter().find_map(|line| {
                let home = Home(place(line).load(Ordering::Relaxed));
                (home.is_of(line) && home.hands() < HANDS).then(|| home.worker())
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
        self.lines[..self.len].iter().copied()
    }

    /// The goroutine, of this spawn site, went to this worker.
    pub(crate) fn settle(&self, site: &'static Location<'static>, worker: usize) {
        for line in self.lines() {
            let home = Home(place(line).load(Ordering::Relaxed));
            let home = match home.is_of(line) {
                true => Home::new(line, (home.hands() + 1).min(HANDS), home.worker()),
                false => Home::new(line, 1, worker),
            };
            place(line).store(home.0, Ordering::Relaxed);
            let site = std::ptr::from_ref(site) as usize;
            SITES[line as usize % SITES.len()].store(site, Ordering::Relaxed);
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
mod tests {
    use super::*;

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
        let sender = Ties::of(&holding(channel));
        assert_eq!(sender.worker(), None);
        sender.settle(Location::caller(), 3);
        assert_eq!(Ties::of(&holding(channel + LINE)).worker(), Some(3));
        assert_eq!(Ties::of(&holding(other)).worker(), None);
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
    fn who_held_what_lay_there_before_is_forgotten() {
        let channel = core();
        Ties::of(&holding(channel)).settle(Location::caller(), 3);
        let other = Ties::of(&holding(channel + LINE));
        assert_eq!(other.worker(), Some(3));
        forget(NonNull::new(channel as *mut u8).expect("an address"));
        assert_eq!(other.worker(), None);
    }

    #[test]
    fn what_is_in_many_hands_ties_nobody() {
        let log = Ties::of(&holding(core()));
        (0..HANDS - 1).for_each(|_| log.settle(Location::caller(), 2));
        assert_eq!(log.worker(), Some(2));
        log.settle(Location::caller(), 2);
        assert_eq!(log.worker(), None);
    }

    #[test]
    fn other_words_are_no_ends() {
        let ties = Ties::of(&holding(core() + 8));
        ties.settle(Location::caller(), 1);
        assert_eq!((ties.len, ties.worker()), (0, None));
    }
}
