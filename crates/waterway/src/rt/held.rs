//! Workers held by one goroutine: who, for how long, doing what, and who waits behind.

use std::panic::Location;
use std::time::Duration;

use super::behind::Behind;
use super::say::say;
use super::sched::Runtime;
use super::sysmon::SLICE;
use super::thread::asleep_in_kernel;
use super::worker::{Party, Worker};
use crate::primitives::Ordering;

/// A sleep in the kernel is reported from here on even if nobody waits behind it, in nanoseconds.
const ASLEEP_LONG: u64 = 1_000_000_000;
/// A site is started apart after this many holds that made others wait, or one this long, in nanoseconds.
const CAUGHT_OFTEN: u32 = 3;
const CAUGHT_LONG: u64 = 100_000_000;

/// What a look at a worker shows.
pub(super) enum Seen {
    /// It has turned to another goroutine since the last time slice.
    Fresh,
    /// It switches, but among goroutines that share one time slice.
    SliceOver,
    /// It has been inside one goroutine since then, and for longer than a slice.
    Held(u64),
    /// The same, but the thread had no CPU for most of it: the goroutine is not what keeps others waiting.
    Aside(u64),
}

/// How long a goroutine has had its worker's thread, computing or asleep, in nanoseconds. While that waits for a CPU nobody has it.
#[derive(Clone, Copy, Default)]
struct Had {
    time: u64,
    /// As of the last look: when it was, and how long the thread had had a CPU.
    at: u64,
    ran: u64,
}

impl Had {
    fn begin(now: u64, ran: u64) -> Had {
        Had {
            time: 0,
            at: now,
            ran,
        }
    }

    /// It is still the same goroutine; `waits` says whether the thread waits for a CPU now.
    fn go_on(&mut self, now: u64, ran: u64, waits: impl FnOnce() -> bool) {
        let passed = now.saturating_sub(self.at);
        let computed = ran.saturating_sub(self.ran);
        self.time += match computed < passed / 2 && waits() {
            true => computed,
            false => passed,
        };
        (self.at, self.ran) = (now, ran);
    }
}

#[derive(Clone, Copy, Default)]
struct Look {
    turns: u64,
    turns_since: u64,
    had: Had,
    slices: u64,
    slices_since: u64,
    reported: bool,
    counted: bool,
    /// When to ask again whether others wait behind it, see [`next_question`].
    ask_at: u64,
}

impl Worker {
    /// True if one goroutine holds it, as sysmon saw it last.
    #[inline]
    pub(super) fn is_held(&self) -> bool {
        self.held_since.load(Ordering::Relaxed) != 0
    }
}

/// Looks that are further apart than this, in nanoseconds, tell nothing of what was between them.
const GAP: u64 = 100_000_000;

/// Sysmon's memory of what it saw.
#[derive(Default)]
pub(super) struct Held {
    looks: Vec<Look>,
    /// When the last look was.
    looked: u64,
    warned: Vec<(&'static Location<'static>, Doing)>,
    caught: Vec<(&'static Location<'static>, u32)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Computing,
    Asleep,
}

impl Held {
    /// A new look at all workers. If the last one was too long ago, the process was stopped, or sysmon had no CPU: then
    /// nobody can be said to have held a worker meanwhile.
    pub(super) fn begin(&mut self, now: u64) {
        if now.saturating_sub(self.looked) > GAP {
            self.looks.clear();
        }
        self.looked = now;
    }

    pub(super) fn forget(&mut self, index: usize) {
        if let Some(look) = self.looks.get_mut(index) {
            *look = Look::default();
        }
    }

    pub(super) fn see(&mut self, worker: &Worker, now: u64) -> Seen {
        if self.looks.len() <= worker.index {
            self.looks.resize(worker.index + 1, Look::default());
        }
        let look = &mut self.looks[worker.index];
        let (turns, slices) = (
            worker.turns.load(Ordering::Relaxed),
            worker.slices.load(Ordering::Relaxed),
        );
        if look.slices != slices || look.slices_since == 0 {
            (look.slices, look.slices_since) = (slices, now);
        }
        let ran = worker.cpu_time();
        if look.turns != turns || look.turns_since == 0 || !worker.busy.load(Ordering::Relaxed) {
            (look.turns, look.turns_since) = (turns, now);
            look.had = Had::begin(now, ran);
            (look.reported, look.counted, look.ask_at) = (false, false, 0);
        } else {
            let tid = worker.tid.load(Ordering::Relaxed);
            let waits = || asleep_in_kernel(tid) == Some(false);
            look.had.go_on(now, ran, waits);
        }
        if look.had.time > SLICE {
            Seen::Held(now - look.had.time)
        } else if now - look.turns_since > SLICE {
            Seen::Aside(look.turns_since)
        } else if now - look.slices_since > SLICE {
            Seen::SliceOver
        } else {
            Seen::Fresh
        }
    }

    /// Says who holds a worker, once for each spawn site and manner, and sets sites apart that do it again and again.
    pub(super) fn report(
        &mut self,
        rt: &Runtime,
        worker: &Worker,
        since: u64,
        now: u64,
        backlog: usize,
    ) {
        let look = &mut self.looks[worker.index];
        if now < look.ask_at {
            return;
        }
        let for_ns = now - since;
        let warn_ns = rt.config.held_warn_ms.saturating_mul(1_000_000);
        look.ask_at = next_question(since, now, warn_ns);
        let backlog = backlog + worker.pinned();
        let hurts = backlog > 0 || worker.waits_turn();
        let Some(doing) = doing(worker) else { return };
        let due = warn_ns > 0
            && ((hurts && for_ns >= warn_ns)
                || (doing == Doing::Asleep && for_ns >= warn_ns.max(ASLEEP_LONG)));
        let count =
            hurts && worker.party == Party::Common && (!look.counted || for_ns >= CAUGHT_LONG);
        let tell = due && !look.reported;
        if !tell && !count {
            return;
        }
        look.counted |= count;
        look.reported |= due;
        let Some((site, who)) = worker.holder(|task| {
            let (who, site) = (task.identity(), task.identity().site);
            (site, format!("{who}, spawned at {site}"))
        }) else {
            return;
        };
        if count && self.caught_enough(site, for_ns) {
            rt.set_apart(site);
        }
        if due && !self.warned.contains(&(site, doing)) {
            self.warned.push((site, doing));
            let time = Duration::from_nanos(for_ns);
            let behind = Behind::of(worker, backlog);
            let text = text(&who, worker, doing, time, &behind);
            say(format_args!("{text}\n"));
            #[cfg(feature = "tracing")]
            tell_subscriber(worker, doing, time, &behind);
        }
    }

    fn caught_enough(&mut self, site: &'static Location<'static>, for_ns: u64) -> bool {
        let times = match self.caught.iter_mut().find(|(s, _)| *s == site) {
            Some((_, times)) => {
                *times += 1;
                *times
            }
            None => {
                self.caught.push((site, 1));
                1
            }
        };
        times >= CAUGHT_OFTEN || for_ns >= CAUGHT_LONG
    }
}

/// Who waits behind a held worker is found by looking at all that live there, which takes as long as they are many. So that is done
/// when it has been held for twice as long as the last time, and when it is time to speak of it.
fn next_question(since: u64, now: u64, warn_ns: u64) -> u64 {
    [warn_ns, CAUGHT_LONG, warn_ns.max(ASLEEP_LONG)]
        .into_iter()
        .map(|time| since.saturating_add(time))
        .filter(|&at| at > now)
        .fold(now + (now - since), u64::min)
}

fn text(who: &str, worker: &Worker, doing: Doing, time: Duration, behind: &Behind) -> String {
    let (doing, advice) = match doing {
        Doing::Computing => (
            "computing",
            "Call yield_now() now and then, or start it with Builder::dedicated()",
        ),
        Doing::Asleep => (
            "asleep in the kernel (a sleeping system call, or a std lock held by a parked goroutine of this worker)",
            "Use waterway's own sleep and locks, blocking(), or Builder::dedicated()",
        ),
    };
    format!(
        "waterway: {who}, has held worker {} for {} ms, {doing}{behind}. {advice}.",
        worker.index,
        time.as_millis(),
    )
}

/// The same as an event of the `tracing` crate.
#[cfg(feature = "tracing")]
fn tell_subscriber(worker: &Worker, doing: Doing, time: Duration, behind: &Behind) {
    use super::events::{send, wanted};
    if !wanted(tracing::Level::WARN) {
        return;
    }
    let Some((goroutine, name, spawned_at)) = worker.holder(|task| {
        let who = task.identity();
        (who.id, who.name.clone(), who.site)
    }) else {
        return;
    };
    let (worker, held_ms) = (worker.index, time.as_millis() as u64);
    let (ready, fresh) = (behind.ready, behind.fresh);
    let asleep = doing == Doing::Asleep;
    send(move || {
        tracing::warn!(
            target: "waterway",
            goroutine,
            name = name.as_deref(),
            %spawned_at,
            worker,
            held_ms,
            asleep,
            waiting = ready + fresh,
            not_started = fresh,
            "goroutine holds its worker"
        );
    });
}

/// What the worker's thread does, by the kernel's word. `None` where that cannot be read: the thread may have ended.
fn doing(worker: &Worker) -> Option<Doing> {
    let asleep = asleep_in_kernel(worker.tid.load(Ordering::Relaxed))?;
    Some(match asleep {
        true => Doing::Asleep,
        false => Doing::Computing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// How long a goroutine has had its thread after looks 5 ms apart, between which that had a CPU for so many milliseconds.
    fn had(ran: &[u64], waits: bool) -> u64 {
        let (mut at, mut in_all) = (100 * MS, 7 * MS);
        let mut had = Had::begin(at, in_all);
        for ran in ran {
            (at, in_all) = (at + 5 * MS, in_all + ran * MS);
            had.go_on(at, in_all, || waits);
        }
        had.time / MS
    }

    #[test]
    fn who_computes_or_sleeps_has_the_thread() {
        assert_eq!(had(&[5, 4, 5], true), 15);
        assert_eq!(had(&[0, 0, 0], false), 15);
    }

    #[test]
    fn who_waits_for_a_cpu_has_it_for_as_long_as_it_computed() {
        assert_eq!(had(&[0, 0, 0], true), 0);
        assert_eq!(had(&[1, 2, 0], true), 3);
        assert_eq!(had(&[0, 5, 0], true), 5);
    }
}
