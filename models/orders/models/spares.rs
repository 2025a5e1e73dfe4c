//! Spares retire and are taken up again: what is brought at the last moment finds a thread, or who brings it sees that there is
//! none; and one thread at a time runs a worker.

use loom::thread;

use super::Model;
use crate::primitives::{AtomicUsize, Ordering};
use crate::rt::cell::Unstarted;
use crate::rt::idle::rest;
use crate::rt::sched::Runtime;
use crate::rt::worker::{Worker, take};

pub(super) const MODELS: &[Model] = &[
    ("spare_retires_and_is_brought_a_goroutine", 2, brought),
    ("spare_is_rung_as_it_retires", 2, rung),
    ("spare_retires_and_is_taken_up_again", 2, taken_up),
    ("spare_is_taken_up_without_a_thread", 3, no_thread),
];

/// A spare's thread, in what concerns sleep, until it ends. Gives how many goroutines it was brought and has taken.
fn run(spare: &'static Worker, rt: &'static Runtime) -> usize {
    let mut taken = 0;
    rt.tokens.acquire(spare);
    loop {
        spare.touch_own();
        while take(|| spare.incoming.steal()).is_some() {
            taken += 1;
        }
        if !rest(spare, rt) {
            return taken;
        }
    }
}

fn brought() {
    let rt = Runtime::new(0, 1);
    let spare = rt.worker(0);
    let spawner = thread::spawn(move || {
        spare.push_incoming(Unstarted);
        spare.is_retired()
    });
    let taken = run(spare, rt);
    let told = spawner.join().unwrap();
    assert!(taken == 1 || told, "nobody knows of the goroutine");
}

/// Whoever rings a spare counts on it: it looks once more, for what waits elsewhere, before it ends.
fn rung() {
    let rt = Runtime::new(0, 1);
    let spare = rt.worker(0);
    let elsewhere: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
    let waker = thread::spawn(move || {
        elsewhere.store(1, Ordering::SeqCst);
        spare.bed.wake()
    });
    rt.tokens.acquire(spare);
    let mut found = 0;
    loop {
        found += elsewhere.swap(0, Ordering::SeqCst);
        if !rest(spare, rt) {
            break;
        }
    }
    let rang = waker.join().unwrap();
    assert!(found == 1 || !rang, "nobody comes for it");
}

/// Sysmon takes the worker up as its thread ends, and goroutines come: two threads never run it, and nothing stays behind
/// unseen.
fn taken_up() {
    let rt = Runtime::new(0, 1);
    let spare = rt.worker(0);
    let spawner = thread::spawn(move || {
        spare.push_incoming(Unstarted);
        spare.is_retired()
    });
    let sysmon = thread::spawn(move || if spare.unretire() { run(spare, rt) } else { 0 });
    let first = run(spare, rt);
    let told = spawner.join().unwrap();
    let second = sysmon.join().unwrap();
    assert!(first + second == 1 || told, "nobody knows of the goroutine");
}

/// Sysmon takes a retired worker up, and no thread can be started: who brings a goroutine meanwhile, or sysmon, knows that somebody
/// else must come for it.
fn no_thread() {
    let rt = Runtime::new(0, 1);
    let spare = rt.worker(0);
    spare.has_no_thread();
    let spawner = thread::spawn(move || {
        spare.push_incoming(Unstarted);
        spare.is_retired()
    });
    assert!(spare.unretire());
    let waits = spare.has_no_thread();
    let told = spawner.join().unwrap();
    assert!(waits || told, "nobody knows of the goroutine");
}
