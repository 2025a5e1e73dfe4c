//! What the runtime tells of itself to whoever takes a snapshot.

use std::time::Duration;

use super::peek::Peek;
use super::record::{Arms, Permits, Record, WaitReason};
use super::task::Task;
use super::thread::asleep_in_kernel;
use super::worker::{Party, Worker};
use crate::primitives::{Ordering, fence};

/// So many goroutines are looked at in one go: their worker can begin or end one after that.
const AT_ONCE: usize = 512;
/// For so long nobody looks then: who waits for the lock tries it now and then, and must find it free for a good part of the time.
const BETWEEN: Duration = Duration::from_micros(100);
/// Of a stack so many bytes are read, from the innermost frame on.
const MOST_STACK: usize = 64 << 10;

/// A worker, as of a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkerFacts {
    pub(crate) tid: u32,
    pub(crate) retired: bool,
    pub(crate) apart: bool,
    pub(crate) busy: bool,
    /// Its thread sleeps in the kernel, inside of a goroutine.
    pub(crate) asleep: bool,
    /// Since when, by the runtime's clock, one goroutine has held it; 0 if none has for long.
    pub(crate) held_since: u64,
    pub(crate) timers: usize,
}

impl Worker {
    pub(crate) fn facts(&self) -> WorkerFacts {
        let retired = self.retired.load(Ordering::Relaxed);
        let busy = self.busy.load(Ordering::Relaxed);
        let tid = self.tid.load(Ordering::Relaxed);
        WorkerFacts {
            tid: if retired { 0 } else { tid },
            retired,
            apart: self.party == Party::Apart,
            busy,
            asleep: busy && asleep_in_kernel(tid) == Some(true),
            held_since: self.held_since.load(Ordering::Relaxed),
            timers: self.timers.lock().len(),
        }
    }

    /// Calls `f` with every started goroutine that lives here, a few at a time, so that the worker is never kept for long. One that
    /// lives here all along is met, and may be met twice.
    pub(crate) fn walk_live(&self, mut f: impl FnMut(&Task)) {
        let mut rest = usize::MAX;
        while rest > 0 {
            rest = self.walk_part(rest, AT_ONCE, &mut f);
            if rest > 0 && !self.bed.asleep() {
                std::thread::sleep(BETWEEN);
            }
        }
    }

    /// A part of such a walk, of so many at most, which begins with `usize::MAX`. Returns what is left: 0 if it is over.
    pub(crate) fn walk_part(&self, rest: usize, most: usize, f: &mut impl FnMut(&Task)) -> usize {
        // From behind: who changes its place takes one further in front.
        self.live.afar(|live| {
            let end = rest.min(live.places());
            let rest = end.saturating_sub(most);
            live.fetch(rest..end);
            live.among(rest..end).for_each(f);
            rest
        })
    }
}

/// The arms of a select, by the record of who waits in it: how many, and the first of them, each the address of a core and whether it
/// sends. Nothing if that wait is over.
pub(crate) fn arms(peek: &Peek, record: &Record) -> Option<(usize, Vec<(usize, bool)>)> {
    let bytes = lent::<{ size_of::<Arms>() }>(peek, record, WaitReason::Select)?;
    Some(Arms::read(&bytes))
}

/// What a semaphore is asked for, by the record of who waits for it: the address of its core, and how many permits.
pub(crate) fn permits(peek: &Peek, record: &Record) -> Option<(usize, usize)> {
    let bytes = lent::<{ size_of::<Permits>() }>(peek, record, WaitReason::Semaphore)?;
    Some(Permits::read(&bytes))
}

/// What lies on the stack of who waits for that reason, where the record says. Nothing if that wait is over.
fn lent<const N: usize>(peek: &Peek, record: &Record, reason: WaitReason) -> Option<[u8; N]> {
    let (epoch, waiting) = record.read_epoch()?;
    let mut bytes = [0; N];
    let read = waiting.key.reason == reason && peek.read(waiting.key.object, &mut bytes);
    fence(Ordering::Acquire);
    (read && record.epoch() == epoch).then_some(bytes)
}

/// The part of a waiting goroutine's stack that is in use, as it was while the goroutine waited.
pub(crate) struct StackCopy {
    /// Where it begins.
    pub(crate) sp: usize,
    pub(crate) bytes: Vec<u8>,
}

impl Task {
    /// Size of the goroutine's stack, and how many bytes of it are in use if it waits, in bytes.
    pub(crate) fn stack_use(&self) -> (usize, Option<usize>) {
        let range = self.stack_range();
        let used = self.while_waiting(|sp| range.contains(&sp).then(|| range.end - sp));
        (range.len(), used)
    }

    /// A copy of the stack of a goroutine that waits, from its innermost frame on. Nothing if it ran meanwhile, or cannot be read.
    pub(crate) fn stack_copy(&self, peek: &Peek) -> Option<StackCopy> {
        let range = self.stack_range();
        self.while_waiting(|sp| {
            let used = range.contains(&sp).then(|| range.end - sp)?;
            let mut bytes = vec![0; used.min(MOST_STACK)];
            peek.read(sp, &mut bytes).then_some(StackCopy { sp, bytes })
        })
    }

    /// What `look` makes of the place where the goroutine's stack ends, if it was left there all along. Within a wait it is left once:
    /// so with the same epoch it has not run between.
    fn while_waiting<R>(&self, look: impl FnOnce(usize) -> Option<R>) -> Option<R> {
        let epoch = self.record.epoch();
        if epoch.is_multiple_of(2) {
            return None;
        }
        let left = self.left_at();
        let seen = look(left?);
        fence(Ordering::Acquire);
        seen.filter(|_| self.left_at() == left && self.record.epoch() == epoch)
    }
}
