//! Waiters that were won: each is owed one wake.
//!
//! The invariants are those of `park`.

use std::ptr::NonNull;
use std::task::Waker;

use super::checkpoint::THREAD;
use super::park::{Target, Waiter};
use super::task::Task;
use super::thread::ThreadParker;
use super::worker::{self, Worker};
use super::{foreign, sched, stuck};

/// Every byte of it is written, whatever it is: lists of these lie on the heap, and what was left of a stack in a gap there, the
/// word of a guard say, would stay behind in freed memory, where a proof finds it (`watch::scan`).
#[repr(usize)]
#[expect(dead_code, reason = "what fills the gaps is not read")]
enum Sleeper {
    Goroutine(NonNull<Task>, &'static Worker),
    Thread(&'static ThreadParker, Filled),
    Task(Waker),
    /// A task that has been told.
    Nobody(Filled, Filled),
}

/// Fills what would be a gap.
#[derive(Clone, Copy)]
#[repr(usize)]
enum Filled {
    Zero = 0,
}

const _: () = assert!(size_of::<Sleeper>() == 3 * size_of::<usize>());

/// A waiter that was won: the duty to wake it, once, after every runtime lock is released.
#[must_use = "a claimed waiter sleeps for ever unless it is woken"]
pub(crate) struct Claimed(Sleeper);

// SAFETY: a claimed waiter stays where it is until it is woken (`park` I2); wakers are Send.
unsafe impl Send for Claimed {}

impl Claimed {
    /// For who has just won the waiter of this target, under the lock of a queue in which it stands.
    #[inline]
    pub(super) fn of(target: &Target) -> Claimed {
        Claimed(match target {
            Target::Goroutine(task, home) => Sleeper::Goroutine(*task, home),
            Target::Thread(parker) => Sleeper::Thread(parker, Filled::Zero),
            Target::Task(waker) => match waker.take() {
                Some(waker) => Sleeper::Task(waker),
                None => Sleeper::Nobody(Filled::Zero, Filled::Zero),
            },
        })
    }

    /// Has what [`wake`](Self::wake) touches fetched.
    #[inline]
    pub(crate) fn fetch(&self) {
        if let Sleeper::Goroutine(task, _) = self.0 {
            Task::fetch_line(task);
        }
    }

    /// The same of all of a goroutine's descriptor, which its turn and its end touch.
    #[inline]
    pub(super) fn fetch_descriptor(&self) {
        if let Sleeper::Goroutine(task, _) = self.0 {
            Task::fetch_descriptor(task);
        }
    }

    /// The same of what a goroutine goes on with, and of what its end touches: the descriptor, which should be there by now, tells where
    /// that is.
    #[inline]
    pub(super) fn fetch_rest(&self) {
        if let Sleeper::Goroutine(task, _) = self.0 {
            // SAFETY: `park` I2: it waits until it is woken.
            unsafe { task.as_ref() }.fetch_rest();
        }
    }

    /// Wakes the waiter. Never call it under a runtime lock: a task's waker is user code. Never unwinds.
    #[inline]
    pub(crate) fn wake(self) {
        match self.0 {
            // SAFETY: `park` I2: the claim is the one right to wake it.
            Sleeper::Goroutine(task, home) if !stuck::any() => unsafe { home.ready(task) },
            other => other.wake_noted(),
        }
    }
}

/// As [`Claimed`], of a blocked waiter: where it lies, which it does until it is woken (`park` I2).
#[must_use = "a claimed waiter sleeps for ever unless it is woken"]
pub(crate) struct Won(NonNull<Waiter>);

impl Won {
    /// For who has just won the waiter.
    #[inline]
    pub(super) fn of(waiter: &Waiter) -> Won {
        Won(NonNull::from(waiter))
    }

    /// See [`Claimed::wake`].
    #[inline]
    pub(crate) fn wake(self) {
        // SAFETY: `park` I2.
        match unsafe { &self.0.as_ref().target } {
            // SAFETY: `park` I2: the claim is the one right to wake it.
            Target::Goroutine(task, home) if !stuck::any() => unsafe { home.ready(*task) },
            _ => self.wake_noted(),
        }
    }

    #[cold]
    #[inline(never)]
    fn wake_noted(self) {
        // SAFETY: `park` I2.
        let sleeper = match unsafe { &self.0.as_ref().target } {
            Target::Goroutine(task, home) => Sleeper::Goroutine(*task, home),
            Target::Thread(parker) => Sleeper::Thread(parker, Filled::Zero),
            Target::Task(_) => unreachable!("nobody wins a task's waiter"),
        };
        sleeper.wake_noted();
    }
}

impl Sleeper {
    #[cold]
    fn note_waker(&self) {
        match self {
            Sleeper::Goroutine(task, _) => {
                // SAFETY: `park` I2: it waits until it is woken.
                let task = unsafe { task.as_ref() };
                stuck::note_waker((task.identity().id as usize, task.record.epoch()));
            }
            Sleeper::Thread(parker, _) => {
                stuck::note_waker((THREAD | parker.tid() as usize, parker.record().epoch()));
            }
            Sleeper::Task(_) | Sleeper::Nobody(..) => {}
        }
    }

    #[cold]
    #[inline(never)]
    fn wake_noted(self) {
        if stuck::any() {
            self.note_waker();
        }
        match self {
            // SAFETY: `park` I2: the claim is the one right to wake it.
            Sleeper::Goroutine(task, home) => unsafe { home.ready(task) },
            Sleeper::Thread(parker, _) => parker.unpark(),
            Sleeper::Task(waker) => wake_task(waker),
            Sleeper::Nobody(..) => {}
        }
    }
}

/// Wakes a task. Wakers are user code: they run on the stack of whoever woke, never on a scheduler's, and what they do ends
/// there (`foreign`): who wakes is not to blame, and has others to wake.
fn wake_task(waker: Waker) {
    let wake = move || foreign::wake(waker);
    if !worker::on_scheduler_stack() {
        wake();
    } else if let Err((job, _)) = sched::runtime().blocking.submit(Box::new(wake)) {
        // No thread is to be had: better here than never.
        job();
    }
}
