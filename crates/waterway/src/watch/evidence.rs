//! Where the guards of locks are, and who stands in line before whom.

use std::collections::HashMap;
use std::ops::Range;

use super::owners::{Home, Set, Waiter, Waiters};
use super::scan::{self, Of, Part, Unclear};
use crate::primitives::Ordering;
use crate::rt::arena::{CELLS, HANDLES};
use crate::rt::checkpoint::THREAD;
use crate::rt::halt::Halt;
use crate::rt::record::WaitReason;
use crate::rt::sched::Runtime;
use crate::rt::thread;

/// What was seen while everybody concerned was kept where they are.
pub(super) struct Evidence<'a> {
    /// Of the guards of each core: how often one lies on the stack of whom.
    with: HashMap<usize, HashMap<usize, usize>>,
    /// How often one lies elsewhere, where it counts.
    elsewhere: HashMap<usize, usize>,
    lines: &'a HashMap<usize, Vec<usize>>,
    /// Nobody is about but those who were kept: guards of readers-writer locks are where they were found.
    all_still: bool,
    waiters: &'a Waiters,
    /// Why nothing was seen.
    unclear: Option<Unclear>,
}

impl<'a> Evidence<'a> {
    pub(super) fn find(
        rt: &Runtime,
        halt: &Halt,
        waiters: &'a Waiters,
        lines: &'a HashMap<usize, Vec<usize>>,
    ) -> Evidence<'a> {
        let at_rw_locks = waiters.all.iter().any(Waiter::at_rw_lock);
        let mut evidence = Evidence {
            with: HashMap::new(),
            elsewhere: HashMap::new(),
            lines,
            all_still: at_rw_locks && all_still(rt, halt),
            waiters,
            unclear: None,
        };
        let mut guards: Vec<&Waiter> = waiters.all.iter().filter(|w| w.at_guard()).collect();
        guards.sort_unstable_by_key(|w| w.waiting.key.object);
        guards.dedup_by_key(|w| w.waiting.key.object);
        if guards.is_empty() {
            return evidence;
        }
        let cores: Vec<usize> = guards.iter().map(|w| w.waiting.key.object).collect();
        let hits = match scan::everywhere(&cores, parts(rt, halt, waiters)) {
            Ok(hits) => hits,
            Err(why) => {
                evidence.unclear = Some(why);
                return evidence;
            }
        };
        // A worker may have been added meanwhile.
        evidence.all_still = evidence.all_still && all_still(rt, halt);
        let homes: HashMap<usize, Home> = waiters.all.iter().map(|w| (w.who, w.home)).collect();
        for hit in hits {
            let (core, home) = (cores[hit.core], homes.get(&guards[hit.core].holder));
            match hit.of {
                Of::Party(at) => {
                    let who = waiters.all[at].who;
                    if reaches(home, lives(&waiters.all[at].home)) {
                        *evidence
                            .with
                            .entry(core)
                            .or_default()
                            .entry(who)
                            .or_default() += 1;
                    }
                }
                of => {
                    *evidence.elsewhere.entry(core).or_default() += usize::from(reaches(home, of))
                }
            }
        }
        evidence
    }

    /// True if only one of the set can end this wait.
    pub(super) fn is_stuck(&self, set: &Set, waiter: &Waiter) -> bool {
        let key = &waiter.waiting.key;
        match key.reason {
            WaitReason::Join => set.has(waiter.holder),
            WaitReason::Once => self.stands(waiter) && set.has(waiter.holder),
            WaitReason::Mutex | WaitReason::Relock => {
                self.stands(waiter) && set.has(waiter.holder) && self.guard_is_with(set, waiter)
            }
            WaitReason::RwLockRead | WaitReason::RwLockWrite => {
                self.stands(waiter)
                    && (self.first_ahead(set, waiter).is_some() || self.is_kept_out(set, waiter))
            }
            _ => false,
        }
    }

    /// As `is_stuck`, by what was found: there may be a guard elsewhere.
    pub(super) fn seems_stuck(&self, set: &Set, waiter: &Waiter) -> bool {
        let depends = self.seems_to_depend_on(set, waiter);
        depends.iter().any(|who| set.has(*who))
    }

    /// On whose doing the wait of one of the set seems to depend.
    pub(super) fn seems_to_depend_on(&self, set: &Set, waiter: &Waiter) -> Vec<usize> {
        if !waiter.at_rw_lock() {
            return vec![waiter.holder];
        }
        let mut whos = Vec::from_iter(self.first_ahead(set, waiter));
        if waiter.is_held && is_in_the_way(waiter) {
            whos.extend(self.guards_with(set, waiter));
        }
        whos
    }

    /// What is missing for a proof that these, who seem to wait for each other, do. And whether it may be there at another look.
    pub(super) fn lacks(&self, cycle: &[&Waiter]) -> (Unclear, bool) {
        let reads = cycle.iter().any(|w| w.at_rw_lock());
        match self.unclear {
            Some(why) => (why, true),
            None if reads && !self.all_still => (ANOTHER, true),
            None => (ELSEWHERE, reads),
        }
    }

    /// On whose doing the wait of one of the set depends.
    pub(super) fn depends_on(&self, set: &Set, waiter: &Waiter) -> Vec<usize> {
        if !waiter.at_rw_lock() {
            return vec![waiter.holder];
        }
        let mut whos = Vec::from_iter(self.first_ahead(set, waiter));
        if self.is_kept_out(set, waiter) {
            whos.extend(self.guards_with(set, waiter));
        }
        whos
    }

    /// Who of the set has a guard of what this one waits for.
    pub(super) fn guards_with(&self, set: &Set, waiter: &Waiter) -> Vec<usize> {
        let with = self.with.get(&waiter.waiting.key.object);
        let mut whos: Vec<usize> = with
            .into_iter()
            .flat_map(|with| with.keys().copied())
            .collect();
        whos.retain(|who| set.has(*who));
        whos.sort_unstable();
        whos
    }

    /// It stands in the line of what it waits for, and was not claimed.
    fn stands(&self, waiter: &Waiter) -> bool {
        self.line(waiter).contains(&waiter.who)
    }

    fn line(&self, waiter: &Waiter) -> &[usize] {
        self.lines
            .get(&waiter.waiting.key.object)
            .map_or(&[], Vec::as_slice)
    }

    fn guard_is_with(&self, set: &Set, waiter: &Waiter) -> bool {
        let core = waiter.waiting.key.object;
        let nowhere_else = self.elsewhere.get(&core).is_none_or(|n| *n == 0);
        let with = self.with.get(&core);
        nowhere_else
            && with.is_some_and(|with| !with.is_empty() && with.keys().all(|who| set.has(*who)))
    }

    /// The first of the set that stands before it in its line: as long as that one does, it is not served.
    fn first_ahead(&self, set: &Set, waiter: &Waiter) -> Option<usize> {
        let ahead = self
            .line(waiter)
            .iter()
            .take_while(|who| **who != waiter.who);
        ahead.copied().find(|who| set.has(*who))
    }

    /// Those who have the readers-writer lock are of the set, and in its way.
    fn is_kept_out(&self, set: &Set, waiter: &Waiter) -> bool {
        // One that was served, and has not gone on, is counted and has no guard yet.
        let object = waiter.waiting.key.object;
        let recorded = self.waiters.at_rw_locks.get(&object).copied().unwrap_or(0);
        let standing = self.line(waiter).iter().filter(|who| **who != 0).count();
        is_in_the_way(waiter)
            && self.all_still
            && recorded == standing
            && waiter.is_held
            && self.guard_is_with(set, waiter)
    }
}

/// What a suspicion lacks, mostly.
const ELSEWHERE: Unclear = "a guard, or what is left of one, lies where others may reach it";
/// What one about readers may lack.
const ANOTHER: Unclear = "another thread or a blocking job is about, which may have a guard";

/// Whoever has the readers-writer lock is in the way of this one.
fn is_in_the_way(waiter: &Waiter) -> bool {
    waiter.waiting.key.reason == WaitReason::RwLockWrite || waiter.held_by_writer
}

/// Nobody is about but those who are kept where they are.
fn all_still(rt: &Runtime, halt: &Halt) -> bool {
    halt.has_all(rt) && super::deadlock::only_own_threads(rt)
}

/// The stacks of those who live there.
fn lives(home: &Home) -> Of {
    match home {
        Home::Worker(worker) => Of::Worker(worker.index),
        Home::Thread(parker) => Of::Thread(parker.tid()),
    }
}

/// True if a guard that was taken at `home` can be in this memory; `None`: it may have been taken anywhere.
fn reaches(home: Option<&Home>, of: Of) -> bool {
    match (home.map(lives), of) {
        (_, Of::Anybody) | (None, _) => true,
        (Some(home), of) => home == of,
    }
}

/// What is told apart of memory.
fn parts(rt: &Runtime, halt: &Halt, waiters: &Waiters) -> Vec<Part> {
    let party = |who: usize| waiters.all.iter().position(|w| w.who == who).map(Of::Party);
    let mut used = Vec::new();
    rt.each_worker(|worker| {
        let halted = halt.has(worker);
        worker.each_live(|task| {
            let whole = task.stack_range();
            let range = match halted {
                true => task.used_stack(),
                false => whole.clone(),
            };
            let of = party(task.identity().id as usize).unwrap_or(Of::Worker(worker.index));
            used.push(Part { range, of });
        });
    });
    used.sort_unstable_by_key(|part| part.range.start);
    let mut parts = Vec::new();
    rt.each_slab(|slab| {
        // What of the slab is not in use is nobody's.
        let from = used.partition_point(|part| part.range.start < slab.start);
        let mut at = slab.start;
        for part in used[from..]
            .iter()
            .take_while(|part| part.range.start < slab.end)
        {
            parts.push(nobody(at..part.range.start));
            at = part.range.end;
            parts.push(part.clone());
        }
        parts.push(nobody(at..slab.end));
    });
    // A worker's own stack is as good as anybody's: the thread-locals of its goroutines are there.
    let mut others = vec![thread::tid()];
    rt.each_worker(|worker| others.push(worker.tid.load(Ordering::Relaxed)));
    thread::for_each(|parker| {
        let (tid, range) = (parker.tid(), parker.stack());
        let is_new = parts.iter().all(|part| part.range != range);
        if !others.contains(&tid) && !range.is_empty() && is_new {
            let of = party(THREAD | tid as usize).unwrap_or(Of::Thread(tid));
            parts.push(Part { range, of });
        }
    });
    parts.extend([&HANDLES, &CELLS].map(|arena| nobody(arena.unused())));
    parts
}

fn nobody(range: Range<usize>) -> Part {
    Part {
        range,
        of: Of::Nobody,
    }
}
