//! The watchman: a thread of its own that looks at the workers every few milliseconds while they run, ends time slices,
//! helps where a goroutine holds its worker, gives back memory, and calls for a verdict when nothing moves any more.
//! While nothing happens, and no look for a proof is due, it sleeps for good.
//!
//! A look costs what it costs to get up. Where all workers were asleep at the last one they mostly are at the next, as with a few goroutines that
//! sleep for milliseconds, so that comes later: who begins to hold a worker meanwhile is seen 5 ms later than elsewhere, at most.
//!
//! # It does not sleep through a start
//!
//! It says that it sleeps (`deep`), then looks once more whether anything moved; who moves (a worker that gets up, a thread that
//! begins to wait) says so first, then reads `deep` and rings. Between the two there is a full fence on either side. A ring lasts
//! until it is stilled, after `deep` is taken back.
//!
//! Models (`models/`): `sysmon_sees_when_nothing_moves`, `sysmon_sees_it_again` in `runtime`.

use std::time::Duration;

use super::bell::Bell;
use super::clock::{clock, refresh_coarse};
use super::held::{Held, Seen};
use super::say::say;
use super::sched::Runtime;
use super::worker::{Party, Worker};
use crate::primitives::{AtomicBool, Ordering, fence, start_thread};

/// Between two looks while goroutines run.
const PACE: Duration = Duration::from_millis(5);
/// The same after a look at which all workers were asleep, though some were up meanwhile.
const EASY_PACE: Duration = Duration::from_millis(10);
/// A goroutine that runs for longer than this, in nanoseconds, has used up its time slice, and holds its worker.
pub(super) const SLICE: u64 = 10_000_000;
/// How long nothing may move before the verdict is asked for, in nanoseconds.
const CALM: u64 = 20_000_000;
/// Idle stacks that keep their memory, and for how long (in nanoseconds) a surplus does.
const WARM_STACKS: usize = 64;
const TRIM_AFTER: u64 = 1_000_000_000;
/// Of those that wait behind a held worker so many go to another at each look.
const HANDED_ON: usize = 64;

/// What the layer above found when nothing moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing more to find until something moves.
    Settled,
    /// Something that gives no sign may change: look again after a while.
    LookAgain,
}

pub(crate) struct Sysmon {
    /// True while sysmon sleeps for good, or for long.
    deep: AtomicBool,
    want_apart: AtomicBool,
    /// At the last look some worker was held: who asks about one need not look at it otherwise.
    saw_held: AtomicBool,
    bell: Bell,
}

impl Sysmon {
    pub(super) fn new() -> Sysmon {
        Sysmon {
            deep: AtomicBool::new(false),
            want_apart: AtomicBool::new(false),
            saw_held: AtomicBool::new(false),
            bell: Bell::new(),
        }
    }

    pub(super) fn start(&'static self, rt: &'static Runtime) {
        self.bell.make();
        (crate::HOOKS.on_start)(rt);
        if let Err(error) = start_thread("waterway-sysmon", move || self.run(rt)) {
            panic!(
                "waterway cannot start its monitor thread: {error}. Raise the limit on threads (ulimit -u)"
            );
        }
    }

    /// True if some worker was held by one goroutine at the last look.
    #[inline]
    pub(super) fn saw_held(&self) -> bool {
        self.saw_held.load(Ordering::Relaxed)
    }

    /// Something moves again: wakes sysmon if it sleeps for long.
    #[inline]
    pub(crate) fn rouse(&self) {
        fence(Ordering::SeqCst);
        if self.deep.load(Ordering::Relaxed) {
            self.ring();
        }
    }

    /// Makes sysmon look now. Async-signal-safe.
    pub(crate) fn ring(&self) {
        self.bell.ring();
    }

    /// Goroutines wait for a worker apart and none is idle.
    pub(super) fn want_apart(&self) {
        if !self.want_apart.swap(true, Ordering::SeqCst) {
            self.ring();
        }
    }

    fn run(&self, rt: &'static Runtime) {
        super::thread::mark_internal();
        super::uneven::prepare();
        let mut held = Held::default();
        let mut calm = Calm::default();
        let mut load_seen = 0;
        let mut trim_at = None;
        let mut sleep = Some(PACE);
        loop {
            self.sleep(sleep, || calm.lasts(rt));
            refresh_coarse();
            let until_hook = (crate::HOOKS.on_look)(rt);
            let now = clock();
            self.tend_apart(rt);
            let moving = look(rt, &mut held, now);
            super::load::look(rt, &mut load_seen, now);
            let surplus = rt.stacks.idle() > WARM_STACKS;
            trim_at = match trim_at {
                Some(at) if surplus && now >= at => {
                    rt.stacks.trim(WARM_STACKS);
                    None
                }
                None if surplus => Some(now + TRIM_AFTER),
                kept => kept.filter(|_| surplus),
            };
            let until_trim = trim_at.map(|_| PACE * 20);
            let until_look = calm.next(rt, moving, now);
            let all = [until_look, until_trim, until_hook];
            sleep = all.into_iter().flatten().min();
        }
    }

    /// Sleeps; for longer than the easy pace only if it is calm once everybody can see that it does. (Who moves later sees it,
    /// and rings.)
    fn sleep(&self, mut time: Option<Duration>, calm: impl Fn() -> bool) {
        if time.is_none_or(|t| t > EASY_PACE) {
            self.deep.store(true, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            if !calm() {
                time = Some(PACE);
            }
        }
        let rang = self.bell.wait(time);
        self.deep.store(false, Ordering::SeqCst);
        if rang {
            self.bell.still();
        }
    }

    /// Sees to it that goroutines of offending spawn sites find a worker apart.
    fn tend_apart(&self, rt: &'static Runtime) {
        // Before the look at what waits: who queues more after it rings again.
        self.want_apart.swap(false, Ordering::SeqCst);
        if rt.apart_backlog() == 0 || rt.wake_idle(Party::Apart, None) {
            return;
        }
        let mut there = 0;
        rt.each_worker(|w| there += usize::from(w.party == Party::Apart && !w.is_retired()));
        if there < rt.config.max_procs {
            add_spare(rt, Party::Apart);
        }
    }
}

/// Looks at every worker. True if any runs or is about to.
fn look(rt: &'static Runtime, held: &mut Held, now: u64) -> bool {
    let mut moving = false;
    let mut stuck = Vec::new();
    held.begin(now);
    let mut free_hands = [0usize; 2];
    // One that has work of its own, and goes on: it would never come to look for others'.
    let mut busy = None;
    rt.each_worker(|worker| {
        if worker.is_retired() || worker.bed.asleep() {
            free_hands[worker.party as usize] += usize::from(!worker.is_retired());
            held.forget(worker.index);
            worker.held_since.store(0, Ordering::Relaxed);
            return;
        }
        moving = true;
        if worker.halt.has_stopped() {
            // No goroutine holds it: it goes on when a proof has been looked for.
            free_hands[worker.party as usize] += 1;
            held.forget(worker.index);
            worker.held_since.store(0, Ordering::Relaxed);
            return;
        }
        let seen = held.see(worker, now);
        let held_since = match seen {
            Seen::Held(since) | Seen::Aside(since) => since,
            _ => 0,
        };
        worker.held_since.store(held_since, Ordering::Relaxed);
        let inside = worker.busy.load(Ordering::Relaxed);
        if worker.party == Party::Common && inside && held_since == 0 {
            busy = Some(worker);
        }
        match seen {
            Seen::Fresh => {
                free_hands[worker.party as usize] += 1;
                if rt.tokens.wanted() > 0 {
                    // However often it switches: another worker waits for its token.
                    worker.preempt.store(true, Ordering::Relaxed);
                }
            }
            Seen::SliceOver => {
                worker.preempt.store(true, Ordering::Relaxed);
                free_hands[worker.party as usize] += 1;
            }
            Seen::Held(since) => {
                worker.preempt.store(true, Ordering::Relaxed);
                worker.fire_due();
                if rt.tokens.wanted() > 0 {
                    take_token(rt, worker);
                }
                stuck.push((worker, Some(since)));
            }
            Seen::Aside(_) => {
                worker.preempt.store(true, Ordering::Relaxed);
                worker.fire_due();
                free_hands[worker.party as usize] += 1;
                stuck.push((worker, None));
            }
        }
    });
    rt.sysmon
        .saw_held
        .store(!stuck.is_empty(), Ordering::Relaxed);
    for (worker, held_since) in stuck {
        // What was given to this worker may go to any; what waits for a worker apart, to such a one.
        let apart = match worker.party {
            Party::Common => 0,
            Party::Apart => rt.apart_backlog(),
        };
        let backlogs = [(Party::Common, worker.backlog()), (Party::Apart, apart)];
        for (party, backlog) in backlogs {
            // Where CPUs are what is missing, a spare would want one too.
            if backlog == 0 || rt.wake_idle(party, None) || held_since.is_none() {
                continue;
            }
            if free_hands[party as usize] == 0 {
                // A spare takes its place, and its token.
                add_spare(rt, party);
                take_token(rt, worker);
                free_hands[party as usize] += 1;
            } else if party == Party::Common
                && let Some(busy) = busy
            {
                hand_on(rt, worker, busy);
            }
        }
        if let Some(since) = held_since {
            held.report(rt, worker, since, now, worker.backlog() + apart);
        }
    }
    moving
}

/// The token of a held worker goes to another. Who hands over on it looks at `preempt` alone (`pick`), so that is said after it.
fn take_token(rt: &Runtime, worker: &Worker) {
    rt.tokens.release(worker);
    worker.preempt.store(true, Ordering::Relaxed);
}

/// Gives some goroutines that wait behind a held worker to one that is busy: else they might never start. Whoever idles is better,
/// and takes his share of them there.
fn hand_on(rt: &Runtime, held: &Worker, busy: &Worker) {
    for cell in std::iter::from_fn(|| held.rob()).take(HANDED_ON) {
        cell.set_worker(busy.index);
        busy.push_incoming(cell);
    }
    if busy.is_retired() {
        rt.wake_idle(Party::Common, None);
    }
}

fn add_spare(rt: &'static Runtime, party: Party) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if let Err(error) = rt.add_worker(party)
        && !WARNED.swap(true, Ordering::Relaxed)
    {
        say(format_args!(
            "waterway: no spare worker thread can be started, goroutines wait behind those that hold workers: {error}\n"
        ));
    }
}

/// Watches for the moment when nothing moves any more.
#[derive(Default)]
struct Calm {
    signature: u64,
    since: Option<u64>,
    asked: bool,
    patience: u32,
}

impl Calm {
    /// True if nothing has moved since the last look. Who waits for a worker apart has sysmon awake: one that was there at the
    /// last look may have retired.
    fn lasts(&self, rt: &Runtime) -> bool {
        let mut asleep = !rt.apart_waits();
        rt.each_worker(|worker| asleep &= worker.is_retired() || worker.bed.asleep());
        asleep && rt.signature() == self.signature
    }

    /// How long to sleep until the next look.
    fn next(&mut self, rt: &'static Runtime, moving: bool, now: u64) -> Option<Duration> {
        let signature = rt.signature();
        if moving || signature != self.signature || self.since.is_none() {
            *self = Calm {
                signature,
                since: (!moving).then_some(now),
                asked: false,
                patience: 0,
            };
            return Some(if moving { PACE } else { EASY_PACE });
        }
        if now - self.since.unwrap_or(now) < CALM {
            return Some(PACE);
        }
        match (crate::HOOKS.on_quiescent)(rt, &mut self.asked) {
            Verdict::Settled => None,
            Verdict::LookAgain => {
                self.patience = (self.patience + 1).min(6);
                Some(PACE * 4 * (1 << self.patience))
            }
        }
    }
}
