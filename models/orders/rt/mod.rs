//! The runtime of the models: the library's bed, inbox, tokens, record, timers, what is brought to a worker, and what an idle one
//! does; workers that have nothing else.

#[path = "../../../crates/waterway/src/rt/afar.rs"]
pub(crate) mod afar;
#[path = "../../../crates/waterway/src/rt/bed.rs"]
pub(crate) mod bed;
#[path = "../../../crates/waterway/src/rt/due.rs"]
pub(crate) mod due;
#[path = "../../../crates/waterway/src/rt/gather.rs"]
pub(crate) mod gather;
#[path = "../../../crates/waterway/src/rt/home_lock.rs"]
pub(crate) mod home_lock;
#[path = "../../../crates/waterway/src/rt/idle.rs"]
pub(crate) mod idle;
#[path = "../../../crates/waterway/src/rt/inbox.rs"]
pub(crate) mod inbox;
#[path = "../../../crates/waterway/src/rt/own_lock.rs"]
pub(crate) mod own_lock;
#[path = "../../../crates/waterway/src/rt/record.rs"]
pub(crate) mod record;
#[path = "../../../crates/waterway/src/rt/refs.rs"]
pub(crate) mod refs;
#[path = "../../../crates/waterway/src/rt/run_queue.rs"]
pub(crate) mod run_queue;
#[path = "../../../crates/waterway/src/rt/still.rs"]
pub(crate) mod still;
#[path = "../../../crates/waterway/src/rt/timer.rs"]
pub(crate) mod timer;
#[path = "../../../crates/waterway/src/rt/tokens.rs"]
pub(crate) mod tokens;
#[path = "../../../crates/waterway/src/rt/uneven.rs"]
pub(crate) mod uneven;

#[path = "../../../crates/waterway/src/chan/door.rs"]
pub(crate) mod door;
#[path = "../../../crates/waterway/src/chan/ring/mod.rs"]
pub(crate) mod ring;

pub(crate) mod membarrier;
pub(crate) mod sched;
pub(crate) mod task;
pub(crate) mod thread;
pub(crate) mod worker;

pub(crate) mod arena {
    pub(crate) const LINE: usize = 64;

    pub(crate) fn fetch(_at: usize, _bytes: usize) {}

    pub(crate) fn fetch_to_write(_at: usize, _bytes: usize) {}
}

/// Time passes with each look at the clock, by more than a worker lingers.
pub(crate) mod clock {
    use std::cell::Cell;

    thread_local! {
        static NOW: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) fn clock() -> u64 {
        NOW.set(NOW.get() + 40_000);
        NOW.get()
    }

    pub(crate) fn refresh_coarse() {}
}

pub(crate) mod say {
    pub(crate) fn say(what: std::fmt::Arguments<'_>) {
        eprint!("{what}");
    }
}

/// Goroutines that have not started.
pub(crate) mod cell {
    pub(crate) struct Unstarted;
}

pub(crate) mod stacks {
    pub(crate) fn fetch_alike(_: usize) {}
}

#[path = "../../timed.rs"]
pub(crate) mod park;
#[path = "../../../crates/waterway/src/rt/payload.rs"]
mod payload;
pub(crate) mod claimed {
    pub(crate) use super::park::Claimed;
}

/// Here, since much of the library is for its `rt` alone.
#[path = "../models/mod.rs"]
pub(crate) mod models;
