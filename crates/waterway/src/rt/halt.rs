//! Workers stopped between two goroutines, and threads kept in their waits, for a look at what must not move meanwhile.
//!
//! # Protocol
//!
//! ```text
//!  who halts                                    a worker
//!  1. brake: ASKED                              a. RESTS while it runs no goroutine: asleep, waiting for a token
//!  2. preempt: true                             b. takes that back, then looks at `preempt` (every turn does)
//!  3. waits until it RESTS or has STOPPED       c. preempt is true: takes it back, then looks at the brake: ASKED?
//!  4. looks around                                 then STOPPED, until it is let go
//!  5. brake: 0, and wakes it
//! ```
//!
//! All of these are sequentially consistent. A worker that was seen to rest sees `preempt` before it runs a goroutine: its b comes
//! after 3, so after 2. One whose c takes the `preempt` of 2 back comes to look at the brake after 1.
//!
//! A thread that waits in the runtime passes a gate before its wait is over (`thread`): closed first, then looked whether the thread
//! was woken. If not, it finds the gate closed.

use super::clock::clock;
use super::sched::Runtime;
use super::thread::{self, futex_wait, futex_wake};
use super::worker::Worker;
use crate::primitives::{AtomicBool, AtomicU32, Ordering, Spin, fence};

const FREE: u32 = 0;
const ASKED: u32 = 1;
const STOPPED: u32 = 2;

/// One worker's.
pub(super) struct Brake {
    word: AtomicU32,
    resting: AtomicBool,
}

impl Brake {
    /// Of a worker that runs nothing yet.
    pub(super) fn new() -> Brake {
        Brake {
            word: AtomicU32::new(FREE),
            resting: AtomicBool::new(true),
        }
    }

    /// The worker runs no goroutine until it gets up.
    pub(super) fn rest(&self) {
        self.resting.store(true, Ordering::SeqCst);
    }

    /// It looks at `preempt` next, or whether it is to stop.
    pub(super) fn get_up(&self) {
        self.resting.store(false, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Stops, if somebody asks for that.
    pub(super) fn stop_if_asked(&self) {
        if self.word.load(Ordering::SeqCst) == FREE {
            return;
        }
        let asked = (Ordering::SeqCst, Ordering::SeqCst);
        let stops = self.word.compare_exchange(ASKED, STOPPED, asked.0, asked.1);
        while stops.is_ok() && self.word.load(Ordering::SeqCst) == STOPPED {
            futex_wait(&self.word, STOPPED, None);
        }
    }

    /// It stands between two goroutines, for somebody who looks around.
    pub(super) fn has_stopped(&self) -> bool {
        self.word.load(Ordering::SeqCst) == STOPPED
    }

    fn is_halted(&self) -> bool {
        self.resting.load(Ordering::SeqCst) || self.has_stopped()
    }
}

/// Some workers are stopped, and threads that wait in the runtime stay there, as long as this is.
pub(crate) struct Halt {
    workers: Vec<&'static Worker>,
    _gate: thread::ClosedGate,
}

impl Halt {
    /// Stops those workers that `which` picks. `None` if one of them does not come to a stop in so many nanoseconds: a goroutine holds
    /// it.
    /// One at a time.
    pub(crate) fn begin(
        rt: &Runtime,
        which: impl Fn(&Worker) -> bool,
        patience: u64,
    ) -> Option<Halt> {
        let mut halt = Halt {
            workers: Vec::new(),
            _gate: thread::close_gate(),
        };
        rt.each_worker(|worker| {
            if which(worker) {
                worker.halt.word.store(ASKED, Ordering::SeqCst);
                worker.preempt.store(true, Ordering::SeqCst);
                halt.workers.push(worker);
            }
        });
        let (begin, mut spin) = (clock(), Spin::new());
        while !halt.workers.iter().all(|worker| worker.halt.is_halted()) {
            if clock() - begin > patience {
                return None;
            }
            spin.once();
        }
        Some(halt)
    }

    /// True if this worker is stopped.
    pub(crate) fn has(&self, worker: &Worker) -> bool {
        self.workers
            .iter()
            .any(|other| std::ptr::eq(*other, worker))
    }

    /// True if all workers that there are now are stopped.
    pub(crate) fn has_all(&self, rt: &Runtime) -> bool {
        let mut all = true;
        rt.each_worker(|worker| all &= self.has(worker));
        all
    }
}

impl Drop for Halt {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.halt.word.store(FREE, Ordering::SeqCst);
            futex_wake(&worker.halt.word);
        }
    }
}
