//! Run tokens: never more than there are, none lost, whoever gives, takes and waits.

use loom::thread;

use super::Model;
use crate::primitives::{AtomicUsize, Ordering};
use crate::rt::tokens::Tokens;
use crate::rt::worker::Worker;

pub(super) const MODELS: &[Model] = &[
    ("tokens_one_for_three", 2, one_for_three),
    ("tokens_are_passed_on", 2, passed_on),
    ("tokens_are_taken_by_sysmon", 2, taken),
    ("token_just_given_is_not_taken", 2, given),
];

struct Stage {
    tokens: Tokens,
    /// Workers that run with a token which nobody takes from them.
    running: AtomicUsize,
    /// What the holder of the only token has written, for the next one to see.
    note: loom::cell::UnsafeCell<usize>,
}

// SAFETY: what is not atomic is loom's, which checks it.
unsafe impl Sync for Stage {}

type Shared = &'static Stage;

fn stage(count: usize) -> Shared {
    Box::leak(Box::new(Stage {
        tokens: Tokens::new(count),
        running: AtomicUsize::new(0),
        note: loom::cell::UnsafeCell::new(0),
    }))
}

impl Stage {
    /// Runs with the only token.
    fn alone(&self) {
        assert_eq!(self.running.fetch_add(1, Ordering::Relaxed), 0, "alone");
        // SAFETY: loom checks that nobody else is at it.
        self.note.with_mut(|at| unsafe { *at += 1 });
        self.running.fetch_sub(1, Ordering::Relaxed);
    }

    /// When all have released: the one token is there, and no other.
    fn check_one_left(&'static self) {
        let (first, second) = (Worker::new(8), Worker::new(9));
        self.tokens.acquire(first);
        let other = thread::spawn(move || {
            self.tokens.acquire(second);
            assert_eq!(self.running.load(Ordering::Acquire), 1, "it was given");
        });
        while self.tokens.wanted() == 0 {
            thread::yield_now();
        }
        self.running.store(1, Ordering::Release);
        self.tokens.release(first);
        other.join().unwrap();
    }
}

fn one_for_three() {
    let stage = stage(1);
    let others = [1, 2].map(|index| {
        let worker = Worker::new(index);
        thread::spawn(move || {
            stage.tokens.acquire(worker);
            assert!(worker.hand.holds());
            stage.alone();
            stage.tokens.release(worker);
        })
    });
    let worker = Worker::new(0);
    stage.tokens.acquire(worker);
    stage.alone();
    stage.tokens.release(worker);
    for other in others {
        other.join().unwrap();
    }
    assert_eq!(stage.tokens.wanted(), 0);
}

/// Time slices end, and others go first if they wait.
fn passed_on() {
    let stage = stage(1);
    let worker = Worker::new(1);
    let other = thread::spawn(move || {
        stage.tokens.acquire(worker);
        stage.alone();
        stage.tokens.pass_on(worker);
        stage.alone();
        stage.tokens.release(worker);
    });
    let worker = Worker::new(0);
    stage.tokens.acquire(worker);
    stage.tokens.pass_on(worker);
    stage.alone();
    stage.tokens.release(worker);
    other.join().unwrap();
    stage.check_one_left();
}

/// Sysmon takes the token from a worker that may hold it, for one that waits; the worker goes on when it has one again.
fn taken() {
    let stage = stage(1);
    let (held, waits) = (Worker::new(0), Worker::new(1));
    let other = thread::spawn(move || {
        stage.tokens.acquire(waits);
        stage.tokens.release(waits);
    });
    let sysmon = thread::spawn(move || stage.tokens.release(held));
    stage.tokens.acquire(held);
    if !held.hand.holds() {
        stage.tokens.pass_on(held);
    }
    stage.tokens.release(held);
    other.join().unwrap();
    sysmon.join().unwrap();
    stage.check_one_left();
}

/// Sysmon decided to take the token before it was given to somebody else: who sleeps gets it all the same.
fn given() {
    let stage = stage(1);
    let (first, second) = (Worker::new(0), Worker::new(1));
    stage.tokens.acquire(first);
    let other = thread::spawn(move || {
        stage.tokens.acquire(second);
        stage.tokens.release(second);
    });
    let sysmon = thread::spawn(move || stage.tokens.release(second));
    stage.tokens.release(first);
    other.join().unwrap();
    sysmon.join().unwrap();
    stage.check_one_left();
}
