//! Async tasks: told, never handed; dropped at any moment; and `block_on`, by which goroutines and threads run them.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use shuttle::sync::Mutex as Slot;
use shuttle::sync::atomic::{AtomicUsize, Ordering};

use super::{Goroutine, Model, Stage, Thread};
use crate::block_on::block_on;
use crate::sync::{Barrier, Condvar, Mutex, RwLock, Semaphore, WaitGroup};

pub(super) const MODELS: &[Model] = &[
    ("block_on_misses_no_wake", wakes),
    ("block_on_and_wakers_that_stay", stale),
    ("mutex_of_tasks", mutex),
    ("mutex_of_tasks_that_go", mutex_dropped),
    ("rw_lock_of_tasks", rw_lock),
    ("rw_lock_of_tasks_that_go", rw_lock_dropped),
    ("semaphore_of_tasks", semaphore),
    ("semaphore_of_tasks_that_go", semaphore_dropped),
    ("wait_group_of_tasks", wait_group),
    ("condvar_of_tasks", condvar),
    ("condvar_of_tasks_that_go", condvar_dropped),
    ("barrier_of_tasks", barrier),
    ("barrier_of_tasks_that_go", barrier_dropped),
];

/// Polls once, by a waker that goes nowhere, and drops the future after others had time to tell it.
pub(super) fn touch<F: Future>(future: F) {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    if future.as_mut().poll(&mut cx).is_pending() {
        shuttle::thread::yield_now();
    }
}

/// Polls three times, and drops the future. True if it was ready.
fn touch_thrice<F: Future>(future: F) -> bool {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    (0..3).any(|_| {
        let ready = future.as_mut().poll(&mut cx).is_ready();
        shuttle::thread::yield_now();
        ready
    })
}

/// A future that is ready when `flag` is set, and leaves its waker for who sets it.
async fn flagged(flag: &(AtomicUsize, Slot<Option<Waker>>), value: usize) {
    poll_fn(|cx| {
        *flag.1.lock().expect("no poison") = Some(cx.waker().clone());
        match flag.0.load(Ordering::SeqCst) >= value {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

/// Two ring at once, and each ring counts; between them the future is polled, or not.
fn wakes() {
    let mut stage = Stage::new();
    for kind in [Goroutine, Thread] {
        let flag = Arc::new((AtomicUsize::new(0), Slot::new(None::<Waker>)));
        for _ in 0..2 {
            let flag = flag.clone();
            stage.actor(Thread, move || {
                flag.0.fetch_add(1, Ordering::SeqCst);
                let waker = flag.1.lock().expect("no poison").clone();
                if let Some(waker) = waker {
                    waker.wake_by_ref();
                    waker.wake();
                }
            });
        }
        stage.actor(kind, move || {
            block_on(flagged(&flag, 1));
            block_on(flagged(&flag, 2));
        });
    }
    stage.end();
}

/// A waker of a call that is over rings while the same goroutine waits in the next one.
fn stale() {
    let mut stage = Stage::new();
    let old = Arc::new((AtomicUsize::new(0), Slot::new(None::<Waker>)));
    let new = Arc::new((AtomicUsize::new(0), Slot::new(None::<Waker>)));
    let (first, second) = (old.clone(), new.clone());
    stage.actor(Goroutine, move || {
        block_on(flagged(&first, 0));
        block_on(flagged(&second, 1));
        assert_eq!(second.0.load(Ordering::SeqCst), 1);
    });
    stage.actor(Thread, move || {
        for flag in [&old, &new, &old] {
            let waker = flag.1.lock().expect("no poison").clone();
            flag.0.store(1, Ordering::SeqCst);
            if let Some(waker) = waker {
                waker.wake();
            }
            if let Some(waker) = flag.1.lock().expect("no poison").clone() {
                waker.wake();
            }
        }
    });
    stage.end();
}

fn mutex() {
    let mut stage = Stage::without_reminders();
    let lock = Arc::new(Mutex::new(0));
    for kind in [Goroutine, Thread] {
        let lock = lock.clone();
        stage.actor(kind, move || {
            for _ in 0..2 {
                *block_on(lock.lock_async()) += 1;
            }
        });
    }
    let other = lock.clone();
    stage.actor(Goroutine, move || (0..2).for_each(|_| *other.lock() += 1));
    stage.end_with_clock();
    assert_eq!(*lock.try_lock().expect("it is free"), 6);
}

/// One goes when it may have been told: nobody else waits for ever because of that.
fn mutex_dropped() {
    let mut stage = Stage::without_reminders();
    let lock = Arc::new(Mutex::new(0));
    let holder = lock.clone();
    stage.actor(Goroutine, move || {
        let mut count = holder.lock();
        (0..4).for_each(|_| shuttle::thread::yield_now());
        *count += 1;
    });
    let fickle = lock.clone();
    stage.actor(Thread, move || touch(fickle.lock_async()));
    let task = lock.clone();
    stage.actor(Thread, move || *block_on(task.lock_async()) += 1);
    stage.end_with_clock();
    assert_eq!(*lock.try_lock().expect("it is free"), 2);
}

fn rw_lock() {
    let mut stage = Stage::new();
    let lock = Arc::new(RwLock::new(0));
    let inside = Arc::new(AtomicUsize::new(0));
    for kind in [Goroutine, Thread] {
        let (write, writers) = (lock.clone(), inside.clone());
        stage.actor(kind, move || {
            let mut count = block_on(write.write_async());
            assert_eq!(writers.fetch_add(100, Ordering::SeqCst), 0, "alone");
            *count += 1;
            writers.fetch_sub(100, Ordering::SeqCst);
        });
    }
    let (read, readers) = (lock.clone(), inside.clone());
    stage.actor(Thread, move || {
        let count = block_on(read.read_async());
        assert!(readers.fetch_add(1, Ordering::SeqCst) < 100, "no writer");
        assert!(*count <= 2);
        readers.fetch_sub(1, Ordering::SeqCst);
    });
    let (read, readers) = (lock.clone(), inside.clone());
    stage.actor(Goroutine, move || {
        let count = read.read();
        assert!(readers.fetch_add(1, Ordering::SeqCst) < 100, "no writer");
        assert!(*count <= 2);
        readers.fetch_sub(1, Ordering::SeqCst);
    });
    stage.end();
    assert_eq!(*lock.try_write().expect("it is free"), 2);
}

fn rw_lock_dropped() {
    let mut stage = Stage::new();
    let lock = Arc::new(RwLock::new(0));
    let fickle = lock.clone();
    stage.actor(Thread, move || {
        touch(fickle.write_async());
        touch(fickle.read_async());
    });
    let writer = lock.clone();
    stage.actor(Goroutine, move || *writer.write() += 1);
    let task = lock.clone();
    stage.actor(Thread, move || *block_on(task.write_async()) += 1);
    let reader = lock.clone();
    stage.actor(Goroutine, move || drop(reader.read()));
    stage.end();
    assert_eq!(*lock.try_write().expect("it is free"), 2);
}

fn semaphore() {
    let mut stage = Stage::new();
    let semaphore = Semaphore::new(2);
    let inside = Arc::new(AtomicUsize::new(0));
    for (n, kind) in [(1, Goroutine), (2, Thread)] {
        let (semaphore, inside) = (semaphore.clone(), inside.clone());
        stage.actor(kind, move || {
            let _permit = block_on(semaphore.acquire_async(n));
            assert!(inside.fetch_add(n, Ordering::SeqCst) + n <= 2);
            inside.fetch_sub(n, Ordering::SeqCst);
        });
    }
    let (blocking, within) = (semaphore.clone(), inside.clone());
    stage.actor(Goroutine, move || {
        let _permit = blocking.acquire(2);
        assert_eq!(within.fetch_add(2, Ordering::SeqCst), 0);
        within.fetch_sub(2, Ordering::SeqCst);
    });
    stage.end();
    assert_eq!(semaphore.available(), 2);
}

fn semaphore_dropped() {
    let mut stage = Stage::new();
    let semaphore = Semaphore::new(1);
    let fickle = semaphore.clone();
    stage.actor(Thread, move || {
        touch(fickle.acquire_async(1));
        touch(fickle.acquire_async(2));
    });
    let task = semaphore.clone();
    stage.actor(Thread, move || drop(block_on(task.acquire_async(1))));
    let goroutine = semaphore.clone();
    stage.actor(Goroutine, move || {
        (0..2).for_each(|_| drop(goroutine.acquire(1)))
    });
    stage.end();
    assert_eq!(semaphore.available(), 1);
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
            touch(group.wait_async());
            block_on(group.wait_async());
            assert_eq!(done.load(Ordering::SeqCst), 2);
        });
    }
    stage.end();
}

/// As many notifications as there are waiters, of all kinds, each for something to take.
fn condvar() {
    let mut stage = Stage::without_reminders();
    let shared = Arc::new((Mutex::new(0), Condvar::new()));
    for kind in [Goroutine, Thread] {
        let shared = shared.clone();
        stage.actor(kind, move || {
            let (lock, condvar) = &*shared;
            block_on(async {
                let left = lock.lock_async().await;
                *condvar.wait_while_async(left, |left| *left == 0).await -= 1;
            });
        });
    }
    let blocking = shared.clone();
    stage.actor(Goroutine, move || {
        let mut left = blocking.0.lock();
        blocking.1.wait_while(&mut left, |left| *left == 0);
        *left -= 1;
    });
    let notifier = shared.clone();
    stage.actor(Thread, move || {
        *notifier.0.lock() += 1;
        notifier.1.notify_one();
        *notifier.0.lock() += 2;
        notifier.1.notify_all();
    });
    stage.end_with_clock();
    assert_eq!(*shared.0.try_lock().expect("it is free"), 0);
}

/// One goes when it may have been notified, or may stand in the line at the lock: the one notification is not lost.
fn condvar_dropped() {
    let mut stage = Stage::without_reminders();
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let fickle = shared.clone();
    stage.actor(Thread, move || {
        let (lock, condvar) = &*fickle;
        let used = touch_thrice(async {
            let set = lock.lock_async().await;
            drop(condvar.wait_async(set).await);
        });
        if used {
            condvar.notify_one();
        }
    });
    let task = shared.clone();
    stage.actor(Thread, move || {
        let (lock, condvar) = &*task;
        block_on(async {
            let set = lock.lock_async().await;
            drop(condvar.wait_while_async(set, |set| !*set).await);
        });
    });
    let notifier = shared.clone();
    stage.actor(Goroutine, move || {
        let mut set = notifier.0.lock();
        *set = true;
        notifier.1.notify_one();
        (0..4).for_each(|_| shuttle::thread::yield_now());
    });
    stage.end_with_clock();
    assert!(*shared.0.try_lock().expect("it is free"));
}

fn barrier() {
    let mut stage = Stage::new();
    let (barrier, leaders) = (Barrier::new(3), Arc::new(AtomicUsize::new(0)));
    for kind in [Goroutine, Thread] {
        let (barrier, leaders) = (barrier.clone(), leaders.clone());
        stage.actor(kind, move || {
            for _ in 0..2 {
                let leads = block_on(barrier.wait_async()).is_leader();
                leaders.fetch_add(usize::from(leads), Ordering::SeqCst);
            }
        });
    }
    let lead = leaders.clone();
    stage.actor(Goroutine, move || {
        for _ in 0..2 {
            let leads = barrier.wait().is_leader();
            lead.fetch_add(usize::from(leads), Ordering::SeqCst);
        }
    });
    stage.end();
    assert_eq!(leaders.load(Ordering::SeqCst), 2);
}

/// Some go as the last comes: who stays passes with another, and in the end nobody is counted.
fn barrier_dropped() {
    let mut stage = Stage::new();
    let (barrier, passed) = (Barrier::new(2), Arc::new(AtomicUsize::new(0)));
    let (stays, passes) = (barrier.clone(), passed.clone());
    stage.actor(Goroutine, move || {
        stays.wait();
        passes.store(1, Ordering::SeqCst);
    });
    let fickle = barrier.clone();
    stage.actor(Thread, move || touch(fickle.wait_async()));
    let others = barrier.clone();
    stage.actor(Thread, move || {
        while passed.load(Ordering::SeqCst) == 0 {
            touch(others.wait_async());
        }
    });
    stage.end();
    let mut cx = Context::from_waker(Waker::noop());
    let (mut first, mut last) = (pin!(barrier.wait_async()), pin!(barrier.wait_async()));
    assert!(first.as_mut().poll(&mut cx).is_pending());
    assert!(last.as_mut().poll(&mut cx).is_ready());
    assert!(first.as_mut().poll(&mut cx).is_ready());
}
