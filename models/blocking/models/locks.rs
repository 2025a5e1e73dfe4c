//! Locks and groups.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Goroutine, Kind, Model, Stage, Thread};
use std::time::Duration;

use crate::rt::home_lock::HomeLock;
use crate::rt::own_lock::{OwnGuard, OwnLock};
use crate::sync::{Barrier, Condvar, Mutex, RwLock, Semaphore, WaitGroup};

pub(super) const MODELS: &[Model] = &[
    ("own_lock_excludes", own_lock),
    ("home_lock_excludes", home_lock),
    ("mutex_of_goroutines", || excludes(Goroutine)),
    ("mutex_of_threads", || excludes(Thread)),
    ("mutex_tried_and_locked", tried),
    ("mutex_shows_what_was_written", shows),
    ("wait_group", wait_group),
    ("wait_group_used_again", again),
    ("wait_group_grows", grows),
    ("mutex_with_deadlines", lock_deadlines),
    ("mutex_goes_on_without_who_is_held", held_up),
    ("rw_lock", rw_lock),
    ("condvar_misses_nothing", condvar),
    ("condvar_with_deadlines", condvar_deadlines),
    ("semaphore_of_two", semaphore),
    ("semaphore_with_deadlines", semaphore_deadlines),
    ("barrier_used_again", barrier),
];

const SHORT: Duration = Duration::from_millis(1);

/// Each thread takes it often enough for it to become its own, if no other comes between.
fn own_lock() {
    let mut stage = Stage::new();
    fn take(lock: &OwnLock<usize>) -> OwnGuard<'_, usize> {
        lock.lock_own().unwrap_or_else(|| lock.lock_shared())
    }
    let lock = Arc::new(OwnLock::new(0));
    let inside = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let (lock, inside) = (lock.clone(), inside.clone());
        stage.actor(Thread, move || {
            for _ in 0..4 {
                let mut count = take(&lock);
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                *count += 1;
                inside.fetch_sub(1, Ordering::SeqCst);
            }
        });
    }
    stage.end();
    assert_eq!(*take(&lock), 12);
}

/// Two come from afar, at every moment of one that is at home.
fn home_lock() {
    let mut stage = Stage::new();
    let lock = Arc::new(HomeLock::new(0));
    let inside = Arc::new(AtomicUsize::new(0));
    for home in [true, false, false] {
        let (lock, inside) = (lock.clone(), inside.clone());
        stage.actor(Thread, move || {
            let count = |count: &mut usize| {
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                *count += 1;
                inside.fetch_sub(1, Ordering::SeqCst);
            };
            for _ in 0..4 {
                match home {
                    // SAFETY: one thread is at home.
                    true => unsafe { lock.home(count) },
                    false => lock.afar(count),
                }
            }
        });
    }
    stage.end();
    lock.afar(|count| assert_eq!(*count, 12));
}

fn excludes(kind: Kind) {
    let mut stage = Stage::without_reminders();
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
    stage.end_with_clock();
    assert_eq!(*lock.lock(), 6);
}

fn tried() {
    let mut stage = Stage::without_reminders();
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
    stage.end_with_clock();
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

/// Work adds to the count before it is done; waiters come at every moment.
fn grows() {
    let mut stage = Stage::new();
    let group = WaitGroup::new();
    let done = Arc::new(AtomicUsize::new(0));
    group.add(1);
    let (first, count) = (group.clone(), done.clone());
    stage.actor(Goroutine, move || {
        first.add(2);
        for _ in 0..2 {
            let (part, count) = (first.clone(), count.clone());
            shuttle::thread::spawn(move || {
                count.fetch_add(1, Ordering::SeqCst);
                part.done();
            });
        }
        first.done();
    });
    for kind in [Goroutine, Thread, Goroutine] {
        let (group, done) = (group.clone(), done.clone());
        stage.actor(kind, move || {
            group.wait();
            assert_eq!(done.load(Ordering::SeqCst), 2);
        });
    }
    stage.end();
}

/// A holder that gives the lock up while others come, wait, give up and are handed it.
fn shows() {
    let mut stage = Stage::new();
    let lock = Arc::new(Mutex::new(0));
    for kind in [Goroutine, Thread] {
        let lock = lock.clone();
        stage.actor(kind, move || {
            for _ in 0..3 {
                let mut count = lock.lock();
                let before = *count;
                shuttle::thread::yield_now();
                *count = before + 1;
            }
        });
    }
    let late = lock.clone();
    stage.actor(Goroutine, move || {
        for _ in 0..2 {
            drop(late.lock_timeout(SHORT));
        }
    });
    stage.end_with_clock();
    assert_eq!(*lock.try_lock().expect("it is free"), 6);
}

/// Who gives up leaves nothing behind: the lock is free in the end.
fn lock_deadlines() {
    let mut stage = Stage::new();
    let lock = Arc::new(Mutex::new(0));
    for kind in [Goroutine, Thread, Goroutine] {
        let lock = lock.clone();
        stage.actor(kind, move || {
            if let Some(mut count) = lock.lock_timeout(SHORT) {
                *count += 1;
            }
            *lock.lock() += 1;
        });
    }
    stage.end_with_clock();
    assert!((3..=6).contains(&*lock.try_lock().expect("it is free")));
}

/// Two goroutines cannot go on, once they have waited, until a thread has had its turn, which may stand behind them.
fn held_up() {
    let mut stage = Stage::new();
    let worker = stage.worker;
    let lock = Arc::new(Mutex::new(0));
    let thread_is_done = Arc::new(AtomicBool::new(false));
    for kind in [Goroutine, Goroutine, Thread] {
        let (lock, done) = (lock.clone(), thread_is_done.clone());
        stage.actor(kind, move || {
            *lock.lock() += 1;
            if let Thread = kind {
                done.store(true, Ordering::SeqCst);
            }
        });
    }
    let last = lock.clone();
    stage.actor(Thread, move || {
        let count = lock.lock();
        worker.held.store(true, Ordering::SeqCst);
        drop(count);
        while !thread_is_done.load(Ordering::SeqCst) {
            worker.seen_held.store(true, Ordering::SeqCst);
            shuttle::thread::yield_now();
        }
        worker.held.store(false, Ordering::SeqCst);
    });
    stage.end_with_clock();
    assert_eq!(*last.try_lock().expect("it is free"), 3);
}

/// Writers are alone; in the end everybody had a turn.
fn rw_lock() {
    let mut stage = Stage::new();
    let lock = Arc::new(RwLock::new(0));
    let inside = Arc::new(AtomicUsize::new(0));
    for kind in [Goroutine, Thread] {
        let (write, writers) = (lock.clone(), inside.clone());
        stage.actor(kind, move || {
            let mut count = write.write();
            assert_eq!(writers.fetch_add(100, Ordering::SeqCst), 0, "alone");
            *count += 1;
            writers.fetch_sub(100, Ordering::SeqCst);
        });
        let (read, readers) = (lock.clone(), inside.clone());
        stage.actor(kind, move || {
            let count = read.read();
            assert!(readers.fetch_add(1, Ordering::SeqCst) < 100, "no writer");
            assert!(*count <= 2);
            readers.fetch_sub(1, Ordering::SeqCst);
        });
    }
    stage.end();
    assert_eq!(*lock.try_write().expect("it is free"), 2);
}

fn condvar() {
    let mut stage = Stage::without_reminders();
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    for kind in [Goroutine, Thread] {
        let pair = pair.clone();
        stage.actor(kind, move || {
            let mut tokens = pair.0.lock();
            pair.1.wait_while(&mut tokens, |tokens| *tokens == 0);
            *tokens -= 1;
        });
    }
    for kind in [Goroutine, Thread] {
        let pair = pair.clone();
        stage.actor(kind, move || {
            *pair.0.lock() += 1;
            pair.1.notify_one();
        });
    }
    stage.end_with_clock();
    assert_eq!(*pair.0.lock(), 0);
}

/// A notification goes to somebody who still waits, or to nobody.
fn condvar_deadlines() {
    let mut stage = Stage::new();
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let late = pair.clone();
    stage.actor(Goroutine, move || {
        let mut guard = late.0.lock();
        late.1.wait_timeout(&mut guard, SHORT);
        // It has the lock again, whatever ended the wait.
        assert!(late.0.try_lock().is_none());
    });
    let patient = pair.clone();
    stage.actor(Goroutine, move || {
        let mut guard = patient.0.lock();
        patient.1.wait_while(&mut guard, |set| !*set);
    });
    stage.actor(Thread, move || {
        *pair.0.lock() = true;
        pair.1.notify_all();
    });
    stage.end_with_clock();
}

fn semaphore() {
    let mut stage = Stage::new();
    let semaphore = Semaphore::new(2);
    let inside = Arc::new(AtomicUsize::new(0));
    for (n, kind) in [(1, Goroutine), (2, Thread), (1, Goroutine)] {
        let (semaphore, inside) = (semaphore.clone(), inside.clone());
        stage.actor(kind, move || {
            let _permit = semaphore.acquire(n);
            assert!(inside.fetch_add(n, Ordering::SeqCst) + n <= 2);
            inside.fetch_sub(n, Ordering::SeqCst);
        });
    }
    stage.end();
    assert_eq!(semaphore.available(), 2);
}

/// Who waits behind one that gives up is served.
fn semaphore_deadlines() {
    let mut stage = Stage::new();
    let semaphore = Semaphore::new(1);
    for (n, kind) in [(2, Goroutine), (2, Thread)] {
        let semaphore = semaphore.clone();
        stage.actor(kind, move || {
            assert!(semaphore.acquire_timeout(n, SHORT).is_none());
        });
    }
    let patient = semaphore.clone();
    stage.actor(Goroutine, move || drop(patient.acquire(1)));
    stage.end_with_clock();
    assert_eq!(semaphore.available(), 1);
}

fn barrier() {
    let mut stage = Stage::new();
    let barrier = Barrier::new(3);
    let leaders = Arc::new(AtomicUsize::new(0));
    for kind in [Goroutine, Thread, Goroutine] {
        let (barrier, leaders) = (barrier.clone(), leaders.clone());
        stage.actor(kind, move || {
            for _ in 0..2 {
                let leads = barrier.wait().is_leader();
                leaders.fetch_add(usize::from(leads), Ordering::SeqCst);
            }
        });
    }
    stage.end();
    assert_eq!(leaders.load(Ordering::SeqCst), 2);
}
