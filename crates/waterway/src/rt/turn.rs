//! The turns of a worker's goroutines: how one comes to run, and what it gets and leaves as it begins and ends.
//!
//! Who has the next turn is decided in `pick`, and who goes on without the scheduler there and in `follow`.
//!
//! # Invariants
//!
//! - I1: what is here is called on the worker's own thread (`worker` I1).

use std::ptr::NonNull;

use super::cell::Unstarted;
use super::run_queue;
use super::sched::Runtime;
use super::task::Task;
use super::worker::{Job, Worker};
use crate::primitives::Ordering;

impl Worker {
    /// A goroutine runs, and those that go on after it without the scheduler. For the scheduler, on the thread's own stack.
    pub(super) fn execute(&'static self, rt: &'static Runtime, job: Job) {
        let (task, fresh) = match job {
            Job::Resume(task) => (task, false),
            Job::Start(cell) => match self.begin(rt, cell) {
                Some(task) => {
                    self.count_start(rt);
                    (task, true)
                }
                None => return,
            },
        };
        self.begin_turn(task, fresh);
        self.busy.store(true, Ordering::Relaxed);
        // SAFETY: `worker` I3: it lives here and is suspended or new; this is the worker's scheduler.
        let finished = unsafe { task.as_ref().resume(fresh) };
        self.busy.store(false, Ordering::Relaxed);
        // Others may have gone on after the one that was resumed.
        let last = self.current.take();
        if self.stopwatch.runs() {
            self.stopwatch.stop(finished);
        }
        if finished && let Some(task) = last {
            self.end(rt, task);
        }
    }

    /// The turn that comes next is to be timed.
    #[inline]
    pub(super) fn is_to_be_timed(&self) -> bool {
        // SAFETY: the worker's thread (I1).
        unsafe { self.own() }.until_timed == 0
    }

    /// A goroutine has its turn.
    #[inline]
    pub(super) fn begin_turn(&self, task: NonNull<Task>, fresh: bool) {
        // SAFETY: I1; not used beyond the next lines.
        let own = unsafe { self.own() };
        own.burst = 0;
        own.pushed = 0;
        if own.until_timed > 0 {
            own.until_timed -= 1;
        } else {
            own.until_timed = self.stopwatch.interval() - 1;
            // SAFETY: `worker` I4: it has not run to its end.
            let site = unsafe { task.as_ref() }.identity().site;
            self.stopwatch.start(site, fresh);
        }
        // The turn is counted first: who sees that the goroutine is not runnable any more sees that it had its turn.
        let turns = self.turns.load(Ordering::Relaxed) + 1;
        self.turns.store(turns, Ordering::Relaxed);
        // SAFETY: `worker` I4.
        unsafe { task.as_ref() }
            .runnable
            .store(false, Ordering::Release);
        self.current.set(Some(task));
    }

    /// Gives an unstarted goroutine a stack. Where none is to be had it stays queued.
    fn begin(&'static self, rt: &'static Runtime, cell: Unstarted) -> Option<NonNull<Task>> {
        let taken = match cell.stack_size() {
            // SAFETY: I1.
            0 => unsafe { self.own() }.warm.take(&rt.stacks),
            size => rt.stacks.take(size),
        };
        let stack = match taken {
            Ok(stack) => stack,
            Err(error) => {
                rt.no_stack(&error);
                if cell.is_pinned() {
                    self.push_pinned(cell);
                } else {
                    self.incoming.push(cell);
                }
                // SAFETY: I1.
                if unsafe { self.own() }.queue.is_empty() {
                    self.bed.nap(std::time::Duration::from_millis(1));
                }
                return None;
            }
        };
        cell.set_worker(self.index);
        let task = Task::start(cell, stack, self);
        // SAFETY: the worker's thread (I1); just made, and removed by `end` (`worker` I4).
        let lives = unsafe { self.live.home(|live| live.add(task)) };
        self.lives.store(lives, Ordering::Relaxed);
        // SAFETY: the worker's thread (I1).
        if unsafe { self.own() }.queue.room() < lives {
            self.move_queue(lives);
        }
        Some(task)
    }

    /// Gives the run queue room for more than live here. Made apart, as in `push_pinned`.
    #[cold]
    fn move_queue(&self, lives: usize) {
        let room = run_queue::room(lives + lives / 2);
        // SAFETY: the worker's thread (I1).
        let old = unsafe { self.own() }.queue.move_to(room);
        drop(old);
    }

    /// The running goroutine gives way: it goes to the end of the queue.
    pub(crate) fn yield_now(&self) {
        super::hold::release_reservations();
        let Some(task) = self.current.get() else {
            return;
        };
        // SAFETY: `worker` I4: it runs.
        unsafe { task.as_ref() }
            .runnable
            .store(true, Ordering::Relaxed);
        self.push_back(task);
        // SAFETY: the worker's thread (I1).
        unsafe { self.own() }.gave_way = true;
        // SAFETY: on the goroutine's stack; it is queued, so it will be resumed.
        unsafe { task.as_ref().suspend() };
    }

    /// The time slice is over: the running goroutine gives way, unless it is inside the panic hook or a waker.
    #[cold]
    pub(crate) fn give_way(&self) {
        if !super::foreign::running() {
            self.yield_now();
        }
    }

    #[inline]
    pub(crate) fn slice_is_over(&self) -> bool {
        self.preempt.load(Ordering::Relaxed)
    }

    /// The time slice is over, or sysmon has taken the token away: others first.
    #[cold]
    pub(super) fn slice_over(&'static self, rt: &'static Runtime) {
        self.preempt.store(false, Ordering::SeqCst);
        // SAFETY: I1.
        if let Some(task) = unsafe { self.own() }.next.take() {
            self.push_back(task);
        }
        self.halt.rest();
        rt.tokens.pass_on(self);
        self.halt.get_up();
        self.halt.stop_if_asked();
    }

    fn end(&'static self, rt: &'static Runtime, task: NonNull<Task>) {
        // SAFETY: the worker's thread (I1); alive until `finish` below (`worker` I4).
        let lives = unsafe { self.live.home(|live| live.remove(task)) };
        self.lives.store(lives, Ordering::Relaxed);
        // SAFETY: it has finished and left the list (`worker` I4); a finished task stands in no queue.
        let (stack, identity) = unsafe { Task::finish(task) };
        drop(identity);
        if rt.stacks.is_default(&stack) {
            // SAFETY: I1.
            unsafe { self.own() }.warm.give(stack, &rt.stacks);
        } else {
            rt.stacks.give(stack);
        }
    }

    /// Before a long sleep.
    pub(super) fn cool_down(&self, rt: &Runtime) {
        // SAFETY: the worker's thread (I1).
        if unsafe { self.own() }.queue.is_too_large(self.lives()) {
            self.move_queue(self.lives());
        }
        // SAFETY: the worker's thread (I1).
        unsafe {
            self.own().warm.cool_down(&rt.stacks);
            self.fresh.cool_down();
        }
    }
}
