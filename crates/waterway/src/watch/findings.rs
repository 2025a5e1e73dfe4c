//! What was proved or is suspected: said, kept, and told to whoever asked.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use waterway_snapshot::{Party, Suspect, SuspectKind, Verdict, VerdictKind};

use super::evidence::Evidence;
use super::owners::{Set, Waiter, still_wait};
use crate::primitives::Lock;
use crate::rt::record::WaitReason;
use crate::rt::say::say;
use crate::rt::sched::{Runtime, started};
use crate::rt::stuck;

/// Who waits, in which epoch.
pub(super) type Waits = Vec<(usize, u64)>;

/// A verdict or a suspicion, and whose waits it is about.
pub(super) struct Finding {
    what: What,
    waits: Waits,
    /// Another look would find the same.
    pub(super) settled: bool,
}

impl Finding {
    pub(super) fn waits(&self) -> impl Iterator<Item = (usize, u64)> {
        self.waits.iter().copied()
    }
}

#[derive(Clone)]
enum What {
    Proved(Verdict),
    Suspected(Suspect),
}

type Callback = Arc<dyn Fn(&Verdict) + Send + Sync>;

static VERDICTS: Lock<Vec<Verdict>> = Lock::new(Vec::new());
static SUSPECTS: Lock<Vec<(Suspect, Waits)>> = Lock::new(Vec::new());
static CALLBACK: Lock<Option<Callback>> = Lock::new(None);

/// Everything that was proved so far to be stuck for ever, in the order in which it was found. What is proved stays true.
///
/// ```
/// assert!(waterway::watch::verdicts().is_empty());
/// ```
///
/// Go: the `goroutineleak` profile, on request and for what no running goroutine reaches.
pub fn verdicts() -> Vec<Verdict> {
    VERDICTS.lock().clone()
}

/// What looked like a cycle and could not be proved, as long as all of its parties still wait.
pub(super) fn unproved() -> Vec<Suspect> {
    let kept = SUSPECTS.lock().clone();
    let Some(rt) = started().filter(|_| !kept.is_empty()) else {
        return Vec::new();
    };
    let now = still_wait(rt);
    let lasts = |waits: &[(usize, u64)]| waits.iter().all(|wait| now.contains(wait));
    let kept = kept.into_iter().filter(|(_, waits)| lasts(waits));
    kept.map(|(suspect, _)| suspect).collect()
}

/// Calls `callback` with each verdict from now on, besides what is said on standard error; the last one set is called. It runs on a
/// thread of the pool for blocking calls, and may block.
///
/// ```
/// waterway::watch::on_verdict(|verdict| eprintln!("{verdict}"));
/// ```
///
/// Go: none.
pub fn on_verdict(callback: impl Fn(&Verdict) + Send + Sync + 'static) {
    let before = CALLBACK.lock().replace(Arc::new(callback));
    // What it holds is dropped outside of the lock.
    drop(before);
}

/// The verdicts on a set that is stuck: one for each cycle, one for all who wait behind. Of those not judged yet.
pub(super) fn verdicts_on(
    set: &Set,
    evidence: &Evidence<'_>,
    judged: &HashSet<(usize, u64)>,
) -> Vec<Finding> {
    let depends: HashMap<usize, Vec<usize>> = set
        .iter()
        .map(|w| (w.who, evidence.depends_on(set, w)))
        .collect();
    let cycles = cycles(set, &depends);
    let holds = |who: usize, waiter: &Waiter| holds(set, evidence, who, waiter);
    let mut behind: Vec<&Waiter> = set.iter().collect();
    let mut findings = Vec::new();
    for cycle in cycles {
        let members: Vec<&Waiter> = cycle.iter().filter_map(|who| set.get(*who)).collect();
        behind.retain(|w| !cycle.contains(&w.who));
        let joins = |w: &&Waiter| w.waiting.key.reason == WaitReason::Join;
        let kind = match members.as_slice() {
            [_] => VerdictKind::OwnLock,
            all if all.iter().all(joins) => VerdictKind::JoinCycle,
            _ => VerdictKind::LockCycle,
        };
        findings.extend(finding(&members, judged, holds, |parties| {
            What::Proved(Verdict { kind, parties })
        }));
    }
    behind.retain(|w| !judged.contains(&(w.who, w.epoch)));
    let kind = VerdictKind::NeverWoken;
    findings.extend(finding(&behind, judged, holds, |parties| {
        What::Proved(Verdict { kind, parties })
    }));
    findings
}

/// The suspicions: those of `named` who wait for each other as far as locks name holders, and are not `proved` to be stuck.
pub(super) fn suspects_of(
    named: &Set,
    proved: &Set,
    evidence: &Evidence<'_>,
    judged: &HashSet<(usize, u64)>,
) -> Vec<Finding> {
    let depends = named
        .iter()
        .map(|w| (w.who, evidence.seems_to_depend_on(named, w)))
        .collect();
    let mut findings = Vec::new();
    for cycle in cycles(named, &depends) {
        if cycle.iter().any(|who| proved.has(*who)) {
            continue;
        }
        let members: Vec<&Waiter> = cycle.iter().filter_map(|who| named.get(*who)).collect();
        let kind = match members.len() {
            1 => SuspectKind::OwnLock,
            _ => SuspectKind::LockCycle,
        };
        let holds = |who: usize, waiter: &Waiter| holds(named, evidence, who, waiter);
        let (unproved, may_change) = evidence.lacks(&members);
        let found = finding(&members, judged, holds, |parties| {
            What::Suspected(Suspect {
                kind,
                parties,
                unproved: unproved.into(),
                ..Suspect::default()
            })
        });
        findings.extend(found.map(|found| Finding {
            settled: !may_change,
            ..found
        }));
    }
    findings
}

/// True if `who` holds what this one of the set waits for.
fn holds(set: &Set, evidence: &Evidence<'_>, who: usize, waiter: &Waiter) -> bool {
    waiter.holder == who || waiter.at_rw_lock() && evidence.guards_with(set, waiter).contains(&who)
}

/// The finding on some members, unless all of them have been judged.
fn finding(
    members: &[&Waiter],
    judged: &HashSet<(usize, u64)>,
    holds: impl Fn(usize, &Waiter) -> bool,
    what: impl FnOnce(Vec<Party>) -> What,
) -> Option<Finding> {
    let waits: Vec<(usize, u64)> = members.iter().map(|w| (w.who, w.epoch)).collect();
    if waits.iter().all(|wait| judged.contains(wait)) {
        return None;
    }
    let party = |member: &&Waiter| {
        let mut party = member.party();
        for held in members
            .iter()
            .filter(|w| holds(member.who, w))
            .filter_map(|w| w.held())
        {
            if party.holds.iter().all(|other| other.object != held.object) {
                party.holds.push(held);
            }
        }
        party
    };
    let parties = members.iter().map(party).collect();
    Some(Finding {
        what: what(parties),
        waits,
        settled: true,
    })
}

/// The cycles of a set, each in the order in which one depends on the next; no one is in two.
fn cycles(set: &Set, depends: &HashMap<usize, Vec<usize>>) -> Vec<Vec<usize>> {
    // Those on whom nobody depends are in no cycle, nor those on whom only such depend.
    let mut dependents: HashMap<usize, usize> = HashMap::new();
    for who in depends.values().flatten() {
        *dependents.entry(*who).or_default() += 1;
    }
    let alone = |who: &usize| !dependents.contains_key(who);
    let mut free: Vec<usize> = set.iter().map(|w| w.who).filter(alone).collect();
    let mut out: HashSet<usize> = free.iter().copied().collect();
    while let Some(who) = free.pop() {
        for next in &depends[&who] {
            if let Some(count) = dependents.get_mut(next) {
                *count -= 1;
                if *count == 0 && out.insert(*next) {
                    free.push(*next);
                }
            }
        }
    }
    let mut cycles = Vec::new();
    for start in set.iter().map(|w| w.who) {
        if !out.contains(&start)
            && let Some(cycle) = cycle_through(start, depends, &out)
        {
            out.extend(&cycle);
            cycles.push(cycle);
        }
    }
    cycles
}

/// The shortest cycle through `start` that leaves those out.
fn cycle_through(
    start: usize,
    depends: &HashMap<usize, Vec<usize>>,
    out: &HashSet<usize>,
) -> Option<Vec<usize>> {
    let mut from: HashMap<usize, usize> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(who) = queue.pop_front() {
        for next in depends.get(&who).into_iter().flatten() {
            if *next == start {
                let mut cycle = vec![who];
                while let Some(before) = from.get(cycle.last().expect("not empty")) {
                    cycle.push(*before);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if !out.contains(next) && !from.contains_key(next) {
                from.insert(*next, who);
                queue.push_back(*next);
            }
        }
    }
    None
}

/// From now on whoever is proved to be stuck must not be woken.
pub(super) fn mark(findings: &[Finding]) {
    for finding in findings {
        if let What::Proved(verdict) = &finding.what {
            stuck::note(finding.waits.iter().copied(), &format!("{verdict}\n"));
        }
    }
}

/// Says and keeps what was found. True if something was proved.
pub(super) fn publish(rt: &'static Runtime, findings: Vec<Finding>) -> bool {
    let mut proved = false;
    for Finding { what, waits, .. } in findings {
        match what {
            What::Proved(verdict) => {
                say(format_args!("waterway: {verdict}\n"));
                #[cfg(feature = "tracing")]
                super::told::proved(&verdict);
                // Before the verdict is there: nobody sees both.
                forget(|suspected| suspected.iter().any(|wait| waits.contains(wait)));
                VERDICTS.lock().push(verdict.clone());
                tell(rt, verdict);
                proved = true;
            }
            What::Suspected(suspect) => keep(rt, suspect, waits),
        }
    }
    proved
}

/// Keeps a suspicion, once; and gives up those that are over.
fn keep(rt: &Runtime, suspect: Suspect, waits: Waits) {
    let known = |one: &Waits| one.len() == waits.len() && one.iter().all(|w| waits.contains(w));
    if SUSPECTS.lock().iter().any(|(_, one)| known(one)) {
        return;
    }
    #[cfg(feature = "tracing")]
    super::told::suspected(&suspect);
    let now = still_wait(rt);
    forget(|waits| waits.iter().any(|wait| !now.contains(wait)));
    SUSPECTS.lock().push((suspect, waits));
}

fn forget(goes: impl Fn(&Waits) -> bool) {
    SUSPECTS.lock().retain(|(_, waits)| !goes(waits));
}

/// On a thread of the pool, since it is user code.
fn tell(rt: &'static Runtime, verdict: Verdict) {
    let callback = CALLBACK.lock().clone();
    if let Some(callback) = callback
        && let Err((job, _)) = rt.blocking.submit(Box::new(move || callback(&verdict)))
    {
        // No thread is to be had: better here than never.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
    }
}
