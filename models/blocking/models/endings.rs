//! Waits that end with something else: whoever is told in whatever order, a wait ends once, and nothing is lost.

use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shuttle::sync::atomic::{AtomicUsize, Ordering};

use super::{Goroutine, Kind, Stage, Thread};
use crate::chan::{Unsent, chan};
use crate::rt::core_box::CoreRef;
use crate::schedules::Model;
use crate::sync::{Mutex, RwLock, Semaphore, WaitGroup};
use crate::wait::{Claimed, Ending, Limit};

pub(super) const MODELS: &[Model] = &[
    ("rendezvous_that_ends", || pass(0, Goroutine)),
    ("rendezvous_of_threads_that_ends", || pass(0, Thread)),
    ("ring_that_ends", || pass(1, Goroutine)),
    ("locks_that_end", locks),
    ("wait_group_that_ends", wait_group),
    ("an_ending_beside_a_deadline", beside_a_deadline),
];

fn site() -> &'static Location<'static> {
    Location::caller()
}

fn ending() -> Arc<CoreRef<Ending>> {
    Arc::new(Ending::new(site()))
}

fn end(ending: &CoreRef<Ending>) {
    ending.value.end().into_iter().for_each(Claimed::wake);
}

/// Each of two values is received, comes back, or is still there.
fn pass(capacity: usize, kind: Kind) {
    let mut stage = Stage::new();
    let (tx, rx) = chan::<usize>(capacity);
    let over = ending();
    let seen = Arc::new(AtomicUsize::new(0));
    for value in [1, 10] {
        let (tx, over, seen) = (tx.clone(), over.clone(), seen.clone());
        stage.actor(kind, move || {
            let sent = tx.send_within(value, Limit::end_of(Some(&over)), site());
            if let Err(Unsent::Limit(back) | Unsent::Closed(back)) = sent {
                seen.fetch_add(back, Ordering::SeqCst);
            }
        });
    }
    let (own, limit, got) = (rx.clone(), over.clone(), seen.clone());
    stage.actor(kind, move || {
        if let Ok(value) = own.recv_within(Limit::end_of(Some(&limit)), site()) {
            got.fetch_add(value, Ordering::SeqCst);
        }
    });
    stage.actor(Thread, move || end(&over));
    stage.end();
    let left: usize = rx.try_iter().sum();
    assert_eq!(seen.load(Ordering::SeqCst) + left, 11);
}

/// Who gives up hands on what he was in the way of, and leaves every lock free.
fn locks() {
    let mut stage = Stage::without_reminders();
    let all = Arc::new((Mutex::new(0), RwLock::new(0), Semaphore::new(1)));
    // Their cores are made here: the counter of cores is static, and shuttle keeps with it who counted in an earlier run.
    drop((all.0.lock(), all.1.read()));
    let over = ending();
    for n in 0..3 {
        let (all, over) = (all.clone(), over.clone());
        stage.actor(Goroutine, move || {
            // One of the three waits without a limit: whatever the others do, it gets what it waits for.
            let limit = match n {
                0 => Limit::NONE,
                _ => Limit::end_of(Some(&over)),
            };
            let (lock, rw, permits) = &*all;
            let locked = lock.lock_within(limit, site()).map(drop).is_some();
            let written = rw.write_within(limit, site()).map(drop).is_some();
            let read = rw.read_within(limit, site()).map(drop).is_some();
            let had = permits.acquire_within(1, limit, site()).is_some();
            assert!(n > 0 || (locked && written && read && had));
        });
    }
    stage.actor(Thread, move || end(&over));
    stage.end_with_clock();
    assert!(all.0.try_lock().is_some() && all.1.try_write().is_some());
    assert_eq!(all.2.available(), 1);
}

/// Some are served, some give up; nobody sleeps on.
fn wait_group() {
    let mut stage = Stage::new();
    let group = WaitGroup::new();
    group.add(1);
    let over = ending();
    for kind in [Goroutine, Thread] {
        let (group, over) = (group.clone(), over.clone());
        stage.actor(kind, move || {
            group.wait_within(Limit::end_of(Some(&over)), site());
        });
    }
    stage.actor(Goroutine, move || group.done());
    stage.actor(Thread, move || end(&over));
    stage.end();
}

/// Three compete for each waiter: who serves it, the clock, and the ending.
fn beside_a_deadline() {
    let mut stage = Stage::new();
    let lock = Arc::new(Mutex::new(0));
    // As in `locks`.
    drop(lock.lock());
    let over = ending();
    for kind in [Goroutine, Thread, Goroutine] {
        let (lock, over) = (lock.clone(), over.clone());
        stage.actor(kind, move || {
            let soon = Instant::now() + Duration::from_millis(1);
            let limit = Limit::end_of(Some(&over)).and_at(soon);
            drop(lock.lock_within(limit, site()));
        });
    }
    stage.actor(Thread, move || end(&over));
    stage.end_with_clock();
    assert!(lock.try_lock().is_some());
}
