//! The runtime of the models: the library's `park`, `record`, `reap` and `timer` on threads that play goroutines.

#[path = "../../../crates/waterway/src/rt/core_box.rs"]
pub(crate) mod core_box;
#[path = "../../../crates/waterway/src/rt/park.rs"]
pub(crate) mod park;
#[path = "../../../crates/waterway/src/rt/reap.rs"]
pub(crate) mod reap;
#[path = "../../../crates/waterway/src/rt/record.rs"]
pub(crate) mod record;
#[path = "../../../crates/waterway/src/rt/timer.rs"]
pub(crate) mod timer;

pub(crate) mod arena;
pub(crate) mod task;
pub(crate) mod thread;
pub(crate) mod worker;

pub(crate) mod fork {
    pub(crate) fn check() {}
}

pub(crate) mod hook {
    pub(crate) fn running() -> bool {
        false
    }
}

pub(crate) mod tls_check {
    pub(crate) fn check(_task: &super::task::Task) {}
}

pub(crate) mod sched {
    /// What waiters use of the runtime.
    pub(crate) struct Runtime {
        pub(crate) sysmon: Sysmon,
        pub(crate) blocking: Pool,
    }

    pub(crate) struct Sysmon;

    impl Sysmon {
        pub(crate) fn rouse(&self) {}
    }

    pub(crate) struct Pool;

    type Job = Box<dyn FnOnce() + Send>;

    impl Pool {
        pub(crate) fn submit(&self, job: Job) -> Result<(), (Job, std::io::Error)> {
            Err((job, std::io::ErrorKind::Other.into()))
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
