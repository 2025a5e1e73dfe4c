//! Sleep and wake: what is brought to a worker that is about to sleep is seen by it, or it is rung. A wake that is lost leaves
//! nobody who could go on, which loom reports.

use std::ptr::NonNull;
use std::sync::Arc;

use loom::thread;

use super::Model;
use crate::rt::cell::Unstarted;
use crate::rt::idle::rest;
use crate::rt::park::{TimedWaiter, TimerEvent, TimerPayload, Waiter};
use crate::rt::sched::Runtime;
use crate::rt::task::{Handed, Task};
use crate::rt::timer::TimerSlot;
use crate::rt::worker::{Worker, take};

pub(super) const MODELS: &[Model] = &[
    ("idle_worker_is_woken", 3, woken),
    ("idle_worker_is_woken_twice", 2, woken_twice),
    ("idle_worker_is_brought_a_goroutine", 3, brought),
    ("idle_worker_is_set_a_timer", 2, timer),
    ("wakers_ring_one_worker_once", 3, rung_once),
];

/// The worker's thread, in what concerns sleep: runs what there is, rests, until it has run `count`. Gives what it saw.
fn run(worker: &'static Worker, rt: &'static Runtime, count: usize) -> Vec<usize> {
    let mut seen = Vec::new();
    rt.tokens.acquire(worker);
    loop {
        worker.touch_own();
        super::inbox::drain(&worker.inbox, &mut seen);
        if take(|| worker.incoming.steal()).is_some() {
            seen.push(0);
        }
        if seen.len() == count {
            return seen;
        }
        assert!(rest(worker, rt), "it never retires");
    }
}

fn wake(worker: &'static Worker, task: Handed, n: usize) {
    task.0.leave(n);
    // SAFETY: each task of a model is woken once.
    unsafe { worker.ready_from_afar(NonNull::from(task.0)) };
}

fn woken() {
    let rt = Runtime::new(1, 1);
    let worker = rt.worker(0);
    let task = Handed(Task::new());
    let waker = thread::spawn(move || wake(worker, task, 1));
    assert_eq!(run(worker, rt, 1), [1]);
    waker.join().unwrap();
}

fn woken_twice() {
    let rt = Runtime::new(1, 1);
    let worker = rt.worker(0);
    let wakers = [1, 2].map(|n| {
        let task = Handed(Task::new());
        thread::spawn(move || wake(worker, task, n))
    });
    let mut seen = run(worker, rt, 2);
    seen.sort_unstable();
    assert_eq!(seen, [1, 2]);
    for waker in wakers {
        waker.join().unwrap();
    }
}

fn brought() {
    let rt = Runtime::new(1, 1);
    let worker = rt.worker(0);
    let spawner = thread::spawn(move || worker.push_incoming(Unstarted));
    assert_eq!(run(worker, rt, 1), [0]);
    spawner.join().unwrap();
}

/// Says that it has been fired by waking a goroutine of the worker.
struct Alarm(TimerSlot, &'static Worker, Handed);

// SAFETY: what is shared in it is loom's.
unsafe impl Sync for Alarm {}

impl TimerEvent for Alarm {
    fn slot(&self) -> &TimerSlot {
        &self.0
    }

    fn fire(self: Arc<Self>, _now: u64) {
        wake(self.1, self.2, 1);
    }
}

/// A timer that is due is set from another thread as the worker falls asleep.
fn timer() {
    let rt = Runtime::new(1, 1);
    let worker = rt.worker(0);
    let alarm = Arc::new(Alarm(TimerSlot::new(), worker, Handed(Task::new())));
    worker.timers.lock().insert(u64::MAX - 1, 0, far());
    let setter = thread::spawn(move || worker.add_timer(1, TimerPayload::Event(alarm)));
    rt.tokens.acquire(worker);
    while worker.inbox.is_empty() {
        worker.fire_due();
        if worker.inbox.is_empty() {
            assert!(rest(worker, rt), "it never retires");
        }
    }
    setter.join().unwrap();
}

/// A timer that stands in the heap and is never due.
fn far() -> TimerPayload {
    let slot = Box::leak(Box::new(TimerSlot::new()));
    // SAFETY: both stay for good.
    TimerPayload::Waiter(unsafe { TimedWaiter::new(&Waiter, slot) })
}

/// Of those who find the worker asleep one rings; it comes back for the next ring.
fn rung_once() {
    let rt = Runtime::new(1, 1);
    let bed = &rt.worker(0).bed;
    bed.lie_down();
    let others = [(), ()].map(|()| thread::spawn(move || bed.wake()));
    let rung = bed.sleep(None);
    assert!(rung && !bed.asleep());
    let rings = others.map(|other| other.join().unwrap());
    assert_eq!(rings.iter().filter(|rang| **rang).count(), 1);
    bed.get_up();
    assert!(!bed.wake(), "it is awake");
}
