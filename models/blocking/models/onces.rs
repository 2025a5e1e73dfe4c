//! Calls that are made once, by goroutines, threads and tasks.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use shuttle::sync::atomic::{AtomicUsize, Ordering};

use super::tasks::touch;
use super::{Goroutine, Model, Stage, Thread};
use crate::block_on::block_on;
use crate::sync::Once;

pub(super) const MODELS: &[Model] = &[
    ("once", once),
    ("once_that_panics", panics),
    ("once_of_tasks", tasks),
    ("once_of_tasks_that_go", tasks_dropped),
];

fn once() {
    let mut stage = Stage::new();
    let once = Arc::new((Once::new(), AtomicUsize::new(0)));
    for kind in [Goroutine, Thread, Goroutine] {
        let once = once.clone();
        stage.actor(kind, move || {
            once.0.call_once(|| {
                once.1.fetch_add(1, Ordering::SeqCst);
            });
            assert_eq!(once.1.load(Ordering::SeqCst), 1, "made, when it returns");
        });
    }
    stage.end();
}

/// The first call panics; one of the others makes it.
fn panics() {
    let mut stage = Stage::new();
    let once = Arc::new((Once::new(), AtomicUsize::new(0)));
    for kind in [Goroutine, Thread, Goroutine] {
        let once = once.clone();
        stage.actor(kind, move || {
            let call = AssertUnwindSafe(|| {
                once.0.call_once(|| {
                    if once.1.fetch_add(1, Ordering::SeqCst) == 0 {
                        resume_unwind(Box::new(()));
                    }
                });
            });
            let _ = catch_unwind(call);
        });
    }
    stage.end();
    assert!(once.0.is_completed());
    assert_eq!(once.1.load(Ordering::SeqCst), 2);
}

fn tasks() {
    let mut stage = Stage::new();
    let once = Arc::new((Once::new(), AtomicUsize::new(0)));
    let call = |calls: &AtomicUsize| {
        shuttle::thread::yield_now();
        calls.fetch_add(1, Ordering::SeqCst);
    };
    for kind in [Goroutine, Thread] {
        let once = once.clone();
        stage.actor(kind, move || {
            block_on(once.0.call_once_async(|| call(&once.1)));
            assert_eq!(once.1.load(Ordering::SeqCst), 1, "made, when it is ready");
        });
    }
    let other = once.clone();
    stage.actor(Goroutine, move || {
        other.0.call_once(|| call(&other.1));
        assert_eq!(other.1.load(Ordering::SeqCst), 1, "made, when it returns");
    });
    stage.end();
}

/// The first call panics, and one goes when it may have been told: nobody waits for ever because of that.
fn tasks_dropped() {
    let mut stage = Stage::new();
    let once = Arc::new((Once::new(), AtomicUsize::new(0)));
    let call = |calls: &AtomicUsize| {
        shuttle::thread::yield_now();
        if calls.fetch_add(1, Ordering::SeqCst) == 0 {
            resume_unwind(Box::new(()));
        }
    };
    let tries = |f: &dyn Fn()| _ = catch_unwind(AssertUnwindSafe(f));
    let fickle = once.clone();
    stage.actor(Thread, move || {
        tries(&|| touch(fickle.0.call_once_async(|| call(&fickle.1))));
    });
    let task = once.clone();
    stage.actor(Thread, move || {
        tries(&|| block_on(task.0.call_once_async(|| call(&task.1))));
    });
    let goroutine = once.clone();
    stage.actor(Goroutine, move || {
        tries(&|| goroutine.0.call_once(|| call(&goroutine.1)))
    });
    stage.end();
    assert!(once.0.is_completed());
    assert_eq!(once.1.load(Ordering::SeqCst), 2);
}
