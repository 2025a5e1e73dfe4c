//! A lock for many readers or one writer, without data: the word, and who waits.
//!
//! # The lock word
//!
//! | bits | meaning |
//! | --- | --- |
//! | 0 | `WAITERS`: the queue may not be empty. Changed under the queue's lock only. New readers and writers queue up |
//! | 1 | `WRITER`: a writer holds the lock |
//! | 2.. | how many readers hold it |
//!
//! Without waiters, each way is one compare-and-swap. Who lets go last and finds waiters hands the lock over, in their order:
//! to one writer, or to all readers up to the next writer. So neither side starves. An async task is told instead, and
//! keeps its place until it has the lock or gives up: nobody who would be in its way passes it meanwhile.
//!
//! # Invariants
//!
//! - R1: the slot of a node in the line is its waiter's `Want`, which stays until the waiter has left the line.

use std::marker::PhantomData;
use std::panic::Location;

use super::lazy_core::{guard_word, task_guard_word};
use super::soon::soon;
use crate::primitives::{AtomicUsize, Lock, Ordering};
use crate::rt::core_box::CoreBox;
use crate::wait::{Claimed, Limit, Stand, Turn, Wait, WaitKey, WaitQueue, WaitsAt};

const WAITERS: usize = 1;
const WRITER: usize = 2;
const READER: usize = 4;

/// What a caller wants: how the word changes when it gets it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Want(usize);

pub(super) const READ: Want = Want(READER);
pub(super) const WRITE: Want = Want(WRITER);

impl Want {
    /// True if a word lets it in, whoever waits.
    fn fits(self, word: usize) -> bool {
        match self {
            WRITE => word & !WAITERS == 0,
            _ => word & WRITER == 0,
        }
    }
}

/// The line comes first, see `wait::line`.
#[derive(Default)]
#[repr(C)]
pub(super) struct Core {
    /// Those who wait.
    line: Lock<WaitQueue>,
}

/// Takes the lock if nobody stands in the way, nor waits.
#[inline]
pub(super) fn enter(word: &AtomicUsize, want: Want) -> bool {
    let mut now = word.load(Ordering::Relaxed);
    while now & WAITERS == 0 && want.fits(now) {
        match word.compare_exchange_weak(now, now + want.0, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(other) => now = other,
        }
    }
    false
}

/// Looks for a moment whether the lock becomes free, for whom nobody waits: who waits is served before.
fn enter_soon(word: &AtomicUsize, want: Want) -> bool {
    let mut entered = false;
    soon(|| {
        entered = enter(word, want);
        entered || word.load(Ordering::Relaxed) & WAITERS != 0
    });
    entered
}

/// True once the caller has the lock; false if the limit came first.
#[cold]
pub(super) fn take_slow(core: &CoreBox<Core>, want: Want, limit: Limit<'_>, key: WaitKey) -> bool {
    let word = &core.header.senders;
    if enter_soon(word, want) {
        return true;
    }
    let line = core.value.line.lock();
    let before = word.fetch_or(WAITERS, Ordering::Acquire);
    if line.is_empty() && want.fits(before) {
        // With the bit up nobody enters but under this lock, and who leaves makes room only.
        word.fetch_add(want.0, Ordering::Acquire);
        settle(&line, word);
        return true;
    }
    let wait = Wait::new(key, &want).within(limit);
    wait.park(&core.value.line, line, |line| serve(line, word))
}

/// Hands the lock to those at the front who fit beside those who hold it, and tells the tasks among them. Under the line's
/// lock.
fn serve(line: &mut WaitQueue, word: &AtomicUsize) -> Vec<Claimed> {
    let mut served = Vec::new();
    loop {
        let now = word.load(Ordering::Relaxed);
        let (mut want, mut reader_ahead) = (READ, false);
        let first = line.pop_claim_by(|node| {
            // SAFETY: R1.
            want = unsafe { *node.slot().cast::<Want>() };
            if !want.fits(now) || want == WRITE && reader_ahead {
                return Turn::Stop;
            }
            if !node.waiter().is_task() {
                return Turn::Now;
            }
            served.extend(node.tell());
            reader_ahead = true;
            match want {
                WRITE => Turn::Stop,
                _ => Turn::Pass,
            }
        });
        let Some((_, claimed)) = first else { break };
        word.fetch_add(want.0, Ordering::Acquire);
        served.push(claimed);
    }
    settle(line, word);
    served
}

/// Takes the waiters' bit back if nobody waits. Under the line's lock.
fn settle(line: &WaitQueue, word: &AtomicUsize) {
    if line.is_empty() {
        word.fetch_and(!WAITERS, Ordering::Relaxed);
    }
}

/// A task that waits for the lock.
pub(super) struct RwLockTask<'a> {
    pub(super) core: &'a CoreBox<Core>,
    pub(super) want: Want,
}

impl RwLockTask<'_> {
    /// Takes the lock if nobody stands in the way, nor waits.
    pub(super) fn try_take(&self) -> bool {
        enter(&self.core.header.senders, self.want)
    }
}

impl WaitsAt for RwLockTask<'_> {
    type State = WaitQueue;
    type Slot = Want;

    fn lock(&self) -> &Lock<WaitQueue> {
        &self.core.value.line
    }

    fn slot(&self) -> Want {
        self.want
    }

    fn take(&self, line: &mut WaitQueue, stand: &Stand<'_>, others: &mut Vec<Claimed>) -> bool {
        let word = &self.core.header.senders;
        let before = word.fetch_or(WAITERS, Ordering::Acquire);
        // Told, it has nobody before it but readers like itself (`serve`).
        let taken = (stand.told() || stand.is_next(line.front())) && self.want.fits(before);
        if taken {
            stand.leave(line);
            word.fetch_add(self.want.0, Ordering::Acquire);
            *others = serve(line, word);
        }
        taken
    }

    fn left(&self, line: &mut WaitQueue, _told: bool) -> Vec<Claimed> {
        serve(line, &self.core.header.senders)
    }
}

/// The lock, held in one way or the other.
pub(super) struct Held<'a> {
    core: &'a CoreBox<Core>,
    pub(super) want: Want,
    /// The word by which a scan of memory finds who holds the lock.
    word: *const (),
    here: PhantomData<*const ()>,
}

impl<'a> Held<'a> {
    /// The lock that was just taken at `site`.
    pub(super) fn taken(
        core: &'a CoreBox<Core>,
        want: Want,
        site: &'static Location<'static>,
    ) -> Held<'a> {
        core.header.set_held_at(site);
        Held {
            core,
            want,
            word: guard_word(core),
            here: PhantomData,
        }
    }

    /// As `taken`, by a task: it may go to another thread.
    pub(super) fn taken_by_task(
        core: &'a CoreBox<Core>,
        want: Want,
        site: &'static Location<'static>,
    ) -> Held<'a> {
        let mut held = Held::taken(core, want, site);
        held.word = task_guard_word(core);
        held
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // SAFETY: its own field. The read has it in memory all the time, where a scan finds it; after the write no stale word looks like a
        // held lock.
        unsafe {
            let _ = std::ptr::read_volatile(&raw const self.word);
            std::ptr::write_volatile(&raw mut self.word, std::ptr::null());
        }
        let before = self
            .core
            .header
            .senders
            .fetch_sub(self.want.0, Ordering::Release);
        if before & WAITERS != 0 && before - self.want.0 == WAITERS {
            let served = serve(&mut self.core.value.line.lock(), &self.core.header.senders);
            served.into_iter().for_each(Claimed::wake);
        }
    }
}
