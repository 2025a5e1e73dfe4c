//! Who waits for what another holds, or for another's end.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use waterway_snapshot::{Held, ObjectId, Party, Site, Target, Wait, Who};

use super::waited_on::object_id;
use crate::goroutine::dedicated;
use crate::primitives::Ordering;
use crate::rt::checkpoint::THREAD;
use crate::rt::clock::clock;
use crate::rt::header::{CoreKind, Seen};
use crate::rt::objects;
use crate::rt::record::{WaitReason, Waiting};
use crate::rt::sched::Runtime;
use crate::rt::task::Task;
use crate::rt::thread::{self, ThreadParker};
use crate::rt::worker::Worker;

/// Where a waiter lives.
#[derive(Clone, Copy)]
pub(super) enum Home {
    Worker(&'static Worker),
    Thread(&'static ThreadParker),
}

/// One that waits, without a limit, for what somebody holds.
#[derive(Clone)]
pub(super) struct Waiter {
    /// As locks name it.
    pub(super) who: usize,
    pub(super) home: Home,
    pub(super) epoch: u64,
    pub(super) waiting: Waiting,
    /// Of the lock or once; a join has none.
    pub(super) object: Option<ObjectId>,
    /// Whom the lock or once names, or who is to end; 0 if nobody, or nobody that is named.
    pub(super) holder: usize,
    /// Where the lock was taken, if it says so.
    pub(super) held_at: Option<Site>,
    /// Of a readers-writer lock: somebody has it; a writer has it.
    pub(super) is_held: bool,
    pub(super) held_by_writer: bool,
    stack: Range<usize>,
    /// A goroutine's number, its name and the line that spawned it.
    identity: Option<(u64, Option<Arc<str>>, Site)>,
}

/// An async task holds it: which one, nobody knows.
const TASK: usize = 1 << 61;

/// All that wait so, and how many there are, with those who wait for a while only or have been woken.
#[derive(Default)]
pub(super) struct Waiters {
    pub(super) all: Vec<Waiter>,
    pub(super) count: u64,
    /// How many are recorded as waiting for each readers-writer lock, whatever their state.
    pub(super) at_rw_locks: HashMap<usize, usize>,
}

impl Waiter {
    fn new(who: usize, home: Home, stack: Range<usize>, epoch: u64, waiting: Waiting) -> Waiter {
        Waiter {
            who,
            home,
            epoch,
            waiting,
            object: None,
            holder: 0,
            held_at: None,
            is_held: false,
            held_by_writer: false,
            stack,
            identity: None,
        }
    }

    /// True if it waits for a readers-writer lock, which does not say who holds it.
    pub(super) fn at_rw_lock(&self) -> bool {
        use WaitReason::{RwLockRead, RwLockWrite};
        matches!(self.waiting.key.reason, RwLockRead | RwLockWrite)
    }

    /// True if it waits for a lock that has guards.
    pub(super) fn at_guard(&self) -> bool {
        use WaitReason::{Mutex, Relock};
        self.at_rw_lock() || matches!(self.waiting.key.reason, Mutex | Relock)
    }

    /// The addresses of its stack, used or not.
    pub(super) fn stack(&self) -> Range<usize> {
        self.stack.clone()
    }

    /// As reports name it.
    pub(super) fn party(&self) -> Party {
        let waited = clock().saturating_sub(self.waiting.since);
        let on = match (self.object, self.waiting.key.reason) {
            (Some(object), _) => Target::Object(object),
            (None, WaitReason::Join) => Target::Goroutine(self.waiting.key.object as u64),
            (None, _) => Target::Nothing,
        };
        let wait = Wait {
            reason: self.waiting.key.reason.text().into(),
            waited_ns: waited,
            at: self.waiting.key.site.into(),
            on,
            ..Wait::default()
        };
        let identity = self.identity.as_ref();
        Party {
            who: match identity {
                Some((id, ..)) => Who::Goroutine(*id),
                None => Who::Thread((self.who & !THREAD) as u32),
            },
            name: identity.and_then(|(_, name, _)| name.as_deref().map(str::to_owned)),
            spawned_at: identity.map(|(_, _, site)| site.clone()),
            holds: Vec::new(),
            waits: Some(wait),
        }
    }

    /// What it waits for, as held by another.
    pub(super) fn held(&self) -> Option<Held> {
        self.object.map(|object| Held {
            object,
            at: self.held_at.clone(),
        })
    }
}

/// Looks at every goroutine and every thread that waits.
pub(super) fn collect(rt: &Runtime) -> Waiters {
    let mut found = Waiters::default();
    let dedicated = dedicated();
    rt.each_worker(|worker| {
        worker.each_live(|task: &Task| {
            let Some((epoch, waiting)) = task.record.read_epoch() else {
                return;
            };
            let of = task.identity();
            let (who, home) = (of.id as usize, Home::Worker(worker));
            let waiter = Waiter::new(who, home, task.stack_range(), epoch, waiting);
            if let Some(mut waiter) = found.note(waiter, task.runnable.load(Ordering::SeqCst)) {
                waiter.identity = Some((of.id, of.name.clone(), of.site.into()));
                found.all.push(waiter);
            }
        });
    });
    thread::for_each(|parker| {
        let Some((epoch, waiting)) = parker.record().read_epoch() else {
            return;
        };
        let (who, home) = (THREAD | parker.tid() as usize, Home::Thread(parker));
        let waiter = Waiter::new(who, home, parker.stack(), epoch, waiting);
        if let Some(mut waiter) = found.note(waiter, parker.woken()) {
            let own = dedicated.iter().find(|d| d.tid == parker.tid());
            waiter.identity = own.map(|d| (d.id, d.name.clone(), d.site.into()));
            found.all.push(waiter);
        }
    });
    // Who joins a goroutine with a thread of its own waits for that thread.
    for waiter in found.all.iter_mut().filter(|w| w.object.is_none()) {
        let own_thread = dedicated.iter().find(|d| d.id as usize == waiter.holder);
        if let Some(own) = own_thread {
            waiter.holder = THREAD | own.tid as usize;
        }
    }
    // A thread that waits twice (in a waker, inside of another wait) is too much to tell apart.
    let mut times = HashMap::new();
    for waiter in &found.all {
        *times.entry(waiter.who).or_insert(0) += 1;
    }
    found.all.retain(|waiter| times[&waiter.who] == 1);
    found
}

/// Who waits for what somebody holds now, in which epoch.
pub(super) fn still_wait(rt: &Runtime) -> HashSet<(usize, u64)> {
    let waiters = collect(rt).all.into_iter();
    waiters.map(|w| (w.who, w.epoch)).collect()
}

impl Waiters {
    /// Counts one that waits. It comes back with what it waits for, if nothing but that can end the wait, and nothing has.
    fn note(&mut self, mut waiter: Waiter, woken: bool) -> Option<Waiter> {
        let Waiting {
            key, timed, ending, ..
        } = waiter.waiting;
        if !key.reason.has_owner() {
            return None;
        }
        self.count += 1;
        if waiter.at_rw_lock() {
            *self.at_rw_locks.entry(key.object).or_insert(0) += 1;
        }
        if woken || timed || ending != 0 {
            return None;
        }
        if key.reason == WaitReason::Join {
            waiter.holder = key.object;
            return Some(waiter);
        }
        let seen = objects::at(key.object)?;
        waiter.holder = holder(&seen);
        waiter.object = Some(object_id(&seen));
        if seen.kind == CoreKind::RwLock {
            waiter.is_held = seen.senders >> 1 != 0;
            waiter.held_by_writer = seen.senders & 2 != 0;
        }
        // Where readers took it nobody knows.
        if !waiter.at_rw_lock() || waiter.held_by_writer {
            waiter.held_at = seen.held_at().map(Site::from);
        }
        Some(waiter)
    }
}

/// Whom a lock or once names, if it names anybody.
fn holder(seen: &Seen) -> usize {
    match seen.kind {
        CoreKind::Mutex if seen.senders >> 1 & TASK == 0 => seen.senders >> 1,
        CoreKind::Once => seen.senders,
        _ => 0,
    }
}

/// Some waiters, of whom more and more are taken out.
pub(super) struct Set {
    waiters: Vec<Waiter>,
    left: Vec<bool>,
    index: HashMap<usize, usize>,
}

impl Set {
    pub(super) fn new(waiters: Vec<Waiter>) -> Set {
        let index = waiters.iter().enumerate().map(|(at, w)| (w.who, at));
        Set {
            index: index.collect(),
            left: vec![true; waiters.len()],
            waiters,
        }
    }

    /// True if this one is still in.
    pub(super) fn has(&self, who: usize) -> bool {
        self.get(who).is_some()
    }

    pub(super) fn get(&self, who: usize) -> Option<&Waiter> {
        let at = *self.index.get(&who)?;
        self.left[at].then(|| &self.waiters[at])
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiter> {
        let left = self.waiters.iter().zip(&self.left);
        left.filter_map(|(waiter, left)| left.then_some(waiter))
    }

    /// Takes out whoever must not stay, until all may.
    pub(super) fn settle(&mut self, stays: impl Fn(&Set, &Waiter) -> bool) {
        loop {
            let goes: Vec<usize> = (0..self.waiters.len())
                .filter(|at| self.left[*at] && !stays(self, &self.waiters[*at]))
                .collect();
            if goes.is_empty() {
                return;
            }
            for at in goes {
                self.left[at] = false;
            }
        }
    }

    pub(super) fn into_vec(self) -> Vec<Waiter> {
        let left = self.waiters.into_iter().zip(self.left);
        left.filter_map(|(waiter, left)| left.then_some(waiter))
            .collect()
    }
}
