//! Locks and groups.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicUsize, Ordering};

use super::{Goroutine, Kind, Model, Stage, Thread};
use crate::sync::{Mutex, WaitGroup};

pub(super) const MODELS: &[Model] = &[
    ("mutex_of_goroutines", || excludes(Goroutine)),
    ("mutex_of_threads", || excludes(Thread)),
    ("mutex_tried_and_locked", tried),
    ("wait_group", wait_group),
    ("wait_group_used_again", again),
];

fn excludes(kind: Kind) {
    let mut stage = Stage::new();
    let lock = Arc::new(Mutex::new(0));
    let inside = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let (lock, inside) = (lock.clone(), inside.clone());
        stage.actor(kind, move || {
            for _ in 0..2 {
                let mut count = lock.lock();
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                *count += 1;
                inside.fetch_sub(1, Ordering::SeqCst);
            }
        });
    }
    stage.end();
    assert_eq!(*lock.lock(), 6);
}

fn tried() {
    let mut stage = Stage::new();
    let lock = Arc::new(Mutex::new(0));
    for kind in [Goroutine, Thread] {
        let lock = lock.clone();
        stage.actor(kind, move || {
            if let Some(mut count) = lock.try_lock() {
                *count += 1;
            }
            *lock.lock() += 1;
        });
    }
    stage.end();
    assert!((3..=4).contains(&*lock.lock()));
}

fn wait_group() {
    let mut stage = Stage::new();
    let group = WaitGroup::new();
    let done = Arc::new(AtomicUsize::new(0));
    group.add(2);
    for kind in [Goroutine, Thread] {
        let (group, done) = (group.clone(), done.clone());
        stage.actor(kind, move || {
            done.fetch_add(1, Ordering::SeqCst);
            group.done();
        });
    }
    for kind in [Goroutine, Thread] {
        let (group, done) = (group.clone(), done.clone());
        stage.actor(kind, move || {
            group.wait();
            assert_eq!(done.load(Ordering::SeqCst), 2);
        });
    }
    stage.end();
}

/// A second round begins as soon as the first is over.
fn again() {
    let mut stage = Stage::new();
    let (first, second) = (WaitGroup::new(), WaitGroup::new());
    first.add(1);
    second.add(1);
    let (group, next) = (first.clone(), second.clone());
    stage.actor(Goroutine, move || {
        group.wait();
        group.add(1);
        next.done();
        group.wait();
    });
    stage.actor(Thread, move || {
        first.done();
        second.wait();
        first.done();
        first.wait();
    });
    stage.end();
}
