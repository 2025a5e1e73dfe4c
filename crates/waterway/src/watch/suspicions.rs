//! What looks wrong in a snapshot: facts with figures, and no proofs.

use std::collections::{BTreeMap, HashSet};

use waterway_snapshot::{
    Goroutine, Held, Holder, LockKind, ObjectId, ObjectKind, Party, Site, Snapshot, State, Suspect,
    SuspectKind, Wait, Who,
};

use super::growth::Histories;

/// A wait is told of as long from here on, in nanoseconds.
const LONG: u64 = 5_000_000_000;
/// It is far longer than those of others if it is so many times as long as the longest of them, and so many of theirs were seen to end.
const FAR: u64 = 20;
const ENDED: u32 = 8;
/// A worker that has been held for so long is told of, in nanoseconds.
const HELD: u64 = 1_000_000_000;

/// What looks wrong now and is not proved. It looks at the whole program, as a [`snapshot`](super::snapshot()) does. There are
///
/// - goroutines and threads that seem to wait for each other's locks, with what is missing for a proof;
/// - a spawn site whose goroutines only became more, for two seconds at least (those that have not started, or have a thread of their own,
///   are not counted);
/// - a goroutine that has waited, without a limit, for five seconds or longer, and for 20 times as long as any other of its spawn site ever
///   was seen to;
/// - one that has waited for five seconds or longer while it holds a mutex that others wait for;
/// - one that has held its worker for a second or longer.
///
/// A suspicion goes when it is no longer so. A healthy program may be under one.
///
/// ```
/// assert!(waterway::watch::suspects().is_empty());
/// ```
///
/// # Blocking
///
/// Never parks. 100,000 goroutines take some tens of milliseconds.
///
/// Go: none.
pub fn suspects() -> Vec<Suspect> {
    super::snapshot::snapshot().suspects
}

/// Adds what is suspected of a snapshot that is whole but for that. `now` is the time of the histories.
pub(super) fn add(all: &mut Snapshot, histories: &Histories, now: u64) {
    let mut found = growing(all, histories, now);
    found.extend(long_waits(all, histories));
    found.extend(locks_across_waits(all));
    found.extend(held_workers(all));
    all.suspects.extend(found);
}

/// Those of whom something worse is known.
fn judged(all: &Snapshot) -> HashSet<Who> {
    let proved = all.verdicts.iter().flat_map(|verdict| &verdict.parties);
    let suspected = all.suspects.iter().flat_map(|suspect| &suspect.parties);
    proved.chain(suspected).map(|party| party.who).collect()
}

fn growing(all: &Snapshot, histories: &Histories, now: u64) -> Vec<Suspect> {
    let mut found = Vec::new();
    for (at, history) in histories.iter().filter(|(_, history)| history.grows(now)) {
        let site = Site::from(*at);
        let live = || all.goroutines.iter().filter(|g| g.spawned_at == site);
        let count = live().count();
        if count < history.peak - history.peak / 8 {
            continue;
        }
        let (from, to) = (history.base, history.peak);
        let grew_for = history.grew_for();
        let rate = (to - from) as f64 * 1e9 / grew_for as f64;
        let mut facts = vec![format!(
            "{count} now; they became {to} from {from} in {}: {rate:.0} a second",
            time(grew_for)
        )];
        let mut places: BTreeMap<(&str, &Site), usize> = BTreeMap::new();
        for wait in live().filter_map(|g| g.wait.as_ref()) {
            *places.entry((&wait.reason, &wait.at)).or_default() += 1;
        }
        if let Some(((reason, place), most)) = places.into_iter().max_by_key(|(_, n)| *n) {
            facts.push(format!("{most} of them wait [{reason}] at {place}"));
        }
        found.push(Suspect {
            kind: SuspectKind::GrowingSite,
            site: Some(site),
            facts: facts.into_iter().map(Into::into).collect(),
            ..Suspect::default()
        });
    }
    found.sort_by(|one, other| one.site.cmp(&other.site));
    found
}

fn long_waits(all: &Snapshot, histories: &Histories) -> Vec<Suspect> {
    let judged = judged(all);
    let mut found = Vec::new();
    for (at, history) in histories.iter().filter(|(_, h)| h.ended >= ENDED) {
        let site = Site::from(*at);
        let of_site = all.goroutines.iter().filter(|g| g.spawned_at == site);
        let mut waits: Vec<(&Goroutine, &Wait)> =
            of_site.filter_map(|g| Some((g, unlimited(g)?))).collect();
        waits.sort_by_key(|(_, wait)| std::cmp::Reverse(wait.waited_ns));
        let Some((longest, wait)) = waits.first().copied() else {
            continue;
        };
        let other = waits.get(1).map_or(0, |(_, wait)| wait.waited_ns);
        let others = other.max(history.longest_ended);
        if wait.waited_ns < LONG.max(others.saturating_mul(FAR))
            || judged.contains(&Who::Goroutine(longest.id))
        {
            continue;
        }
        found.push(Suspect {
            kind: SuspectKind::LongWait,
            parties: vec![party(longest, Vec::new())],
            facts: vec![
                format!(
                    "no other of its line was seen to wait for longer than {}; {} such waits were seen to end",
                    time(others),
                    history.ended
                )
                .into(),
            ],
            ..Suspect::default()
        });
    }
    found.sort_by_key(|suspect| suspect.parties[0].who);
    found
}

/// What a goroutine waits for, if that does not end by itself.
fn unlimited(goroutine: &Goroutine) -> Option<&Wait> {
    goroutine.wait.as_ref().filter(|wait| !wait.timed)
}

/// A mutex names who locked it. Whoever waits has locked nothing since the wait began.
fn locks_across_waits(all: &Snapshot) -> Vec<Suspect> {
    let judged = judged(all);
    let mut found = Vec::new();
    for lock in &all.locks {
        let Holder::One(Who::Goroutine(id)) = lock.holder else {
            continue;
        };
        let holder = all.goroutine(id).filter(|_| !lock.waiters.is_empty());
        let Some((holder, wait)) = holder.and_then(|g| Some((g, g.wait.as_ref()?))) else {
            continue;
        };
        if wait.waited_ns < LONG
            || lock.kind != LockKind::Mutex
            || judged.contains(&Who::Goroutine(id))
        {
            continue;
        }
        let held = Held {
            object: ObjectId {
                kind: ObjectKind::Mutex,
                id: lock.id,
            },
            at: lock.locked_at.clone(),
        };
        let longest = lock.waiters.iter().filter_map(|who| wait_of(all, *who));
        let longest = longest.map(|wait| wait.waited_ns).max().unwrap_or(0);
        found.push(Suspect {
            kind: SuspectKind::LockAcrossWait,
            parties: vec![party(holder, vec![held])],
            facts: vec![
                format!(
                    "{} wait for mutex {}, the longest for {}",
                    lock.waiters.len(),
                    lock.id,
                    time(longest)
                )
                .into(),
            ],
            ..Suspect::default()
        });
    }
    found
}

fn wait_of(all: &Snapshot, who: Who) -> Option<&Wait> {
    match who {
        Who::Goroutine(id) => all.goroutine(id)?.wait.as_ref(),
        Who::Thread(tid) => Some(&all.threads.iter().find(|thread| thread.tid == tid)?.wait),
        _ => None,
    }
}

fn held_workers(all: &Snapshot) -> Vec<Suspect> {
    let mut found = Vec::new();
    for worker in &all.workers {
        let held_ns = worker.held_ns.filter(|held| *held >= HELD);
        let holder = worker.running.and_then(|id| all.goroutine(id));
        let (Some(held_ns), Some(holder)) = (held_ns, holder) else {
            continue;
        };
        let doing = match holder.state {
            State::AsleepInKernel => "asleep in the kernel",
            _ => "computing",
        };
        let ready = |g: &&Goroutine| g.worker == Some(worker.index) && g.state == State::Runnable;
        let ready = all.goroutines.iter().filter(ready).count();
        found.push(Suspect {
            kind: SuspectKind::HeldWorker,
            parties: vec![party(holder, Vec::new())],
            facts: vec![
                format!(
                    "worker {}, for {}, {doing}{}",
                    worker.index,
                    time(held_ns),
                    behind(ready)
                )
                .into(),
            ],
            ..Suspect::default()
        });
    }
    found
}

/// How many of those that could go on a held worker keeps waiting, if any.
fn behind(ready: usize) -> String {
    match ready {
        0 => String::new(),
        1 => "; 1 that could go on waits behind it".into(),
        _ => format!("; {ready} that could go on wait behind it"),
    }
}

fn party(goroutine: &Goroutine, holds: Vec<Held>) -> Party {
    Party {
        who: Who::Goroutine(goroutine.id),
        name: goroutine.name.clone(),
        spawned_at: Some(goroutine.spawned_at.clone()),
        holds,
        waits: goroutine.wait.clone(),
    }
}

fn time(ns: u64) -> String {
    match ns {
        ..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        _ => format!("{:.1} s", ns as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests;
