//! The proof that some who wait for each other's locks, onces and ends will wait for ever.
//!
//! # What is proved
//!
//! A set of waiters is *stuck* if each of them can be woken only by what another of them does after it goes on: then none does. So the
//! largest such set is looked for: all that wait without a limit are candidates, and who may be woken by anybody else is taken
//! out, until nobody is. Cycles are in what remains, and those who wait behind them.
//!
//! | waits for | is woken only by one of the set, if |
//! | --- | --- |
//! | a mutex | the lock names one of the set, and its guard is with the set |
//! | a readers-writer lock | all its guards are with the set and are in the way; or one of the set stands before it in the line |
//! | a once, a lazy value | who makes the value is of the set: it does so in its own call, which cannot be handed on |
//! | the end of a goroutine | that goroutine is of the set |
//!
//! *A guard is with the set* if the word that each guard holds is found on the stacks of the set, and nowhere else that counts.
//! A guard does not leave the thread that took it (but for a task's, which counts as elsewhere wherever it lies), and a mutex names who took it. So that thread's goroutines are stopped between two
//! turns (`halt`): then the guard lies in memory and does not move. All memory that can be written is looked through but for what
//! cannot matter: stacks that nobody uses, dead parts of stacks, stacks of other threads and of goroutines that live there. A lock
//! for many readers does not say who has it. There every worker is stopped, and there is a proof only if no other thread
//! is about.
//!
//! A word that was left behind by a guard that was moved or dropped looks like a guard. Outside of the set that costs the proof.
//! Within, it could be taken for the one that is elsewhere, but then that one is found too, and costs the proof.
//!
//! # Why it is a proof
//!
//! The waiters are kept where they are while all of this is looked at: goroutines by their halted workers, threads by the gate.
//! Each stands in the line of its lock and was not claimed. Who claims it later has to drop a guard, make a value or end:
//! one of the set has to do so, after it has gone on; the first that does would have gone on by itself.
//!
//! Not seen are guards that code carries to another thread although they are not `Send` (`unsafe impl Send`, as `send_wrapper` does),
//! guards whose address is kept in another form than a pointer's, guards at odd addresses (`repr(packed)`), and guards in memory
//! that was made read-only.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::evidence::Evidence;
use super::findings::{self, Finding, Waits};
use super::owners::{Home, Set, Waiter, collect};
use super::prover::Prover;
use super::scan::{self, Of, Part};
use crate::primitives::SleepingMutex;
use crate::rt::checkpoint::THREAD;
use crate::rt::clock::clock;
use crate::rt::halt::Halt;
use crate::rt::sched::Runtime;
use crate::rt::thread;
use crate::rt::worker::Worker;
use crate::wait::line_at;

/// A wait that is as young as this, in nanoseconds, is not looked at: most end soon.
const AGE: u64 = 8_000_000;
/// Of the time that goes by, so little is spent on looking: one part of this many.
const SHARE: u64 = 50;
/// How long workers may take to come to a stop, in nanoseconds.
const PATIENCE: u64 = 20_000_000;
/// Until another look where there was none to come by, in nanoseconds: from the first to the last.
const FIRST_PAUSE: u64 = 20_000_000;
const LAST_PAUSE: u64 = 2_000_000_000;
/// What may be otherwise at the next look is told if it was found so in this many looks: else a suspicion would come and go by chance.
const LOOKS: u32 = 3;

/// What is known from earlier looks.
struct State {
    /// Waits that had begun when everybody was looked at.
    begun: u64,
    /// When to look, if there is reason to.
    due: Option<u64>,
    /// Not before.
    not_before: u64,
    pause: u64,
    /// Waits that were judged: who, in which epoch.
    judged: HashSet<(usize, u64)>,
    /// In how many looks up to the last one it was found, of what may be otherwise at the next.
    found: HashMap<Waits, u32>,
}

/// Held while somebody looks.
static STATE: SleepingMutex<Option<State>> = SleepingMutex::new(None);
static PROVER: Prover = Prover::new(|rt| look_once(rt, LOOKS));

/// Has cycles looked for, if there may be a new one. Called by sysmon, often. Returns after how long it is to be called again though
/// nothing moves.
pub(super) fn look(rt: &'static Runtime) -> Option<Duration> {
    let (begun, now) = rt.edges();
    if now == 0 {
        return None;
    }
    // Else they are being looked for, and sysmon is rung after that.
    let mut guard = STATE.try_lock().ok()?;
    let state = guard.get_or_insert_with(State::new);
    let time = clock();
    if state.due.is_none() && begun != state.begun {
        state.due = Some((time + AGE).max(state.not_before));
    }
    if let Some(wait) = state.due?.checked_sub(time).filter(|wait| *wait > 0) {
        return Some(Duration::from_nanos(wait));
    }
    state.due = None;
    drop(guard);
    PROVER.call(rt);
    None
}

/// Looks for them, now, and tells all that is found.
pub(super) fn look_now(rt: &'static Runtime) {
    look_once(rt, 1);
}

/// Looks for them. What may be otherwise at the next look is told if it was found in so many `looks`. One at a time does.
fn look_once(rt: &'static Runtime, looks: u32) {
    let mut guard = STATE.lock().unwrap_or_else(|broken| broken.into_inner());
    let (begun, now) = rt.edges();
    if now > 0 {
        judge(rt, guard.get_or_insert_with(State::new), begun, looks);
    }
    drop(guard);
    // It may sleep for good by now, and there may be reason for another look.
    rt.ring_sysmon();
}

impl State {
    fn new() -> State {
        State {
            begun: 0,
            due: None,
            not_before: 0,
            pause: FIRST_PAUSE,
            judged: HashSet::new(),
            found: HashMap::new(),
        }
    }

    /// Looks again after a pause, which becomes longer.
    fn look_again(&mut self) {
        let due = clock() + self.pause;
        self.due = Some(match self.pause < LAST_PAUSE {
            true => due,
            false => due.max(self.not_before),
        });
        self.pause = (self.pause * 2).min(LAST_PAUSE);
    }

    /// Those of the findings that are to be told.
    fn told(&mut self, findings: Vec<Finding>, looks: u32) -> Vec<Finding> {
        let before = std::mem::take(&mut self.found);
        let told = |finding: &Finding| {
            if finding.settled {
                return true;
            }
            let mut waits: Waits = finding.waits().collect();
            waits.sort_unstable();
            let times = before.get(&waits).map_or(1, |times| times + 1);
            self.found.insert(waits, times);
            times >= looks
        };
        findings.into_iter().filter(told).collect()
    }
}

fn judge(rt: &'static Runtime, state: &mut State, begun: u64, looks: u32) {
    let start = clock();
    let waiters = collect(rt);
    // Who has begun to wait and was not seen to yet is looked at later.
    match waiters.count < rt.edges().1 {
        true => state.due = Some(clock() + AGE),
        false => state.begun = begun,
    }
    let set = candidates(rt, waiters.all);
    let looked = clock();
    state.not_before = looked + (looked - start) * SHARE;
    let Ok(set) = set else {
        state.look_again();
        return;
    };
    let waits = || set.iter().map(|w| (w.who, w.epoch));
    if waits().all(|wait| state.judged.contains(&wait)) {
        state.pause = FIRST_PAUSE;
        return;
    }
    let Some(findings) = prove(rt, &set, &state.judged) else {
        state.look_again();
        return;
    };
    let now: HashSet<(usize, u64)> = waits().collect();
    state.judged.retain(|wait| now.contains(wait));
    let settled = findings.iter().filter(|finding| finding.settled);
    state.judged.extend(settled.flat_map(Finding::waits));
    let findings = state.told(findings, looks);
    if !findings::publish(rt, findings) {
        // It may happen again and again.
        let now = clock();
        state.not_before = now + (now - looked) * SHARE;
    }
    match now.is_subset(&state.judged) {
        true => state.pause = FIRST_PAUSE,
        // Somebody was not there yet, or in motion; or it may be otherwise the next time.
        false => state.look_again(),
    }
}

/// Those who may be stuck, by what locks say of themselves and by a glance at stacks. Nobody is stopped for that, so it is no proof;
/// but where a guard of a readers-writer lock lies with somebody who does not wait for one of these, as in every program that is
/// well, nobody needs to be.
fn candidates(rt: &Runtime, all: Vec<Waiter>) -> Result<Vec<Waiter>, scan::Unclear> {
    let mut set = Set::new(all);
    set.settle(|set, waiter| waiter.at_rw_lock() || set.has(waiter.holder));
    if !set.iter().any(Waiter::at_rw_lock) {
        return Ok(set.into_vec());
    }
    let set_now = set.into_vec();
    let cores: Vec<usize> = set_now.iter().map(|w| w.waiting.key.object).collect();
    let hits = scan::within(&cores, &stacks(rt, &set_now))?;
    let mut with: HashMap<usize, HashSet<usize>> = HashMap::new();
    for hit in hits {
        let who = match hit.of {
            Of::Party(at) => set_now[at].who,
            _ => NOT_A_PARTY,
        };
        with.entry(cores[hit.core]).or_default().insert(who);
    }
    let mut set = Set::new(set_now);
    set.settle(|set, waiter| match waiter.at_rw_lock() {
        // Whoever stands before it there waits for one who has a guard, too.
        true => with
            .get(&waiter.waiting.key.object)
            .is_some_and(|whos| whos.iter().all(|who| set.has(*who))),
        false => set.has(waiter.holder),
    });
    Ok(set.into_vec())
}

/// Nobody has this number.
const NOT_A_PARTY: usize = usize::MAX;

/// The stacks of these, and of all others that there are now.
fn stacks(rt: &Runtime, parties: &[Waiter]) -> Vec<Part> {
    let party = |(at, waiter): (usize, &Waiter)| Part {
        range: waiter.stack(),
        of: Of::Party(at),
    };
    let mut parts: Vec<Part> = parties.iter().enumerate().map(party).collect();
    let whos: HashSet<usize> = parties.iter().map(|w| w.who).collect();
    let other = |range| Part {
        range,
        of: Of::Anybody,
    };
    rt.each_worker(|worker| {
        worker.each_live(|task| {
            if !whos.contains(&(task.identity().id as usize)) {
                parts.push(other(task.stack_range()));
            }
        });
    });
    thread::for_each(|parker| {
        if !whos.contains(&(THREAD | parker.tid() as usize)) && !parker.stack().is_empty() {
            parts.push(other(parker.stack()));
        }
    });
    parts
}

/// What is true of the candidates: `None` if it could not be looked at now.
fn prove(
    rt: &'static Runtime,
    candidates: &[Waiter],
    judged: &HashSet<(usize, u64)>,
) -> Option<Vec<Finding>> {
    let guards_anywhere = candidates.iter().any(Waiter::at_rw_lock);
    let at_home = |worker: &Worker| {
        let lives = |w: &Waiter| matches!(w.home, Home::Worker(home) if std::ptr::eq(home, worker));
        guards_anywhere || candidates.iter().any(lives)
    };
    let halt = Halt::begin(rt, at_home, PATIENCE)?;
    let known: HashSet<(usize, u64)> = candidates.iter().map(|w| (w.who, w.epoch)).collect();
    let mut waiters = collect(rt);
    waiters.all.retain(|w| known.contains(&(w.who, w.epoch)));
    let lines = lines(&waiters.all);
    let evidence = Evidence::find(rt, &halt, &waiters, &lines);
    let mut set = Set::new(waiters.all.clone());
    let suspects = || {
        let mut set = Set::new(waiters.all.clone());
        set.settle(|set, waiter| evidence.seems_stuck(set, waiter));
        set
    };
    set.settle(|set, waiter| evidence.is_stuck(set, waiter));
    let mut findings = findings::verdicts_on(&set, &evidence, judged);
    let suspects = findings::suspects_of(&suspects(), &set, &evidence, judged);
    findings.extend(suspects);
    findings::mark(&findings);
    Some(findings)
}

/// The lines of all locks and onces that somebody of these waits for.
fn lines(waiters: &[Waiter]) -> HashMap<usize, Vec<usize>> {
    let mut lines = HashMap::new();
    for waiter in waiters.iter().filter(|w| w.object.is_some()) {
        let core = waiter.waiting.key.object;
        // SAFETY: the waiter was not woken, and is kept in its wait by its halted worker, or by the gate: what it waits for lives.
        lines
            .entry(core)
            .or_insert_with(|| unsafe { line_at(core) });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goroutine::Builder;
    use crate::rt::sched::runtime;
    use crate::sync::RwLock;

    /// Waits until goroutine `id` is recorded as waiting, and looks whether it may be stuck.
    fn is_candidate(id: u64) -> bool {
        loop {
            let all = collect(runtime()).all;
            if all.iter().any(|w| w.who == id as usize)
                && let Ok(set) = candidates(runtime(), all)
            {
                return set.iter().any(|w| w.who == id as usize);
            }
            std::thread::yield_now();
        }
    }

    /// Without candidates nobody is halted, and no memory is looked through but stacks.
    #[test]
    fn nobody_is_halted_for_a_lock_whose_reader_goes_on() {
        static LOCK: RwLock<u32> = RwLock::new(1);
        let (read, wait) = (crate::chan::<()>(0), crate::chan::<()>(0));
        let (has_read, until_read) = read;
        let (goes, until) = wait;
        let reader = crate::go(move || {
            let _reads = LOCK.read();
            drop(has_read);
            let _ = until.recv();
        });
        let _ = until_read.recv();
        let writer = Builder::new().name("writes").go(|| *LOCK.write() += 1);
        assert!(!is_candidate(writer.id()));
        drop(goes);
        reader.join().unwrap();
        writer.join().unwrap();
    }
}
