//! What a worker does when it has nothing to run: help others, watch, sleep, retire.
//!
//! # No wake is lost
//!
//! A waker first puts work where the worker looks (inbox, incoming, timers), then reads the bed; a sleeper first lies
//! down, then looks for work. All four are sequentially consistent, so either the waker sees `ASLEEP` and rings, or the
//! sleeper sees the work. `wake` turns `ASLEEP` into `RUNG` once, so a worker is rung once for each sleep.
//!
//! A spare retires from its bed by the opposite turn, `ASLEEP` into `AWAKE`: either it is rung, and stays, or who comes later
//! sees that it rang nobody (`afar`). Work that is put where a retired worker would look is found by any other that looks before
//! it sleeps; `spawn` rings one if all sleep.
//!
//! The looks in question: `has_own_work` and `next_timer` after `lie_down`, before the sleep. What is read earlier, and the looks
//! for a backlog elsewhere, decide how long the sleep is, not whether a wake is seen. A timer is published by `next_timer` only if
//! it is the first of its heap; else the worker is to wake for another one anyway, before this one's leeway is over (`due`).
//!
//! Models (`models/`): `orders` runs `rest` itself, under every schedule with a few preemptions and what the memory orders allow
//! (`idle_worker_..`, `spare_..`); `runtime` the whole worker.
//!
//! # Watching
//!
//! Goroutines that have not started may be taken over, but one that will start within microseconds is better left where
//! it is: it probably hands over to its neighbours. So an idle worker is patient (`steal`), and while there is a backlog
//! anywhere, or others spawned some since it last looked, it naps instead of sleeping for good. A spawner wakes an idle worker only if
//! no other one watches already. (It looks without a fence: one that it does not find, since it is about to sleep, sysmon wakes.)

use std::cell::Cell;
use std::time::Duration;

use super::clock::{clock, refresh_coarse};
use super::gather::TOGETHER;
use super::sched::Runtime;
use super::thread::cpu;
use super::timer::Due;
use super::worker::{Party, Worker};
use crate::primitives::{AtomicU32, AtomicU64, Ordering};

/// How long a goroutine may stay unstarted behind one that computes before an idle worker takes it, in nanoseconds.
pub(super) const PATIENCE: u64 = 20_000;
/// How long a worker without work looks for some before it sleeps, in nanoseconds, where it found some so of late: about what one wake costs
/// where cores are virtual and halt. And how long it does to see whether it would.
const LINGER: u64 = 30_000;
const TRIAL: u64 = 10_000;
/// A backlog longer than this is a crowd, which is shared by the pace at which it goes.
pub(super) const CROWD: usize = 64;
/// A watcher's naps double from the first to the last.
const FIRST_NAP: u64 = 100_000;
const LAST_NAP: u64 = 3_200_000;
/// A worker that found work as it lingered, or was rung so soon, in nanoseconds, that it nearly would have, lingers at least so many
/// times again; else now and then.
const SOON: u64 = 50_000;
const PAID: u32 = 8;
const TRY_EVERY: u32 = 16;
/// How long a worker beyond the usual number waits for work before its thread ends.
const RETIRE_AFTER: Duration = Duration::from_millis(100);

/// What a worker remembers of its rests. For its own thread.
pub(super) struct Lull {
    /// How many they were, and for how many nanoseconds it has lingered in all. `load` reads both.
    rests: AtomicU32,
    lingered: AtomicU64,
    lingers: Cell<u32>,
    /// So many of the next times for long.
    for_long: Cell<u32>,
    /// Goroutines that others spawned, as of the last look.
    spawned: Cell<u64>,
}

impl Lull {
    pub(super) const fn new() -> Lull {
        Lull {
            rests: AtomicU32::new(0),
            lingered: AtomicU64::new(0),
            lingers: Cell::new(PAID),
            for_long: Cell::new(0),
            spawned: Cell::new(0),
        }
    }

    /// The worker has nothing to run. How long it is worth while to linger, in nanoseconds: not at all where timers follow each other,
    /// which are waited for asleep.
    fn invites(&self, timed: bool) -> u64 {
        let rests = self.rests().wrapping_add(1);
        self.rests.store(rests, Ordering::Relaxed);
        match timed {
            true => 0,
            false if self.for_long.get() > 0 => LINGER,
            false if self.lingers.get() > 0 || rests.is_multiple_of(TRY_EVERY) => TRIAL,
            false => 0,
        }
    }

    /// How many rests there were.
    pub(super) fn rests(&self) -> u32 {
        self.rests.load(Ordering::Relaxed)
    }

    /// How long the worker has looked for work without having any, in nanoseconds.
    pub(super) fn lingered(&self) -> u64 {
        self.lingered.load(Ordering::Relaxed)
    }

    /// The worker has lingered, and found work or not.
    fn note(&self, found: bool) {
        for times in [&self.lingers, &self.for_long] {
            times.set(match found {
                true => PAID,
                false => times.get().saturating_sub(1),
            });
        }
    }

    /// The worker was rung so soon that it nearly would have found work as it lingered. No reason to linger for long: it may have the CPU
    /// that whoever rings was waiting for. If it had it, to linger only keeps the other one from working.
    fn note_rung_soon(&self, had_its_cpu: bool) {
        if had_its_cpu {
            self.for_long.set(0);
        }
        self.lingers.set(if had_its_cpu { 0 } else { PAID });
    }

    /// True if others have spawned any since the last look. (Of its own, none is left once a worker rests.)
    fn saw_spawns(&self, worker: &Worker, rt: &Runtime) -> bool {
        let spawned = rt.spawned_by_others(worker);
        spawned != self.spawned.replace(spawned)
    }
}

/// The worker has nothing to run. Returns when it should look again; false if its thread is to end, which then touches the
/// worker no more.
pub(super) fn rest(worker: &'static Worker, rt: &'static Runtime) -> bool {
    if worker.has_own_work() {
        return true;
    }
    let timed = worker.gather.follows(worker.next_timer());
    let most = worker.lull.invites(timed);
    if most > 0 {
        let found = linger(worker, most);
        worker.lull.note(found);
        if found {
            return true;
        }
    }
    rt.tokens.release(worker);
    let mut nap = FIRST_NAP;
    let mut spawns = false;
    let begin = clock();
    let on = cpu();
    loop {
        worker.bed.lie_down();
        if worker.has_own_work() || worker.next_timer() <= clock() || rt.apart_waits_for(worker) {
            break;
        }
        rt.idle.fetch_add(1, Ordering::SeqCst);
        // Watch while there is something to watch, and a little longer: spawns come in bursts.
        let backlog = rt.backlog_for(worker);
        spawns |= worker.lull.saw_spawns(worker, rt);
        let watching = (backlog || spawns) && nap <= LAST_NAP && rt.watch_begin();
        if backlog && !watching {
            nap = nap.min(LAST_NAP);
        }
        let spare = worker.index >= rt.usual() && worker.may_retire();
        let until_timer = until_timers(worker);
        let watch_for = (watching || backlog).then(|| Duration::from_nanos(nap));
        let retire_in = spare.then_some(RETIRE_AFTER);
        let timeout = [until_timer, watch_for, retire_in]
            .into_iter()
            .flatten()
            .min();
        if timeout.is_none_or(|time| time > Duration::from_nanos(LAST_NAP)) {
            worker.cool_down(rt);
        }
        let rung = worker.bed.sleep(timeout);
        rt.idle.fetch_sub(1, Ordering::SeqCst);
        if watching {
            rt.watch_end();
        }
        if rung && clock() - begin < SOON {
            worker.lull.note_rung_soon(worker.bed.rung_on() == Some(on));
        }
        if rung || worker.next_timer() <= clock() || worker.has_own_work() {
            break;
        }
        if rt.backlog_for(worker) && rt.ripe(worker) {
            break;
        }
        if spare && !watching && worker.may_retire() {
            if !worker.bed.leave() {
                break;
            }
            if worker.retire() {
                return false;
            }
        }
        nap = (nap * 2).min(LAST_NAP + 1);
    }
    worker.bed.get_up();
    refresh_coarse();
    rt.sysmon.rouse();
    rt.tokens.acquire(worker);
    true
}

/// How long the worker may sleep for its timers, if any are set.
fn until_timers(worker: &Worker) -> Option<Duration> {
    if worker.next_timer() == u64::MAX {
        return None;
    }
    let mut firsts = [Due::default(); TOGETHER];
    let count = worker.timers.lock().firsts(&mut firsts);
    let when = worker.gather.gets_up(&firsts[..count])?;
    Some(Duration::from_nanos(when.saturating_sub(clock())))
}

/// Work often comes in bursts: looks for some, for `most` nanoseconds, before the expensive sleep. True if there is.
fn linger(worker: &Worker, most: u64) -> bool {
    let begin = clock();
    let mut passed = 0;
    let looks = || {
        (0..16).any(|_| {
            let found = worker.has_own_work();
            if !found {
                std::hint::spin_loop();
            }
            found
        })
    };
    let found = loop {
        if looks() {
            break true;
        }
        passed = clock() - begin;
        if passed >= most {
            break false;
        }
    };
    let lull = &worker.lull;
    let before = lull.lingered();
    lull.lingered.store(before + passed, Ordering::Relaxed);
    found
}

impl Runtime {
    /// True if some worker's backlog is ripe for `thief`.
    fn ripe(&self, thief: &Worker) -> bool {
        let (now, mut ripe) = (clock(), false);
        self.each_worker(|victim| ripe |= !std::ptr::eq(victim, thief) && victim.is_ripe(now));
        ripe
    }

    /// True if goroutines that `worker` may take wait anywhere.
    fn backlog_for(&self, worker: &Worker) -> bool {
        if worker.party == Party::Apart {
            return self.apart_waits_for(worker);
        }
        let mut any = false;
        self.each_worker(|victim| any |= !std::ptr::eq(victim, worker) && victim.backlog() > 0);
        any
    }

    /// One idle worker at a time watches.
    fn watch_begin(&self) -> bool {
        self.watchers
            .compare_exchange(0, 1, Ordering::SeqCst, Ordering::Relaxed)
            .is_ok()
    }

    fn watch_end(&self) {
        self.watchers.store(0, Ordering::SeqCst);
    }

    /// After a spawn onto the spawner's own queue: somebody must watch it, in case the spawner goes on for long.
    #[inline]
    pub(super) fn want_watcher(&self, except: &Worker) {
        if self.idle.load(Ordering::Relaxed) > 0 && self.watchers.load(Ordering::Relaxed) == 0 {
            self.wake_idle(Party::Common, Some(except));
        }
    }

    /// Wakes one idle worker of a party, if there is one.
    #[cold]
    pub(super) fn wake_idle(&self, party: Party, except: Option<&Worker>) -> bool {
        let mut woken = false;
        self.each_worker(|worker| {
            if !woken && worker.party == party && except.is_none_or(|e| !std::ptr::eq(e, worker)) {
                woken = worker.bed.wake();
            }
        });
        woken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a worker lingers in its next rests.
    fn lingers(lull: &Lull) -> bool {
        (0..3).any(|_| lull.invites(false) > 0)
    }

    #[test]
    fn a_worker_lingers_for_who_rings_from_another_cpu() {
        let lull = Lull::new();
        (0..PAID).for_each(|_| lull.note(false));
        assert!(!lingers(&lull), "it was in vain");
        lull.note_rung_soon(false);
        assert!(lingers(&lull));
        lull.note_rung_soon(true);
        assert!(!lingers(&lull), "who rings waits for its CPU");
    }
}
