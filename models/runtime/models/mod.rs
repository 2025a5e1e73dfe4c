//! The models, and what they share.

mod follow;
mod halts;
mod held;
mod line;
mod pool;
mod spares;
mod wakes;

use std::sync::atomic::{AtomicPtr as StdPtr, AtomicUsize as StdUsize};

use super::cell::{Next, Unstarted};
use super::config::set_max_procs;
use super::sched::{Place, Runtime, runtime};
use super::sysmon::Verdict;
use super::task::Task;
use crate::primitives::{AtomicU32, OnceLock, Ordering, begin_run};
use crate::rt::Hooks;
use crate::rt::thread::{futex_wait, futex_wake};
use crate::schedules::Model;

pub(crate) fn all() -> Vec<Model> {
    [
        wakes::MODELS,
        held::MODELS,
        halts::MODELS,
        line::MODELS,
        follow::MODELS,
        spares::MODELS,
        pool::MODELS,
    ]
    .concat()
}

/// Nothing is judged but that sysmon asks when nothing moves any more.
pub(crate) const HOOKS: Hooks = Hooks {
    on_start: |_| {},
    on_look: |rt| {
        halts::look(rt);
        None
    },
    on_quiescent: |rt, _| {
        let mut at_rest = true;
        rt.each_worker(|worker| at_rest &= worker.is_at_rest());
        if at_rest {
            judged().set();
            // Whoever moves now may have done all of it before sysmon sleeps.
            for _ in 0..8 {
                shuttle::thread::yield_now();
            }
            return Verdict::Settled;
        }
        Verdict::LookAgain
    },
};

/// Sysmon has seen that nothing moves.
pub(crate) fn judged() -> &'static Event {
    static JUDGED: OnceLock<Event> = OnceLock::new();
    JUDGED.get_or_init(Event::new)
}

/// Something that happens once in a run, which the main thread and goroutines wait for.
pub(crate) struct Event(AtomicU32);

impl Event {
    pub(crate) const fn new() -> Event {
        Event(AtomicU32::new(0))
    }

    pub(crate) fn leaked() -> &'static Event {
        Box::leak(Box::new(Event::new()))
    }

    pub(crate) fn set(&self) {
        self.0.store(1, Ordering::SeqCst);
        futex_wake(&self.0);
    }

    pub(crate) fn clear(&self) {
        self.0.store(0, Ordering::SeqCst);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 1
    }

    /// Sleeps until it happens. If it never does, shuttle finds that nobody can go on.
    pub(crate) fn wait(&self) {
        while !self.is_set() {
            futex_wait(&self.0, 0, None);
        }
    }

    /// As a goroutine that computes until it has happened.
    pub(crate) fn spin(&self) {
        while !self.is_set() {
            shuttle::thread::yield_now();
        }
    }
}

/// The runtime of a new run.
pub(crate) fn start(max_procs: usize) -> &'static Runtime {
    begin_run();
    super::thread::forget();
    super::task::forget();
    judged().clear();
    set_max_procs(max_procs);
    runtime()
}

/// Counts down, and tells of the end.
pub(crate) struct Group {
    left: StdUsize,
    end: Event,
}

impl Group {
    pub(crate) fn of(n: usize) -> &'static Group {
        Box::leak(Box::new(Group {
            left: StdUsize::new(n),
            end: Event::new(),
        }))
    }

    pub(crate) fn done(&self) -> Next {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.end.set();
        }
        Next::End
    }

    pub(crate) fn wait(&self) {
        self.end.wait();
    }
}

/// Where one goroutine says that it waits, and another finds it: a place for one, or the word that it was woken before.
pub(crate) struct Place1(StdPtr<Task>);

/// The wake came first.
const WOKEN: *mut Task = std::ptr::without_provenance_mut(1);

impl Place1 {
    pub(crate) fn new() -> &'static Place1 {
        Box::leak(Box::new(Place1(StdPtr::new(std::ptr::null_mut()))))
    }

    /// The goroutine will be suspended, unless it was woken before: then false.
    pub(crate) fn enter(&self, task: &'static Task) -> bool {
        let me = std::ptr::from_ref(task).cast_mut();
        shuttle::thread::yield_now();
        let before =
            self.0
                .compare_exchange(std::ptr::null_mut(), me, Ordering::SeqCst, Ordering::SeqCst);
        if before.is_err() {
            self.0.store(std::ptr::null_mut(), Ordering::SeqCst);
        }
        before.is_ok()
    }

    /// Wakes who waits, or will.
    pub(crate) fn wake(&self) {
        shuttle::thread::yield_now();
        let nobody = std::ptr::null_mut();
        if self
            .0
            .compare_exchange(nobody, WOKEN, Ordering::SeqCst, Ordering::SeqCst)
            .is_err()
        {
            let task = self.0.swap(nobody, Ordering::SeqCst);
            // SAFETY: tasks of models live for ever.
            unsafe { &*task }.wake();
        }
    }
}

/// Spawns, to the worker of an index or by the rule.
#[track_caller]
pub(crate) fn go(
    rt: &'static Runtime,
    place: Place,
    step: impl FnMut(&'static Task, usize) -> Next + Send + 'static,
) {
    rt.spawn(Unstarted::new(step), place);
}
