//! The runtime of the models: the library's `park`, `record`, `reap` and `timer` on threads that play goroutines.

#[path = "../../../crates/waterway/src/rt/checkpoint.rs"]
pub(crate) mod checkpoint;
#[path = "../../../crates/waterway/src/rt/claimed.rs"]
mod claimed;
#[path = "../../../crates/waterway/src/rt/core_box.rs"]
pub(crate) mod core_box;
#[path = "../../../crates/waterway/src/rt/due.rs"]
mod due;
#[path = "../../../crates/waterway/src/rt/foreign.rs"]
pub(crate) mod foreign;
#[path = "../../../crates/waterway/src/rt/header.rs"]
pub(crate) mod header;
#[path = "../../../crates/waterway/src/rt/hold.rs"]
pub(crate) mod hold;
#[path = "../../../crates/waterway/src/rt/home_lock.rs"]
pub(crate) mod home_lock;
#[path = "../../../crates/waterway/src/rt/own_lock.rs"]
pub(crate) mod own_lock;
#[path = "../../../crates/waterway/src/rt/park.rs"]
pub(crate) mod park;
#[path = "../../../crates/waterway/src/rt/payload.rs"]
mod payload;
#[path = "../../../crates/waterway/src/rt/reap.rs"]
pub(crate) mod reap;
#[path = "../../../crates/waterway/src/rt/record.rs"]
pub(crate) mod record;
#[path = "../../../crates/waterway/src/rt/refs.rs"]
mod refs;
#[path = "../../../crates/waterway/src/rt/seldom.rs"]
mod seldom;
#[path = "../../../crates/waterway/src/rt/timer.rs"]
pub(crate) mod timer;

pub(crate) mod arena;
pub(crate) mod task;
pub(crate) mod thread;
pub(crate) mod worker;

/// A tenth of a millisecond passes with each step of the schedule. What is to come in the next minutes is due after one
/// more, what comes later never is.
pub(crate) mod clock {
    use std::time::{Duration, Instant};

    pub(crate) fn clock() -> u64 {
        shuttle::current::context_switches() as u64 * 100_000
    }

    pub(crate) fn since_start(at: Instant) -> u64 {
        let soon = Instant::now() + Duration::from_secs(600);
        if at < soon {
            clock() + 100_000
        } else {
            u64::MAX - 1
        }
    }

    pub(crate) fn instant_at(_clock: u64) -> Instant {
        Instant::now()
    }

    pub(crate) fn coarse_clock() -> u64 {
        0
    }
}

/// Nobody looks for cycles here.
pub(crate) mod edges {
    pub(crate) struct Edge;

    impl Edge {
        pub(crate) fn begin() -> Edge {
            Edge
        }
    }
}

/// As above.
pub(crate) mod stuck {
    pub(crate) fn check(_waiter: &super::park::Waiter) {}

    pub(super) fn any() -> bool {
        false
    }

    pub(super) fn note_waker(_key: (usize, u64)) {}
}

pub(crate) mod fork {
    pub(crate) fn check() {}
}

/// Placement is not modelled.
pub(crate) mod ties {
    pub(crate) fn forget(_: std::ptr::NonNull<u8>) {}
}

/// Names are for dumps.
pub(crate) mod objects {
    pub(crate) fn name(_id: usize, _name: &str) {}

    pub(crate) fn forget_name(_id: usize) {}
}

pub(crate) mod say {
    pub(crate) fn say(what: std::fmt::Arguments<'_>) {
        eprint!("{what}");
    }
}

/// So that models come to it.
pub(crate) mod membarrier {
    pub(crate) const WORTH: u32 = 1;
}

/// Shuttle takes every access in order, so the fence that this stands for is there.
pub(crate) mod uneven {
    use crate::primitives::{AtomicUsize, Ordering};

    pub(crate) fn is_ready() -> bool {
        true
    }

    pub(crate) fn store_and_look_ready(
        word: &AtomicUsize,
        value: usize,
        flag: &AtomicUsize,
    ) -> usize {
        store_and_look(word, value, flag)
    }

    pub(crate) fn store_and_look(word: &AtomicUsize, value: usize, flag: &AtomicUsize) -> usize {
        word.store(value, Ordering::Release);
        flag.load(Ordering::SeqCst)
    }

    pub(crate) fn set_for_all(flag: &AtomicUsize, state: usize) {
        flag.store(state, Ordering::SeqCst);
    }
}

pub(crate) mod stacks {
    /// Others come in between one and the next.
    pub(crate) const AT_HAND: usize = 1;

    pub(crate) fn fetch_alike(_: usize) {}
}

pub(crate) mod tls_check {
    pub(crate) fn check(_task: &super::task::Task) {}
}

pub(crate) mod sched {
    use std::sync::atomic::{AtomicPtr, Ordering};

    use super::worker::Worker;

    /// The one worker of this run.
    static WORKER: AtomicPtr<Worker> = AtomicPtr::new(std::ptr::null_mut());

    pub(crate) fn set_worker(worker: &'static Worker) {
        let worker = std::ptr::from_ref(worker).cast_mut();
        WORKER.store(worker, Ordering::Relaxed);
    }

    /// What waiters use of the runtime.
    pub(crate) struct Runtime {
        pub(crate) sysmon: Sysmon,
        pub(crate) blocking: Pool,
    }

    pub(crate) struct Sysmon;

    impl Sysmon {
        pub(crate) fn rouse(&self) {}

        pub(crate) fn saw_held(&self) -> bool {
            true
        }
    }

    pub(crate) struct Pool;

    type Job = Box<dyn FnOnce() + Send>;

    impl Pool {
        pub(crate) fn submit(&self, job: Job) -> Result<(), (Job, std::io::Error)> {
            Err((job, std::io::ErrorKind::Other.into()))
        }
    }

    impl Runtime {
        pub(crate) fn timer_worker(&self) -> &'static Worker {
            // SAFETY: workers of models live for ever.
            unsafe { &*WORKER.load(Ordering::Relaxed) }
        }

        /// Goroutines of a model run at the same time.
        pub(crate) fn usual(&self) -> usize {
            2
        }
    }

    pub(crate) fn runtime() -> &'static Runtime {
        static RUNTIME: Runtime = Runtime {
            sysmon: Sysmon,
            blocking: Pool,
        };
        &RUNTIME
    }
}
