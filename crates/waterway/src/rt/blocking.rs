//! Threads for what blocks in the kernel, and for user code that must not run on a scheduler's stack.
//!
//! # No job is left
//!
//! All is under one lock. A job is queued, then a sleeper is notified if there are as many as jobs, else a thread is started, if one
//! may be. A thread counts as a sleeper until it has the lock again, and leaves only if it then finds no job: so each queued job has
//! a sleeper that is notified, a thread on its way, or a busy one that comes back.
//!
//! Models (`models/`): `jobs_..`, `a_job_that_panics_ends_alone`, `a_pool_at_rest_has_no_job`, `a_job_waits_for_the_busy_thread` in `runtime`.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::time::Duration;

use crate::primitives::{SleepingCondvar, SleepingGuard, SleepingMutex, start_thread};

/// A job. A panic that it lets out ends there.
pub(crate) type Work = Box<dyn FnOnce() + Send>;

/// Threads beyond this many are not started: jobs wait.
const MOST_THREADS: usize = 512;
/// A thread without a job ends after this time.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Threads that start when needed and end when they are not.
pub(crate) struct Pool {
    state: SleepingMutex<State>,
    job_added: SleepingCondvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Work>,
    /// Threads without a job.
    idle: Vec<u32>,
    /// Threads on their way to `threads`.
    starting: usize,
    threads: Vec<u32>,
}

impl Pool {
    pub(super) fn new() -> Pool {
        Pool {
            state: SleepingMutex::default(),
            job_added: SleepingCondvar::new(),
        }
    }

    fn lock(&self) -> SleepingGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a job on a thread of the pool, soon.
    ///
    /// # Errors
    ///
    /// The job comes back if there is no thread and none can be started.
    pub(crate) fn submit(&'static self, job: Work) -> Result<(), (Work, std::io::Error)> {
        let mut state = self.lock();
        state.jobs.push_back(job);
        let threads = state.threads.len() + state.starting;
        if state.idle.len() >= state.jobs.len() || threads >= MOST_THREADS {
            drop(state);
            self.job_added.notify_one();
            return Ok(());
        }
        match start_thread("waterway-blocking", || self.serve()) {
            Ok(()) => {
                state.starting += 1;
                Ok(())
            }
            // Others will come to it.
            Err(_) if threads > 0 => Ok(()),
            Err(error) => match state.jobs.pop_back() {
                Some(job) => Err((job, error)),
                None => Ok(()),
            },
        }
    }

    fn serve(&'static self) {
        let tid = super::thread::tid();
        let mut state = self.lock();
        state.starting -= 1;
        state.threads.push(tid);
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                if let Err(panic) = catch_unwind(AssertUnwindSafe(job)) {
                    // Its drop is user code, and might panic again.
                    std::mem::forget(panic);
                }
                state = self.lock();
                continue;
            }
            state.idle.push(tid);
            let waited = self
                .job_added
                .wait_timeout_while(state, KEEP_ALIVE, |s| s.jobs.is_empty());
            let (after, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = after;
            state.idle.retain(|t| *t != tid);
            if timeout.timed_out() && state.jobs.is_empty() {
                state.threads.retain(|t| *t != tid);
                return;
            }
        }
    }

    /// Its threads, how many of them run a job, and jobs that wait for one.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let state = self.lock();
        let threads = state.threads.len();
        // One that was notified still counts as idle, while the job that it will take is queued.
        (threads, threads - state.idle.len(), state.jobs.len())
    }

    /// Its threads. Nothing while a job is on its way to one of them.
    pub(crate) fn threads(&self) -> Option<PoolThreads> {
        let state = self.lock();
        // With no thread that could come to them, jobs wait for those that run.
        let stands = state.jobs.is_empty() || (state.idle.is_empty() && state.starting == 0);
        stands.then(|| PoolThreads {
            idle: state.idle.clone(),
            busy: (state.threads.iter().copied())
                .filter(|tid| !state.idle.contains(tid))
                .collect(),
        })
    }
}

/// The threads of a pool, by the kernel's numbers.
pub(crate) struct PoolThreads {
    pub(crate) idle: Vec<u32>,
    /// Those that run a job.
    pub(crate) busy: Vec<u32>,
}
