//! The runtime of the models: the library's, on goroutines that have no stacks.

#[path = "../../../crates/waterway/src/rt/afar.rs"]
mod afar;
#[path = "../../../crates/waterway/src/rt/bed.rs"]
mod bed;
#[path = "../../../crates/waterway/src/rt/behind.rs"]
mod behind;
#[path = "../../../crates/waterway/src/rt/blocking.rs"]
pub(crate) mod blocking;
#[path = "../../../crates/waterway/src/rt/due.rs"]
mod due;
#[path = "../../../crates/waterway/src/rt/edges.rs"]
mod edges;
#[path = "../../../crates/waterway/src/rt/follow.rs"]
mod follow;
#[path = "../../../crates/waterway/src/rt/fresh.rs"]
mod fresh;
#[path = "../../../crates/waterway/src/rt/gather.rs"]
mod gather;
#[path = "../../../crates/waterway/src/rt/habit.rs"]
mod habit;
#[path = "../../../crates/waterway/src/rt/halt.rs"]
pub(crate) mod halt;
#[path = "../../../crates/waterway/src/rt/held.rs"]
mod held;
#[path = "../../../crates/waterway/src/rt/home_lock.rs"]
mod home_lock;
#[path = "../../../crates/waterway/src/rt/idle.rs"]
mod idle;
#[path = "../../../crates/waterway/src/rt/inbox.rs"]
mod inbox;
#[path = "../../../crates/waterway/src/rt/line.rs"]
mod line;
#[path = "../../../crates/waterway/src/rt/live.rs"]
mod live;
#[path = "../../../crates/waterway/src/rt/pick.rs"]
mod pick;
#[path = "../../../crates/waterway/src/rt/record.rs"]
pub(crate) mod record;
#[path = "../../../crates/waterway/src/rt/row.rs"]
mod row;
#[path = "../../../crates/waterway/src/rt/run_queue.rs"]
mod run_queue;
#[path = "../../../crates/waterway/src/rt/sched.rs"]
pub(crate) mod sched;
#[path = "../../../crates/waterway/src/rt/seldom.rs"]
mod seldom;
/// How busy workers were is for placement alone, which is not modelled.
mod load {
    pub(crate) struct Load;

    impl Load {
        pub(crate) const fn new() -> Load {
            Load
        }
    }

    pub(crate) fn look(rt: &super::sched::Runtime, last: &mut u64, now: u64) {
        *last = now;
        rt.each_usual(|worker| {
            let Load = worker.load;
            worker.lull.rests();
            worker.lull.lingered();
        });
    }
}
#[path = "../../../crates/waterway/src/rt/share.rs"]
mod share;
#[path = "../../../crates/waterway/src/rt/spawned.rs"]
mod spawned;
#[path = "../../../crates/waterway/src/rt/steal.rs"]
mod steal;
#[path = "../../../crates/waterway/src/rt/still.rs"]
mod still;
#[path = "../../../crates/waterway/src/rt/sysmon.rs"]
pub(crate) mod sysmon;
#[path = "../../../crates/waterway/src/rt/timer.rs"]
pub(crate) mod timer;
#[path = "../../../crates/waterway/src/rt/tokens.rs"]
mod tokens;
#[path = "../../../crates/waterway/src/rt/turn.rs"]
mod turn;
#[path = "../../../crates/waterway/src/rt/warm.rs"]
mod warm;
#[path = "../../../crates/waterway/src/rt/worker.rs"]
pub(crate) mod worker;

pub(crate) mod bell;
pub(crate) mod cell;
pub(crate) mod stacks;
pub(crate) mod task;
pub(crate) mod thread;

/// As the library's.
pub(crate) struct Hooks {
    pub(crate) on_start: fn(&'static sched::Runtime),
    pub(crate) on_look: fn(&'static sched::Runtime) -> Option<std::time::Duration>,
    pub(crate) on_quiescent: fn(&'static sched::Runtime, &mut bool) -> sysmon::Verdict,
}

/// Some time passes with each step of the schedule.
pub(crate) mod clock {
    pub(crate) fn clock() -> u64 {
        shuttle::current::context_switches() as u64 * 50_000
    }

    pub(crate) fn coarse_clock() -> u64 {
        clock()
    }

    pub(crate) fn refresh_coarse() {}
}

pub(crate) mod config {
    use std::sync::atomic::{AtomicUsize, Ordering};

    pub(crate) struct Config {
        pub(crate) max_procs: usize,
        pub(crate) held_warn_ms: u64,
        pub(crate) deadlock: DeadlockPolicy,
        pub(crate) check_tls: bool,
    }

    pub(crate) enum DeadlockPolicy {
        Fatal,
        PanicMain,
    }

    impl Config {
        pub(crate) fn crew(&self) -> usize {
            self.max_procs
        }
    }

    static MAX_PROCS: AtomicUsize = AtomicUsize::new(1);

    /// For the runtime of this run.
    pub(crate) fn set_max_procs(n: usize) {
        MAX_PROCS.store(n, Ordering::SeqCst);
    }

    pub(crate) fn check() -> Result<(), &'static str> {
        Ok(())
    }

    pub(crate) fn take() -> Config {
        Config {
            max_procs: MAX_PROCS.load(Ordering::SeqCst),
            held_warn_ms: 0,
            deadlock: DeadlockPolicy::Fatal,
            check_tls: false,
        }
    }
}

#[path = "../../timed.rs"]
pub(crate) mod park;
#[path = "../../../crates/waterway/src/rt/payload.rs"]
mod payload;
pub(crate) mod claimed {
    pub(crate) use super::park::Claimed;
}

pub(crate) mod say {
    pub(crate) fn say(what: std::fmt::Arguments<'_>) {
        print!("{what}");
    }
}

/// Who is tied to whom is said by the model.
pub(crate) mod ties {
    #[derive(Clone, Copy)]
    pub(crate) struct Ties {
        pub(crate) ends: &'static [u64],
        pub(crate) are_short: bool,
    }

    impl Ties {
        pub(crate) fn with(ends: &[u64]) -> Ties {
            Ties {
                ends: Vec::leak(ends.to_vec()),
                are_short: false,
            }
        }

        pub(crate) fn ends(&self) -> &[u64] {
            self.ends
        }

        pub(crate) fn settle(&self, _: &'static std::panic::Location<'static>, _: usize) {}

        pub(crate) fn resettle(&self, _: usize) {}
    }
}

pub(crate) mod arena {
    pub(crate) const LINE: usize = 64;

    pub(crate) fn fetch(_at: usize, _bytes: usize) {}

    pub(crate) struct Arena;

    impl Arena {
        pub(crate) fn prepare(&self) {}
    }

    pub(crate) fn fetch_to_write(_: usize, _: usize) {}

    pub(crate) static HANDLES: Arena = Arena;
    pub(crate) static CELLS: Arena = Arena;
}

pub(crate) mod fork {
    pub(crate) fn install() {}
}

pub(crate) mod overflow {
    pub(crate) fn install() {}
}

pub(crate) mod hook {
    pub(crate) fn install() {}
}

/// Shuttle takes every access in order, so the fence that this stands for is there.
pub(crate) mod uneven {
    use crate::primitives::{AtomicUsize, Ordering};

    pub(crate) fn alone() -> bool {
        false
    }

    pub(crate) fn prepare() {}

    pub(crate) fn store_and_look(word: &AtomicUsize, value: usize, flag: &AtomicUsize) -> usize {
        word.store(value, Ordering::Release);
        flag.load(Ordering::SeqCst)
    }

    pub(crate) fn set_for_all(flag: &AtomicUsize, state: usize) {
        flag.store(state, Ordering::SeqCst);
    }
}

pub(crate) mod reap {
    pub(crate) fn enable() {}
}

pub(crate) mod hold {
    pub(crate) fn release_reservations() {}
}

pub(crate) mod foreign {
    pub(crate) fn running() -> bool {
        false
    }
}

/// Here, since much of the library is for its `rt` alone.
#[path = "../models/mod.rs"]
pub(crate) mod models;
