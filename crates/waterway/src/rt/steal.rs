//! Which unstarted goroutines an idle worker takes over: those that would wait for long where they are. One that starts within
//! microseconds is better left with its neighbours, to whom it probably hands over. So the thief looks for a moment how its
//! victim goes on, before it takes anything.
//!
//! Where others may run only in a held worker's place, by its token, who stands in takes all that it left unstarted, if they are few: they
//! may be partners. And who waits for a token keeps his: to take them would only part them from those that live there.
//!
//! What it looks at is written by its victim with every spawn and start, and each look costs the victim some of its time. So there are
//! few.

use std::iter;

use super::cell::Unstarted;
use super::clock::clock;
use super::idle::{CROWD, PATIENCE};
use super::sched::Runtime;
use super::worker::{Party, Worker, take};
use crate::primitives::Ordering;

/// A thief looks once in so long, in nanoseconds.
const LOOK_EVERY: u64 = 2_500;
/// How long it looks at the pace, and how long a crowd must be going to last to be shared, in nanoseconds.
const PACE_LOOK: u64 = 5_000;
const WORTH: u64 = 100_000;
/// Of those that came from elsewhere so many are taken at once.
const INCOMING_MOST: usize = 32;
/// A turn is long from this on: the goroutines of such a crowd compute.
const LONG: u64 = 10_000;
/// Goroutines that are over in less than this, with all that belongs to it, are faster done than moved, unless there are so many that
/// their cells leave the caches.
const FLEETING: u64 = 200;
const MANY: usize = 4096;
/// Who spawns more than this between two looks spawns a crowd. If it is not known what they do, that will show soon, when they start: so
/// for this long the thief looks on.
const SPAWNS_ON: u64 = 5;
const SPAWNS_FOR: u64 = 100_000;

/// Takes over goroutines that have not started and would wait for long where they are.
pub(super) fn steal(thief: &'static Worker, rt: &'static Runtime) -> Option<Unstarted> {
    if thief.party == Party::Apart {
        return rt.pop_apart();
    }
    let victim = next_victim(thief, rt)?;
    let (begin, ran, mut first) = (clock(), victim.cpu_time(), victim.look());
    let mut last = first;
    loop {
        while clock() - last.at < LOOK_EVERY {
            if thief.has_own_work() {
                return None;
            }
            std::hint::spin_loop();
        }
        let now = victim.look();
        let (waited, moved) = (now.at - first.at, now.turns - first.turns);
        let before = std::mem::replace(&mut last, now);
        let (spawned, here) = (now.spawned - before.spawned, now.here - before.here);
        let backlog = victim.backlog();
        if backlog == 0 || victim.hand.waits() {
            return None;
        }
        if backlog > CROWD {
            let many = backlog > MANY;
            if moved == 0 && spawned > SPAWNS_ON && !many {
                if here * 2 > spawned {
                    return None;
                }
                if now.at - begin < SPAWNS_FOR {
                    first = now;
                    continue;
                }
            }
            // A crowd of what is over in no time is not worth the trouble: how long will it be at this pace?
            if waited > PACE_LOOK {
                // It has not begun: its thread wakes up, or waits for a CPU.
                if moved == 0 && !victim.busy.load(Ordering::Relaxed) && !victim.is_ripe(now.at) {
                    return None;
                }
                let each = waited / moved.max(1);
                let stayed = moved.saturating_sub(now.finished - first.finished);
                if each < FLEETING && stayed * 2 < moved && !many {
                    return None;
                }
                // Those that start fast and stay are shared by their number, others by the work that there is.
                let most = match each < LONG {
                    true => victim.excess_over(thief, stayed) / 2,
                    false => backlog / 2,
                };
                let worth = backlog as u64 * each > WORTH && most > 0;
                return worth.then(|| victim.rob_many(thief, most)).flatten();
            }
        } else if moved > 0 {
            return None;
        } else if waited > PATIENCE {
            // Was it inside one goroutine all that time? Else it is waking up, or its thread is not scheduled, or sleeps: a
            // nap decides.
            let computed = victim.cpu_time().saturating_sub(ran) > waited / 2;
            let worth = computed && victim.busy.load(Ordering::Relaxed) || victim.is_ripe(now.at);
            return worth.then(|| victim.rob_few(thief)).flatten();
        }
    }
}

/// What a thief sees of its victim.
#[derive(Clone, Copy)]
struct Look {
    at: u64,
    /// How many turns goroutines had there.
    turns: u64,
    spawned: u64,
    /// How many of them were known to be better left there.
    here: u64,
    finished: u64,
}

/// The next worker that others may take goroutines from: another one each time, so that one who always has some, and goes on,
/// hides nobody.
fn next_victim(thief: &Worker, rt: &'static Runtime) -> Option<&'static Worker> {
    let last = thief.last_victim();
    let (mut before, mut after) = (None, None);
    rt.each_worker(|victim| {
        if !std::ptr::eq(victim, thief) && victim.backlog() > 0 && !victim.hand.waits() {
            let found = match victim.index > last {
                true => &mut after,
                false => &mut before,
            };
            found.get_or_insert(victim);
        }
    });
    let victim = after.or(before)?;
    thief.set_last_victim(victim.index);
    Some(victim)
}

impl Worker {
    fn look(&self) -> Look {
        Look {
            at: clock(),
            turns: self.turns.load(Ordering::Relaxed),
            spawned: self.spawned.load(Ordering::Relaxed),
            here: self.here.load(Ordering::Relaxed),
            finished: self.finished.load(Ordering::Relaxed),
        }
    }

    /// Takes an unstarted goroutine of this worker over to `thief`, by whose thread this is called. If this one runs on without a token,
    /// the few others too.
    fn rob_few(&self, thief: &Worker) -> Option<Unstarted> {
        let first = self.rob()?;
        if self.busy.load(Ordering::Relaxed) && !self.hand.holds() {
            let others = iter::from_fn(|| self.rob()).take(CROWD);
            // SAFETY: the thief's thread.
            unsafe { thief.fresh.push_crowd(others) };
        }
        Some(first)
    }

    /// Takes up to `most` unstarted goroutines of this worker over to `thief`, by whose thread this is called: the first of
    /// them, and the others into its queue.
    fn rob_many(&self, thief: &Worker, most: usize) -> Option<Unstarted> {
        let mut taken = self.fresh.steal_many(most);
        if taken.is_empty() {
            let more = || take(|| self.incoming.steal());
            taken.extend(iter::from_fn(more).take(most.min(INCOMING_MOST)));
        }
        let mut taken = taken.into_iter();
        let first = taken.next();
        // SAFETY: the thief's thread.
        unsafe { thief.fresh.push_crowd(taken) };
        first
    }
}
