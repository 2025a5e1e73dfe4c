//! Workers that are halted run no goroutine, and go on after it.

use super::{Group, go, start};
use crate::primitives::{AtomicBool, AtomicU64, OnceLock, Ordering};
use crate::rt::cell::Next;
use crate::rt::halt::Halt;
use crate::rt::sched::{Place, Runtime};
use crate::rt::worker;
use crate::schedules::Model;

pub(super) const MODELS: &[Model] = &[
    ("a_halted_worker_runs_nothing", || halts(1)),
    ("halted_workers_run_nothing", || halts(2)),
];

/// What goroutines and sysmon share in a run.
struct Shared {
    /// Sysmon halts workers, when it looks around.
    wanted: AtomicBool,
    /// Counts steps of goroutines.
    steps: AtomicU64,
    /// It is at it.
    looks: AtomicBool,
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| Shared {
        wanted: AtomicBool::new(false),
        steps: AtomicU64::new(0),
        looks: AtomicBool::new(false),
    })
}

/// Sysmon's hook: all are halted, and nobody takes a step.
pub(super) fn look(rt: &'static Runtime) {
    let shared = shared();
    shared.looks.store(true, Ordering::SeqCst);
    if shared.wanted.load(Ordering::SeqCst) {
        nobody_runs(rt, shared);
    }
    shared.looks.store(false, Ordering::SeqCst);
}

fn nobody_runs(rt: &'static Runtime, shared: &Shared) {
    let Some(halt) = Halt::begin(rt, |_| true, u64::MAX / 2) else {
        return;
    };
    assert!(halt.has_all(rt));
    let before = shared.steps.load(Ordering::SeqCst);
    for _ in 0..4 {
        shuttle::thread::yield_now();
    }
    assert_eq!(shared.steps.load(Ordering::SeqCst), before, "somebody ran");
}

/// Goroutines that give way all the time, wake workers that sleep, and go on when the halt is over.
fn halts(workers: usize) {
    let rt = start(workers);
    let shared = shared();
    shared.wanted.store(true, Ordering::SeqCst);
    let group = Group::of(3);
    for n in 0..3 {
        go(rt, Place::Near(n % workers), move |_, step| {
            shared.steps.fetch_add(1, Ordering::SeqCst);
            if step == 2 {
                return group.done();
            }
            worker::this().unwrap().yield_now();
            Next::Suspend
        });
    }
    group.wait();
    shared.wanted.store(false, Ordering::SeqCst);
    while shared.looks.load(Ordering::SeqCst) {
        shuttle::thread::yield_now();
    }
}
